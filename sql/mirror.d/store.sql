-- Puts what arrived into the mirror and ends the transaction: all of it is seen at once, or, after
-- a break, nothing.

-- A trace that was expected and did not come has moved (a span that arrived late moves a start
-- back), or is gone.
INSERT INTO arriving
SELECT * FROM server_traces
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND trace_id IN (SELECT trace_id FROM expected EXCEPT SELECT trace_id FROM arrived);

-- Assessments are written where their JSON, the start or the run of the trace is not as it was.
DROP TABLE IF EXISTS temp.judged;
CREATE TEMP TABLE judged(trace_id TEXT PRIMARY KEY, place) WITHOUT ROWID;
INSERT INTO judged
SELECT a.trace_id, place
FROM arrived AS a LEFT JOIN mirror_trace AS t ON t.trace_id = a.trace_id
  LEFT JOIN mirror_trace_json AS j ON j.trace_id = a.trace_id
WHERE a.assessments IS NOT j.assessments OR a.timestamp_ms IS NOT t.timestamp_ms
   OR a.run_id IS NOT t.run_id;

-- Spans are read where they are not here, or the trace does not look as it did, or may be growing,
-- or where they were read long ago, or by a clock that was ahead; once in a sync. A client can send the
-- spans of a trace that has ended after the trace: for a day they are read again where fewer are
-- here than the trace says it has.
DROP TABLE IF EXISTS temp.opened;
CREATE TEMP TABLE opened AS
SELECT a.trace_id, a.timestamp_ms, a.seen_as
FROM syncing, arrived AS a LEFT JOIN mirror_spans_read AS r ON r.trace_id = a.trace_id
WHERE a.timestamp_ms >= spans_from_ms
  AND (r.seen_as IS NOT a.seen_as
       OR (r.read_at_ms NOT BETWEEN now_ms AND began_ms
           AND (r.read_at_ms NOT BETWEEN reread_before_ms AND began_ms
                OR (a.timestamp_ms >= now_ms - 86400000
                    AND (a.status = 'IN_PROGRESS'
                         OR coalesce(a.span_count, 1) > (SELECT count(*) FROM mirror_span AS s
                                                         WHERE s.trace_id = a.trace_id))))));
DROP TABLE IF EXISTS temp.arrived_span;
CREATE TEMP TABLE arrived_span AS
SELECT * FROM server_spans
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND trace_id IN (SELECT trace_id FROM opened WHERE (SELECT count(*) FROM opened) <= 500);
INSERT INTO arrived_span
SELECT * FROM server_spans
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND timestamp_ms >= (SELECT iif(count(*) > 500, min(timestamp_ms), NULL) FROM opened)
  AND timestamp_ms <= (SELECT max(timestamp_ms) FROM opened)
  AND +trace_id IN (SELECT trace_id FROM opened);
DROP TABLE IF EXISTS temp.placed_span;
CREATE TEMP TABLE placed_span AS
SELECT s.*, row_number() OVER (PARTITION BY trace_id ORDER BY s.rowid) AS place
FROM arrived_span AS s;
DROP TABLE arrived_span;

-- Whose inputs are the trace's request? Of several spans without a parent the server says it, and
-- of a trace without spans, why.
DROP TABLE IF EXISTS temp.rooted;
CREATE TEMP TABLE rooted AS
SELECT opened.trace_id, seen_as, count(s.place) AS spans,
       count(s.place) FILTER (WHERE parent_span_id IS NULL) AS roots,
       min(s.place) FILTER (WHERE parent_span_id IS NULL) AS root_place, NULL AS span_error
FROM opened LEFT JOIN placed_span AS s ON s.trace_id = opened.trace_id
GROUP BY opened.trace_id;
-- Where no spans come of a trace that looks as it did and says that it has some, those that are
-- here stay: the server may not reach its archive for a while.
DELETE FROM rooted
WHERE spans = 0
  AND trace_id IN (SELECT trace_id FROM arrived JOIN mirror_spans_read USING (trace_id, seen_as)
                   WHERE span_count > 0)
  AND trace_id IN (SELECT trace_id FROM mirror_span);
DELETE FROM opened WHERE trace_id NOT IN (SELECT trace_id FROM rooted);
CREATE TEMP TABLE IF NOT EXISTS unclear(trace_id TEXT PRIMARY KEY, request, response, span_error);
DELETE FROM unclear;
INSERT INTO unclear
SELECT trace_id, request, response, span_error FROM mlflow_traces
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND trace_id IN (SELECT trace_id FROM rooted WHERE spans = 0 OR roots > 1);
UPDATE rooted SET span_error = unclear.span_error, root_place = (
  SELECT min(place) FROM placed_span AS s
  WHERE s.trace_id = unclear.trace_id AND parent_span_id IS NULL
    AND s.inputs IS unclear.request AND s.outputs IS unclear.response)
FROM unclear WHERE unclear.trace_id = rooted.trace_id;

-- All is read; from here on it is written.
DELETE FROM mirror_trace
WHERE trace_id IN (SELECT trace_id FROM expected EXCEPT SELECT trace_id FROM arrived);

INSERT INTO mirror_trace_json(trace_id, tags, metadata, assessments)
SELECT trace_id, tags, metadata, assessments FROM arrived WHERE true
ON CONFLICT (trace_id) DO UPDATE SET tags = excluded.tags, metadata = excluded.metadata,
                                     assessments = excluded.assessments
WHERE (tags, metadata, assessments) IS NOT (excluded.tags, excluded.metadata,
                                            excluded.assessments);
INSERT INTO mirror_document(trace_id, place, name, request, response)
SELECT trace_id, 0, name, request_preview, response_preview FROM arrived WHERE true
ON CONFLICT (trace_id, place) DO UPDATE SET name = excluded.name, request = excluded.request,
                                            response = excluded.response
