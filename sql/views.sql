-- Saved views over traces, spans and assessments (tables.sql), and the settings that they share.
--
--   .read sql/tables.sql
--   .read sql/views.sql
--   SELECT * FROM trace_quality;
--   UPDATE report_settings SET days = 14, zone = 'localtime';
--
-- The views stay in the database file, the traces on the server: each SELECT reads it anew. Reading
-- the script again renews the views and keeps the settings.
--
-- Where a view says "window", it is that of report_settings: the last `days` days. failing_cases,
-- judge_errors and span_profile have no window. A condition of yours on one of the columns that a
-- comment below calls sent reaches the server through the view. Means and percentiles of latencies
-- are rounded to a tenth of a millisecond.

SAVEPOINT views;

CREATE TABLE IF NOT EXISTS report_settings(
  one         INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
  days        NUMERIC NOT NULL DEFAULT 7  -- 0.25 is six hours
              CHECK (typeof(days) IN ('integer', 'real') AND days > 0 AND days <= 3660),
  sample_size INTEGER NOT NULL DEFAULT 50
              CHECK (typeof(sample_size) = 'integer' AND sample_size BETWEEN 0 AND 1000000),
  seed        INTEGER NOT NULL DEFAULT 42 CHECK (typeof(seed) = 'integer'),
  zone        TEXT NOT NULL DEFAULT 'UTC'  -- whose days and hours; '+02:00' and the like, too
              CHECK (zone IN ('UTC', 'localtime') OR (
                zone GLOB '[-+][01][0-9]:[0-5][0-9]' AND substr(zone, 2) <= '14:00')),
  until_ms    INTEGER CHECK (typeof(until_ms) IN ('integer', 'null'))  -- NULL: now
);
INSERT OR IGNORE INTO report_settings DEFAULT VALUES;

-- The window, half-open, and how SQLite's date functions call its zone.
DROP VIEW IF EXISTS report_window;
CREATE VIEW report_window AS
SELECT until_ms - CAST(round(days * 86400000) AS INTEGER) AS from_ms, until_ms, zone,
       iif(zone = 'UTC', '+00:00', zone) AS zone_modifier
FROM (SELECT days, zone, coalesce(until_ms,
               CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) + 1) AS until_ms
      FROM report_settings);

