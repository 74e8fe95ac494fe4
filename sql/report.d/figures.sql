-- What the report shows, as cells of tables. Charts are drawn from these, too (charts.sql).

-- A cell: `title` heads its column, `kind` says how its value is written, trace_id is an example.
CREATE TEMP TABLE cell(
  section TEXT, row INTEGER, place INTEGER, title TEXT, kind TEXT, value, trace_id TEXT);

-- How values are written: 1,195 and 92.5% and $0.0063 and 412 ms and 1.7 s and 11-23 14:21.
CREATE TEMP VIEW written AS
SELECT section, row, place, title, kind NOT IN ('text', 'verdict') AS is_number,
       kind = 'verdict' AS is_verdict, trace_id, value,
       CASE WHEN value IS NULL THEN '–'
            WHEN kind = 'count' THEN printf('%,d', round(value))
            WHEN kind = 'least' THEN printf('≥ %,d', value)
            WHEN kind = 'share' AND value > 0.9995 AND value < 1 THEN printf('%.3f%%', 100 * value)
            WHEN kind = 'share' THEN printf('%.1f%%', 100 * value)
            WHEN kind = 'dollars' AND value >= 1000 THEN printf('$%,d', round(value))
            WHEN kind = 'dollars' AND value >= 1 THEN printf('$%.2f', value)
            WHEN kind = 'dollars' THEN printf('$%.4f', value)
            WHEN kind = 'ms' AND value < 999.5 THEN printf('%.0f ms', value)
            WHEN kind = 'ms' AND value < 119950 THEN printf('%.1f s', value / 1e3)
            WHEN kind = 'ms' AND value < 7.17e6 THEN printf('%.1f min', value / 6e4)
            WHEN kind = 'ms' THEN printf('%.1f h', value / 3.6e6)
            WHEN kind = 'stamp'
              THEN strftime('%m-%d %H:%M', value / 1000, 'unixepoch', zone_modifier)
            ELSE replace(value, char(10), ' ') END AS text
FROM cell, about;

CREATE TEMP TABLE window_traces AS
SELECT *, row_number() OVER (ORDER BY finished_ms IS NULL, finished_ms) AS place
FROM (SELECT traces.*, iif(status IN ('OK', 'ERROR'), execution_time_ms, NULL) AS finished_ms
      FROM traces, about WHERE timestamp_ms >= from_ms);
CREATE TEMP TABLE quality AS SELECT * FROM trace_quality;
CREATE TEMP TABLE newest AS
SELECT max(trace_id) FILTER (WHERE any_place = 1) AS trace_id,
       max(trace_id) FILTER (WHERE status = 'OK' AND place = 1) AS ok,
       max(trace_id) FILTER (WHERE status = 'ERROR' AND place = 1) AS failed
FROM (SELECT trace_id, status, row_number() OVER (ORDER BY timestamp_ms DESC) AS any_place,
             row_number() OVER (PARTITION BY status ORDER BY timestamp_ms DESC) AS place
      FROM window_traces);

-- The head: what this is about, and the figures that one asks for first, each with a line below.
INSERT INTO cell
SELECT 'head', 1, 1, 'experiment', 'text', experiment, NULL FROM about
UNION ALL SELECT 'head', 1, 2, 'server', 'text', uri, NULL FROM about
UNION ALL SELECT 'head', 1, 3, 'window', 'text', printf('%s to %s (%s)',
  strftime('%Y-%m-%d %H:%M', from_ms / 1000, 'unixepoch', zone_modifier),
  strftime('%Y-%m-%d %H:%M', until_ms / 1000, 'unixepoch', zone_modifier), zone)
    || coalesce(', only ' || filter || ',', ''), NULL FROM about;

INSERT INTO cell
SELECT 'headline', 1, 1, 'Success rate', 'share', success_rate, ok
FROM quality, newest WHERE finished
UNION ALL SELECT 'headline', 1, 2, 'Requests', 'count', total, trace_id FROM quality, newest
UNION ALL SELECT 'headline', 1, 3, 'Errors', 'count', error_count, failed FROM quality, newest
UNION ALL
SELECT 'headline', 1, column1, column2, 'ms',
       CASE column1 WHEN 4 THEN p50_latency_ms WHEN 5 THEN p95_latency_ms ELSE p99_latency_ms END,
       (SELECT trace_id FROM window_traces WHERE place = (
          SELECT 1 + CAST(round(column3 * (count(finished_ms) - 1)) AS INTEGER)
          FROM window_traces))
