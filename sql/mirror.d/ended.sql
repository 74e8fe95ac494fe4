-- Expects, wherever they are, the traces that were in progress and those that ended since the last
-- sync, and opens the transaction that store.sql ends. A first sync has nothing to do here.

BEGIN IMMEDIATE;
DELETE FROM due;
DELETE FROM arriving;
DELETE FROM expected;
UPDATE syncing SET began_ms = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER);

INSERT INTO expected
SELECT trace_id FROM mirror_trace
WHERE experiment_id = (SELECT experiment_id FROM syncing) AND status = 'IN_PROGRESS';
INSERT OR IGNORE INTO expected
SELECT trace_id FROM mlflow_traces
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND end_time_ms >= (SELECT synced_at_ms - lookback_ms FROM mirror_status JOIN syncing
                        USING (experiment_id))
  AND timestamp_ms >= (SELECT min(from_ms) FROM mirror_slice JOIN syncing USING (experiment_id))
  AND timestamp_ms < (SELECT max(until_ms) FROM mirror_slice JOIN syncing USING (experiment_id));
