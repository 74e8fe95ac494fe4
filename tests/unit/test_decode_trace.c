/* test_decode_trace.c: what model/decode_trace.h promises. */
#include "model/decode_trace.h"

#include <string.h>

#include "oom.h"
#include "shown.h"

static mlf_schema schema;

static mlf_json *trace_json(const char *text) {
  mlf_json *json;
  mlf_error error = {0};
  if (mlf_json_parse(text, strlen(text), (mlf_json_options){0}, &json, &error) != SQLITE_OK)
    fail_msg("%s: %s", text, error.text);
  return json;
}

static int trace_shows(const shown_case *each) {
  return shown_check(mlf_trace_value, &schema, each);
}

#define TRACE_CASES(cases)                                                                         \
  for (size_t i = 0; i < COUNT(cases); i++)                                                        \
  assert_int_equal(trace_shows(&(cases)[i]), SQLITE_OK)

/* A trace as MLflow 3.17.2 sends it. */
static const char trace[] =
    "{\"trace_id\":\"tr-1\",\"trace_location\":{\"type\":\"MLFLOW_EXPERIMENT\","
    "\"mlflow_experiment\":{\"experiment_id\":\"7\"}},\"request_time\":"
    "\"2026-11-23T11:59:23.950Z\",\"execution_duration\":\"1.5s\",\"state\":\"OK\","
    "\"client_request_id\":\"c-1\",\"request_preview\":\"why?\\u0000\",\"response_preview\":\"\","
    "\"tags\":{\"mlflow.traceName\":\"ask\", \"b\":\"\\u0041\"},\"trace_metadata\":{"
    "\"mlflow.trace.session\":\"s\",\"mlflow.trace.sizeBytes\":\"512\",\"mlflow.sourceRun\":\"r\","
    "\"mlflow.trace.tokenUsage\":\"{\\\"input_tokens\\\": 3, \\\"total_tokens\\\": 9}\","
    "\"mlflow.trace.cost\":\"{\\\"total_cost\\\": 0.25}\"},"
    "\"assessments\":[{\"assessment_name\":\"good\", \"feedback\":{\"value\":true}}]}";

static void each_column_has_its_place(void **state) {
  (void)state;
  static const shown_case cases[] = {
      {trace, "trace_id", "'tr-1'"},
      {trace, "experiment_id", "'7'"},
      {trace, "name", "'ask'"},
      {trace, "status", "'OK'"},
      {trace, "state", "'OK'"},
      {trace, "timestamp_ms", "1795435163950"},
      {trace, "request_time", "'2026-11-23 11:59:23.950'"},
      {trace, "execution_time_ms", "1500"},
      {trace, "end_time_ms", "1795435165450"},
      {trace, "session_id", "'s'"},
      {trace, "user_id", "NULL"},
      {trace, "run_id", "'r'"},
      {trace, "client_request_id", "'c-1'"},
      {trace, "input_tokens", "3"},
      {trace, "output_tokens", "NULL"},
      {trace, "total_tokens", "9"},
      {trace, "total_cost", "0.25"},
      {trace, "size_bytes", "512"},
      {trace, "request_preview", "'why?\\u0000'"},
      {trace, "response_preview", "''"},
      {trace, "tags", "'{\"b\":\"A\",\"mlflow.traceName\":\"ask\"}'"},
      {trace, "assessments", "'[{\"assessment_name\":\"good\",\"feedback\":{\"value\":true}}]'"},
      {trace, "tags.b", "'A'"},
      {trace, "metadata.mlflow.sourceRun", "'r'"},
      {trace, "feedback.good", "1"},
      /* which are not of a trace */
      {trace, "request", "NULL"},
      {trace, "experiment", "NULL"},
      {trace, "filter", "NULL"},
  };
  TRACE_CASES(cases);
}

