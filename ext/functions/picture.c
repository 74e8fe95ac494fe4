/* picture.c: sparkline(value) and bar(value, max [, width]).
**
** sparkline is an aggregate: one character a row, in the order of the rows, NULL a gap. Without
** rows it is NULL. bar is a scalar: NULL if `value` or `max` is NULL. (analysis/textplot.h)
*/
#include <math.h>
#include <stdbool.h>

#include "analysis/textplot.h"
#include "base/array.h"
#include "functions/families.h"

#define PICTURE_POINTS_MAX 10000
#define PICTURE_WIDTH      20
#define PICTURE_WIDTH_MAX  1000
#define PICTURE_BYTES_MAX  (3 * PICTURE_POINTS_MAX)

typedef struct picture_series {
  double *values; /* owned; NAN for NULL */
  size_t count;
  size_t capacity;
} picture_series;

/* Reads a value, NAN for NULL. */
static int picture_read(sqlite3_value *argument, double *value, mlf_error *error) {
  int type = sqlite3_value_type(argument);
  *value = NAN;
  if (type == SQLITE_NULL) return SQLITE_OK;
  if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
    return mlf_error_set(error, SQLITE_ERROR, "input is not numeric");
  *value = sqlite3_value_double(argument);
  return isfinite(*value) ? SQLITE_OK : mlf_error_set(error, SQLITE_ERROR, "input is infinite");
}

static int picture_add(picture_series *series, double value, mlf_error *error) {
  if (series->count == PICTURE_POINTS_MAX)
    return mlf_error_set(error, SQLITE_ERROR, "more than %d values; group them first",
                         PICTURE_POINTS_MAX);
  double *values =
      mlf_array_room(series->values, series->count, &series->capacity, 32, sizeof(*values));
  if (!values) return mlf_error_nomem(error);
  series->values = values;
  series->values[series->count++] = value;
  return SQLITE_OK;
}

static void sparkline_step(sqlite3_context *context, int count, sqlite3_value **arguments) {
  picture_series *series = sqlite3_aggregate_context(context, sizeof(*series));
  mlf_error error = {0};
  double value;
  (void)count;
  int rc = series ? picture_read(arguments[0], &value, &error) : mlf_error_nomem(&error);
  if (rc == SQLITE_OK) rc = picture_add(series, value, &error);
  if (rc != SQLITE_OK) mlf_error_result(context, "sparkline", &error);
}

/* Makes the picture the result, or the failure to draw it. */
static void picture_result(sqlite3_context *context, int rc, mlf_buffer *picture) {
  size_t length = picture->length;
  if (rc != SQLITE_OK)
    sqlite3_result_error_code(context, rc);
  else if (length == 0)
    sqlite3_result_text(context, "", 0, SQLITE_STATIC);
  else
    sqlite3_result_text64(context, mlf_buffer_take(picture), length, sqlite3_free, SQLITE_UTF8);
  mlf_buffer_clear(picture);
}

static void sparkline_final(sqlite3_context *context) {
  picture_series *series = sqlite3_aggregate_context(context, 0);
  mlf_buffer picture;
  if (!series || series->count == 0) return;
  mlf_buffer_init(&picture, PICTURE_BYTES_MAX);
  picture_result(context, mlf_textplot_sparkline(&picture, series->values, series->count),
                 &picture);
  sqlite3_free(series->values);
}

static void picture_bar(sqlite3_context *context, int count, sqlite3_value **arguments) {
  mlf_error error = {0};
  double value;
  double max;
  sqlite3_int64 width = PICTURE_WIDTH;
  int rc = picture_read(arguments[0], &value, &error);
  if (rc == SQLITE_OK) rc = picture_read(arguments[1], &max, &error);
  if (rc == SQLITE_OK && count == 3) {
    width = sqlite3_value_int64(arguments[2]);
    if (sqlite3_value_type(arguments[2]) != SQLITE_INTEGER || width < 1 ||
        width > PICTURE_WIDTH_MAX)
      rc = mlf_error_set(&error, SQLITE_ERROR, "the width is not an integer between 1 and %d",
                         PICTURE_WIDTH_MAX);
  }
  if (rc != SQLITE_OK) {
    mlf_error_result(context, "bar", &error);
    return;
  }
  if (isnan(value) || isnan(max)) return;
  mlf_buffer picture;
  mlf_buffer_init(&picture, PICTURE_BYTES_MAX);
  picture_result(context, mlf_textplot_bar(&picture, value, max, (int)width), &picture);
}

int mlf_picture_register(mlf_registry *registry) {
  int rc = mlf_registry_add(registry, &(mlf_registry_function){.name = "sparkline",
                                                               .arguments = 1,
                                                               .flags = MLF_FAMILIES_PURE,
                                                               .step = sparkline_step,
                                                               .final = sparkline_final});
  for (int count = 2; rc == SQLITE_OK && count <= 3; count++)
    rc = mlf_registry_add(registry, &(mlf_registry_function){.name = "bar",
                                                             .arguments = count,
                                                             .flags = MLF_FAMILIES_PURE,
                                                             .call = picture_bar});
  return rc;
}
