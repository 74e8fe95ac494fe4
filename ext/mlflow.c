/* mlflow.c: the entry point of the loadable extension sqlite-mlflow. It registers, nothing else:
** no request is sent, no file read and no environment looked at by loading it.
**
**   .load build/mlflow0
**   SELECT status, count(*) FROM mlflow_traces WHERE experiment = 'agent-prod' GROUP BY status;
*/
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "functions/functions.h"
#include "tables/tables.h"

#define MLF_SQLITE_VERSION_MIN 3038000

__attribute__((visibility("default"))) int sqlite3_mlflow_init(sqlite3 *db, char **error_text,
                                                               const sqlite3_api_routines *api);

int sqlite3_mlflow_init(sqlite3 *db, char **error_text, const sqlite3_api_routines *api) {
  (void)api;
  SQLITE_EXTENSION_INIT2(api);
  if (sqlite3_libversion_number() < MLF_SQLITE_VERSION_MIN) {
    *error_text = sqlite3_mprintf("mlflow: this SQLite is %s; 3.38.0 or newer is needed",
                                  sqlite3_libversion());
    return SQLITE_ERROR;
  }
  int rc = mlf_functions_register(db);
  if (rc == SQLITE_OK) rc = mlf_tables_register(db);
  /* Permanently: curl and OpenSSL register exit handlers that must not outlive their code. */
  return rc == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : rc;
}
