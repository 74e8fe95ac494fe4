/* time.c: time_bucket(width, ms [, zone]).
**
** The begin, in milliseconds since 1970 UTC, of the stretch of local time in which `ms` falls:
** widths such as '15 minutes', '1 day' or '1 month', zone 'UTC' (the default), 'localtime' or
** '+02:00' (analysis/calendar.h). INTEGER; a REAL is rounded down. NULL if `ms` is NULL.
*/
#include <math.h>

#include "analysis/calendar.h"
#include "base/gregorian.h"
#include "functions/families.h"

typedef struct time_arguments {
  mlf_calendar_width width;
  mlf_calendar_zone zone;
  int64_t ms;
} time_arguments;

static int time_read_units(int count, sqlite3_value **arguments, time_arguments *read,
                           mlf_error *error) {
  const char *width = (const char *)sqlite3_value_text(arguments[0]);
  size_t width_length = (size_t)sqlite3_value_bytes(arguments[0]);
  if (!width || !mlf_calendar_read_width(width, width_length, &read->width))
    return mlf_error_set(error, SQLITE_ERROR,
                         "the width is not a whole number of milliseconds, seconds, minutes, "
                         "hours, days, weeks, months, quarters or years, as in '15 minutes'");
  if (count < 3) return SQLITE_OK;
  const char *zone = (const char *)sqlite3_value_text(arguments[2]);
  size_t zone_length = (size_t)sqlite3_value_bytes(arguments[2]);
  if (zone && mlf_calendar_read_zone(zone, zone_length, &read->zone)) return SQLITE_OK;
  return mlf_error_set(error, SQLITE_ERROR,
                       "the zone is not 'UTC', 'localtime' or an offset such as '+02:00'");
}

static int time_read_ms(sqlite3_value *argument, int64_t *ms, mlf_error *error) {
  int type = sqlite3_value_type(argument);
  if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
    return mlf_error_set(error, SQLITE_ERROR, "the time is not numeric");
  double real = sqlite3_value_double(argument);
  if (!(real >= MLF_GREGORIAN_MIN_MS && real <= (double)MLF_GREGORIAN_MAX_MS))
    return mlf_error_set(error, SQLITE_ERROR,
                         "the time is not within the years 0 to 9999 in milliseconds");
  *ms = type == SQLITE_INTEGER ? sqlite3_value_int64(argument) : (int64_t)floor(real);
  return SQLITE_OK;
}

static void time_bucket(sqlite3_context *context, int count, sqlite3_value **arguments) {
  time_arguments read = {0};
  mlf_error error = {0};
  int rc = time_read_units(count, arguments, &read, &error);
  if (rc == SQLITE_OK && sqlite3_value_type(arguments[1]) == SQLITE_NULL) return;
  if (rc == SQLITE_OK) rc = time_read_ms(arguments[1], &read.ms, &error);
  if (rc == SQLITE_OK)
    sqlite3_result_int64(context, mlf_calendar_floor(&read.width, &read.zone, read.ms));
  else
    mlf_error_result(context, "time_bucket", &error);
}

int mlf_time_register(mlf_registry *registry) {
  mlf_registry_function function = {
      .name = "time_bucket", .arguments = 2, .flags = MLF_FAMILIES_PURE, .call = time_bucket};
  int rc = mlf_registry_add(registry, &function);
  function.arguments = 3;
  function.flags = SQLITE_UTF8 | SQLITE_INNOCUOUS; /* the local zone is the machine's */
  return rc == SQLITE_OK ? mlf_registry_add(registry, &function) : rc;
}
