-- Begins a sync: whose traces are to be read, and up to where is still true what was read before.
-- It answers one row if the sync is refused, which says why; then nothing was changed.
--
-- The scripts of a sync, each after sql/mirror.sql and on one connection:
--
--   begin.sql, compare.sql, stale.sql, store.sql  once
--   slice.sql, store.sql                          until slice.sql leaves temp.due empty
--   end.sql                                       once

PRAGMA recursive_triggers = OFF;

-- What the scripts read of the server: of a trace all but what only spans tell, in one row, and in
-- the rows behind it its assessments. They are joined so that the trace is still at hand when its
-- assessments are looked up.
DROP VIEW IF EXISTS temp.server_traces;
CREATE TEMP VIEW server_traces AS
SELECT is_assessment, t.trace_id, t.experiment_id, t.timestamp_ms,
       iif(is_assessment, a.name, t.name) AS name,
       iif(is_assessment, a.run_id, t.run_id) AS run_id,
       iif(is_assessment, NULL, status) AS status,
       iif(is_assessment, NULL, execution_time_ms) AS execution_time_ms,
       iif(is_assessment, NULL, end_time_ms) AS end_time_ms,
       iif(is_assessment, NULL, session_id) AS session_id,
       iif(is_assessment, NULL, user_id) AS user_id,
       iif(is_assessment, NULL, model_id) AS model_id,
       iif(is_assessment, NULL, client_request_id) AS client_request_id,
       iif(is_assessment, NULL, input_tokens) AS input_tokens,
       iif(is_assessment, NULL, output_tokens) AS output_tokens,
       iif(is_assessment, NULL, total_tokens) AS total_tokens,
       iif(is_assessment, NULL, cache_read_input_tokens) AS cache_read_input_tokens,
       iif(is_assessment, NULL, cache_creation_input_tokens) AS cache_creation_input_tokens,
       iif(is_assessment, NULL, input_cost) AS input_cost,
       iif(is_assessment, NULL, output_cost) AS output_cost,
       iif(is_assessment, NULL, total_cost) AS total_cost,
       iif(is_assessment, NULL, span_count) AS span_count,
       iif(is_assessment, NULL, size_bytes) AS size_bytes,
       assessment_id, span_id, assessment_type, value, value_json, value_num, error_code,
       source_type, source_id, create_time_ms, last_update_time_ms, valid, overrides, trace_run_id,
       rationale, error_message,
       iif(is_assessment, a.metadata, t.metadata) AS metadata,
       iif(is_assessment, NULL, tags) AS tags,
       iif(is_assessment, NULL, request_preview) AS request_preview,
       iif(is_assessment, NULL, response_preview) AS response_preview,
       iif(is_assessment, NULL, assessments) AS assessments
FROM mlflow_traces AS t CROSS JOIN (SELECT false AS is_assessment UNION ALL SELECT true)
  LEFT JOIN mlflow_assessments AS a ON is_assessment AND a.trace_id = t.trace_id
WHERE NOT is_assessment OR a.trace_id IS NOT NULL;
DROP VIEW IF EXISTS temp.server_spans;
CREATE TEMP VIEW server_spans AS
SELECT trace_id, span_id, parent_span_id, experiment_id, name, span_type, status, start_time_ns,
       end_time_ns, duration_ms, depth, child_count, self_time_ms, critical_path_ms, model_name,
       model_provider, input_tokens, output_tokens, total_tokens, cache_read_input_tokens,
       cache_creation_input_tokens, input_cost, output_cost, total_cost, exception_type,
       timestamp_ms, status_message, exception_message, inputs, outputs, attributes, events, links
FROM mlflow_spans;

-- What has arrived of it, and of that the traces.
DROP TABLE IF EXISTS temp.arriving;
CREATE TEMP TABLE arriving AS SELECT * FROM server_traces LIMIT 0;
CREATE UNIQUE INDEX temp.arriving_trace ON arriving(trace_id) WHERE NOT is_assessment;
DROP VIEW IF EXISTS temp.arrived;
CREATE TEMP VIEW arrived AS
SELECT *, rowid AS place,
       json_array(status, timestamp_ms, execution_time_ms, total_tokens, span_count, size_bytes)
         AS seen_as
FROM arriving WHERE NOT is_assessment;
DROP TABLE IF EXISTS temp.expected;
CREATE TEMP TABLE expected(trace_id TEXT PRIMARY KEY);
DROP TABLE IF EXISTS temp.due;
CREATE TEMP TABLE due(from_ms, until_ms, again);

DROP TABLE IF EXISTS temp.asked;
CREATE TEMP TABLE asked AS
SELECT max(value) FILTER (WHERE name = 'MLFLOW_EXPERIMENT_ID') AS id,
       max(value) FILTER (WHERE name = 'MLFLOW_EXPERIMENT_NAME') AS name,
       rtrim(max(value) FILTER (WHERE name = 'MLFLOW_TRACKING_URI'), '/') AS uri
