-- What the server's tables are tables of. A number is a name, too, if there is one.
CREATE TABLE source AS
WITH scope AS (
  SELECT max(value) FILTER (WHERE name = 'MLFLOW_EXPERIMENT_ID') AS id,
         max(value) FILTER (WHERE name = 'MLFLOW_EXPERIMENT_NAME') AS name
  FROM mlflow_settings WHERE value <> '')
SELECT (SELECT rtrim(value, '/') FROM mlflow_settings WHERE name = 'MLFLOW_TRACKING_URI') AS uri,
       CASE WHEN coalesce(id, name) IS NULL THEN 'all active experiments'
            WHEN id IS NULL AND (
              name GLOB '*[^0-9]*'
              OR EXISTS (SELECT 1 FROM mlflow_experiments AS e WHERE e.name = scope.name)) THEN name
            ELSE coalesce((SELECT e.name FROM mlflow_experiments AS e
                           WHERE experiment_id = coalesce(id, scope.name)), id, name) END
         AS experiment,
       NULL AS synced_at_ms, NULL AS kept_from_ms, NULL AS spans_from_ms,  -- of a mirror
       (SELECT value FROM mlflow_settings WHERE name = 'MLFLOW_SQL_FILTER') AS filter
FROM scope;
