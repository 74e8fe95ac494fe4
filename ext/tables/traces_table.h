/* traces_table.h: mlflow_traces, one row a trace.
**
**   SELECT status, count(*) FROM mlflow_traces WHERE experiment = 'agent-prod' GROUP BY status;
**   CREATE VIRTUAL TABLE traces USING mlflow_traces(experiment = 'agent-prod', tags.environment);
**
** (1) Nothing is sent before a scan begins: not by loading, CREATE, PRAGMA or EXPLAIN.
** (2) The plan (query/plan.h) is idxStr; xFilter binds its values, writes the filter for the
**     server's version, and walks pages. SQLite checks every row again.
** (3) A failure ends the statement: no partial result passes for whole.
*/
#ifndef MLF_TABLES_TRACES_TABLE_H
#define MLF_TABLES_TRACES_TABLE_H

#include "base/sqlite_api.h"
#include "tables/connection.h"

int mlf_traces_table_register(sqlite3 *db, mlf_connection *connection);

#endif