FROM mlflow_settings WHERE value <> '';
DROP TABLE IF EXISTS temp.refused;
CREATE TEMP TABLE refused AS
SELECT 'no experiment is named: set MLFLOW_EXPERIMENT_NAME, or give --experiment' AS why
FROM asked WHERE coalesce(id, name) IS NULL
UNION ALL
SELECT printf('the file mirrors %s, not %s: use another file, one for each server', e.uri,
              asked.uri)
FROM mirror_experiment AS e JOIN asked ON asked.uri <> e.uri
UNION ALL
SELECT 'MLFLOW_SQL_FILTER is set, and a mirror is of all traces; unset it'
FROM mlflow_settings WHERE name = 'MLFLOW_SQL_FILTER' AND value <> ''
LIMIT 1;

DROP TABLE IF EXISTS temp.syncing;
CREATE TEMP TABLE syncing AS
WITH clock AS (SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now_ms)
SELECT uri, now_ms, found.experiment_id, found.name, found.creation_time_ms,
       (SELECT coalesce(max(sync_id), 0) + 1 FROM mirror_sync) AS sync_id,
       -- Whole hours, so that syncs cut at the same places. The least integer: from the beginning,
       -- the greatest: never.
       coalesce((now_ms / 3600000 - 24 * days) * 3600000, -9223372036854775807 - 1) AS keep_from_ms,
       iif(spans_days = 0, 9223372036854775807,
           coalesce((now_ms / 3600000 - 24 * spans_days) * 3600000, -9223372036854775807 - 1))
         AS spans_from_ms,
       now_ms - 86400000 * reread_days AS reread_before_ms, lookback_hours * 3600000 AS lookback_ms,
       -- Of the next slice; narrower where the last sync broke off: it may have held too much.
       coalesce((SELECT max(iif(ended_ms IS NULL, width_ms / 8, width_ms), 60000)
                 FROM mirror_sync AS s WHERE s.experiment_id = found.experiment_id
                 ORDER BY sync_id DESC LIMIT 1), 3600000) AS width_ms,
       true AS compares,  -- our counts with the server's (compare.sql)
       NULL AS oldest_ms,  -- when the server's oldest trace began, where a copy is not complete
       NULL AS began_ms,  -- when the reading of the slice at hand began
       '' AS counted_to  -- mlflow_requests.at: what came before has been counted
FROM clock, mirror_settings, asked JOIN mlflow_experiments AS found
  ON found.experiment_id = asked.id OR (asked.id IS NULL AND asked.name IN (found.name,
                                                                            found.experiment_id))
WHERE NOT EXISTS (SELECT 1 FROM refused)
ORDER BY found.name = asked.name DESC LIMIT 1;  -- a name may look like an id

INSERT INTO refused
SELECT printf('%s has no experiment ''%s'', or the account may not read it', uri,
              coalesce(id, name)) FROM asked
WHERE NOT EXISTS (SELECT 1 FROM syncing) AND NOT EXISTS (SELECT 1 FROM refused);
-- One of the file's may have the name that another of them had.
INSERT INTO refused
SELECT printf('experiment ''%s'' of %s is not the one that the file mirrors: it was made anew on '
              || '%s; use another file', s.name, s.uri,
              strftime('%Y-%m-%d', s.creation_time_ms / 1000, 'unixepoch'))
FROM syncing AS s JOIN mirror_experiment AS e
  ON iif(e.experiment_id = s.experiment_id, e.creation_time_ms <> s.creation_time_ms,
         e.name = s.name AND s.experiment_id NOT IN (SELECT experiment_id FROM mirror_experiment))
LIMIT 1;
DELETE FROM syncing WHERE EXISTS (SELECT 1 FROM refused);

BEGIN IMMEDIATE;
INSERT INTO mirror_experiment(experiment_id, name, creation_time_ms, uri)
SELECT experiment_id, name, creation_time_ms, uri FROM syncing WHERE true
ON CONFLICT (experiment_id) DO UPDATE SET name = excluded.name;
UPDATE mirror_experiment AS e
SET name = coalesce((SELECT name FROM mlflow_experiments AS m
                     WHERE m.experiment_id = e.experiment_id), e.experiment_id)
FROM syncing AS s WHERE e.name = s.name AND e.experiment_id <> s.experiment_id;
INSERT INTO mirror_sync(sync_id, experiment_id, began_ms, width_ms)
SELECT sync_id, experiment_id, now_ms, width_ms FROM syncing;
COMMIT;

-- Where a copy has yet to be made, how far there is to go. (In FROM: of a scalar sub-select SQLite
-- does not say that one row is enough, and all would be read.)
UPDATE syncing SET oldest_ms = timestamp_ms
FROM (SELECT timestamp_ms FROM mlflow_traces
      WHERE experiment_id = (SELECT experiment_id FROM syncing JOIN mirror_status
                               USING (experiment_id)
                             WHERE synced_at_ms IS NULL)
      ORDER BY timestamp_ms LIMIT 1);
SELECT why FROM refused;
