-- The report in short, for a terminal of 100 columns.

SELECT max(text) FILTER (WHERE place = 1) || char(10) || max(text) FILTER (WHERE place = 3)
       || ' on ' || max(text) FILTER (WHERE place = 2) || char(10)
FROM written WHERE section = 'head';
SELECT 'What is wrong now';
SELECT printf('  %s', substr(text, 1, 98)) FROM written WHERE section = 'now' ORDER BY row;
SELECT '';
SELECT printf('  %-16s%12s   %s', figure.title, figure.text, more.text)
FROM written AS figure JOIN written AS more ON more.section = 'headline' AND more.row = 2
  AND more.place = figure.place
WHERE figure.section = 'headline' AND figure.row = 1 ORDER BY figure.place;
SELECT '  No traces in this window.' FROM quality WHERE total = 0;
SELECT '  No finished traces in this window.' FROM quality WHERE total > 0 AND finished = 0;

SELECT char(10) || 'How long requests take' WHERE (SELECT sum(traces) FROM bucket);
SELECT printf('  %17s %7s  %s', label, printf('%,d', traces), bar(traces, most, 60))
FROM bucket, (SELECT max(traces) AS most FROM bucket) WHERE most;

SELECT char(10) || 'Over time' || char(10)
       || '  requests         ' || sparkline(traces) || char(10)
       || '  median           ' || sparkline(p50_ms) || char(10)
       || '  95th percentile  ' || sparkline(p95_ms)
FROM (SELECT * FROM (SELECT * FROM moment ORDER BY at_ms DESC LIMIT 78) ORDER BY at_ms)
HAVING count(p50_ms);
SELECT '  last 24 hours    ' || sparkline(requests)
FROM (SELECT * FROM hour ORDER BY row) HAVING sum(requests);

SELECT char(10) || 'What fails' WHERE EXISTS (SELECT 1 FROM shown_error);
SELECT printf('  %7s  %s', requests.text, substr(iif(is_new, 'NEW ', '') || error.text, 1, 88))
FROM written AS error JOIN written AS requests
  ON requests.section = 'errors' AND requests.row = error.row AND requests.place = 2
  JOIN shown_error ON shown_error.row = error.row
WHERE error.section = 'errors' AND error.place = 1 AND error.row <= 5;

SELECT char(10) || 'Where the time goes, estimated from requests drawn at random'
WHERE EXISTS (SELECT 1 FROM shown_type);
SELECT printf('  %-16s %6.1f%%  %s', substr(replace(span_type, char(10), ' '), 1, 16), 100 * share,
              bar(share, 1, 60))
FROM shown_type WHERE share >= 0.005 ORDER BY row;

SELECT char(10) || 'Tokens and cost by model, estimated from requests drawn at random'
WHERE EXISTS (SELECT 1 FROM shown_model);
SELECT printf('  %-32s %9s calls %13s tokens %12s',
              substr(model.text, 1, 32), calls.text,
              printf('%,d', total_tokens), cost.text)
FROM shown_model
  JOIN written AS model ON model.section = 'models' AND model.row = shown_model.row
    AND model.place = 1
  JOIN written AS cost ON cost.section = 'models' AND cost.row = shown_model.row
    AND cost.place = 2
  JOIN written AS calls ON calls.section = 'models' AND calls.row = shown_model.row
    AND calls.place = 3;

SELECT char(10) || 'What judges and people say' WHERE EXISTS (SELECT 1 FROM shown_scorer);
SELECT printf('  %-32s %-12s %9s  %s', substr(replace(scorer, char(10), ' '), 1, 32), source_type,
         printf('%,d', given), CASE
           WHEN pass_rate IS NOT NULL THEN printf('%.0f%% pass (%.0f to %.0f)', 100 * pass_rate,
                                                  100 * pass_low, 100 * pass_high)
           WHEN mean_value IS NOT NULL THEN printf('mean %.2f', mean_value) END)
FROM shown_scorer ORDER BY row;

SELECT char(10) || 'Beside the window before'
WHERE EXISTS (SELECT 1 FROM shown_change WHERE n_before);
SELECT printf('  %-16s %12s, before %s: %s', change.title, now.text, before.text, verdict)
FROM shown_change AS change
  JOIN written AS now ON now.section = 'changes' AND now.row = change.row AND now.place = 3
  JOIN written AS before ON before.section = 'changes' AND before.row = change.row
    AND before.place = 2
WHERE n_before ORDER BY change.row;

SELECT '';
SELECT text FROM written WHERE section = 'foot' ORDER BY place;
