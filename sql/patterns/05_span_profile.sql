-- Pattern 5: where did the time of one trace go?
--
--   sqlite3 traces.db -cmd '.load build/mlflow0' -cmd 'PRAGMA trusted_schema = ON' \
--     -cmd '.read sql/tables.sql' \
--     -cmd '.read sql/views.sql' '.read sql/patterns/05_span_profile.sql'
--
-- Settings: .parameter set :trace_id "'tr-…'"    the newest trace unless set, from then on that one
-- Cost: a search for the newest trace (none if it is set), a search for the trace, its spans. At
-- most 3 requests, 1 payload.

.parameter init
INSERT OR IGNORE INTO temp.sqlite_parameters(key, value)
SELECT ':trace_id', trace_id FROM (
  SELECT trace_id FROM traces ORDER BY timestamp_ms DESC
  LIMIT (SELECT count(*) = 0 FROM temp.sqlite_parameters WHERE key = ':trace_id'));

-- A value, not a sub-select: what a view groups by reaches the server only as a value.
SELECT span_type, count, total_time_s, wall_time_s, self_time_s, critical_time_s, avg_time_s,
       max_time_s
FROM span_profile WHERE trace_id = :trace_id
ORDER BY self_time_s DESC;
