-- Copies of the window what thresholds are of; from then on nothing is asked of the server or the
-- mirror (scope.d). Traces are read where a threshold is of them, and assessments where one is of a
-- scorer.

UPDATE report_settings SET until_ms = (SELECT until_ms FROM report_window);

CREATE TABLE traces AS
SELECT trace_id, status, timestamp_ms, execution_time_ms, total_cost, NULL AS request
FROM source_traces
WHERE timestamp_ms >= (SELECT from_ms FROM report_window -- NULL asks for nothing
                       WHERE EXISTS (SELECT 1 FROM thresholds WHERE metric NOT GLOB 'scorer.*'))
  AND timestamp_ms < (SELECT until_ms FROM report_window);

CREATE TABLE assessments AS
SELECT trace_id, name, assessment_type, valid, value_json, value_num, error_code, source_type,
       timestamp_ms
FROM source_assessments
WHERE name IN (SELECT substr(metric, 8) FROM thresholds WHERE metric GLOB 'scorer.*')
  AND assessment_type = 'feedback' AND valid = 1
  AND timestamp_ms >= (SELECT from_ms FROM report_window)
  AND timestamp_ms < (SELECT until_ms FROM report_window);

CREATE TABLE checked AS SELECT *, verdict = 'breach' AND clear AS is_clear FROM threshold_checks;