-- Pattern 3: how good and how fast? One row, over no traces too. success_rate is over finished
-- traces, with its 95 % interval (Wilson), and so are latencies, of those that have one: a trace in
-- progress may have the time that it took so far. sample_errors holds
-- the five newest errors and five random ones.
DROP VIEW IF EXISTS trace_quality;
CREATE VIEW trace_quality AS
WITH seen AS MATERIALIZED (
  SELECT count(*) AS total, count(*) FILTER (WHERE status IN ('OK', 'ERROR')) AS finished,
         count(*) FILTER (WHERE status = 'IN_PROGRESS') AS in_progress,
         count(*) FILTER (WHERE status = 'OK') AS ok_count,
         count(*) FILTER (WHERE status = 'ERROR') AS error_count,
         round(avg(finished_ms), 1) AS avg_latency_ms,
         round(percentile(finished_ms, 50), 1) AS p50_latency_ms,
         round(percentile(finished_ms, 95), 1) AS p95_latency_ms,
         round(percentile(finished_ms, 99), 1) AS p99_latency_ms,
         strata(trace_id, status, 5, (SELECT seed FROM report_settings))
           FILTER (WHERE status = 'ERROR') AS errors
  FROM (SELECT trace_id, status, timestamp_ms,
               iif(status IN ('OK', 'ERROR'), execution_time_ms, NULL) AS finished_ms
        FROM traces)
  WHERE timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
chosen AS MATERIALIZED (
  SELECT trace_id, 'newest' AS chosen, row_number() OVER (ORDER BY timestamp_ms DESC) AS position
  FROM (SELECT trace_id, timestamp_ms FROM traces
        WHERE status = 'ERROR' AND timestamp_ms >= (SELECT from_ms FROM report_window)
          AND timestamp_ms < (SELECT until_ms FROM report_window)
        ORDER BY timestamp_ms DESC LIMIT 5)
  UNION ALL
  SELECT s.key, 'random', 5 + s.position FROM seen, stratified_sample(seen.errors) AS s),
requests AS MATERIALIZED (
  SELECT trace_id, request FROM traces WHERE trace_id IN (SELECT trace_id FROM chosen))
SELECT total, finished, in_progress, ok_count * 1.0 / nullif(finished, 0) AS success_rate,
       wilson_low(ok_count, finished) AS success_low,
       wilson_high(ok_count, finished) AS success_high,
       error_count, avg_latency_ms, p50_latency_ms, p95_latency_ms, p99_latency_ms,
       (SELECT json_group_array(json_object('trace_id', trace_id, 'chosen', chosen, 'request',
                 CASE WHEN json_valid(request) THEN json(request) ELSE request END))
        FROM (SELECT chosen.trace_id, chosen, request
              FROM chosen LEFT JOIN requests USING (trace_id) ORDER BY position)) AS sample_errors
FROM seen;

-- Pattern 4: what a scorer failed, as cases for regression tests. Feedback alone, valid (not
-- overridden since), whose value is 'no' or false, of all time.
--
-- WHERE run_id = 'R' is: evaluated in R, whether R logged the traces or they are linked to it. Only
-- the server knows the links, so run_id shows what you ask for, and is NULL where you ask for none.
-- To group by run, read evaluated_in: the run that gave the feedback. Feedback given by hand is of
-- no run: then it is the run that you ask for, else the run that logged the trace.
--
-- Sent: run_id, scorer, trace_id, timestamp_ms. Payloads are fetched where inputs or outputs are
-- read.
DROP VIEW IF EXISTS failing_cases;
CREATE VIEW failing_cases AS
SELECT a.trace_id, a.in_run AS run_id, coalesce(a.run_id, a.in_run, a.trace_run_id) AS evaluated_in,
       a.name AS scorer, t.request AS inputs, t.response AS outputs,
       coalesce(a.rationale, 'Unknown') AS failure_reason, a.source_type, a.source_id,
       a.timestamp_ms
FROM assessments AS a CROSS JOIN traces AS t ON t.trace_id = a.trace_id
WHERE a.assessment_type = 'feedback' AND a.valid = 1 AND a.value_json IN ('"no"', 'false');

-- Pattern 4: judges that crashed: neither pass nor fail. Of all time; run_id and evaluated_in are as
-- in failing_cases. Sent: run_id, scorer, trace_id, timestamp_ms.
DROP VIEW IF EXISTS judge_errors;
CREATE VIEW judge_errors AS
SELECT trace_id, in_run AS run_id, coalesce(run_id, in_run, trace_run_id) AS evaluated_in,
       name AS scorer, error_code, error_message, source_type, source_id, timestamp_ms
FROM assessments
WHERE assessment_type = 'feedback' AND valid = 1 AND error_code IS NOT NULL;

-- What judges and people said of the window's traces, a row a scorer and kind of source: passes are
-- 'yes' and true, failures 'no' and false, numbers have a mean. Sent: scorer.
DROP VIEW IF EXISTS scorer_quality;
CREATE VIEW scorer_quality AS
SELECT name AS scorer, source_type, count(*) AS given, sum(passed) AS passed,
       sum(1 - passed) AS failed, avg(passed) AS pass_rate,
       wilson_low(sum(passed), count(passed)) AS pass_low,
       wilson_high(sum(passed), count(passed)) AS pass_high, avg(value_num) AS mean_value,
       count(error_code) AS judge_errors
FROM (SELECT name, source_type, value_num, error_code,
             CASE WHEN value_json IN ('"yes"', 'true') THEN 1
                  WHEN value_json IN ('"no"', 'false') THEN 0 END AS passed
      FROM assessments
      WHERE assessment_type = 'feedback' AND valid = 1
        AND timestamp_ms >= (SELECT from_ms FROM report_window)
        AND timestamp_ms < (SELECT until_ms FROM report_window))
GROUP BY name, source_type;

-- Pattern 5: where the time of a trace goes, by type of span. wall_time_s counts time once in which
-- several spans of the type ran; self_time_s leaves out what a span's children did, whatever their
-- type; critical_time_s is what the trace would be shorter without. Sent: trace_id. So is its
-- = (SELECT …), which SQLite does not let into a view that groups: so traces stand outside, and what
-- groups is inside of an argument. Without a condition on trace_id the view reads the spans of all
-- traces of all time.
DROP VIEW IF EXISTS span_profile;
CREATE VIEW span_profile AS
SELECT traces.trace_id, value ->> 0 AS span_type, value ->> 1 AS count,
       (value ->> 2) / 1e9 AS total_time_s, (value ->> 3) / 1e9 AS wall_time_s,
       (value ->> 4) / 1e9 AS self_time_s, (value ->> 5) / 1e9 AS critical_time_s,
       (value ->> 2) / 1e9 / (value ->> 6) AS avg_time_s, (value ->> 7) / 1e9 AS max_time_s
FROM traces CROSS JOIN json_each((
  SELECT json_group_array(json_array(span_type, count, total_ns, wall_ns, self_ns, critical_ns,
                                     ended, max_ns))
  FROM (SELECT span_type, count(*) AS count, sum(end_time_ns - start_time_ns) AS total_ns,
               sum(max(0, end_time_ns - max(start_time_ns, coalesce(covered_ns, start_time_ns))))
                 AS wall_ns,
               CAST(round(sum(self_time_ms) * 1e6) AS INTEGER) AS self_ns,
               CAST(round(sum(critical_path_ms) * 1e6) AS INTEGER) AS critical_ns,
               count(end_time_ns) AS ended, max(end_time_ns - start_time_ns) AS max_ns
        FROM (SELECT span_type, start_time_ns, end_time_ns, self_time_ms, critical_path_ms,
                     max(end_time_ns) OVER (PARTITION BY span_type ORDER BY start_time_ns
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_ns
              FROM spans WHERE spans.trace_id = traces.trace_id)
        GROUP BY span_type)));

-- Pattern 6: sample_size finished traces of the window, spread evenly over errors and fast (< 1 s),
-- medium and slow (>= 5 s) successes; weight is how many traces a row stands for. The same seed
-- over the same traces is the same sample.
DROP VIEW IF EXISTS diverse_eval_dataset;
CREATE VIEW diverse_eval_dataset AS
WITH sample AS MATERIALIZED (
  SELECT key, stratum, weight, position
  FROM stratified_sample((
    SELECT strata(trace_id, iif(status = 'OK', latency_class(execution_time_ms), status),
                  (SELECT sample_size FROM report_settings), (SELECT seed FROM report_settings))
    FROM traces
    WHERE status IN ('OK', 'ERROR') AND timestamp_ms >= (SELECT from_ms FROM report_window)
      AND timestamp_ms < (SELECT until_ms FROM report_window)))),
payloads AS MATERIALIZED (
  SELECT trace_id, request AS inputs, response AS outputs
  FROM traces WHERE trace_id IN (SELECT key FROM sample))
SELECT trace_id, stratum, weight, inputs, outputs
FROM sample JOIN payloads ON payloads.trace_id = sample.key
ORDER BY position;

-- Pattern 7: the quality of each day of the zone, newest first, days without traces too: today so
-- far and the whole days before it, `days` rows in all, rounded up.
DROP VIEW IF EXISTS daily_quality;
CREATE VIEW daily_quality AS
WITH RECURSIVE days(day_ms, place) AS (
  SELECT time_bucket('1 day', until_ms - 1, zone), 1 FROM report_window
  UNION ALL
  SELECT time_bucket('1 day', day_ms - 1, zone), place + 1 FROM days, report_window
  WHERE place < (SELECT days FROM report_settings)),
seen AS MATERIALIZED (
  SELECT time_bucket('1 day', timestamp_ms, (SELECT zone FROM report_window)) AS day_ms,
         count(*) AS total_requests,
         avg(status = 'OK') FILTER (WHERE status IN ('OK', 'ERROR')) AS success_rate,
         count(*) FILTER (WHERE status = 'ERROR') AS error_count,
         round(avg(finished_ms), 1) AS mean_latency_ms,
         round(percentile(finished_ms, 50), 1) AS p50_latency_ms,
         round(percentile(finished_ms, 95), 1) AS p95_latency_ms
  FROM (SELECT status, timestamp_ms,
               iif(status IN ('OK', 'ERROR'), execution_time_ms, NULL) AS finished_ms
        FROM traces)
  WHERE timestamp_ms >= (SELECT min(day_ms) FROM days)
    AND timestamp_ms < (SELECT until_ms FROM report_window)
  GROUP BY 1)
SELECT date(days.day_ms / 1000, 'unixepoch', zone_modifier) AS day,
       coalesce(total_requests, 0) AS total_requests, success_rate,
       coalesce(error_count, 0) AS error_count, mean_latency_ms, p50_latency_ms, p95_latency_ms
FROM days JOIN report_window LEFT JOIN seen USING (day_ms)
ORDER BY days.day_ms DESC;

-- Pattern 7: the trailing 24 hours of the zone's clocks, newest first, empty ones too: this hour so
-- far and the 23 before it.
DROP VIEW IF EXISTS hourly_volume;
CREATE VIEW hourly_volume AS
WITH RECURSIVE hours(hour_ms, place) AS (
  SELECT time_bucket('1 hour', until_ms - 1, zone), 1 FROM report_window
  UNION ALL
  SELECT time_bucket('1 hour', hour_ms - 1, zone), place + 1 FROM hours, report_window
  WHERE place < 24),
seen AS MATERIALIZED (
  SELECT time_bucket('1 hour', timestamp_ms, (SELECT zone FROM report_window)) AS hour_ms,
         count(*) AS requests, count(*) FILTER (WHERE status = 'ERROR') AS errors
  FROM traces
  WHERE timestamp_ms >= (SELECT min(hour_ms) FROM hours)
    AND timestamp_ms < (SELECT until_ms FROM report_window)
  GROUP BY 1)
SELECT strftime('%Y-%m-%d %H:%M', hours.hour_ms / 1000, 'unixepoch', zone_modifier) AS hour,
       coalesce(requests, 0) AS requests, coalesce(errors, 0) AS errors, hours.hour_ms AS hour_ms
FROM hours JOIN report_window LEFT JOIN seen USING (hour_ms)
ORDER BY hours.hour_ms DESC;

-- Conversations with a turn in the window, a row a session, and all their turns before the window's
-- end: those before its begin, too. Requests and responses are previews. A session ended with bad
-- feedback if valid feedback on its last turn, or on the session as a whole, is 'no' or false.
-- duration_ms is from the first turn's start to the end of the one that ended last. Sent:
-- session_id. Without it each session is asked for, until that has cost a part of reading all traces.
DROP VIEW IF EXISTS sessions;
CREATE VIEW sessions AS
SELECT session_id, user_id, turns, errors, first_ms, timestamp_ms AS last_ms, duration_ms, busy_ms,
       slowest_turn_ms, total_tokens, total_cost, first_request, response_preview AS last_response,
       trace_id AS last_trace_id, status AS last_status, status = 'ERROR' AS ended_in_error,
       max(turn_bad, session_bad) AS ended_with_bad_feedback
FROM (SELECT session_id, trace_id, timestamp_ms, status, response_preview,
             bad IS NOT NULL AS turn_bad,
             row_number() OVER turns AS turn, count(*) OVER turns AS turns,
             min(user_id) OVER turns AS user_id, sum(status = 'ERROR') OVER turns AS errors,
             min(timestamp_ms) OVER turns AS first_ms,
             max(end_time_ms) OVER turns - min(timestamp_ms) OVER turns AS duration_ms,
             sum(execution_time_ms) OVER turns AS busy_ms,
             max(execution_time_ms) OVER turns AS slowest_turn_ms,
             sum(total_tokens) OVER turns AS total_tokens, sum(total_cost) OVER turns AS total_cost,
             first_value(request_preview) OVER turns AS first_request,
             max(coalesce(bad, 0)) OVER turns AS session_bad
      FROM (SELECT now.session_id, t.trace_id, user_id, status, timestamp_ms, end_time_ms,
                   execution_time_ms, total_tokens, total_cost, request_preview, response_preview,
                   (SELECT max(f.value ->> '$.metadata."mlflow.trace.session"' IS now.session_id)
                    FROM json_each(assessments) AS f
                    WHERE json_extract(f.value, '$.feedback.value') IN ('no', 0)
                      AND json_type(f.value, '$.feedback.value') IN ('text', 'false')
                      AND f.value ->> '$.valid' IS NOT 0) AS bad  -- 1: of the session
            FROM (SELECT DISTINCT session_id FROM traces
                  WHERE session_id IS NOT NULL
                    AND timestamp_ms >= (SELECT from_ms FROM report_window)
                    AND timestamp_ms < (SELECT until_ms FROM report_window)) AS now
              CROSS JOIN traces AS t ON t.session_id = now.session_id
            WHERE t.timestamp_ms < (SELECT until_ms FROM report_window))
      WINDOW turns AS (PARTITION BY session_id ORDER BY timestamp_ms, trace_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
WHERE turn = turns;

-- The window's tools, a row each, and what came after a failed call: the same tool was called again
-- in the trace once it had ended (retried), such a call did not fail (recovered), or the trace
-- itself failed. error_low and error_high count traces, not calls: those of one trace often fail
-- together. slowest_trace_id has the call of max_ms. This view reads all spans of the window.
DROP VIEW IF EXISTS tool_calls;
CREATE VIEW tool_calls AS
SELECT tool, count(*) AS calls, sum(failed) AS errors, avg(failed) AS error_rate,
       wilson_low(avg(failed) * count(DISTINCT trace_id), count(DISTINCT trace_id)) AS error_low,
       wilson_high(avg(failed) * count(DISTINCT trace_id), count(DISTINCT trace_id)) AS error_high,
       count(*) FILTER (WHERE failed AND last_ns >= end_time_ns AND last_ns > start_time_ns)
         AS retried,
       count(*) FILTER (WHERE failed AND last_good_ns >= end_time_ns) AS recovered,
       count(*) FILTER (WHERE failed AND trace_id IN (
         SELECT trace_id FROM traces
         WHERE status = 'ERROR' AND timestamp_ms >= (SELECT from_ms FROM report_window)
           AND timestamp_ms < (SELECT until_ms FROM report_window))) AS trace_failed,
       round(percentile(duration_ms, 50), 1) AS p50_ms,
       round(percentile(duration_ms, 95), 1) AS p95_ms,
       round(max(duration_ms), 1) AS max_ms, trace_id AS slowest_trace_id
FROM (SELECT name AS tool, trace_id, status IS 'ERROR' AS failed, start_time_ns, end_time_ns,
             duration_ms, max(start_time_ns) OVER calls AS last_ns,
             max(iif(status = 'ERROR', NULL, start_time_ns)) OVER calls AS last_good_ns
      FROM spans
      WHERE span_type = 'TOOL' AND timestamp_ms >= (SELECT from_ms FROM report_window)
        AND timestamp_ms < (SELECT until_ms FROM report_window)
      WINDOW calls AS (PARTITION BY name, trace_id))
GROUP BY tool
ORDER BY calls DESC, tool;

-- The window's calls of models: call_kind is 2 for a span with the type of one, 1 for one that only
-- names a model, as an agent's may. A call that wraps another, as a framework's does its client's, has
-- that one's tokens and cost, too; so that sums can count each once, from the outermost as MLflow's
-- own do, tokens_within and cost_within are the greatest call_kind of those around a call that have
-- tokens, and a cost: 0 if there is none. price_within is that of those with tokens and a model, by
-- which a price is found.
-- call_kind is 0 for a span that neither has such a type nor names a model, but has tokens or a
-- cost, as an agent's may that its framework gives those of its calls, or a paid tool's: of the
-- outermost such span the row has what the calls in it do not have, and NULL if they have all.
-- This view and the next read all spans of the window.
DROP VIEW IF EXISTS llm_spans;
CREATE VIEW llm_spans AS
WITH RECURSIVE
known AS MATERIALIZED (
  SELECT trace_id, span_id, parent_span_id, timestamp_ms, depth, child_count, span_type, status,
         start_time_ns, duration_ms, model_provider, model_name, input_tokens, output_tokens,
         total_tokens, cache_read_input_tokens, cache_creation_input_tokens, input_cost,
         output_cost, total_cost,
         coalesce(input_tokens, output_tokens, total_tokens) IS NOT NULL AS has_tokens,
         CASE WHEN span_type IN ('CHAT_MODEL', 'LLM', 'EMBEDDING') THEN 2
              WHEN model_name IS NOT NULL THEN 1 ELSE 0 END AS call_kind
  FROM spans
  WHERE timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
reached AS MATERIALIZED (  -- tokens_in and cost_in: in which outermost span of kind 0 that has them
  SELECT *, 0 AS tokens_within, 0 AS cost_within, 0 AS price_within, NULL AS tokens_in,
         NULL AS cost_in
  FROM known WHERE depth = 0
  UNION ALL
  SELECT known.*,
         max(tokens_within, iif(reached.has_tokens, reached.call_kind, 0)),
         max(cost_within, iif(reached.total_cost IS NULL, 0, reached.call_kind)),
         max(price_within, iif(reached.has_tokens AND reached.model_name IS NOT NULL,
                               reached.call_kind, 0)),
         coalesce(tokens_in,
                  iif(reached.has_tokens AND NOT reached.call_kind, reached.span_id, NULL)),
         coalesce(cost_in, iif(reached.total_cost IS NOT NULL AND NOT reached.call_kind,
                               reached.span_id, NULL))
  FROM reached JOIN known ON known.trace_id = reached.trace_id
    AND known.parent_span_id = reached.span_id
    AND known.depth > reached.depth),  -- parents that go in a circle end here
parts AS (
  SELECT trace_id, span_id, input_tokens, output_tokens, total_tokens, cache_read_input_tokens,
         cache_creation_input_tokens, NULL AS input_cost, NULL AS output_cost, NULL AS total_cost
  FROM reached WHERE NOT call_kind AND has_tokens AND NOT tokens_within AND tokens_in IS NULL
  UNION ALL
  SELECT trace_id, tokens_in, -input_tokens, -output_tokens, -total_tokens,
         -cache_read_input_tokens, -cache_creation_input_tokens, NULL, NULL, NULL
  FROM reached WHERE call_kind AND NOT tokens_within AND tokens_in IS NOT NULL
  UNION ALL
  SELECT trace_id, span_id, NULL, NULL, NULL, NULL, NULL, input_cost, output_cost, total_cost
  FROM reached
  WHERE NOT call_kind AND total_cost IS NOT NULL AND NOT cost_within AND cost_in IS NULL
  UNION ALL
  SELECT trace_id, cost_in, NULL, NULL, NULL, NULL, NULL, -input_cost, -output_cost, -total_cost
  FROM reached WHERE call_kind AND NOT cost_within AND cost_in IS NOT NULL),
rest AS (  -- of tokens more than none, of dollars more than what rounding leaves
  SELECT trace_id, span_id,
         nullif(max(sum(input_tokens), 0), 0) AS input_tokens,
         nullif(max(sum(output_tokens), 0), 0) AS output_tokens,
         nullif(max(sum(total_tokens), 0), 0) AS total_tokens,
         nullif(max(sum(cache_read_input_tokens), 0), 0) AS cache_read_input_tokens,
         nullif(max(sum(cache_creation_input_tokens), 0), 0) AS cache_creation_input_tokens,
         iif(sum(input_cost) > 1e-9, sum(input_cost), NULL) AS input_cost,
         iif(sum(output_cost) > 1e-9, sum(output_cost), NULL) AS output_cost,
         iif(sum(total_cost) > 1e-9, sum(total_cost), NULL) AS total_cost
  FROM parts GROUP BY trace_id, span_id)
SELECT trace_id, span_id, parent_span_id, timestamp_ms, depth, child_count, span_type, status,
       start_time_ns, duration_ms, model_provider, model_name, input_tokens, output_tokens,
       total_tokens, cache_read_input_tokens, cache_creation_input_tokens, input_cost,
       output_cost, total_cost, has_tokens, call_kind, tokens_within, cost_within, price_within
FROM reached WHERE call_kind
UNION ALL
SELECT trace_id, span_id, parent_span_id, timestamp_ms, depth, child_count, span_type, status,
       start_time_ns, duration_ms, model_provider, model_name, r.input_tokens, r.output_tokens,
       r.total_tokens, r.cache_read_input_tokens, r.cache_creation_input_tokens, r.input_cost,
       r.output_cost, r.total_cost,
       coalesce(r.input_tokens, r.output_tokens, r.total_tokens) IS NOT NULL, 0, 0, 0, 0
FROM rest AS r JOIN known AS k USING (trace_id, span_id)
WHERE coalesce(r.input_tokens, r.output_tokens, r.total_tokens, r.total_cost) IS NOT NULL;

-- The window's calls of models, a row a model and type of span: tokens, dollars, and how long they
-- took. Each call counts, one within another, too; tokens and dollars count once.
DROP VIEW IF EXISTS llm_calls;
CREATE VIEW llm_calls AS
SELECT model_provider, model_name, span_type, count(*) AS calls, sum(status = 'ERROR') AS errors,
       sum(input_tokens) FILTER (WHERE tokens_within < 2) AS input_tokens,
       sum(output_tokens) FILTER (WHERE tokens_within < 2) AS output_tokens,
       sum(total_tokens) FILTER (WHERE tokens_within < 2) AS total_tokens,
       sum(input_cost) FILTER (WHERE cost_within < 2) AS input_cost,
       sum(output_cost) FILTER (WHERE cost_within < 2) AS output_cost,
       sum(total_cost) FILTER (WHERE cost_within < 2) AS total_cost,
       round(percentile(duration_ms, 50), 1) AS p50_ms,
       round(percentile(duration_ms, 95), 1) AS p95_ms,
       round(max(duration_ms), 1) AS max_ms, trace_id AS slowest_trace_id
FROM llm_spans
WHERE call_kind = 2
GROUP BY model_provider, model_name, span_type
ORDER BY calls DESC;

-- The window's failed traces by what failed, the most first: the message of the innermost span with
-- an error, of the first to end if there are several. first_seen_ms is the first in the window, not
-- of all time; is_new is 1 where that was in the last seventh of the window: the last day of a week.
-- Spans that failed in traces that ended OK are not here; they are found with
--   SELECT s.* FROM spans AS s JOIN traces AS t USING (trace_id)
--   WHERE s.status = 'ERROR' AND t.status = 'OK' AND t.request_time >= date('now', '-7 days');
-- Messages that differ in ids, numbers, paths
-- and quotes (mask_message) are one; the example is the newest trace.
DROP VIEW IF EXISTS error_groups;
CREATE VIEW error_groups AS
WITH failed AS MATERIALIZED (
  SELECT trace_id, timestamp_ms FROM traces
  WHERE status = 'ERROR' AND timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
origins AS MATERIALIZED (
  SELECT trace_id, name, exception_type, coalesce(exception_message, status_message) AS message,
         row_number() OVER (PARTITION BY trace_id
                            ORDER BY depth DESC, end_time_ns IS NULL, end_time_ns, span_id)
           AS place
  FROM spans WHERE trace_id IN (SELECT trace_id FROM failed) AND status = 'ERROR'),
causes AS (
  SELECT failed.trace_id, timestamp_ms, name, exception_type, message,
         mask_message(message) AS masked
  FROM failed LEFT JOIN origins ON origins.trace_id = failed.trace_id AND place = 1)
SELECT exception_type, masked AS message, count(*) AS traces, group_concat(DISTINCT name) AS spans,
       first_ms AS first_seen_ms, max(timestamp_ms) AS last_seen_ms,
       trace_id AS example_trace_id, message AS example_message,
       first_ms >= (SELECT until_ms - (until_ms - from_ms) / 7 FROM report_window) AS is_new
FROM (SELECT *, min(timestamp_ms) OVER (PARTITION BY exception_type, masked) AS first_ms
      FROM causes)
GROUP BY exception_type, masked
ORDER BY traces DESC, last_seen_ms DESC;

-- The ten slowest traces of the window, and what in each had the most time to itself.
DROP VIEW IF EXISTS slowest;
CREATE VIEW slowest AS
WITH longest AS MATERIALIZED (
  SELECT trace_id, name, status, timestamp_ms, execution_time_ms, request_preview
  FROM traces
  WHERE execution_time_ms IS NOT NULL AND timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)
  ORDER BY execution_time_ms DESC, trace_id LIMIT 10),
busiest AS MATERIALIZED (
  SELECT trace_id, name, span_type, max(self_time_ms) AS self_time_ms
  FROM spans WHERE trace_id IN (SELECT trace_id FROM longest) GROUP BY trace_id)
SELECT longest.trace_id, longest.name, status, timestamp_ms, execution_time_ms, request_preview,
       busiest.name AS busiest_span, span_type AS busiest_type, self_time_ms AS busiest_ms
FROM longest LEFT JOIN busiest ON busiest.trace_id = longest.trace_id
ORDER BY execution_time_ms DESC, longest.trace_id;

-- Is it better or worse than before? The window against the one before it, as long. n are the
-- traces that count: finished ones for the rate, those of them with a latency for a quantile. low
-- and high bound the difference, 95 %: each period's own interval (Wilson's for the rate; for a
-- quantile the ranks of W. J. Conover, Practical Nonparametric Statistics, 1999, 3.2), combined as
-- R. G. Newcombe does (Statistics in Medicine 17, 1998, method 10). The verdict is 'higher' or
-- 'lower' where they leave 0 out, else 'no clear change', and 'too few' where a period has under 20
-- traces or not enough for the ranks.
DROP VIEW IF EXISTS compare_periods;
CREATE VIEW compare_periods AS
WITH metrics(metric, share, digits) AS (
  VALUES ('success_rate', NULL, 4), ('p50_latency_ms', 0.5, 1), ('p95_latency_ms', 0.95, 1)),
seen AS MATERIALIZED (
  SELECT timestamp_ms >= (SELECT from_ms FROM report_window) AS is_now, status, execution_time_ms
  FROM traces
  WHERE timestamp_ms >= (SELECT 2 * from_ms - until_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
ranked AS MATERIALIZED (
  SELECT is_now, execution_time_ms AS ms, count(*) OVER (PARTITION BY is_now) AS n,
         row_number() OVER (PARTITION BY is_now ORDER BY execution_time_ms) AS place
  FROM seen WHERE execution_time_ms IS NOT NULL AND status IN ('OK', 'ERROR')),
periods(metric, is_now, n, value, low, high) AS MATERIALIZED (
  SELECT 'success_rate', is_now, count(*), avg(status = 'OK'),
         wilson_low(sum(status = 'OK'), count(*)), wilson_high(sum(status = 'OK'), count(*))
  FROM seen WHERE status IN ('OK', 'ERROR') GROUP BY is_now
  UNION ALL
  SELECT metric, is_now, n, percentile(ms, 100 * share),
         max(ms) FILTER (WHERE place = ceil(n * share - 1.96 * sqrt(n * share * (1 - share)))),
         max(ms) FILTER (WHERE place = ceil(n * share + 1.96 * sqrt(n * share * (1 - share))))
  FROM metrics JOIN ranked WHERE share IS NOT NULL GROUP BY metric, is_now),
compared AS (
  SELECT metrics.metric, digits, coalesce(b.n, 0) AS n_before, coalesce(a.n, 0) AS n_now,
         b.value AS before, a.value AS now, a.value - b.value AS difference,
         a.value - b.value
           - sqrt((a.value - a.low) * (a.value - a.low) + (b.high - b.value) * (b.high - b.value))
           AS low,
         a.value - b.value
           + sqrt((a.high - a.value) * (a.high - a.value) + (b.value - b.low) * (b.value - b.low))
           AS high
  FROM metrics LEFT JOIN periods AS b ON b.metric = metrics.metric AND NOT b.is_now
    LEFT JOIN periods AS a ON a.metric = metrics.metric AND a.is_now)
SELECT metric, n_before, n_now, round(before, digits) AS before, round(now, digits) AS now,
       round(difference, digits) AS difference, round(low, digits) AS low,
       round(high, digits) AS high,
       CASE WHEN min(n_before, n_now) < 20 OR low IS NULL OR high IS NULL THEN 'too few'
            WHEN low > 0 THEN 'higher' WHEN high < 0 THEN 'lower'
            ELSE 'no clear change' END AS verdict
FROM compared;

-- What two sources said of the same trace, or span, with the same scorer, in the window: a row a pair
-- of sources, with what each said last. People are b; else the order is that of type and id. A
-- judge's word counts where a person has overridden it, too: that is where they disagree. true is
-- 'yes', and false 'no'; judges that crashed said nothing.
DROP VIEW IF EXISTS judge_pairs;
CREATE VIEW judge_pairs AS
WITH said AS MATERIALIZED (
  SELECT trace_id, span_id, timestamp_ms, name AS scorer, source_type, source_id, rationale,
         CASE value_json WHEN 'true' THEN 'yes' WHEN 'false' THEN 'no' ELSE value END AS value,
         (source_type IS 'HUMAN') || coalesce(source_type, '') || ':' || coalesce(source_id, '')
           AS source,
         row_number() OVER (PARTITION BY name, trace_id, span_id, source_type, source_id
                            ORDER BY create_time_ms DESC, valid DESC, assessment_id) AS place
  FROM assessments
  WHERE assessment_type = 'feedback' AND value IS NOT NULL
    AND timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window))
SELECT a.trace_id, a.span_id, a.timestamp_ms, a.scorer, a.source_type AS a_source_type,
       a.source_id AS a_source_id, b.source_type AS b_source_type, b.source_id AS b_source_id,
       a.value AS a_value, b.value AS b_value, a.rationale AS a_rationale,
       b.rationale AS b_rationale
FROM said AS a JOIN said AS b ON b.trace_id = a.trace_id AND b.scorer = a.scorer
  AND b.span_id IS a.span_id AND a.source < b.source
WHERE a.place = 1 AND b.place = 1;

-- Can a judge stand in for people? A row a scorer and pair of sources (judge_pairs): on how many
-- they agree, and Cohen's kappa, with its 95 % interval; weighted_kappa is over numbers, its weights
-- quadratic. figures has the confusion, and each label's precision and recall of a against b.
DROP VIEW IF EXISTS judge_agreement;
CREATE VIEW judge_agreement AS
SELECT scorer, a_source_type, a_source_id, b_source_type, b_source_id, n,
       figures ->> 'agreement' AS agreement, figures ->> 'kappa' AS kappa,
       figures ->> 'kappa_low' AS kappa_low, figures ->> 'kappa_high' AS kappa_high,
       weighted ->> 'kappa' AS weighted_kappa, figures ->> 'note' AS note, figures
FROM (SELECT scorer, a_source_type, a_source_id, b_source_type, b_source_id, count(*) AS n,
             agreement(a_value, b_value) AS figures,
             agreement(a_value, b_value, 'quadratic') FILTER (
               WHERE typeof(a_value) IN ('integer', 'real')
                 AND typeof(b_value) IN ('integer', 'real')) AS weighted
      FROM judge_pairs
      GROUP BY scorer, a_source_type, a_source_id, b_source_type, b_source_id)
ORDER BY scorer, n DESC, a_source_type, a_source_id, b_source_type, b_source_id;

-- Where two sources disagree (judge_pairs), the newest traces first: what to read next.
DROP VIEW IF EXISTS judge_disagreements;
CREATE VIEW judge_disagreements AS
SELECT * FROM judge_pairs WHERE a_value IS NOT b_value
ORDER BY timestamp_ms DESC, trace_id, span_id, scorer, a_source_type, a_source_id,
         b_source_type, b_source_id;

-- What is different about the window's traces that failed? Finished traces, by their name, user,
-- version (the tag), whether they have a session, and the tools and models that they used: how often
-- a value comes among the failed ones and among the others (differences), the clearest difference
-- first. A trace uses several tools, so each tool is a question of its own. A dimension with too
-- many values has one row that says so. Reads all spans of the window; a trace without spans, as a
-- mirror may have it, counts for no tool and no model.
DROP VIEW IF EXISTS what_fails;
CREATE VIEW what_fails AS
WITH seen AS MATERIALIZED (
  SELECT trace_id, status = 'ERROR' AS failed, name, user_id, tags ->> '$.version' AS version,
         iif(session_id IS NULL, 'no', 'yes') AS has_session
  FROM traces
  WHERE status IN ('OK', 'ERROR') AND timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
used AS MATERIALIZED (
  SELECT DISTINCT trace_id, CASE WHEN span_type = 'TOOL' THEN 'tool'
                                 WHEN model_name IS NOT NULL THEN 'model' END AS dimension,
         iif(span_type = 'TOOL', name, model_name) AS value
  FROM spans
  WHERE timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
opened AS MATERIALIZED (
  SELECT trace_id, failed FROM seen WHERE trace_id IN (SELECT trace_id FROM used)),
found(dimension, value, answer) AS (
  SELECT 'name', NULL, differences(failed, name) FROM seen
  UNION ALL SELECT 'user_id', NULL, differences(failed, user_id) FROM seen
  UNION ALL SELECT 'version', NULL, differences(failed, version) FROM seen
  UNION ALL SELECT 'has_session', NULL, differences(failed, has_session) FROM seen
  UNION ALL
  SELECT kinds.dimension, kinds.value, differences(failed, used.trace_id IS NOT NULL)
  FROM (SELECT DISTINCT dimension, value FROM used WHERE dimension IS NOT NULL) AS kinds
    CROSS JOIN opened
    LEFT JOIN used ON used.trace_id = opened.trace_id AND used.dimension = kinds.dimension
      AND used.value = kinds.value
  GROUP BY kinds.dimension, kinds.value)
SELECT dimension, coalesce(found.value, e.value ->> 'value') AS value,
       e.value ->> 'n' AS n, e.value ->> 'rest_n' AS rest_n, e.value ->> 'share' AS share,
       e.value ->> 'rest_share' AS rest_share, e.value ->> 'lift' AS lift,
       e.value ->> 'difference' AS difference, e.value ->> 'low' AS low,
       e.value ->> 'high' AS high, e.value ->> 'npmi' AS npmi,
       coalesce(answer ->> 'note', e.value ->> 'verdict') AS verdict
FROM found LEFT JOIN json_each(answer, '$.values') AS e
WHERE (found.value IS NULL OR e.value ->> 'value' = 1)
  AND (e.value IS NOT NULL OR answer ->> 'note' IS NOT NULL)
ORDER BY verdict = 'too few', max(low, -high) DESC, dimension, value;

RELEASE views;
