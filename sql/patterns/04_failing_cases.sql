-- Pattern 4: what did a scorer fail in a run? As cases for regression tests.
--
--   sqlite3 traces.db -cmd '.load build/mlflow0' -cmd '.read sql/tables.sql' \
--     -cmd '.read sql/views.sql' '.read sql/patterns/04_failing_cases.sql'
--
-- Settings: .parameter set :run_id "'88f1536f8776490583296c0363bb5945'"   the newest run unless set
--           .parameter set :scorer "'concise_communication'"              this one unless set
-- Cost: the pages until the newest run is found (none if it is set), then one search for each
-- statement, by run and scorer together, and the spans of the failing traces and a few of their
-- neighbours. On the demo at most 8 requests, 40 payloads.
--
-- As a dataset for MLflow: sql/export_dataset.sql.

CREATE TEMP TABLE asked AS
SELECT coalesce(:scorer, 'concise_communication') AS scorer,
       coalesce(:run_id, (SELECT run_id FROM traces WHERE run_id IS NOT NULL
                          ORDER BY timestamp_ms DESC LIMIT 1)) AS run_id;

SELECT trace_id, failure_reason, inputs, outputs
FROM failing_cases
WHERE run_id = (SELECT run_id FROM asked) AND scorer = (SELECT scorer FROM asked);

-- Neither passed nor failed: the judge crashed
SELECT trace_id, error_code, error_message
FROM judge_errors
WHERE run_id = (SELECT run_id FROM asked) AND scorer = (SELECT scorer FROM asked);

DROP TABLE asked;
