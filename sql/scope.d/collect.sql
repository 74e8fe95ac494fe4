-- The server's tables, under names that leave traces, spans and assessments to the copies. Temporary,
-- since newer sqlite3 shells do not trust what a file says.
CREATE VIRTUAL TABLE temp.source_traces USING mlflow_traces;
CREATE VIRTUAL TABLE temp.source_spans USING mlflow_spans;
CREATE VIRTUAL TABLE temp.source_assessments USING mlflow_assessments;
