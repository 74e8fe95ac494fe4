-- Charts and pictures, drawn from the tables of figures.sql as SVG. All in them is made of numbers
-- and of texts written here, so nothing needs escaping.
--
-- A chart is 400 by 212; its plot reaches from 44 to 394, and from 172 at the foot up to 20.

-- A mark; one with an example is a link, and `about` says what it shows. Drawn in order of place.
CREATE TEMP TABLE mark(chart TEXT, place INTEGER, svg TEXT, trace_id TEXT, about TEXT);

-- Axes that count: from 0 to an even number of one digit and zeros.
CREATE TEMP TABLE count_axis AS
SELECT 'latency' AS chart, max(traces) AS most, 0 AS top FROM bucket
UNION ALL SELECT 'volume', max(requests), 0 FROM hour;
UPDATE count_axis SET top = (
  SELECT min(digit.column1 * CAST(power(10, zeros.value) AS INTEGER))
  FROM (VALUES (2), (4), (6), (8), (10)) AS digit, json_each('[0,1,2,3,4,5,6]') AS zeros
  WHERE digit.column1 * power(10, zeros.value) >= most);
DELETE FROM count_axis WHERE coalesce(most, 0) = 0;
INSERT INTO mark
SELECT chart, 0, printf('<path class="grid" d="M44 %.1fH394"/><text class="y" x="39" y="%.1f">'
         || '%,d</text>', 172 - 76 * column1, 176 - 76 * column1, top * column1 / 2), NULL, NULL
FROM count_axis, (VALUES (0), (1), (2));
INSERT INTO mark
SELECT chart, 0, '<text x="4" y="10">requests</text>', NULL, NULL FROM count_axis;

-- Latency histogram, with marks of the scale between its bars.
INSERT INTO mark
SELECT chart, row, printf('<rect class="bar" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>'
         || '<text class="x value" x="%.1f" y="%.1f">%,d</text>',
         44 + (row - 1) * wide + 1, 172 - high, wide - 2, high,
         44 + (row - 0.5) * wide, 168 - high, traces),
       trace_id, printf('%,d requests took %s', traces, label)
FROM (SELECT *, 350.0 / count(*) OVER () AS wide, max(1.5, 152.0 * traces / top) AS high
      FROM bucket, count_axis WHERE chart = 'latency')
WHERE traces;
INSERT INTO mark
SELECT chart, -1, printf('<text class="x" x="%.1f" y="190">%g</text>', 44 + row * wide,
         iif(last < 1000, ms, ms / 1000.0)), NULL, NULL
FROM (SELECT *, 350.0 / count(*) OVER () AS wide, max(ms) OVER () AS last
      FROM bucket, count_axis WHERE chart = 'latency')
WHERE ms;
INSERT INTO mark
SELECT chart, -1, printf('<text class="x" x="219" y="207">%s</text>',
         iif(max(ms) < 1000, 'milliseconds', 'seconds')), NULL, NULL
FROM bucket, count_axis WHERE chart = 'latency' GROUP BY chart;

-- Percentiles over time, on a logarithmic scale. A point is an example.
CREATE TEMP TABLE log_axis AS
SELECT lowest, min(ms) AS highest
FROM log_mark, (SELECT max(ms) AS lowest FROM log_mark
                WHERE ms <= (SELECT max(1, min(p50_ms)) FROM moment))
WHERE ms > (SELECT max(lowest, max(p95_ms)) FROM moment) GROUP BY lowest;
INSERT INTO mark
SELECT 'over-time', 0, printf('<path class="grid" d="M44 %.1fH394"/>'
         || '<text class="y" x="39" y="%.1f">%s</text>', y, y + 4, label), NULL, NULL
FROM (SELECT *, row_number() OVER (ORDER BY ms) - 1 AS nth, count(*) OVER () AS marks,
             172 - 152 * ln(1.0 * ms / lowest) / ln(1.0 * highest / lowest) AS y
      FROM log_mark, log_axis WHERE ms BETWEEN lowest AND highest)
