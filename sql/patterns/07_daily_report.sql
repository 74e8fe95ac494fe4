-- Pattern 7: how did each day go, and how was the traffic in the last 24 hours?
--
--   sqlite3 traces.db -cmd '.load build/mlflow0' -cmd 'PRAGMA trusted_schema = ON' \
--     -cmd '.read sql/tables.sql' \
--     -cmd '.read sql/views.sql' '.read sql/patterns/07_daily_report.sql'
--
-- Settings: UPDATE report_settings SET days = 14;            7 unless changed
--           UPDATE report_settings SET zone = 'localtime';   whose days and hours; UTC unless so
-- Cost: the pages of these days, then those of these hours (500 traces each). On the demo at most 5
-- requests, 0 payloads.

-- Today so far, and the whole days before it
SELECT * FROM daily_quality;

-- This hour so far, and the 23 before it
SELECT hour, requests, errors, bar(requests, max(requests) OVER (), 30) AS volume
FROM hourly_volume;
