-- The tables of a mirror (docs/mirror.md), and the views that read it: traces, spans, assessments
-- and search. Reading the script again changes nothing.
--
-- What is a number or a short text is in narrow tables, newest first as the server has it; what is
-- long is apart and found by key. The views take each long column by a scalar sub-select: SQLite
-- drops what a statement does not read, which it cannot do with a join. The t.* of traces takes in
-- the columns that are added for declared tags.

-- Of a new file; long texts take less room in such pages.
PRAGMA page_size = 8192;

CREATE TABLE IF NOT EXISTS mirror_settings(
  one            INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
  days           INTEGER                -- how many days of traces to keep; NULL: all
                 CHECK (days IS NULL OR (typeof(days) = 'integer' AND days BETWEEN 1 AND 36600)),
  spans_days     INTEGER DEFAULT 7      -- and of spans; 0: none; NULL: all
                 CHECK (spans_days IS NULL
                        OR (typeof(spans_days) = 'integer' AND spans_days BETWEEN 0 AND 36600)),
  lookback_hours INTEGER NOT NULL DEFAULT 24  -- each sync reads so many hours again
                 CHECK (typeof(lookback_hours) = 'integer' AND lookback_hours BETWEEN 0 AND 87600),
  reread_days    INTEGER DEFAULT 7      -- and everything that was read longer ago; NULL: never
                 CHECK (reread_days IS NULL
                        OR (typeof(reread_days) = 'integer' AND reread_days BETWEEN 0 AND 36600)),
  tags           TEXT NOT NULL DEFAULT '["environment", "version"]'  -- a column "tags.X" for each
                 CHECK (json_valid(tags) AND json_type(tags) = 'array')
);
INSERT OR IGNORE INTO mirror_settings DEFAULT VALUES;
CREATE TRIGGER IF NOT EXISTS mirror_settings_tags BEFORE UPDATE OF tags ON mirror_settings
WHEN (SELECT count(DISTINCT CAST(value AS TEXT)) > count(DISTINCT lower(value))
      FROM json_each(new.tags)) BEGIN
  SELECT RAISE(ABORT, 'tags: two names differ in the case of letters alone, and columns cannot');
END;

-- Whose traces these are. One file mirrors one server.
CREATE TABLE IF NOT EXISTS mirror_experiment(
  experiment_id    TEXT PRIMARY KEY,
  name             TEXT NOT NULL,
  creation_time_ms INTEGER,
  uri              TEXT NOT NULL
);

-- What has been read: the traces that began from from_ms on and before until_ms, all of them, as
-- they were at read_at_ms. What no slice covers has not been read.
CREATE TABLE IF NOT EXISTS mirror_slice(
  experiment_id TEXT NOT NULL,
  from_ms       INTEGER NOT NULL,
  until_ms      INTEGER NOT NULL CHECK (from_ms < until_ms),
  read_at_ms    INTEGER NOT NULL,
  PRIMARY KEY (experiment_id, from_ms)
) WITHOUT ROWID;

-- A row for each run of sql/mirror; ended_ms is NULL while it runs, and of one that broke off.
CREATE TABLE IF NOT EXISTS mirror_sync(
  sync_id       INTEGER PRIMARY KEY,
  experiment_id TEXT NOT NULL,
  began_ms      INTEGER NOT NULL,
  ended_ms      INTEGER,
  slices        INTEGER NOT NULL DEFAULT 0,
  traces        INTEGER NOT NULL DEFAULT 0,  -- read
  spans_of      INTEGER NOT NULL DEFAULT 0,  -- traces whose spans were read
  gone          INTEGER NOT NULL DEFAULT 0,  -- traces that the server no longer has
  requests      INTEGER NOT NULL DEFAULT 0,
  width_ms      INTEGER NOT NULL  -- of the slice that it would have read next
);

