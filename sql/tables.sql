-- The tables under the names that views.sql, questions.sql and patterns/ use: traces, spans,
-- assessments.
--
--   sqlite3 traces.db -cmd '.load build/mlflow0' -cmd 'PRAGMA trusted_schema = ON' \
--     '.read sql/tables.sql' '.read sql/views.sql' '.read sql/questions.sql'
--
-- They read what MLFLOW_EXPERIMENT_NAME or MLFLOW_EXPERIMENT_ID names, else all active experiments;
-- and of these the traces that MLFLOW_SQL_FILTER finds, if it is set.
-- A table or view of your own under one of these names stays as it is. So for tags as columns,
-- create it first:
--
--   CREATE VIRTUAL TABLE traces USING mlflow_traces(tags.environment);
--
-- What restricts one of them must restrict all three, for a saved view reads now this, now that one.
-- So for a fixed experiment create all three first, each with (experiment = 'agent-prod'). This script
-- refuses one or two of them.
--
-- Nothing here asks the server anything. Reading the script again changes nothing.

DROP TABLE IF EXISTS temp.restricted_tables;
CREATE TEMP TABLE restricted_tables(name);
CREATE TEMP TRIGGER restrict_all_or_none BEFORE DELETE ON restricted_tables
WHEN (SELECT count(*) FROM restricted_tables) IN (1, 2) BEGIN
  SELECT RAISE(ABORT,
    'traces, spans and assessments: create all three or none; saved views would mix them');
END;
INSERT INTO restricted_tables
SELECT name
FROM (SELECT name,
             replace(replace(replace(replace(replace(replace(lower(sql), ' ', ''), char(9), ''),
               char(10), ''), char(13), ''), '"', ''), 'experiments=', 'experiment=') AS told
      FROM sqlite_schema WHERE type IN ('table', 'view'))
WHERE name COLLATE NOCASE IN ('traces', 'spans', 'assessments')
  AND (told NOT LIKE '%usingmlflow%' OR told LIKE '%experiment=%');
DELETE FROM restricted_tables WHERE rowid = 1;
DROP TABLE temp.restricted_tables;

CREATE VIRTUAL TABLE IF NOT EXISTS traces USING mlflow_traces;
CREATE VIRTUAL TABLE IF NOT EXISTS spans USING mlflow_spans;
CREATE VIRTUAL TABLE IF NOT EXISTS assessments USING mlflow_assessments;
