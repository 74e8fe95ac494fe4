-- Pattern 6: a dataset for evaluation that holds errors and fast, medium and slow successes alike.
--
--   sqlite3 traces.db -cmd '.load build/mlflow0' -cmd 'PRAGMA trusted_schema = ON' \
--     -cmd '.read sql/tables.sql' \
--     -cmd '.read sql/views.sql' '.read sql/patterns/06_diverse_dataset.sql'
--
-- Settings: UPDATE report_settings SET sample_size = 100;    50 unless changed
--           UPDATE report_settings SET seed = 1;             another sample
--           UPDATE report_settings SET days = 30;            from the last 30 days, not 7
-- Cost: the window's pages (500 traces each), a search for the sampled traces, and their spans. On
-- the demo at most 9 requests, 50 payloads.
--
-- As a dataset for MLflow: sql/export_dataset.sql.

SELECT trace_id, stratum, weight, inputs, outputs FROM diverse_eval_dataset;