static void what_is_not_there_is_unknown(void **state) {
  (void)state;
  static const char *const unknown[] = {
      "trace_id",    "experiment_id", "name",          "timestamp_ms",      "request_time",
      "end_time_ms", "session_id",    "input_tokens",  "execution_time_ms", "total_cost",
      "size_bytes",  "tags.b",        "feedback.good", "request_preview"};
  static const char *const traces[] = {
      "{}",
      "{\"trace_id\":null,\"trace_location\":null,\"request_time\":null,\"tags\":null,"
      "\"execution_duration\":null,\"trace_metadata\":null,\"assessments\":null,\"state\":null}",
      "{\"trace_location\":{\"mlflow_experiment\":null},\"tags\":{\"b\":null},\"assessments\":[],"
      "\"trace_metadata\":{\"mlflow.trace.tokenUsage\":null}}",
      "{\"trace_location\":{\"type\":\"INFERENCE_TABLE\"},\"tags\":{},\"assessments\":[null]}"};
  for (size_t i = 0; i < COUNT(traces); i++) {
    for (size_t j = 0; j < COUNT(unknown); j++) {
      const shown_case it = {traces[i], unknown[j], "NULL"};
      assert_int_equal(trace_shows(&it), SQLITE_OK);
    }
    const shown_case status = {traces[i], "status", "'STATE_UNSPECIFIED'"};
    assert_int_equal(trace_shows(&status), SQLITE_OK);
  }
  static const shown_case cases[] = {
      {"{}", "tags", "'{}'"},
      {"{\"tags\":null}", "tags", "'{}'"},
      {"{\"trace_metadata\":{ }}", "metadata", "'{}'"},
      {"{}", "metadata", "'{}'"},
      {"{}", "assessments", "'[]'"},
      {"{\"assessments\":null}", "assessments", "'[]'"},
      /* The end is unknown without the start, and where it would not fit. */
      {"{\"execution_duration\":\"1s\"}", "end_time_ms", "NULL"},
      {"{\"request_time\":\"2026-11-23T11:59:23Z\"}", "end_time_ms", "NULL"},
      {"{\"request_time\":\"2026-11-23T11:59:23Z\",\"execution_duration\":\"-1s\"}", "end_time_ms",
       "1795435162000"},
      {"{\"request_time\":\"2026-11-23T11:59:23Z\",\"execution_duration\":\"9223372036854775s\"}",
       "end_time_ms", "NULL"},
  };
  TRACE_CASES(cases);
}

#define METADATA(key, text) "{\"trace_metadata\":{\"" key "\":\"" text "\"}}"
#define TOKENS(text)        METADATA("mlflow.trace.tokenUsage", text)

/* Whoever logged the trace wrote these texts: what is no number counts as absent. */
static void numbers_are_in_texts(void **state) {
  (void)state;
  static const shown_case cases[] = {
      {METADATA("mlflow.trace.sizeBytes", "-5"), "size_bytes", "-5"},
      {METADATA("mlflow.trace.sizeBytes", "9223372036854775807"), "size_bytes",
       "9223372036854775807"},
      {METADATA("mlflow.trace.sizeBytes", "9223372036854775808"), "size_bytes", "NULL"},
      {METADATA("mlflow.trace.sizeBytes", "5.0"), "size_bytes", "NULL"},
      {METADATA("mlflow.trace.sizeBytes", "5 "), "size_bytes", "NULL"},
      {METADATA("mlflow.trace.sizeBytes", ""), "size_bytes", "NULL"},
      {METADATA("mlflow.trace.sizeBytes", "five"), "size_bytes", "NULL"},
      {TOKENS("{\\\"total_tokens\\\": 7}"), "total_tokens", "7"},
      {TOKENS("{\\\"total_tokens\\\": 7.5}"), "total_tokens", "7.5"},
      {TOKENS("{\\\"total_tokens\\\": true}"), "total_tokens", "1"},
      {TOKENS("{\\\"total_tokens\\\": NaN, \\\"input_tokens\\\": 2}"), "total_tokens", "NULL"},
      {TOKENS("{\\\"total_tokens\\\": NaN, \\\"input_tokens\\\": 2}"), "input_tokens", "2"},
      {TOKENS("{\\\"total_tokens\\\": \\\"7\\\"}"), "total_tokens", "NULL"},
      {TOKENS("{\\\"total_tokens\\\": [7]}"), "total_tokens", "NULL"},
      {TOKENS("{\\\"total_tokens\\\": null}"), "total_tokens", "NULL"},
      {TOKENS("{\\\"total_tokens\\\": 7"), "total_tokens", "NULL"},
      {TOKENS("{\\\"total_tokens\\\": 7, \\\"more\\\": {\\\"a\\\": [[1]]}}"), "total_tokens", "7"},
      {TOKENS("[7]"), "total_tokens", "NULL"},
      {TOKENS(""), "total_tokens", "NULL"},
  };
  TRACE_CASES(cases);
}

