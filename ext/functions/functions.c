#include "functions/functions.h"

int mlf_functions_register(sqlite3 *db) {
  (void)db;
  return SQLITE_OK;
}
