-- What is wrong now, for the head of the page; and the figures that say more of it: error rates over
-- time, what is different about the failed requests, tools, sessions that ended badly, and how far
-- judges and people agree. After figures.sql.

-- Error rates of finished requests over time: of the last 24 hours by the hour, and of the window by
-- what the latencies go by. The example is the newest failed request, else the newest.
CREATE TEMP TABLE rate AS
WITH seen AS (
  SELECT 'error-hours' AS chart, time_bucket('1 hour', timestamp_ms, zone) AS at_ms, status,
         timestamp_ms, trace_id
  FROM traces, about WHERE status IN ('OK', 'ERROR') AND timestamp_ms >= until_ms - 86400000
  UNION ALL
  SELECT 'error-days', (SELECT max(at_ms) FROM moment WHERE at_ms <= timestamp_ms), status,
         timestamp_ms, trace_id
  FROM window_traces WHERE status IN ('OK', 'ERROR'))
SELECT *, row_number() OVER (PARTITION BY chart ORDER BY at_ms) AS row,
       wilson_low(errors, finished) AS low, wilson_high(errors, finished) AS high,
       errors * 1.0 / finished AS rate
FROM (SELECT chart, at_ms, count(*) AS finished, sum(status = 'ERROR') AS errors, trace_id,
             max((status = 'ERROR') * 1e14 + timestamp_ms)
      FROM seen GROUP BY chart, at_ms);
INSERT INTO cell
SELECT chart, row, 1, 'From', 'text', strftime('%Y-%m-%d %H:%M', at_ms / 1000, 'unixepoch',
         zone_modifier), NULL FROM rate, about
UNION ALL SELECT chart, row, 2, 'Finished', 'count', finished, NULL FROM rate
UNION ALL SELECT chart, row, 3, 'Failed', 'count', errors, trace_id FROM rate
UNION ALL SELECT chart, row, 4, 'Error rate', 'share', rate, NULL FROM rate
UNION ALL SELECT chart, row, 5, '95% interval', 'range',
  printf('%.0f to %.0f%%', 100 * low, 100 * high), NULL FROM rate;

-- What is different about the failed requests, the clear differences alone (copy.sql). The example
-- is the newest failed one that has the value.
CREATE TEMP TABLE shown_difference AS
WITH failed AS MATERIALIZED (
  SELECT trace_id, timestamp_ms, name, user_id, tags ->> '$.version' AS version,
         iif(session_id IS NULL, 'no', 'yes') AS has_session
  FROM window_traces WHERE status = 'ERROR'),
holder(dimension, value, trace_id, timestamp_ms) AS (
  SELECT 'name', name, trace_id, timestamp_ms FROM failed
  UNION ALL SELECT 'user_id', user_id, trace_id, timestamp_ms FROM failed
  UNION ALL SELECT 'version', version, trace_id, timestamp_ms FROM failed
  UNION ALL SELECT 'has_session', has_session, trace_id, timestamp_ms FROM failed
  UNION ALL
  SELECT iif(span_type = 'TOOL', 'tool', 'model'), iif(span_type = 'TOOL', s.name, model_name),
         trace_id, failed.timestamp_ms
  FROM spans AS s JOIN failed USING (trace_id)),
example AS MATERIALIZED (
  SELECT dimension, value, trace_id, max(timestamp_ms) FROM holder GROUP BY dimension, value)
SELECT row_number() OVER (ORDER BY verdict = 'less') AS row,
       coalesce(title, w.dimension) AS title, w.value AS value, share, rest_share, low, high,
       verdict, trace_id
FROM (SELECT * FROM difference LIMIT 12) AS w
  LEFT JOIN (SELECT column1 AS dimension, column2 AS title
             FROM (VALUES ('name', 'agent'), ('user_id', 'user'),
                          ('has_session', 'in a session'))) AS titles
    ON titles.dimension = w.dimension
  LEFT JOIN example ON example.dimension = w.dimension AND example.value IS w.value;
INSERT INTO cell
SELECT 'differences', row, 1, 'Requests by', 'text', title || ': ' || coalesce(value, 'none'),
       trace_id FROM shown_difference
UNION ALL SELECT 'differences', row, 2, 'Of the failed', 'share', share, NULL
FROM shown_difference
UNION ALL SELECT 'differences', row, 3, 'Of the others', 'share', rest_share, NULL
FROM shown_difference
UNION ALL SELECT 'differences', row, 4, 'Difference, 95% interval', 'range',
  printf('%+.0f to %+.0f points', 100 * low, 100 * high), NULL FROM shown_difference
