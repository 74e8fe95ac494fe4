/* test_metrics.c: what remote/metrics.h promises of an answer. */
#include "remote/metrics.h"

#include <string.h>

#include "base/limits.h"
#include "oom.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define POINT(text)  "{\"data_points\":[" text "]}"

static mlf_metrics metrics_of(const char *text) {
  mlf_metrics metrics = {0};
  mlf_error error = {0};
  assert_int_equal(
      mlf_json_parse(text, strlen(text), (mlf_json_options){.levels = 4}, &metrics.json, &error),
      SQLITE_OK);
  return metrics;
}

static const mlf_metric *metrics_metric(const char *view, const char *name) {
  const mlf_metric *metric;
  mlf_error error = {0};
  assert_int_equal(mlf_metric_find(view, name, &metric, &error), SQLITE_OK);
  return metric;
}

static mlf_aggregation metrics_aggregation(const mlf_metric *metric, const char *text) {
  mlf_aggregation aggregation;
  mlf_error error = {0};
  assert_int_equal(mlf_metric_read_aggregation(metric, text, &aggregation, &error), SQLITE_OK);
  return aggregation;
}

static void values_are_read(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *name;
    const char *aggregation;
    mlf_value_type type;
    double number;
  } cases[] = {
      {POINT("{\"values\":{\"AVG\":1.5,\"P95.0\":2.0}}"), "latency", "avg", MLF_REAL, 1.5},
      {POINT("{\"values\":{\"AVG\":1.5,\"P95.0\":2.0}}"), "latency", "p95", MLF_REAL, 2},
      {POINT("{\"values\":{\"AVG\":1.5,\"P95.0\":2.0}}"), "latency", "p50", MLF_NULL, 0},
      {POINT("{\"values\":{\"AVG\":3}}"), "latency", "avg", MLF_REAL, 3},
      {POINT("{\"values\":{\"MAX\":3.0}}"), "latency", "max", MLF_INTEGER, 3},
      {POINT("{\"values\":{\"MAX\":-3}}"), "latency", "max", MLF_INTEGER, -3},
      {POINT("{\"values\":{\"MAX\":3.5}}"), "latency", "max", MLF_REAL, 3.5},
      {POINT("{\"values\":{\"MAX\":9007199254740991.0}}"), "latency", "max", MLF_INTEGER,
       9007199254740991.0},
      {POINT("{\"values\":{\"MAX\":9007199254740992.0}}"), "latency", "max", MLF_REAL,
       9007199254740992.0}, /* may stand for its neighbour, too */
      {POINT("{\"values\":{\"MAX\":1e300}}"), "latency", "max", MLF_REAL, 1e300},
      {POINT("{\"values\":{\"COUNT\":0.0}}"), "trace_count", "count", MLF_INTEGER, 0},
      {POINT("{\"values\":{\"COUNT\":null}}"), "trace_count", "count", MLF_NULL, 0},
      {POINT("{\"values\":{}}"), "latency", "avg", MLF_NULL, 0},
      {POINT("{\"values\":null}"), "latency", "avg", MLF_NULL, 0},
      {POINT("{}"), "latency", "avg", MLF_NULL, 0},
      /* Of nothing, what SQL makes of it. */
      {"{}", "latency", "avg", MLF_NULL, 0},
      {POINT(""), "trace_count", "count", MLF_INTEGER, 0},
      {"{\"data_points\":null}", "trace_count", "count", MLF_INTEGER, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_error error = {0};
    mlf_value value;
    const mlf_metric *metric = metrics_metric("traces", cases[i].name);
    mlf_aggregation aggregation = metrics_aggregation(metric, cases[i].aggregation);
    mlf_metrics metrics = metrics_of(cases[i].text);
    assert_int_equal(mlf_metrics_read(&metrics, &error), SQLITE_OK);
    assert_int_equal(mlf_metrics_value(&metrics, metric, &aggregation, &value, &error), SQLITE_OK);
    if (value.type != cases[i].type) fail_msg("case %d has type %d", (int)i, (int)value.type);
    double number = value.type == MLF_INTEGER ? (double)value.integer : value.real;
    assert_true(value.type == MLF_NULL || number == cases[i].number);
    mlf_metrics_clear(&metrics);
  }
}

