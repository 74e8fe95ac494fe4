-- Expects, wherever they are, the traces that were in progress and those that ended since the last
-- sync, and opens the transaction that store.sql ends. A first sync has nothing to do here.

-- What no slice covers is read in any case.
DROP VIEW IF EXISTS temp.covered;
CREATE TEMP VIEW covered AS
SELECT experiment_id, min(from_ms) AS from_ms, max(until_ms) AS until_ms
FROM mirror_slice JOIN syncing USING (experiment_id);

BEGIN IMMEDIATE;
DELETE FROM due;
DELETE FROM arriving;
DELETE FROM expected;
UPDATE syncing
SET began_ms = max(now_ms, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER));

INSERT INTO expected
SELECT trace_id FROM mirror_trace JOIN covered USING (experiment_id)
WHERE status = 'IN_PROGRESS' AND timestamp_ms >= from_ms AND timestamp_ms < until_ms;
INSERT OR IGNORE INTO expected
SELECT trace_id FROM mlflow_traces
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND end_time_ms >= (SELECT synced_at_ms - lookback_ms FROM mirror_status JOIN syncing
                        USING (experiment_id))
  AND timestamp_ms >= (SELECT from_ms FROM covered)
  AND timestamp_ms < (SELECT until_ms FROM covered);
