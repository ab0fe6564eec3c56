-- The keyholder's store. One writer. The ledger's truth is `entries`; `tiles` is derived and kept beside it.
CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL);
CREATE TABLE tiles (level INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (level, n)) WITHOUT ROWID;
CREATE TABLE charters (
    version INTEGER PRIMARY KEY, idx INTEGER NOT NULL, effective INTEGER NOT NULL, document BLOB NOT NULL, roster BLOB NOT NULL
);
CREATE TABLE chains (
    holding BLOB NOT NULL, who BLOB NOT NULL, generation INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (holding, who, generation)
) WITHOUT ROWID;
-- Tags of entries taken at a recovery: numbers of chains whose counts were lost.
CREATE TABLE lost (tag BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE budgets (key TEXT PRIMARY KEY, level INTEGER NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID;
-- request: hash of the request answered last, or empty when the keyholder refused the ask. remaining: identifiers or records left in
-- a window, -1 when there is none. until: the row can be forgotten after that time.
-- By that time first, which follows from the ask: those of a moment lie together, and each group fills a page rather than changing one an
-- ask. Half the cost of what is ordered by a hash; and what can be forgotten lies in front.
CREATE TABLE asks (
    until INTEGER NOT NULL, hash BLOB NOT NULL, request BLOB NOT NULL, idx INTEGER NOT NULL, time INTEGER NOT NULL, remaining INTEGER NOT NULL,
    PRIMARY KEY (until, hash)
) WITHOUT ROWID;
-- Those of entries taken at a recovery, of which nobody knows what they were: used, whatever they say.
CREATE TABLE lost_asks (hash BLOB PRIMARY KEY, idx INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
-- What forbids: erased records by their mark, versions that have a newer one, and what the operator has frozen.
CREATE TABLE tombstones (mark BLOB PRIMARY KEY, idx INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE versions (holding BLOB NOT NULL, handle BLOB NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (holding, handle)) WITHOUT ROWID;
CREATE TABLE freezes (scope TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE operations (nonce BLOB PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
-- key: hash of the public half. expired: index of the entry that says it is destroyed, -1 while it is not.
CREATE TABLE epochs (
    holding TEXT NOT NULL, epoch INTEGER NOT NULL, key BLOB NOT NULL, expired INTEGER NOT NULL, PRIMARY KEY (holding, epoch)
) WITHOUT ROWID;
CREATE TABLE holds (holding TEXT NOT NULL, authority TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (holding, authority)) WITHOUT ROWID;
CREATE TABLE codes (
    hash BLOB PRIMARY KEY, holding TEXT NOT NULL, kind TEXT NOT NULL, who BLOB NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE subjects (
    device BLOB NOT NULL, holding TEXT NOT NULL, kind TEXT NOT NULL, who BLOB NOT NULL, PRIMARY KEY (device, holding, kind, who)
) WITHOUT ROWID;
