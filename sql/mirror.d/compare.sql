-- Counts, hour by hour, what the mirror has, asks what the server counts, and notes where they
-- differ (stale.sql has that read again). A sync that makes the first copy has nothing to compare,
-- and a server before 3.17 cannot be asked.

-- Only what has been read is compared: the server may have far more of what has not, and that is
-- read in any case, as is what began after the newest slice was read.
--
-- The server ends the whole answer after 50,000 groups. So days are compared where names are too
-- many for hours; and of feedback the averages where its values are too many, as scores are. (Each
-- map counts as one more: the server may group it by every order in which its keys were written.)
DROP TABLE IF EXISTS temp.comparing;
CREATE TEMP TABLE comparing AS
WITH chosen AS (
  SELECT experiment_id, name AS experiment, max(keep_from_ms, 0, read_from_ms) AS from_ms, until_ms
  FROM syncing JOIN (SELECT experiment_id, min(from_ms) AS read_from_ms,
                            max(read_at_ms) AS until_ms
                     FROM mirror_slice GROUP BY experiment_id) USING (experiment_id)
  WHERE compares AND max(keep_from_ms, 0, read_from_ms) < until_ms
    AND EXISTS (SELECT 1 FROM mlflow_settings
                WHERE name = 'server' AND (CAST(value AS INTEGER) > 3 OR (
                  value GLOB '3.*' AND CAST(substr(value, 3) AS INTEGER) >= 17)))),
wide(width, width_ms) AS (VALUES ('1 hour', 3600000), ('1 day', 86400000))
SELECT chosen.*, width, min(width_ms) AS width_ms, NULL AS values_too
FROM chosen, wide
WHERE (SELECT count(*) FROM (SELECT DISTINCT timestamp_ms / width_ms, name FROM mirror_trace AS t
                             WHERE t.experiment_id = chosen.experiment_id
                               AND timestamp_ms >= from_ms AND timestamp_ms < until_ms)) <= 20000
  AND (SELECT count(*) FROM (SELECT DISTINCT timestamp_ms / width_ms, name
                             FROM mirror_assessment AS a
                             WHERE a.experiment_id = chosen.experiment_id
                               AND timestamp_ms >= from_ms AND timestamp_ms < until_ms
                               AND valid = 1)) <= 20000
GROUP BY chosen.experiment_id;
UPDATE comparing SET values_too = (
  SELECT count(*) <= 20000 FROM (
    SELECT DISTINCT timestamp_ms / width_ms, name, value_json,
           CASE WHEN instr(value_json, '{') THEN trace_id || place END
    FROM mirror_assessment AS a
    WHERE a.experiment_id = comparing.experiment_id AND timestamp_ms >= from_ms
      AND timestamp_ms < until_ms AND valid = 1));

DROP TABLE IF EXISTS temp.theirs;
CREATE TEMP TABLE theirs(from_ms INTEGER, counted TEXT, PRIMARY KEY (from_ms, counted))
  WITHOUT ROWID;
INSERT INTO theirs
SELECT bucket_ms, json_array('status', status, value)
FROM comparing AS c CROSS JOIN mlflow_metrics AS m
WHERE m.experiment = c.experiment AND m.from_ms = c.from_ms AND m.until_ms = c.until_ms
  AND bucket = width AND view = 'traces' AND metric = 'trace_count' AND dimensions = 'status'
UNION ALL
SELECT bucket_ms, json_array('name', name, value)
FROM comparing AS c CROSS JOIN mlflow_metrics AS m
WHERE m.experiment = c.experiment AND m.from_ms = c.from_ms AND m.until_ms = c.until_ms
  AND bucket = width AND view = 'traces' AND metric = 'trace_count' AND dimensions = 'name'
UNION ALL
SELECT bucket_ms, json_array('latency', aggregation, round(value, 3))
FROM comparing AS c CROSS JOIN mlflow_metrics AS m
WHERE m.experiment = c.experiment AND m.from_ms = c.from_ms AND m.until_ms = c.until_ms
  AND bucket = width AND view = 'traces' AND metric = 'latency'
  AND aggregation IN ('avg', 'min', 'max') AND value IS NOT NULL
UNION ALL
SELECT bucket_ms, json_array('tokens', value)
FROM comparing AS c CROSS JOIN mlflow_metrics AS m
WHERE m.experiment = c.experiment AND m.from_ms = c.from_ms AND m.until_ms = c.until_ms
  AND bucket = width AND view = 'traces' AND metric = 'total_tokens' AND aggregation = 'sum'
  AND value IS NOT NULL
UNION ALL
SELECT bucket_ms, json_array('value', assessment_name, assessment_value, value)
FROM comparing AS c CROSS JOIN mlflow_metrics AS m
WHERE m.experiment = c.experiment AND m.from_ms = c.from_ms AND m.until_ms = c.until_ms
  AND bucket = width AND values_too AND view = 'assessments' AND metric = 'assessment_count'
  AND dimensions = 'assessment_name, assessment_value'
