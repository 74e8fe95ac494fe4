/* scope.h: which experiments a scan reads.
**
** In this order: those that CREATE VIRTUAL TABLE names; else those of `experiment = …` or
** `experiment_id = …` in the statement; else all active ones, if the statement compares
** `experiment` in a way that its plan does not tell; else MLFLOW_EXPERIMENT_ID or
** MLFLOW_EXPERIMENT_NAME; else all active ones. What else the statement says of experiment and
** experiment_id narrows that.
**
** In a statement that asks another table for another experiment than the environment does, a table
** that says nothing would read the wrong one: that is an error.
*/
#ifndef MLF_TABLES_SCOPE_H
#define MLF_TABLES_SCOPE_H

#include "base/error.h"
#include "query/arguments.h"
#include "tables/connection.h"
#include "tables/experiment_list.h"
#include "tables/values.h"

typedef struct mlf_scope_ask {
  mlf_connection *connection;
  mlf_statement *statement;
  const mlf_arguments *arguments;
  const mlf_bound_terms *bound;
  bool compared; /* the statement compares `experiment`, and the plan does not tell with what */
  bool joined;   /* what it is told comes from another table's row */
} mlf_scope_ask;

/* An empty scope: nothing to read. Errors: an experiment that the server has not, but in a list
** or a join; one that is not said for this table, and another is for others; the server's.
** `scope` is empty before, and can be cleared after any result. What is in it is added to the
** statement's names. */
int mlf_scope_resolve(const mlf_scope_ask *ask, mlf_experiment_list *scope, mlf_error *error);

#endif
