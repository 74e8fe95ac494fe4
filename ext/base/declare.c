#include "base/declare.h"

#include <stdbool.h>

/* Whether an authorizer is behind the message, which SQLite's code does not tell. The last one is
** what becomes of the key where the authorizer says SQLITE_IGNORE: it stands for NULL. */
static bool declare_is_refused(const char *message) {
  static const char *const refusals[] = {"not authorized", "authorizer malfunction",
                                         "access to * is prohibited",
                                         "expressions prohibited in PRIMARY KEY *"};
  for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
    if (sqlite3_strglob(refusals[i], message) == 0) return true;
  }
  return false;
}

int mlf_declare_table(sqlite3 *db, const char *table, const char *declaration, mlf_error *error) {
  int rc = declaration ? sqlite3_declare_vtab(db, declaration) : SQLITE_NOMEM;
  if (rc == SQLITE_OK) return rc;
  const char *message = sqlite3_errmsg(db);
  const char *advice = declare_is_refused(message)
                           ? "; an authorizer does not let SQLite declare the table: read from it "
                             "once before the authorizer is set"
                           : "";
  return mlf_error_set(error, rc, "%s: SQLite cannot declare the table: %s%s", table, message,
                       advice);
}
