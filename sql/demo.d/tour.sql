-- Which experiments are there?
SELECT experiment_id, name, lifecycle_stage FROM mlflow_experiments ORDER BY experiment_id LIMIT 10;

-- How do traces end, and how long do they take?
SELECT status, count(*) AS traces, percentile(execution_time_ms, 50) AS p50_ms,
       percentile(execution_time_ms, 95) AS p95_ms, max(execution_time_ms) AS max_ms
FROM mlflow_traces GROUP BY status;

-- Tags become columns when a table declares them; filters on them run on the server.
CREATE VIRTUAL TABLE temp.traces USING mlflow_traces(
  tags.environment AS environment, tags.version AS version);

-- Which production requests of the last week were slowest?
SELECT trace_id, name, user_id, execution_time_ms, substr(request_preview, 1, 60) AS request
FROM traces
WHERE environment = 'production' AND status = 'OK' AND execution_time_ms > 5000
  AND timestamp_ms > (unixepoch() - 7 * 86400) * 1000
ORDER BY execution_time_ms DESC LIMIT 5;

-- What of that does the server do? SQLite's own plan says so.
EXPLAIN QUERY PLAN SELECT trace_id FROM traces
WHERE environment = 'production' AND status = 'OK' AND execution_time_ms > 5000;

-- Did a release make it worse? Success with a 95% interval, and latency, by version.
SELECT version, name, count(*) AS finished, round(avg(status = 'OK'), 3) AS success,
       round(wilson_low(sum(status = 'OK'), count(*)), 3) AS low,
       round(wilson_high(sum(status = 'OK'), count(*)), 3) AS high,
       median(execution_time_ms) AS median_ms
FROM traces WHERE status IN ('OK', 'ERROR') GROUP BY version, name;

-- When did errors come? The days with the most, and an example of each.
SELECT date(timestamp_ms / 1000, 'unixepoch') AS day, count(*) AS errors,
       bar(count(*), max(count(*)) OVER (), 20) AS picture, min(trace_id) AS example
FROM mlflow_traces WHERE status = 'ERROR' GROUP BY day ORDER BY errors DESC LIMIT 5;

-- What do the judges and the people say? What a person has overridden is not valid.
SELECT name, source_type, count(*) AS given,
       round(avg(value_json IN ('"yes"', 'true')), 2) AS passed
FROM mlflow_assessments
WHERE assessment_type = 'feedback' AND valid = 1
  AND value_json IN ('"yes"', '"no"', 'true', 'false')
GROUP BY name, source_type ORDER BY given DESC;

-- Rows of your own join in: what did these customers' sessions cost?
CREATE TEMP TABLE customers(email TEXT PRIMARY KEY, plan TEXT);
INSERT INTO customers SELECT user_id, CASE row_number() OVER (ORDER BY count(*) DESC) % 2
  WHEN 1 THEN 'enterprise' ELSE 'free' END
FROM mlflow_traces WHERE user_id IS NOT NULL GROUP BY user_id ORDER BY count(*) DESC LIMIT 6;
SELECT c.plan, count(DISTINCT t.session_id) AS sessions, sum(t.total_tokens) AS tokens,
       round(sum(t.total_cost), 4) AS dollars
FROM customers AS c JOIN mlflow_traces AS t ON t.user_id = c.email GROUP BY c.plan;

-- And the receipt: what was asked of the server, and what came back.
SELECT endpoint, count(*) AS requests, sum(rows) AS rows, sum(bytes) / 1024 AS kib,
       round(sum(wait_ms)) AS wait_ms
FROM mlflow_requests GROUP BY endpoint;

-- The filters that it was sent; long scans are also cut into time ranges, side by side.
SELECT filter, sum(rows) AS rows FROM mlflow_requests
WHERE filter IS NOT NULL AND filter NOT LIKE '%timestamp_ms >= % AND attributes.timestamp_ms <= %'
GROUP BY filter;
