"""A file that passes 300 lines usually wants to be two rooms."""

from tests.architecture.source import PACKAGE, ROOT, modules, name_of

MOST_LINES = 300
MOST_TEST_LINES = 500
"""A table of cases or the stories of one promise are read in one piece."""


def _most(name: str) -> int:
    return MOST_TEST_LINES if name.startswith("tests/") else MOST_LINES


def _lines() -> dict[str, int]:
    folders = (PACKAGE, ROOT / "scripts", ROOT / "tests")
    return {
        name_of(path): len(path.read_text("utf-8").splitlines())
        for folder in folders
        for path in modules(folder)
    }


def test_no_module_is_too_long() -> None:
    found = {n: count for n, count in _lines().items() if count > _most(n)}
    assert found == {}
