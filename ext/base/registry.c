#include "base/registry.h"

#include <string.h>

#ifndef SQLITE_PREPARE_DONT_LOG /* since 3.48; an older SQLite ignores it */
#define SQLITE_PREPARE_DONT_LOG 0x10
#endif

/* Asks SQLite itself to compile a call. PRAGMA function_list would tell, too, but some builds leave
** it out, authorizers refuse it, and it does not say which of its functions a call would find.
** Parameters would count for SQLITE_LIMIT_VARIABLE_NUMBER. An authorizer is asked about a function
** only if there is one. */
int mlf_registry_has(sqlite3 *db, const char *name, int arguments, bool *has) {
  static const char nulls[] = "NULL,NULL,NULL,NULL";
  sqlite3_stmt *call = NULL;
  int length = arguments > 0 ? 5 * arguments - 1 : 0;
  *has = false;
  char *sql = sqlite3_mprintf("SELECT %s(%.*s)", name, length, nulls);
  if (!sql) return SQLITE_NOMEM;
  int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_DONT_LOG, &call, NULL);
  bool denied = rc != SQLITE_NOMEM &&
                sqlite3_strglob("not authorized to use function: *", sqlite3_errmsg(db)) == 0;
  sqlite3_finalize(call);
  sqlite3_free(sql);
  /* No error is left behind: sqlite3_open would take it for one of an auto-extension. */
  sqlite3_exec(db, "", NULL, NULL, NULL);
  if (rc == SQLITE_NOMEM || rc == SQLITE_INTERRUPT) return rc;
  *has = rc == SQLITE_OK;
  return denied ? SQLITE_AUTH : SQLITE_OK;
}

static int registry_keep(mlf_registry *registry, const char *name) {
  const char *last = registry->kept ? strrchr(registry->kept, ' ') : NULL;
  last = last ? last + 1 : registry->kept;
  if (last && strcmp(last, name) == 0) return SQLITE_OK; /* with other arguments */
  char *kept = registry->kept ? sqlite3_mprintf("%s, %s", registry->kept, name)
                              : sqlite3_mprintf("%s", name);
  if (!kept) return SQLITE_NOMEM;
  sqlite3_free(registry->kept);
  registry->kept = kept;
  return SQLITE_OK;
}

static int registry_create(sqlite3 *db, const mlf_registry_function *it) {
  if (it->value)
    return sqlite3_create_window_function(db, it->name, it->arguments, it->flags, it->context,
                                          it->step, it->final, it->value, it->inverse, it->destroy);
  return sqlite3_create_function_v2(db, it->name, it->arguments, it->flags, it->context, it->call,
                                    it->step, it->final, it->destroy);
}

int mlf_registry_add(mlf_registry *registry, const mlf_registry_function *function) {
  bool has;
  int rc = mlf_registry_has(registry->db, function->name, function->arguments, &has);
  if (rc == SQLITE_AUTH) rc = SQLITE_OK; /* a host may hide its function from us, to have ours */
  if (rc == SQLITE_OK && !has) {
    rc = registry_create(registry->db, function); /* which destroys the context if it fails */
    /* In use after all, by a function that an authorizer lets nobody call. */
    return rc == SQLITE_BUSY ? registry_keep(registry, function->name) : rc;
  }
  if (rc == SQLITE_OK) rc = registry_keep(registry, function->name);
  if (function->destroy) function->destroy(function->context);
  return rc;
}
