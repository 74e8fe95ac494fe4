#include "remote/walk.h"

#include <string.h>

#include "base/filter_words.h"
#include "base/sqlite_api.h"

static size_t walk_size(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

/* Copies a text to `*end`, and moves that behind it. */
static const char *walk_take(char **end, const char *text) {
  if (!text) return NULL;
  char *copy = memcpy(*end, text, walk_size(text));
  *end += walk_size(text);
  return copy;
}

int mlf_walk_copy(const mlf_walk *walk, mlf_walk *copy) {
  size_t ids = walk->id_count * sizeof(*walk->ids),
         experiments = walk->experiment_count * sizeof(*walk->experiment_ids);
  size_t texts = walk_size(walk->filter) + walk_size(walk->raw) + walk_size(walk->run_id);
  for (size_t i = 0; i < walk->experiment_count; i++)
    texts += walk_size(walk->experiment_ids[i]);
  for (size_t i = 0; i < walk->id_count; i++)
    texts += walk_size(walk->ids[i].text);
  *copy = *walk;
  copy->copy = sqlite3_malloc64(ids + experiments + texts + 1);
  if (!copy->copy) return SQLITE_NOMEM;
  mlf_value *id = copy->copy;
  const char **experiment = (const char **)(id + walk->id_count);
  char *end = (char *)(experiment + walk->experiment_count);
  copy->ids = id;
  for (size_t i = 0; i < walk->id_count; i++)
    *id++ = mlf_value_text(walk_take(&end, walk->ids[i].text));
  copy->experiment_ids = experiment;
  for (size_t i = 0; i < walk->experiment_count; i++)
    *experiment++ = walk_take(&end, walk->experiment_ids[i]);
  copy->filter = walk->filter && *walk->filter ? walk_take(&end, walk->filter) : NULL;
  copy->raw = walk_take(&end, walk->raw);
  copy->run_id = walk_take(&end, walk->run_id);
  return SQLITE_OK;
}

bool mlf_walk_has_spans(const mlf_walk *walk) {
  return walk->raw || walk->spans;
}

bool mlf_walk_bars_spans(const char *preset) {
  return preset && mlf_filter_topics(preset) & MLF_FILTER_TIME;
}

int mlf_walk_check_preset(const mlf_walk *walk, const char *preset, mlf_error *error) {
  if (!walk->raw || !mlf_walk_bars_spans(preset)) return SQLITE_OK;
  if (!(mlf_filter_topics(walk->raw) & MLF_FILTER_SPANS)) return SQLITE_OK;
  return mlf_error_set(error, SQLITE_ERROR,
                       "filter = … speaks of spans, and MLFLOW_SQL_FILTER of a time, which the "
                       "server would take for theirs, too; say the time in the statement");
}

char *mlf_walk_and(const char *filter, const char *condition) {
  return sqlite3_mprintf("%s%s%s", filter ? filter : "", filter ? " AND " : "", condition);
}

static void walk_and(sqlite3_str *text) {
  if (sqlite3_str_length(text) > 0) sqlite3_str_appendall(text, " AND ");
}

static void walk_write_quoted(const char *value, sqlite3_str *text) {
  char quote = strchr(value, '\'') ? '"' : '\'';
  sqlite3_str_appendf(text, "%c%s%c", quote, value, quote);
}

static void walk_write_ids(const mlf_walk *walk, const mlf_walk_part *part, sqlite3_str *text) {
  walk_and(text);
  sqlite3_str_appendall(text, "attributes.request_id IN (");
  for (size_t i = part->ids_begin; i < part->ids_end; i++) {
    if (i > part->ids_begin) sqlite3_str_appendall(text, ", ");
    walk_write_quoted(walk->ids[i].text, text);
  }
  sqlite3_str_appendchar(text, 1, ')');
}

static void walk_write_bounds(const mlf_walk *walk, const mlf_walk_part *part, sqlite3_str *text) {
  bool has_low = part->low_ms > -INT64_MAX;
  bool has_high = part->high_ms < INT64_MAX;
  if (has_low && part->low_ms == part->high_ms) {
    walk_and(text);
    sqlite3_str_appendf(text, "attributes.timestamp_ms = %lld", (sqlite3_int64)part->low_ms);
    return;
  }
  if (has_low && !mlf_walk_has_spans(walk)) {
    walk_and(text);
    sqlite3_str_appendf(text, "attributes.timestamp_ms >= %lld", (sqlite3_int64)part->low_ms);
  }
  if (has_high) {
    walk_and(text);
    sqlite3_str_appendf(text, "attributes.timestamp_ms <= %lld", (sqlite3_int64)part->high_ms);
  }
}

int mlf_walk_filter(const mlf_walk *walk, const mlf_walk_part *part, char **filter) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  if (walk->raw) sqlite3_str_appendall(text, walk->raw);
  if (walk->run_id) {
    walk_and(text);
    sqlite3_str_appendall(text, "attributes.run_id = ");
    walk_write_quoted(walk->run_id, text);
  }
  if (walk->filter && *walk->filter) {
    walk_and(text);
    sqlite3_str_appendall(text, walk->filter);
  }
  if (part->ids_end > part->ids_begin) walk_write_ids(walk, part, text);
  walk_write_bounds(walk, part, text);
  if (walk->preset) {
    walk_and(text);
    sqlite3_str_appendall(text, walk->preset);
  }
  int rc = sqlite3_str_errcode(text);
  *filter = sqlite3_str_finish(text);
  return rc;
}