#define FEEDBACK(more) "{\"assessments\":[" more "]}"
#define GOOD(value, more)                                                                          \
  "{\"assessment_name\":\"good\",\"feedback\":{\"value\":" value "}" more "}"

static void the_latest_valid_feedback_counts(void **state) {
  (void)state;
  static const shown_case cases[] = {
      {FEEDBACK(GOOD("1", "")), "feedback.good", "1"},
      {FEEDBACK(GOOD("1", "") ",null," GOOD("2", "")), "feedback.good", "2"},
      {FEEDBACK(GOOD("1", ",\"create_time\":\"2026-01-02T00:00:00Z\"") "," GOOD(
           "2", ",\"create_time\":\"2026-01-01T00:00:00Z\"")),
       "feedback.good", "1"},
      {FEEDBACK(GOOD("1", ",\"create_time\":\"2026-01-02T00:00:00Z\"") "," GOOD("2", "")),
       "feedback.good", "1"},
      {FEEDBACK(GOOD("1", "") "," GOOD("2", ",\"valid\":false")), "feedback.good", "1"},
      {FEEDBACK(GOOD("1", "") "," GOOD("2", ",\"valid\":true")), "feedback.good", "2"},
      {FEEDBACK(GOOD("1", ",\"valid\":false")), "feedback.good", "NULL"},
      {FEEDBACK("{\"assessment_name\":\"good\",\"expectation\":{\"value\":1}}"), "feedback.good",
       "NULL"},
      {FEEDBACK("{\"assessment_name\":\"Good\",\"feedback\":{\"value\":1}}"), "feedback.good",
       "NULL"},
      {FEEDBACK("{\"feedback\":{\"value\":1}}"), "feedback.good", "NULL"},
      {FEEDBACK("{\"assessment_name\":\"good\",\"feedback\":{\"error\":{}}}"), "feedback.good",
       "NULL"},
      {FEEDBACK(GOOD("\"\\u0041\\u0000\"", "")), "feedback.good", "'A\\u0000'"},
      {FEEDBACK(GOOD("[1, {\"a\": null}]", "")), "feedback.good", "'[1,{\"a\":null}]'"},
      {FEEDBACK(GOOD("0.50", "")), "feedback.good", "0.5"},
  };
  TRACE_CASES(cases);
}

#define TIMED "\"request_time\":\"2026-11-23T11:59:23Z\""

