#include "query/shippable.h"

#include <string.h>

#include "base/sqlite_api.h"

#define NO       MLF_SHIP_NO
#define SUPERSET MLF_SHIP_SUPERSET
#define EXACT    MLF_SHIP_EXACT

/* One row a kind of key, one column an operator: =, !=, <, <=, >, >=, IN, LIKE, GLOB, IS NULL,
** IS NOT NULL. IN goes to the server only where its language has it; elsewhere SQLite asks once
** for each value, with =. Feedback that is given to a whole session comes back with every trace
** of the session, and a run with the traces linked to it: supersets. The end of a trace in
** progress counts as its start there. Conditions on spans and assessments find traces, whose other
** spans and assessments come along. */
static const mlf_shippable shippable_by_kind[][MLF_OP_IS] = {
    [MLF_KEY_NONE] = {NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [MLF_KEY_EXPERIMENT] = {EXACT, NO, NO, NO, NO, NO, EXACT, NO, NO, NO, NO},
    [MLF_KEY_EXPERIMENT_ID] = {EXACT, NO, NO, NO, NO, NO, EXACT, NO, NO, NO, NO},
    [MLF_KEY_FILTER] = {EXACT, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [MLF_KEY_IN_RUN] = {EXACT, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [MLF_KEY_TRACE_ID] = {EXACT, EXACT, NO, NO, NO, NO, EXACT, SUPERSET, SUPERSET, NO, NO},
    [MLF_KEY_STRING] = {EXACT, EXACT, NO, NO, NO, NO, EXACT, SUPERSET, SUPERSET, NO, NO},
    [MLF_KEY_NAME] = {EXACT, EXACT, NO, NO, NO, NO, NO, SUPERSET, SUPERSET, NO, NO},
    [MLF_KEY_RUN] = {SUPERSET, EXACT, NO, NO, NO, NO, NO, SUPERSET, SUPERSET, NO, NO},
    [MLF_KEY_TIMESTAMP] = {EXACT, EXACT, EXACT, EXACT, EXACT, EXACT, NO, NO, NO, NO, NO},
    [MLF_KEY_REQUEST_TIME] = {EXACT, NO, EXACT, EXACT, EXACT, EXACT, NO, NO, NO, NO, NO},
    [MLF_KEY_NUMBER] = {EXACT, EXACT, EXACT, EXACT, EXACT, EXACT, NO, NO, NO, NO, NO},
    [MLF_KEY_END_TIME] = {SUPERSET, NO, SUPERSET, SUPERSET, SUPERSET, SUPERSET, NO, NO, NO, NO, NO},
    [MLF_KEY_TAG] = {EXACT, EXACT, NO, NO, NO, NO, NO, SUPERSET, SUPERSET, EXACT, EXACT},
    [MLF_KEY_METADATA] = {EXACT, EXACT, NO, NO, NO, NO, NO, SUPERSET, SUPERSET, EXACT, EXACT},
    [MLF_KEY_FEEDBACK] = {SUPERSET, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [MLF_KEY_EXPECTATION] = {SUPERSET, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [MLF_KEY_SPAN] = {SUPERSET, NO, NO, NO, NO, NO, SUPERSET, NO, NO, NO, NO},
    [MLF_KEY_ASSESSMENT_NAME] = {SUPERSET, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [MLF_KEY_ASSESSMENT_TYPE] = {SUPERSET, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [MLF_KEY_ASSESSMENT_VALUE] = {SUPERSET, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [MLF_KEY_ASSESSMENT_VALID] = {SUPERSET, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
};

/* The server rewrites these keys, in any case, to other things than a tag or metadata of that
** name (search_utils.py, SEARCH_KEY_TO_*). */
static bool shippable_is_rewritten(const char *key) {
  static const char *const rewritten[] = {"name",      "prompt",   "run_id",        "text",
                                          "timestamp", "end_time", "execution_time"};
  for (size_t i = 0; i < sizeof(rewritten) / sizeof(rewritten[0]); i++) {
    if (sqlite3_stricmp(key, rewritten[i]) == 0) return true;
  }
  return false;
}

/* Tags that the server does not keep as tags. */
static bool shippable_is_special_tag(const char *key) {
  return sqlite3_stricmp(key, "mlflow.linkedPrompts") == 0;
}

/* Metadata that the server keeps in columns of its own: known there as a whole or not at all. */
static bool shippable_is_special_metadata(const char *key) {
  return sqlite3_stricmp(key, "mlflow.trace.tokenUsage") == 0 ||
         sqlite3_stricmp(key, "mlflow.trace.cost") == 0;
}

/* A key of MLflow's own, which nobody writes in another case. Keys in other cases are one key on
** MySQL and SQL Server: a trace without `Env` that has `env` is not found there by IS NULL. */
static bool shippable_is_of_mlflow(const char *key) {
  return strncmp(key, "mlflow.", 7) == 0;
}

mlf_shippable mlf_shippable_decide(const mlf_column *column, mlf_op op) {
  if (op >= MLF_OP_COUNT) return MLF_SHIP_NO;
  if (op == MLF_OP_IS) op = MLF_OP_EQ; /* with NULL it is left out: query/filter.c */
  bool pair = column->key_kind == MLF_KEY_TAG || column->key_kind == MLF_KEY_METADATA;
  if (op == MLF_OP_IS_NULL && pair && !shippable_is_of_mlflow(column->key)) return NO;
  switch (column->key_kind) {
  case MLF_KEY_TAG:
    if (shippable_is_rewritten(column->key) || shippable_is_special_tag(column->key)) return NO;
    break;
  case MLF_KEY_METADATA:
    if (strcmp(column->key, MLF_TRACE_RUN) == 0 && op == MLF_OP_EQ) return SUPERSET;
    if (shippable_is_rewritten(column->key) || shippable_is_special_metadata(column->key))
      return NO;
    break;
  case MLF_KEY_FEEDBACK:
  case MLF_KEY_EXPECTATION:
    if (shippable_is_rewritten(column->key)) return NO;
    break;
  default: break;
  }
  return shippable_by_kind[column->key_kind][op];
}

char *mlf_shippable_operators(const mlf_column *column) {
  const char *separator = "";
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (int op = 0; op < MLF_OP_COUNT; op++) {
    int length;
    if (mlf_shippable_decide(column, (mlf_op)op) == MLF_SHIP_NO) continue;
    const char *name = mlf_op_name((mlf_op)op, &length);
    sqlite3_str_appendf(text, "%s%.*s", separator, length, name);
    separator = ", ";
  }
  int rc = sqlite3_str_errcode(text);
  char *operators = sqlite3_str_finish(text);
  return operators || rc != SQLITE_OK ? operators : sqlite3_mprintf("");
}