WHERE nth % ((marks + 5) / 6) = 0;
CREATE TEMP TABLE point AS
WITH line(name, title) AS (VALUES ('p50', 'median'), ('p95', '95th percentile')),
span AS (SELECT min(at_ms) AS first_ms, nullif(max(at_ms) - min(at_ms), 0) AS span_ms FROM moment)
SELECT name, title, row, at_ms, iif(name = 'p50', p50_trace_id, p95_trace_id) AS trace_id,
       coalesce(54 + 330.0 * (at_ms - first_ms) / span_ms, 219) AS x,
       172 - 152 * ln(max(lowest, iif(name = 'p50', p50_ms, p95_ms)) / lowest)
                 / ln(1.0 * highest / lowest) AS y
FROM moment, line, span, log_axis WHERE p95_ms IS NOT NULL;
INSERT INTO mark
SELECT 'over-time', 1, printf('<polyline class="%s" points="%s"/>', name,
         group_concat(printf('%.1f,%.1f', x, y), ' ')), NULL, NULL
FROM (SELECT * FROM point ORDER BY name, at_ms) GROUP BY name;
INSERT INTO mark
SELECT 'over-time', 1 + point.row, iif(name = 'p50',
         printf('<circle class="p50" cx="%.1f" cy="%.1f" r="3.2"/>', x, y),
         printf('<rect class="p95" x="%.1f" y="%.1f" width="6" height="6"/>', x - 3, y - 3)),
       point.trace_id, printf('%s, %s: %s', at.text, point.title, duration.text)
FROM point JOIN written AS at
    ON at.section = 'over-time' AND at.row = point.row AND at.place = 1
  JOIN written AS duration ON duration.section = 'over-time' AND duration.row = point.row
    AND duration.place = iif(name = 'p50', 4, 5);
INSERT INTO mark
SELECT 'over-time', -1, printf('<text class="x" x="%.1f" y="190">%s</text>', x,
         strftime(CASE WHEN days <= 2 THEN '%H:%M' WHEN days <= 400 THEN '%m-%d' ELSE '%Y-%m' END,
                  at_ms / 1000, 'unixepoch', zone_modifier)), NULL, NULL
FROM (SELECT *, row_number() OVER (ORDER BY at_ms) - 1 AS nth, count(*) OVER () AS points
      FROM point WHERE name = 'p50'), about, report_settings
WHERE nth % ((points + 6) / 7) = 0;

-- Volume of the last 24 hours, failed requests at the foot of a bar.
INSERT INTO mark
SELECT chart, row, printf('<rect class="bar" x="%.1f" y="%.1f" width="12" height="%.1f"/>'
         || '<rect class="bad" x="%.1f" y="%.1f" width="12" height="%.1f"/>',
         x, 172 - 152.0 * requests / top, 152.0 * (requests - errors) / top,
         x, 172 - 152.0 * errors / top, 152.0 * errors / top),
       trace_id, printf('%s: %,d requests, %,d failed', hour, requests, errors)
FROM (SELECT *, 44 + (row - 1) * 350 / 24.0 + 1.3 AS x FROM hour, count_axis WHERE chart = 'volume')
WHERE requests;
INSERT INTO mark
SELECT chart, -1, printf('<text class="x" x="%.1f" y="190">%s</text>',
         44 + (row - 1) * 350 / 24.0 + 7.3, substr(hour, 12)), NULL, NULL
FROM hour, count_axis WHERE chart = 'volume' AND row % 5 = 2;

-- Error rates over time, with their intervals. The scale ends at the least of a few marks that is
-- above all rates; an interval may reach out of it.
CREATE TEMP TABLE rate_point AS
SELECT rate.*, top, 172 - 152 * rate / top AS y, 172 - 152 * low / top AS low_y,
       172 - 152 * min(high, top) / top AS high_y,
       coalesce(54 + 330.0 * (at_ms - first_ms) / span_ms, 219) AS x
