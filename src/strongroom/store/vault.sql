-- name: add_holding
INSERT INTO holdings (id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING;
-- name: holding_number
SELECT number FROM holdings WHERE id = ?1 AND name = ?2;
-- name: holdings
SELECT number, id, name, records, versions FROM holdings ORDER BY number;
-- name: stored
SELECT records FROM holdings WHERE number = ?1;
-- name: count_records
UPDATE holdings SET records = records + ?2, versions = versions + ?3 WHERE number = ?1;

-- name: put_epoch
INSERT INTO epochs (holding, epoch, public, signature) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING;
-- name: renew_epoch
UPDATE epochs SET public = ?3, signature = ?4 WHERE holding = ?1 AND epoch = ?2;
-- name: epoch
SELECT public, signature FROM epochs WHERE holding = ?1 AND epoch = ?2;
-- name: epochs
SELECT epoch FROM epochs WHERE holding = ?1 ORDER BY epoch;

-- name: put_batch
INSERT INTO batches (batch, holding, epoch, expires, members, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6);
-- name: batch
SELECT batch, holding, epoch, expires, members, sealed FROM batches WHERE batch = ?1;
-- name: batches
SELECT batch, holding, epoch, expires, members, sealed FROM batches WHERE batch > ?1 ORDER BY batch LIMIT ?2;
-- name: count_batches
SELECT count(*) FROM batches;
-- name: aging
SELECT batch, holding, epoch, expires, members, sealed FROM batches
WHERE holding = ?1 AND epoch < ?2 AND expires > ?3 AND (epoch, expires, batch) > (?4, ?5, ?6)
ORDER BY epoch, expires, batch LIMIT ?7;
-- name: batch_lives
SELECT epoch, expires, count(*) FROM batches WHERE holding = ?1 GROUP BY epoch, expires;
-- name: expired
SELECT batch FROM batches WHERE holding = ?1 AND epoch <= ?2 AND expires <= ?2 ORDER BY epoch, expires, batch LIMIT ?3;
-- name: reseal_batch
UPDATE batches SET epoch = ?2, members = ?3, sealed = ?4 WHERE batch = ?1;
-- name: drop_batch
DELETE FROM batches WHERE batch = ?1;

-- name: put_record
INSERT INTO records (handle, version, batch, tokens, body) VALUES (?1, ?2, ?3, ?4, ?5);
-- name: drop_record
DELETE FROM records WHERE batch = ?1 AND handle = ?2 AND version = ?3;
-- name: members
SELECT r.handle, r.version, coalesce(d.delta, x'')
FROM records AS r LEFT JOIN deltas AS d ON d.batch = r.batch AND d.handle = r.handle AND d.version = r.version
WHERE r.batch = ?1 ORDER BY r.handle, r.version;
-- name: put_delta
INSERT INTO deltas (batch, handle, version, delta) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET delta = excluded.delta;
-- name: drop_delta
DELETE FROM deltas WHERE batch = ?1 AND handle = ?2 AND version = ?3;
-- name: put_handle
-- Where its record's other versions are.
INSERT INTO handles (level, holding, handle, version, batch)
SELECT level, ?1, ?2, ?3, ?4 FROM handles WHERE level IN (0, 1, 2) AND holding = ?1 AND handle = ?2 LIMIT 1;
-- name: put_handles
-- ?2: handle and batch of each new record, 32 bytes, joined; as put_tokens.
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < length(?2) / 32)
INSERT INTO handles (level, holding, handle, version, batch)
SELECT ?3, ?1, substr(?2, 32 * i + 1, 16), 1, substr(?2, 32 * i + 17, 16) FROM n;
-- name: unrested
SELECT 1 FROM handles WHERE level IN (1, 2) AND holding = ?1 UNION ALL
SELECT 1 FROM tokens WHERE level IN (1, 2) AND holding = ?1 LIMIT 1;
-- name: count_slice
SELECT count(*) FROM handles WHERE level = ?1 AND holding = ?2 AND handle >= ?3 AND handle < ?4;
-- name: copy_handles
INSERT INTO handles (level, holding, handle, version, batch)
SELECT ?5, holding, handle, version, batch FROM handles
WHERE level = ?1 AND holding = ?2 AND handle >= ?3 AND handle < ?4 ORDER BY handle, version;
-- name: drop_slice_of_handles
DELETE FROM handles WHERE level = ?1 AND holding = ?2 AND handle >= ?3 AND handle < ?4;
-- name: empty_handle
UPDATE handles SET batch = x'' WHERE level IN (0, 1, 2) AND holding = ?1 AND handle = ?2 AND version = ?3;
-- name: drop_handle
DELETE FROM handles AS h WHERE h.level IN (0, 1, 2) AND h.holding = ?1 AND h.handle = ?2 AND h.batch = x'' AND (
    h.version < (SELECT max(version) FROM handles WHERE level IN (0, 1, 2) AND holding = ?1 AND handle = ?2)
    OR NOT EXISTS (SELECT 1 FROM handles WHERE level IN (0, 1, 2) AND holding = ?1 AND handle = ?2 AND batch <> x'')
);
-- name: has_handle
SELECT 1 FROM handles WHERE level IN (0, 1, 2) AND holding = ?1 AND handle = ?2 LIMIT 1;
-- name: last_tokens
SELECT h.version, r.tokens
FROM handles AS h LEFT JOIN records AS r ON r.batch = h.batch AND r.handle = h.handle AND r.version = h.version
WHERE h.level IN (0, 1, 2) AND h.holding = ?1 AND h.handle = ?2 ORDER BY h.version DESC LIMIT 1;
-- name: page_of_handles
-- A page of each level, of which the first ones in all are the page. Within one, batch is that of max(version).
SELECT handle FROM (
    SELECT handle, max(version), batch FROM handles WHERE level = 0 AND holding = ?1 AND handle > ?2
    GROUP BY handle HAVING batch <> x'' ORDER BY handle LIMIT ?3
) UNION ALL SELECT handle FROM (
    SELECT handle, max(version), batch FROM handles WHERE level = 1 AND holding = ?1 AND handle > ?2
    GROUP BY handle HAVING batch <> x'' ORDER BY handle LIMIT ?3
) UNION ALL SELECT handle FROM (
    SELECT handle, max(version), batch FROM handles WHERE level = 2 AND holding = ?1 AND handle > ?2
    GROUP BY handle HAVING batch <> x'' ORDER BY handle LIMIT ?3
) ORDER BY handle LIMIT ?3;
-- name: put_token
INSERT INTO tokens (holding, token, handle) VALUES (?1, ?2, ?3);
-- name: put_tokens
-- ?2: token and handle, 32 bytes, joined. One statement for all of them: to bind and step a statement for each row
-- takes twice as long as what it does (measured: 1.8 us a row so, 0.8 in one).
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < length(?2) / 32)
INSERT INTO tokens (level, holding, token, handle)
SELECT ?3, ?1, substr(?2, 32 * i + 1, 16), substr(?2, 32 * i + 17, 16) FROM n;
-- name: copy_tokens
INSERT INTO tokens (level, holding, token, handle)
SELECT ?5, holding, token, handle FROM tokens
WHERE level = ?1 AND holding = ?2 AND token >= ?3 AND token < ?4 ORDER BY token, handle;
-- name: drop_slice_of_tokens
DELETE FROM tokens WHERE level = ?1 AND holding = ?2 AND token >= ?3 AND token < ?4;
-- name: drop_token
DELETE FROM tokens WHERE level IN (0, 1, 2) AND holding = ?1 AND token = ?2 AND handle = ?3;
-- name: handles_of_token
SELECT handle FROM tokens WHERE level IN (0, 1, 2) AND holding = ?1 AND token = ?2 ORDER BY handle;
-- name: has_token
SELECT 1 FROM tokens WHERE level IN (0, 1, 2) AND holding = ?1 AND token = ?2 AND handle = ?3;
-- name: count_tokens
SELECT count(*) FROM tokens WHERE level IN (0, 1, 2) AND holding = ?1;
-- name: latest
-- ?2: the handles, 16 bytes each, joined: one statement for many costs a third of one for each.
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < length(?2) / 16)
SELECT h.handle, h.version, h.batch, b.epoch, b.expires, b.members, b.sealed, coalesce(d.delta, x''), r.tokens, r.body
FROM n CROSS JOIN handles AS h ON h.level IN (0, 1, 2) AND h.holding = ?1 AND h.handle = substr(?2, 16 * n.i + 1, 16)
JOIN records AS r ON r.batch = h.batch AND r.handle = h.handle AND r.version = h.version
JOIN batches AS b ON b.batch = h.batch
LEFT JOIN deltas AS d ON d.batch = h.batch AND d.handle = h.handle AND d.version = h.version
WHERE h.version = (SELECT max(version) FROM handles WHERE level = h.level AND holding = ?1 AND handle = h.handle);
-- name: at_version
-- ?2: as latest.
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < length(?2) / 16)
SELECT h.handle, h.version, h.batch, b.epoch, b.expires, b.members, b.sealed, coalesce(d.delta, x''), r.tokens, r.body
FROM n CROSS JOIN handles AS h ON h.level IN (0, 1, 2) AND h.holding = ?1 AND h.handle = substr(?2, 16 * n.i + 1, 16)
JOIN records AS r ON r.batch = h.batch AND r.handle = h.handle AND r.version = h.version
JOIN batches AS b ON b.batch = h.batch
LEFT JOIN deltas AS d ON d.batch = h.batch AND d.handle = h.handle AND d.version = h.version
WHERE h.version = ?3;
-- name: page_of_records
-- As page_of_handles.
WITH found AS NOT MATERIALIZED (
    SELECT h.level, h.handle, h.version, h.batch, b.epoch, b.expires, b.members, b.sealed, coalesce(d.delta, x'') AS delta,
        r.tokens, r.body
    FROM handles AS h
    JOIN records AS r ON r.batch = h.batch AND r.handle = h.handle AND r.version = h.version
    JOIN batches AS b ON b.batch = h.batch AND b.holding = h.holding
    LEFT JOIN deltas AS d ON d.batch = h.batch AND d.handle = h.handle AND d.version = h.version
    WHERE h.holding = ?1
)
SELECT * FROM (
    SELECT handle, version, batch, epoch, expires, members, sealed, delta, tokens, body FROM found
    WHERE level = 0 AND (handle, version) > (?2, ?3) ORDER BY handle, version LIMIT ?4
) UNION ALL SELECT * FROM (
    SELECT handle, version, batch, epoch, expires, members, sealed, delta, tokens, body FROM found
    WHERE level = 1 AND (handle, version) > (?2, ?3) ORDER BY handle, version LIMIT ?4
) UNION ALL SELECT * FROM (
    SELECT handle, version, batch, epoch, expires, members, sealed, delta, tokens, body FROM found
    WHERE level = 2 AND (handle, version) > (?2, ?3) ORDER BY handle, version LIMIT ?4
) ORDER BY handle, version LIMIT ?4;

