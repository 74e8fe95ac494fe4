-- The verdicts as one JSON object.

SELECT json_object('experiment', experiment, 'uri', uri, 'filter', filter, 'from_ms', from_ms,
         'until_ms', until_ms, 'checks', (
           SELECT json_group_array(json_object('metric', metric, 'source_type', source_type,
             'bound', bound, 'threshold', threshold, 'value', value, 'n', n, 'low', low,
             'high', high, 'missing', missing, 'verdict', verdict,
             'clear', json(CASE clear WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)))
           FROM shown))
FROM source, report_window;
