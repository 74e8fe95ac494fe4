#include "tables/file_table.h"

#include "base/sqlite_api.h"

mlf_file_table mlf_file_table_of(sqlite3 *db, int argc, const char *const *argv) {
  bool at_once = argc == 3 && sqlite3_stricmp(argv[2], argv[0]) == 0;
  bool temporary = sqlite3_stricmp(argv[1], "temp") == 0;
  return (mlf_file_table){.db = db, .in_file = !at_once && !temporary};
}

int mlf_file_table_check(const mlf_file_table *table, mlf_error *error) {
  int trusted = 1;
  if (!table->in_file) return SQLITE_OK;
  sqlite3_db_config(table->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, -1, &trusted);
  if (trusted) return SQLITE_OK;
  return mlf_error_set(error, SQLITE_AUTH,
                       "this table is in the database file, whose schema is not trusted (PRAGMA "
                       "trusted_schema = OFF); read the table that exists at once, or make one "
                       "with CREATE VIRTUAL TABLE temp.…");
}
