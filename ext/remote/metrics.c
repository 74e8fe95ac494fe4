#include "remote/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json_string.h"
#include "base/limits.h"
#include "base/sqlite_api.h"
#include "model/json_value.h"
#include "model/timestamp.h"
#include "remote/envelope.h"

#define METRICS_PATH   "/api/3.0/mlflow/traces/metrics"
#define METRICS_POINTS "data_points"
#define METRICS_BUCKET "time_bucket"

/* The tree reaches down to the values of a point. */
#define METRICS_LEVELS 4

#define METRICS_WHOLE_MAX 9007199254740992.0 /* 2^53 */

static void metrics_write_texts(sqlite3_str *body, const char *name, const char *const *texts,
                                size_t count) {
  sqlite3_str_appendf(body, ",\"%s\":[", name);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) sqlite3_str_appendchar(body, 1, ',');
    mlf_json_string_write(body, texts[i], strlen(texts[i]));
  }
  sqlite3_str_appendchar(body, 1, ']');
}

static void metrics_write_aggregations(sqlite3_str *body, const mlf_metrics_question *question) {
  sqlite3_str_appendall(body, ",\"aggregations\":[");
  for (size_t i = 0; i < question->aggregation_count; i++) {
    const mlf_aggregation *each = &question->aggregations[i];
    sqlite3_str_appendf(body, "%s{\"aggregation_type\":\"%s\"", i ? "," : "", each->type);
    if (*each->percentile) sqlite3_str_appendf(body, ",\"percentile_value\":%s", each->percentile);
    sqlite3_str_appendchar(body, 1, '}');
  }
  sqlite3_str_appendchar(body, 1, ']');
}

/* The server wants both ends of the time where there are buckets. */
static void metrics_write_time(sqlite3_str *body, const mlf_metrics_question *question) {
  if (question->bucket_s) {
    sqlite3_str_appendf(body, ",\"time_interval_seconds\":%lld", (sqlite3_int64)question->bucket_s);
  }
  if (question->bucket_s || question->first_ms != INT64_MIN)
    sqlite3_str_appendf(body, ",\"start_time_ms\":%lld", (sqlite3_int64)question->first_ms);
  if (question->bucket_s || question->last_ms != INT64_MAX)
    sqlite3_str_appendf(body, ",\"end_time_ms\":%lld", (sqlite3_int64)question->last_ms);
}

static char *metrics_body(const mlf_metrics_question *question) {
  const char *keys[MLF_DIMENSION_COUNT];
  size_t key_count = 0;
  sqlite3_str *body = sqlite3_str_new(NULL);
  for (int i = 0; i < MLF_DIMENSION_COUNT; i++) {
    if (question->dimensions >> i & 1)
      keys[key_count++] = mlf_metric_dimension_key(question->metric, (mlf_dimension)i);
  }
  sqlite3_str_appendf(body, "{\"view_type\":\"%s\",\"metric_name\":\"%s\",\"max_results\":%d",
                      mlf_metric_view(question->metric), mlf_metric_name(question->metric),
                      MLF_METRICS_POINTS_MAX);
  metrics_write_texts(body, "experiment_ids", question->experiment_ids, question->experiment_count);
  metrics_write_aggregations(body, question);
  metrics_write_texts(body, "dimensions", keys, key_count);
  metrics_write_texts(body, "filters", question->filters, question->filter_count);
  metrics_write_time(body, question);
  sqlite3_str_appendchar(body, 1, '}');
  return sqlite3_str_finish(body);
}

/* The conditions as the request log shows them; NULL: there are none, or no memory. */
static char *metrics_filter(const mlf_metrics_question *question) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (size_t i = 0; i < question->filter_count; i++)
    sqlite3_str_appendf(text, "%s%s", i ? " AND " : "", question->filters[i]);
  return sqlite3_str_finish(text);
}

int mlf_metrics_read(mlf_metrics *metrics, mlf_error *error) {
  const mlf_json_node *points;
  const char *token;
  int count = 0;
  int rc = mlf_envelope_list(metrics->json, METRICS_POINTS, &points, &token, error);
  if (rc != SQLITE_OK) return rc;
  metrics->point = mlf_json_first(points);
  const mlf_json_node *each = metrics->point;
  for (; each; each = mlf_json_next(each))
    count++;
  if (!token && count < MLF_METRICS_POINTS_MAX) return SQLITE_OK;
  return mlf_error_set(error, SQLITE_ERROR,
                       "the server cut the answer after %d groups%s; ask for wider buckets, fewer "
                       "dimensions or less time",
                       count, token ? "" : " (MLF_METRICS_POINTS_MAX)");
}

