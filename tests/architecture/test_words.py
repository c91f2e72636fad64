"""Words are read in few places, and SQL is written in one room."""

import ast
import re

import pytest

from tests.architecture.source import PACKAGE, modules, name_of, tree_of

READERS = {
    "openparallax/model/text.py": "says how long they are",
    "openparallax/inbox/door.py": "looks for a command; its admission has words to be kept",
    "openparallax/transcript/__init__.py": "turns entries into the history that engines see",
    "openparallax/transcript/details.py": "reads what came beside them",
    "openparallax/dispatch/asking.py": "hands them to the engine",
    "openparallax/outbox/delivery.py": "hands them to the sender",
    "openparallax/app/dev/terminal.py": "shows them to whoever said and heard them there",
    "openparallax/emulator/scenario/matching.py": "compares them with what its author's script has",
    "openparallax/app/operator.py": "hands them to the operator who asks for a person's words",
    "openparallax/storage/transcripts.py": "writes them down, on the record only",
}
SQL = re.compile(
    r"\s*(SELECT|INSERT|REPLACE|UPDATE|DELETE\s|CREATE|ALTER|DROP|PRAGMA|VACUUM|BEGIN|COMMIT"
    r"|ROLLBACK|SAVEPOINT|RELEASE|WITH)\b"
)


def reads_of_words(tree: ast.AST) -> list[int]:
    found = {
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr == "words")
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"getattr", "attrgetter"}
            and any(isinstance(a, ast.Constant) and a.value == "words" for a in node.args)
        )
        or (isinstance(node, ast.MatchClass) and "words" in node.kwd_attrs)
    }
    return sorted(found)


def sql_in(tree: ast.AST) -> list[int]:
    found = {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    }
    return sorted(found)


def test_words_are_read_only_where_they_must_be_seen() -> None:
    found = {
        f"{name_of(path)}:{line}"
        for path in modules()
        if name_of(path) not in READERS
        for line in reads_of_words(tree_of(path))
    }
    assert found == set()


def test_each_reader_still_reads() -> None:
    needless = [name for name in READERS if not reads_of_words(tree_of(PACKAGE.parent / name))]
    assert needless == []


def test_sql_stands_in_storage_only() -> None:
    found = {
        f"{name_of(path)}:{line}"
        for path in modules()
        if not name_of(path).startswith("openparallax/storage/")
        for line in sql_in(tree_of(path))
    }
    assert found == set()


@pytest.mark.parametrize(
    "line",
    ["log(text.words)", "x = getattr(t, 'words')", "match t:\n    case Text(words=w): pass"],
)
def test_a_read_is_seen(line: str) -> None:
    assert reads_of_words(ast.parse(line))


@pytest.mark.parametrize(
    "line", ["run('DELETE FROM chats')", 'run(f"""\n  SELECT {what} FROM chats""")']
)
def test_sql_is_seen(line: str) -> None:
    assert sql_in(ast.parse(line))
