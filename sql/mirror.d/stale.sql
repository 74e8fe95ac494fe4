-- Takes out of the slices what is no longer known to be true, so that slice.sql reads it again;
-- then expects the traces that are read again wherever they are, and opens the transaction that
-- store.sql ends. A first sync has nothing to do here.

BEGIN IMMEDIATE;
-- What was read later than now was read while the clock was wrong. Nobody knows when that was.
DELETE FROM mirror_slice
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND read_at_ms >= (SELECT now_ms FROM syncing);
-- A slice tells nothing of what began after it was read, and little of what began just before: such
-- traces may have reached the server later. So it is true up to lookback_ms before it was read.
-- Where counts are compared, which shows all but changes of tags and the like, no more than the
-- newest 500 traces are read again for that, and the last hour.
CREATE TEMP TABLE settled AS
WITH slice AS (
  SELECT s.from_ms, s.until_ms, (read_at_ms - lookback_ms) / 3600000 * 3600000 AS lookback_from_ms,
         min((read_at_ms - 3600000) / 3600000,
             (SELECT timestamp_ms / 3600000 + 1 FROM comparing JOIN mirror_trace
                USING (experiment_id) ORDER BY timestamp_ms DESC LIMIT 1 OFFSET 499)) * 3600000
           AS enough_from_ms  -- NULL where nothing is compared, or there are fewer
  FROM mirror_slice AS s JOIN syncing USING (experiment_id))
SELECT * FROM (
  SELECT from_ms, until_ms,
         max(lookback_from_ms, coalesce(enough_from_ms, lookback_from_ms)) AS settled_ms
  FROM slice)
WHERE until_ms > settled_ms;
DELETE FROM mirror_slice
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND from_ms IN (SELECT from_ms FROM settled WHERE from_ms >= settled_ms);
UPDATE mirror_slice SET until_ms = settled.settled_ms FROM settled
WHERE mirror_slice.experiment_id = (SELECT experiment_id FROM syncing)
  AND mirror_slice.from_ms = settled.from_ms;
DROP TABLE settled;

-- Buckets whose counts differ, unless they differed already and were the same, there and here: what
-- the server counts otherwise than we do, reading again does not mend. (There alone is not enough: a
-- change may have come and gone while the bucket was read.) The rest of each slice stays.
CREATE TEMP TABLE rest AS
WITH slice AS (SELECT s.* FROM mirror_slice AS s JOIN syncing USING (experiment_id)),
hole AS (
  SELECT d.from_ms, d.until_ms
  FROM differing AS d LEFT JOIN mirror_differing AS known
    ON known.experiment_id = (SELECT experiment_id FROM syncing) AND known.from_ms = d.from_ms
  WHERE known.counts IS NOT d.counts
  UNION ALL SELECT until_ms, until_ms FROM slice)
SELECT experiment_id, lag(hole.until_ms, 1, slice.from_ms) OVER (
         PARTITION BY slice.from_ms ORDER BY hole.from_ms, hole.until_ms) AS from_ms,
       hole.from_ms AS until_ms, read_at_ms
FROM slice JOIN hole ON hole.from_ms <= slice.until_ms AND hole.until_ms > slice.from_ms;
DELETE FROM mirror_slice WHERE experiment_id = (SELECT experiment_id FROM syncing);
INSERT INTO mirror_slice SELECT * FROM rest WHERE from_ms < until_ms;
DROP TABLE rest;
-- Where nothing is compared, an hour is read without its counts: whatever the server counts next is
-- another thing than it counted last.
UPDATE mirror_differing SET counts = 'read since'
WHERE experiment_id = (SELECT experiment_id FROM syncing)
  AND NOT EXISTS (SELECT 1 FROM comparing);
DELETE FROM mirror_differing
WHERE experiment_id = (SELECT experiment_id FROM comparing)
  AND from_ms NOT IN (SELECT from_ms FROM differing);
INSERT OR REPLACE INTO mirror_differing
SELECT experiment_id, d.from_ms, counts FROM comparing, differing AS d;
INSERT OR REPLACE INTO mirror_compared
SELECT experiment_id, now_ms, comparing.width_ms FROM comparing JOIN syncing USING (experiment_id);

-- What no slice covers is read in any case.
DROP VIEW IF EXISTS temp.covered;
CREATE TEMP VIEW covered AS
SELECT experiment_id, min(from_ms) AS from_ms, max(until_ms) AS until_ms
FROM mirror_slice JOIN syncing USING (experiment_id);

DELETE FROM due;
DELETE FROM arriving;
DELETE FROM expected;
UPDATE syncing
SET began_ms = max(now_ms, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER));

-- Counts tell which traces ended, and not that one in progress has more spans, nor that spans have
-- arrived of one that was read before them. Where counts are not compared, all that were in
-- progress are expected, and those that ended since the last sync.
INSERT INTO expected
SELECT trace_id FROM mirror_trace JOIN covered USING (experiment_id), syncing
WHERE timestamp_ms >= from_ms AND timestamp_ms < until_ms
  AND ((status = 'IN_PROGRESS' AND NOT EXISTS (SELECT 1 FROM comparing))
       OR (timestamp_ms >= max(spans_from_ms, now_ms - 86400000)
           AND (status = 'IN_PROGRESS'
                OR coalesce(span_count, 1) > (SELECT count(*) FROM mirror_span AS s
                                              WHERE s.trace_id = mirror_trace.trace_id))));
INSERT OR IGNORE INTO expected
SELECT trace_id FROM mlflow_traces
WHERE experiment_id = (SELECT experiment_id FROM syncing WHERE NOT EXISTS (SELECT 1 FROM comparing))
  AND end_time_ms >= (SELECT synced_at_ms - lookback_ms FROM mirror_status JOIN syncing
                        USING (experiment_id))
  AND timestamp_ms >= (SELECT from_ms FROM covered)
  AND timestamp_ms < (SELECT until_ms FROM covered);