void mlf_metrics_clear(mlf_metrics *metrics) {
  mlf_json_free(metrics->json);
  sqlite3_free(metrics->twins);
  *metrics = (mlf_metrics){0};
}

/* What is known of the current point beside what it says; NULL: nothing. */
static const mlf_metrics_twin *metrics_twin(const mlf_metrics *metrics) {
  if (metrics->next_twin == metrics->twin_count) return NULL;
  const mlf_metrics_twin *twin = &metrics->twins[metrics->next_twin];
  return twin->point == metrics->point ? twin : NULL;
}

int mlf_metrics_value(const mlf_metrics *metrics, const mlf_metric *metric,
                      const mlf_aggregation *aggregation, mlf_value *value, mlf_error *error) {
  const mlf_json_node *values;
  double real;
  const mlf_metrics_twin *twin = metrics_twin(metrics);
  *value = mlf_value_text(NULL);
  if (twin) {
    *value = mlf_value_integer(twin->count);
    return SQLITE_OK;
  }
  if (!metrics->point) {
    if (mlf_metric_sole_aggregation(metric)) *value = mlf_value_integer(0);
    return SQLITE_OK;
  }
  int rc = mlf_json_get_object(metrics->json, metrics->point, "values", &values, error);
  const mlf_json_node *node = mlf_json_member(values, aggregation->key);
  if (rc != SQLITE_OK || mlf_json_kind_of(metrics->json, node) <= MLF_JSON_NULL) return rc;
  if (!mlf_json_double(metrics->json, node, &real))
    return mlf_json_misshapen(metrics->json, node, "a number", error);
  bool whole = mlf_metric_is_whole(metric, aggregation) && fabs(real) < METRICS_WHOLE_MAX &&
               real == floor(real);
  *value = whole ? mlf_value_integer((int64_t)real) : mlf_value_real(real);
  return SQLITE_OK;
}

/* A text among the dimensions of the current point, which must be there. */
static int metrics_text(const mlf_metrics *metrics, const char *key, const char **text,
                        const mlf_json_node **node, mlf_error *error) {
  const mlf_json_node *dimensions;
  int rc = mlf_json_get_object(metrics->json, metrics->point, "dimensions", &dimensions, error);
  if (rc == SQLITE_OK) rc = mlf_json_get_text(metrics->json, dimensions, key, text, error);
  if (rc != SQLITE_OK) return rc;
  *node = mlf_json_member(dimensions, key);
  if (*text) return rc;
  return mlf_error_set(error, SQLITE_ERROR, "a group of the answer has no \"%s\"", key);
}

/* JSON in a text, in the form that our other tables give it. */
static int metrics_json(const mlf_metrics *metrics, const mlf_json_node *node, const char *text,
                        mlf_value *value, mlf_error *error) {
  mlf_json *json;
  mlf_error cause = {0};
  int rc = mlf_json_parse(text, strlen(text), (mlf_json_options){.levels = 1, .python = true},
                          &json, &cause);
  if (rc == SQLITE_ERROR) {
    mlf_error_clear(&cause);
    return mlf_json_misshapen(metrics->json, node, "a text with JSON in it", error);
  }
  if (rc != SQLITE_OK) return mlf_error_move(error, &cause);
  rc = mlf_json_value_sorted(json, mlf_json_root(json), NULL, value, error);
  mlf_json_free(json);
  return rc;
}

int mlf_metrics_dimension(const mlf_metrics *metrics, const mlf_metric *metric,
                          mlf_dimension dimension, mlf_value *value, mlf_error *error) {
  const char *text = NULL;
  const mlf_json_node *node;
  *value = mlf_value_text(NULL);
  int rc = metrics_text(metrics, mlf_metric_dimension_key(metric, dimension), &text, &node, error);
  if (rc != SQLITE_OK) return rc;
  if (dimension == MLF_DIMENSION_ASSESSMENT_VALUE)
    return metrics_json(metrics, node, text, value, error);
  *value = mlf_value_text(text);
  return SQLITE_OK;
}

