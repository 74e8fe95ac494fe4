/* percentile.c: percentile(X, P), percentile_cont(X, F), percentile_disc(X, F), median(X).
**
** They mean what SQLite's own functions of these names mean (ext/misc/percentile.c, in shells since
** 3.47 and behind SQLITE_ENABLE_PERCENTILE since 3.51), and fail with the same texts:
**
**   (1) P is a number of 0 to 100, F of 0 to 1, the same in all rows to within 0.001 of the range.
**       Text that looks like a number will do for them.
**   (2) X is an INTEGER or a REAL; NULL is left out; text, blobs and infinities are errors.
**   (3) The result is REAL, or NULL if there is no X. percentile and percentile_cont interpolate
**       between the two nearest values, percentile_disc takes the lower of them.
**   (4) median(X) is percentile(X, 50).
**   (5) All are window functions, too.
*/
#include <math.h>
#include <stdbool.h>

#include "analysis/quantile.h"
#include "functions/families.h"

#define PERCENTILE_SAME 0.001

typedef struct percentile_function {
  const char *name;
  int arguments;
  double fraction_max;
  mlf_quantile_kind kind;
} percentile_function;

typedef struct percentile_state {
  mlf_quantile quantile;
  const percentile_function *function; /* NULL before the first row */
  double argument;                     /* P or F as it was given first; */
  double fraction;                     /* as a fraction of 1 */
} percentile_state;

static const percentile_function percentile_functions[] = {
    {"percentile", 2, 100.0, MLF_QUANTILE_LINEAR},
    {"percentile_cont", 2, 1.0, MLF_QUANTILE_LINEAR},
    {"percentile_disc", 2, 1.0, MLF_QUANTILE_LOWER},
    {"median", 1, 1.0, MLF_QUANTILE_LINEAR},
};

static void percentile_fail(sqlite3_context *context, char *text) {
  if (text)
    sqlite3_result_error(context, text, -1);
  else
    sqlite3_result_error_nomem(context);
  sqlite3_free(text);
}

/* Reads the fraction, 0 to 1, of this row and compares it with that of the rows before. False if it
** is an error, which is then the result. */
static bool percentile_accepts_fraction(sqlite3_context *context, percentile_state *state,
                                        sqlite3_value *argument) {
  int type = argument ? sqlite3_value_numeric_type(argument) : SQLITE_FLOAT;
  double given = argument ? sqlite3_value_double(argument) : 0.5;
  bool is_number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
  if (is_number && state->function && given == state->argument) return true;
  const percentile_function *function = sqlite3_user_data(context);
  double fraction = given / function->fraction_max;
  if (!is_number || fraction < 0.0 || fraction > 1.0) {
    percentile_fail(context,
                    sqlite3_mprintf("the fraction argument to %s() is not between 0.0 and %.1f",
                                    function->name, function->fraction_max));
    return false;
  }
  if (!state->function) {
    state->function = function;
    state->argument = given;
    state->fraction = fraction;
  } else if (fabs(state->fraction - fraction) > PERCENTILE_SAME) {
    percentile_fail(
        context, sqlite3_mprintf("the fraction argument to %s() is not the same for all input rows",
                                 function->name));
    return false;
  }
  return true;
}

static void percentile_step(sqlite3_context *context, int count, sqlite3_value **arguments) {
  percentile_state *state = sqlite3_aggregate_context(context, sizeof(*state));
  if (!state) {
    sqlite3_result_error_nomem(context);
    return;
  }
  if (!percentile_accepts_fraction(context, state, count == 2 ? arguments[1] : NULL)) return;
  int type = sqlite3_value_type(arguments[0]);
  if (type == SQLITE_NULL) return;
  if (type != SQLITE_INTEGER && type != SQLITE_FLOAT) {
    percentile_fail(context,
                    sqlite3_mprintf("input to %s() is not numeric", state->function->name));
    return;
  }
  double value = sqlite3_value_double(arguments[0]);
  if (!isfinite(value)) {
    percentile_fail(context, sqlite3_mprintf("Inf input to %s()", state->function->name));
    return;
  }
  if (mlf_quantile_add(&state->quantile, value) != SQLITE_OK) sqlite3_result_error_nomem(context);
}

static void percentile_inverse(sqlite3_context *context, int count, sqlite3_value **arguments) {
  percentile_state *state = sqlite3_aggregate_context(context, sizeof(*state));
  (void)count;
  /* What is not NULL was accepted as a finite number on its way in. */
  if (!state || sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;
  if (mlf_quantile_remove(&state->quantile, sqlite3_value_double(arguments[0])) != SQLITE_OK)
    sqlite3_result_error_nomem(context);
}

static void percentile_value(sqlite3_context *context) {
  percentile_state *state = sqlite3_aggregate_context(context, 0);
  double result;
  if (!state || mlf_quantile_count(&state->quantile) == 0) return;
  int rc = mlf_quantile_peek(&state->quantile, state->fraction, state->function->kind, &result);
  if (rc == SQLITE_OK)
    sqlite3_result_double(context, result);
  else
    sqlite3_result_error_nomem(context);
}

static void percentile_final(sqlite3_context *context) {
  percentile_state *state = sqlite3_aggregate_context(context, 0);
  if (!state) return;
  if (mlf_quantile_count(&state->quantile) > 0)
    sqlite3_result_double(
        context, mlf_quantile_take(&state->quantile, state->fraction, state->function->kind));
  mlf_quantile_clear(&state->quantile);
}

int mlf_percentile_register(mlf_registry *registry) {
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < 4; i++) {
    const percentile_function *function = &percentile_functions[i];
    rc = mlf_registry_add(registry,
                          &(mlf_registry_function){
                              .name = function->name,
                              .arguments = function->arguments,
                              .flags = MLF_FAMILIES_PURE,
                              /* SQLite hands the pointer back to us alone, and it is read only. */
                              .context = (void *)(uintptr_t)function,
                              .step = percentile_step,
                              .final = percentile_final,
                              .value = percentile_value,
                              .inverse = percentile_inverse,
                          });
  }
  return rc;
}
