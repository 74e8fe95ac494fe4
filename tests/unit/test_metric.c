/* test_metric.c: what model/metric.h promises. */
#include "model/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const mlf_metric *metric_of(const char *view, const char *name) {
  const mlf_metric *metric;
  mlf_error error = {0};
  assert_int_equal(mlf_metric_find(view, name, &metric, &error), SQLITE_OK);
  assert_string_equal(mlf_metric_name(metric), name);
  return metric;
}

/* The text of the error, which must be there. */
static void metric_wants(mlf_error *error, const char *text) {
  assert_int_equal(error->code, SQLITE_ERROR);
  assert_string_equal(error->text, text);
  mlf_error_clear(error);
}

static void metrics_are_found_in_their_view(void **state) {
  (void)state;
  const mlf_metric *metric;
  mlf_error error = {0};
  assert_string_equal(mlf_metric_view(metric_of("traces", "latency")), "TRACES");
  assert_string_equal(mlf_metric_view(metric_of("spans", "latency")), "SPANS");
  assert_string_equal(mlf_metric_view(metric_of("assessments", "assessment_value")), "ASSESSMENTS");
  mlf_metric_find("TRACES", "latency", &metric, &error);
  metric_wants(&error, "no view is called 'TRACES'; view = 'traces', 'spans' or 'assessments'");
  mlf_metric_find(NULL, NULL, &metric, &error);
  metric_wants(&error, "no view is given with =; view = 'traces', 'spans' or 'assessments'");
  mlf_metric_find("assessments", NULL, &metric, &error);
  metric_wants(&error, "no metric is given with =; metric = 'assessment_count', "
                       "'assessment_value' in the view 'assessments'");
  mlf_metric_find("spans", "trace_count", &metric, &error);
  metric_wants(&error, "no metric is called 'trace_count'; metric = 'span_count', 'latency', "
                       "'input_cost', 'output_cost', 'total_cost' in the view 'spans'");
}

static void aggregations_are_read(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *type;
    const char *percentile;
    const char *key;
  } cases[] = {
      {"sum", "SUM", "", "SUM"},
      {"avg", "AVG", "", "AVG"},
      {"min", "MIN", "", "MIN"},
      {"max", "MAX", "", "MAX"},
      {"p0", "PERCENTILE", "0.0", "P0.0"},
      {"p000", "PERCENTILE", "0.0", "P0.0"},
      {"p5", "PERCENTILE", "5.0", "P5.0"},
      {"p095", "PERCENTILE", "95.0", "P95.0"},
      {"p50.0", "PERCENTILE", "50.0", "P50.0"},
      {"p99.90", "PERCENTILE", "99.9", "P99.9"},
      {"p0.0001", "PERCENTILE", "0.0001", "P0.0001"},
      {"p99.9999", "PERCENTILE", "99.9999", "P99.9999"},
      {"p100", "PERCENTILE", "100.0", "P100.0"},
      {"p100.0000", "PERCENTILE", "100.0", "P100.0"},
  };
  const mlf_metric *tokens = metric_of("traces", "total_tokens");
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_error error = {0};
    mlf_aggregation aggregation;
    assert_int_equal(mlf_metric_read_aggregation(tokens, cases[i].text, &aggregation, &error),
                     SQLITE_OK);
    assert_string_equal(aggregation.type, cases[i].type);
    assert_string_equal(aggregation.percentile, cases[i].percentile);
    assert_string_equal(aggregation.key, cases[i].key);
    assert_int_equal(mlf_metric_is_whole(tokens, &aggregation),
                     *cases[i].text != 'p' && strcmp(cases[i].text, "avg") != 0);
  }
  assert_string_equal(mlf_metric_sole_aggregation(metric_of("traces", "session_count")), "count");
  assert_null(mlf_metric_sole_aggregation(tokens));
}

static void other_aggregations_are_refused(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",    "AVG", "mean",  "p",    "p.5", "p5.",   "p-5",  "p101",     "p1000", "p100.0001",
      "p5 ", "p5x", "p5.5x", "p1e1", "P95", "p5..5", "avg ", "p0.00001", "p+5",   "p00100x"};
  const mlf_metric *tokens = metric_of("traces", "input_tokens");
  mlf_aggregation aggregation;
  mlf_error error = {0};
  for (size_t i = 0; i < COUNT(texts); i++) {
    if (mlf_metric_read_aggregation(tokens, texts[i], &aggregation, &error) != SQLITE_ERROR)
      fail_msg("'%s'", texts[i]);
    assert_non_null(strstr(error.text, "' or 'p0' to 'p100' of input_tokens"));
    mlf_error_clear(&error);
  }
  mlf_metric_read_aggregation(metric_of("traces", "latency"), NULL, &aggregation, &error);
  metric_wants(&error, "no aggregation is given with =; aggregation = 'avg', 'min', 'max' or 'p0' "
                       "to 'p100' of latency");
  mlf_metric_read_aggregation(metric_of("spans", "span_count"), "p95", &aggregation, &error);
  metric_wants(&error, "no aggregation is called 'p95'; aggregation = 'count' of span_count");
  mlf_metric_read_aggregation(metric_of("spans", "span_count"), "avg", &aggregation, &error);
  metric_wants(&error, "no aggregation is called 'avg'; aggregation = 'count' of span_count");
  mlf_metric_read_aggregation(metric_of("spans", "latency"), "sum", &aggregation, &error);
  metric_wants(&error, "the server has no sum of latency; mlflow_spans can: SELECT "
                       "sum(CAST(duration_ms AS INTEGER)) FROM mlflow_spans");
  mlf_metric_read_aggregation(metric_of("assessments", "assessment_value"), "sum", &aggregation,
                              &error);
  metric_wants(&error, "the server has no sum of assessment_value; mlflow_assessments can: SELECT "
                       "sum(CASE lower(trim(value)) WHEN 'yes' THEN 1 WHEN 'no' THEN 0 ELSE "
                       "value_num END) FROM mlflow_assessments WHERE valid = 1");
}