int mlf_metrics_bucket(const mlf_metrics *metrics, mlf_value *value, mlf_error *error) {
  const char *text = NULL;
  const mlf_json_node *node;
  int64_t ms;
  *value = mlf_value_text(NULL);
  int rc = metrics_text(metrics, METRICS_BUCKET, &text, &node, error);
  if (rc != SQLITE_OK) return rc;
  if (!mlf_timestamp_parse(text, &ms))
    return mlf_json_misshapen(metrics->json, node, "a time", error);
  *value = mlf_value_integer(ms);
  return SQLITE_OK;
}

/* Adds what a dimension of the current point shows to the text of its group. */
static int metrics_add_dimension(const mlf_metrics *metrics, const mlf_metric *metric,
                                 mlf_dimension dimension, sqlite3_str *group, mlf_error *error) {
  mlf_value value;
  int rc = mlf_metrics_dimension(metrics, metric, dimension, &value, error);
  if (rc == SQLITE_OK)
    sqlite3_str_appendf(group, "%d%d %.*s ", value.type, (int)value.length, (int)value.length,
                        value.text ? value.text : "");
  mlf_value_clear(&value);
  return rc;
}

/* Shows a group as the rows of its point will. */
static int metrics_group_text(const mlf_metrics *metrics, const mlf_metrics_question *question,
                              sqlite3_str *group, mlf_error *error) {
  int rc = SQLITE_OK;
  mlf_value value = {.type = MLF_NULL};
  for (int i = 0; rc == SQLITE_OK && i < MLF_DIMENSION_COUNT; i++) {
    if (question->dimensions >> i & 1)
      rc = metrics_add_dimension(metrics, question->metric, (mlf_dimension)i, group, error);
  }
  if (rc == SQLITE_OK && question->bucket_s) rc = mlf_metrics_bucket(metrics, &value, error);
  sqlite3_str_appendf(group, "%lld", (sqlite3_int64)value.integer);
  return rc;
}

/* A group of the answer, while they are compared. */
typedef struct metrics_group {
  char *text;
  size_t place; /* among the points */
  mlf_metrics_twin twin;
  bool has_twin;
} metrics_group;

typedef struct metrics_groups {
  metrics_group *all;
  size_t count;
  size_t capacity;
} metrics_groups;

static int metrics_list_groups(const mlf_metrics *metrics, const mlf_metrics_question *question,
                               metrics_groups *groups, mlf_error *error) {
  mlf_metrics each = *metrics;
  for (; each.point; each.point = mlf_json_next(each.point)) {
    metrics_group *all =
        mlf_array_room(groups->all, groups->count, &groups->capacity, 64, sizeof(*all));
    if (!all) return mlf_error_nomem(error);
    groups->all = all;
    sqlite3_str *text = sqlite3_str_new(NULL);
    int rc = metrics_group_text(&each, question, text, error);
    metrics_group group = {
        .text = sqlite3_str_finish(text), .place = groups->count, .twin = {each.point, -1}};
    if (rc == SQLITE_OK && !group.text) rc = mlf_error_nomem(error);
    if (rc == SQLITE_OK) {
      all[groups->count++] = group;
    } else {
      sqlite3_free(group.text);
      return rc;
    }
  }
  return SQLITE_OK;
}

