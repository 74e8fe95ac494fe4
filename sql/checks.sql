-- Is something wrong now? Saved views that answer this: recent_errors by itself, threshold_checks
-- by thresholds of yours. Read tables.sql and views.sql first, whose window they share.
--
--   SELECT period, errors, n, verdict FROM recent_errors;
--   INSERT INTO thresholds VALUES ('success_rate', 'at least', 0.95);
--   SELECT * FROM threshold_checks;
--
-- Reading the script again renews the views and keeps the thresholds.

SAVEPOINT checks;

-- Does more fail now? The end of the window beside the rest of it: the last 20 finished traces, and
-- the last 1, 6 and 24 hours, where the window is four times as long or longer. low and high bound
-- the error rate, difference_low and difference_high its difference from the rest (as in
-- compare_periods), all at 99 %, since these are four looks. 'too few' is under 5 traces now, or 20
-- in the rest. failed_in_a_row: how many of the newest finished traces failed, up to the first that
-- did not.
DROP VIEW IF EXISTS recent_errors;
CREATE VIEW recent_errors AS
WITH seen AS MATERIALIZED (
  SELECT trace_id, timestamp_ms, status = 'ERROR' AS failed,
         row_number() OVER (ORDER BY timestamp_ms DESC, trace_id) AS place
  FROM traces
  WHERE status IN ('OK', 'ERROR') AND timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
periods AS (
  SELECT column1 AS period, column2 AS newest, nullif(until_ms - column3, until_ms) AS since_ms
  FROM (VALUES ('last 20 requests', 20, 0), ('last hour', NULL, 3600000),
               ('last 6 hours', NULL, 21600000), ('last 24 hours', NULL, 86400000)), report_window
  WHERE until_ms - from_ms >= 4 * column3),
parted AS (
  SELECT period, since_ms, failed, iif(newest, place <= newest, timestamp_ms >= since_ms) AS is_now
  FROM periods JOIN seen),
counted AS (
  SELECT period, since_ms, sum(is_now) AS n, total(failed AND is_now) AS errors,
         sum(NOT is_now) AS rest_n, total(failed AND NOT is_now) AS rest_errors
  FROM parted GROUP BY period, since_ms),
bounded AS (
  SELECT period, since_ms, n, CAST(errors AS INTEGER) AS errors,
         errors / nullif(n, 0) AS error_rate,
         wilson_low(errors, n, 2.576) AS low, wilson_high(errors, n, 2.576) AS high,
         rest_n, CAST(rest_errors AS INTEGER) AS rest_errors,
         rest_errors / nullif(rest_n, 0) AS rest_rate,
         wilson_low(rest_errors, rest_n, 2.576) AS rest_low,
         wilson_high(rest_errors, rest_n, 2.576) AS rest_high
  FROM counted),
compared AS (
  SELECT *, error_rate - rest_rate - sqrt((error_rate - low) * (error_rate - low)
              + (rest_high - rest_rate) * (rest_high - rest_rate)) AS difference_low,
         error_rate - rest_rate + sqrt((high - error_rate) * (high - error_rate)
              + (rest_rate - rest_low) * (rest_rate - rest_low)) AS difference_high
  FROM bounded)
SELECT period, since_ms, n, errors, error_rate, low, high, rest_n, rest_errors, rest_rate,
       difference_low, difference_high,
       CASE WHEN n < 5 OR rest_n < 20 THEN 'too few' WHEN difference_low > 0 THEN 'higher'
            WHEN difference_high < 0 THEN 'lower' ELSE 'no clear change' END AS verdict,
       (SELECT coalesce(min(place) FILTER (WHERE NOT failed) - 1, count(*)) FROM seen)
         AS failed_in_a_row,
       (SELECT trace_id FROM seen WHERE failed ORDER BY place LIMIT 1) AS newest_failed_trace_id
FROM compared;

-- What a threshold can be of. Estimates say something about requests to come, so they have an
-- interval and need 20 of what counts; the others are facts about the window.
DROP VIEW IF EXISTS threshold_metrics;
CREATE VIEW threshold_metrics(metric, is_estimate, meaning) AS
VALUES ('success_rate', 1, 'the finished requests that ended OK, from 0 to 1'),
       ('p50_latency_ms', 1, 'the median latency of finished requests'),
       ('p95_latency_ms', 1, 'their 95th percentile'),
       ('p99_latency_ms', 1, 'their 99th percentile'),
       ('requests', 0, 'how many requests there were'),
       ('cost_a_day', 0, 'dollars in 24 hours, MLflow''s own figure'),
       ('scorer.NAME', 1, 'feedback of this name: what passed, from 0 to 1; or the mean');

-- Yours to fill. A second threshold of the same metric and bound takes the place of the first.
CREATE TABLE IF NOT EXISTS thresholds(
  metric    TEXT NOT NULL,  -- as in threshold_metrics, NAME being the scorer's
  bound     TEXT NOT NULL CHECK (bound IN ('at least', 'at most')),
  threshold REAL NOT NULL CHECK (typeof(threshold) = 'real'),
  UNIQUE (metric, bound) ON CONFLICT REPLACE
);

-- Them, with what is known of their metrics: is_estimate is NULL where nothing is.
DROP VIEW IF EXISTS asked_thresholds;
CREATE VIEW asked_thresholds AS
SELECT t.rowid AS row, t.metric, bound, threshold, is_estimate
FROM thresholds AS t LEFT JOIN threshold_metrics AS m
  ON m.metric = iif(t.metric GLOB 'scorer.?*', 'scorer.NAME', t.metric);

-- Does the window keep to the thresholds? A row each; of a scorer, one for each kind of source. The
-- figures are those of trace_quality and scorer_quality before they are rounded, n is what they are
-- over, missing what could not count: requests that have not finished, have no latency or no cost;
-- feedback without a verdict. low and high bound an estimate, 95 %: Wilson's for rates, ranks as in
-- compare_periods for percentiles, 1.96 standard errors for means. NULL: n is too small for such a
-- bound.
--
-- A 'breach' is a value beyond its threshold; 'too few' is an estimate over fewer than 20, or nothing
-- to measure. clear is 1 where the whole interval is on the value's side of the threshold: chance
-- does not explain it. A metric that nobody asked for is not read.
DROP VIEW IF EXISTS threshold_checks;
CREATE VIEW threshold_checks AS
WITH latencies AS MATERIALIZED (
  SELECT execution_time_ms AS ms, count(*) OVER () AS n,
         row_number() OVER (ORDER BY execution_time_ms) AS place
  FROM traces
  WHERE execution_time_ms IS NOT NULL AND status IN ('OK', 'ERROR')
    AND timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
ranked(metric, n, value, low, high) AS MATERIALIZED (
  SELECT metric, max(n), percentile(ms, 100 * share),
         max(ms) FILTER (WHERE place = ceil(n * share - 1.96 * sqrt(n * share * (1 - share)))),
         max(ms) FILTER (WHERE place = ceil(n * share + 1.96 * sqrt(n * share * (1 - share))))
  FROM (SELECT 'p50_latency_ms' AS metric, 0.5 AS share
        UNION ALL VALUES ('p95_latency_ms', 0.95), ('p99_latency_ms', 0.99)) JOIN latencies
  GROUP BY metric),
numbers AS MATERIALIZED (
  SELECT scorer, source_type, mean, n,
         1.96 * sqrt(sum((value_num - mean) * (value_num - mean)) / (n - 1) / n) AS reach
  FROM (SELECT name AS scorer, source_type, value_num, avg(value_num) OVER given AS mean,
               count(*) OVER given AS n
        FROM assessments
        WHERE assessment_type = 'feedback' AND valid = 1 AND value_num IS NOT NULL
          AND timestamp_ms >= (SELECT from_ms FROM report_window)
          AND timestamp_ms < (SELECT until_ms FROM report_window)
        WINDOW given AS (PARTITION BY name, source_type))
  GROUP BY scorer, source_type),
-- Lists of [source type, value, n, low, high, missing]. Each branch is read where it is asked for.
measured AS (
  SELECT a.*, CASE
    WHEN metric = 'success_rate' THEN (
      SELECT json_array(json_array(NULL, success_rate, finished, success_low, success_high,
                                   total - finished)) FROM trace_quality)
    WHEN metric GLOB 'p[0-9]*' THEN (
      SELECT json_array(json_array(NULL, ranked.value, coalesce(n, 0), low, high,
                                   total - coalesce(n, 0)))
      FROM trace_quality LEFT JOIN ranked ON ranked.metric = a.metric)
    WHEN metric = 'requests' THEN (
      SELECT json_array(json_array(NULL, total, total, NULL, NULL, 0)) FROM trace_quality)
    WHEN metric = 'cost_a_day' THEN (
      SELECT json_array(json_array(NULL, sum(total_cost) * 86400000.0
                 / (SELECT until_ms - from_ms FROM report_window), count(total_cost), NULL, NULL,
               count(*) - count(total_cost)))
      FROM traces
      WHERE timestamp_ms >= (SELECT from_ms FROM report_window)
        AND timestamp_ms < (SELECT until_ms FROM report_window))
    WHEN metric GLOB 'scorer.?*' THEN (
      SELECT json_group_array(iif(pass_rate IS NULL,
               json_array(q.source_type, mean, coalesce(n, 0), mean - reach, mean + reach,
                          given - coalesce(n, 0)),
               json_array(q.source_type, pass_rate, passed + failed, pass_low, pass_high,
                          given - passed - failed)))
      FROM scorer_quality AS q LEFT JOIN numbers
        ON numbers.scorer = q.scorer AND numbers.source_type IS q.source_type
      WHERE q.scorer = substr(a.metric, 8)) END AS figures
  FROM asked_thresholds AS a),
compared AS (
  SELECT row, metric, value ->> 0 AS source_type, bound, threshold, value ->> 1 AS value,
         coalesce(value ->> 2, 0) AS n, value ->> 3 AS low, value ->> 4 AS high,
         coalesce(value ->> 5, 0) AS missing, is_estimate,
         iif(bound = 'at least', 1, -1) AS sign
  FROM measured LEFT JOIN json_each(figures)),
judged AS (
  SELECT *, CASE WHEN is_estimate IS NULL THEN 'unknown metric'
                 WHEN value IS NULL OR is_estimate AND n < 20 THEN 'too few'
                 WHEN sign * value < sign * threshold THEN 'breach' ELSE 'ok' END AS verdict
  FROM compared)
SELECT metric, source_type, bound, threshold, value, n, low, high, missing, verdict, CASE verdict
    WHEN 'breach' THEN NOT is_estimate
                       OR coalesce(iif(sign = 1, high < threshold, low > threshold), 0)
    WHEN 'ok' THEN NOT is_estimate
                   OR coalesce(iif(sign = 1, low >= threshold, high <= threshold), 0) END AS clear
FROM judged
ORDER BY row, source_type;

RELEASE checks;
