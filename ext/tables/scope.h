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
#include "tables/experiment_list.h"
#include "tables/values.h"

/* An empty scope: nothing to read. `untold`: the statement asks for an experiment, and SQLite does
** not say for which. Errors: an experiment that the server has not; one untold that may be another
** than the environment's; the server's. `scope` is empty before, and can be cleared after any
** result. */
int mlf_scope_resolve(mlf_connection *connection, mlf_statement *statement,
                      const mlf_arguments *arguments, const mlf_bound_terms *bound, bool untold,
                      mlf_experiment_list *scope, mlf_error *error);

#endif
