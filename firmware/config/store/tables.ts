/** The tables of `configuration.db`. */

/** `PRAGMA user_version` of the tables below; a file with a higher one is of a later Culvert. */
export const TABLES_VERSION = 1;

/**
 * `head` has one row: what is confirmed and what waits. The two are the whole truth of what has to be in force, so that
 * every step of a commit is one transaction over them.
 */
export const TABLES = `
  CREATE TABLE revision (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER,
    document TEXT NOT NULL,
    versions TEXT NOT NULL,
    hash TEXT NOT NULL,
    who TEXT NOT NULL,
    via TEXT NOT NULL,
    comment TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'confirmed', 'reverted')),
    reason TEXT
  ) STRICT;
  CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    confirmed INTEGER REFERENCES revision (id),
    pending INTEGER REFERENCES revision (id),
    confirm_by INTEGER,
    recovery TEXT
  ) STRICT;
  INSERT INTO head (one) VALUES (1);
  CREATE TABLE candidate (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    who TEXT NOT NULL,
    via TEXT NOT NULL,
    base INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sealed TEXT NOT NULL
  ) STRICT;
  CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
`;
