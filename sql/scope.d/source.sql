-- What the server's tables are tables of.
CREATE TABLE source AS
WITH scope AS (
  SELECT coalesce(max(value) FILTER (WHERE name = 'MLFLOW_EXPERIMENT_ID'),
                  max(value) FILTER (WHERE name = 'MLFLOW_EXPERIMENT_NAME')) AS asked
  FROM mlflow_settings WHERE value <> '')
SELECT (SELECT rtrim(value, '/') FROM mlflow_settings WHERE name = 'MLFLOW_TRACKING_URI') AS uri,
       CASE WHEN scope.asked IS NULL THEN 'all active experiments'
            WHEN scope.asked GLOB '*[^0-9]*' THEN scope.asked
            ELSE coalesce((SELECT name FROM mlflow_experiments WHERE experiment_id = scope.asked),
                          scope.asked) END AS experiment,
       NULL AS synced_at_ms, NULL AS kept_from_ms, NULL AS spans_from_ms,  -- of a mirror
       (SELECT value FROM mlflow_settings WHERE name = 'MLFLOW_SQL_FILTER') AS filter
FROM scope;