/* By text; of one text as they came. */
static int metrics_compare_groups(const void *one, const void *other) {
  const metrics_group *a = one, *b = other;
  int order = strcmp(a->text, b->text);
  return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

static int metrics_compare_places(const void *one, const void *other) {
  const metrics_group *a = one, *b = other;
  return (a->place > b->place) - (a->place < b->place);
}

/* Adds up the counts of `count` groups that are one. Only assessments by value can be such. */
static int metrics_add_up(const mlf_metrics *metrics, const mlf_metrics_question *question,
                          metrics_group *groups, size_t count, mlf_error *error) {
  bool adds = question->dimensions >> MLF_DIMENSION_ASSESSMENT_VALUE & 1 &&
              question->aggregation_count == 1 && mlf_metric_sole_aggregation(question->metric);
  mlf_metrics each = {.json = metrics->json};
  int64_t sum = 0;
  for (size_t i = 0; adds && i < count; i++) {
    mlf_value value;
    each.point = groups[i].twin.point;
    int rc = mlf_metrics_value(&each, question->metric, question->aggregations, &value, error);
    if (rc != SQLITE_OK) return rc;
    adds = value.type == MLF_INTEGER && value.integer >= 0 &&
           value.integer < (int64_t)METRICS_WHOLE_MAX - sum;
    if (adds) sum += value.integer;
  }
  groups[0].twin.count = sum;
  if (adds) return SQLITE_OK;
  return mlf_error_set(error, SQLITE_ERROR,
                       "the server has several groups for one value, and their figures do not add "
                       "up to one; GROUP BY over the other tables has it once");
}

/* Adds up the sorted groups that are one. Gives how many are not alone. */
static int metrics_find_twins(const mlf_metrics *metrics, const mlf_metrics_question *question,
                              metrics_groups *groups, size_t *twins, mlf_error *error) {
  metrics_group *all = groups->all;
  size_t end;
  for (size_t i = 0; i < groups->count; i = end) {
    for (end = i + 1; end < groups->count && strcmp(all[i].text, all[end].text) == 0;)
      end++;
    if (end == i + 1) continue;
    int rc = metrics_add_up(metrics, question, all + i, end - i, error);
    if (rc != SQLITE_OK) return rc;
    for (size_t j = i; j < end; j++)
      all[j].has_twin = true;
    *twins += end - i;
  }
  return SQLITE_OK;
}

static int metrics_take_twins(mlf_metrics *metrics, metrics_groups *groups, size_t twins,
                              mlf_error *error) {
  metrics->twins = sqlite3_malloc64(twins * sizeof(*metrics->twins));
  if (!metrics->twins) return mlf_error_nomem(error);
  qsort(groups->all, groups->count, sizeof(*groups->all), metrics_compare_places);
  for (size_t i = 0; i < groups->count; i++) {
    if (groups->all[i].has_twin) metrics->twins[metrics->twin_count++] = groups->all[i].twin;
  }
  return SQLITE_OK;
}

int mlf_metrics_merge(mlf_metrics *metrics, const mlf_metrics_question *question,
                      mlf_error *error) {
  metrics_groups groups = {0};
  size_t twins = 0;
  if ((!question->dimensions && !question->bucket_s) || !metrics->point) return SQLITE_OK;
  int rc = metrics_list_groups(metrics, question, &groups, error);
  if (rc == SQLITE_OK) {
    qsort(groups.all, groups.count, sizeof(*groups.all), metrics_compare_groups);
    rc = metrics_find_twins(metrics, question, &groups, &twins, error);
  }
  if (rc == SQLITE_OK && twins > 0) rc = metrics_take_twins(metrics, &groups, twins, error);
  for (size_t i = 0; i < groups.count; i++)
    sqlite3_free(groups.all[i].text);
  sqlite3_free(groups.all);
  return rc;
}

void mlf_metrics_next(mlf_metrics *metrics) {
  for (;;) {
    const mlf_metrics_twin *twin = metrics_twin(metrics);
    if (twin) metrics->next_twin++;
    metrics->point = mlf_json_next(metrics->point);
    twin = metrics_twin(metrics);
    if (!twin || twin->count >= 0) return;
  }
}

int mlf_metrics_ask(mlf_client *client, mlf_budget *budget, const mlf_metrics_question *question,
                    mlf_metrics *metrics, mlf_error *error) {
  mlf_error cause = {0};
  int status;
  *metrics = (mlf_metrics){0};
  char *body = metrics_body(question);
  if (!body) return mlf_error_nomem(error);
  char *filter = metrics_filter(question);
  mlf_request request = {.path = METRICS_PATH,
                         .body = body,
                         .body_length = strlen(body),
                         .levels = METRICS_LEVELS,
                         .filter = filter};
  int rc = mlf_client_fetch(client, budget, &request, &metrics->json, &status, error);
  sqlite3_free(filter);
  sqlite3_free(body);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_metrics_read(metrics, &cause);
  if (rc == SQLITE_OK) rc = mlf_metrics_merge(metrics, question, &cause);
  return rc == SQLITE_OK ? rc : mlf_error_wrap(error, "POST " METRICS_PATH, &cause);
}
