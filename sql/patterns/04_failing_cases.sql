-- Pattern 4: what did a scorer fail in an evaluation? As cases for regression tests. A run's traces
-- are those that it logged and those that are linked to it.
--
--   sqlite3 traces.db -cmd '.load build/mlflow0' -cmd 'PRAGMA trusted_schema = ON' \
--     -cmd '.read sql/tables.sql' \
--     -cmd '.read sql/views.sql' '.read sql/patterns/04_failing_cases.sql'
--
-- Settings: .parameter set :run_id "'88f1536f8776490583296c0363bb5945'"   unless set, the run that
--             gave the scorer's newest feedback, however old the traces are
--           .parameter set :scorer "'concise_communication'"              this one unless set
-- Cost: the pages of the traces that the scorer judged (none if the run is set), then one search
-- for each statement, by run and scorer together, and the spans of the failing traces and a few of
-- their neighbours. On the demo at most 8 requests, 40 payloads.
--
-- As a dataset for MLflow: sql/export_dataset.sql.

CREATE TEMP TABLE asked AS
WITH which(scorer) AS (SELECT coalesce(:scorer, 'concise_communication'))
SELECT scorer,
       coalesce(:run_id, (SELECT run_id FROM assessments
                          WHERE name = scorer AND assessment_type = 'feedback' AND valid = 1
                            AND run_id IS NOT NULL
                          ORDER BY create_time_ms DESC, timestamp_ms DESC LIMIT 1)) AS run_id
FROM which;

SELECT trace_id, failure_reason, inputs, outputs
FROM failing_cases
WHERE run_id = (SELECT run_id FROM asked) AND scorer = (SELECT scorer FROM asked);

-- Neither passed nor failed: the judge crashed
SELECT trace_id, error_code, error_message
FROM judge_errors
WHERE run_id = (SELECT run_id FROM asked) AND scorer = (SELECT scorer FROM asked);

DROP TABLE asked;