UNION ALL SELECT 'differences', row, 5, 'Among the failed', 'verdict', verdict, NULL
FROM shown_difference;

-- Tools, of the requests drawn at random; the interval counts these, as in tool_calls. The example is
-- the newest failed call, else the newest.
CREATE TEMP TABLE shown_tool AS
SELECT row_number() OVER (ORDER BY low DESC, calls DESC) AS row, *
FROM (SELECT *, wilson_low(error_rate * traces, traces) AS low,
             wilson_high(error_rate * traces, traces) AS high
      FROM (SELECT name, count(*) AS calls, sum(status IS 'ERROR') AS errors,
                   avg(status IS 'ERROR') AS error_rate, count(DISTINCT trace_id) AS traces,
                   percentile(duration_ms, 95) AS p95_ms, trace_id,
                   max((status IS 'ERROR') * 1e14 + timestamp_ms)
            FROM spans WHERE span_type = 'TOOL' AND trace_id IN (SELECT trace_id FROM sample)
            GROUP BY name))
LIMIT 15;
INSERT INTO cell
SELECT 'tools', row, 1, 'Tool', 'text', name, trace_id FROM shown_tool
UNION ALL SELECT 'tools', row, 2, 'Calls seen', 'count', calls, NULL FROM shown_tool
UNION ALL SELECT 'tools', row, 3, 'Failed', 'count', errors, NULL FROM shown_tool
UNION ALL SELECT 'tools', row, 4, 'Failure rate', 'share', error_rate, NULL FROM shown_tool
UNION ALL SELECT 'tools', row, 5, '95%', 'range', printf('%.0f to %.0f%%', 100 * low, 100 * high),
  NULL FROM shown_tool
UNION ALL SELECT 'tools', row, 6, 'Call, p95', 'ms', p95_ms, NULL FROM shown_tool;

-- Sessions that ended in an error or with bad feedback, which the view counts and this names. Turns
-- that began before what was copied are not counted.
CREATE TEMP TABLE shown_session AS
SELECT *, (SELECT group_concat(DISTINCT a.value ->> '$.assessment_name')
           FROM traces AS t, json_each(t.assessments) AS a
           WHERE t.session_id = ended.session_id
             AND (t.trace_id = last_trace_id
                  OR a.value ->> '$.metadata."mlflow.trace.session"' = ended.session_id)
             AND a.value ->> '$.feedback.value' IN ('no', 0) AND a.value ->> '$.valid' IS NOT 0
             AND json_type(a.value, '$.feedback.value') IN ('text', 'false')) AS failed_scorers
FROM (SELECT *, row_number() OVER (ORDER BY last_ms DESC) AS row, count(*) OVER () AS bad_sessions,
             (SELECT count(*) FROM sessions) AS sessions
      FROM sessions WHERE ended_in_error OR ended_with_bad_feedback ORDER BY row LIMIT 10) AS ended;
INSERT INTO cell
SELECT 'sessions', row, 1, 'Session', 'text', session_id, last_trace_id FROM shown_session
UNION ALL SELECT 'sessions', row, 2, 'User', 'text', user_id, NULL FROM shown_session
UNION ALL SELECT 'sessions', row, 3, 'Turns', 'count', turns, NULL FROM shown_session
UNION ALL SELECT 'sessions', row, 4, 'Failed', 'count', errors, NULL FROM shown_session
UNION ALL SELECT 'sessions', row, 5, 'Ended', 'text', iif(ended_in_error, 'in an error', '')
  || iif(ended_in_error AND failed_scorers IS NOT NULL, ', ', '')
  || coalesce('failed by ' || failed_scorers, ''), NULL FROM shown_session
UNION ALL SELECT 'sessions', row, 6, 'Last turn', 'stamp', last_ms, NULL FROM shown_session;

-- Judges against people, and any two sources. The example is their newest disagreement.
CREATE TEMP TABLE shown_agreement AS
SELECT row_number() OVER (ORDER BY a.scorer, n DESC) AS row, a.*, example.trace_id
FROM judge_agreement AS a LEFT JOIN (
  SELECT scorer, a_source_type, a_source_id, b_source_type, b_source_id, trace_id,
         max(timestamp_ms)
  FROM judge_disagreements GROUP BY 1, 2, 3, 4, 5) AS example
  ON example.scorer = a.scorer AND example.a_source_type IS a.a_source_type
    AND example.a_source_id IS a.a_source_id AND example.b_source_type IS a.b_source_type
    AND example.b_source_id IS a.b_source_id
