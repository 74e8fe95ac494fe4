-- The report in short, for a terminal of 100 columns.
.nullvalue –

SELECT max(text) FILTER (WHERE place = 1) || char(10) ||
       max(text) FILTER (WHERE place = 3) || ', traces of ' || max(text) FILTER (WHERE place = 2)
       || char(10)
FROM cell WHERE section = 'head';
SELECT printf('  %-16s%14s   %s', title, text, coalesce(more, '')) FROM headline ORDER BY place;
SELECT '  There are no traces in this window.' FROM quality WHERE total = 0;

SELECT char(10) || 'How long requests take' WHERE EXISTS (SELECT 1 FROM bucket WHERE traces);
SELECT printf('  %8s %6s  %s', label, printf('%,d', traces), bar(traces, max(traces) OVER (), 60))
FROM bucket WHERE (SELECT sum(traces) FROM bucket) > 0;

SELECT char(10) || 'Over time' || char(10) || '  median          ' || sparkline(p50) || char(10)
       || '  95th percentile ' || sparkline(p95) || char(10) || '  requests        ' || sparkline(traces)
FROM (SELECT * FROM moment ORDER BY at_ms) HAVING count(p50);
SELECT '  last 24 hours   ' || sparkline(requests)
FROM (SELECT * FROM hourly_volume ORDER BY hour) HAVING sum(requests);

SELECT char(10) || 'What fails' WHERE EXISTS (SELECT 1 FROM shown_error);
SELECT printf('  %5s  %s', printf('%,d', traces), substr(coalesce(exception_type || ': ', '')
         || coalesce(message, 'without a message'), 1, 90))
FROM shown_error WHERE row <= 5;

SELECT char(10) || 'Where the time goes' WHERE EXISTS (SELECT 1 FROM shown_type);
SELECT printf('  %-14s %4.0f %%  %s', substr(span_type, 1, 14), 100 * share, bar(share, 1, 60))
FROM shown_type WHERE share >= 0.005;

SELECT char(10) || 'What judges and people say' WHERE EXISTS (SELECT 1 FROM shown_scorer);
SELECT printf('  %-28s %-10s %6s  %s', substr(scorer, 1, 28), source_type, printf('%,d', given),
         iif(pass_rate IS NULL, iif(mean_value IS NULL, '', printf('mean %.2f', mean_value)),
             printf('%.0f %% pass (%.0f to %.0f)', 100 * pass_rate, 100 * pass_low, 100 * pass_high)))
FROM shown_scorer;

SELECT char(10) || 'Beside the window before' WHERE EXISTS (SELECT 1 FROM shown_change WHERE n_before);
SELECT printf('  %-18s %s', title, verdict) FROM (
  SELECT row, verdict, CASE metric WHEN 'success_rate' THEN 'success rate'
           WHEN 'p50_latency_ms' THEN 'median latency' ELSE '95th percentile' END AS title
  FROM shown_change WHERE n_before) ORDER BY row;

SELECT char(10) || text FROM cell WHERE section = 'foot' ORDER BY place;
