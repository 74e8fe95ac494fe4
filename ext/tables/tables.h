/* tables.h: registers the virtual tables over the server, and the functions that act on the
** connection: mlflow_connect, mlflow_version. */
#ifndef MLF_TABLES_TABLES_H
#define MLF_TABLES_TABLES_H

#include "base/sqlite_api.h"

/* Returns an SQLite result code. */
int mlf_tables_register(sqlite3 *db);

#endif
