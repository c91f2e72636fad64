"""A file that passes 300 lines usually wants to be two rooms."""

from tests.architecture.source import PACKAGE, ROOT, modules, name_of

MOST_LINES = 300
REASONS: dict[str, str] = {}
"""File -> why it may be longer."""


def _lines() -> dict[str, int]:
    folders = (PACKAGE, ROOT / "scripts", ROOT / "tests")
    return {
        name_of(path): len(path.read_text("utf-8").splitlines())
        for folder in folders
        for path in modules(folder)
    }


def test_no_module_is_too_long() -> None:
    found = {n: count for n, count in _lines().items() if count > MOST_LINES and n not in REASONS}
    assert found == {}


def test_each_exception_is_still_needed() -> None:
    lines = _lines()
    assert [name for name in REASONS if lines.get(name, 0) <= MOST_LINES] == []
