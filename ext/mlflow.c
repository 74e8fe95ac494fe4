/* mlflow.c: the entry points of the loadable extension sqlite-mlflow. They register, nothing else:
** no request is sent, no file read and no environment looked at by loading it.
**
**   .load build/mlflow0
**   SELECT status, count(*) FROM mlflow_traces WHERE experiment = 'agent-prod' GROUP BY status;
**
** (1) A function whose name is in use stays as it is (base/registry.h).
** (2) Loading the extension again, into a connection that has it, changes nothing.
** (3) A load that fails says why in one line. Functions that it has registered by then stay: SQLite
**     lets nobody take them back while a statement runs. They can be called, and the next load goes
**     on from there.
** (4) The library is never unmapped (CMakeLists.txt): besides those functions, curl and OpenSSL
**     register exit handlers, which must not outlive their code. So a load need not answer
**     SQLITE_OK_LOAD_PERMANENTLY, for which sqlite3_auto_extension calls no other extension.
*/
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "functions/functions.h"
#include "tables/tables.h"

#define MLF_SQLITE_VERSION_MIN 3038000

/* SQLite looks for the first name in any file, and for the second one in a file mlflow…. */
#define MLF_ENTRY __attribute__((visibility("default")))
MLF_ENTRY int sqlite3_extension_init(sqlite3 *db, char **error_text,
                                     const sqlite3_api_routines *api);
MLF_ENTRY int sqlite3_mlflow_init(sqlite3 *db, char **error_text, const sqlite3_api_routines *api);

/* Takes over SQLite's table of functions. There is one for the whole library, so a second SQLite in
** the process (apsw beside Python's own) would pull it from under the connections of the first. */
static int mlflow_attach(char **error_text, const sqlite3_api_routines *api) {
  (void)error_text;
  (void)api;
#ifndef SQLITE_CORE
  if (sqlite3_api && sqlite3_api != api) {
    *error_text = api->mprintf("mlflow: another SQLite in this process has loaded this library, "
                               "which serves only one; load a copy of the file for this one");
    return SQLITE_ERROR;
  }
#endif
  SQLITE_EXTENSION_INIT2(api);
  return SQLITE_OK;
}

static int mlflow_register(sqlite3 *db) {
  mlf_registry registry = {.db = db};
  bool loaded;
  int rc = mlf_tables_are_registered(db, &loaded);
  if (rc == SQLITE_OK && !loaded) {
    rc = mlf_functions_register(&registry);
    if (rc == SQLITE_OK) rc = mlf_tables_register(&registry);
  }
  sqlite3_free(registry.kept);
  return rc;
}

static int mlflow_load(sqlite3 *db, char **error_text, const sqlite3_api_routines *api) {
  int rc = mlflow_attach(error_text, api);
  if (rc != SQLITE_OK) return rc;
  if (sqlite3_libversion_number() < MLF_SQLITE_VERSION_MIN) {
    *error_text = sqlite3_mprintf("mlflow: this SQLite is %s; 3.38.0 or newer is needed",
                                  sqlite3_libversion());
    return SQLITE_ERROR;
  }
  rc = mlflow_register(db);
  if (rc == SQLITE_OK) return rc;
  *error_text = sqlite3_mprintf("mlflow: its tables and functions cannot be registered: %s; "
                                "load it again",
                                sqlite3_errstr(rc));
  return rc;
}

int sqlite3_extension_init(sqlite3 *db, char **error_text, const sqlite3_api_routines *api) {
  return mlflow_load(db, error_text, api);
}

int sqlite3_mlflow_init(sqlite3 *db, char **error_text, const sqlite3_api_routines *api) {
  return mlflow_load(db, error_text, api);
}
