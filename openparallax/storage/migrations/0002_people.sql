-- People and engines: whose alias, who took over, what was quoted, what was spent.

-- The digits of our own number as Meta prints them: what comes from there is never answered.
ALTER TABLE accounts ADD COLUMN display TEXT NOT NULL DEFAULT '';

-- 1: wants no marketing (field user_preferences)
ALTER TABLE contacts ADD COLUMN no_marketing INTEGER NOT NULL DEFAULT 0;

ALTER TABLE chats ADD COLUMN taken_until INTEGER NOT NULL DEFAULT 0;  -- a person has taken over
ALTER TABLE chats ADD COLUMN alternate INTEGER NOT NULL DEFAULT 0;    -- 1: the other spelling of the
                                                                      -- number is used, 2: neither works

-- Keyed hash of Meta's id, by which a quoted or a revoked message is found.
ALTER TABLE transcript ADD COLUMN hash INTEGER;

-- 'n:' and the matching form of a number, 'u:' and a business-scoped user id, 'p:' and the id of a
-- managed business's parent. Such ids mean something only with the number of ours that they came
-- through. "since" is Meta's timestamp of what gave the alias to this contact. 'w:n:...<' and a
-- timestamp stands for whose a number was until then: what comes late is still theirs.
CREATE TABLE aliases_by_account (
  account INTEGER NOT NULL REFERENCES accounts (id),
  value TEXT NOT NULL,
  contact INTEGER NOT NULL REFERENCES contacts (id),
  since INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account, value)
) STRICT, WITHOUT ROWID;
INSERT INTO aliases_by_account (account, value, contact)
  SELECT c.account,
         CASE WHEN a.value GLOB 'u:??.ENT.*' THEN 'p:' || substr(a.value, 3) ELSE a.value END,
         a.contact
  FROM aliases a JOIN chats c ON c.contact = a.contact;
DROP TABLE aliases;
ALTER TABLE aliases_by_account RENAME TO aliases;
CREATE INDEX aliases_of_contact ON aliases (contact);

-- When the command that opened a session was said again.
ALTER TABLE sessions ADD COLUMN again_at INTEGER NOT NULL DEFAULT 0;

-- Two chats turned out to be one person's: the loser's work is finished before the survivor's.
CREATE TABLE merges (
  loser INTEGER PRIMARY KEY,
  survivor INTEGER NOT NULL
) STRICT;
CREATE INDEX losers_by_survivor ON merges (survivor);

-- The latest of each kind of news about our accounts.
CREATE TABLE news (
  business TEXT NOT NULL,
  field TEXT NOT NULL,
  subject TEXT NOT NULL,
  event TEXT NOT NULL,
  facts TEXT NOT NULL,
  weight INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (business, field, subject)
) STRICT, WITHOUT ROWID;

-- Tokens by day (UTC, days since 1970), chat, model and kind. No words, in either mode.
CREATE TABLE usage (
  day INTEGER NOT NULL,
  chat INTEGER NOT NULL,
  model TEXT NOT NULL,
  kind TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  PRIMARY KEY (day, chat, model, kind)
) STRICT, WITHOUT ROWID;
