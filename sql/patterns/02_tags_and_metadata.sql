-- Pattern 2: which traces carry this tag, have this name, belong to this user?
--
--   sqlite3 -cmd '.load build/mlflow0' :memory: '.read sql/patterns/02_tags_and_metadata.sql'
--
-- Settings: .parameter set :environment "'staging'"       production unless set
--           .parameter set :app "'my_app_function'"       support_agent unless set
--           .parameter set :user "'alice@company.com'"    alice@example.com unless set
--           .parameter set :rows 100                      newest rows of each; 10 unless set
-- Cost: a search for each of the four; the server finds the rows, and sends as many as are shown.
-- At most 4 requests, 0 payloads.

-- A tag that a table declares becomes a column; a condition on it is the server's work. Names
-- (mlflow.traceName), users (mlflow.trace.user) and sessions are columns already. (A mirror has a
-- view of this name; from there nothing is asked of the server.)
CREATE VIRTUAL TABLE IF NOT EXISTS tagged_traces USING mlflow_traces(
  tags.environment, tags.version);

-- By environment tag
SELECT trace_id, status, execution_time_ms, tagged_traces."tags.version" AS version
FROM tagged_traces WHERE tagged_traces."tags.environment" = coalesce(:environment, 'production')
ORDER BY timestamp_ms DESC LIMIT coalesce(:rows, 10);

-- By name
SELECT trace_id, status, execution_time_ms
FROM tagged_traces WHERE name = coalesce(:app, 'support_agent')
ORDER BY timestamp_ms DESC LIMIT coalesce(:rows, 10);

-- By user: who asked, not who ran the program (that is metadata ->> '$."mlflow.user"')
SELECT trace_id, status, session_id
FROM tagged_traces WHERE user_id = coalesce(:user, 'alice@example.com')
ORDER BY timestamp_ms DESC LIMIT coalesce(:rows, 10);

-- Combined
SELECT trace_id, execution_time_ms
FROM tagged_traces
WHERE status = 'OK' AND tagged_traces."tags.environment" = coalesce(:environment, 'production')
  AND execution_time_ms < 2000
ORDER BY timestamp_ms DESC LIMIT coalesce(:rows, 10);