-- name: put_unsettled
INSERT INTO unsettled (holding, handle, version) VALUES (?1, ?2, ?3);
-- name: unsettled
SELECT handle, version FROM unsettled WHERE holding = ?1 ORDER BY handle, version LIMIT ?2;
-- name: drop_unsettled
DELETE FROM unsettled WHERE holding = ?1 AND handle = ?2 AND version = ?3;
-- name: forget_unsettled
DELETE FROM unsettled WHERE holding = ?1 AND handle = ?2 AND NOT EXISTS (
    SELECT 1 FROM handles AS h
    WHERE h.level IN (0, 1, 2) AND h.holding = ?1 AND h.handle = ?2 AND h.version = unsettled.version
);
-- name: unsettle
INSERT INTO unsettled (holding, handle, version)
SELECT holding, handle, max(version) FROM handles WHERE holding = ?1 GROUP BY handle HAVING max(version) > 1
ON CONFLICT DO NOTHING;

-- name: count_rows
SELECT count(*) FROM records;
-- name: count_handles
SELECT count(*) FROM handles WHERE batch <> x'';
-- name: page_of_places
WITH found AS NOT MATERIALIZED (
    SELECT h.level, h.handle, h.version, h.batch, r.tokens
    FROM handles AS h LEFT JOIN records AS r ON r.batch = h.batch AND r.handle = h.handle AND r.version = h.version
    WHERE h.holding = ?1
)
SELECT * FROM (
    SELECT handle, version, batch, tokens, level FROM found
    WHERE level = 0 AND (handle, version) > (?2, ?3) ORDER BY handle, version LIMIT ?4
) UNION ALL SELECT * FROM (
    SELECT handle, version, batch, tokens, level FROM found
    WHERE level = 1 AND (handle, version) > (?2, ?3) ORDER BY handle, version LIMIT ?4
) UNION ALL SELECT * FROM (
    SELECT handle, version, batch, tokens, level FROM found
    WHERE level = 2 AND (handle, version) > (?2, ?3) ORDER BY handle, version LIMIT ?4
) ORDER BY handle, version LIMIT ?4;
-- name: lost_deltas
SELECT count(*) FROM deltas AS d WHERE NOT EXISTS (
    SELECT 1 FROM records AS r WHERE r.batch = d.batch AND r.handle = d.handle AND r.version = d.version
);
-- name: lost_unsettled
SELECT count(*) FROM unsettled AS u WHERE NOT EXISTS (
    SELECT 1 FROM handles AS h
    WHERE h.level IN (0, 1, 2) AND h.holding = u.holding AND h.handle = u.handle AND h.version = u.version
);

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
-- name: lives
SELECT idx, entry FROM entries WHERE idx >= ?1 AND idx < ?2 AND substr(entry, 1, 8)
    IN (CAST('{"epoch"' AS BLOB), CAST('{"author' AS BLOB), CAST('{"code":' AS BLOB)) ORDER BY idx;
