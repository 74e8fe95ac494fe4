-- Pattern 1: which traces are there? All, good ones, failed ones, recent ones, slow ones.
--
--   sqlite3 traces.db -cmd '.load build/mlflow0' -cmd 'PRAGMA trusted_schema = ON' \
--     -cmd '.read sql/tables.sql' \
--     '.read sql/patterns/01_basic_search.sql'
--
-- Settings: .parameter set :rows 100    newest rows of each; 10 unless set
-- Cost: a search for each of the five; each asks the server for as many rows as are shown. At most
-- 5 requests, 0 payloads.

-- All traces of the scope
SELECT trace_id, status, execution_time_ms, datetime(timestamp_ms / 1000, 'unixepoch') AS at,
       request_preview
FROM traces ORDER BY timestamp_ms DESC LIMIT coalesce(:rows, 10);

-- Successful traces only
SELECT trace_id, execution_time_ms, request_preview
FROM traces WHERE status = 'OK' ORDER BY timestamp_ms DESC LIMIT coalesce(:rows, 10);

-- Error traces only
SELECT trace_id, execution_time_ms, request_preview
FROM traces WHERE status = 'ERROR' ORDER BY timestamp_ms DESC LIMIT coalesce(:rows, 10);

-- The last hour
SELECT trace_id, status, execution_time_ms, request_preview
FROM traces WHERE timestamp_ms > (unixepoch() - 3600) * 1000
ORDER BY timestamp_ms DESC LIMIT coalesce(:rows, 10);

-- Slower than five seconds
SELECT trace_id, status, execution_time_ms, request_preview
FROM traces WHERE execution_time_ms > 5000
ORDER BY timestamp_ms DESC LIMIT coalesce(:rows, 10);