UNION ALL
SELECT bucket_ms, json_array('feedback', assessment_name, value)
FROM comparing AS c CROSS JOIN mlflow_metrics AS m
WHERE m.experiment = c.experiment AND m.from_ms = c.from_ms AND m.until_ms = c.until_ms
  AND bucket = width AND NOT values_too AND view = 'assessments' AND metric = 'assessment_count'
  AND dimensions = 'assessment_name'
UNION ALL
SELECT bucket_ms, json_array('average', assessment_name, round(value, 6))
FROM comparing AS c CROSS JOIN mlflow_metrics AS m
WHERE m.experiment = c.experiment AND m.from_ms = c.from_ms AND m.until_ms = c.until_ms
  AND bucket = width AND NOT values_too AND view = 'assessments' AND metric = 'assessment_value'
  AND aggregation = 'avg' AND dimensions = 'assessment_name' AND value IS NOT NULL;

-- The same of what is here (docs/reference/mlflow_metrics.md says which SQL counts as the server).
DROP TABLE IF EXISTS temp.ours;
CREATE TEMP TABLE ours(from_ms INTEGER, counted TEXT, PRIMARY KEY (from_ms, counted))
  WITHOUT ROWID;
DROP VIEW IF EXISTS temp.our_trace;
CREATE TEMP VIEW our_trace AS
SELECT timestamp_ms / width_ms * width_ms AS bucket_ms, t.*
FROM comparing AS c JOIN mirror_trace AS t USING (experiment_id)
WHERE timestamp_ms >= from_ms AND timestamp_ms < until_ms;
DROP VIEW IF EXISTS temp.our_assessment;
CREATE TEMP VIEW our_assessment AS
SELECT timestamp_ms / width_ms * width_ms AS bucket_ms, values_too, a.*
FROM comparing AS c JOIN mirror_assessment AS a USING (experiment_id)
WHERE timestamp_ms >= from_ms AND timestamp_ms < until_ms AND valid = 1;
INSERT INTO ours
SELECT bucket_ms, json_array('status', status, count(*)) FROM our_trace GROUP BY bucket_ms, status
UNION ALL
SELECT bucket_ms, json_array('name', name, count(*)) FROM our_trace
WHERE name IS NOT NULL GROUP BY bucket_ms, name
UNION ALL
SELECT bucket_ms, json_array('latency', aggregation,
                             round(CASE aggregation WHEN 'avg' THEN avg WHEN 'min' THEN min
                                   ELSE max END, 3))
FROM (SELECT bucket_ms, avg(execution_time_ms) AS avg, min(execution_time_ms) AS min,
             max(execution_time_ms) AS max
      FROM our_trace WHERE execution_time_ms IS NOT NULL GROUP BY bucket_ms),
     (SELECT 'avg' AS aggregation UNION ALL VALUES ('min'), ('max'))
UNION ALL
SELECT bucket_ms, json_array('tokens', sum(total_tokens)) FROM our_trace
WHERE total_tokens IS NOT NULL GROUP BY bucket_ms
UNION ALL
SELECT bucket_ms, json_array('value', name, value_json, count(*)) FROM our_assessment
WHERE values_too GROUP BY bucket_ms, name, value_json
UNION ALL
SELECT bucket_ms, json_array('feedback', name, count(*)) FROM our_assessment
WHERE NOT values_too GROUP BY bucket_ms, name
UNION ALL
SELECT bucket_ms, json_array('average', name, round(avg(number), 6))
FROM (SELECT bucket_ms, name,
             coalesce(value_num, CASE lower(trim(value, char(9, 10, 11, 12, 13, 32)))
                                 WHEN 'yes' THEN 1 WHEN 'no' THEN 0 END) AS number
      FROM our_assessment WHERE NOT values_too)
WHERE number IS NOT NULL GROUP BY bucket_ms, name;

-- The buckets that differ, with what the server counts there and what is here.
DROP TABLE IF EXISTS temp.differing;
CREATE TEMP TABLE differing AS
SELECT from_ms, from_ms + width_ms AS until_ms,
       coalesce((SELECT group_concat(counted, char(10)) FROM theirs AS t
                 WHERE t.from_ms = d.from_ms), '') || char(10) || 'here' || char(10)
         || coalesce((SELECT group_concat(counted, char(10)) FROM ours AS o
                      WHERE o.from_ms = d.from_ms), '') AS counts
FROM (SELECT from_ms FROM (SELECT * FROM theirs EXCEPT SELECT * FROM ours)
      UNION
      SELECT from_ms FROM (SELECT * FROM ours EXCEPT SELECT * FROM theirs)) AS d,
     (SELECT width_ms FROM comparing);
