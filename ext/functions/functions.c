#include "functions/functions.h"

#include "functions/families.h"

int mlf_functions_register(sqlite3 *db) {
  static int (*const families[])(sqlite3 *) = {
      mlf_percentile_register,
  };
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < sizeof(families) / sizeof(*families); i++)
    rc = families[i](db);
  return rc;
}