FROM quality, (VALUES (4, 'Median latency', 0.5), (5, '95th percentile', 0.95),
                      (6, '99th percentile', 0.99))
WHERE p50_latency_ms IS NOT NULL
UNION ALL
SELECT 'headline', 1, 7, 'Tokens', 'count', sum(total_tokens * 1.0),
       (SELECT trace_id FROM window_traces ORDER BY total_tokens DESC LIMIT 1)
FROM window_traces HAVING count(total_tokens)
UNION ALL
SELECT 'headline', 1, 8, 'Cost', 'dollars', sum(total_cost),
       (SELECT trace_id FROM window_traces ORDER BY total_cost DESC LIMIT 1)
FROM window_traces HAVING count(total_cost);
INSERT INTO cell
SELECT 'headline', 2, 1, NULL, 'text', printf('95%% interval %.1f to %.1f%%',
       100 * success_low, 100 * success_high), NULL FROM quality WHERE finished
UNION ALL SELECT 'headline', 2, 2, NULL, 'text', printf('%,d in progress', in_progress), NULL
FROM quality
UNION ALL SELECT 'headline', 2, 3, NULL, 'text', printf('of %,d finished', finished), NULL
FROM quality
UNION ALL SELECT 'headline', 2, column1, NULL, 'text', column2, NULL
FROM (VALUES (4, 'half took no longer'), (5, '95 in 100 took no longer'),
             (6, '99 in 100 took no longer')), quality
WHERE p50_latency_ms IS NOT NULL
UNION ALL SELECT 'headline', 2, 7, NULL, 'text', printf('%,d each in %,d requests',
  round(avg(total_tokens)), count(total_tokens)), NULL FROM window_traces HAVING count(total_tokens)
UNION ALL SELECT 'headline', 2, 8, NULL, 'text', printf('$%.4f each in %,d requests',
  avg(total_cost), count(total_cost)), NULL FROM window_traces HAVING count(total_cost);

-- Marks of a logarithmic scale: 1, 2, 5, 10 and so on milliseconds, as one writes them.
CREATE TEMP TABLE log_mark AS
SELECT row_number() OVER (ORDER BY ms) AS place, ms,
       iif(ms < 1000, ms || ' ms', (ms / 1000) || ' s') AS label
FROM (SELECT digit.column1 * CAST(power(10, zeros.value) AS INTEGER) AS ms
      FROM (VALUES (1), (2), (5)) AS digit, json_each('[0,1,2,3,4,5,6,7,8,9]') AS zeros);

-- Latency histogram: half-open buckets that end at marks, nine at most below the 99th percentile.
CREATE TEMP TABLE bucket AS
WITH top AS (SELECT min(ms) AS ms FROM log_mark
             WHERE ms >= (SELECT max(1, p99_latency_ms) FROM quality)),
edge AS MATERIALIZED (
  SELECT log_mark.ms AS ms, lag(label) OVER (ORDER BY log_mark.ms) || ' to ' || label AS range,
         label
  FROM log_mark, top WHERE log_mark.ms BETWEEN top.ms / 900 AND top.ms),
range AS MATERIALIZED (
  SELECT ms, coalesce(range, 'below ' || label) AS label FROM edge
  UNION ALL SELECT NULL, 'from ' || label FROM edge WHERE ms = (SELECT ms FROM top)),
seen AS (
  SELECT latency_class(finished_ms, (
           SELECT json_group_object(label, ms)
           FROM (SELECT * FROM range ORDER BY ms IS NULL, ms))) AS label,
         trace_id, max(timestamp_ms), count(*) AS traces
  FROM window_traces WHERE finished_ms IS NOT NULL GROUP BY 1)
SELECT row_number() OVER (ORDER BY ms IS NULL, ms) AS row, ms, range.label,
       coalesce(traces, 0) AS traces, trace_id