static void groups_are_read(void **state) {
  (void)state;
  mlf_error error = {0};
  mlf_value value;
  const mlf_metric *metric = metrics_metric("assessments", "assessment_count");
  mlf_metrics metrics = metrics_of(
      POINT("{\"dimensions\":{\"time_bucket\":\"2026-02-20T00:00:00+00:00\",\"assessment_name\":"
            "\"é\",\"assessment_value\":\"[{\\\"b\\\": 1, \\\"a b\\\": \\\"\\\\u00e9\\\"}]\"}},"
            "{\"dimensions\":{\"time_bucket\":\"1969-12-31T23:00:00.5+00:00\","
            "\"assessment_name\":\"\",\"assessment_value\":\"null\"}}"));
  assert_int_equal(mlf_metrics_read(&metrics, &error), SQLITE_OK);
  assert_int_equal(mlf_metrics_bucket(&metrics, &value, &error), SQLITE_OK);
  assert_int_equal(value.integer, 1771545600000);
  mlf_metrics_dimension(&metrics, metric, MLF_DIMENSION_ASSESSMENT_NAME, &value, &error);
  assert_string_equal(value.text, "é");
  mlf_metrics_dimension(&metrics, metric, MLF_DIMENSION_ASSESSMENT_VALUE, &value, &error);
  assert_string_equal(value.text,
                      "[{\"a b\":\"é\",\"b\":1}]"); /* as mlflow_assessments.value_json */
  mlf_value_clear(&value);
  metrics.point = mlf_json_next(metrics.point);
  assert_int_equal(mlf_metrics_bucket(&metrics, &value, &error), SQLITE_OK);
  assert_int_equal(value.integer, -3599500);
  mlf_metrics_dimension(&metrics, metric, MLF_DIMENSION_ASSESSMENT_NAME, &value, &error);
  assert_string_equal(value.text, "");
  mlf_metrics_dimension(&metrics, metric, MLF_DIMENSION_ASSESSMENT_VALUE, &value, &error);
  assert_int_equal(value.type, MLF_NULL);
  assert_int_equal(error.code, SQLITE_OK);
  assert_null(mlf_json_next(metrics.point));
  mlf_metrics_clear(&metrics);
}

/* Reads all there is; the first error stays. */
static void metrics_read_all(mlf_metrics *metrics, mlf_error *error) {
  const mlf_metric *metric = metrics_metric("assessments", "assessment_count");
  mlf_aggregation aggregation = metrics_aggregation(metric, "count");
  mlf_value value;
  int rc = mlf_metrics_read(metrics, error);
  for (; rc == SQLITE_OK && metrics->point; metrics->point = mlf_json_next(metrics->point)) {
    mlf_metrics_value(metrics, metric, &aggregation, &value, error);
    mlf_metrics_bucket(metrics, &value, error);
    mlf_metrics_dimension(metrics, metric, MLF_DIMENSION_ASSESSMENT_NAME, &value, error);
    mlf_metrics_dimension(metrics, metric, MLF_DIMENSION_ASSESSMENT_VALUE, &value, error);
    mlf_value_clear(&value);
  }
}

#define TIME           "\"time_bucket\":\"2026-02-20T00:00:00Z\""
#define NAME           "\"assessment_name\":\"a\""
#define PATH           "data_points[0].dimensions."
#define GROUP(members) POINT("{\"dimensions\":{" members "},\"values\":{\"COUNT\":1.0}}")

static void what_is_no_answer_is_an_error(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"[]", "the document is an array, where an object belongs"},
      {"{\"data_points\":{}}", "data_points is an object, where an array belongs"},
      {POINT("{},7"), "data_points[1] is a number, where an object belongs"},
      {"{\"message\":\"please log in\"}", "the reply has no \"data_points\" but \"message\""},
      {"{\"error_code\":\"X\",\"data_points\":[]}", "the reply has no \"data_points\" but"},
      {POINT("{\"values\":[]}"), "data_points[0].values is an array, where an object belongs"},
      {POINT("{\"values\":{\"COUNT\":\"7\"}}"),
       "data_points[0].values.COUNT is a string, where a number belongs"},
      {POINT("{\"values\":{\"COUNT\":\"NaN\"}}"), "where a number belongs"},
      {POINT("{\"dimensions\":7}"), "data_points[0].dimensions is a number, where an object"},
      {POINT("{}"), "a group of the answer has no \"time_bucket\""},
      {GROUP(NAME), "a group of the answer has no \"time_bucket\""},
      {GROUP("\"time_bucket\":7"), PATH "time_bucket is a number, where a string belongs"},
      {GROUP("\"time_bucket\":\"noon\""), PATH "time_bucket is a string, where a time belongs"},
      {GROUP(TIME), "a group of the answer has no \"assessment_name\""},
      {GROUP(TIME ",\"assessment_name\":null"), "has no \"assessment_name\""},
      {GROUP(TIME ",\"assessment_name\":true"), PATH "assessment_name is true, where a string"},
      {GROUP(TIME "," NAME ",\"assessment_value\":\"{\""),
       PATH "assessment_value is a string, where a text with JSON in it belongs"},
      {GROUP(TIME "," NAME ",\"assessment_value\":\"\""), "where a text with JSON in it belongs"},
      /* cut */
      {"{\"data_points\":[{}],\"next_page_token\":\"x\"}",
       "the server cut the answer after 1 group"},
      {"{\"data_points\":[],\"next_page_token\":7}", "next_page_token is a number, where a string"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_error error = {0};
    mlf_metrics metrics = metrics_of(cases[i][0]);
    metrics_read_all(&metrics, &error);
    if (error.code != SQLITE_ERROR) fail_msg("no error: %s", cases[i][0]);
    if (!strstr(error.text, cases[i][1])) fail_msg("%s: %s", cases[i][0], error.text);
    mlf_error_clear(&error);
    mlf_metrics_clear(&metrics);
  }
}

