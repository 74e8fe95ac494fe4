/* trivial.c: an aggregate that does nothing, with strata()'s arguments: what calling one costs. */
#include <stddef.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

static void trivial_step(sqlite3_context *context, int count, sqlite3_value **arguments) {
  (void)context, (void)count, (void)arguments;
}

static void trivial_final(sqlite3_context *context) {
  sqlite3_result_null(context);
}

int sqlite3_trivial_init(sqlite3 *db, char **error_text, const sqlite3_api_routines *api);

int sqlite3_trivial_init(sqlite3 *db, char **error_text, const sqlite3_api_routines *api) {
  (void)error_text;
  SQLITE_EXTENSION_INIT2(api);
  int rc = sqlite3_create_function_v2(db, "trivial", 3, SQLITE_UTF8, NULL, NULL, trivial_step,
                                      trivial_final, NULL);
  if (rc != SQLITE_OK) return rc;
  return sqlite3_create_function_v2(db, "trivial", 4, SQLITE_UTF8, NULL, NULL, trivial_step,
                                    trivial_final, NULL);
}
