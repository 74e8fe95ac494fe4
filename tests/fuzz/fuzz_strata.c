/* fuzz_strata.c: the reader of sample states, and what is done with a state.
**
**   (1) Bytes are refused with a text, or they are exactly what the state that was read writes.
**   (2) A state merged with itself keeps its keys and doubles its populations.
**   (3) Each allocation gives no more than there is, and the first two give min(size, keys).
*/
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/allocate.h"
#include "analysis/stratify_state.h"
#include "base/sqlite_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void strata_require(bool truth) {
  if (!truth) abort();
}

static void strata_check_merge(const mlf_stratify *state) {
  mlf_stratify merged;
  mlf_error error = {0};
  if (state->rows > MLF_STRATIFY_ROWS_MAX / 2) return;
  mlf_stratify_init(&merged, state->size, state->seed);
  strata_require(mlf_stratify_merge(&merged, state, &error) == SQLITE_OK);
  strata_require(mlf_stratify_merge(&merged, state, &error) == SQLITE_OK);
  mlf_stratify_finish(&merged);
  strata_require(merged.count == state->count && merged.rows == 2 * state->rows);
  for (size_t i = 0; i < state->count; i++) {
    strata_require(merged.strata[i].population == 2 * state->strata[i].population);
    strata_require(merged.strata[i].count == state->strata[i].count);
  }
  mlf_stratify_clear(&merged);
}

static void strata_check_allocation(const mlf_stratify *state, mlf_allocate_rule rule) {
  mlf_allocate_stratum *strata = malloc((state->count + 1) * sizeof(*strata));
  int64_t keys = 0;
  int64_t given = 0;
  for (size_t i = 0; i < state->count; i++) {
    strata[i] = (mlf_allocate_stratum){.population = state->strata[i].population,
                                       .capacity = (int64_t)state->strata[i].count};
    keys += strata[i].capacity;
  }
  strata_require(mlf_allocate_run(rule, state->size, strata, state->count) == SQLITE_OK);
  for (size_t i = 0; i < state->count; i++) {
    strata_require(0 <= strata[i].given && strata[i].given <= strata[i].capacity);
    given += strata[i].given;
  }
  int64_t most = state->size < keys ? state->size : keys;
  strata_require(rule == MLF_ALLOCATE_PATTERN6 ? given <= most : given == most);
  free(strata);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mlf_stratify state = {0};
  mlf_error error = {0};
  int rc = mlf_stratify_state_read(data, size, &state, &error);
  strata_require(rc == error.code && (rc == SQLITE_OK || rc == SQLITE_ERROR));
  if (rc == SQLITE_OK) {
    mlf_buffer bytes;
    mlf_buffer_init(&bytes, 1 << 20);
    strata_require(mlf_stratify_state_write(&state, &bytes) == SQLITE_OK);
    strata_require(bytes.length == size && memcmp(bytes.bytes, data, size) == 0);
    mlf_buffer_clear(&bytes);
    strata_check_merge(&state);
    for (int rule = MLF_ALLOCATE_EQUAL; rule <= MLF_ALLOCATE_PATTERN6; rule++)
      strata_check_allocation(&state, (mlf_allocate_rule)rule);
  } else {
    strata_require(error.text != NULL);
  }
  mlf_stratify_clear(&state);
  mlf_error_clear(&error);
  return 0;
}
