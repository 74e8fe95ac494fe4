#include "model/metric.h"

#include <assert.h>
#include <string.h>

#include "base/sqlite_api.h"

#define METRIC_BIT(dimension) (1U << MLF_DIMENSION_##dimension)

#define METRIC_PERCENTILE "PERCENTILE"
#define METRIC_PERCENTILE_DIGITS                                                                   \
  4 /* of a fraction: from the fifth on, Python may write an exponent */

/* What a view calls a dimension. */
typedef struct metric_place {
  const char *key;    /* NULL: it has none such */
  const char *filter; /* NULL: the server does not filter by it */
  const char *column; /* of our own table */
} metric_place;

typedef struct metric_view {
  const char *name;
  const char *request;
  const char *table;
  const char *from; /* the rows of it that count */
  metric_place places[MLF_DIMENSION_COUNT];
} metric_view;

static const metric_view metric_views[] = {
    {"traces",
     "TRACES",
     "mlflow_traces",
     "mlflow_traces",
     {[MLF_DIMENSION_NAME] = {"trace_name", "trace.tag.`mlflow.traceName`", "name"},
      [MLF_DIMENSION_STATUS] = {"trace_status", "trace.status", "status"}}},
    {"spans",
     "SPANS",
     "mlflow_spans",
     "mlflow_spans",
     {[MLF_DIMENSION_NAME] = {"span_name", "span.name", "name"},
      [MLF_DIMENSION_STATUS] = {"span_status", "span.status", "status"},
      [MLF_DIMENSION_SPAN_TYPE] = {"span_type", "span.type", "span_type"},
      [MLF_DIMENSION_MODEL_NAME] = {"span_model_name", NULL, "model_name"},
      [MLF_DIMENSION_MODEL_PROVIDER] = {"span_model_provider", NULL, "model_provider"}}},
    {"assessments",
     "ASSESSMENTS",
     "mlflow_assessments",
     "mlflow_assessments WHERE valid = 1",
     {[MLF_DIMENSION_ASSESSMENT_NAME] = {"assessment_name", "assessment.name", "name"},
      [MLF_DIMENSION_ASSESSMENT_VALUE] = {"assessment_value", NULL, "value_json"}}},
};

#define METRIC_TRACES      (&metric_views[0])
#define METRIC_SPANS       (&metric_views[1])
#define METRIC_ASSESSMENTS (&metric_views[2])

/* Which aggregations a metric has. */
typedef enum metric_kind {
  METRIC_COUNTED, /* count */
  METRIC_SUMMED,  /* sum, avg, min, max, percentiles */
  METRIC_MEASURED /* those without sum */
} metric_kind;

struct mlf_metric {
  const metric_view *view;
  const char *name;
  const char *source; /* what SQL aggregates */
  metric_kind kind;
  bool whole;
  mlf_dimensions dimensions;
};

#define METRIC_MODEL (METRIC_BIT(MODEL_NAME) | METRIC_BIT(MODEL_PROVIDER))
#define METRIC_TOKENS(name)                                                                        \
  { METRIC_TRACES, name, name, METRIC_SUMMED, true, METRIC_BIT(NAME) }
#define METRIC_COST(name)                                                                          \
  { METRIC_SPANS, name, name, METRIC_SUMMED, false, METRIC_MODEL }

static const mlf_metric metric_all[] = {
    {METRIC_TRACES, "trace_count", "*", METRIC_COUNTED, true,
     METRIC_BIT(NAME) | METRIC_BIT(STATUS)},
    {METRIC_TRACES, "session_count", "DISTINCT session_id", METRIC_COUNTED, true, 0},
    {METRIC_TRACES, "latency", "execution_time_ms", METRIC_MEASURED, true, METRIC_BIT(NAME)},
    METRIC_TOKENS("input_tokens"),
    METRIC_TOKENS("output_tokens"),
    METRIC_TOKENS("total_tokens"),
    METRIC_TOKENS("cache_read_input_tokens"),
    METRIC_TOKENS("cache_creation_input_tokens"),
    {METRIC_SPANS, "span_count", "*", METRIC_COUNTED, true,
     METRIC_BIT(NAME) | METRIC_BIT(STATUS) | METRIC_BIT(SPAN_TYPE) | METRIC_MODEL},
    {METRIC_SPANS, "latency", "CAST(duration_ms AS INTEGER)", METRIC_MEASURED, true,
     METRIC_BIT(NAME) | METRIC_BIT(STATUS)},
    METRIC_COST("input_cost"),
    METRIC_COST("output_cost"),
    METRIC_COST("total_cost"),
    {METRIC_ASSESSMENTS, "assessment_count", "*", METRIC_COUNTED, true,
     METRIC_BIT(ASSESSMENT_NAME) | METRIC_BIT(ASSESSMENT_VALUE)},
    {METRIC_ASSESSMENTS, "assessment_value",
     "CASE lower(trim(value)) WHEN 'yes' THEN 1 WHEN 'no' THEN 0 ELSE value_num END",
     METRIC_MEASURED, false, METRIC_BIT(ASSESSMENT_NAME)},
};

