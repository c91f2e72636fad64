"""What a dead daemon has left: words where none may be, and a file that must be whole."""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.book import Allowed
from tests.torture.canary import Canary

_RULES = {
    "an envelope has no chat or session": (
        "SELECT count(*) FROM envelopes WHERE chat NOT IN (SELECT id FROM chats) "
        "OR session NOT IN (SELECT id FROM sessions)"
    ),
    "an envelope and its session differ in chat or mode": (
        "SELECT count(*) FROM envelopes e JOIN sessions s ON s.id = e.session "
        "WHERE e.mode <> s.mode OR e.chat <> s.chat"
    ),
    "a chat has several turns running": (
        "SELECT count(*) FROM (SELECT chat FROM envelopes WHERE state = 1 AND turn = number "
        "GROUP BY chat HAVING count(*) > 1)"
    ),
    "words that wait on the record are not there": (
        "SELECT count(*) FROM envelopes e WHERE e.mode = 0 AND e.errand = 'turn' AND NOT EXISTS "
        "(SELECT 1 FROM transcript t WHERE t.turn = e.number AND t.part = 0 AND t.role = 2)"
    ),
    "a parcel has no chat or session": (
        "SELECT count(*) FROM parcels WHERE chat NOT IN (SELECT id FROM chats) "
        "OR session NOT IN (SELECT id FROM sessions)"
    ),
    "a chat has several sends under way": (
        "SELECT count(*) FROM (SELECT chat FROM parcels WHERE state IN (1, 2) "
        "GROUP BY chat HAVING count(*) > 1)"
    ),
    "words to be sent on the record are not there": (
        "SELECT count(*) FROM parcels p WHERE p.mode = 0 AND p.state < 10 AND NOT EXISTS "
        "(SELECT 1 FROM transcript t WHERE t.turn = p.turn AND t.part = p.part AND t.role <> 6)"
    ),
    "words of a session off the record": (
        "SELECT count(*) FROM transcript t JOIN sessions s ON s.id = t.session "
        "WHERE s.mode <> 0 AND t.role <> 6"
    ),
    "a chat has no open session of its own": (
        "SELECT count(*) FROM chats c WHERE NOT EXISTS (SELECT 1 FROM sessions s "
        "WHERE s.id = c.session AND s.chat = c.id AND s.state = 0)"
    ),
    "a session is suspended and nothing lies above it": (
        "SELECT count(*) FROM sessions s WHERE s.state = 1 AND NOT EXISTS (SELECT 1 FROM "
        "sessions o WHERE o.before = s.id AND o.state = 0 AND o.chat = s.chat)"
    ),
}


@dataclass(slots=True)
class Disk:
    """Looks at one daemon's folder.

    Attributes:
        problems: What was found, each once.
        looks: How often it was looked.
    """

    folder: Path
    database: Path
    canary: Canary
    problems: dict[str, None] = field(default_factory=dict)
    looks: int = 0

    def look(self, allowed: Allowed) -> None:
        """Look at everything; the daemon must not run."""
        self.looks += 1
        for file in sorted(self.folder.rglob("*")):
            if file.is_file():
                name = str(file.relative_to(self.folder))
                self._search(name, file.read_bytes(), allowed)
                self._search("the names of files", name.encode(), allowed)
        if self.database.exists():
            self._examine(allowed)

    def _search(self, name: str, written: bytes, allowed: Allowed) -> None:
        for kind, number in set(self.canary.sung_in(written)):
            if name == "log" or name.startswith("the names"):
                self._wrong(f"leak: words are in {name} ({kind} {number})")
            elif kind not in ("q", "a", "cut off"):
                self._wrong(f"leak: words are in {name}, as {kind}")
            elif kind != "cut off" and number in allowed.forbidden:
                what = "the answer to it" if kind == "a" else "it"
                self._wrong(f"leak: message {number} is not to be kept, and {what} is in {name}")
            elif kind == "q" and number in allowed.gone:
                self._wrong(f"leak: message {number} was revoked, and is in {name}")

    def _examine(self, allowed: Allowed) -> None:
        """On a copy: opening the file would mend it before the daemon does."""
        with tempfile.TemporaryDirectory(prefix="openparallax-torture-") as folder:
            copy = Path(folder) / "copy.db"
            for ending in ("", "-wal"):
                file = Path(f"{self.database}{ending}")
                if file.exists():
                    shutil.copyfile(file, f"{copy}{ending}")
            try:
                with closing(sqlite3.connect(copy)) as connection:
                    self._ask(connection, allowed)
            except sqlite3.Error as error:
                self._wrong(f"file: {error}")

    def _ask(self, connection: sqlite3.Connection, allowed: Allowed) -> None:
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
        if integrity != "ok":
            self._wrong(f"file: integrity_check says {integrity}")
        (newest,) = connection.execute("PRAGMA user_version").fetchone()
        if newest < 3:
            return
        for name, query in _RULES.items():
            if connection.execute(query).fetchone()[0]:
                self._wrong(f"file: {name}")
        said = connection.execute(
            "SELECT words FROM transcript WHERE (part = 0 AND role = 2) OR role = 7"
        ).fetchall()
        kept = {number for (words,) in said for _, number, _ in self.canary.found(words)}
        for number in sorted(allowed.required - kept):
            self._wrong(f"lost: message {number} was acknowledged and is not on disk")

    def _wrong(self, what: str) -> None:
        self.problems.setdefault(what)
