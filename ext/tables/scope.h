/* scope.h: which experiments a scan reads.
**
** In this order: those that CREATE VIRTUAL TABLE names; else those of `experiment = …` in the
** statement; else MLFLOW_EXPERIMENT_ID or MLFLOW_EXPERIMENT_NAME; else all active ones. What else
** the statement says of experiment and experiment_id narrows that.
*/
#ifndef MLF_TABLES_SCOPE_H
#define MLF_TABLES_SCOPE_H

#include "base/error.h"
#include "query/arguments.h"
#include "tables/connection.h"
#include "tables/values.h"

typedef struct mlf_scope {
  char **ids;   /* owned */
  char **names; /* of each: as the statement called it, else its name; owned */
  size_t count; /* none: nothing to read */
} mlf_scope;

/* Errors: an experiment that the server has not; the server's. `scope` is zero before, and can be
** cleared after any result. */
int mlf_scope_resolve(mlf_connection *connection, mlf_budget *budget,
                      const mlf_arguments *arguments, const mlf_bound_terms *bound,
                      mlf_scope *scope, mlf_error *error);
void mlf_scope_clear(mlf_scope *scope);

/* What the hidden column `experiment` shows for a row of the experiment with this id. */
const char *mlf_scope_name(const mlf_scope *scope, const char *id);

#endif