#define METRIC_ALL_COUNT (sizeof(metric_all) / sizeof(*metric_all))

static const char *const metric_dimension_names[MLF_DIMENSION_COUNT] = {
    [MLF_DIMENSION_NAME] = "name",
    [MLF_DIMENSION_STATUS] = "status",
    [MLF_DIMENSION_SPAN_TYPE] = "span_type",
    [MLF_DIMENSION_MODEL_NAME] = "model_name",
    [MLF_DIMENSION_MODEL_PROVIDER] = "model_provider",
    [MLF_DIMENSION_ASSESSMENT_NAME] = "assessment_name",
    [MLF_DIMENSION_ASSESSMENT_VALUE] = "assessment_value",
};

/* In SQL and, in capitals, in the request. */
static const char *const metric_aggregations[][2] = {
    {"count", "COUNT"}, {"sum", "SUM"}, {"avg", "AVG"}, {"min", "MIN"}, {"max", "MAX"}};

#define METRIC_AGGREGATION_COUNT (sizeof(metric_aggregations) / sizeof(*metric_aggregations))

/* The error is the text, which is freed. */
static int metric_error(sqlite3_str *text, mlf_error *error) {
  char *finished = sqlite3_str_finish(text);
  if (!finished) return mlf_error_nomem(error);
  int rc = mlf_error_set(error, SQLITE_ERROR, "%s", finished);
  sqlite3_free(finished);
  return rc;
}

/* Begins such a text: no WHAT, or none called GIVEN. */
static sqlite3_str *metric_begin(const char *what, const char *given) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  if (given)
    sqlite3_str_appendf(text, "no %s is called '%s'; %s = ", what, given, what);
  else
    sqlite3_str_appendf(text, "no %s is given with =; %s = ", what, what);
  return text;
}

static int metric_refuse_view(const char *view, mlf_error *error) {
  sqlite3_str *text = metric_begin("view", view);
  sqlite3_str_appendall(text, "'traces', 'spans' or 'assessments'");
  return metric_error(text, error);
}

static int metric_refuse_name(const metric_view *view, const char *name, mlf_error *error) {
  const char *separator = "";
  sqlite3_str *text = metric_begin("metric", name);
  for (size_t i = 0; i < METRIC_ALL_COUNT; i++) {
    if (metric_all[i].view != view) continue;
    sqlite3_str_appendf(text, "%s'%s'", separator, metric_all[i].name);
    separator = ", ";
  }
  sqlite3_str_appendf(text, " in the view '%s'", view->name);
  return metric_error(text, error);
}

int mlf_metric_find(const char *view, const char *name, const mlf_metric **metric,
                    mlf_error *error) {
  const metric_view *found = NULL;
  *metric = NULL;
  for (size_t i = 0; view && i < sizeof(metric_views) / sizeof(*metric_views); i++) {
    if (strcmp(metric_views[i].name, view) == 0) found = &metric_views[i];
  }
  if (!found) return metric_refuse_view(view, error);
  for (size_t i = 0; name && i < METRIC_ALL_COUNT; i++) {
    if (metric_all[i].view == found && strcmp(metric_all[i].name, name) == 0)
      *metric = &metric_all[i];
  }
  return *metric ? SQLITE_OK : metric_refuse_name(found, name, error);
}

const char *mlf_metric_name(const mlf_metric *metric) {
  return metric->name;
}

