/* fuzz_spans.c: the reader of spans, in any of their forms, against SQLite's json.
**
**   (1) Spans and values are refused only for a shape that does not belong there, or a limit; then
**       the error says so, and says it again.
**   (2) Texts are UTF-8. What is said to be JSON is, in its canonical form: SQLite's json leaves it
**       as it is. Values can be read in any order, and again.
**   (3) Spans come by their starts. None has more self time, or more of the critical path, than it
**       took. Below a single root, all ended, the parts of the critical path add up to the root.
*/
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/sqlite_api.h"
#include "base/utf8.h"
#include "model/json.h"
#include "model/span_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static mlf_schema spans_schema;

static void spans_require(bool truth) {
  if (!truth) abort();
}

/* Above these levels SQLite's limit may be the one that counts. */
#define SPANS_SQLITE_LEVELS 1000

static bool spans_is_canonical_json(const mlf_value *value) {
  static sqlite3_stmt *statement;
  size_t levels = 0;
  for (size_t i = 0; i < value->length; i++)
    levels += value->text[i] == '[' || value->text[i] == '{';
  if (levels > SPANS_SQLITE_LEVELS) return true;
  if (!statement) {
    sqlite3 *db;
    spans_require(sqlite3_open(":memory:", &db) == SQLITE_OK);
    spans_require(sqlite3_prepare_v2(db, "SELECT json_valid(?1) AND json(?1) = ?1", -1, &statement,
                                     NULL) == SQLITE_OK);
  }
  sqlite3_bind_text(statement, 1, value->text, (int)value->length, SQLITE_STATIC);
  spans_require(sqlite3_step(statement) == SQLITE_ROW);
  bool same = sqlite3_column_int(statement, 0);
  sqlite3_reset(statement);
  return same;
}

/* An error that spans may have; clears it. */
static void spans_check_error(int rc, mlf_error *error) {
  spans_require(rc == error->code && (rc == SQLITE_ERROR || rc == SQLITE_TOOBIG));
  if (rc == SQLITE_ERROR)
    spans_require(strstr(error->text, " belongs") ||
                  strlen(error->text) > MLF_ERROR_BYTES_MAX - 4); /* its path is that long */
  else
    spans_require(strstr(error->text, "has more than"));
  spans_require(mlf_utf8_is_text(error->text, strlen(error->text)));
  mlf_error_clear(error);
}

static bool spans_gives_json(mlf_source source) {
  return source == MLF_SOURCE_SPAN_JSON || source == MLF_SOURCE_SPAN_EVENTS ||
         source == MLF_SOURCE_SPAN_LINKS || source == MLF_SOURCE_SPAN_ATTRIBUTES;
}

static void spans_check_values(mlf_span_set *set, size_t index) {
  for (int i = 0; i < spans_schema.column_count; i++) {
    const mlf_column *column = &spans_schema.columns[i];
    mlf_value value;
    mlf_error error = {0};
    if (column->source < MLF_SOURCE_SPAN || column->source >= MLF_SOURCE_ASSESSMENT) continue;
    int rc = mlf_span_set_value(set, index, column, &value, &error);
    if (rc != SQLITE_OK) {
      spans_require(!value.owned);
      spans_check_error(rc, &error);
    } else if (value.type == MLF_TEXT) {
      spans_require(memchr(value.text, 0, value.length) == NULL);
      spans_require(mlf_utf8_is_text(value.text, value.length));
      if (spans_gives_json(column->source)) spans_require(spans_is_canonical_json(&value));
    }
    mlf_value_clear(&value);
  }
}

/* The value of a column as a number; NAN for NULL. */
static double spans_number(mlf_span_set *set, size_t index, const char *name) {
  mlf_value value;
  mlf_error error = {0};
  const mlf_column *column = &spans_schema.columns[mlf_schema_find(&spans_schema, name)];
  spans_require(mlf_span_set_value(set, index, column, &value, &error) == SQLITE_OK);
  spans_require(value.type != MLF_TEXT && value.type != MLF_BLOB);
  if (value.type == MLF_NULL) return NAN;
  return value.type == MLF_INTEGER ? (double)value.integer : value.real;
}

/* `more` is not greater than `than`, but for rounding; NULL is not greater than anything. */
static bool spans_within(double more, double than) {
  return isnan(more) || isnan(than) || more <= than * (1 + 1e-9) + 1e-9;
}

/* Times beyond are clipped where they are measured. */
#define SPANS_NS_MAX 4.6e18

static void spans_check_times(mlf_span_set *set) {
  double before = -INFINITY, critical = 0, root_duration = NAN;
  bool clipped = false; /* times that are so far away are measured as nearer */
  size_t roots = 0, count = mlf_span_set_count(set);
  for (size_t i = 0; i < count; i++) {
    double start = spans_number(set, i, "start_time_ns");
    double duration = fmax(0, spans_number(set, i, "duration_ms"));
    double self = spans_number(set, i, "self_time_ms");
    double own = spans_number(set, i, "critical_path_ms");
    spans_require(start >= before);
    clipped = clipped || fabs(start) > SPANS_NS_MAX ||
              spans_number(set, i, "end_time_ns") > SPANS_NS_MAX ||
              spans_number(set, i, "end_time_ns") < -SPANS_NS_MAX;
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
  if (roots == 1 && !isnan(critical) && !clipped)
    spans_require(spans_within(critical, root_duration) && spans_within(root_duration, critical));
}

/* Reads a text as JSON or Python's JSON, with spans that are leaves or that are not. */
static void spans_check_text(const char *text, size_t size, mlf_json_options options) {
  mlf_json *json;
  mlf_span_set *set;
  mlf_error error = {0};
  if (mlf_json_parse(text, size, options, &json, &error) != SQLITE_OK) {
    mlf_error_clear(&error);
    return;
  }
  int rc = mlf_span_set_new(json, mlf_json_root(json), &set, &error);
  mlf_json_free(json); /* the set holds it */
  if (rc == SQLITE_OK) {
    size_t count = mlf_span_set_count(set), root = mlf_span_set_root(set);
    spans_require(root == SIZE_MAX || root < count);
    for (size_t i = 0; i < 2 * count; i++)
      spans_check_values(set, i % count);
    spans_check_times(set);
    mlf_span_set_free(set);
  } else {
    spans_require(set == NULL);
    spans_check_error(rc, &error);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!spans_schema.column_count) spans_require(mlf_schema_init_spans(&spans_schema) == SQLITE_OK);
  spans_check_text((const char *)data, size, (mlf_json_options){.levels = 1});
  spans_check_text((const char *)data, size, (mlf_json_options){.levels = 1, .python = true});
  spans_check_text((const char *)data, size, (mlf_json_options){0});
  return 0;
}
