-- Where the declared tags of mirror_settings are not those that have a column in mirror_trace, answers
-- the statements that make and drop columns, and the trigger that fills them.
WITH declared AS (SELECT DISTINCT value AS tag FROM mirror_settings, json_each(tags)),
present AS (
  SELECT substr(name, 6) AS tag FROM pragma_table_info('mirror_trace') WHERE name GLOB 'tags.*'),
added AS (SELECT tag FROM declared EXCEPT SELECT tag FROM present),
dropped AS (SELECT tag FROM present EXCEPT SELECT tag FROM declared),
statements AS (
  SELECT 1 AS step, 'BEGIN IMMEDIATE;' AS sql
  UNION ALL
  SELECT 2, printf('DROP TRIGGER "%w";', name) FROM sqlite_schema
  WHERE type = 'trigger' AND name GLOB 'mirror_tag*'
  UNION ALL SELECT 3, printf('ALTER TABLE mirror_trace ADD COLUMN "tags.%w" TEXT;
UPDATE mirror_trace SET "tags.%w" = (
  SELECT tags ->> %Q FROM mirror_trace_json WHERE trace_id = mirror_trace.trace_id);', tag, tag, tag)
  FROM added
  UNION ALL
  SELECT 4, printf('ALTER TABLE mirror_trace DROP COLUMN "tags.%w";', tag) FROM dropped
  UNION ALL
  SELECT 5, printf('CREATE TRIGGER mirror_tags AFTER INSERT ON mirror_trace BEGIN
  UPDATE mirror_trace SET (%s) = (
    SELECT %s FROM mirror_trace_json WHERE trace_id = new.trace_id)
  WHERE timestamp_ms = new.timestamp_ms AND trace_id = new.trace_id;
END;', group_concat(printf('"tags.%w"', tag), ', '), group_concat(printf('tags ->> %Q', tag), ', '))
  FROM declared HAVING count(*) > 0
  UNION ALL SELECT 6, 'COMMIT;')
SELECT sql FROM statements
WHERE EXISTS (SELECT 1 FROM added) OR EXISTS (SELECT 1 FROM dropped) ORDER BY step;