const char *mlf_metric_view(const mlf_metric *metric) {
  return metric->view->request;
}

const char *mlf_metric_sole_aggregation(const mlf_metric *metric) {
  return metric->kind == METRIC_COUNTED ? "count" : NULL;
}

bool mlf_metric_is_whole(const mlf_metric *metric, const mlf_aggregation *aggregation) {
  return metric->whole && strcmp(aggregation->type, "AVG") != 0 &&
         strcmp(aggregation->type, METRIC_PERCENTILE) != 0;
}

static bool metric_has(const mlf_metric *metric, const char *aggregation) {
  if (metric->kind == METRIC_COUNTED) return strcmp(aggregation, "count") == 0;
  return strcmp(aggregation, "count") != 0 &&
         (metric->kind == METRIC_SUMMED || strcmp(aggregation, "sum") != 0);
}

static int metric_refuse_aggregation(const mlf_metric *metric, const char *given,
                                     mlf_error *error) {
  sqlite3_str *text = metric_begin("aggregation", given);
  const char *separator = "";
  for (size_t i = 0; i < METRIC_AGGREGATION_COUNT; i++) {
    if (!metric_has(metric, metric_aggregations[i][0])) continue;
    sqlite3_str_appendf(text, "%s'%s'", separator, metric_aggregations[i][0]);
    separator = ", ";
  }
  if (metric->kind != METRIC_COUNTED) sqlite3_str_appendall(text, " or 'p0' to 'p100'");
  sqlite3_str_appendf(text, " of %s", metric->name);
  return metric_error(text, error);
}

/* Writes the number after the p: at least one digit before the point and one after it, no zeros
** but those. False if it is none, or over 100. */
static bool metric_percentile(const char *text, char out[12]) {
  while (*text == '0' && text[1] >= '0' && text[1] <= '9')
    text++;
  size_t whole = strspn(text, "0123456789");
  const char *fraction = text[whole] == '.' ? text + whole + 1 : text + whole;
  size_t digits = strspn(fraction, "0123456789");
  bool ended = fraction[digits] == 0 && (digits > 0 || fraction == text + whole);
  if (whole == 0 || whole > 3 || digits > METRIC_PERCENTILE_DIGITS || !ended) return false;
  while (digits > 0 && fraction[digits - 1] == '0')
    digits--;
  if (whole == 3 && (strncmp(text, "100", 3) != 0 || digits > 0)) return false;
  sqlite3_snprintf(12, out, "%.*s.%.*s", (int)whole, text, digits ? (int)digits : 1,
                   digits ? fraction : "0");
  return true;
}

int mlf_metric_read_aggregation(const mlf_metric *metric, const char *text,
                                mlf_aggregation *aggregation, mlf_error *error) {
  memset(aggregation, 0, sizeof(*aggregation));
  for (size_t i = 0; text && i < METRIC_AGGREGATION_COUNT; i++) {
    if (strcmp(metric_aggregations[i][0], text) == 0) aggregation->type = metric_aggregations[i][1];
  }
  assert(text || !aggregation->type);
  if (aggregation->type && !metric_has(metric, text) && metric->kind != METRIC_COUNTED) {
    return mlf_error_set(
        error, SQLITE_ERROR, "the server has no %s of %s; %s can: SELECT %s(%s) FROM %s", text,
        metric->name, metric->view->table, text, metric->source, metric->view->from);
  }
  if (aggregation->type && metric_has(metric, text)) {
    sqlite3_snprintf(sizeof(aggregation->key), aggregation->key, "%s", aggregation->type);
    return SQLITE_OK;
  }
  if (metric->kind == METRIC_COUNTED || !text || *text != 'p' ||
      !metric_percentile(text + 1, aggregation->percentile))
    return metric_refuse_aggregation(metric, text, error);
  aggregation->type = METRIC_PERCENTILE;
  sqlite3_snprintf(sizeof(aggregation->key), aggregation->key, "P%s", aggregation->percentile);
  return SQLITE_OK;
}

const char *mlf_dimension_name(mlf_dimension dimension) {
  return metric_dimension_names[dimension];
}

const char *mlf_metric_dimension_key(const mlf_metric *metric, mlf_dimension dimension) {
  return metric->view->places[dimension].key;
}

