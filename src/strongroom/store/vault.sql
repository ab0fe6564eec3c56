-- name: add_holding
INSERT INTO holdings (id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING;
-- name: holding_number
SELECT number FROM holdings WHERE id = ?1 AND name = ?2;
-- name: holdings
SELECT number, id, name, records, versions FROM holdings ORDER BY number;
-- name: count_records
UPDATE holdings SET records = records + ?2, versions = versions + ?3 WHERE number = ?1;

-- name: put_epoch
INSERT INTO epochs (holding, epoch, public, signature) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING;
-- name: epoch
SELECT public, signature FROM epochs WHERE holding = ?1 AND epoch = ?2;
-- name: epochs
SELECT epoch FROM epochs WHERE holding = ?1 ORDER BY epoch;

-- name: put_batch
INSERT INTO batches (batch, holding, epoch, sealed) VALUES (?1, ?2, ?3, ?4);
-- name: holding_of_batch
SELECT holding FROM batches WHERE batch = ?1;
-- name: batches
SELECT batch, holding, epoch, sealed FROM batches WHERE batch > ?1 ORDER BY batch LIMIT ?2;
-- name: count_batches
SELECT count(*) FROM batches;

-- name: put_record
INSERT INTO records (batch, handle, version, tokens, body) VALUES (?1, ?2, ?3, ?4, ?5);
-- name: put_handle
INSERT INTO handles (holding, handle, version, batch) VALUES (?1, ?2, ?3, ?4);
-- name: last_tokens
SELECT h.version, r.tokens
FROM handles AS h JOIN records AS r ON r.batch = h.batch AND r.handle = h.handle AND r.version = h.version
WHERE h.holding = ?1 AND h.handle = ?2 ORDER BY h.version DESC LIMIT 1;
-- name: last_version
SELECT coalesce(max(version), 0) FROM handles WHERE holding = ?1 AND handle = ?2;
-- name: put_token
INSERT INTO tokens (holding, token, handle) VALUES (?1, ?2, ?3);
-- name: drop_token
DELETE FROM tokens WHERE holding = ?1 AND token = ?2 AND handle = ?3;
-- name: handles_of_token
SELECT handle FROM tokens WHERE holding = ?1 AND token = ?2 ORDER BY handle;
-- name: has_token
SELECT 1 FROM tokens WHERE holding = ?1 AND token = ?2 AND handle = ?3;
-- name: count_tokens
SELECT count(*) FROM tokens WHERE holding = ?1;
-- name: latest
SELECT h.handle, h.version, h.batch, b.epoch, b.sealed, r.tokens, r.body
FROM handles AS h
JOIN records AS r ON r.batch = h.batch AND r.handle = h.handle AND r.version = h.version
JOIN batches AS b ON b.batch = h.batch
WHERE h.holding = ?1 AND h.handle = ?2 ORDER BY h.version DESC LIMIT 1;
-- name: page_of_records
SELECT h.handle, h.version, h.batch, b.epoch, b.sealed, r.tokens, r.body
FROM handles AS h
JOIN records AS r ON r.batch = h.batch AND r.handle = h.handle AND r.version = h.version
JOIN batches AS b ON b.batch = h.batch AND b.holding = h.holding
WHERE h.holding = ?1 AND (h.handle, h.version) > (?2, ?3) ORDER BY h.handle, h.version LIMIT ?4;
-- name: count_rows
SELECT count(*) FROM records;
-- name: count_handles
SELECT count(*) FROM handles;

-- name: put_private
INSERT INTO private (commitment, sealed) VALUES (?1, ?2) ON CONFLICT DO NOTHING;
-- name: private
SELECT sealed FROM private WHERE commitment = ?1;

-- name: size
SELECT coalesce(max(idx) + 1, 0) FROM entries;
-- name: count_entries
SELECT count(*) FROM entries;
-- name: entries
SELECT entry FROM entries WHERE idx >= ?1 AND idx < ?2 ORDER BY idx;
-- name: charters
SELECT idx FROM entries WHERE idx > ?1 AND substr(entry, 1, 12) = CAST('{"document":' AS BLOB) ORDER BY idx;
-- name: put_entry
INSERT INTO entries (idx, entry) VALUES (?1, ?2);
-- name: tile
SELECT data FROM tiles WHERE level = ?1 AND n = ?2;
-- name: put_tile
INSERT INTO tiles (level, n, data) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET data = excluded.data;
-- name: meta
SELECT value FROM meta WHERE name = ?1;
-- name: put_meta
INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value;

-- name: start_job
INSERT INTO jobs (job, holding, detail) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;
-- name: job
SELECT j.holding, j.detail, j.done,
    j.rows + (SELECT coalesce(sum(rows), 0) FROM job_chunks WHERE job = j.job),
    j.bad + (SELECT count(DISTINCT row) FROM job_errors WHERE job = j.job)
FROM jobs AS j WHERE j.job = ?1;
-- name: jobs
SELECT job FROM jobs ORDER BY job;
-- name: finish_job
UPDATE jobs SET done = 1, rows = ?2, bad = ?3 WHERE job = ?1;
-- name: drop_chunks
DELETE FROM job_chunks WHERE job = ?1;
-- name: drop_errors
DELETE FROM job_errors WHERE job = ?1;
-- name: put_chunk
INSERT INTO job_chunks (job, chunk, rows) SELECT job, ?2, ?3 FROM jobs WHERE job = ?1 AND NOT done;
-- name: chunks
SELECT chunk FROM job_chunks WHERE job = ?1 ORDER BY chunk;
-- name: put_error
INSERT INTO job_errors (job, row, field, reason) VALUES (?1, ?2, ?3, ?4);
-- name: page_of_errors
SELECT row, field, reason FROM job_errors WHERE job = ?1 AND (row, field) > (?2, ?3) ORDER BY row, field LIMIT ?4;