FROM range LEFT JOIN seen ON seen.label = range.label;
INSERT INTO cell
SELECT 'latency', row, 1, 'Duration', 'text', label, NULL FROM bucket
UNION ALL SELECT 'latency', row, 2, 'Requests', 'count', traces, trace_id FROM bucket
UNION ALL SELECT 'latency', row, 3, 'Share', 'share',
  traces * 1.0 / (SELECT sum(traces) FROM bucket), NULL FROM bucket;

-- Percentiles over time: by hour in a window of two days or less, by day, week or month.
CREATE TEMP TABLE moment AS
WITH seen AS (
  SELECT time_bucket(CASE WHEN days <= 2 THEN '1 hour' WHEN days <= 62 THEN '1 day'
                          WHEN days <= 400 THEN '1 week' ELSE '1 month' END,
                     timestamp_ms, zone) AS at_ms, status, finished_ms, trace_id
  FROM window_traces, report_settings),
placed AS (
  SELECT *, row_number() OVER (PARTITION BY at_ms ORDER BY finished_ms) AS place,
         count(*) OVER (PARTITION BY at_ms) AS n
  FROM seen WHERE finished_ms IS NOT NULL),
example AS (
  SELECT at_ms, max(trace_id) FILTER (WHERE place = 1 + CAST((n - 1) * 0.5 AS INTEGER)) AS p50,
         max(trace_id) FILTER (WHERE place = 1 + CAST(round((n - 1) * 0.95) AS INTEGER)) AS p95
  FROM placed GROUP BY at_ms)
SELECT row_number() OVER (ORDER BY seen.at_ms) AS row, seen.at_ms AS at_ms, count(*) AS traces,
       avg(status = 'OK') FILTER (WHERE status IN ('OK', 'ERROR')) AS success_rate,
       percentile(finished_ms, 50) AS p50_ms, example.p50 AS p50_trace_id,
       percentile(finished_ms, 95) AS p95_ms, example.p95 AS p95_trace_id
FROM seen LEFT JOIN example ON example.at_ms = seen.at_ms GROUP BY seen.at_ms;
INSERT INTO cell
SELECT 'over-time', row, 1, 'From', 'text', strftime(iif(days <= 2, '%m-%d %H:%M', '%Y-%m-%d'),
         at_ms / 1000, 'unixepoch', zone_modifier), NULL FROM moment, about, report_settings
UNION ALL SELECT 'over-time', row, 2, 'Requests', 'count', traces, NULL FROM moment
UNION ALL SELECT 'over-time', row, 3, 'Success', 'share', success_rate, NULL FROM moment
UNION ALL SELECT 'over-time', row, 4, 'Median', 'ms', p50_ms, p50_trace_id FROM moment
UNION ALL SELECT 'over-time', row, 5, '95th percentile', 'ms', p95_ms, p95_trace_id FROM moment;

-- Volume of the last 24 hours, oldest first. The example is a failed request where there is one.
CREATE TEMP TABLE hour AS
SELECT row_number() OVER (ORDER BY v.hour_ms) AS row, v.hour, requests, errors, trace_id
FROM hourly_volume AS v LEFT JOIN (
  SELECT time_bucket('1 hour', timestamp_ms, zone) AS hour_ms, trace_id,
         max((status = 'ERROR') * 1e14 + timestamp_ms)
  FROM window_traces, about WHERE timestamp_ms >= until_ms - 90000000 GROUP BY 1) AS example
  ON example.hour_ms = v.hour_ms;
INSERT INTO cell
SELECT 'volume', row, 1, 'Hour', 'text', hour, NULL FROM hour
UNION ALL SELECT 'volume', row, 2, 'Requests', 'count', requests, trace_id FROM hour
UNION ALL SELECT 'volume', row, 3, 'Failed', 'count', errors, NULL FROM hour;

