-- The server's tables, under names that leave traces, spans and assessments to the copies.
CREATE VIRTUAL TABLE server_traces USING mlflow_traces;
CREATE VIRTUAL TABLE server_spans USING mlflow_spans;
CREATE VIRTUAL TABLE server_assessments USING mlflow_assessments;
