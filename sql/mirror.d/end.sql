-- Ends a sync: forgets what the settings do not keep, and notes that all was read that was due, if
-- it was.

BEGIN IMMEDIATE;
DELETE FROM mirror_trace
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND timestamp_ms < (SELECT keep_from_ms FROM syncing);
DELETE FROM mirror_slice
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND until_ms <= (SELECT keep_from_ms FROM syncing);
UPDATE mirror_slice SET from_ms = (SELECT keep_from_ms FROM syncing)
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND from_ms < (SELECT keep_from_ms FROM syncing);
DELETE FROM mirror_spans_read
WHERE trace_id IN (SELECT trace_id FROM mirror_trace JOIN syncing USING (experiment_id)
                   WHERE timestamp_ms < spans_from_ms);
UPDATE mirror_sync
SET ended_ms = max(began_ms, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))
WHERE sync_id = (SELECT sync_id FROM syncing) AND NOT EXISTS (SELECT 1 FROM due);
COMMIT;

SELECT printf('%s: %,d traces in the mirror; read %,d, and the spans of %,d, in %,d requests and '
              || '%.1f s', experiment, traces, read, spans_of, requests, seconds)
         || iif(gone, printf('; %,d are gone', gone), '')
FROM mirror_status JOIN syncing USING (experiment_id);