-- This window and the one before it.
CREATE TEMP TABLE shown_change AS
SELECT row_number() OVER (ORDER BY metric <> 'success_rate', metric) AS row, metric, n_before,
       before, now, low, high, CASE WHEN verdict NOT IN ('higher', 'lower') THEN verdict
         WHEN (verdict = 'higher') = (metric = 'success_rate') THEN 'better' ELSE 'worse' END
         AS verdict,
       CASE metric WHEN 'success_rate' THEN 'Success rate' WHEN 'p50_latency_ms'
         THEN 'Median latency' ELSE '95th percentile' END AS title
FROM compare_periods, cap, about
WHERE NOT is_capped AND coalesce(kept_from_ms <= 2 * from_ms - until_ms, true);
INSERT INTO cell
SELECT 'changes', row, 1, 'Measure', 'text', title, NULL FROM shown_change
UNION ALL SELECT 'changes', row, column1, column2, iif(metric = 'success_rate', 'share', 'ms'),
  iif(column1 = 2, before, now), NULL
FROM shown_change, (VALUES (2, 'Before'), (3, 'Now'))
UNION ALL SELECT 'changes', row, 4, 'Change, 95% interval', 'range', CASE
    WHEN low IS NULL OR high IS NULL OR verdict = 'too few' THEN NULL
    WHEN metric = 'success_rate' THEN printf('%+.1f to %+.1f points', 100 * low, 100 * high)
    WHEN max(abs(low), abs(high)) < 1000 THEN printf('%+.0f to %+.0f ms', low, high)
    ELSE printf('%+.1f to %+.1f s', low / 1e3, high / 1e3) END, NULL FROM shown_change
UNION ALL SELECT 'changes', row, 5, 'Verdict', 'verdict', verdict, NULL FROM shown_change;

-- Failed requests whose spans were not read.
CREATE TEMP TABLE unread AS
SELECT count(*) AS requests FROM window_traces
WHERE status = 'ERROR' AND trace_id NOT IN (SELECT trace_id FROM spans);

-- Errors by what failed: of the failed requests whose spans were read; were not all of them read,
-- at_least is 1. What has no message comes last and is never new, and nothing is where the begin of
-- the window, or of its spans, was not read.
CREATE TEMP TABLE shown_error AS
SELECT row_number() OVER (ORDER BY is_named DESC, is_new AND traces >= 3 DESC, traces DESC,
                                   last_seen_ms DESC) AS row, *
FROM (SELECT coalesce(exception_type || ': ', '')
             || coalesce(message, 'no message' || iif(requests, ', or spans not read', '')) AS what,
             traces, first_seen_ms, last_seen_ms, example_trace_id, is_named,
             is_named AND requests > 0 AS at_least,
             is_named AND is_new AND NOT is_window_capped AND spans_from_ms = from_ms AS is_new
      FROM (SELECT *, coalesce(exception_type, message) IS NOT NULL AS is_named FROM error_groups),
           cap, unread, about)
ORDER BY row LIMIT 10;
INSERT INTO cell
SELECT 'errors', row, 1, 'Error', 'text', substr(what, 1, 300), example_trace_id FROM shown_error
UNION ALL SELECT 'errors', row, 2, 'Requests', iif(at_least, 'least', 'count'), traces, NULL
FROM shown_error
UNION ALL SELECT 'errors', row, 3, 'First seen', 'stamp', first_seen_ms, NULL FROM shown_error
UNION ALL SELECT 'errors', row, 4, 'Last seen', 'stamp', last_seen_ms, NULL FROM shown_error
UNION ALL SELECT 'errors', row, 5, 'New', 'verdict', iif(is_new, 'new', ''), NULL FROM shown_error;

-- Shares of time and of cost, by type of span and by model, estimated from the sample: the ratio of
-- two sums over its traces, with the 95 % interval of W. G. Cochran, Sampling Techniques, 3rd ed.
-- 1977, section 6.4. Where the sample is the whole window the interval has no width. weight is how
-- many traces one of the sample stands for.
CREATE TEMP TABLE sampling AS
SELECT n, total, total * 1.0 / n AS weight, sqrt((1 - n * 1.0 / total) * n / (n - 1)) AS spread
FROM (SELECT count(*) AS n, (SELECT count(*) FROM window_traces) AS total FROM sample);

