/* fuzz_spans.c: the reader of spans, in any of their forms, against SQLite's json_valid.
**
**   (1) Spans are refused only for want of an id or a start; then the error says so.
**   (2) Texts are UTF-8 if the document is (some are its own bytes). What is said to be JSON is.
**       Values can be read in any order, and again.
**   (3) Spans come by their starts. None has more self time, or more of the critical path, than it
**       took. Below a single root, all ended, the parts of the critical path add up to the root.
*/
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"
#include "base/utf8.h"
#include "model/json.h"
#include "model/span_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static mlf_schema spans_schema;

static void spans_require(bool truth) {
  if (!truth) abort();
}

static bool spans_is_json(const mlf_value *value) {
  static sqlite3_stmt *statement;
  if (!statement) {
    sqlite3 *db;
    spans_require(sqlite3_open(":memory:", &db) == SQLITE_OK);
    spans_require(sqlite3_prepare_v2(db, "SELECT json_valid(?)", -1, &statement, NULL) ==
                  SQLITE_OK);
  }
  sqlite3_bind_text(statement, 1, value->text, (int)value->length, SQLITE_STATIC);
  spans_require(sqlite3_step(statement) == SQLITE_ROW);
  bool valid = sqlite3_column_int(statement, 0);
  sqlite3_reset(statement);
  return valid;
}

static bool spans_gives_json(mlf_source source) {
  return source == MLF_SOURCE_SPAN_JSON || source == MLF_SOURCE_SPAN_EVENTS ||
         source == MLF_SOURCE_SPAN_LINKS || source == MLF_SOURCE_SPAN_ATTRIBUTES;
}

static void spans_check_values(mlf_span_set *set, size_t index, bool utf8) {
  for (int i = 0; i < spans_schema.column_count; i++) {
    const mlf_column *column = &spans_schema.columns[i];
    mlf_value value;
    if (column->source < MLF_SOURCE_SPAN || column->source >= MLF_SOURCE_ASSESSMENT) continue;
    spans_require(mlf_span_set_value(set, index, column, &value) == SQLITE_OK);
    if (value.type != MLF_TEXT) continue;
    spans_require(memchr(value.text, 0, value.length) == NULL);
    if (utf8) spans_require(mlf_utf8_is_text(value.text, value.length));
    if (spans_gives_json(column->source)) spans_require(spans_is_json(&value));
  }
}

/* The value of a column as a number; NAN for NULL. */
static double spans_number(mlf_span_set *set, size_t index, const char *name) {
  mlf_value value;
  const mlf_column *column = &spans_schema.columns[mlf_schema_find(&spans_schema, name)];
  spans_require(mlf_span_set_value(set, index, column, &value) == SQLITE_OK);
  spans_require(value.type != MLF_TEXT && value.type != MLF_BLOB);
  if (value.type == MLF_NULL) return NAN;
  return value.type == MLF_INTEGER ? (double)value.integer : value.real;
}

/* `more` is not greater than `than`, but for rounding; NULL is not greater than anything. */
static bool spans_within(double more, double than) {
  return isnan(more) || isnan(than) || more <= than * (1 + 1e-9) + 1e-9;
}

static void spans_check_times(mlf_span_set *set) {
  double before = 0, critical = 0, root_duration = NAN;
  size_t roots = 0, count = mlf_span_set_count(set);
  for (size_t i = 0; i < count; i++) {
    double start = spans_number(set, i, "start_time_ns");
    double duration = fmax(0, spans_number(set, i, "duration_ms"));
    double self = spans_number(set, i, "self_time_ms");
    double own = spans_number(set, i, "critical_path_ms");
    spans_require(start >= before);
    spans_require(!(self < 0) && !(own < 0));
    if (isnan(self)) duration = NAN; /* fmax leaves NAN out */
    spans_require(spans_within(self, duration) && spans_within(own, duration));
    if (spans_number(set, i, "depth") == 0) {
      roots++;
      root_duration = duration;
    }
    before = start;
    critical += own; /* NAN from the first one on that has not ended */
  }
  spans_require((roots > 0) == (count > 0));
  if (roots == 1 && !isnan(critical))
    spans_require(spans_within(critical, root_duration) && spans_within(root_duration, critical));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mlf_json *json;
  mlf_span_set *set;
  mlf_error error = {0};
  if (!spans_schema.column_count) spans_require(mlf_schema_init_spans(&spans_schema) == SQLITE_OK);
  if (mlf_json_parse((const char *)data, size, &json, &error) != SQLITE_OK) {
    mlf_error_clear(&error);
    return 0;
  }
  int rc = mlf_span_set_new(json, mlf_json_root(json), &set, &error);
  mlf_json_free(json); /* the set holds it */
  if (rc == SQLITE_OK) {
    size_t count = mlf_span_set_count(set), root = mlf_span_set_root(set);
    spans_require(root == SIZE_MAX || root < count);
    bool utf8 = mlf_utf8_is_text((const char *)data, size);
    for (size_t i = 0; i < 2 * count; i++)
      spans_check_values(set, i % count, utf8);
    spans_check_times(set);
    mlf_span_set_free(set);
  } else {
    spans_require(rc == SQLITE_ERROR && set == NULL && strstr(error.text, "lacks a span_id"));
  }
  mlf_error_clear(&error);
  return 0;
}
