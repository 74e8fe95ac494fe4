-- The server's tables, under names that leave traces, spans and assessments to the copies.
CREATE VIRTUAL TABLE source_traces USING mlflow_traces;
CREATE VIRTUAL TABLE source_spans USING mlflow_spans;
CREATE VIRTUAL TABLE source_assessments USING mlflow_assessments;