-- What models did in the sample, a row a span; and as model X'', which no name equals, what traces
-- cost beside. A span of call_kind 2 (llm_spans) is a call. One of kind 1, with tokens or a cost, is
-- one if it is not in such a call and has no call in it: an agent may name a model, too, and have
-- what its calls have. So tokens and cost, each for itself, are of a span of kind 1 only where no
-- call in it has them; of calls of kind 2 within each other they are the outermost's.
CREATE TEMP TABLE model_amount AS
WITH RECURSIVE
call AS MATERIALIZED (
  SELECT *, total_cost IS NOT NULL AS has_cost FROM llm_spans
  WHERE trace_id IN (SELECT trace_id FROM sample)
    AND (has_tokens OR total_cost IS NOT NULL OR call_kind = 2 AND model_name IS NOT NULL)),
around AS (
  SELECT trace_id, NULL AS span_id, parent_span_id, depth, has_tokens, has_cost FROM call
  WHERE call_kind > 0
  UNION
  SELECT s.trace_id, s.span_id, s.parent_span_id, s.depth, has_tokens, has_cost
  FROM around JOIN spans AS s ON s.trace_id = around.trace_id
    AND s.span_id = around.parent_span_id
    AND s.depth < around.depth),  -- parents that go in a circle end here
outer_span AS MATERIALIZED (
  SELECT trace_id, span_id, max(has_tokens) AS tokens_inside, max(has_cost) AS cost_inside
  FROM around GROUP BY trace_id, span_id),
part AS MATERIALIZED (
  SELECT call.trace_id, iif(call_kind, model_name, X'') AS model, duration_ms,
         call_kind = 2 OR call_kind = 1 AND o.span_id IS NULL
           AND max(tokens_within, cost_within) < 2 AS is_call,
         tokens_within < 2 AND (call_kind <> 1 OR coalesce(tokens_inside, 0) = 0) AS own_tokens,
         cost_within < 2 AND (call_kind <> 1 OR coalesce(cost_inside, 0) = 0) AS own_cost,
         has_tokens, input_tokens, output_tokens, total_tokens, total_cost
  FROM call LEFT JOIN outer_span AS o ON o.trace_id = call.trace_id AND o.span_id = call.span_id)
SELECT trace_id, model, iif(is_call, duration_ms, NULL) AS duration_ms, is_call,
       iif(own_tokens, input_tokens, NULL) AS input_tokens,
       iif(own_tokens, output_tokens, NULL) AS output_tokens,
       iif(own_tokens, total_tokens, NULL) AS total_tokens,
       iif(own_cost, total_cost, NULL) AS total_cost
FROM part WHERE is_call OR own_tokens AND has_tokens OR own_cost AND total_cost IS NOT NULL
UNION ALL
SELECT trace_id, X'', NULL, 0, NULL, NULL, NULL, total_cost - known_cost
FROM (SELECT t.trace_id, t.total_cost, coalesce(sum(part.total_cost) FILTER (WHERE own_cost), 0)
               AS known_cost
      FROM window_traces AS t LEFT JOIN part ON part.trace_id = t.trace_id
      WHERE t.trace_id IN (SELECT trace_id FROM sample) GROUP BY t.trace_id)
WHERE total_cost - known_cost > 1e-9 * total_cost;  -- more than what rounding leaves
CREATE TEMP TABLE amount AS
SELECT 'types' AS section, span_type AS part, trace_id, sum(critical_path_ms) AS amount
FROM spans WHERE trace_id IN (SELECT trace_id FROM sample) GROUP BY span_type, trace_id
UNION ALL
SELECT 'models', model, trace_id, sum(total_cost * 1.0) FROM model_amount GROUP BY model, trace_id;
CREATE TEMP TABLE estimate AS
WITH whole AS MATERIALIZED (
  SELECT section, trace_id, sum(amount) AS amount FROM amount GROUP BY section, trace_id),
sums AS MATERIALIZED (
  SELECT section, sum(amount) AS amount, sum(amount * amount) AS squares FROM whole
  GROUP BY section HAVING sum(amount) > 0),
ratio AS (
  SELECT section, part, sum(a.amount) / sums.amount AS share, sums.amount, squares,
         sum(a.amount * a.amount) AS own_squares, sum(a.amount * whole.amount) AS products
  FROM amount AS a JOIN whole USING (section, trace_id) JOIN sums USING (section)
  GROUP BY section, part)
