-- The views of a mirror, attached as `mirror`, under the names of collect.sql: of the experiments in
-- `chosen`, rows of mirror_status; and of the traces to which every row of `restriction` applies: a key
-- of their tags or metadata, and its value. (A NUL in it is the text \u0000: see mirror.d/tags.sql.)
CREATE TEMP VIEW source_traces AS
SELECT * FROM mirror.traces AS t
WHERE experiment_id IN (SELECT experiment_id FROM chosen) AND NOT EXISTS (
  SELECT 1 FROM restriction AS r
  WHERE r.value IS NOT (
    SELECT j.value
    FROM json_each(replace(replace(iif(part = 'metadata', metadata, tags), '\\', '\u005c'),
                           '\u0000', '\u005cu0000')) AS j
    WHERE j.key = r.key));
CREATE TEMP VIEW source_spans AS
SELECT * FROM mirror.spans
WHERE experiment_id IN (SELECT experiment_id FROM chosen)
  AND (NOT EXISTS (SELECT 1 FROM restriction)
       OR trace_id IN (SELECT trace_id FROM source_traces));
CREATE TEMP VIEW source_assessments AS
SELECT * FROM mirror.assessments
WHERE experiment_id IN (SELECT experiment_id FROM chosen)
  AND (NOT EXISTS (SELECT 1 FROM restriction)
       OR trace_id IN (SELECT trace_id FROM source_traces));

CREATE TABLE source AS
SELECT min(uri) AS uri, group_concat(experiment, ', ') AS experiment,
       min(coalesce(synced_at_ms, 0)) AS synced_at_ms,
       (SELECT max(from_ms) FROM (SELECT min(from_ms) AS from_ms FROM mirror.mirror_slice
                                  WHERE experiment_id IN (SELECT experiment_id FROM chosen)
                                  GROUP BY experiment_id)) AS kept_from_ms,
       iif((SELECT spans_days FROM mirror.mirror_settings) = 0, 9223372036854775807, (
         SELECT max(timestamp_ms) + 1 FROM mirror.mirror_trace
         WHERE experiment_id IN (SELECT experiment_id FROM chosen)
           AND trace_id NOT IN (SELECT trace_id FROM mirror.mirror_spans_read))) AS spans_from_ms,
       (SELECT value FROM mlflow_settings WHERE name = 'MLFLOW_SQL_FILTER') AS filter
FROM chosen;
-- The window ends where the mirror does.
UPDATE report_settings SET until_ms = (SELECT synced_at_ms FROM source);
