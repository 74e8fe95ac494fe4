/* metrics_table.h: mlflow_metrics, what the server counts and averages itself. */
#ifndef MLF_TABLES_METRICS_TABLE_H
#define MLF_TABLES_METRICS_TABLE_H

#include "tables/connection.h"

/* Registers the module; its table exists at once, and can be created with experiments of its own.
** Returns an SQLite result code. */
int mlf_metrics_table_register(sqlite3 *db, mlf_connection *connection);

#endif