-- name: erasures
SELECT idx, entry FROM entries WHERE idx >= ?1 AND idx < ?2
    AND instr(entry, CAST('"type":"erasure"' AS BLOB)) > 0 ORDER BY idx;
-- name: put_entry
INSERT INTO entries (idx, entry) VALUES (?1, ?2);
-- name: tile
SELECT data FROM tiles WHERE level = ?1 AND n = ?2;
-- name: put_tile
INSERT INTO tiles (level, n, data) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET data = excluded.data;
-- name: meta
SELECT value FROM meta WHERE name = ?1;
-- name: drop_meta
DELETE FROM meta WHERE name = ?1;
-- name: put_meta
INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value;

-- name: start_job
INSERT INTO jobs (job, holding, detail) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;
-- name: job
SELECT j.holding, j.detail, j.done,
    j.rows + (SELECT coalesce(sum(rows), 0) FROM job_chunks WHERE job = j.job),
    j.bad + (SELECT count(DISTINCT row) FROM job_errors WHERE job = j.job),
    j.cursor,
    j.unverified + (SELECT count(*) FROM job_chunks WHERE job = j.job AND NOT verified)
FROM jobs AS j WHERE j.job = ?1;
-- name: jobs
SELECT job FROM jobs ORDER BY job;
-- name: move_job
UPDATE jobs SET cursor = ?2, rows = rows + ?3 WHERE job = ?1 AND NOT done;
-- name: finish_job
UPDATE jobs SET done = 1, rows = ?2, bad = ?3, unverified = ?4 WHERE job = ?1;
-- name: drop_chunks
DELETE FROM job_chunks WHERE job = ?1;
-- name: drop_errors
DELETE FROM job_errors WHERE job = ?1;
-- name: put_chunk
INSERT INTO job_chunks (job, chunk, rows, verified) SELECT job, ?2, ?3, ?4 FROM jobs WHERE job = ?1 AND NOT done;
-- name: verify_chunk
UPDATE job_chunks SET verified = 1 WHERE job = ?1 AND chunk = ?2;
-- name: chunks
SELECT chunk FROM job_chunks WHERE job = ?1 ORDER BY chunk;
-- name: put_error
INSERT INTO job_errors (job, row, field, reason) VALUES (?1, ?2, ?3, ?4);
-- name: page_of_errors
SELECT row, field, reason FROM job_errors WHERE job = ?1 AND (row, field) > (?2, ?3) ORDER BY row, field LIMIT ?4;