FROM rate
  JOIN (SELECT chart, min(at_ms) AS first_ms, nullif(max(at_ms) - min(at_ms), 0) AS span_ms,
               (SELECT min(value) FROM json_each('[0.1, 0.2, 0.5, 1]') WHERE value >= max(rate))
                 AS top
        FROM rate GROUP BY chart) USING (chart);
INSERT INTO mark
SELECT chart, 0, printf('<path class="grid" d="M44 %.1fH394"/><text class="y" x="39" y="%.1f">'
         || '%g%%</text>', 172 - 76 * column1, 176 - 76 * column1, 50 * top * column1), NULL, NULL
FROM (SELECT DISTINCT chart, top FROM rate_point), (VALUES (0), (1), (2));
INSERT INTO mark
SELECT chart, rate_point.row, printf('<path class="reach" d="M%.1f %.1fV%.1f"/>'
         || '<circle class="bad" cx="%.1f" cy="%.1f" r="3.6"/>', x, low_y, high_y, x, y),
       rate_point.trace_id, printf('%s: %d of %d failed, %.0f%% (95%% interval %.0f to %.0f%%)',
                                   at.text, errors, finished, 100 * rate, 100 * low, 100 * high)
FROM rate_point JOIN written AS at
  ON at.section = chart AND at.row = rate_point.row AND at.place = 1;
WITH RECURSIVE labelled(chart, x) AS (  -- the first point, and each that is far enough on
  SELECT chart, min(x) FROM rate_point GROUP BY chart
  UNION ALL
  SELECT chart, (SELECT min(p.x) FROM rate_point AS p
                 WHERE p.chart = labelled.chart AND p.x >= labelled.x + 54)
  FROM labelled WHERE x)
INSERT INTO mark
SELECT chart, -1, printf('<text class="x" x="%.1f" y="190">%s</text>', x,
         strftime(CASE WHEN chart = 'error-hours' OR days <= 2 THEN '%H:%M'
                       WHEN days <= 400 THEN '%m-%d' ELSE '%Y-%m' END,
                  at_ms / 1000, 'unixepoch', zone_modifier)), NULL, NULL
FROM rate_point JOIN labelled USING (chart, x), about, report_settings;

-- Pictures in cells: bars of shares, and for rates their interval with a dot.
CREATE TEMP TABLE picture(section TEXT, row INTEGER, place INTEGER, svg TEXT);
INSERT INTO picture
SELECT section, row, place, printf('<rect class="rail" y="3" width="80" height="6"/>'
         || '<rect class="%s" y="3" width="%.1f" height="6"/>',
         iif(section = 'errors', 'bad', 'bar'), 80 * share)
FROM (SELECT 'errors' AS section, row, 2 AS place, traces * 1.0 / max(traces) OVER () AS share
      FROM shown_error
      UNION ALL SELECT 'types', row, 2, share FROM shown_type
      UNION ALL SELECT 'models', row, 2, share FROM shown_model
      UNION ALL SELECT 'slowest', row, 2, execution_time_ms * 1.0 / max(execution_time_ms) OVER ()
      FROM shown_slow)
WHERE share IS NOT NULL;
INSERT INTO picture
SELECT section, row, place, printf('<rect class="rail" x="4" y="3" width="72" height="6"/>'
         || '<rect class="range" x="%.1f" y="3" width="%.1f" height="6"/>'
         || '<circle class="%s" cx="%.1f" cy="6" r="4"/>',
         4 + 72 * low, 72 * (high - low), iif(section = 'tools', 'bad', 'bar'), 4 + 72 * rate)
FROM (SELECT 'scorers' AS section, row, 4 AS place, pass_low AS low, pass_high AS high,
             pass_rate AS rate FROM shown_scorer
      UNION ALL SELECT 'tools', row, 4, low, high, error_rate FROM shown_tool
      UNION ALL SELECT 'headline', 1, 1, success_low, success_high, success_rate FROM quality)
WHERE rate IS NOT NULL;
