-- The page, from the cells and marks of figures.sql. No script, nothing from the network.

CREATE TEMP VIEW html_cell AS
SELECT section, row, place, title, is_number,
       iif(href IS NULL, html, printf('<a href="%s">%s</a>', href, html)) AS html
FROM safe LEFT JOIN link ON link.trace_id = safe.trace_id;

CREATE TEMP VIEW html_table AS
WITH titles AS (SELECT DISTINCT section, place, title, is_number FROM cell WHERE place > 0),
heads AS (SELECT section, group_concat(printf('<th scope="col"%s>%s</th>',
            iif(is_number, ' class="number"', ''), title), '') AS head
          FROM (SELECT * FROM titles ORDER BY section, place) GROUP BY section),
filled AS (SELECT t.section, r.row, t.place, t.is_number, t.title, coalesce(c.html, '–') AS html
           FROM titles AS t JOIN (SELECT DISTINCT section, row FROM cell) AS r ON r.section = t.section
             LEFT JOIN html_cell AS c
               ON c.section = t.section AND c.row = r.row AND c.place = t.place),
body AS (SELECT section, row, group_concat(iif(place = 1,
           printf('<th scope="row">%s</th>', html),
           printf('<td%s data-title="%s">%s</td>', iif(is_number, ' class="number"', ''), title, html)), '') AS line
         FROM (SELECT * FROM filled ORDER BY section, row, place) GROUP BY section, row)
SELECT section, printf('<table><thead><tr>%s</tr></thead><tbody>%s</tbody></table>', head,
         group_concat(printf('<tr>%s</tr>', line), char(10))) AS html
FROM (SELECT body.section, head, line FROM body JOIN heads ON heads.section = body.section
      ORDER BY body.section, row)
GROUP BY section;

CREATE TEMP TABLE part(place INTEGER PRIMARY KEY, section TEXT, title TEXT, note TEXT, empty TEXT);
INSERT INTO part(section, title, note, empty) VALUES
  ('latency', 'How long requests take', 'Requests by duration; each bar ends where its label says, and links to its newest.',
   'No request of this window has a duration.'),
  ('over-time', 'Latency over time', 'Median and 95th percentile of each day, or hour in a short window.',
   'No request of this window has a duration.'),
  ('volume', 'The last 24 hours', 'Requests an hour; failed ones in the darker colour at the foot.',
   'No requests in the last 24 hours.'),
  ('changes', 'Better or worse than before', 'This window and the one before it, as long.', NULL),
  ('errors', 'What fails', 'Errors that differ in ids, numbers, paths and quotes are one. The link is the newest.',
   'Nothing failed in this window.'),
  ('types', 'Where the time goes', 'Spans by type, of the newest, failed and slowest traces. The link is the longest.',
   'No spans in this window.'),
  ('models', 'Tokens and cost by model', 'Calls in the traces whose spans were read. The link is the slowest call.',
   'No calls of models in this window.'),
  ('slowest', 'The slowest requests', 'And the span in each that had the most time to itself.',
   'No request of this window has a duration.'),
  ('scorers', 'What judges and people say', 'Valid feedback; passes with their 95 % interval. The link is the newest failure.',
   'No feedback on the traces of this window.');

