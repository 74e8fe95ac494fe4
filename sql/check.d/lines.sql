-- The verdicts, a line each, the verdict first.

CREATE TEMP TABLE written AS
WITH figures AS (
  SELECT *, json_object('value', value, 'low', low, 'high', high, 'threshold', threshold) AS given
  FROM shown)
SELECT figures.*, (
  SELECT json_group_object(key, CASE WHEN e.value IS NULL THEN 'unknown'
           WHEN e.value = round(e.value) THEN printf('%d', e.value)
           WHEN round(e.value, 4) = round(threshold, 4) THEN CAST(e.value AS TEXT)
           ELSE CAST(round(e.value, 4) AS TEXT) END)
  FROM json_each(given) AS e) AS texts
FROM figures;
SELECT printf('%-8s %s%s is %s, to be %s %s (n %d%s%s%s)', verdict, metric,
              coalesce(' of ' || source_type, ''), texts ->> 'value', bound,
              texts ->> 'threshold', n,
              iif(missing, printf(', %d without', missing), ''),
              iif(coalesce(low, high) IS NULL, '',
                  printf('; 95%% interval %s to %s', texts ->> 'low', texts ->> 'high')),
              CASE WHEN verdict <> 'breach' OR coalesce(low, high) IS NULL THEN ''
                   WHEN clear THEN ', all beyond' ELSE ', not all beyond' END)
FROM written;
