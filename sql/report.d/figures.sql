-- What the report shows, as texts: cells of tables, and marks of charts. Texts of the server are
-- escaped here, in the view `safe`, and nowhere else; marks are made of numbers alone.

-- How figures are written.
CREATE TEMP VIEW style AS
SELECT 640 AS width, 190 AS height, 44 AS left_margin, 8 AS top_margin, 150 AS plot_height;

-- A cell of a table: `title` heads its column; trace_id links it to an example.
CREATE TEMP TABLE cell(
  section TEXT, row INTEGER, place INTEGER, title TEXT, text, trace_id TEXT, is_number INTEGER);

-- A mark of a chart: SVG made of numbers, and the trace that is an example of it.
CREATE TEMP TABLE mark(chart TEXT, place INTEGER, svg TEXT, trace_id TEXT);

CREATE TEMP VIEW safe AS
SELECT section, row, place, title, is_number, trace_id,
       replace(replace(replace(replace(replace(coalesce(text, '–'), '&', '&amp;'), '<', '&lt;'),
         '>', '&gt;'), '"', '&quot;'), '''', '&#39;') AS html
FROM cell;

-- Where the MLflow UI shows a trace; nothing unless the server is reached by http or https.
CREATE TEMP VIEW link AS
SELECT trace_id,
       replace(replace(replace(uri, '&', '&amp;'), '"', '&quot;'), '<', '&lt;') || '/#/experiments/' ||
       CAST(CAST(experiment_id AS INTEGER) AS TEXT) || '/traces?selectedEvaluationId=' || trace_id
           AS href
FROM traces, about
WHERE (uri LIKE 'http://%' OR uri LIKE 'https://%') AND trace_id NOT GLOB '*[^A-Za-z0-9:/_-]*';

CREATE TEMP TABLE window_traces AS
SELECT traces.* FROM traces, about WHERE timestamp_ms >= from_ms;

CREATE TEMP TABLE quality AS SELECT * FROM trace_quality;

-- A duration in its own unit, rounded as one reads it.
CREATE TEMP TABLE unit(place INTEGER, from_ms REAL, divisor REAL, format TEXT);
INSERT INTO unit VALUES (1, 0, 1, '%.0f ms'), (2, 999.5, 1000, '%.1f s'),
  (3, 59950, 60000, '%.1f min'), (4, 3.6e6, 3.6e6, '%.1f h');

-- Headline figures, each with a trace that shows it; `more` stands below.
CREATE TEMP TABLE headline(place INTEGER, title TEXT, text TEXT, more TEXT, trace_id TEXT);
INSERT INTO headline
SELECT 1, 'Success rate', printf('%.1f %%', 100 * success_rate),
       printf('95 %% interval %.1f to %.1f %%', 100 * success_low, 100 * success_high), NULL
FROM quality WHERE finished
UNION ALL
SELECT 2, 'Requests', printf('%,d', total), printf('%,d in progress', in_progress),
       (SELECT trace_id FROM window_traces ORDER BY timestamp_ms DESC LIMIT 1) FROM quality
UNION ALL
SELECT 3, 'Errors', printf('%,d', error_count), NULL,
       (SELECT trace_id FROM window_traces WHERE status = 'ERROR' ORDER BY timestamp_ms DESC LIMIT 1)
FROM quality
UNION ALL
SELECT p.place, title, printf(format, ms / divisor), more,
       (SELECT trace_id FROM (SELECT trace_id, timestamp_ms, abs(execution_time_ms - p.ms) AS off
                              FROM window_traces WHERE execution_time_ms IS NOT NULL)
        ORDER BY off, timestamp_ms DESC LIMIT 1)
FROM (SELECT 4 AS place, 'Median latency' AS title, p50_latency_ms AS ms, NULL AS more FROM quality
      UNION ALL SELECT 5, '95th percentile', p95_latency_ms, 'one in twenty is slower' FROM quality
      UNION ALL SELECT 6, '99th percentile', p99_latency_ms, 'one in a hundred is slower' FROM quality) AS p
JOIN unit ON unit.from_ms = (SELECT max(from_ms) FROM unit WHERE from_ms <= ms)
UNION ALL
SELECT 7, 'Tokens', printf('%,d', sum(total_tokens)), printf('%,.0f a request', avg(total_tokens)),
       (SELECT trace_id FROM window_traces ORDER BY total_tokens DESC LIMIT 1)
FROM window_traces HAVING count(total_tokens)
UNION ALL
SELECT 8, 'Cost', printf('$%,.2f', sum(total_cost)), printf('$%.4f a request', avg(total_cost)),
       (SELECT trace_id FROM window_traces ORDER BY total_cost DESC LIMIT 1)
FROM window_traces HAVING count(total_cost);
INSERT INTO cell SELECT 'headline', 1, place, title, text, trace_id, 1 FROM headline;
INSERT INTO cell SELECT 'headline', 2, place, title, more, NULL, 0 FROM headline WHERE more IS NOT NULL;

-- Latency histogram: bars of buckets, half-open, with the number of traces on top.
CREATE TEMP TABLE edges AS SELECT json_object(
  '< 0.1 s', 100, '0.2', 200, '0.5', 500, '1 s', 1000, '2', 2000, '5', 5000, '10 s', 10000,
  '20', 20000, '50', 50000, '> 50 s', NULL) AS edges;
CREATE TEMP TABLE bucket AS
SELECT key AS label, value AS traces, row_number() OVER () - 1 AS place, (
         SELECT trace_id FROM window_traces WHERE latency_class(execution_time_ms, edges) = key
         ORDER BY timestamp_ms DESC LIMIT 1) AS trace_id
FROM edges, json_each((SELECT latency_bucket(execution_time_ms, edges) FROM window_traces));
INSERT INTO mark
SELECT 'latency', place, printf(
  '<rect class="bar" x="%.1f" y="%.1f" width="52" height="%.1f" rx="2"><title>%d</title></rect>'
  || '<text class="value" x="%.1f" y="%.1f">%s</text><text class="tick%s" x="%.1f" y="176">%s</text>',
  left_margin + place * 59.0, top_margin + 12 + (plot_height - 12) * (1 - share),
  (plot_height - 12) * share, traces,
  left_margin + place * 59.0 + 26, top_margin + 8 + (plot_height - 12) * (1 - share),
  iif(traces, printf('%,d', traces), ''), iif(place % 3, ' minor', ''),
  left_margin + place * 59.0 + 26, replace(replace(label, '<', '&lt;'), '>', '&gt;')), trace_id
FROM (SELECT *, traces * 1.0 / max(1, max(traces) OVER ()) AS share FROM bucket), style
WHERE (SELECT sum(traces) FROM bucket) > 0;

-- Percentiles over time: by day, or by hour in a window of two days or less.
CREATE TEMP TABLE moment AS
WITH width AS (SELECT iif(days <= 2, '1 hour', '1 day') AS width, zone FROM report_settings)
SELECT time_bucket(width, timestamp_ms, zone) AS at_ms, count(*) AS traces,
       percentile(execution_time_ms, 50) AS p50, percentile(execution_time_ms, 95) AS p95
FROM window_traces, width GROUP BY 1;
CREATE TEMP TABLE scale AS
SELECT min(at_ms) AS first_ms, max(1, max(at_ms) - min(at_ms)) AS span_ms,
       (SELECT min(step) FROM (SELECT column1 * power(10, column2) AS step FROM (VALUES (1, 0),
          (2, 0), (5, 0), (1, 1), (2, 1), (5, 1), (1, 2), (2, 2), (5, 2), (1, 3), (2, 3), (5, 3),
          (1, 4), (2, 4), (5, 4), (1, 5), (2, 5), (5, 5), (1, 6), (2, 6), (5, 6), (1, 7), (1, 9)))
        WHERE step >= (SELECT max(p95) FROM moment)) AS top_ms
FROM moment WHERE p95 IS NOT NULL;
CREATE TEMP VIEW point AS
SELECT at_ms, column1 AS line, iif(column1 = 'p50', p50, p95) AS ms,
       left_margin + 8 + 570.0 * (at_ms - first_ms) / span_ms AS x,
       top_margin + plot_height * (1 - iif(column1 = 'p50', p50, p95) / top_ms) AS y
FROM moment, scale, style, (VALUES ('p50'), ('p95')) WHERE p95 IS NOT NULL;
INSERT INTO mark
SELECT 'over-time', column1, printf(
  '<line class="grid" x1="%d" x2="630" y1="%.1f" y2="%.1f"/><text class="axis" x="%d" y="%.1f">%s</text>',
  left_margin, y, y, left_margin - 5, y + 4,
  (SELECT printf(format, ms / divisor) FROM unit WHERE unit.from_ms <= ms
   ORDER BY unit.from_ms DESC LIMIT 1)), NULL
FROM (SELECT column1, left_margin, top_ms * column1 / 2.0 AS ms,
             top_margin + plot_height * (1 - column1 / 2.0) AS y
      FROM scale, style, (VALUES (0), (1), (2)) WHERE top_ms IS NOT NULL);
INSERT INTO mark
SELECT 'over-time', 10, printf('<polyline class="%s" points="%s"/>', line,
  group_concat(printf('%.1f,%.1f', x, y), ' ')), NULL
FROM (SELECT * FROM point ORDER BY line, at_ms) GROUP BY line;
INSERT INTO mark
SELECT 'over-time', 11, printf('<circle class="%s" cx="%.1f" cy="%.1f" r="3"><title>%s</title></circle>',
  line, x, y, (SELECT printf(format, ms / divisor) FROM unit WHERE unit.from_ms <= ms
               ORDER BY unit.from_ms DESC LIMIT 1)), NULL
FROM point;
INSERT INTO mark
SELECT 'over-time', 12, printf('<text class="tick%s" x="%.1f" y="176">%s</text>',
  iif((place - 1) / ((points + 9) / 10) % 3, ' minor', ''), x,
  strftime(iif(days <= 2, '%H:%M', '%m-%d'), at_ms / 1000, 'unixepoch', zone_modifier)), NULL
FROM (SELECT *, row_number() OVER (ORDER BY at_ms) AS place, count(*) OVER () AS points
      FROM point WHERE line = 'p50'), about, report_settings
WHERE (place - 1) % ((points + 9) / 10) = 0;

-- Volume of the window's last 24 hours: a bar an hour, errors at its foot.
INSERT INTO mark
SELECT 'volume', place, printf(
  '<rect class="bar" x="%.1f" y="%.1f" width="20" height="%.1f" rx="2"><title>%s: %d, %d failed</title></rect>'
  || '<rect class="bad" x="%.1f" y="%.1f" width="20" height="%.1f"/>%s',
  x, top_margin + plot_height - h, h, hour, requests, errors,
  x, top_margin + plot_height - h * errors / max(1, requests), h * errors / max(1, requests),
  iif(place % 4 = 0, printf('<text class="tick%s" x="%.1f" y="176">%s</text>',
  iif(place % 8, ' minor', ''), x + 10, substr(hour, 12)), '')), NULL
FROM (SELECT *, left_margin + place * 24.5 AS x,
             (plot_height - 4) * requests * 1.0 / max(1, max(requests) OVER ()) AS h
      FROM (SELECT *, row_number() OVER (ORDER BY hour) - 1 AS place FROM hourly_volume), style)
WHERE (SELECT sum(requests) FROM hourly_volume) > 0;
INSERT INTO mark
SELECT 'volume', -1, printf('<text class="axis" x="%d" y="%d">%s</text>', left_margin - 5,
  top_margin + 12, printf('%,d', max(requests))), NULL FROM hourly_volume, style HAVING sum(requests) > 0;

-- Errors by what failed.
CREATE TEMP TABLE shown_error AS
SELECT row_number() OVER () AS row, * FROM error_groups LIMIT 10;
INSERT INTO cell
SELECT 'errors', row, 1, 'Error', coalesce(exception_type || ': ', '') ||
       coalesce(message, 'without a message, or not among the traces whose spans were read'),
       example_trace_id, 0 FROM shown_error
UNION ALL SELECT 'errors', row, 2, 'Traces', printf('%,d', traces), NULL, 1 FROM shown_error
UNION ALL SELECT 'errors', row, 3, 'Last seen',
       strftime('%m-%d %H:%M', last_seen_ms / 1000, 'unixepoch', zone_modifier), NULL, 1
FROM shown_error, about;

-- Where the time goes: spans by type, of the traces whose spans were read.
CREATE TEMP TABLE shown_type AS
SELECT row_number() OVER (ORDER BY sum(critical_path_ms) DESC) AS row, span_type, count(*) AS spans,
       sum(critical_path_ms) / (SELECT sum(critical_path_ms) FROM spans) AS share,
       percentile(self_time_ms, 95) AS p95_self_ms, max(duration_ms) AS longest_ms,
       trace_id AS longest_trace_id
FROM spans GROUP BY span_type;
INSERT INTO cell
SELECT 'types', row, 1, 'Span type', span_type, longest_trace_id, 0 FROM shown_type
UNION ALL SELECT 'types', row, 2, 'Spans', printf('%,d', spans), NULL, 1 FROM shown_type
UNION ALL SELECT 'types', row, 3, 'Of the critical path', printf('%.0f %%', 100 * share), NULL, 1
FROM shown_type
UNION ALL SELECT 'types', row, t.place, title, printf(format, ms / divisor), NULL, 1
FROM (SELECT row, 4 AS place, 'Own time, 95 %' AS title, p95_self_ms AS ms FROM shown_type
      UNION ALL SELECT row, 5, 'Longest', longest_ms FROM shown_type) AS t
JOIN unit ON unit.from_ms = (SELECT max(from_ms) FROM unit WHERE from_ms <= ms);

-- The slowest traces.
CREATE TEMP TABLE shown_slow AS SELECT row_number() OVER () AS row, * FROM slowest;
INSERT INTO cell
SELECT 'slowest', row, 1, 'Request', coalesce(name || ': ', '') || substr(coalesce(
         iif(json_valid(request_preview), request_preview ->> '$.messages[#-1].content', NULL),
         request_preview, ''), 1, 120), trace_id, 0 FROM shown_slow
UNION ALL SELECT 'slowest', row, 2, 'Took', printf(format, execution_time_ms / divisor), NULL, 1
FROM shown_slow
JOIN unit ON unit.from_ms = (SELECT max(from_ms) FROM unit WHERE from_ms <= execution_time_ms)
UNION ALL SELECT 'slowest', row, 3, 'Most of it', busiest_span, NULL, 0 FROM shown_slow
UNION ALL SELECT 'slowest', row, 4, 'Status', status, NULL, 0 FROM shown_slow;

-- Tokens and cost by model, of the traces whose spans were read.
CREATE TEMP TABLE shown_model AS
SELECT row_number() OVER (ORDER BY total_cost DESC) AS row, * FROM llm_calls
WHERE total_tokens IS NOT NULL OR model_name IS NOT NULL LIMIT 10;
INSERT INTO cell
SELECT 'models', row, 1, 'Model', coalesce(model_name, 'unknown'), slowest_trace_id, 0 FROM shown_model
UNION ALL SELECT 'models', row, 2, 'Calls', printf('%,d', calls), NULL, 1 FROM shown_model
UNION ALL SELECT 'models', row, 3, 'Tokens in', printf('%,d', input_tokens), NULL, 1 FROM shown_model
UNION ALL SELECT 'models', row, 4, 'Tokens out', printf('%,d', output_tokens), NULL, 1 FROM shown_model
UNION ALL SELECT 'models', row, 5, 'Cost', iif(total_cost IS NULL, NULL, printf('$%.4f', total_cost)), NULL, 1
FROM shown_model;

-- Feedback by scorer. The example is a failed one.
CREATE TEMP TABLE shown_scorer AS
SELECT row_number() OVER (ORDER BY s.scorer, s.source_type) AS row, s.*,
       (SELECT trace_id FROM assessments AS a WHERE a.name = s.scorer AND a.source_type = s.source_type
          AND a.valid = 1 AND a.value_json IN ('"no"', 'false')
        ORDER BY create_time_ms DESC LIMIT 1) AS failed_trace_id
FROM scorer_quality AS s;
INSERT INTO cell
SELECT 'scorers', row, 1, 'Scorer', scorer, failed_trace_id, 0 FROM shown_scorer
UNION ALL SELECT 'scorers', row, 2, 'By', source_type, NULL, 0 FROM shown_scorer
UNION ALL SELECT 'scorers', row, 3, 'Given', printf('%,d', given), NULL, 1 FROM shown_scorer
UNION ALL SELECT 'scorers', row, 4, 'Passed', iif(pass_rate IS NULL, NULL,
  printf('%.0f %% (%.0f to %.0f)', 100 * pass_rate, 100 * pass_low, 100 * pass_high)), NULL, 1
FROM shown_scorer
UNION ALL SELECT 'scorers', row, 5, 'Mean', iif(mean_value IS NULL OR pass_rate IS NOT NULL, NULL,
  printf('%.2f', mean_value)), NULL, 1 FROM shown_scorer
UNION ALL SELECT 'scorers', row, 6, 'Crashed', iif(judge_errors, printf('%,d', judge_errors), NULL), NULL, 1
FROM shown_scorer;

-- This window and the one before it.
CREATE TEMP TABLE shown_change AS
SELECT row_number() OVER (ORDER BY metric <> 'success_rate', metric) AS row, * FROM compare_periods;
INSERT INTO cell
SELECT 'changes', row, 1, 'Measure', CASE metric WHEN 'success_rate' THEN 'Success rate, %'
  WHEN 'p50_latency_ms' THEN 'Median latency, s' ELSE '95th percentile, s' END, NULL, 0 FROM shown_change
UNION ALL SELECT 'changes', row, column1, column2, printf('%.2f',
    CASE column1 WHEN 2 THEN before WHEN 3 THEN now ELSE difference END
    * iif(metric = 'success_rate', 100, 0.001)), NULL, 1
  FROM shown_change, (VALUES (2, 'Before'), (3, 'Now'), (4, 'Difference'))
  WHERE CASE column1 WHEN 2 THEN before WHEN 3 THEN now ELSE difference END IS NOT NULL
UNION ALL SELECT 'changes', row, 5, '95 % interval', iif(low IS NULL, NULL, printf('%.2f to %.2f',
    low * iif(metric = 'success_rate', 100, 0.001), high * iif(metric = 'success_rate', 100, 0.001))),
  NULL, 1 FROM shown_change
UNION ALL SELECT 'changes', row, 6, 'Verdict', verdict, NULL, 0 FROM shown_change;

-- The head and the foot.
INSERT INTO cell
SELECT 'head', 1, 1, 'experiment', experiment, NULL, 0 FROM about
UNION ALL SELECT 'head', 1, 2, 'server', uri, NULL, 0 FROM about
UNION ALL SELECT 'head', 1, 3, 'window', printf('%s to %s (%s)',
  strftime('%Y-%m-%d %H:%M', from_ms / 1000, 'unixepoch', zone_modifier),
  strftime('%Y-%m-%d %H:%M', until_ms / 1000, 'unixepoch', zone_modifier), zone), NULL, 0 FROM about
UNION ALL SELECT 'foot', 1, 1, 'fetched', printf(
  'Fetched in %.1f s: %,d requests, %.1f MB, %,d traces of this window and the one before it, %,d assessments of this one, and %,d spans of its %,d newest, failed and slowest traces.',
  seconds, requests, bytes / 1e6, traces, assessments, spans, span_traces), NULL, 0 FROM receipt
UNION ALL SELECT 'foot', 1, 2, 'capped', printf(
  'Only the newest %,d traces were read: there are more in these two windows.', traces_max), NULL, 0
FROM about, receipt WHERE receipt.traces >= traces_max;
