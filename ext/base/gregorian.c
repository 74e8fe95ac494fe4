#include "base/gregorian.h"

/* Years are counted from March, so that the leap day is the last and a month's place does not
** depend on it; 400 of them are an era of 146097 days. (Howard Hinnant, "chrono-compatible
** low-level date algorithms".) */
#define GREGORIAN_ERA_YEARS 400
#define GREGORIAN_ERA_DAYS  146097
#define GREGORIAN_1970      719468 /* the day, counted from 0000-03-01 */

int64_t mlf_floor_divide(int64_t dividend, int64_t divisor) {
  return dividend / divisor - (dividend % divisor < 0);
}

bool mlf_gregorian_exists(int64_t year, int month, int day) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= days[month - 1] + (month == 2 && is_leap);
}

int64_t mlf_gregorian_days(int64_t year, int month, int day) {
  int from_march = (month + 9) % 12;
  if (month <= 2) year--;
  int64_t era = mlf_floor_divide(year, GREGORIAN_ERA_YEARS);
  int64_t year_of_era = year - era * GREGORIAN_ERA_YEARS;
  int64_t day_of_year = (153 * from_march + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * GREGORIAN_ERA_DAYS + day_of_era - GREGORIAN_1970;
}

void mlf_gregorian_date(int64_t days, int64_t *year, int *month, int *day) {
  days += GREGORIAN_1970;
  int64_t era = mlf_floor_divide(days, GREGORIAN_ERA_DAYS);
  int day_of_era = (int)(days - era * GREGORIAN_ERA_DAYS);
  int year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int from_march = (5 * day_of_year + 2) / 153;
  *day = day_of_year - (153 * from_march + 2) / 5 + 1;
  *month = from_march < 10 ? from_march + 3 : from_march - 9;
  *year = era * GREGORIAN_ERA_YEARS + year_of_era + (*month <= 2);
}
