#include "tables/metrics_asked.h"

#include <math.h>
#include <string.h>

#include "analysis/calendar.h"
#include "query/filter.h"

/* The text of a value that may be equal to a text; NULL for any other, which makes `*nothing` true.
 */
static const char *metrics_asked_text(sqlite3_value *value, bool *nothing, mlf_error *error) {
  int type = sqlite3_value_type(value);
  if (type == SQLITE_NULL || type == SQLITE_BLOB) {
    *nothing = true;
    return NULL;
  }
  const char *text = (const char *)sqlite3_value_text(value);
  if (!text) {
    mlf_error_nomem(error);
  } else if (strlen(text) != (size_t)sqlite3_value_bytes(value)) {
    *nothing = true; /* a NUL is in no name */
    text = NULL;
  }
  return text;
}

static int metrics_asked_add_aggregation(mlf_metrics_asked *asked, const char *name,
                                         mlf_error *error) {
  mlf_metrics_question *question = &asked->question;
  size_t count = question->aggregation_count;
  if (count == MLF_METRICS_AGGREGATIONS_MAX) {
    return mlf_error_set(error, SQLITE_ERROR, "more than %d aggregations in one list",
                         MLF_METRICS_AGGREGATIONS_MAX);
  }
  int rc = mlf_metric_read_aggregation(question->metric, name, &asked->aggregations[count], error);
  if (rc != SQLITE_OK) return rc;
  asked->names[count] = sqlite3_mprintf("%s", name);
  if (!asked->names[count]) return mlf_error_nomem(error);
  question->aggregation_count++;
  return rc;
}

/* One value, or a list of which what is no text is left out. */
static int metrics_asked_aggregations(const mlf_metrics_plan *plan, sqlite3_value *argument,
                                      mlf_metrics_asked *asked, mlf_error *error) {
  sqlite3_value *each = argument;
  int rc = SQLITE_OK;
  if (!argument) {
    const char *sole = mlf_metric_sole_aggregation(asked->question.metric);
    return metrics_asked_add_aggregation(asked, sole, error);
  }
  if (plan->list) rc = sqlite3_vtab_in_first(argument, &each);
  while (rc == SQLITE_OK && each) {
    bool none = false;
    const char *name = metrics_asked_text(each, &none, error);
    rc = error->code;
    if (rc == SQLITE_OK && name) rc = metrics_asked_add_aggregation(asked, name, error);
    if (rc != SQLITE_OK) return rc;
    rc = plan->list ? sqlite3_vtab_in_next(argument, &each) : SQLITE_DONE;
  }
  asked->nothing = asked->question.aggregation_count == 0;
  return rc == SQLITE_DONE || rc == SQLITE_OK ? SQLITE_OK : mlf_error_nomem(error);
}

/* The first millisecond that is not before the time. */
static int metrics_asked_time(mlf_metrics_asked *asked, int column, int64_t *ms, mlf_error *error) {
  sqlite3_value *value = asked->told[column];
  if (!value) return SQLITE_OK;
  int type = sqlite3_value_numeric_type(value);
  double real = sqlite3_value_double(value);
  if (type == SQLITE_NULL || type == SQLITE_BLOB) {
    asked->nothing = true;
  } else if (type == SQLITE_INTEGER) {
    *ms = sqlite3_value_int64(value);
  } else if (type == SQLITE_FLOAT && real >= -9e18 && real <= 9e18) {
    *ms = (int64_t)ceil(real);
  } else {
    const char *text = (const char *)sqlite3_value_text(value);
    if (!text) return mlf_error_nomem(error);
    return mlf_error_set(error, SQLITE_ERROR,
                         "%s = '%s' is no time in Unix milliseconds, as in (unixepoch() - 86400) * "
                         "1000",
                         mlf_metrics_column_name(column), text);
  }
  return SQLITE_OK;
}

