-- As collect.sql, of the traces alone that the filter finds, which is in MLflow's own language.
CREATE TEMP VIEW source_traces AS
SELECT * FROM mlflow_traces WHERE filter = (SELECT filter FROM restriction);
CREATE TEMP VIEW source_spans AS SELECT *, timestamp_ms FROM mlflow_spans;
CREATE TEMP VIEW source_assessments AS
SELECT *, timestamp_ms, trace_run_id FROM mlflow_assessments
WHERE filter = (SELECT filter FROM restriction);