static void dimensions_are_read(void **state) {
  (void)state;
  mlf_dimensions dimensions;
  mlf_error error = {0};
  const mlf_metric *spans = metric_of("spans", "span_count");
  static const char *const texts[] = {"name,span_type", " span_type ,  name ", "name, span_type,",
                                      "name,name,span_type"};
  for (size_t i = 0; i < COUNT(texts); i++) {
    assert_int_equal(mlf_metric_read_dimensions(spans, texts[i], &dimensions, &error), SQLITE_OK);
    assert_int_equal(dimensions, 1U << MLF_DIMENSION_NAME | 1U << MLF_DIMENSION_SPAN_TYPE);
  }
  assert_int_equal(mlf_metric_read_dimensions(spans, " ", &dimensions, &error), SQLITE_OK);
  assert_int_equal(dimensions, 0);
  assert_string_equal(mlf_metric_dimension_key(spans, MLF_DIMENSION_NAME), "span_name");
  assert_string_equal(mlf_metric_filter_key(spans, MLF_DIMENSION_SPAN_TYPE), "span.type");
  assert_null(mlf_metric_filter_key(spans, MLF_DIMENSION_MODEL_NAME));
  mlf_metric_read_dimensions(spans, "name, assessment_name", &dimensions, &error);
  metric_wants(&error, "no dimension of span_count is called 'assessment_name'; dimensions = "
                       "'name, status, span_type, model_name, model_provider' are all there are");
  mlf_metric_read_dimensions(spans, "nam", &dimensions, &error);
  assert_non_null(strstr(error.text, "no dimension of span_count is called 'nam';"));
  mlf_error_clear(&error);
  mlf_metric_read_dimensions(metric_of("traces", "latency"), "status", &dimensions, &error);
  metric_wants(&error, "the server does not group latency by status; mlflow_traces can: SELECT "
                       "status, avg(execution_time_ms) FROM mlflow_traces GROUP BY status");
  mlf_metric_read_dimensions(metric_of("traces", "session_count"), "name", &dimensions, &error);
  metric_wants(&error, "the server does not group session_count by name; mlflow_traces can: SELECT "
                       "name, count(DISTINCT session_id) FROM mlflow_traces GROUP BY name");
}

static void what_is_not_grouped_is_refused(void **state) {
  (void)state;
  mlf_error error = {0};
  const mlf_metric *cost = metric_of("spans", "total_cost");
  /* No span has an assessment's name: the column is NULL, and that is true. */
  assert_int_equal(mlf_metric_refuse_ungrouped(cost, MLF_DIMENSION_ASSESSMENT_NAME, &error),
                   SQLITE_OK);
  mlf_metric_refuse_ungrouped(cost, MLF_DIMENSION_MODEL_NAME, &error);
  metric_wants(&error, "model_name is read, but the answer is not grouped by it; add it: "
                       "dimensions = 'model_name, …'");
  mlf_metric_refuse_ungrouped(cost, MLF_DIMENSION_NAME, &error);
  metric_wants(&error, "the server does not group total_cost by name; mlflow_spans can: SELECT "
                       "name, avg(total_cost) FROM mlflow_spans GROUP BY name");
  mlf_metric_refuse_filter(cost, MLF_DIMENSION_MODEL_NAME, &error);
  metric_wants(&error, "the server does not filter by model_name; group by it, and SQLite filters: "
                       "dimensions = 'model_name, …'");
  mlf_metric_refuse_filter(cost, MLF_DIMENSION_ASSESSMENT_VALUE, &error);
  metric_wants(&error, "no dimension of total_cost is called 'assessment_value'; dimensions = "
                       "'model_name, model_provider' are all there are");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(metrics_are_found_in_their_view), cmocka_unit_test(aggregations_are_read),
      cmocka_unit_test(other_aggregations_are_refused),  cmocka_unit_test(dimensions_are_read),
      cmocka_unit_test(what_is_not_grouped_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
