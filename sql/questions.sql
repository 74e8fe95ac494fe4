-- Saved views for questions beyond the patterns: agents that loop, money, model calls, retrieval,
-- what to label. They come after views.sql, whose settings and window they share.
--
--   .read sql/tables.sql
--   .read sql/views.sql
--   .read sql/questions.sql
--
-- Reading the script again renews the views and keeps the prices. Unless a comment says otherwise, a
-- view is of the window and reads all its spans.

SAVEPOINT questions;

-- Does an agent go in circles? A row for each tool that was called several times with the same
-- inputs within one trace. One call was enough: the first that did not fail, or else the first. The
-- others are wasted: their time, and the tokens of the models that they called. Calls without
-- inputs are left out: nobody knows whether they are the same. Inputs are the same in another order
-- of their names, too, of the outer object. Sent: trace_id, timestamp_ms, tool.
DROP VIEW IF EXISTS repeated_calls;
CREATE VIEW repeated_calls AS
SELECT trace_id, timestamp_ms, tool, inputs, times, errors, wasted_ms, wasted_tokens
FROM (SELECT *, sum(iif(place > 1, duration_ms, NULL)) OVER same AS wasted_ms,
             sum(iif(place = 1, NULL, (
               WITH RECURSIVE below(span_id, tokens, depth) AS (
                 SELECT calls.span_id, calls.total_tokens, calls.depth
                 UNION ALL
                 SELECT s.span_id, s.total_tokens, s.depth
                 FROM below JOIN spans AS s
                   ON s.trace_id = calls.trace_id AND s.parent_span_id = below.span_id
                     AND s.depth > below.depth
                 WHERE below.tokens IS NULL)
               SELECT sum(tokens) FROM below))) OVER same AS wasted_tokens
      FROM (SELECT *, count(*) OVER same AS times, sum(status = 'ERROR') OVER same AS errors,
                   row_number() OVER same AS place
            FROM (SELECT trace_id, timestamp_ms, name AS tool, inputs, span_id, depth, status,
                         start_time_ns, duration_ms, total_tokens,
                         CASE WHEN NOT json_valid(inputs) OR instr(inputs, '\u0000')
                                OR json_type(inputs) <> 'object' THEN inputs ELSE (
                           SELECT json_group_array(json_array(key, type,
                             iif(typeof(value) = 'real', inputs, value)))  -- may be rounded
                           FROM (SELECT * FROM json_each(inputs) ORDER BY key, id)) END AS sorted
                  FROM spans
                  WHERE span_type = 'TOOL' AND inputs IS NOT NULL
                    AND timestamp_ms >= (SELECT from_ms FROM report_window)
                    AND timestamp_ms < (SELECT until_ms FROM report_window))
            WINDOW same AS (PARTITION BY trace_id, timestamp_ms, tool, sorted
              ORDER BY status = 'ERROR', start_time_ns, span_id
              ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) AS calls
      WHERE times > 1
      WINDOW same AS (PARTITION BY trace_id, timestamp_ms, tool, sorted))
WHERE place = 1;

-- Where did each trace begin to go wrong? Of its failed spans without a failed child, the one that
-- ended first; a row a trace, also of those that ended well in spite of it. failed_spans counts all
-- that failed. Sent: trace_id, timestamp_ms.
DROP VIEW IF EXISTS first_failures;
CREATE VIEW first_failures AS
SELECT trace_id, timestamp_ms, trace_status, span_id, name, span_type, depth, end_time_ns,
       exception_type, coalesce(exception_message, status_message) AS message, failed_spans
FROM (SELECT *, sum(NOT is_parent) OVER (PARTITION BY trace_id, timestamp_ms) AS failed_spans,
             row_number() OVER (PARTITION BY trace_id, timestamp_ms
                                ORDER BY is_parent OR has_failed_child, end_time_ns IS NULL,
                                         end_time_ns, depth DESC, span_id) AS place
      FROM (SELECT s.trace_id, s.timestamp_ms, t.status AS trace_status, span_id, s.name,
                   span_type, depth, end_time_ns, exception_type, exception_message,
                   status_message, is_parent,
                   max(is_parent) OVER (PARTITION BY s.trace_id, s.timestamp_ms,
                     iif(is_parent, parent_span_id, span_id)) AS has_failed_child
            FROM spans AS s JOIN traces AS t ON t.trace_id = s.trace_id
              JOIN (SELECT 0 AS is_parent UNION ALL SELECT 1)
            WHERE s.status = 'ERROR' AND s.timestamp_ms >= (SELECT from_ms FROM report_window)
              AND s.timestamp_ms < (SELECT until_ms FROM report_window)))
WHERE place = 1;

-- What models cost, in US dollars a million tokens, from when on (Unix milliseconds). Yours to fill.
-- Tokens read from a cache, or written to it, are part of the input; NULL: at the price of input.
CREATE TABLE IF NOT EXISTS model_prices(
  model       TEXT NOT NULL,  -- as model_name has it
  from_ms     INTEGER NOT NULL DEFAULT 0 CHECK (typeof(from_ms) = 'integer'),
  input       REAL NOT NULL CHECK (typeof(input) = 'real' AND input >= 0),
  output      REAL NOT NULL CHECK (typeof(output) = 'real' AND output >= 0),
  cache_read  REAL CHECK (typeof(cache_read) IN ('real', 'null')),
  cache_write REAL CHECK (typeof(cache_write) IN ('real', 'null')),
  PRIMARY KEY (model, from_ms)
) WITHOUT ROWID;

-- What did each call of a model cost? total_cost is MLflow's own figure, repriced_cost that by
-- model_prices as they were when the call began; NULL where there is no price or nobody logged the
-- tokens. A call is one of llm_spans with tokens or a cost that no outer call has: what an outer one
-- has is NULL here, and cost_within and price_within say so. One that has neither counts if it has
-- no children and did not fail: it did cost something. Tokens and dollars of no call (call_kind 0 of
-- llm_spans) have a row of their own, without a model. Input tokens hold those that a cache gave or
-- took, as MLflow has it; where these are more, they are beside them.
DROP VIEW IF EXISTS call_costs;
CREATE VIEW call_costs AS
SELECT trace_id, span_id, timestamp_ms, model_name, iif(tokens_within, NULL, input_tokens)
         AS input_tokens, iif(tokens_within, NULL, output_tokens) AS output_tokens,
       iif(tokens_within, NULL, cache_read_input_tokens) AS cache_read_input_tokens,
       iif(tokens_within, NULL, cache_creation_input_tokens) AS cache_creation_input_tokens,
       iif(cost_within, NULL, total_cost) AS total_cost,
       CASE WHEN NOT price_within AND coalesce(input_tokens, output_tokens) IS NOT NULL THEN
         (coalesce(input_tokens - iif(cached > input_tokens, 0, cached), 0) * p.input
          + coalesce(cache_read_input_tokens, 0) * coalesce(p.cache_read, p.input)
          + coalesce(cache_creation_input_tokens, 0) * coalesce(p.cache_write, p.input)
          + coalesce(output_tokens, 0) * p.output) / 1e6 END AS repriced_cost,
       cost_within > 0 AS cost_within, price_within > 0 AS price_within
FROM (SELECT *, coalesce(cache_read_input_tokens, 0) + coalesce(cache_creation_input_tokens, 0)
               AS cached
      FROM llm_spans)
  LEFT JOIN model_prices AS p ON p.model = model_name AND p.from_ms = (
    SELECT max(from_ms) FROM model_prices
    WHERE model = model_name AND from_ms <= start_time_ns / 1000000)
WHERE CASE WHEN has_tokens OR total_cost IS NOT NULL
        THEN has_tokens AND NOT (tokens_within AND (price_within OR model_name IS NULL))
             OR total_cost IS NOT NULL AND NOT cost_within
        ELSE child_count = 0 AND status IS NOT 'ERROR' AND NOT (tokens_within OR cost_within) END;

-- Where does the money go? A row for each day of the zone, user, session, model and value of a tag
-- (dimension 'tag.NAME', MLflow's own tags left out), and one of all. Beside each sum stands how
-- many calls it does not have: unpriced by MLflow, and by model_prices; a row of call_costs that is
-- no call counts among all of these. Traces without a user, a
-- session or a tag are in the row whose value is NULL.
DROP VIEW IF EXISTS costs;
CREATE VIEW costs AS
WITH seen AS MATERIALIZED (
  SELECT trace_id, user_id, session_id, tags FROM traces
  WHERE timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
calls AS MATERIALIZED (
  SELECT c.*, user_id, session_id, tags,
         date(timestamp_ms / 1000, 'unixepoch', (SELECT zone_modifier FROM report_window)) AS day
  FROM call_costs AS c LEFT JOIN seen ON seen.trace_id = c.trace_id),
tag_names AS (
  SELECT DISTINCT key FROM calls, json_each(tags) WHERE substr(key, 1, 7) <> 'mlflow.'),
said AS (
  SELECT 'all' AS dimension, NULL AS value, * FROM calls
  UNION ALL SELECT 'day', day, * FROM calls
  UNION ALL SELECT 'user', user_id, * FROM calls
  UNION ALL SELECT 'session', session_id, * FROM calls
  UNION ALL SELECT 'model', model_name, * FROM calls
  UNION ALL
  SELECT 'tag.' || key, (SELECT value FROM json_each(tags) WHERE key = tag_names.key), calls.*
  FROM tag_names, calls)
SELECT dimension, value, count(DISTINCT trace_id) AS traces, count(*) AS calls,
       sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
       sum(cache_read_input_tokens) AS cache_read_input_tokens,
       sum(cache_creation_input_tokens) AS cache_creation_input_tokens,
       sum(total_cost) AS mlflow_cost,
       count(*) FILTER (WHERE total_cost IS NULL AND NOT cost_within) AS mlflow_unpriced,
       sum(repriced_cost) AS repriced_cost,
       count(*) FILTER (WHERE repriced_cost IS NULL AND NOT price_within) AS unpriced
FROM said
GROUP BY dimension, value
ORDER BY dimension, iif(dimension = 'day', value, NULL) DESC,
         coalesce(repriced_cost, mlflow_cost) DESC, value;

-- What did each call of a model do? A row a call; what nobody logged is NULL. Read are
--   finish_reason            attribute gen_ai.response.finish_reasons, its first; else of the outputs
--                            choices[0].finish_reason, stop_reason, candidates[0].finishReason,
--                            incomplete_details.reason: 'length', 'max_tokens' and the like are
--                            answers that were cut
--   time_to_first_token_ms   attribute gen_ai.response.time_to_first_chunk (seconds); else the first
--                            event mlflow.chunk.item.0 or new_token
--   cache_hit_rate           the part of the input tokens that came from a cache, where that was
--                            logged
--   tokens_per_second        output tokens over the whole duration
-- Sent: trace_id, timestamp_ms, name, status.
DROP VIEW IF EXISTS model_calls;
CREATE VIEW model_calls AS
SELECT trace_id, timestamp_ms, span_id, name, span_type, status, model_provider, model_name,
       duration_ms, input_tokens, output_tokens,
       coalesce(attributes ->> '$."gen_ai.response.finish_reasons"[0]',
                outputs ->> '$.choices[0].finish_reason', outputs ->> '$.stop_reason',
                outputs ->> '$.candidates[0].finishReason',
                outputs ->> '$.incomplete_details.reason') AS finish_reason,
       coalesce((attributes ->> '$."gen_ai.response.time_to_first_chunk"') * 1000.0,
                ((SELECT min(e.value ->> '$.timestamp') FROM json_each(events) AS e
                  WHERE e.value ->> '$.name' IN ('mlflow.chunk.item.0', 'new_token'))
                 - start_time_ns) / 1e6) AS time_to_first_token_ms,
       cache_read_input_tokens * 1.0
         / nullif(input_tokens + iif(cached > input_tokens, cached, 0), 0) AS cache_hit_rate,
       output_tokens * 1000.0 / nullif(duration_ms, 0) AS tokens_per_second
FROM (SELECT *, coalesce(cache_read_input_tokens, 0) + coalesce(cache_creation_input_tokens, 0)
               AS cached
      FROM spans)
WHERE (model_name IS NOT NULL OR span_type IN ('CHAT_MODEL', 'LLM', 'EMBEDDING'))
  AND timestamp_ms >= (SELECT from_ms FROM report_window)
  AND timestamp_ms < (SELECT until_ms FROM report_window);

-- What did retrievers find? A row a document, in the order in which it was found, from 1. Documents
-- are the outputs of a span of type RETRIEVER, where those are a list, else its attribute
-- gen_ai.retrieval.documents. Read are, of a document: page_content, content or text; id, else
-- metadata.id; metadata.doc_uri; score, else metadata.score. Sent: trace_id, timestamp_ms,
-- retriever.
DROP VIEW IF EXISTS retrieved_documents;
CREATE VIEW retrieved_documents AS
SELECT trace_id, timestamp_ms, span_id, retriever, query, d.key + 1 AS position,
       iif(d.type = 'object', coalesce(d.value ->> '$.id', d.value ->> '$.metadata.id'), NULL)
         AS document_id,
       iif(d.type = 'object', d.value ->> '$.metadata.doc_uri', NULL) AS doc_uri,
       iif(d.type = 'object', coalesce(d.value ->> '$.score', d.value ->> '$.metadata.score'), NULL)
         AS score,
       iif(d.type = 'object', coalesce(d.value ->> '$.page_content', d.value ->> '$.content',
                                       d.value ->> '$.text'), d.value) AS content,
       iif(d.type = 'object', d.value -> '$.metadata', NULL) AS metadata
FROM (SELECT trace_id, timestamp_ms, span_id, name AS retriever, inputs AS query,
             iif(json_type(outputs) = 'array', outputs,
                 attributes -> '$."gen_ai.retrieval.documents"') AS found
      FROM spans
      WHERE span_type = 'RETRIEVER' AND timestamp_ms >= (SELECT from_ms FROM report_window)
        AND timestamp_ms < (SELECT until_ms FROM report_window)),
     json_each(iif(json_type(found) = 'array', found, '[]')) AS d;

-- What should people label next? sample_size finished traces of the window that nobody has given
-- feedback to, spread evenly over what judges said (bad if one said 'no' or false, good, none), the
-- tool that was called first, and whether people have labelled a request like it (seen) or not
-- (new). Requests whose previews differ in ids, numbers, paths and quotes alone (mask_message) are
-- one, for which its newest trace stands; weight is how many such traces of the stratum a row stands
-- for, alike counts how many are like it. The same seed over the same traces is the same sample.
DROP VIEW IF EXISTS to_label;
CREATE VIEW to_label AS
WITH judged AS MATERIALIZED (
  SELECT trace_id, max(source_type = 'HUMAN') AS by_people,
         max(iif(source_type = 'HUMAN', NULL, value_json IN ('"no"', 'false'))) AS bad
  FROM assessments
  WHERE assessment_type = 'feedback' AND valid = 1 AND value_json IS NOT NULL
    AND timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)
  GROUP BY trace_id),
called AS MATERIALIZED (
  SELECT trace_id, name AS tool,
         row_number() OVER (PARTITION BY trace_id ORDER BY start_time_ns, name) AS place
  FROM spans
  WHERE span_type = 'TOOL' AND timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
seen AS MATERIALIZED (
  SELECT t.trace_id, request_preview, coalesce(by_people, 0) AS by_people,
         timestamp_ms,
         coalesce(mask_message(replace(request_preview, '"', ' ')), t.trace_id) AS request_kind,
         CASE bad WHEN 1 THEN 'bad' WHEN 0 THEN 'good' ELSE 'none' END AS verdict, tool
  FROM traces AS t LEFT JOIN judged ON judged.trace_id = t.trace_id
    LEFT JOIN called ON called.trace_id = t.trace_id AND place = 1
  WHERE status IN ('OK', 'ERROR') AND timestamp_ms >= (SELECT from_ms FROM report_window)
    AND timestamp_ms < (SELECT until_ms FROM report_window)),
kinds AS MATERIALIZED (
  SELECT trace_id, request_preview, verdict, tool, iif(labelled, 'seen', 'new') AS novelty, alike
  FROM (SELECT *, max(by_people) OVER (PARTITION BY request_kind) AS labelled,
               count(*) OVER (PARTITION BY request_kind, by_people) AS alike,
               row_number() OVER (PARTITION BY request_kind, by_people
                                  ORDER BY timestamp_ms DESC, trace_id) AS place
        FROM seen)
  WHERE place = 1 AND NOT by_people)
SELECT s.key AS trace_id, verdict, tool, novelty, alike, weight, request_preview
FROM stratified_sample((
       SELECT strata(trace_id, json_array(verdict, tool, novelty),
                     (SELECT sample_size FROM report_settings), (SELECT seed FROM report_settings))
       FROM kinds)) AS s
  JOIN kinds ON kinds.trace_id = s.key
ORDER BY s.position;

RELEASE questions;
