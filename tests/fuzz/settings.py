"""Configuration: whatever stands in the file, it is refused in words, or it loads."""

import atexit
import random
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

import yaml

from openparallax import config
from openparallax.errors import ConfigError
from tests.config.files import ENGINES, NOTICES, SMALLEST, STAGES
from tests.config.ways import GOOD
from tests.fuzz.target import Target

_EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
_SECRETS = {
    "WHATSAPP_ACCESS_TOKEN": "xo4-token-nobody-sees",
    "WHATSAPP_APP_SECRET": "xo4-secret-nobody-sees",
    "ANTHROPIC_API_KEY": "xo4-key-nobody-sees",
    "PLANTED": "xo4-planted-nobody-sees",
}
_PLACE = re.compile(r"config\.yaml(:[1-9][0-9]*)?: \S", re.DOTALL)
_MOST_PROBLEMS_LENGTH = 2000
_LEAST = 10
_VARIABLE = re.compile(r"\$\{?\w*|credential:|file:")


def try_configuration(data: bytes) -> None:
    """It loads, or every problem says where; no secret and no value is in a message."""
    file = _folder() / "config.yaml"
    file.write_bytes(data)
    environment = {**_SECRETS, "HOME": "/home/somebody"}
    try:
        settings = config.load(
            file, environment=environment, engines=ENGINES, stages=STAGES, sentences=NOTICES
        )
    except ConfigError as error:
        told = [problem.replace(f"{_folder()}/", "") for problem in error.problems]
        assert told, "refused without a problem"
        for problem in told:
            assert _PLACE.match(problem), f"says not where: {problem!r}"
            assert problem.isprintable(), f"odd characters: {problem!r}"
            assert len(problem) < _MOST_PROBLEMS_LENGTH
        assert error.__context__ is None or error.__suppress_context__, "a traceback would quote"
        assert not error.__cause__
    else:
        told = [*settings.warnings, repr(settings)]
    shown = "\n".join(told)
    for secret in _SECRETS.values():
        assert secret not in shown, "a secret of the environment is shown"
    if isinstance(told, list) and "Settings(" not in told[-1]:
        for value in _values(data):
            assert value not in shown, f"a value is shown: {value!r}"


def _values(data: bytes) -> list[str]:
    """Long values of the file that are nothing else in it: no key, and no name of a variable."""
    try:
        if b"CANARY" not in data:
            return []
        node = yaml.compose(data.decode("utf-8-sig"), yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        return []
    keys: set[str] = set()
    values: set[str] = set()
    if data.count(b"*") < 50:  # aliases of aliases would be walked for ever
        _gather(node, keys, values, "", 0)
    known = "\n".join((*keys, SMALLEST, _example()))
    return [one for one in values if one not in known and not any(one in key for key in keys)]


def _gather(node: yaml.Node | None, keys: set[str], values: set[str], key: str, depth: int) -> None:
    if depth > 8 or len(values) + len(keys) > 500:
        return
    if isinstance(node, yaml.MappingNode):
        for name, inner in node.value:
            word = name.value if isinstance(name, yaml.ScalarNode) else ""
            keys.add(word)
            _gather(inner, keys, values, word, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for inner in node.value:
            _gather(inner, keys, values, key, depth + 1)
    elif isinstance(node, yaml.ScalarNode):
        is_named = key.endswith("_env") or _VARIABLE.search(node.value)
        if len(node.value) >= _LEAST and not is_named and "CANARY" in node.value:
            values.add(node.value)


@cache
def _example() -> str:
    return _EXAMPLE.read_text("utf-8")


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="openparallax-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


_LINES = [
    *("allowed_numbers: [+49 151]", "x: &a [*a]", "<<: *a", "presence: no", "port: 0o17"),
    "a: 1:30",
    *("at: 2026-01-01", "big: " + "9" * 400, "t: !!python/object:os.system x", "t: !!binary =="),
    *("app_secret: ${PLANTED}", "verify_token: ${NOPE:-CANARYcanary}", "k: 'CANARY quoted'"),
    "? [a]",
    *("verify_token: CANARY-canary", "verify_token:CANARYcanary", "- CANARY one"),
    "k: {a: CANARY two}",
    *("app_secret: file:/CANARY/x", "access_token: credential:PLANTED", "%YAML 9.9", "---"),
    *("...", "\t"),
    *('k: "\\ud800 \\x00"', "\ufeff", "\u0085", "\u2028", "k: |2\n  CANARY text", "1: 2"),
    *("null: ~", "yes: no"),
]  # fmt: skip


def _mutate(data: bytes, seed: int) -> bytes:
    """Lines moved, taken away, doubled, indented, or joined by a trap of YAML's."""
    dice = random.Random(seed)  # noqa: S311 - repeatable
    lines = data.split(b"\n")
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(lines))
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        trap = dice.choice(_LINES).encode()
        match dice.randrange(7):
            case 0:
                lines.insert(at, lines[at])
            case 1 if len(lines) > 1:
                del lines[at]
            case 2:
                lines[at] = b" " * dice.randrange(5) + lines[at]
            case 3:
                lines.insert(at, indent + trap)
            case 4:
                lines[at] = lines[at].partition(b":")[0] + b": " + trap.partition(b": ")[2]
            case 5:
                other = lines[dice.randrange(len(lines))]
                lines[at] = indent + other.lstrip()
            case _:
                lines[at] = lines[at].partition(b":")[0] + b": CANARY value %d" % dice.randrange(9)
    return b"\n".join(lines)


def _seeds() -> list[bytes]:
    bomb = "a: &a [x,x,x,x]\n" + "\n".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]" for n in range(9)
    )
    texts = [
        SMALLEST,
        _example(),
        *(f"{SMALLEST}{line}\n" for line in _LINES),
        *(f"{SMALLEST}    {line}\n" for line in _LINES),
        GOOD,
        bomb,
        "[" * 90,
        "a:\n" * 90,
        "? " * 90,
        "- " * 90,
        "{a: " * 50,
        "a: " + "0" * 9000,
        "k: 1_" + "0_" * 3000,
    ]
    raw = [text.encode("utf-8", "surrogatepass") for text in texts]
    return [
        *raw,
        SMALLEST.encode("utf-16"),
        SMALLEST.encode("utf-8-sig"),
        SMALLEST.encode().replace(b"\n", b"\r"),
        b"\xff" + SMALLEST.encode(),
        SMALLEST.encode() + b"\0",
        b"",
    ]


_WORDS = [
    *("channels", "whatsapp", "phone_number_id", "access_token", "app_secret", "verify_token"),
    "_env",
    *("engine", "pipeline", "time_limit", "off_the_record", "notices", "storage", "sqlite:///"),
    "url",
    *("accounts", "allowed_numbers", "${PLANTED}", "${NOPE:-", "file:", "credential:", "!!int"),
    "&a",
    *("*a", "<<", "|", ">", "---", "CANARY value", "\ufeff", "\u2028", ".inf", ".nan", "0x1F"),
    "1:30",
]  # fmt: skip
CONFIGURATION = Target("configuration", try_configuration, _seeds, _WORDS, _mutate, 8192)
