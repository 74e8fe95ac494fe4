/* differences.c: differences(selected, value), an aggregate.
**
** (1) selected is a number: not 0 for a row of the selection, 0 for one of the rest. A row whose
**     selected is NULL is left out.
** (2) A NULL value is a value, as in GROUP BY. Values are INTEGER, REAL or TEXT.
** (3) The result is a JSON object: how many rows are selected and how many are not, and an array of
**     the values with their figures (analysis/difference.h). The clearest difference comes first:
**     the one whose interval is the farthest from 0 or, with 0 inside, reaches the least beyond it;
**     equal ones are in SQL's order. Values that are too few come last.
** (4) verdict is 'too few' for a value of fewer than 5 rows, and for all if the selection or the
**     rest has fewer than 20; else 'more' or 'less' if the interval leaves 0 out, else 'no clear
**     difference'.
** (5) With more than MLF_LABELS_MAX different values the array is empty, and note says so. The
**     memory grows with the different values up to there, not with the rows.
*/
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "analysis/difference.h"
#include "analysis/labels.h"
#include "base/array.h"
#include "base/sqlite_value.h"
#include "functions/families.h"
#include "functions/json_result.h"

#define DIFFERENCES_ROWS_MIN  5
#define DIFFERENCES_GROUP_MIN 20

typedef struct differences_count {
  int64_t selected;
  int64_t rest;
} differences_count;

typedef struct differences_state {
  mlf_labels labels;
  differences_count *counts; /* owned; of each label by its number */
  size_t capacity;
  differences_count total;
  bool has_too_many;
} differences_state;

typedef struct differences_row {
  const mlf_value *value;
  differences_count count;
  mlf_difference figures; /* if the selection and the rest have rows */
  bool is_too_few;
  double clearness;
  size_t place; /* in SQL's order */
} differences_row;

static int differences_read(sqlite3_value **arguments, bool *is_selected, mlf_value *value,
                            mlf_error *error) {
  int type = sqlite3_value_type(arguments[0]);
  if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
    return mlf_error_set(error, SQLITE_ERROR, "selected is not a number: 1 or 0 is expected");
  *is_selected = sqlite3_value_double(arguments[0]) != 0;
  if (mlf_sqlite_value_read(arguments[1], value) != SQLITE_OK) return mlf_error_nomem(error);
  if (value->type == MLF_BLOB) return mlf_error_set(error, SQLITE_ERROR, "input is a BLOB");
  if (value->type == MLF_REAL && !isfinite(value->real))
    return mlf_error_set(error, SQLITE_ERROR, "input is infinite");
  return SQLITE_OK;
}

/* The count of a value, new ones at 0; NULL in `*found` if there are too many values. */
static int differences_find(differences_state *state, const mlf_value *value,
                            differences_count **found, mlf_error *error) {
  size_t number;
  size_t known = state->labels.count;
  *found = NULL;
  differences_count *counts =
      mlf_array_room(state->counts, known, &state->capacity, 8, sizeof(*counts));
  if (!counts) return mlf_error_nomem(error);
  state->counts = counts;
  if (mlf_labels_find(&state->labels, value, &number, error) != SQLITE_OK) return error->code;
  if (number == MLF_LABELS_MAX) return SQLITE_OK;
  *found = &state->counts[number];
  if (number == known) **found = (differences_count){0};
  return SQLITE_OK;
}

static int differences_add(differences_state *state, sqlite3_value **arguments, mlf_error *error) {
  bool is_selected = false;
  mlf_value value;
  differences_count *count = NULL;
  int rc = differences_read(arguments, &is_selected, &value, error);
  if (rc != SQLITE_OK) return rc;
  if (!state->has_too_many) rc = differences_find(state, &value, &count, error);
  if (rc != SQLITE_OK) return rc;
  state->has_too_many = count == NULL;
  *(is_selected ? &state->total.selected : &state->total.rest) += 1;
  if (count) *(is_selected ? &count->selected : &count->rest) += 1;
  return SQLITE_OK;
}

static void differences_step(sqlite3_context *context, int count, sqlite3_value **arguments) {
  differences_state *state = sqlite3_aggregate_context(context, sizeof(*state));
  mlf_error error = {0};
  (void)count;
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;
  int rc = state ? differences_add(state, arguments, &error) : mlf_error_nomem(&error);
  if (rc != SQLITE_OK) mlf_error_result(context, "differences", &error);
}

