-- Copies what the report is about: the traces and assessments of the window; the traces of the one
-- before it, and of the last 25 hours for the charts of a day; and the spans of some traces. From
-- then on nothing is asked of the server or the mirror (scope.d).
--
-- The work is capped: so many of the newest traces as were asked for, and the spans of 200 traces of
-- the window drawn at random, of its 100 newest failed ones and 100 failed ones drawn at random, and
-- of the 50 slowest. What tools and models the failed ones have in common is asked of those drawn at
-- random alone: the others are no fair picture of all. Where a mirror has spans of a part of the
-- window, they are drawn from that part.

CREATE TABLE about AS
SELECT from_ms, until_ms, zone, zone_modifier, traces_max, uri, experiment, synced_at_ms,
       kept_from_ms, max(from_ms, coalesce(spans_from_ms, from_ms)) AS spans_from_ms, filter,
       (julianday('now') - 2440587.5) * 86400 AS began_s
FROM report_window, asked, source;
UPDATE report_settings SET until_ms = (SELECT until_ms FROM about);

CREATE TABLE traces AS
SELECT trace_id, experiment_id, name, status, timestamp_ms, execution_time_ms, session_id, user_id,
       run_id, input_tokens, output_tokens, total_tokens, total_cost, request_preview,
       tags, iif(session_id IS NULL, NULL, assessments) AS assessments, NULL AS end_time_ms,
       NULL AS response_preview, NULL AS request, NULL AS response
FROM source_traces
WHERE timestamp_ms >= (SELECT min(2 * from_ms - until_ms, until_ms - 90000000) FROM about)
  AND timestamp_ms < (SELECT until_ms FROM about)
ORDER BY timestamp_ms DESC LIMIT (SELECT traces_max + 1 FROM about);  -- one more: there are more
CREATE TABLE cap AS
SELECT count(*) > traces_max AS is_capped,
       count(*) FILTER (WHERE timestamp_ms >= from_ms) > traces_max AS is_window_capped
FROM traces, about;
DELETE FROM traces WHERE rowid > (SELECT traces_max FROM about);
CREATE INDEX traces_by_id ON traces(trace_id);

CREATE TABLE assessments AS
SELECT assessment_id, trace_id, span_id, experiment_id, name, assessment_type, value, value_json,
       value_num, rationale, error_code, error_message, source_type, source_id, run_id,
       create_time_ms, last_update_time_ms, valid, overrides, metadata, timestamp_ms, trace_run_id
FROM source_assessments
WHERE timestamp_ms >= (SELECT max(from_ms, (SELECT coalesce(min(timestamp_ms), 0) FROM traces))
                       FROM about)
  AND timestamp_ms < (SELECT until_ms FROM about);

-- For shares and totals 200 traces, each as likely as any other; for errors and the slowest more.
CREATE TABLE sample AS
SELECT key AS trace_id FROM stratified_sample((
  SELECT strata(trace_id, 'all', 200, (SELECT seed FROM report_settings))
  FROM traces, about WHERE timestamp_ms >= spans_from_ms));
CREATE TABLE seen AS
SELECT trace_id, status, timestamp_ms, execution_time_ms FROM traces
WHERE timestamp_ms >= (SELECT from_ms FROM about);
CREATE TABLE drawn AS
SELECT trace_id FROM sample
UNION
SELECT key FROM stratified_sample((
  SELECT strata(trace_id, status, 100, (SELECT seed FROM report_settings))
  FROM seen, about WHERE status = 'ERROR' AND timestamp_ms >= spans_from_ms));
CREATE TABLE copied_spans AS
SELECT trace_id, span_id, parent_span_id, name, span_type, status, status_message, start_time_ns,
       end_time_ns, duration_ms, depth, child_count, self_time_ms, critical_path_ms, model_name,
       model_provider, input_tokens, output_tokens, total_tokens, cache_read_input_tokens,
       cache_creation_input_tokens, input_cost, output_cost, total_cost,
       exception_type, exception_message, timestamp_ms
FROM source_spans
WHERE trace_id IN (
  SELECT trace_id FROM drawn
  UNION
  SELECT trace_id FROM (SELECT trace_id FROM seen WHERE status = 'ERROR'
                        ORDER BY timestamp_ms DESC LIMIT 100)
  UNION
  SELECT trace_id FROM (SELECT trace_id FROM seen ORDER BY execution_time_ms DESC LIMIT 50));
CREATE TABLE spans AS
SELECT * FROM copied_spans WHERE trace_id IN (SELECT trace_id FROM drawn);
CREATE TABLE difference AS SELECT * FROM what_fails WHERE verdict IN ('more', 'less');
INSERT INTO spans SELECT * FROM copied_spans WHERE trace_id NOT IN (SELECT trace_id FROM drawn);

CREATE TABLE receipt AS
SELECT count(endpoint) AS requests, coalesce(sum(bytes), 0) AS bytes,
       (SELECT count(*) FROM traces) AS traces, (SELECT count(*) FROM assessments) AS assessments,
       (SELECT count(*) FROM spans) AS spans,
       (SELECT count(DISTINCT trace_id) FROM spans) AS span_traces,
       (SELECT count(*) FROM sample) AS sample_traces,
       (julianday('now') - 2440587.5) * 86400 - began_s AS seconds
FROM mlflow_requests, about;
