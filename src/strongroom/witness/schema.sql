-- Which keys speak for a log, by its origin.
CREATE TABLE logs (origin TEXT NOT NULL, vkey TEXT NOT NULL, PRIMARY KEY (origin, vkey)) WITHOUT ROWID;
-- The last checkpoint cosigned of each: what the witness never goes back on. note: with the log's signatures and the witness's.
CREATE TABLE heads (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, time INTEGER NOT NULL, note TEXT NOT NULL) WITHOUT ROWID;
-- A log that has signed two roots for one size, in its own words; the first time alone.
CREATE TABLE forks (origin TEXT PRIMARY KEY, time INTEGER NOT NULL, one TEXT NOT NULL, other TEXT NOT NULL) WITHOUT ROWID;
