/* tables.h: registers the virtual tables over the server, and the functions that act on the
** connection: mlflow_connect, mlflow_version. */
#ifndef MLF_TABLES_TABLES_H
#define MLF_TABLES_TABLES_H

#include "base/registry.h"

/* SQLITE_OK, SQLITE_NOMEM or SQLITE_INTERRUPT. Takes `kept`, to show it in mlflow_settings. After
** SQLITE_OK mlf_tables_are_registered is true, and not before. */
int mlf_tables_register(mlf_registry *registry);

/* Whether the connection has the tables. Result codes as above. */
int mlf_tables_are_registered(sqlite3 *db, bool *are);

#endif