WHERE (name, request, response) IS NOT (excluded.name, excluded.request, excluded.response);
INSERT OR REPLACE INTO mirror_trace(
  trace_id, experiment_id, name, status, timestamp_ms, execution_time_ms, end_time_ms, session_id,
  user_id, run_id, model_id, client_request_id, input_tokens, output_tokens, total_tokens,
  cache_read_input_tokens, cache_creation_input_tokens, input_cost, output_cost, total_cost,
  span_count, size_bytes, read_at_ms)
SELECT trace_id, experiment_id, name, status, timestamp_ms, execution_time_ms, end_time_ms,
       session_id, user_id, run_id, model_id, client_request_id, input_tokens, output_tokens,
       total_tokens, cache_read_input_tokens, cache_creation_input_tokens, input_cost, output_cost,
       total_cost, span_count, size_bytes, (SELECT began_ms FROM syncing)
FROM arrived;

DELETE FROM mirror_assessment WHERE trace_id IN (SELECT trace_id FROM judged);
DELETE FROM mirror_assessment_text WHERE trace_id IN (SELECT trace_id FROM judged);
INSERT INTO mirror_assessment(
  assessment_id, trace_id, span_id, experiment_id, name, assessment_type, value, value_json,
  value_num, error_code, source_type, source_id, run_id, create_time_ms, last_update_time_ms,
  valid, overrides, trace_run_id, timestamp_ms, place)
SELECT assessment_id, trace_id, span_id, experiment_id, name, assessment_type, value, value_json,
       value_num, error_code, source_type, source_id, run_id, create_time_ms, last_update_time_ms,
       valid, overrides, trace_run_id, timestamp_ms, a.rowid - judged.place
FROM arriving AS a JOIN judged USING (trace_id) WHERE is_assessment;
INSERT INTO mirror_assessment_text(trace_id, place, rationale, error_message, metadata)
SELECT trace_id, a.rowid - judged.place, rationale, error_message, metadata
FROM arriving AS a JOIN judged USING (trace_id) WHERE is_assessment;

DELETE FROM mirror_spans_read WHERE trace_id IN (SELECT trace_id FROM opened);
INSERT INTO mirror_spans_read(trace_id, read_at_ms, seen_as, root_place, span_error)
SELECT trace_id, began_ms, seen_as, root_place, span_error FROM rooted, syncing;
INSERT INTO mirror_span(
  trace_id, span_id, parent_span_id, experiment_id, name, span_type, status, start_time_ns,
  end_time_ns, duration_ms, depth, child_count, self_time_ms, critical_path_ms, model_name,
  model_provider, input_tokens, output_tokens, total_tokens, cache_read_input_tokens,
  cache_creation_input_tokens, input_cost, output_cost, total_cost, exception_type, timestamp_ms,
  place)
SELECT trace_id, span_id, parent_span_id, experiment_id, name, span_type, status, start_time_ns,
       end_time_ns, duration_ms, depth, child_count, self_time_ms, critical_path_ms, model_name,
       model_provider, input_tokens, output_tokens, total_tokens, cache_read_input_tokens,
       cache_creation_input_tokens, input_cost, output_cost, total_cost, exception_type,
       timestamp_ms, place
FROM placed_span;
INSERT INTO mirror_span_json(trace_id, place, attributes, events, links)
SELECT trace_id, place, attributes, events, links FROM placed_span;
INSERT INTO mirror_document(trace_id, place, span_id, name, request, response, exception_message,
                            status_message)
SELECT trace_id, place, span_id, name, inputs, outputs, exception_message, status_message
FROM placed_span;

INSERT OR REPLACE INTO mirror_slice(experiment_id, from_ms, until_ms, read_at_ms)
SELECT experiment_id, from_ms, until_ms, began_ms FROM due, syncing;
-- The next slice is to hold one to four thousand traces where spans are read, and eight to 32
-- thousand where not: so many pages come side by side.
UPDATE syncing SET width_ms = CASE
  WHEN had < least / 4 THEN min(4 * width_ms, 1024 * 3600000)
  WHEN had < least THEN min(2 * width_ms, 1024 * 3600000)
  WHEN had > 4 * least THEN max(width_ms / 2, 60000) ELSE width_ms END
FROM (SELECT (SELECT count(*) FROM arrived) AS had,
             iif(until_ms <= spans_from_ms, 8000, 1000) AS least
      FROM due, syncing WHERE NOT again);
UPDATE mirror_sync SET
  slices = slices + (SELECT count(*) FROM due),
  traces = traces + (SELECT count(*) FROM arrived),
  spans_of = spans_of + (SELECT count(*) FROM opened),
  gone = gone + (SELECT count(*) FROM expected
                 WHERE trace_id NOT IN (SELECT trace_id FROM arrived)),
  requests = requests + (SELECT count(endpoint) FROM mlflow_requests WHERE at >= counted_to),
  width_ms = syncing.width_ms
FROM syncing WHERE mirror_sync.sync_id = syncing.sync_id;
UPDATE syncing SET counted_to = strftime('%Y-%m-%d %H:%M:%f', 'now');
COMMIT;

-- How far it is, for who waits; nothing where no slice was due.
SELECT printf('%s: %,d traces read, %,d requests', name, s.traces, s.requests)
         || iif(oldest_ms IS NULL, '',
                printf(', back to %s of %s',
                       strftime('%Y-%m-%d %H:%M', max(oldest_ms, due.from_ms) / 1000, 'unixepoch'),
                       strftime('%Y-%m-%d %H:%M', oldest_ms / 1000, 'unixepoch')))
FROM syncing JOIN mirror_sync AS s USING (sync_id) JOIN due;
