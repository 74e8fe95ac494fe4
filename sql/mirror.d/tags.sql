-- Answers the statements that make the declared tags of mirror_settings columns of mirror_trace,
-- and those that drop the columns of tags that are no longer declared.
WITH declared AS (SELECT DISTINCT value AS tag FROM mirror_settings, json_each(tags)),
present AS (
  SELECT substr(name, 6) AS tag FROM pragma_table_info('mirror_trace') WHERE name GLOB 'tags.*')
SELECT printf('BEGIN IMMEDIATE;
ALTER TABLE mirror_trace ADD COLUMN "tags.%w" TEXT;
UPDATE mirror_trace SET "tags.%w" = (
  SELECT tags ->> %Q FROM mirror_trace_json WHERE trace_id = mirror_trace.trace_id);
CREATE TRIGGER "mirror_tag_%w" AFTER INSERT ON mirror_trace BEGIN
  UPDATE mirror_trace SET "tags.%w" = (
    SELECT tags ->> %Q FROM mirror_trace_json WHERE trace_id = new.trace_id)
  WHERE timestamp_ms = new.timestamp_ms AND trace_id = new.trace_id;
END;
COMMIT;', tag, tag, tag, tag, tag, tag)
FROM declared WHERE tag NOT IN (SELECT tag FROM present)
UNION ALL
SELECT printf('DROP TRIGGER "mirror_tag_%w";
ALTER TABLE mirror_trace DROP COLUMN "tags.%w";', tag, tag)
FROM present WHERE tag NOT IN (SELECT tag FROM declared);