static int differences_compare(const void *a, const void *b) {
  const differences_row *one = a;
  const differences_row *other = b;
  if (one->is_too_few != other->is_too_few) return one->is_too_few ? 1 : -1;
  if (one->clearness != other->clearness) return one->clearness > other->clearness ? -1 : 1;
  return one->place < other->place ? -1 : 1;
}

/* The values with their figures, ranked. */
static void differences_rank(const differences_state *state, differences_row *rows) {
  differences_count total = state->total;
  bool is_small = total.selected < DIFFERENCES_GROUP_MIN || total.rest < DIFFERENCES_GROUP_MIN;
  for (size_t i = 0; i < state->labels.count; i++) {
    const mlf_label *label = &state->labels.sorted[i];
    differences_count count = state->counts[label->number];
    differences_row *row = &rows[i];
    *row = (differences_row){.value = &label->value, .count = count, .place = i};
    row->is_too_few = is_small || count.selected + count.rest < DIFFERENCES_ROWS_MIN;
    if (total.selected == 0 || total.rest == 0) continue;
    row->figures = mlf_difference_of(count.selected, total.selected, count.rest, total.rest);
    row->clearness = fmax(row->figures.low, -row->figures.high);
  }
  qsort(rows, state->labels.count, sizeof(*rows), differences_compare);
}

static void differences_write_row(sqlite3_str *json, const differences_row *row, bool is_known) {
  const mlf_difference *figures = &row->figures;
  const char *verdict = row->is_too_few     ? "too few"
                        : figures->low > 0  ? "more"
                        : figures->high < 0 ? "less"
                                            : "no clear difference";
  sqlite3_str_appendall(json, "{\"value\":");
  mlf_json_result_value(json, row->value);
  sqlite3_str_appendf(json, ",\"n\":%lld,\"rest_n\":%lld", (sqlite3_int64)row->count.selected,
                      (sqlite3_int64)row->count.rest);
  mlf_json_result_member(json, "share", is_known, figures->share);
  mlf_json_result_member(json, "rest_share", is_known, figures->rest_share);
  mlf_json_result_member(json, "lift", is_known, figures->lift);
  mlf_json_result_member(json, "difference", is_known, figures->difference);
  mlf_json_result_member(json, "low", is_known, figures->low);
  mlf_json_result_member(json, "high", is_known, figures->high);
  mlf_json_result_member(json, "npmi", is_known, figures->npmi);
  sqlite3_str_appendf(json, ",\"verdict\":\"%s\"}", verdict);
}

static void differences_write(sqlite3_context *context, const differences_state *state,
                              const differences_row *rows) {
  differences_count total = state->total;
  assert(rows || state->labels.count == 0);
  sqlite3_str *json = sqlite3_str_new(sqlite3_context_db_handle(context));
  sqlite3_str_appendf(json,
                      "{\"selected\":%lld,\"rest\":%lld,\"note\":", (sqlite3_int64)total.selected,
                      (sqlite3_int64)total.rest);
  if (state->has_too_many)
    sqlite3_str_appendf(json, "\"more than %d values\"", MLF_LABELS_MAX);
  else
    sqlite3_str_appendall(json, "null");
  sqlite3_str_appendall(json, ",\"values\":[");
  for (size_t i = 0; !state->has_too_many && i < state->labels.count; i++) {
    if (i > 0) sqlite3_str_appendchar(json, 1, ',');
    differences_write_row(json, &rows[i], total.selected > 0 && total.rest > 0);
  }
  sqlite3_str_appendall(json, "]}");
  mlf_json_result(context, json);
}

static void differences_final(sqlite3_context *context) {
  static const differences_state none;
  differences_state *state = sqlite3_aggregate_context(context, 0);
  if (!state) {
    differences_write(context, &none, NULL);
    return;
  }
  differences_row *rows = sqlite3_malloc64((state->labels.count + 1) * sizeof(*rows));
  if (rows) {
    differences_rank(state, rows);
    differences_write(context, state, rows);
  } else {
    sqlite3_result_error_nomem(context);
  }
  sqlite3_free(rows);
  mlf_labels_clear(&state->labels);
  sqlite3_free(state->counts);
}

int mlf_differences_register(mlf_registry *registry) {
  return mlf_registry_add(
      registry, &(mlf_registry_function){.name = "differences",
                                         .arguments = 2,
                                         .flags = MLF_FAMILIES_PURE | MLF_JSON_RESULT_SUBTYPE,
                                         .step = differences_step,
                                         .final = differences_final});
}
