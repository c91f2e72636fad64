"""The command line: whatever is typed ends in a sentence and an exit code of the contract."""

import atexit
import shutil
import tempfile
from contextlib import chdir
from functools import cache
from pathlib import Path

from click.testing import CliRunner

from openparallax.cli import main
from tests.config.files import SMALLEST
from tests.fuzz.draws import as_text
from tests.fuzz.target import Target

_COMMANDS = ("check", "schema", "completion", "sessions", "status", "send")
"""Those that write no file and run no daemon."""
_EXIT_CODES = frozenset({0, 1, 2, 69, 75, 77, 78})
_MOST = 8


def try_arguments(data: bytes) -> None:
    """Arguments with a zero byte between them, behind a command that is safe to run."""
    words = [as_text(word) for word in data[1:].split(b"\0")[:_MOST]]
    command = [] if words[0] in ("--help", "--version") else [_COMMANDS[(data[:1] or b"\0")[0] % 6]]
    folder = _folder()
    environment = {
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    with chdir(folder):
        done = CliRunner().invoke(main, [*command, *words], env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code in _EXIT_CODES, f"{done.exit_code}: {done.output[-300:]}"
    assert "internal error" not in done.stderr
    assert "Traceback" not in done.stderr


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="openparallax-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "config.yaml").write_text(SMALLEST)
    (folder / "broken.yaml").write_text("a: [")
    return folder


def _seeds() -> list[bytes]:
    rests = [
        *("", "--help", "--version", "-c\0config.yaml", "-c\0broken.yaml", "-c\0.", "-c\0no\nsuch"),
        *("list\0--json", "show\0+49 151 12345678", "forget\0US.1\0--yes", "list\0--account\0x"),
        *(
            "--to\0+49\0\udce9",
            "--to\0+49\0hello",
            "--to\0+4915112345678\0-",
            "--wait\0nan\0--to\0x\0y",
            "bash",
            "fish",
        ),
        *("--json", "\udce9", "-\u200b", "--to=\x1b[31m\0x", "-c\0config.yaml\0--json\0list"),
    ]
    encoded = [rest.encode("utf-8", "surrogateescape") for rest in rests]
    return [bytes([n]) + rest for n in range(len(_COMMANDS)) for rest in encoded]


_WORDS = [
    "--json",
    "--to",
    "--account",
    "--wait",
    "-c",
    "config.yaml",
    "list",
    "show",
    "forget",
    "--yes",
]
ARGUMENTS = Target("arguments", try_arguments, _seeds, _WORDS, longest=256)
