-- Forgetting: what is to be scrubbed yet.

-- Sessions whose person was forgotten. A row goes when the words are in no file any more.
CREATE TABLE forgotten (
  session INTEGER PRIMARY KEY,
  chat INTEGER NOT NULL
) STRICT;

-- Turns past their time whose session had open work when their turn came to be scrubbed.
CREATE TABLE overdue (
  turn INTEGER PRIMARY KEY,
  session INTEGER NOT NULL
) STRICT;

-- Rows of the first schema grow by a byte when they are changed, and so may be moved and leave
-- words behind. Their messages have no hash. A file that has such rows is rewritten after this.
INSERT INTO meta SELECT 'has_short_rows', 1 WHERE
  (SELECT hash IS NULL FROM transcript WHERE role IN (2, 6) ORDER BY id LIMIT 1);