-- As of when our counts were last compared with the server's, in buckets how wide, and the buckets
-- where they differed: what the server counted there. What still differs after it was read again is
-- left, until the server counts something else, or a sync that compares nothing has read since.
CREATE TABLE IF NOT EXISTS mirror_compared(
  experiment_id  TEXT PRIMARY KEY,
  compared_at_ms INTEGER NOT NULL,
  width_ms       INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS mirror_differing(
  experiment_id TEXT NOT NULL,
  from_ms       INTEGER NOT NULL,
  counts        TEXT NOT NULL,
  PRIMARY KEY (experiment_id, from_ms)
);

CREATE TABLE IF NOT EXISTS mirror_trace(
  trace_id TEXT NOT NULL, experiment_id TEXT, name TEXT, status TEXT,
  timestamp_ms INTEGER NOT NULL, execution_time_ms INTEGER, end_time_ms INTEGER,
  session_id TEXT, user_id TEXT, run_id TEXT, model_id TEXT, client_request_id TEXT,
  input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER,
  cache_read_input_tokens INTEGER, cache_creation_input_tokens INTEGER,
  input_cost REAL, output_cost REAL, total_cost REAL, span_count INTEGER, size_bytes INTEGER,
  read_at_ms INTEGER NOT NULL,
  PRIMARY KEY (timestamp_ms DESC, trace_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS mirror_trace_by_id ON mirror_trace(trace_id);
CREATE TABLE IF NOT EXISTS mirror_trace_json(
  trace_id TEXT PRIMARY KEY, tags TEXT, metadata TEXT, assessments TEXT);

-- Traces whose spans are here: as of when, seen_as (how the trace looked then: another look is a
-- reason to read them again), and which of them is the root.
CREATE TABLE IF NOT EXISTS mirror_spans_read(
  trace_id TEXT PRIMARY KEY, read_at_ms INTEGER NOT NULL, seen_as TEXT, root_place INTEGER,
  span_error TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mirror_span(
  trace_id TEXT NOT NULL, span_id TEXT, parent_span_id TEXT, experiment_id TEXT, name TEXT,
  span_type TEXT, status TEXT, start_time_ns INTEGER, end_time_ns INTEGER, duration_ms REAL,
  depth INTEGER, child_count INTEGER, self_time_ms REAL, critical_path_ms REAL, model_name TEXT,
  model_provider TEXT, input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER,
  cache_read_input_tokens INTEGER, cache_creation_input_tokens INTEGER, input_cost REAL,
  output_cost REAL, total_cost REAL, exception_type TEXT, timestamp_ms INTEGER NOT NULL,
  place INTEGER NOT NULL,  -- in the trace, from 1
  PRIMARY KEY (timestamp_ms DESC, trace_id, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mirror_span_by_trace ON mirror_span(trace_id);
CREATE TABLE IF NOT EXISTS mirror_span_json(
  trace_id TEXT NOT NULL, place INTEGER NOT NULL, attributes TEXT, events TEXT, links TEXT,
  PRIMARY KEY (trace_id, place));

CREATE TABLE IF NOT EXISTS mirror_assessment(
  assessment_id TEXT, trace_id TEXT NOT NULL, span_id TEXT, experiment_id TEXT, name TEXT,
  assessment_type TEXT, value, value_json TEXT, value_num, error_code TEXT, source_type TEXT,
  source_id TEXT, run_id TEXT, create_time_ms INTEGER, last_update_time_ms INTEGER, valid INTEGER,
  overrides TEXT, trace_run_id TEXT, timestamp_ms INTEGER NOT NULL,
  place INTEGER NOT NULL,  -- among those of the trace, from 1
  PRIMARY KEY (timestamp_ms DESC, trace_id, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mirror_assessment_by_trace ON mirror_assessment(trace_id);
CREATE TABLE IF NOT EXISTS mirror_assessment_text(
  trace_id TEXT NOT NULL, place INTEGER NOT NULL, rationale TEXT, error_message TEXT,
  metadata TEXT, PRIMARY KEY (trace_id, place));

-- What one searches: of a trace (place 0) its previews, of a span its inputs and outputs. The full
-- text index keeps no copy; the triggers keep it in step.
CREATE TABLE IF NOT EXISTS mirror_document(
  document_id INTEGER PRIMARY KEY, trace_id TEXT NOT NULL, place INTEGER NOT NULL, span_id TEXT,
  name TEXT, request TEXT, response TEXT, exception_message TEXT, status_message TEXT,
  UNIQUE (trace_id, place));
CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(
  trace_id UNINDEXED, span_id UNINDEXED, name, request, response, exception_message,
  status_message, content = 'mirror_document', content_rowid = 'document_id');
CREATE TRIGGER IF NOT EXISTS mirror_document_added AFTER INSERT ON mirror_document BEGIN
  INSERT INTO search(rowid, trace_id, span_id, name, request, response, exception_message,
                     status_message)
  VALUES (new.document_id, new.trace_id, new.span_id, new.name, new.request, new.response,
          new.exception_message, new.status_message);
END;
CREATE TRIGGER IF NOT EXISTS mirror_document_gone AFTER DELETE ON mirror_document BEGIN
  INSERT INTO search(search, rowid, trace_id, span_id, name, request, response,
                     exception_message, status_message)
  VALUES ('delete', old.document_id, old.trace_id, old.span_id, old.name, old.request,
          old.response, old.exception_message, old.status_message);
END;
CREATE TRIGGER IF NOT EXISTS mirror_document_changed AFTER UPDATE ON mirror_document BEGIN
  INSERT INTO search(search, rowid, trace_id, span_id, name, request, response,
                     exception_message, status_message)
  VALUES ('delete', old.document_id, old.trace_id, old.span_id, old.name, old.request,
          old.response, old.exception_message, old.status_message);
  INSERT INTO search(rowid, trace_id, span_id, name, request, response, exception_message,
                     status_message)
  VALUES (new.document_id, new.trace_id, new.span_id, new.name, new.request, new.response,
          new.exception_message, new.status_message);
END;

-- A trace that goes takes along all that is of it. (A trace that is replaced does not go: REPLACE
-- fires no trigger unless recursive_triggers is on, which begin.sql turns off.)
CREATE TRIGGER IF NOT EXISTS mirror_trace_gone AFTER DELETE ON mirror_trace BEGIN
  DELETE FROM mirror_spans_read WHERE trace_id = old.trace_id;
  DELETE FROM mirror_trace_json WHERE trace_id = old.trace_id;
  DELETE FROM mirror_assessment WHERE trace_id = old.trace_id;
  DELETE FROM mirror_assessment_text WHERE trace_id = old.trace_id;
  DELETE FROM mirror_document WHERE trace_id = old.trace_id;
END;
CREATE TRIGGER IF NOT EXISTS mirror_spans_gone AFTER DELETE ON mirror_spans_read BEGIN
  DELETE FROM mirror_span WHERE trace_id = old.trace_id;
  DELETE FROM mirror_span_json WHERE trace_id = old.trace_id;
  DELETE FROM mirror_document WHERE trace_id = old.trace_id AND place > 0;
END;

CREATE VIEW IF NOT EXISTS traces AS
SELECT t.*,
       (SELECT request FROM mirror_document WHERE trace_id = t.trace_id AND place = 0)
         AS request_preview,
       (SELECT response FROM mirror_document WHERE trace_id = t.trace_id AND place = 0)
         AS response_preview,
       (SELECT request FROM mirror_document WHERE trace_id = t.trace_id AND place = (
          SELECT root_place FROM mirror_spans_read WHERE trace_id = t.trace_id)) AS request,
       (SELECT response FROM mirror_document WHERE trace_id = t.trace_id AND place = (
          SELECT root_place FROM mirror_spans_read WHERE trace_id = t.trace_id)) AS response,
       (SELECT tags FROM mirror_trace_json WHERE trace_id = t.trace_id) AS tags,
       (SELECT metadata FROM mirror_trace_json WHERE trace_id = t.trace_id) AS metadata,
       (SELECT assessments FROM mirror_trace_json WHERE trace_id = t.trace_id) AS assessments,
       (SELECT name FROM mirror_experiment WHERE experiment_id = t.experiment_id) AS experiment,
       strftime('%Y-%m-%d %H:%M:%f', t.timestamp_ms / 1000.0, 'unixepoch') AS request_time,
       (SELECT span_error FROM mirror_spans_read WHERE trace_id = t.trace_id) AS span_error,
       t.status AS state, t.execution_time_ms AS execution_duration, t.run_id AS in_run
FROM mirror_trace AS t;

CREATE VIEW IF NOT EXISTS spans AS
SELECT s.*,
       (SELECT status_message FROM mirror_document
        WHERE trace_id = s.trace_id AND place = s.place) AS status_message,
       (SELECT exception_message FROM mirror_document
        WHERE trace_id = s.trace_id AND place = s.place) AS exception_message,
       (SELECT request FROM mirror_document WHERE trace_id = s.trace_id AND place = s.place)
         AS inputs,
       (SELECT response FROM mirror_document WHERE trace_id = s.trace_id AND place = s.place)
         AS outputs,
       (SELECT attributes FROM mirror_span_json WHERE trace_id = s.trace_id AND place = s.place)
         AS attributes,
       (SELECT events FROM mirror_span_json WHERE trace_id = s.trace_id AND place = s.place)
         AS events,
       (SELECT links FROM mirror_span_json WHERE trace_id = s.trace_id AND place = s.place)
         AS links,
       (SELECT name FROM mirror_experiment WHERE experiment_id = s.experiment_id) AS experiment,
       (SELECT run_id FROM mirror_trace WHERE trace_id = s.trace_id) AS in_run
FROM mirror_span AS s;

CREATE VIEW IF NOT EXISTS assessments AS
SELECT a.*,
       (SELECT rationale FROM mirror_assessment_text
        WHERE trace_id = a.trace_id AND place = a.place) AS rationale,
       (SELECT error_message FROM mirror_assessment_text
        WHERE trace_id = a.trace_id AND place = a.place) AS error_message,
       (SELECT metadata FROM mirror_assessment_text
        WHERE trace_id = a.trace_id AND place = a.place) AS metadata,
       (SELECT name FROM mirror_experiment WHERE experiment_id = a.experiment_id) AS experiment,
       coalesce(a.run_id, a.trace_run_id) AS in_run  -- see docs/mirror.md
FROM mirror_assessment AS a;

-- The name under which sql/patterns/02_tags_and_metadata.sql looks for declared tags.
CREATE VIEW IF NOT EXISTS tagged_traces AS SELECT * FROM traces;

-- How old is it? A trace that began before synced_at_ms is here, but for one that reached the
-- server later; what is here of any trace is as of oldest_read_at_ms or later. What the server can
-- count (compare.sql) is as of compared_at_ms or later, but in the `differing` buckets; NULL: that
-- was never compared, or the sync that did last has not ended.
CREATE VIEW IF NOT EXISTS mirror_status AS
SELECT e.experiment_id, e.name AS experiment, e.uri,
       (SELECT count(*) FROM mirror_trace WHERE experiment_id = e.experiment_id) AS traces,
       (SELECT min(timestamp_ms) FROM mirror_trace WHERE experiment_id = e.experiment_id)
         AS oldest_ms,
       last.began_ms AS synced_at_ms,
       (SELECT min(read_at_ms)
        FROM (SELECT min(read_at_ms) AS read_at_ms FROM mirror_slice
              WHERE experiment_id = e.experiment_id
              UNION ALL
              SELECT min(read_at_ms) FROM mirror_trace WHERE experiment_id = e.experiment_id))
         AS oldest_read_at_ms,
       (SELECT compared_at_ms FROM mirror_compared
        WHERE experiment_id = e.experiment_id AND compared_at_ms <= last.began_ms)
         AS compared_at_ms,
       (SELECT count(*) FROM mirror_differing WHERE experiment_id = e.experiment_id) AS differing,
       (SELECT count(*) FROM mirror_sync
        WHERE experiment_id = e.experiment_id AND sync_id > coalesce(last.sync_id, 0))
         AS unfinished,
       last.traces AS read, last.spans_of, last.gone, last.requests,
       (last.ended_ms - last.began_ms) / 1000.0 AS seconds
FROM mirror_experiment AS e LEFT JOIN mirror_sync AS last ON last.sync_id = (
  SELECT max(sync_id) FROM mirror_sync
  WHERE experiment_id = e.experiment_id AND ended_ms IS NOT NULL);
