-- Pattern 3: how good and how fast were the last days, and what failed?
--
--   sqlite3 traces.db -cmd '.load build/mlflow0' -cmd 'PRAGMA trusted_schema = ON' \
--     -cmd '.read sql/tables.sql' \
--     -cmd '.read sql/views.sql' '.read sql/patterns/03_trace_quality.sql'
--
-- Settings: UPDATE report_settings SET days = 14;    7 unless changed
--           UPDATE report_settings SET seed = 1;     other random errors
-- Cost: the window's pages (500 traces each), a search for the five newest errors, one for all ten
-- errors shown, and the spans of these ten. On the demo at most 8 requests, 10 payloads.

CREATE TEMP TABLE quality AS SELECT * FROM trace_quality;

SELECT total, finished, in_progress, success_rate, success_low, success_high, error_count,
       avg_latency_ms, p50_latency_ms, p95_latency_ms, p99_latency_ms
FROM quality;

SELECT value ->> 'chosen' AS chosen, value ->> 'trace_id' AS trace_id,
       value ->> 'request' AS request
FROM quality, json_each(sample_errors);

DROP TABLE quality;