static int metrics_asked_times(mlf_metrics_asked *asked, mlf_error *error) {
  mlf_metrics_question *question = &asked->question;
  int64_t until_ms = INT64_MAX;
  question->first_ms = INT64_MIN;
  question->last_ms = INT64_MAX;
  int rc = metrics_asked_time(asked, MLF_METRICS_FROM_MS, &question->first_ms, error);
  if (rc == SQLITE_OK) rc = metrics_asked_time(asked, MLF_METRICS_UNTIL_MS, &until_ms, error);
  if (asked->told[MLF_METRICS_UNTIL_MS])
    question->last_ms = until_ms > INT64_MIN ? until_ms - 1 : INT64_MIN;
  return rc;
}

/* The server cuts time into whole seconds from 1970 on; so weeks would begin on Thursdays. */
static int metrics_asked_bucket(mlf_metrics_asked *asked, mlf_error *error) {
  const char *text = asked->texts[MLF_METRICS_BUCKET];
  mlf_calendar_width width;
  if (!text) return SQLITE_OK;
  if (!mlf_calendar_read_width(text, strlen(text), &width)) {
    return mlf_error_set(error, SQLITE_ERROR,
                         "bucket = '%s' is no width of time, as in '15 minutes'", text);
  }
  if (width.ms == 0 || width.ms % 1000 || width.origin_ms % width.ms) {
    return mlf_error_set(error, SQLITE_ERROR,
                         "the server has no bucket of '%s', only of whole seconds, minutes, hours "
                         "and days; time_bucket('%s', timestamp_ms) over mlflow_traces can",
                         text, text);
  }
  asked->question.bucket_s = width.ms / 1000;
  return SQLITE_OK;
}

/* Takes a condition; NULL stands for no memory. */
static int metrics_asked_add_filter(mlf_metrics_asked *asked, char *filter, mlf_error *error) {
  if (!filter) return mlf_error_nomem(error);
  if (asked->question.filter_count == MLF_METRICS_FILTERS_MAX) {
    sqlite3_free(filter);
    return mlf_error_set(error, SQLITE_ERROR, "more than %d conditions", MLF_METRICS_FILTERS_MAX);
  }
  asked->filters[asked->question.filter_count++] = filter;
  return SQLITE_OK;
}

/* The end of the condition that begins at `at`: the next AND outside of quotes, or of the text.
** `*next` is what stands after that; NULL at the end. */
static const char *metrics_asked_condition(const char *at, const char **next) {
  char quote = 0;
  for (; *at; at++) {
    if (quote) {
      if (*at == quote) quote = 0;
    } else if (strchr("'\"`", *at)) {
      quote = *at;
    } else if (*at == ' ' && sqlite3_strnicmp(at, " and ", 5) == 0) {
      *next = at + 5;
      return at;
    }
  }
  *next = NULL;
  return at;
}

/* The server takes one condition after the other, where people write AND. */
static int metrics_asked_raw_filter(mlf_metrics_asked *asked, mlf_error *error) {
  const char *next = asked->texts[MLF_METRICS_FILTER];
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && next) {
    const char *begin = next;
    const char *end = metrics_asked_condition(begin, &next);
    char *filter = sqlite3_mprintf("%.*s", (int)(end - begin), begin);
    rc = metrics_asked_add_filter(asked, filter, error);
  }
  return rc;
}

/* `=` on a dimension. Where the answer is grouped by it SQLite finds the rows in any case. SQL
** compares a number of another table by value: the names '1' and '01' are equal to 1. */
static int metrics_asked_filter(mlf_metrics_asked *asked, mlf_dimension dimension,
                                mlf_error *error) {
  const mlf_metrics_question *question = &asked->question;
  const char *text = asked->texts[MLF_METRICS_DIMENSION + dimension];
  const char *key = mlf_metric_filter_key(question->metric, dimension);
  bool grouped = question->dimensions >> dimension & 1;
  char quote;
  if (!text) return SQLITE_OK;
  int type = sqlite3_value_type(asked->told[MLF_METRICS_DIMENSION + dimension]);
  bool number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
  if (grouped && (!key || number)) return SQLITE_OK;
  if (!key) return mlf_metric_refuse_filter(question->metric, dimension, error);
  if (number)
    return mlf_error_set(error, SQLITE_ERROR, "%s is compared with the number %s; write %s = '%s'",
                         mlf_dimension_name(dimension), text, mlf_dimension_name(dimension), text);
  if (!mlf_filter_quote(text, strlen(text), &quote)) {
    if (grouped) return SQLITE_OK;
    return mlf_error_set(error, SQLITE_ERROR,
                         "the server's language cannot write the text that %s is compared with; "
                         "ask mlflow_traces, mlflow_spans or mlflow_assessments",
                         mlf_dimension_name(dimension));
  }
  return metrics_asked_add_filter(asked, sqlite3_mprintf("%s = %c%s%c", key, quote, text, quote),
                                  error);
}

