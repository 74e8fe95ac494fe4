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

/* What comes in quotes after a dot is a name, in others a value. */
unsigned mlf_filter_topics(const char *filter) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  unsigned topics = 0;
  for (const char *at = filter; *at;) {
    size_t length = strspn(at, letters);
    topics |= filter_topic(at, length);
    bool value = (*at == '\'' || *at == '"') && (at == filter || at[-1] != '.');
    const char *end = value ? strchr(at + 1, *at) : NULL;
    at = end ? end + 1 : at + (length ? length : 1);
  }
  return topics;
}
