#include "base/filter_words.h"

#include <stdbool.h>
#include <string.h>

#include "base/sqlite_api.h"

static const struct {
  const char *word;
  mlf_filter_topic topic;
} filter_words[] = {
    {"span", MLF_FILTER_SPANS},     {"text", MLF_FILTER_SPANS},
    {"run_id", MLF_FILTER_RUN},     {"sourceRun", MLF_FILTER_RUN},
    {"timestamp", MLF_FILTER_TIME}, {"timestamp_ms", MLF_FILTER_TIME},
};

static unsigned filter_topic(const char *word, size_t length) {
  for (size_t i = 0; i < sizeof(filter_words) / sizeof(filter_words[0]); i++) {
    const char *each = filter_words[i].word;
    if (strlen(each) == length && sqlite3_strnicmp(word, each, (int)length) == 0)
      return filter_words[i].topic;
  }
  return 0;
}

/* Whether what comes in quotes behind the first `length` bytes is a value: MLflow takes a name in
** quotes, too, which no operator stands before. */
static bool filter_is_value(const char *filter, size_t length) {
  static const char like[] = "LIKE"; /* and ILIKE, RLIKE */
  while (length > 0 && strchr(" \t\n\r", filter[length - 1]))
    length--;
  if (length == 0) return false;
  return strchr("=<>(,", filter[length - 1]) != NULL ||
         (length >= strlen(like) &&
          sqlite3_strnicmp(filter + length - strlen(like), like, (int)strlen(like)) == 0);
}

/* A quote behind a backslash ends no value to MLflow: beside such a one all counts as a name. */
unsigned mlf_filter_topics(const char *filter) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  bool escapes = strstr(filter, "\\'") || strstr(filter, "\\\"");
  unsigned topics = 0;
  for (const char *at = filter; *at;) {
    size_t length = strspn(at, letters);
    topics |= filter_topic(at, length);
    bool quoted = !escapes && (*at == '\'' || *at == '"');
    bool value = quoted && filter_is_value(filter, (size_t)(at - filter));
    const char *end = value ? strchr(at + 1, *at) : NULL;
    at = end ? end + 1 : at + (length ? length : 1);
  }
  return topics;
}