/* Nothing of a wrong shape passes for nothing at all. */
static void what_has_a_wrong_shape_is_an_error(void **state) {
  (void)state;
  static const shown_case cases[] = {
      {"{\"trace_id\":5}", "trace_id", ".trace_id is a number, where a string belongs"},
      {"{\"state\":1}", "status", ".state is a number, where a string belongs"},
      {"{\"request_preview\":{}}", "request_preview",
       ".request_preview is an object, where a string belongs"},
      {"{\"trace_location\":\"7\"}", "experiment_id",
       ".trace_location is a string, where an object belongs"},
      {"{\"trace_location\":{\"mlflow_experiment\":7}}", "experiment_id",
       ".trace_location.mlflow_experiment is a number, where an object belongs"},
      {"{\"trace_location\":{\"mlflow_experiment\":{\"experiment_id\":7}}}", "experiment_id",
       ".trace_location.mlflow_experiment.experiment_id is a number, where a string belongs"},
      {"{\"request_time\":1795435163950}", "timestamp_ms",
       ".request_time is a number, where a string belongs"},
      {"{\"request_time\":\"noon\"}", "timestamp_ms",
       ".request_time is a string, where a time belongs"},
      {"{\"request_time\":\"noon\"}", "request_time",
       ".request_time is a string, where a time belongs"},
      {"{\"request_time\":\"noon\"}", "end_time_ms",
       ".request_time is a string, where a time belongs"},
      {"{\"execution_duration\":1.5}", "execution_time_ms",
       ".execution_duration is a number, where a string belongs"},
      {"{\"execution_duration\":\"long\"}", "execution_time_ms",
       ".execution_duration is a string, where a duration belongs"},
      {"{" TIMED ",\"execution_duration\":\"\"}", "end_time_ms",
       ".execution_duration is a string, where a duration belongs"},
      {"{\"tags\":[]}", "tags", ".tags is an array, where an object belongs"},
      {"{\"tags\":[]}", "tags.b", ".tags is an array, where an object belongs"},
      {"{\"tags\":{\"b\":1}}", "tags.b", ".tags.b is a number, where a string belongs"},
      {"{\"tags\":{\"mlflow.traceName\":[]}}", "name",
       ".tags.mlflow.traceName is an array, where a string belongs"},
      {"{\"trace_metadata\":\"\"}", "metadata",
       ".trace_metadata is a string, where an object belongs"},
      {"{\"trace_metadata\":\"\"}", "session_id",
       ".trace_metadata is a string, where an object belongs"},
      {"{\"trace_metadata\":{\"mlflow.trace.tokenUsage\":{\"total_tokens\":1}}}", "total_tokens",
       ".trace_metadata.mlflow.trace.tokenUsage is an object, where a string belongs"},
      {"{\"trace_metadata\":{\"mlflow.trace.sizeBytes\":5}}", "size_bytes",
       ".trace_metadata.mlflow.trace.sizeBytes is a number, where a string belongs"},
      {"{\"assessments\":{}}", "assessments", ".assessments is an object, where an array belongs"},
      {"{\"assessments\":{}}", "feedback.good",
       ".assessments is an object, where an array belongs"},
      {"{\"assessments\":[null,7]}", "feedback.good",
       ".assessments[1] is a number, where an object belongs"},
      {"{\"assessments\":[{\"feedback\":1}]}", "feedback.good",
       ".assessments[0].feedback is a number, where an object belongs"},
      {"{\"assessments\":[{\"assessment_name\":1}]}", "feedback.good",
       ".assessments[0].assessment_name is a number, where a string belongs"},
      {FEEDBACK(GOOD("1", ",\"valid\":\"no\"")), "feedback.good",
       ".assessments[0].valid is a string, where true or false belongs"},
      {FEEDBACK(GOOD("1", ",\"create_time\":\"noon\"")), "feedback.good",
       ".assessments[0].create_time is a string, where a time belongs"},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    shown_fails(mlf_trace_value, &schema, "traces", &cases[i]);
}

#define PLACED "\"trace_location\":{\"mlflow_experiment\":{\"experiment_id\":\"7\"}}"
#define WANTED " is an object, where a trace with trace_id, experiment_id and request_time belongs"

/* What a walk stands on is there and right, or the page is an error. */
static void traces_are_checked(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"{\"trace_id\":\"a\"," PLACED "," TIMED "}", NULL},
      {"{" PLACED "," TIMED "}", WANTED},
      {"{\"trace_id\":\"\"," PLACED "," TIMED "}", WANTED},
      {"{\"trace_id\":null," PLACED "," TIMED "}", WANTED},
      {"{\"trace_id\":\"a\"," TIMED "}", WANTED},
      {"{\"trace_id\":\"a\"," PLACED "}", WANTED},
      {"{\"trace_id\":7," PLACED "," TIMED "}", ".trace_id is a number, where a string belongs"},
      {"{\"trace_id\":\"a\",\"trace_location\":[]," TIMED "}",
       ".trace_location is an array, where an object belongs"},
      {"{\"trace_id\":\"a\"," PLACED ",\"request_time\":\"noon\"}",
       ".request_time is a string, where a time belongs"},
      {"7", " is a number, where a trace with trace_id, experiment_id and request_time belongs"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_error error = {0};
    int64_t ms = 77, again = 77;
    char *text = sqlite3_mprintf("{\"traces\":[%s]}", cases[i][0]);
    mlf_json *json = trace_json(text);
    const mlf_json_node *node = mlf_json_first(mlf_json_member(mlf_json_root(json), "traces"));
    assert_int_equal(mlf_trace_check(json, node, &ms, &error),
                     cases[i][1] ? SQLITE_ERROR : SQLITE_OK);
    if (cases[i][1]) {
      char *expected = sqlite3_mprintf("traces[0]%s", cases[i][1]);
      assert_string_equal(error.text, expected);
      sqlite3_free(expected);
    } else {
      assert_int_equal(ms, 1795435163000);
      assert_true(mlf_trace_timestamp(node, &again));
      assert_int_equal(again, ms);
      assert_string_equal(mlf_trace_id(node), "a");
      assert_string_equal(mlf_trace_experiment_id(node), "7");
    }
    mlf_error_clear(&error);
    mlf_json_free(json);
    sqlite3_free(text);
  }
  int64_t ms;
  mlf_json *json = trace_json("{\"trace_id\":7,\"trace_location\":{},\"request_time\":\"noon\"}");
  assert_null(mlf_trace_id(mlf_json_root(json))); /* of one that was not checked */
  assert_null(mlf_trace_experiment_id(mlf_json_root(json)));
  assert_false(mlf_trace_timestamp(mlf_json_root(json), &ms));
  mlf_json_free(json);
}

