"""The only room with SQL.

In come `Write`s and units of work, out come rows as nouns of the model. One SQLite file, one
connection that writes (`writer`). Statements run on the loop, where they cost microseconds and
share its caches without a lock; what waits for the disk (COMMIT, checkpoints, long reads) runs on a
thread of its own. Measured: statements on the thread too cost a third of the acknowledgements,
because every one of them gives the interpreter lock away and has to win it back.

What the door writes is append-only (rising keys; one small table of hashes by the hour), since
random keys cost half the throughput. Unfinished work stands in ``envelopes`` and open ``parcels``;
nothing is found by scanning what is finished.

Beside the file lie its lock, which says who has it, and for a week copies of it (`copies`). Words
that are to go are overwritten where they stand (`erasing`), in the copies too (`scrubbing`).

Who moves, keeps or forgets something enters, and the app; the command line only for a file that no
daemon has: who holds it, its backup. Nobody above knows that it is SQLite.
"""

from openparallax.storage.database import Connection, Database, Write
from openparallax.storage.lock import Holder, holder_of

__all__ = ["Connection", "Database", "Holder", "Write", "holder_of"]
