/* searches.h: what was asked of a hostile server's search, as text; hostile.h starts the server. */
#ifndef MLF_TESTS_SEARCHES_H
#define MLF_TESTS_SEARCHES_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/request_log.h"

#define SEARCHES_OLDEST_MS INT64_C(1795392000000) /* when t000 began, the oldest of them all */

/* Writes a filter without "attributes.", its times as milliseconds after the oldest trace. */
static inline size_t searches_filter(const char *filter, char *out, size_t size) {
  static const char attributes[] = "attributes.";
  size_t length = 0;
  for (const char *at = filter; *at;) {
    char *end;
    if (strncmp(at, attributes, strlen(attributes)) == 0) {
      at += strlen(attributes);
    } else if (strncmp(at, "1795", 4) == 0) {
      long long ms = strtoll(at, &end, 10) - SEARCHES_OLDEST_MS;
      length += (size_t)snprintf(out + length, size - length, "%lld", ms);
      at = end;
    } else {
      length += (size_t)snprintf(out + length, size - length, "%c", *at++);
    }
  }
  return length;
}

/* Whether two filters differ in numbers alone; NULL is none. */
static inline bool searches_are_alike(const char *one, const char *other) {
  if (!one || !other) return one == other;
  for (;;) {
    one += strspn(one, "0123456789");
    other += strspn(other, "0123456789");
    if (*one != *other) return false;
    if (!*one++) return true;
    other++;
  }
}

/* The searches in the log, as "ROWS FILTER; ROWS FILTER". With `together`, "N times ROWS FILTER"
** is the first of several in a row whose filters are alike. The text is borrowed until the next. */
static inline const char *searches_shown(const mlf_request_log *log, bool together) {
  static char shown[16384];
  const mlf_request_row *first = NULL;
  size_t length = 0;
  int times = 0;
  shown[0] = 0;
  for (int64_t i = 0; i < log->count; i++) {
    const mlf_request_row *row = &log->rows[i], *after = i + 1 < log->count ? row + 1 : NULL;
    if (!row->endpoint || !strstr(row->endpoint, "traces/search")) continue;
    if (times++ == 0) first = row;
    if (together && after && after->page_rows == row->page_rows &&
        searches_are_alike(row->filter, after->filter))
      continue;
    if (length) length += (size_t)snprintf(shown + length, sizeof(shown) - length, "; ");
    if (times > 1)
      length += (size_t)snprintf(shown + length, sizeof(shown) - length, "%d times ", times);
    length += (size_t)snprintf(shown + length, sizeof(shown) - length, "%d ", first->page_rows);
    if (first->filter)
      length += searches_filter(first->filter, shown + length, sizeof(shown) - length);
    times = 0;
  }
  return shown;
}

#endif