static int metrics_asked_dimensions(const mlf_metrics_plan *plan, mlf_metrics_asked *asked,
                                    mlf_error *error) {
  mlf_metrics_question *question = &asked->question;
  const char *text = asked->texts[MLF_METRICS_DIMENSIONS];
  int rc = SQLITE_OK;
  if (text) rc = mlf_metric_read_dimensions(question->metric, text, &question->dimensions, error);
  for (int i = 0; rc == SQLITE_OK && i < MLF_DIMENSION_COUNT; i++) {
    if ((plan->reads & ~question->dimensions) >> i & 1)
      rc = mlf_metric_refuse_ungrouped(question->metric, (mlf_dimension)i, error);
    if (rc == SQLITE_OK) rc = metrics_asked_filter(asked, (mlf_dimension)i, error);
  }
  return rc;
}

/* Copies what is told, but the aggregations, which may be a list. */
static int metrics_asked_copy(const mlf_metrics_plan *plan, sqlite3_value **arguments,
                              mlf_metrics_asked *asked, mlf_error *error) {
  int next = 0;
  for (int i = 0; i < MLF_METRICS_COLUMN_COUNT; i++) {
    if (!plan->told[i]) continue;
    sqlite3_value *argument = arguments[next++];
    if (i == MLF_METRICS_AGGREGATION) continue;
    asked->told[i] = sqlite3_value_dup(argument);
    if (!asked->told[i]) return mlf_error_nomem(error);
    if (i == MLF_METRICS_FROM_MS || i == MLF_METRICS_UNTIL_MS) continue;
    asked->texts[i] = metrics_asked_text(asked->told[i], &asked->nothing, error);
    if (error->code != SQLITE_OK) return error->code;
  }
  return SQLITE_OK;
}

int mlf_metrics_asked_read(const mlf_metrics_plan *plan, sqlite3_value **arguments,
                           mlf_metrics_asked *asked, mlf_error *error) {
  mlf_metrics_question *question = &asked->question;
  int rc = metrics_asked_copy(plan, arguments, asked, error);
  if (rc != SQLITE_OK || asked->nothing) return rc;
  sqlite3_value *aggregation =
      plan->told[MLF_METRICS_AGGREGATION]
          ? arguments[plan->told[MLF_METRICS_VIEW] + plan->told[MLF_METRICS_METRIC]]
          : NULL;
  rc = mlf_metric_find(asked->texts[MLF_METRICS_VIEW], asked->texts[MLF_METRICS_METRIC],
                       &question->metric, error);
  if (rc == SQLITE_OK) rc = metrics_asked_aggregations(plan, aggregation, asked, error);
  if (rc == SQLITE_OK) rc = metrics_asked_times(asked, error);
  if (rc == SQLITE_OK) rc = metrics_asked_bucket(asked, error);
  if (rc == SQLITE_OK) rc = metrics_asked_dimensions(plan, asked, error);
  if (rc == SQLITE_OK) rc = metrics_asked_raw_filter(asked, error);
  question->aggregations = asked->aggregations;
  question->filters = (const char *const *)asked->filters;
  return rc;
}

void mlf_metrics_asked_clear(mlf_metrics_asked *asked) {
  for (int i = 0; i < MLF_METRICS_COLUMN_COUNT; i++)
    sqlite3_value_free(asked->told[i]);
  for (int i = 0; i < MLF_METRICS_AGGREGATIONS_MAX; i++)
    sqlite3_free(asked->names[i]);
  for (int i = 0; i < MLF_METRICS_FILTERS_MAX; i++)
    sqlite3_free(asked->filters[i]);
  memset(asked, 0, sizeof(*asked));
}