const char *mlf_metric_filter_key(const mlf_metric *metric, mlf_dimension dimension) {
  return metric->view->places[dimension].filter;
}

/* An aggregate over our own table, for an example. */
static char *metric_expression(const mlf_metric *metric) {
  return sqlite3_mprintf("%s(%s)", metric->kind == METRIC_COUNTED ? "count" : "avg",
                         metric->source);
}

char *mlf_metric_sql(const mlf_metric *metric) {
  char *expression = metric_expression(metric);
  char *sql =
      expression ? sqlite3_mprintf("SELECT %s FROM %s", expression, metric->view->from) : NULL;
  sqlite3_free(expression);
  return sql;
}

/* The metric cannot be grouped by a dimension that its view has. */
static int metric_refuse_grouping(const mlf_metric *metric, mlf_dimension dimension,
                                  mlf_error *error) {
  const char *column = metric->view->places[dimension].column;
  char *expression = metric_expression(metric);
  if (!expression) return mlf_error_nomem(error);
  int rc = mlf_error_set(error, SQLITE_ERROR,
                         "the server does not group %s by %s; %s can: SELECT %s, %s FROM %s GROUP "
                         "BY %s",
                         metric->name, metric_dimension_names[dimension], metric->view->table,
                         column, expression, metric->view->from, column);
  sqlite3_free(expression);
  return rc;
}

static int metric_refuse_dimension(const mlf_metric *metric, const char *name, int length,
                                   mlf_error *error) {
  const char *separator = "";
  sqlite3_str *text = sqlite3_str_new(NULL);
  sqlite3_str_appendf(text, "no dimension of %s is called '%.*s'", metric->name, length, name);
  sqlite3_str_appendall(text, metric->dimensions ? "; dimensions = '" : "; it has none");
  for (int i = 0; i < MLF_DIMENSION_COUNT; i++) {
    if (!(metric->dimensions >> i & 1)) continue;
    sqlite3_str_appendf(text, "%s%s", separator, metric_dimension_names[i]);
    separator = ", ";
  }
  if (metric->dimensions) sqlite3_str_appendall(text, "' are all there are");
  return metric_error(text, error);
}

int mlf_metric_refuse_ungrouped(const mlf_metric *metric, mlf_dimension dimension,
                                mlf_error *error) {
  if (!metric->view->places[dimension].key) return SQLITE_OK;
  if (!(metric->dimensions >> dimension & 1))
    return metric_refuse_grouping(metric, dimension, error);
  return mlf_error_set(error, SQLITE_ERROR,
                       "%s is read, but the answer is not grouped by it; add it: dimensions = "
                       "'%s, …'",
                       metric_dimension_names[dimension], metric_dimension_names[dimension]);
}

int mlf_metric_refuse_filter(const mlf_metric *metric, mlf_dimension dimension, mlf_error *error) {
  const char *name = metric_dimension_names[dimension];
  if (!metric->view->places[dimension].key)
    return metric_refuse_dimension(metric, name, (int)strlen(name), error);
  if (!(metric->dimensions >> dimension & 1))
    return metric_refuse_grouping(metric, dimension, error);
  return mlf_error_set(error, SQLITE_ERROR,
                       "the server does not filter by %s; group by it, and SQLite filters: "
                       "dimensions = '%s, …'",
                       name, name);
}

int mlf_metric_read_dimensions(const mlf_metric *metric, const char *text,
                               mlf_dimensions *dimensions, mlf_error *error) {
  *dimensions = 0;
  text += strspn(text, " ");
  while (*text) {
    int dimension = 0;
    size_t length = strcspn(text, ", ");
    while (dimension < MLF_DIMENSION_COUNT &&
           (strncmp(metric_dimension_names[dimension], text, length) != 0 ||
            metric_dimension_names[dimension][length]))
      dimension++;
    if (dimension == MLF_DIMENSION_COUNT || !metric->view->places[dimension].key)
      return metric_refuse_dimension(metric, text, (int)length, error);
    if (!(metric->dimensions >> dimension & 1))
      return metric_refuse_grouping(metric, (mlf_dimension)dimension, error);
    *dimensions |= 1U << dimension;
    text += length;
    text += strspn(text, " ");
    if (*text == ',') text += 1 + strspn(text + 1, " ");
  }
  return SQLITE_OK;
}
