#include "analysis/calendar.h"

#include <string.h>
#include <time.h>

#include "base/gregorian.h"
#include "base/sqlite_api.h"

#define CALENDAR_MINUTE_MS      60000
#define CALENDAR_MONDAY_MS      (-3 * MLF_DAY_MS) /* 1969-12-29 */
#define CALENDAR_MONTHS_MAX     12000
#define CALENDAR_WIDTH_MS_MAX   (365250 * MLF_DAY_MS)
#define CALENDAR_OFFSET_MINUTES 840

static const struct {
  const char *name;
  mlf_calendar_width width;
} calendar_units[] = {
    {"millisecond", {.ms = 1}},
    {"second", {.ms = 1000}},
    {"minute", {.ms = CALENDAR_MINUTE_MS}},
    {"hour", {.ms = 3600000}},
    {"day", {.ms = MLF_DAY_MS}},
    {"week", {.ms = 7 * MLF_DAY_MS, .origin_ms = CALENDAR_MONDAY_MS}},
    {"month", {.months = 1}},
    {"quarter", {.months = 3}},
    {"year", {.months = 12}},
};

bool mlf_calendar_read_width(const char *text, size_t length, mlf_calendar_width *width) {
  const char *end = text + length;
  int64_t count = 0;
  bool has_count = text < end && *text >= '0' && *text <= '9';
  for (; text < end && *text >= '0' && *text <= '9'; text++) {
    count = 10 * count + (*text - '0');
    if (count > CALENDAR_WIDTH_MS_MAX) return false;
  }
  if (!has_count) count = 1;
  while (has_count && text < end && *text == ' ')
    text++;
  if (end - text > 1 && (end[-1] == 's' || end[-1] == 'S')) end--;
  for (size_t i = 0; i < sizeof(calendar_units) / sizeof(*calendar_units); i++) {
    const char *name = calendar_units[i].name;
    size_t name_length = strlen(name);
    if ((size_t)(end - text) != name_length || sqlite3_strnicmp(text, name, (int)name_length))
      continue;
    *width = calendar_units[i].width;
    if (count == 0 || (width->ms && count > CALENDAR_WIDTH_MS_MAX / width->ms) ||
        (width->months && count > CALENDAR_MONTHS_MAX / width->months))
      return false;
    width->ms *= count;
    width->months *= count;
    return true;
  }
  return false;
}

bool mlf_calendar_read_zone(const char *text, size_t length, mlf_calendar_zone *zone) {
  *zone = (mlf_calendar_zone){0};
  if (length == 3 && sqlite3_strnicmp(text, "UTC", 3) == 0) return true;
  if (length == 9 && sqlite3_strnicmp(text, "localtime", 9) == 0) {
    zone->is_local = true;
    return true;
  }
  if (length != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
  for (size_t i = 1; i < 6; i++)
    if (i != 3 && (text[i] < '0' || text[i] > '9')) return false;
  int minutes = (text[4] - '0') * 10 + (text[5] - '0');
  if (minutes > 59) return false;
  minutes += ((text[1] - '0') * 10 + (text[2] - '0')) * 60;
  if (minutes > CALENDAR_OFFSET_MINUTES) return false;
  zone->offset_ms = (text[0] == '-' ? -minutes : minutes) * (int64_t)CALENDAR_MINUTE_MS;
  return true;
}

/* What the zone's clocks show at an instant, less the instant. */
static int64_t calendar_offset(const mlf_calendar_zone *zone, int64_t ms) {
  if (!zone->is_local) return zone->offset_ms;
  struct tm local;
  time_t seconds = (time_t)mlf_floor_divide(ms, 1000);
  if (!localtime_r(&seconds, &local)) return 0;
  return (int64_t)local.tm_gmtoff * 1000;
}

/* Months are counted from 0000-01. */
static int64_t calendar_month(int64_t days) {
  int64_t year;
  int month, day;
  mlf_gregorian_date(days, &year, &month, &day);
  return year * 12 + month - 1;
}

static int64_t calendar_month_days(int64_t months) {
  int64_t year = mlf_floor_divide(months, 12);
  return mlf_gregorian_days(year, (int)(months - year * 12) + 1, 1);
}

static int64_t calendar_wall_floor(const mlf_calendar_width *width, int64_t wall_ms) {
  if (width->ms) {
    int64_t from_origin = wall_ms - width->origin_ms;
    return mlf_floor_divide(from_origin, width->ms) * width->ms + width->origin_ms;
  }
  const int64_t months_1970 = 1970 * 12;
  int64_t months = calendar_month(mlf_floor_divide(wall_ms, MLF_DAY_MS)) - months_1970;
  months = mlf_floor_divide(months, width->months) * width->months + months_1970;
  return calendar_month_days(months) * MLF_DAY_MS;
}

/* Whether a stretch is a day or more. */
static bool calendar_is_of_days(const mlf_calendar_width *width) {
  return width->ms == 0 || width->ms >= MLF_DAY_MS;
}

/* When clocks that were set back showed for the first time what they show at an instant. */
static int64_t calendar_first_time(const mlf_calendar_zone *zone, int64_t ms, int64_t offset) {
  int64_t offset_before = calendar_offset(zone, ms - MLF_DAY_MS);
  int64_t first = ms + offset - offset_before;
  return first < ms && calendar_offset(zone, first) == offset_before ? first : ms;
}

int64_t mlf_calendar_floor(const mlf_calendar_width *width, const mlf_calendar_zone *zone,
                           int64_t ms) {
  int64_t offset = calendar_offset(zone, ms);
  int64_t wall = calendar_wall_floor(width, ms + offset);
  int64_t begin = wall - offset;
  int64_t begin_offset = calendar_offset(zone, begin);
  if (begin_offset == offset)
    return calendar_is_of_days(width) ? calendar_first_time(zone, begin, offset) : begin;
  /* The clocks were changed since. Under the offset before the change: */
  int64_t earlier = wall - begin_offset;
  if (calendar_offset(zone, earlier) == begin_offset) return earlier;
  /* They skipped the time: look for the skip between the two readings. */
  int64_t before = begin < earlier ? begin : earlier;
  int64_t after = begin < earlier ? earlier : begin;
  while (after - before > 1) {
    int64_t middle = before + (after - before) / 2;
    if (calendar_offset(zone, middle) == begin_offset)
      before = middle;
    else
      after = middle;
  }
  return after;
}
