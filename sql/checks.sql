-- Is something wrong now? A saved view that answers this about the end of the window. It stands on
-- traces and on report_settings: read tables.sql and views.sql first.
--
--   SELECT period, errors, n, verdict FROM recent_errors;
--
-- Reading the script again renews the view.

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

RELEASE checks;