SELECT section, part, share, coalesce(1.96 * spread / amount
         * sqrt(max(0, own_squares - 2 * share * products + share * share * squares)), 0) AS margin
FROM ratio, sampling WHERE share IS NOT NULL;
CREATE TEMP VIEW estimate_range AS
SELECT section, part, share, margin,
       printf('%.1f to %.1f%%', 100 * max(0, share - margin), 100 * min(1, share + margin)) AS range
FROM estimate;

-- Where the time goes: spans by type.
CREATE TEMP TABLE shown_type AS
SELECT row_number() OVER (ORDER BY share DESC, spans DESC) AS row, *
FROM (SELECT span_type, round(count(*) * weight) AS spans,
             percentile(self_time_ms, 95) AS p95_self_ms, max(duration_ms) AS longest_ms, trace_id
      FROM spans, sampling WHERE trace_id IN (SELECT trace_id FROM sample) GROUP BY span_type)
  LEFT JOIN estimate_range ON section = 'types' AND part IS span_type
LIMIT 12;
INSERT INTO cell
SELECT 'types', row, 1, 'Span type', 'text', span_type, NULL FROM shown_type
UNION ALL SELECT 'types', row, 2, 'Share of time', 'share', share, NULL FROM shown_type
UNION ALL SELECT 'types', row, 3, '95% interval', 'range', range, NULL FROM shown_type
UNION ALL SELECT 'types', row, 4, 'Spans', 'count', spans, NULL FROM shown_type
UNION ALL SELECT 'types', row, 5, 'Own, p95', 'ms', p95_self_ms, NULL FROM shown_type
UNION ALL SELECT 'types', row, 6, 'Longest', 'ms', longest_ms, trace_id FROM shown_type;

-- The slowest requests.
CREATE TEMP TABLE shown_slow AS SELECT row_number() OVER () AS row, * FROM slowest;
INSERT INTO cell
SELECT 'slowest', row, 1, 'Request', 'text', coalesce(name || ': ', '') || substr(coalesce(
         iif(json_valid(request_preview), request_preview ->> '$.messages[#-1].content', NULL),
         request_preview, ''), 1, 120), trace_id FROM shown_slow
UNION ALL SELECT 'slowest', row, 2, 'Took', 'ms', execution_time_ms, NULL FROM shown_slow
UNION ALL SELECT 'slowest', row, 3, 'Busiest span', 'text', busiest_span, NULL FROM shown_slow
UNION ALL SELECT 'slowest', row, 4, 'Its own time', 'ms', busiest_ms, NULL FROM shown_slow
UNION ALL SELECT 'slowest', row, 5, 'Status', 'text', status, NULL FROM shown_slow;

-- Tokens and cost by model. The cost is the model's share of what the whole window cost, which its
-- traces say; calls and tokens are the sample's, times the weight. The example is the slowest call.
CREATE TEMP TABLE shown_model AS
SELECT row_number() OVER (ORDER BY share DESC, calls DESC) AS row, *,
       share * (SELECT sum(total_cost * 1.0) FROM window_traces) AS total_cost
FROM (SELECT model, nullif(round(sum(is_call) * weight), 0) AS calls,
             round(sum(input_tokens * 1.0) * weight) AS input_tokens,
             round(sum(output_tokens * 1.0) * weight) AS output_tokens,
             round(sum(total_tokens * 1.0) * weight) AS total_tokens,
             percentile(duration_ms, 95) AS p95_ms, max(duration_ms), trace_id AS slowest_trace_id
      FROM model_amount, sampling GROUP BY model)
  LEFT JOIN estimate_range ON section = 'models' AND part IS model
LIMIT 10;
INSERT INTO cell
SELECT 'models', row, 1, 'Model', 'text',
  iif(model = X'', '(not a model)', coalesce(model, 'unknown')), slowest_trace_id
