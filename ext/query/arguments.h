/* arguments.h: reads the arguments of CREATE VIRTUAL TABLE … USING mlflow_traces(…).
**
**   experiment = 'agent-prod'            scope: a name or an id
**   experiments = 'a, b'                 several, without blanks around them
**   pushdown = off                       send no predicate: for tests and bug reports
**   tags.environment                     column "tags.environment"
**   tags."mlflow.traceName" AS app       column "app"
**   metadata."mlflow.trace.user" AS who
**   feedback.concise                     the value of the latest valid feedback of that name
**
** Words are read as SQL reads them: 'text', "name", `name`, [name], a doubled quote for a quote,
** keywords in any case. No argument names a host, a path or a secret.
*/
#ifndef MLF_QUERY_ARGUMENTS_H
#define MLF_QUERY_ARGUMENTS_H

#include <stdbool.h>

#include "base/error.h"
#include "model/catalog.h"

typedef struct mlf_arguments {
  char **experiments; /* owned names or ids as written; none: the environment's scope */
  int experiment_count;
  bool pushdown; /* true unless turned off */
} mlf_arguments;

/* Reads `count` arguments (SQLite hands them over as written, trimmed or not) and adds declared
** columns to `schema`, unless that takes experiments only. Errors: SQLITE_ERROR with a text like
** "mlflow_traces: unknown argument \"colour = 'red'\"; expected experiment = '…', …". `arguments`
** can be cleared after any result. */
int mlf_arguments_read(const char *const *texts, int count, mlf_schema *schema,
                       mlf_arguments *arguments, mlf_error *error);
void mlf_arguments_clear(mlf_arguments *arguments);

#endif
