-- The first schema. Numbers (turns, parcels) rise and are never used twice.

CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  phone_number_id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '') STRICT;

-- 'n:' and the matching form of a number, or 'u:' and a business-scoped user id.
CREATE TABLE aliases (
  value TEXT NOT NULL PRIMARY KEY,
  contact INTEGER NOT NULL REFERENCES contacts (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE chats (
  id INTEGER PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES accounts (id),
  contact INTEGER NOT NULL REFERENCES contacts (id),
  address TEXT NOT NULL,            -- where answers go: the number as Meta gave it, or a user id
  session INTEGER NOT NULL,         -- the open session
  held INTEGER NOT NULL DEFAULT 0,  -- bit 1: envelopes, bit 2: parcels wait for the next message
  left_off INTEGER,                 -- the off-the-record session ended last ...
  left_off_at INTEGER,              -- ... and the timestamp of the command that ended it
  left_on INTEGER,                  -- the same for the session on the record that /new ended last
  left_on_at INTEGER,
  UNIQUE (account, contact)
) STRICT;

-- state 0: open, 1: suspended beneath an off-the-record session, 2: ended
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  chat INTEGER NOT NULL,
  mode INTEGER NOT NULL CHECK (mode IN (0, 1)),
  state INTEGER NOT NULL DEFAULT 0,
  opened_at INTEGER NOT NULL,       -- Meta's timestamp of what opened it
  before INTEGER                    -- the suspended session that /otr off returns to
) STRICT;
CREATE UNIQUE INDEX one_open_session_per_chat ON sessions (chat) WHERE state = 0;
CREATE INDEX sessions_of_chat ON sessions (chat, id);

CREATE TRIGGER a_session_has_one_mode BEFORE UPDATE OF mode ON sessions
BEGIN SELECT RAISE(ABORT, 'a session has one mode for life'); END;

-- What was seen: by Meta's timestamp (or, where that cannot be true, by the day of arrival, far
-- below zero), and a keyed 64-bit hash of the message's id.
CREATE TABLE seen (
  bucket INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  PRIMARY KEY (bucket, hash)
) STRICT, WITHOUT ROWID;

-- Unfinished messages. state 0: queued, 1: running, 2: held by a closed window
CREATE TABLE envelopes (
  number INTEGER PRIMARY KEY,
  chat INTEGER NOT NULL,
  session INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  errand TEXT NOT NULL,
  sent_at INTEGER NOT NULL,
  window_until INTEGER NOT NULL,
  length INTEGER NOT NULL DEFAULT 0,
  detail TEXT NOT NULL DEFAULT '',
  state INTEGER NOT NULL DEFAULT 0,
  turn INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  hash INTEGER
) STRICT;
CREATE UNIQUE INDEX one_turn_per_chat ON envelopes (chat) WHERE state = 1 AND number = turn;
CREATE INDEX held_envelopes ON envelopes (chat, number) WHERE state = 2;
CREATE INDEX off_the_record_envelopes ON envelopes (hash) WHERE mode = 1;

-- Words stay where they were first written, at the end of the table, and are scrubbed by being
-- overwritten in their place: SQLite clears what is deleted, but not the copies that it leaves
-- behind when it moves rows between pages. So no row is ever inserted in the middle or deleted, and
-- its index holds no words. A role of 6 is one that was scrubbed.
CREATE TABLE transcript (
  id INTEGER PRIMARY KEY,
  turn INTEGER NOT NULL,
  part INTEGER NOT NULL,
  session INTEGER NOT NULL,
  role INTEGER NOT NULL,
  sent_at INTEGER NOT NULL,
  words TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX transcript_by_turn ON transcript (turn, part);

-- The second of the four locks on off the record.
CREATE TRIGGER no_words_off_the_record BEFORE INSERT ON transcript
WHEN (SELECT mode FROM sessions WHERE id = NEW.session) IS NOT 0
BEGIN SELECT RAISE(ABORT, 'off the record: words may not be written down'); END;
CREATE TRIGGER no_words_moved_off_the_record BEFORE UPDATE OF session ON transcript
WHEN (SELECT mode FROM sessions WHERE id = NEW.session) IS NOT 0
BEGIN SELECT RAISE(ABORT, 'off the record: words may not be written down'); END;

-- Written when a turn ends, not at the door: which turns a session's history has.
CREATE TABLE session_turns (
  session INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  PRIMARY KEY (session, turn)
) STRICT, WITHOUT ROWID;

-- state below 10: open (0 waiting, 1 sending, 2 unknown, 3 held); from 10 on: settled
CREATE TABLE parcels (
  number INTEGER PRIMARY KEY,
  chat INTEGER NOT NULL,
  session INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  part INTEGER NOT NULL,
  notice TEXT NOT NULL DEFAULT '',
  state INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  ambiguous INTEGER NOT NULL DEFAULT 0,
  tokens TEXT NOT NULL DEFAULT '',  -- 32 hex digits an attempt, the latest first
  window_until INTEGER NOT NULL,
  not_before REAL NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  status INTEGER NOT NULL DEFAULT -1,
  code INTEGER,
  accepted INTEGER,                 -- hash of the id that Meta gave the message
  twice INTEGER NOT NULL DEFAULT 0  -- 1: Meta accepted it more than once
) STRICT;
CREATE UNIQUE INDEX one_send_per_chat ON parcels (chat) WHERE state IN (1, 2);
CREATE INDEX open_parcels ON parcels (chat, number) WHERE state < 10;
