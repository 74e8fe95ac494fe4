/* agreement.c: agreement(a, b [, weights]) and krippendorff_alpha(unit, value [, metric]).
**
** Both are aggregates (analysis/agreement.h, analysis/krippendorff.h).
**
** (1) A row with a NULL among its first two arguments is left out.
** (2) weights is 'linear' or 'quadratic', metric 'nominal' or 'interval', the same in all rows.
**     With weights, and with 'interval', values are finite numbers.
** (3) Values are INTEGER, REAL or TEXT.
** (4) The result of agreement is a JSON object, over no rows, too. That of krippendorff_alpha is a
**     REAL; NULL where alpha is not defined.
*/
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "analysis/agreement.h"
#include "analysis/krippendorff.h"
#include "base/sqlite_value.h"
#include "functions/families.h"
#include "functions/json_result.h"

typedef struct agreement_state {
  mlf_agreement pairs;
  mlf_agreement_weights weights;
  bool is_ready;
} agreement_state;

typedef struct agreement_alpha_state {
  mlf_krippendorff ratings;
  bool is_interval;
  bool is_ready;
} agreement_alpha_state;

/* Which of two words the argument is: 0 or 1. */
static int agreement_word(sqlite3_value *argument, const char *what, const char *const words[2],
                          int *chosen, mlf_error *error) {
  const char *text = (const char *)sqlite3_value_text(argument);
  if (!text && sqlite3_value_type(argument) == SQLITE_TEXT) return mlf_error_nomem(error);
  for (*chosen = 0; *chosen < 2; ++*chosen)
    if (text && strcmp(text, words[*chosen]) == 0) return SQLITE_OK;
  return mlf_error_set(error, SQLITE_ERROR, "%s is neither '%s' nor '%s'", what, words[0],
                       words[1]);
}

/* Reads a value; its text is borrowed. */
static int agreement_read(sqlite3_value *argument, bool is_number, mlf_value *value,
                          mlf_error *error) {
  if (mlf_sqlite_value_read(argument, value) != SQLITE_OK) return mlf_error_nomem(error);
  if (value->type == MLF_BLOB || (is_number && value->type == MLF_TEXT))
    return mlf_error_set(error, SQLITE_ERROR, "input is %s", is_number ? "not numeric" : "a BLOB");
  if (value->type == MLF_REAL && !isfinite(value->real))
    return mlf_error_set(error, SQLITE_ERROR, "input is infinite");
  return SQLITE_OK;
}

static int agreement_start(agreement_state *state, int count, sqlite3_value **arguments,
                           mlf_error *error) {
  static const char *const words[2] = {"linear", "quadratic"};
  mlf_agreement_weights weights = MLF_AGREEMENT_NOMINAL;
  int chosen;
  if (count == 3) {
    if (agreement_word(arguments[2], "weights", words, &chosen, error) != SQLITE_OK)
      return error->code;
    weights = chosen == 0 ? MLF_AGREEMENT_LINEAR : MLF_AGREEMENT_QUADRATIC;
  }
  if (state->is_ready && weights != state->weights)
    return mlf_error_set(error, SQLITE_ERROR, "weights is not the same in all rows");
  state->weights = weights;
  state->is_ready = true;
  return SQLITE_OK;
}

/* A row with a NULL counts for nothing, whatever else is in it. */
static bool agreement_is_left_out(sqlite3_value **arguments) {
  return sqlite3_value_type(arguments[0]) == SQLITE_NULL ||
         sqlite3_value_type(arguments[1]) == SQLITE_NULL;
}

static void agreement_step(sqlite3_context *context, int count, sqlite3_value **arguments) {
  agreement_state *state = sqlite3_aggregate_context(context, sizeof(*state));
  mlf_error error = {0};
  mlf_value a;
  mlf_value b;
  int rc = state ? agreement_start(state, count, arguments, &error) : mlf_error_nomem(&error);
  if (rc == SQLITE_OK && agreement_is_left_out(arguments)) return;
  if (rc == SQLITE_OK) rc = agreement_read(arguments[0], count == 3, &a, &error);
  if (rc == SQLITE_OK) rc = agreement_read(arguments[1], count == 3, &b, &error);
  if (rc == SQLITE_OK) rc = mlf_agreement_add(&state->pairs, &a, &b, &error);
  if (rc != SQLITE_OK) mlf_error_result(context, "agreement", &error);
}

/* Each label: how often each said it and both did; of a's, the share that is b's (precision), and
** of b's, the share that is a's (recall). */
static void agreement_write_labels(sqlite3_str *json, const mlf_agreement *pairs) {
  const mlf_label *labels = pairs->labels.sorted;
  for (size_t i = 0; i < pairs->labels.count; i++) {
    int64_t of_a = 0;
    int64_t of_b = 0;
    int64_t both = mlf_agreement_count(pairs, &labels[i], &labels[i]);
    for (size_t j = 0; j < pairs->labels.count; j++) {
      of_a += mlf_agreement_count(pairs, &labels[i], &labels[j]);
      of_b += mlf_agreement_count(pairs, &labels[j], &labels[i]);
    }
    sqlite3_str_appendall(json, i > 0 ? ",{\"label\":" : "{\"label\":");
    mlf_json_result_value(json, &labels[i].value);
    sqlite3_str_appendf(json, ",\"a\":%lld,\"b\":%lld,\"both\":%lld", (sqlite3_int64)of_a,
                        (sqlite3_int64)of_b, (sqlite3_int64)both);
    mlf_json_result_member(json, "precision", of_a > 0, (double)both / (double)(of_a ? of_a : 1));
    mlf_json_result_member(json, "recall", of_b > 0, (double)both / (double)(of_b ? of_b : 1));
    sqlite3_str_appendchar(json, 1, '}');
  }
}