FROM shown_model
UNION ALL SELECT 'models', row, 2, 'Cost', 'dollars', total_cost, NULL FROM shown_model
UNION ALL SELECT 'models', row, 3, 'Calls', 'count', calls, NULL FROM shown_model
UNION ALL SELECT 'models', row, 4, 'Share of cost, 95%', 'range', range, NULL FROM shown_model
UNION ALL SELECT 'models', row, 5, 'Tokens in', 'count', input_tokens, NULL FROM shown_model
UNION ALL SELECT 'models', row, 6, 'Tokens out', 'count', output_tokens, NULL FROM shown_model
UNION ALL SELECT 'models', row, 7, 'Call, p95', 'ms', p95_ms, NULL FROM shown_model;

-- Feedback by scorer. The example is a failed one, else any.
CREATE TEMP TABLE shown_scorer AS
SELECT row_number() OVER (ORDER BY s.scorer, s.source_type) AS row, s.*, example.trace_id
FROM scorer_quality AS s LEFT JOIN (
  SELECT name, source_type, trace_id,
         max((value_json IN ('"no"', 'false')) * 1e14 + create_time_ms)
  FROM assessments WHERE assessment_type = 'feedback' AND valid = 1 GROUP BY name, source_type)
  AS example ON example.name = s.scorer AND example.source_type IS s.source_type
LIMIT 30;
INSERT INTO cell
SELECT 'scorers', row, 1, 'Scorer', 'text', scorer, trace_id FROM shown_scorer
UNION ALL SELECT 'scorers', row, 2, 'By', 'text', source_type, NULL FROM shown_scorer
UNION ALL SELECT 'scorers', row, 3, 'Given', 'count', given, NULL FROM shown_scorer
UNION ALL SELECT 'scorers', row, 4, 'Passed', 'share', pass_rate, NULL FROM shown_scorer
UNION ALL SELECT 'scorers', row, 5, '95%', 'range', iif(pass_rate IS NULL, NULL,
  printf('%.0f to %.0f%%', 100 * pass_low, 100 * pass_high)), NULL FROM shown_scorer
UNION ALL SELECT 'scorers', row, 6, 'Mean', 'range',
  iif(pass_rate IS NULL AND mean_value IS NOT NULL,
  printf('%.2f', mean_value), NULL), NULL FROM shown_scorer
UNION ALL SELECT 'scorers', row, 7, 'Crashed', 'count', nullif(judge_errors, 0), NULL
FROM shown_scorer;

-- The foot.
INSERT INTO cell
SELECT 'foot', 1, 1, 'fetched', 'text', iif(synced_at_ms IS NULL, printf(
    'Fetched in %.1f s: %,d requests, %.1f MB, %,d traces of this window and the one before it.',
    seconds, requests, bytes / 1e6, traces), printf(
    'From a mirror as of %s (%s old): %,d traces of this window and the one before.',
    strftime('%Y-%m-%d %H:%M', synced_at_ms / 1000, 'unixepoch', zone_modifier),
    CASE WHEN age_s < 5400 THEN printf('%.0f min', age_s / 60)
         WHEN age_s < 172800 THEN printf('%.0f h', age_s / 3600)
         ELSE printf('%.0f days', age_s / 86400) END, traces)), NULL
FROM receipt, (SELECT *, began_s - synced_at_ms / 1000.0 AS age_s FROM about)
UNION ALL SELECT 'foot', 1, 2, 'fetched', 'text', printf(
  'With them %,d assessments, and %,d spans of %,d traces: %,d drawn at random, failed, slowest.',
  assessments, spans, span_traces, sample_traces), NULL FROM receipt
UNION ALL SELECT 'foot', 1, 3, 'capped', 'text', printf(
  'Only the newest %,d traces were read: there are more in these windows.', traces_max), NULL
FROM about, cap WHERE is_capped
UNION ALL SELECT 'foot', 1, 4, 'capped', 'text', iif(spans_from_ms >= until_ms,
  'The mirror keeps no spans of this window: nothing is said of what only spans tell.',
  printf('The mirror keeps spans since %s: what only spans tell is of the requests from then on.',
         strftime('%Y-%m-%d %H:%M', spans_from_ms / 1000, 'unixepoch', zone_modifier))), NULL
FROM about WHERE spans_from_ms > from_ms;
