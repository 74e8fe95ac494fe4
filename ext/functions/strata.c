/* strata.c: strata(key, stratum, size [, seed]) and strata_merge(state).
**
** Both are aggregates whose result is the state of a sample (analysis/stratify.h), a BLOB that
** stratified_sample() turns into rows. `size`, at most 1,000,000, and `seed`, 0 unless given, are
** INTEGERs and the same in all rows. Without rows the result is NULL. strata_merge makes of the
** states over different rows the state over all of them; it leaves NULLs out.
*/
#include <stdbool.h>

#include "analysis/stratify_state.h"
#include "base/sqlite_value.h"
#include "functions/families.h"
#include "functions/strata.h"

typedef struct strata_state {
  mlf_stratify stratify;
  bool is_ready;
} strata_state;

int mlf_strata_read(sqlite3_value *argument, mlf_stratify *state, mlf_error *error) {
  mlf_value value;
  if (mlf_sqlite_value_read(argument, &value) != SQLITE_OK) return mlf_error_nomem(error);
  if (value.type != MLF_BLOB)
    return mlf_error_set(error, SQLITE_ERROR, "not a state that strata() made: it is not a BLOB");
  return mlf_stratify_state_read(value.text, value.length, state, error);
}

static int strata_start(strata_state *state, int64_t size, int64_t seed, mlf_error *error) {
  if (!state->is_ready) {
    mlf_stratify_init(&state->stratify, size, seed);
    state->is_ready = true;
    return SQLITE_OK;
  }
  if (size != state->stratify.size)
    return mlf_error_set(error, SQLITE_ERROR, "size is not the same in all rows: %lld, then %lld",
                         (sqlite3_int64)state->stratify.size, (sqlite3_int64)size);
  if (seed != state->stratify.seed)
    return mlf_error_set(error, SQLITE_ERROR, "seed is not the same in all rows: %lld, then %lld",
                         (sqlite3_int64)state->stratify.seed, (sqlite3_int64)seed);
  return SQLITE_OK;
}

static int strata_read_numbers(strata_state *state, int count, sqlite3_value **arguments,
                               mlf_error *error) {
  int64_t size = sqlite3_value_int64(arguments[2]);
  int64_t seed = count == 4 ? sqlite3_value_int64(arguments[3]) : 0;
  if (sqlite3_value_type(arguments[2]) != SQLITE_INTEGER || size < 0 ||
      size > MLF_STRATIFY_SIZE_MAX)
    return mlf_error_set(error, SQLITE_ERROR, "size is not an integer between 0 and %d",
                         MLF_STRATIFY_SIZE_MAX);
  if (count == 4 && sqlite3_value_type(arguments[3]) != SQLITE_INTEGER)
    return mlf_error_set(error, SQLITE_ERROR, "seed is not an integer");
  return strata_start(state, size, seed, error);
}

static void strata_step(sqlite3_context *context, int count, sqlite3_value **arguments) {
  strata_state *state = sqlite3_aggregate_context(context, sizeof(*state));
  mlf_error error = {0};
  mlf_value key;
  mlf_value stratum;
  int rc = state ? strata_read_numbers(state, count, arguments, &error) : mlf_error_nomem(&error);
  if (rc == SQLITE_OK && (mlf_sqlite_value_read(arguments[0], &key) != SQLITE_OK ||
                          mlf_sqlite_value_read(arguments[1], &stratum) != SQLITE_OK))
    rc = mlf_error_nomem(&error);
  if (rc == SQLITE_OK) rc = mlf_stratify_add(&state->stratify, &key, &stratum, &error);
  if (rc != SQLITE_OK) mlf_error_result(context, "strata", &error);
}

static int strata_merge(strata_state *state, sqlite3_value *argument, mlf_error *error) {
  mlf_stratify from = {0};
  int rc = mlf_strata_read(argument, &from, error);
  if (rc == SQLITE_OK) rc = strata_start(state, from.size, from.seed, error);
  if (rc == SQLITE_OK) rc = mlf_stratify_merge(&state->stratify, &from, error);
  mlf_stratify_clear(&from);
  return rc;
}

static void strata_merge_step(sqlite3_context *context, int count, sqlite3_value **arguments) {
  strata_state *state = sqlite3_aggregate_context(context, sizeof(*state));
  mlf_error error = {0};
  (void)count;
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;
  int rc = state ? strata_merge(state, arguments[0], &error) : mlf_error_nomem(&error);
  if (rc != SQLITE_OK) mlf_error_result(context, "strata_merge", &error);
}

static void strata_final(sqlite3_context *context) {
  strata_state *state = sqlite3_aggregate_context(context, 0);
  if (!state || !state->is_ready) return;
  mlf_buffer bytes;
  mlf_buffer_init(
      &bytes, (size_t)sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1));
  mlf_stratify_finish(&state->stratify);
  int rc = mlf_stratify_state_write(&state->stratify, &bytes);
  if (rc == SQLITE_OK) {
    size_t length = bytes.length;
    sqlite3_result_blob64(context, mlf_buffer_take(&bytes), length, sqlite3_free);
  } else {
    sqlite3_result_error_code(context, rc);
  }
  mlf_buffer_clear(&bytes);
  mlf_stratify_clear(&state->stratify);
}

int mlf_strata_register(mlf_registry *registry) {
  int rc = SQLITE_OK;
  for (int count = 3; rc == SQLITE_OK && count <= 4; count++)
    rc = mlf_registry_add(registry, &(mlf_registry_function){.name = "strata",
                                                             .arguments = count,
                                                             .flags = MLF_FAMILIES_PURE,
                                                             .step = strata_step,
                                                             .final = strata_final});
  if (rc != SQLITE_OK) return rc;
  return mlf_registry_add(registry, &(mlf_registry_function){.name = "strata_merge",
                                                             .arguments = 1,
                                                             .flags = MLF_FAMILIES_PURE,
                                                             .step = strata_merge_step,
                                                             .final = strata_final});
}