/* Each pair of labels that came. */
static void agreement_write_confusion(sqlite3_str *json, const mlf_agreement *pairs) {
  const mlf_label *labels = pairs->labels.sorted;
  bool is_first = true;
  for (size_t i = 0; i < pairs->labels.count; i++)
    for (size_t j = 0; j < pairs->labels.count; j++) {
      int64_t n = mlf_agreement_count(pairs, &labels[i], &labels[j]);
      if (n == 0) continue;
      sqlite3_str_appendall(json, is_first ? "{\"a\":" : ",{\"a\":");
      is_first = false;
      mlf_json_result_value(json, &labels[i].value);
      sqlite3_str_appendall(json, ",\"b\":");
      mlf_json_result_value(json, &labels[j].value);
      sqlite3_str_appendf(json, ",\"n\":%lld}", (sqlite3_int64)n);
    }
}

static void agreement_write(sqlite3_context *context, const mlf_agreement *pairs,
                            const mlf_kappa *kappa) {
  sqlite3_str *json = sqlite3_str_new(sqlite3_context_db_handle(context));
  sqlite3_str_appendf(json, "{\"n\":%lld", (sqlite3_int64)pairs->n);
  mlf_json_result_member(json, "agreement", pairs->n > 0,
                         (double)pairs->same / (double)(pairs->n ? pairs->n : 1));
  mlf_json_result_member(json, "kappa", kappa->is_known, kappa->kappa);
  mlf_json_result_member(json, "kappa_low", kappa->is_known, kappa->low);
  mlf_json_result_member(json, "kappa_high", kappa->is_known, kappa->high);
  sqlite3_str_appendall(json, ",\"note\":");
  if (pairs->has_too_many)
    sqlite3_str_appendf(json, "\"more than %d labels\"", MLF_LABELS_MAX);
  else
    sqlite3_str_appendall(json, "null");
  sqlite3_str_appendall(json, ",\"labels\":[");
  if (!pairs->has_too_many) agreement_write_labels(json, pairs);
  sqlite3_str_appendall(json, "],\"confusion\":[");
  if (!pairs->has_too_many) agreement_write_confusion(json, pairs);
  sqlite3_str_appendall(json, "]}");
  mlf_json_result(context, json);
}

static void agreement_final(sqlite3_context *context) {
  static const mlf_agreement none;
  agreement_state *state = sqlite3_aggregate_context(context, 0);
  mlf_error error = {0};
  mlf_kappa kappa = {0};
  if (state && mlf_agreement_kappa(&state->pairs, state->weights, &kappa, &error) != SQLITE_OK)
    mlf_error_result(context, "agreement", &error);
  else
    agreement_write(context, state ? &state->pairs : &none, &kappa);
  if (state) mlf_agreement_clear(&state->pairs);
}

static int agreement_alpha_start(agreement_alpha_state *state, int count, sqlite3_value **arguments,
                                 mlf_error *error) {
  static const char *const words[2] = {"nominal", "interval"};
  int chosen = 0;
  if (count == 3 && agreement_word(arguments[2], "metric", words, &chosen, error) != SQLITE_OK)
    return error->code;
  if (state->is_ready && chosen != (int)state->is_interval)
    return mlf_error_set(error, SQLITE_ERROR, "metric is not the same in all rows");
  state->is_interval = chosen == 1;
  state->is_ready = true;
  return SQLITE_OK;
}

static void agreement_alpha_step(sqlite3_context *context, int count, sqlite3_value **arguments) {
  agreement_alpha_state *state = sqlite3_aggregate_context(context, sizeof(*state));
  mlf_error error = {0};
  mlf_value unit;
  mlf_value value;
  int rc = state ? agreement_alpha_start(state, count, arguments, &error) : mlf_error_nomem(&error);
  if (rc == SQLITE_OK && agreement_is_left_out(arguments)) return;
  if (rc == SQLITE_OK && mlf_sqlite_value_read(arguments[0], &unit) != SQLITE_OK)
    rc = mlf_error_nomem(&error);
  if (rc == SQLITE_OK) rc = agreement_read(arguments[1], state->is_interval, &value, &error);
  if (rc == SQLITE_OK) rc = mlf_krippendorff_add(&state->ratings, &unit, &value, &error);
  if (rc != SQLITE_OK) mlf_error_result(context, "krippendorff_alpha", &error);
}

static void agreement_alpha_final(sqlite3_context *context) {
  agreement_alpha_state *state = sqlite3_aggregate_context(context, 0);
  double alpha;
  if (!state) return;
  if (mlf_krippendorff_alpha(&state->ratings, state->is_interval, &alpha))
    sqlite3_result_double(context, alpha);
  mlf_krippendorff_clear(&state->ratings);
}

int mlf_agreement_register(mlf_registry *registry) {
  int rc = SQLITE_OK;
  for (int count = 2; rc == SQLITE_OK && count <= 3; count++) {
    rc = mlf_registry_add(
        registry, &(mlf_registry_function){.name = "agreement",
                                           .arguments = count,
                                           .flags = MLF_FAMILIES_PURE | MLF_JSON_RESULT_SUBTYPE,
                                           .step = agreement_step,
                                           .final = agreement_final});
    if (rc != SQLITE_OK) break;
    rc = mlf_registry_add(registry, &(mlf_registry_function){.name = "krippendorff_alpha",
                                                             .arguments = count,
                                                             .flags = MLF_FAMILIES_PURE,
                                                             .step = agreement_alpha_step,
                                                             .final = agreement_alpha_final});
  }
  return rc;
}
