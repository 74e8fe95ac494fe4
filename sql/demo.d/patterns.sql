-- Pattern 1. Which requests took over 20 seconds, and ended well?
SELECT trace_id, name, execution_time_ms FROM traces
WHERE status = 'OK' AND execution_time_ms > 20000 ORDER BY timestamp_ms DESC LIMIT 3;

-- Pattern 2. What did one user ask in production? Tags and metadata are columns once declared.
CREATE VIRTUAL TABLE temp.tagged USING mlflow_traces(
  tags.environment, metadata."mlflow.trace.user" AS end_user);
SELECT date(timestamp_ms / 1000, 'unixepoch') AS day, status, substr(request_preview, 1, 70) AS request
FROM tagged
WHERE "tags.environment" = 'production' AND end_user = (
  SELECT user_id FROM traces WHERE user_id IS NOT NULL ORDER BY timestamp_ms DESC LIMIT 1)
ORDER BY timestamp_ms DESC LIMIT 3;

-- Pattern 3. How good and how fast were the last seven days?
SELECT total, in_progress, error_count, round(success_rate, 4) AS success_rate,
       round(success_low, 4) AS low, round(success_high, 4) AS high, p50_latency_ms AS p50,
       p95_latency_ms AS p95, round(p99_latency_ms) AS p99
FROM trace_quality;

-- Pattern 4. What did a scorer fail, and why? Inputs are fetched for these rows and a few neighbours.
SELECT scorer, failure_reason, substr(inputs, 1, 80) AS inputs FROM failing_cases
WHERE scorer = 'concise_communication' LIMIT 3;

-- Pattern 5. Where did the time of the slowest request go?
.parameter init
INSERT INTO temp.sqlite_parameters SELECT ':slowest', trace_id FROM slowest LIMIT 1;
SELECT span_type, count, round(total_time_s, 2) AS total_s, round(wall_time_s, 2) AS wall_s,
       round(self_time_s, 2) AS self_s, round(critical_time_s, 2) AS critical_s
FROM span_profile WHERE trace_id = :slowest
ORDER BY critical_time_s DESC;

-- Pattern 6. A dataset for evaluation with errors and fast, medium and slow requests alike.
SELECT stratum, count(*) AS sampled, round(sum(weight)) AS stands_for, min(substr(inputs, 1, 50)) AS example
FROM diverse_eval_dataset GROUP BY stratum;

-- Pattern 7. How did each day go, and the last hours?
SELECT day, total_requests AS requests, round(success_rate, 3) AS success_rate, error_count AS errors,
       round(mean_latency_ms) AS mean_ms, p50_latency_ms AS p50, p95_latency_ms AS p95
FROM daily_quality;
SELECT hour, requests, errors, bar(requests, max(requests) OVER (), 20) AS volume
FROM hourly_volume LIMIT 8;
