#include "query/time_bound.h"

#include <string.h>

#include "base/gregorian.h"
#include "model/timestamp.h"

/* Whether the text of `ms` is at or behind `text`, or behind it alone. */
static bool time_bound_is_met(int64_t ms, const char *text, size_t length, bool behind) {
  char own[32];
  mlf_timestamp_format(ms, own);
  size_t own_length = strlen(own);
  int order = memcmp(own, text, own_length < length ? own_length : length);
  if (order == 0) order = (own_length > length) - (own_length < length);
  return behind ? order > 0 : order >= 0;
}

int64_t mlf_time_bound(const char *text, size_t length, bool behind) {
  int64_t low = MLF_GREGORIAN_MIN_MS, high = MLF_GREGORIAN_MAX_MS + 1;
  while (low < high) { /* the texts grow with the times: by bisection */
    int64_t middle = low + (high - low) / 2;
    if (time_bound_is_met(middle, text, length, behind)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