/* An answer of `count` groups is whole unless it has as many as were asked for. */
static int metrics_count(int count) {
  mlf_error error = {0};
  sqlite3_str *text = sqlite3_str_new(NULL);
  sqlite3_str_appendall(text, "{\"data_points\":[{}");
  for (int i = 1; i < count; i++)
    sqlite3_str_appendall(text, ",{}");
  sqlite3_str_appendall(text, "]}");
  char *json = sqlite3_str_finish(text);
  mlf_metrics metrics = metrics_of(json);
  int rc = mlf_metrics_read(&metrics, &error);
  if (rc != SQLITE_OK) assert_non_null(strstr(error.text, " groups (MLF_METRICS_POINTS_MAX); ask"));
  mlf_error_clear(&error);
  mlf_metrics_clear(&metrics);
  sqlite3_free(json);
  return rc;
}

static void a_full_answer_is_cut(void **state) {
  (void)state;
  assert_int_equal(metrics_count(MLF_METRICS_POINTS_MAX - 1), SQLITE_OK);
  assert_int_equal(metrics_count(MLF_METRICS_POINTS_MAX), SQLITE_ERROR);
  assert_int_equal(metrics_count(MLF_METRICS_POINTS_MAX + 1), SQLITE_ERROR);
}

#define OF(name, value, count)                                                                     \
  "{\"dimensions\":{\"assessment_name\":\"" name "\",\"assessment_value\":\"" value                \
  "\"},\"values\":{\"COUNT\":" count "}}"

/* A question of one aggregation in these groups. */
static mlf_metrics_question metrics_question(const mlf_aggregation *aggregation,
                                             const mlf_metric *metric, unsigned dimensions) {
  return (mlf_metrics_question){.metric = metric,
                                .aggregations = aggregation,
                                .aggregation_count = 1,
                                .dimensions = dimensions};
}

/* What the groups of assessments by name and value show, one in a line; or the error. */
static int metrics_merged(const char *text, sqlite3_str *shown, mlf_error *error) {
  mlf_metrics metrics = metrics_of(text);
  const mlf_metric *metric = metrics_metric("assessments", "assessment_count");
  mlf_aggregation count = metrics_aggregation(metric, "count");
  mlf_metrics_question question = metrics_question(
      &count, metric, 1U << MLF_DIMENSION_ASSESSMENT_NAME | 1U << MLF_DIMENSION_ASSESSMENT_VALUE);
  int rc = mlf_metrics_read(&metrics, error);
  if (rc == SQLITE_OK) rc = mlf_metrics_merge(&metrics, &question, error);
  for (; rc == SQLITE_OK && metrics.point; mlf_metrics_next(&metrics)) {
    mlf_value name, value, number;
    mlf_metrics_dimension(&metrics, question.metric, MLF_DIMENSION_ASSESSMENT_NAME, &name, error);
    mlf_metrics_dimension(&metrics, question.metric, MLF_DIMENSION_ASSESSMENT_VALUE, &value, error);
    rc = mlf_metrics_value(&metrics, question.metric, &count, &number, error);
    if (error->code != SQLITE_OK) rc = error->code;
    if (rc == SQLITE_OK)
      sqlite3_str_appendf(shown, "%s %s %lld\n", name.text, value.text, number.integer);
    mlf_value_clear(&value);
  }
  mlf_metrics_clear(&metrics);
  return rc;
}

#define AB "{\\\"a\\\": 1, \\\"b\\\": [2]}"
#define BA "{\\\"b\\\": [2], \\\"a\\\": 1}"

