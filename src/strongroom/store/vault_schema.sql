-- The vault's store, version 2 (SPEC.md sections 3.2, 3.6, 3.7, 7.1, 8.2). No column says in what order or when a record came:
-- records are named by random handles and lie in their order.

CREATE TABLE holdings (
    number   INTEGER PRIMARY KEY,
    id       BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    name     TEXT NOT NULL UNIQUE,
    records  INTEGER NOT NULL DEFAULT 0 CHECK (records >= 0),
    versions INTEGER NOT NULL DEFAULT 0 CHECK (versions >= records)
) STRICT;

CREATE TABLE epochs (
    holding   INTEGER NOT NULL REFERENCES holdings (number),
    epoch     INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    public    BLOB NOT NULL CHECK (length(public) = 1216),
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (holding, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE batches (
    batch   BLOB PRIMARY KEY CHECK (length(batch) = 16),
    holding INTEGER NOT NULL REFERENCES holdings (number),
    epoch   INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND expires),
    expires INTEGER NOT NULL CHECK (expires <= 4294967295),
    members BLOB NOT NULL CHECK (length(members) = 32),
    sealed  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What is to be resealed or purged, and how many batches have which days, without a look at the batches themselves. An
-- epoch never lies past its batches' expiry, so it finds those that have expired, too.
CREATE INDEX batches_by_epoch ON batches (holding, epoch, expires, batch);

-- A batch's records lie together, ordered by handle. Were they spread by handle over the whole table, each would touch a
-- page of its own, and an import would slow down as the room grows (measured: 40 us a record at 300,000, rising; 20 so).
CREATE TABLE records (
    batch   BLOB NOT NULL REFERENCES batches (batch),
    handle  BLOB NOT NULL CHECK (length(handle) = 16),
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
    tokens  BLOB NOT NULL CHECK (length(tokens) % 16 = 0),
    body    BLOB NOT NULL CHECK (length(body) > 3),
    PRIMARY KEY (batch, handle, version)
) STRICT, WITHOUT ROWID;

-- Of records whose batch was given another secret (SPEC.md section 3.7).
CREATE TABLE deltas (
    batch   BLOB NOT NULL,
    handle  BLOB NOT NULL,
    version INTEGER NOT NULL,
    delta   BLOB NOT NULL CHECK (length(delta) = 32),
    PRIMARY KEY (batch, handle, version)
) STRICT, WITHOUT ROWID;

-- The level of a handle and of a token is where its row lies until it comes to rest, at 0: ``store.levels`` says why. All
-- versions of a record are in one.

-- Where a record lies. An empty batch says that this version is gone, or that none follows the one before, while older
-- ones are still here: then no version is the record's latest.
CREATE TABLE handles (
    level   INTEGER NOT NULL DEFAULT 0 CHECK (level IN (0, 1, 2)),
    holding INTEGER NOT NULL,
    handle  BLOB NOT NULL,
    version INTEGER NOT NULL,
    batch   BLOB NOT NULL CHECK (length(batch) IN (0, 16)),
    PRIMARY KEY (level, holding, handle, version)
) STRICT, WITHOUT ROWID;

-- Later versions of which the keyholder has not been told (SPEC.md section 8.9).
CREATE TABLE unsettled (
    holding INTEGER NOT NULL,
    handle  BLOB NOT NULL,
    version INTEGER NOT NULL CHECK (version > 1),
    PRIMARY KEY (holding, handle, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    level   INTEGER NOT NULL DEFAULT 0 CHECK (level IN (0, 1, 2)),
    holding INTEGER NOT NULL,
    token   BLOB NOT NULL CHECK (length(token) = 16),
    handle  BLOB NOT NULL CHECK (length(handle) = 16),
    PRIMARY KEY (level, holding, token, handle)
) STRICT, WITHOUT ROWID;

-- In the order in which it came, which the ledger says too: filled page by page, each ask costs a third of what it would in the order of
-- its hash.
CREATE TABLE private (
    commitment BLOB NOT NULL UNIQUE CHECK (length(commitment) = 32),
    sealed     BLOB NOT NULL
) STRICT;

CREATE TABLE entries (
    idx   INTEGER PRIMARY KEY CHECK (idx >= 0),
    entry BLOB NOT NULL CHECK (length(entry) BETWEEN 1 AND 65535)
) STRICT;

-- Charter entries alone begin with this member (canonical JSON sorts them): found without reading the ledger.
CREATE INDEX charters ON entries (idx) WHERE substr(entry, 1, 12) = CAST('{"document":' AS BLOB);

-- And so do expiries, holds and notices.
CREATE INDEX lives ON entries (idx) WHERE substr(entry, 1, 8)
    IN (CAST('{"epoch"' AS BLOB), CAST('{"author' AS BLOB), CAST('{"code":' AS BLOB));

-- Erasures: a quotation mark inside a string is escaped, so that these bytes are a member of the entry itself.
CREATE INDEX erasures ON entries (idx) WHERE instr(entry, CAST('"type":"erasure"' AS BLOB)) > 0;

CREATE TABLE tiles (
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 63),
    n     INTEGER NOT NULL CHECK (n >= 0),
    data  BLOB NOT NULL CHECK (length(data) % 32 = 0 AND length(data) BETWEEN 32 AND 8192),
    PRIMARY KEY (level, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- An import, an export, a migration. Which records came from which chunk is nowhere said; but the counts of its chunks,
-- beside those of the batches, put the batches into the file's order. So once it is complete, its chunks and bad rows are
-- deleted and their sums stand in `rows`, `bad` and `unverified`. `cursor` says how far a job has come that goes through
-- the store itself.
CREATE TABLE jobs (
    job        BLOB PRIMARY KEY CHECK (length(job) = 16),
    holding    INTEGER NOT NULL REFERENCES holdings (number),
    detail     TEXT NOT NULL,
    cursor     TEXT NOT NULL DEFAULT '',
    done       INTEGER NOT NULL DEFAULT 0 CHECK (done IN (0, 1)),
    rows       INTEGER NOT NULL DEFAULT 0 CHECK (rows >= 0),
    bad        INTEGER NOT NULL DEFAULT 0 CHECK (bad >= 0),
    unverified INTEGER NOT NULL DEFAULT 0 CHECK (unverified >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_chunks (
    job      BLOB NOT NULL REFERENCES jobs (job),
    chunk    INTEGER NOT NULL CHECK (chunk >= 0),
    rows     INTEGER NOT NULL CHECK (rows >= 0),
    verified INTEGER NOT NULL CHECK (verified IN (0, 1)),
    PRIMARY KEY (job, chunk)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_errors (
    job    BLOB NOT NULL REFERENCES jobs (job),
    row    INTEGER NOT NULL CHECK (row >= 0),
    field  TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (job, row, field)
) STRICT, WITHOUT ROWID;
