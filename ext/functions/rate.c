/* rate.c: wilson_low(successes, trials [, z]) and wilson_high(successes, trials [, z]).
**
** The bounds of Wilson's interval (analysis/wilson.h) for a rate, z = 1.96 (95 %) unless given.
** NULL if an argument is NULL, or if there were no trials.
*/
#include <math.h>
#include <stdbool.h>

#include "analysis/wilson.h"
#include "functions/families.h"

typedef struct rate_function {
  const char *name;
  bool is_high;
} rate_function;

static const rate_function rate_functions[] = {{"wilson_low", false}, {"wilson_high", true}};

static bool rate_is_number(sqlite3_value *argument) {
  int type = sqlite3_value_type(argument);
  return (type == SQLITE_INTEGER || type == SQLITE_FLOAT) &&
         isfinite(sqlite3_value_double(argument));
}

static void rate_wilson(sqlite3_context *context, int count, sqlite3_value **arguments) {
  const rate_function *function = sqlite3_user_data(context);
  mlf_error error = {0};
  for (int i = 0; i < count; i++)
    if (sqlite3_value_type(arguments[i]) == SQLITE_NULL) return;
  for (int i = 0; i < count; i++)
    if (!rate_is_number(arguments[i])) mlf_error_set(&error, SQLITE_ERROR, "input is not numeric");
  double successes = sqlite3_value_double(arguments[0]);
  double trials = sqlite3_value_double(arguments[1]);
  double z = count == 3 ? sqlite3_value_double(arguments[2]) : MLF_WILSON_Z;
  if (!(0 <= successes && successes <= trials))
    mlf_error_set(&error, SQLITE_ERROR, "successes are not between 0 and the number of trials");
  if (z < 0) mlf_error_set(&error, SQLITE_ERROR, "z is negative");
  if (error.code != SQLITE_OK) {
    mlf_error_result(context, function->name, &error);
  } else if (trials > 0) {
    mlf_wilson interval = mlf_wilson_interval(successes, trials, z);
    sqlite3_result_double(context, function->is_high ? interval.high : interval.low);
  }
}

int mlf_rate_register(mlf_registry *registry) {
  int rc = SQLITE_OK;
  for (size_t i = 0; i < 2; i++) {
    for (int count = 2; rc == SQLITE_OK && count <= 3; count++)
      rc = mlf_registry_add(
          registry, &(mlf_registry_function){.name = rate_functions[i].name,
                                             .arguments = count,
                                             .flags = MLF_FAMILIES_PURE,
                                             .context = (void *)(uintptr_t)&rate_functions[i],
                                             .call = rate_wilson});
  }
  return rc;
}
