-- Traces as a dataset: JSON Lines that MLflow's EvaluationDataset.merge_records takes.
--
--   sqlite3 -batch traces.db -cmd '.load build/mlflow0' -cmd 'PRAGMA trusted_schema = ON' \
--     '.read sql/tables.sql' \
--     '.read sql/views.sql' '.read sql/export_dataset.sql' > dataset.jsonl
--
--   import json, mlflow.genai.datasets
--   dataset = mlflow.genai.datasets.create_dataset(name="regression", experiment_id="1")
--   dataset.merge_records([json.loads(line) for line in open("dataset.jsonl")])
--
-- A line is a trace: inputs, outputs, expectations (the latest valid one of each name), source (the
-- trace and its session) and tags (not MLflow's own). Inputs that are no JSON object become one,
-- {"inputs": …}, because MLflow wants one; traces without inputs are left out. MLflow itself makes
-- one record of lines with equal inputs.
--
-- Which traces: those of diverse_eval_dataset, or of a temporary table of your own made before. (One
-- that is not temporary is refused: which of the two is meant?)
--
--   CREATE TEMP TABLE dataset_cases AS SELECT trace_id, inputs, outputs FROM failing_cases
--   WHERE run_id = '88f1536f8776490583296c0363bb5945' AND scorer = 'concise_communication';
--
-- Cost: that of these rows, and two searches for their traces, 500 a request.

-- Without the row in it nothing is written, also by a shell that goes on after an error.
DROP TABLE IF EXISTS temp.dataset_export;
CREATE TEMP TABLE dataset_export(is_clear);
CREATE TEMP TRIGGER dataset_cases_are_temporary BEFORE INSERT ON dataset_export WHEN NOT new.is_clear
BEGIN
  SELECT RAISE(ABORT, 'dataset_cases is in the database file: create it as a TEMP table, or drop it');
END;
INSERT INTO dataset_export
SELECT NOT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = 'dataset_cases' COLLATE NOCASE);

CREATE TEMP VIEW IF NOT EXISTS dataset_cases AS
SELECT trace_id, inputs, outputs FROM diverse_eval_dataset;

.headers off
.mode list

WITH cases AS MATERIALIZED (
  SELECT trace_id, inputs, outputs FROM temp.dataset_export CROSS JOIN temp.dataset_cases
  WHERE inputs IS NOT NULL GROUP BY trace_id),
origins AS MATERIALIZED (
  SELECT trace_id, tags,
         iif(session_id IS NULL, json_object('trace_id', trace_id),
             json_object('trace_id', trace_id, 'session_id', session_id)) AS source_data
  FROM traces WHERE trace_id IN (SELECT trace_id FROM cases)),
expected AS MATERIALIZED (
  SELECT trace_id, json_group_object(name, json(value_json)) AS expectations
  FROM (SELECT trace_id, name, value_json,
               row_number() OVER (PARTITION BY trace_id, name
                                  ORDER BY create_time_ms DESC, assessment_id) AS age
        FROM assessments
        WHERE trace_id IN (SELECT trace_id FROM cases) AND assessment_type = 'expectation'
          AND valid = 1)
  WHERE age = 1 GROUP BY trace_id)
SELECT json_object(
         'inputs', CASE WHEN NOT json_valid(inputs) THEN json_object('inputs', inputs)
                        WHEN json_type(inputs) = 'object' THEN json(inputs)
                        ELSE json_object('inputs', json(inputs)) END,
         'outputs', CASE WHEN json_valid(outputs) THEN json(outputs) ELSE outputs END,
         'expectations', json(coalesce(expectations, '{}')),
         'source', json_object('source_type', 'TRACE', 'source_data', json(source_data)),
         'tags', json((SELECT json_group_object(key, value) FROM json_each(tags)
                       WHERE key NOT GLOB 'mlflow.*')))
FROM cases JOIN origins USING (trace_id) LEFT JOIN expected USING (trace_id)
ORDER BY trace_id;
