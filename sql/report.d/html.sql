-- The page, from figures.sql and charts.sql. No script, nothing from the network. Texts of the
-- server are escaped here, in the view `safe`, and nowhere else.

CREATE TEMP VIEW safe AS
SELECT section, row, place, title, is_number, is_verdict, trace_id,
       replace(replace(replace(replace(replace(text, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'),
         '"', '&quot;'), '''', '&#39;') AS html
FROM written;

-- Where the MLflow UI shows a trace: on the server that was asked, and nowhere unless that is http
-- or https and the id is one.
CREATE TEMP VIEW link AS
SELECT trace_id, safe.html || '/#/experiments/' || CAST(experiment_id AS INTEGER)
         || '/traces?selectedEvaluationId=' || trace_id AS href
FROM traces, (SELECT html FROM safe WHERE section = 'head' AND place = 2) AS safe
WHERE (html LIKE 'http://%' OR html LIKE 'https://%') AND trace_id NOT GLOB '*[^A-Za-z0-9:/_-]*';

CREATE TEMP TABLE html_cell AS
SELECT safe.section, safe.row, safe.place, title, is_number,
       iif(svg IS NULL, '', printf('<svg class="picture" viewBox="0 0 80 12" aria-hidden="true">'
         || '%s</svg>', svg)) AS picture,
       CASE WHEN is_verdict AND html IN ('worse', 'new', 'more', 'better', 'less')
              THEN printf('<strong class="%s">%s</strong>',
                          iif(html IN ('worse', 'new', 'more'), 'alarm', 'relief'), html)
            WHEN href IS NULL THEN html ELSE printf('<a href="%s">%s</a>', href, html) END AS html
FROM safe LEFT JOIN link ON link.trace_id = safe.trace_id
  LEFT JOIN picture ON picture.section = safe.section AND picture.row = safe.row
    AND picture.place = safe.place;

CREATE TEMP VIEW html_table AS
WITH body AS (
  SELECT section, row, group_concat(iif(place = 1, printf('<th scope="row">%s</th>', html),
           printf('<td%s data-title="%s"><span>%s%s</span></td>',
                  iif(is_number, ' class="number"', ''), title, html, picture)), '') AS line
  FROM (SELECT * FROM html_cell ORDER BY section, row, place) GROUP BY section, row),
head AS (
  SELECT section, group_concat(printf('<th scope="col"%s>%s</th>',
           iif(is_number, ' class="number"', ''), title), '') AS line
  FROM (SELECT DISTINCT section, place, title, is_number FROM html_cell
        ORDER BY section, place) GROUP BY section)
SELECT body.section, printf('<table><thead><tr>%s</tr></thead>%s<tbody>%s</tbody></table>',
         head.line, char(10), group_concat(printf('<tr>%s</tr>', body.line), char(10))) AS html
FROM (SELECT * FROM body ORDER BY section, row) AS body JOIN head ON head.section = body.section
GROUP BY body.section;

-- A chart is a group of links to those who hear it; a table of the same figures is below it.
CREATE TEMP VIEW html_chart AS
SELECT chart, group_concat(iif(href IS NULL, svg,
         printf('<a href="%s" aria-label="%s">%s<title>%s</title></a>', href, about, svg, about)),
         char(10)) AS marks
FROM (SELECT chart, svg, about, href FROM mark LEFT JOIN link ON link.trace_id = mark.trace_id
      ORDER BY chart, mark.place)
GROUP BY chart;

-- The cards: `empty` stands where there is nothing to show.
CREATE TEMP TABLE part(place INTEGER PRIMARY KEY, section TEXT, title TEXT, note TEXT, key TEXT,
                       empty TEXT, is_chart AS (section IN (
                         'latency', 'over-time', 'volume', 'error-hours', 'error-days')));
INSERT INTO part(section, title, note, key, empty) VALUES
  ('errors', 'What fails',
   'Errors that differ only in ids, numbers, paths and quotes are one. They link to the newest. '
     || 'New: first seen in the last seventh of the window'
     || (SELECT iif(requests, printf('; of %,d failed requests the spans were not read: errors may be '
           || 'in more requests (≥), and one called new may have been among them.', requests), '.')
         FROM unread),
   NULL, 'Nothing failed in this window.'),
  ('volume', 'The last 24 hours',
   'Requests an hour. A bar links to its newest failure, else its newest request.',
   '<span class="one">■</span> OK or in progress <span class="two">■</span> failed',
   'No requests in the last 24 hours.'),
  ('error-hours', 'Error rate of the last 24 hours',
   'Failed among finished requests, with its 95% interval. A point links to the newest failure.',
   NULL, 'No request finished in the last 24 hours.'),
  ('error-days', 'Error rate over the window',
   'Failed among finished requests, with its 95% interval. A point links to the newest failure.',
   NULL, 'No request of this window has finished.'),
  ('changes', 'Better or worse than before',
   'This window beside the equally long one before it. Under 20 requests are too few to say.', NULL,
   'The window before this one was not read in full.'),
  ('differences', 'What is different about the failed requests',
   'What is more often, or less, among them than among the others. Tools and models are of the '
     || 'requests drawn at random. Of twenty values without any difference, one is here.',
   NULL, 'No clear difference, or too few requests to say.'),
  ('tools', 'How tools fail',
   'Of the requests drawn at random. A tool links to its newest failure, else its newest call.',
   NULL, 'No tool was called in the requests drawn at random.'),
  ('sessions', 'Sessions that ended badly',
   'Their last turn failed, or a judge or a person said no to it, or to the session. They link to '
     || 'that turn. Turns are those of this window and the one before it. '
     || (SELECT printf('%,d of %,d sessions; the newest.', max(bad_sessions), max(sessions))
         FROM shown_session),
   NULL, 'No session of this window ended badly.'),
  ('scorers', 'What judges and people say',
   'Valid feedback. A scorer links to its newest failure, else its newest feedback.', NULL,
   'No feedback on the requests of this window.'),
  ('agreement', 'How far judges and people agree',
   'On requests that both judged, and beyond chance (Cohen''s kappa: 1 is always, 0 is chance). '
     || 'A scorer links to the newest disagreement. Under 20 are too few to say.',
   NULL, 'No two of them judged the same request.'),
  ('latency', 'How long requests take',
   'Requests by duration. A bar links to its newest request.', NULL,
   'No request of this window has a duration.'),
  ('over-time', 'Latency over time',
   'Logarithmic scale. A point links to a request that took about as long.',
   '<span class="one">●</span> median <span class="two">■</span> 95th percentile',
   'No request of this window has a duration.'),
  ('types', 'Where the time goes',
   'Share of the critical path by type of span, estimated from requests drawn at random.', NULL,
   'No spans in this window.'),
  ('models', 'Tokens and cost by model',
   'Estimated from requests drawn at random. A model links to its slowest call.', NULL,
   'No calls of models in this window.'),
  ('slowest', 'The slowest requests',
   'And the span in each that had the most time to itself.', NULL,
   'No request of this window has a duration.');

.print "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
SELECT '<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src ''none''; style-src ''unsafe-inline''">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>Traces of ' || html || '</title>
<style>' FROM safe WHERE section = 'head' AND place = 1;
SELECT css FROM style;
SELECT '</style>
</head>
<body>
<a class="skip" href="#main">To the report</a>
<header>
<p class="over">MLflow traces</p>
<h1>' || max(html) FILTER (WHERE place = 1) || '</h1>
<p>' || max(html) FILTER (WHERE place = 3) || ' on ' || max(html) FILTER (WHERE place = 2)
|| '. What is underlined opens an example in MLflow.</p>' FROM safe WHERE section = 'head';
SELECT '<p class="warning">No traces in this window.</p>' FROM quality WHERE total = 0;
SELECT '<p class="warning">No finished traces in this window.</p>'
FROM quality WHERE total > 0 AND finished = 0;
SELECT printf('<p class="warning">%s</p>', html)
FROM safe WHERE section = 'foot' AND title = 'capped';
SELECT '</header>
<main id="main" tabindex="-1">';
SELECT printf('<section aria-labelledby="now" class="now %s"><h2 id="now">What is wrong now</h2>'
              || '<ul>', iif(is_calm, 'calm', 'wrong')) FROM calm;
SELECT printf('<li>%s</li>', html) FROM html_cell WHERE section = 'now' ORDER BY row;
SELECT '</ul></section>
<dl>';
SELECT printf('<div><dt>%s</dt><dd>%s%s</dd>', title, html, picture)
       || coalesce((SELECT printf('<dd class="more">%s</dd>', more.html) FROM safe AS more
                    WHERE more.section = 'headline' AND more.row = 2
                      AND more.place = figure.place), '') || '</div>'
FROM html_cell AS figure WHERE section = 'headline' AND row = 1 ORDER BY place;
SELECT '</dl>
<div class="cards">';
SELECT printf('<section aria-labelledby="%s"%s><h2 id="%s">%s</h2>%s', part.section,
              iif(is_chart OR part.section = 'changes', '', ' class="wide"'),
              part.section, title, char(10))
       || CASE
            WHEN marks IS NOT NULL THEN printf('<p>%s</p>%s', note, char(10)) || printf(
              '<svg class="chart" viewBox="0 0 400 212" role="group" '
                || 'aria-labelledby="%s-title" aria-describedby="%s-about">'
                || '<title id="%s-title">%s</title><desc id="%s-about">%s</desc>',
              part.section, part.section, part.section, title, part.section, note)
              || marks || '</svg>' || iif(key IS NULL, '', printf('<p class="key">%s</p>', key))
              || '<details><summary>As a table</summary>' || html || '</details>'
            WHEN html IS NOT NULL AND NOT is_chart
              THEN printf('<p>%s</p>%s', note, char(10)) || html
            ELSE printf('<p>%s</p>', empty) END || '</section>'
FROM part LEFT JOIN html_chart ON chart = part.section
  LEFT JOIN html_table ON html_table.section = part.section
ORDER BY part.place;
.print "</div>\n</main>\n<footer>"
SELECT printf('<p>%s</p>', html) FROM safe WHERE section = 'foot' ORDER BY place;
SELECT '<p>Made by sqlite-mlflow ' || mlflow_version() || ' at ' || datetime('now') || ' UTC.</p>
</footer>
</body>
</html>';
