#include "tables/tables.h"

int mlf_tables_register(sqlite3 *db) {
  (void)db;
  return SQLITE_OK;
}