static int value_without_memory(void *context) {
  return trace_shows(context);
}

static void memory_may_run_out(void **state) {
  (void)state;
  shown_case cases[] = {
      {trace, "request_time", "'2026-11-23 11:59:23.950'"},
      {trace, "tags", "'{\"b\":\"A\",\"mlflow.traceName\":\"ask\"}'"},
      {trace, "total_tokens", "9"},
      {trace, "feedback.good", "1"},
      {FEEDBACK(GOOD("[1, 2]", "")), "feedback.good", "'[1,2]'"},
      {TOKENS("{\\\"total_tokens\\\": [7]}"), "total_tokens", "NULL"},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    assert_int_equal(oom_loop(value_without_memory, &cases[i]), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_column_has_its_place),
      cmocka_unit_test(what_is_not_there_is_unknown),
      cmocka_unit_test(numbers_are_in_texts),
      cmocka_unit_test(the_latest_valid_feedback_counts),
      cmocka_unit_test(what_has_a_wrong_shape_is_an_error),
      cmocka_unit_test(traces_are_checked),
      cmocka_unit_test(memory_may_run_out),
  };
  mlf_error error = {0};
  if (mlf_schema_init_traces(&schema) != SQLITE_OK) return 1;
  if (mlf_schema_declare(&schema, "tags", "b", NULL, &error) != SQLITE_OK) return 1;
  if (mlf_schema_declare(&schema, "metadata", "mlflow.sourceRun", NULL, &error) != SQLITE_OK)
    return 1;
  if (mlf_schema_declare(&schema, "feedback", "good", NULL, &error) != SQLITE_OK) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  mlf_schema_clear(&schema);
  return failures;
}