SELECT '<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''">
<meta name="color-scheme" content="light dark">
<title>MLflow report: ' || html || '</title>
<style>
:root { --page: #f6f7f9; --card: #fff; --text: #1a1f27; --soft: #565f6e; --line: #d9dde3;
  --bar: #3b6fb6; --bad: #b3341f; --link: #1d5bb0; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171c; --card: #1d2129; --text: #e8ebf0; --soft: #a5afbd; --line: #363d49;
    --bar: #6da2ea; --bad: #f08a74; --link: #8fbcff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 16px; }
h1 { font-size: 26px; line-height: 1.25; margin: 28px 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 2px; }
p { margin: 0 0 12px; color: var(--soft); overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 16px; top: 8px; background: var(--card); padding: 6px 12px; }
dl { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 12px;
  margin: 20px 0 16px; }
dl div, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
dl div { padding: 12px 14px; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
dd a { color: inherit; text-decoration-thickness: 1px; text-underline-offset: 4px; }
dd small { display: block; color: var(--soft); font-size: 13px; font-weight: 400; }
main > div { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
section { padding: 16px 18px; min-width: 0; }
.wide { grid-column: 1 / -1; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--soft); }
.tick, .value { text-anchor: middle; }
svg .value { fill: var(--text); }
.axis { text-anchor: end; }
.grid { stroke: var(--line); }
.bar { fill: var(--bar); } .bad { fill: var(--bad); }
polyline { fill: none; stroke-width: 2.5; }
.p50 { stroke: var(--bar); } circle.p50 { fill: var(--bar); }
.p95 { stroke: var(--bad); } circle.p95 { fill: var(--bad); }
.key { font-size: 13px; margin: 4px 0 0; } .key b { font-weight: 600; }
.key .one { color: var(--bar); } .key .two { color: var(--bad); }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; padding: 7px 12px 7px 0; border-top: 1px solid var(--line);
  vertical-align: top; font-weight: 400; overflow-wrap: anywhere; }
thead th { border: 0; color: var(--soft); font-size: 13px; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
th:last-child, td:last-child { padding-right: 0; }
footer { padding: 18px 16px 40px; font-size: 13px; }
@media (max-width: 760px) {
  main > div { grid-template-columns: minmax(0, 1fr); }
  dl { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  tr { display: block; border-top: 1px solid var(--line); padding: 8px 0; }
  th, td { display: block; border: 0; padding: 1px 0; }
  td { display: flex; justify-content: space-between; gap: 16px; }
  td::before { content: attr(data-title); color: var(--soft); }
  .number { text-align: left; white-space: normal; }
  svg text { font-size: 20px; }
  .minor { display: none; }
}
@media print { body { background: none; } section, dl div { break-inside: avoid; }
  a { color: inherit; text-decoration: none; } }
</style>
</head>
<body>
<a class="skip" href="#main">To the report</a>'
FROM safe WHERE section = 'head' AND place = 1;
SELECT '<header>
<h1>' || max(html) FILTER (WHERE place = 1) || '</h1>
<p>' || max(html) FILTER (WHERE place = 3) || ', traces of ' || max(html) FILTER (WHERE place = 2) || '</p>
</header>
<main id="main">' FROM safe WHERE section = 'head';
SELECT '<dl>' || group_concat(printf('<div><dt>%s</dt><dd>%s%s</dd></div>', title, html, coalesce(
  (SELECT printf('<small>%s</small>', m.html) FROM safe AS m
   WHERE m.section = 'headline' AND m.row = 2 AND m.place = figure.place), '')), char(10)) || '</dl>'
FROM (SELECT * FROM html_cell WHERE section = 'headline' AND row = 1 ORDER BY place) AS figure;
SELECT '<p>There are no traces in this window.</p>' FROM quality WHERE total = 0;
SELECT '<div>';
SELECT printf('<section aria-labelledby="%s"%s><h2 id="%s">%s</h2><p>%s</p>%s</section>', section,
  iif(section IN ('errors', 'slowest', 'scorers'), ' class="wide"', ''), section, title, note, coalesce(
    (SELECT printf('<svg viewBox="0 0 640 184" role="img" aria-label="%s">%s</svg>%s', title,
                   group_concat(iif(href IS NULL, svg, printf('<a href="%s">%s</a>', href, svg)), char(10)), iif(section = 'over-time',
                   '<p class="key"><b class="one">●</b> median <b class="two">●</b> 95th percentile</p>', ''))
     FROM (SELECT chart, svg, href FROM mark LEFT JOIN link ON link.trace_id = mark.trace_id
           ORDER BY place) WHERE chart = section HAVING count(*)),
    (SELECT html FROM html_table WHERE html_table.section = part.section),
    printf('<p>%s</p>', empty)))
FROM part ORDER BY place;
SELECT '</div>
</main>
<footer>';
SELECT printf('<p>%s</p>', html) FROM safe WHERE section = 'foot' ORDER BY place;
SELECT '<p>Made by sqlite-mlflow ' || mlflow_version() || ' at ' || datetime('now') || ' UTC.</p>
</footer>
</body>
</html>';
