-- The tables under the names that views.sql, questions.sql and patterns/ use: traces, spans,
-- assessments.
--
--   sqlite3 traces.db -cmd '.load build/mlflow0' '.read sql/tables.sql' '.read sql/views.sql' \
--     '.read sql/questions.sql'
--
-- They read what MLFLOW_EXPERIMENT_NAME or MLFLOW_EXPERIMENT_ID names, else all active experiments.
-- A table or view of your own under one of these names stays as it is. So for a fixed experiment,
-- or for tags as columns, create it first:
--
--   CREATE VIRTUAL TABLE traces USING mlflow_traces(experiment = 'agent-prod', tags.environment);
--
-- Nothing here asks the server anything. Reading the script again changes nothing.

CREATE VIRTUAL TABLE IF NOT EXISTS traces USING mlflow_traces;
CREATE VIRTUAL TABLE IF NOT EXISTS spans USING mlflow_spans;
CREATE VIRTUAL TABLE IF NOT EXISTS assessments USING mlflow_assessments;
