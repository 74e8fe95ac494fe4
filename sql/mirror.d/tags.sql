-- Answers the statements that make the declared tags of mirror_settings columns of mirror_trace, drop
-- those of tags that are no longer declared, and make the trigger that fills them; none where there
-- is that trigger. (A path to a tag's name means something else to SQLite 3.40 and to 3.54. A NUL in a
-- tag is the text \u0000, as in a declared column of the server's table; json_each would end there.)
WITH declared AS (
  SELECT DISTINCT CAST(value AS TEXT) AS tag FROM mirror_settings, json_each(tags)
  WHERE type IN ('text', 'integer')),
present AS (
  SELECT substr(name, 6) AS tag FROM pragma_table_info('mirror_trace') WHERE name GLOB 'tags.*'),
filling AS (
  SELECT printf('UPDATE mirror_trace SET (%s) = (
  SELECT %s
  FROM mirror_trace_json AS j,
       json_each(replace(replace(j.tags, ''\\'', ''\u005c''), ''\u0000'', ''\u005cu0000''))
  WHERE j.trace_id = mirror_trace.trace_id)',
                group_concat(printf('"tags.%w"', tag), ', '),
                group_concat(printf('max(value) FILTER (WHERE key = %Q)', tag), ', ')) AS sql
  FROM declared HAVING count(*) > 0),
trigger_of AS (
  SELECT printf('CREATE TRIGGER mirror_tags AFTER INSERT ON mirror_trace BEGIN
%s
WHERE timestamp_ms = new.timestamp_ms AND trace_id = new.trace_id;
END', sql) AS sql FROM filling),
statements AS (
  SELECT 1 AS step, 'BEGIN IMMEDIATE' AS sql
  UNION ALL
  SELECT 2, printf('DROP TRIGGER "%w"', name) FROM sqlite_schema
  WHERE type = 'trigger' AND (name = 'mirror_tags' OR name GLOB 'mirror_tag_*')
  UNION ALL
  SELECT 3, printf('ALTER TABLE mirror_trace DROP COLUMN "tags.%w"', tag)
  FROM present WHERE tag NOT IN (SELECT tag FROM declared)
  UNION ALL
  SELECT 4, printf('ALTER TABLE mirror_trace ADD COLUMN "tags.%w" TEXT', tag)
  FROM declared WHERE tag NOT IN (SELECT tag FROM present)
  UNION ALL SELECT 5, sql FROM filling
  UNION ALL SELECT 6, sql FROM trigger_of
  UNION ALL SELECT 7, 'COMMIT')
SELECT sql || ';' FROM statements
WHERE (SELECT sql FROM trigger_of)
        IS NOT (SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'mirror_tags')
ORDER BY step;