static void groups_of_one_value_are_one(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {POINT(OF("x", "1", "7.0")), "x 1 7\n"},
      {POINT(OF("x", AB, "7.0") "," OF("x", BA, "2.0")), "x {\"a\":1,\"b\":[2]} 9\n"},
      /* where the first is, and those between stay */
      {POINT(
           OF("x", "1", "1") "," OF("x", BA, "2") "," OF("y", AB, "3") "," OF("z", "1", "4") "," OF(
               "x", AB, "5") "," OF("x", AB, "6") "," OF("y", BA, "7") "," OF("z", "2", "8")),
       "x 1 1\nx {\"a\":1,\"b\":[2]} 13\ny {\"a\":1,\"b\":[2]} 10\nz 1 4\nz 2 8\n"},
      /* one written in two ways is two values: 1 and 1.0 */
      {POINT(OF("x", "1", "7.0") "," OF("x", "1.0", "2.0")), "x 1 7\nx 1.0 2\n"},
      {POINT(""), ""},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_error error = {0};
    sqlite3_str *shown = sqlite3_str_new(NULL);
    sqlite3_str_appendall(shown, "");
    assert_int_equal(metrics_merged(cases[i][0], shown, &error), SQLITE_OK);
    char *text = sqlite3_str_finish(shown);
    assert_string_equal(text ? text : "", cases[i][1]);
    sqlite3_free(text);
  }
}

static void what_does_not_add_up_is_an_error(void **state) {
  (void)state;
  static const char *const counts[] = {"null", "1.5", "-1", "9007199254740991.0"};
  for (size_t i = 0; i < COUNT(counts); i++) {
    mlf_error error = {0};
    sqlite3_str *shown = sqlite3_str_new(NULL);
    char *text = sqlite3_mprintf(POINT(OF("x", AB, "1") "," OF("x", BA, "%s")), counts[i]);
    assert_int_equal(metrics_merged(text, shown, &error), SQLITE_ERROR);
    assert_non_null(strstr(error.text, "the server has several groups for one value"));
    mlf_error_clear(&error);
    sqlite3_free(text);
    sqlite3_free(sqlite3_str_finish(shown));
  }
  /* Of averages nobody knows what they are averages of. */
  mlf_error error = {0};
  const mlf_metric *metric = metrics_metric("traces", "latency");
  mlf_aggregation average = metrics_aggregation(metric, "avg");
  mlf_metrics_question question = metrics_question(&average, metric, 1U << MLF_DIMENSION_NAME);
  mlf_metrics metrics =
      metrics_of(POINT("{\"dimensions\":{\"trace_name\":\"a\"},\"values\":{\"AVG\":1.0}},"
                       "{\"dimensions\":{\"trace_name\":\"a\"},\"values\":{\"AVG\":2.0}}"));
  assert_int_equal(mlf_metrics_read(&metrics, &error), SQLITE_OK);
  assert_int_equal(mlf_metrics_merge(&metrics, &question, &error), SQLITE_ERROR);
  assert_non_null(strstr(error.text, "the server has several groups for one value"));
  mlf_error_clear(&error);
  mlf_metrics_clear(&metrics);
}

static int merge_without_memory(void *context) {
  mlf_error error = {0};
  mlf_metrics metrics = *(mlf_metrics *)context;
  const mlf_metric *metric = metrics_metric("assessments", "assessment_count");
  mlf_aggregation count = metrics_aggregation(metric, "count");
  mlf_metrics_question question =
      metrics_question(&count, metric, 1U << MLF_DIMENSION_ASSESSMENT_VALUE);
  int rc = mlf_metrics_merge(&metrics, &question, &error);
  if (rc == SQLITE_OK) assert_int_equal(metrics.twin_count, 2);
  sqlite3_free(metrics.twins);
  mlf_error_clear(&error);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  mlf_error error = {0};
  mlf_metrics metrics = metrics_of(POINT(OF("x", AB, "7.0") "," OF("x", BA, "2.0")));
  assert_int_equal(mlf_metrics_read(&metrics, &error), SQLITE_OK);
  assert_int_equal(oom_loop(merge_without_memory, &metrics), 0);
  mlf_metrics_clear(&metrics);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_read),
      cmocka_unit_test(groups_are_read),
      cmocka_unit_test(what_is_no_answer_is_an_error),
      cmocka_unit_test(a_full_answer_is_cut),
      cmocka_unit_test(groups_of_one_value_are_one),
      cmocka_unit_test(what_does_not_add_up_is_an_error),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
