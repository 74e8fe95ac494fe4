-- Reads the next part that is due, if there is one, and opens the transaction that store.sql ends:
-- the newest part that no slice covers, else the slice read longest ago, if that is too long ago.

BEGIN IMMEDIATE;
DELETE FROM due;
DELETE FROM arriving;
DELETE FROM expected;
UPDATE syncing
SET began_ms = max(now_ms, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER));

-- The newest hole. What began after now belongs to the newest slice, whatever the clocks say.
INSERT INTO due
SELECT from_ms, until_ms, 0
FROM (SELECT lag(until_ms, 1, keep_from_ms) OVER (ORDER BY until_ms) AS from_ms,
             from_ms AS until_ms
      FROM (SELECT from_ms, until_ms FROM mirror_slice JOIN syncing USING (experiment_id)
            WHERE until_ms > keep_from_ms
            UNION ALL SELECT 9223372036854775807, 9223372036854775807), syncing)
WHERE from_ms < until_ms
ORDER BY until_ms DESC LIMIT 1;

-- Of a wide hole only the end: as wide as held enough traces last time (store.sql).
UPDATE due SET from_ms = max(from_ms, coalesce((
  SELECT (timestamp_ms / width_ms - (timestamp_ms < 0)) * width_ms
  FROM syncing, (SELECT timestamp_ms FROM mlflow_traces
                 WHERE experiment_id = (SELECT experiment_id FROM syncing)
                   AND timestamp_ms >= (SELECT from_ms FROM due)
                   AND timestamp_ms < (SELECT until_ms FROM due)
                 ORDER BY timestamp_ms DESC LIMIT 1)), from_ms))
WHERE min(until_ms, (SELECT now_ms FROM syncing)) / 2 - from_ms / 2
        > (SELECT width_ms FROM syncing) / 2;

INSERT INTO due
SELECT from_ms, until_ms, 1 FROM mirror_slice JOIN syncing USING (experiment_id)
WHERE read_at_ms < min(reread_before_ms, now_ms) AND NOT EXISTS (SELECT 1 FROM due)
ORDER BY read_at_ms, from_ms DESC LIMIT 1;

INSERT INTO arriving
SELECT * FROM server_traces
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND timestamp_ms >= (SELECT from_ms FROM due) AND timestamp_ms < (SELECT until_ms FROM due);
INSERT INTO expected
SELECT trace_id FROM mirror_trace
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND timestamp_ms >= (SELECT from_ms FROM due) AND timestamp_ms < (SELECT until_ms FROM due);
