/* values.h: a plan's terms with the values that a scan has for them. */
#ifndef MLF_TABLES_VALUES_H
#define MLF_TABLES_VALUES_H

#include "base/sqlite_api.h"
#include "base/value.h"
#include "query/filter.h"
#include "query/plan.h"

/* A plan's terms with the values they have in this scan. */
typedef struct mlf_bound_terms {
  mlf_filter_term terms[MLF_FILTER_TERMS_MAX]; /* value lists are owned, and their texts */
  int count;
  bool left_out;       /* another term is left to SQLite alone */
  int64_t rows_wanted; /* limit and offset; 0: all */
  sqlite3_value *hint; /* beside one id: a list that holds all ids to be asked for one by one; lives
                          as long as xFilter runs. NULL: none */
} mlf_bound_terms;

/* Copies the values of xFilter's arguments, which die with the call, but for the terms that are
** left out: a flag for each of the plan. SQLITE_OK or SQLITE_NOMEM. */
int mlf_values_bind(const mlf_schema *schema, const mlf_plan *plan, const bool *left_out,
                    sqlite3_value **arguments, mlf_bound_terms *bound);
void mlf_values_clear(mlf_bound_terms *bound);

/* Copies a list of values, such as the hint, without NULLs: nothing is equal to them. SQLITE_OK or
** SQLITE_NOMEM. */
int mlf_values_list(sqlite3_value *list, mlf_value **values, size_t *count);
void mlf_values_free(mlf_value *values, size_t count);

#endif