LIMIT 12;
INSERT INTO cell
SELECT 'agreement', row, 1, 'Scorer', 'text', scorer, trace_id FROM shown_agreement
UNION ALL SELECT 'agreement', row, 2, 'One', 'text', coalesce(a_source_id, a_source_type), NULL
FROM shown_agreement
UNION ALL SELECT 'agreement', row, 3, 'The other', 'text', coalesce(b_source_id, b_source_type),
  NULL FROM shown_agreement
UNION ALL SELECT 'agreement', row, 4, 'Both judged', 'count', n, NULL FROM shown_agreement
UNION ALL SELECT 'agreement', row, 5, 'Agree', 'share', agreement, NULL FROM shown_agreement
UNION ALL SELECT 'agreement', row, 6, 'Kappa, 95% interval', 'range', CASE
    WHEN n < 20 THEN 'too few'
    ELSE printf('%.2f (%.2f to %.2f)', kappa, kappa_low, kappa_high) END, NULL
FROM shown_agreement WHERE n < 20 OR kappa_high IS NOT NULL
UNION ALL SELECT 'agreement', row, 6, 'Kappa, 95% interval', 'range', NULL, NULL
FROM shown_agreement WHERE n >= 20 AND kappa_high IS NULL;

-- The findings, the worst first: what fails now, new errors, what got worse against the window
-- before, and what the failed requests have in common. One look that is worse is enough, and the
-- one that is clearest is said.
CREATE TEMP TABLE recent AS
SELECT * FROM recent_errors;
CREATE TEMP TABLE finding(row INTEGER PRIMARY KEY, text TEXT, trace_id TEXT);
INSERT INTO finding(text, trace_id)
SELECT iif(period GLOB '*requests', printf('%d of the %s failed', errors, period),
           printf('%d of %d requests of the %s failed', errors, n, period))
         || printf(' (%.0f%%; before, %.1f%%).', 100 * error_rate, 100 * rest_rate)
         || iif(failed_in_a_row >= 3, printf(' So did the last %d in a row.', failed_in_a_row), ''),
       newest_failed_trace_id
FROM recent WHERE verdict = 'higher' ORDER BY difference_low DESC, since_ms DESC LIMIT 1;
INSERT INTO finding(text, trace_id)
SELECT printf('Most requests fail: %d of %d in this window.', error_count, finished), failed
FROM quality, newest WHERE success_high < 0.5;
INSERT INTO finding(text, trace_id)
SELECT printf('New error since %s, in %s%d requests: %s',
              strftime('%m-%d %H:%M', first_seen_ms / 1000, 'unixepoch', zone_modifier),
              iif(at_least, 'at least ', ''), traces, substr(what, 1, 160)), example_trace_id
FROM shown_error, about WHERE is_new AND traces >= 3 ORDER BY traces DESC, row LIMIT 3;
INSERT INTO finding(text, trace_id)
SELECT CASE WHEN metric = 'success_rate'
         THEN printf('Worse than the window before: %.1f%% of requests failed, before %.1f%%.',
                     100 * (1 - now), 100 * (1 - before))
         ELSE printf('Slower than the window before: %s %s, before %s.', lower(c.title), n.text,
                     b.text) END,
       iif(metric = 'success_rate', newest.failed,
           (SELECT trace_id FROM cell WHERE section = 'headline' AND row = 1
              AND place = iif(metric = 'p50_latency_ms', 4, 5)))
FROM shown_change AS c, newest
  JOIN written AS n ON n.section = 'changes' AND n.row = c.row AND n.place = 3
  JOIN written AS b ON b.section = 'changes' AND b.row = c.row AND b.place = 2
WHERE verdict = 'worse' ORDER BY c.row;
INSERT INTO finding(text, trace_id)
SELECT printf('%s %s is in %.0f%% of the failed requests and in %.0f%% of the others.', title,
              coalesce(value, 'none'), 100 * share, 100 * rest_share), trace_id
FROM shown_difference WHERE verdict = 'more' AND low >= 0.1 ORDER BY low DESC LIMIT 2;
CREATE TEMP TABLE calm AS SELECT NOT EXISTS (SELECT 1 FROM finding) AS is_calm;
INSERT INTO finding(text)
SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM recent WHERE verdict <> 'too few')
         THEN printf('%d finished requests are too few to say.', finished)
         ELSE printf('No change stands out: %d of %d requests failed, no more lately than before.',
                     error_count, finished) END
FROM quality, calm WHERE is_calm;
INSERT INTO cell SELECT 'now', row, 1, NULL, 'text', text, trace_id FROM finding;
