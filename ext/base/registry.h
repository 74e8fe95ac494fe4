/* registry.h: registers SQL functions, but none whose name is in use.
**
** A call that the connection could answer before the extension was loaded means the same
** afterwards: functions that SQLite has built in (percentile and its kin since 3.51), functions
** that the program has registered, and those of an earlier load of this extension all stay, but for
** one that an authorizer hides from the load.
** SQLite would refuse to replace them anyway while a statement runs, and load_extension() is called
** by a statement.
*/
#ifndef MLF_BASE_REGISTRY_H
#define MLF_BASE_REGISTRY_H

#include <stdbool.h>

#include "base/sqlite_api.h"

/* What mlflow_help says of a function. All texts are constant. */
typedef struct mlf_registry_help {
  const char *name;
  const char *arguments; /* in brackets those that may be left out: "ms [, edges]" */
  const char *result;    /* its type */
  const char *meaning;
  const char *example; /* a statement that runs */
} mlf_registry_help;

/* What a load has registered so far. Zero but for `db` before. */
typedef struct mlf_registry {
  sqlite3 *db;
  const mlf_registry_help *help; /* of the analysis functions */
  int help_count;
  char *kept; /* names that were in use, ", " between; NULL for none; freed with sqlite3_free */
} mlf_registry;

/* A function as sqlite3_create_window_function takes it. Either `call` is set, or `step` and
** `final`; a window function has `value` and `inverse`, too. */
typedef struct mlf_registry_function {
  const char *name;
  int arguments; /* their number, 0 to 4 */
  int flags;     /* SQLITE_UTF8 and others */
  void *context; /* for sqlite3_user_data; `destroy`, if set, frees it in any case */
  void (*call)(sqlite3_context *context, int count, sqlite3_value **arguments);
  void (*step)(sqlite3_context *context, int count, sqlite3_value **arguments);
  void (*final)(sqlite3_context *context);
  void (*value)(sqlite3_context *context);
  void (*inverse)(sqlite3_context *context, int count, sqlite3_value **arguments);
  void (*destroy)(void *context);
} mlf_registry_function;

/* Whether the connection has a function of this name that takes so many arguments. SQLITE_OK,
** SQLITE_NOMEM or SQLITE_INTERRUPT; or SQLITE_AUTH if it has one that an authorizer lets nobody
** call. */
int mlf_registry_has(sqlite3 *db, const char *name, int arguments, bool *has);

/* Registers a function, or adds its name to `kept`. SQLITE_OK, SQLITE_NOMEM or SQLITE_INTERRUPT. */
int mlf_registry_add(mlf_registry *registry, const mlf_registry_function *function);

#endif
