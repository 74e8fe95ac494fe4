/* test_decode_assessment.c: what model/decode_assessment.h promises. */
#include "model/decode_assessment.h"

#include <string.h>

#include "base/limits.h"
#include "oom.h"
#include "shown.h"

static mlf_schema schema;

static int assessment_shows(const shown_case *each) {
  return shown_check(mlf_assessment_value, &schema, each);
}

#define ASSESSMENT_CASES(cases)                                                                    \
  for (size_t i = 0; i < COUNT(cases); i++)                                                        \
  assert_int_equal(assessment_shows(&(cases)[i]), SQLITE_OK)

/* Feedback as MLflow 3.17.2 sends it. */
static const char feedback[] =
    "{\"assessment_id\":\"a-1\",\"assessment_name\":\"concise\",\"trace_id\":\"tr-1\","
    "\"span_id\":\"00f067aa0ba902b7\","
    "\"source\":{\"source_type\":\"LLM_JUDGE\",\"source_id\":\"gpt\"},"
    "\"create_time\":\"2026-11-23T11:59:23.950Z\",\"last_update_time\":\"2026-11-23T12:00:00Z\","
    "\"feedback\":{\"value\":\"no\"},\"rationale\":\"too \\\"long\\\"\",\"overrides\":\"a-0\","
    "\"metadata\":{\"mlflow.assessment.sourceRunId\":\"run-1\", \"k\":\"v\"},\"valid\":true}";

static void each_column_has_its_place(void **state) {
  (void)state;
  static const shown_case cases[] = {
      {feedback, "assessment_id", "'a-1'"},
      {feedback, "span_id", "'00f067aa0ba902b7'"},
      {feedback, "name", "'concise'"},
      {feedback, "assessment_type", "'feedback'"},
      {feedback, "value", "'no'"},
      {feedback, "value_json", "'\"no\"'"},
      {feedback, "value_num", "NULL"},
      {feedback, "rationale", "'too \"long\"'"},
      {feedback, "error_code", "NULL"},
      {feedback, "error_message", "NULL"},
      {feedback, "source_type", "'LLM_JUDGE'"},
      {feedback, "source_id", "'gpt'"},
      {feedback, "run_id", "'run-1'"},
      {feedback, "create_time_ms", "1795435163950"},
      {feedback, "last_update_time_ms", "1795435200000"},
      {feedback, "valid", "1"},
      {feedback, "overrides", "'a-0'"},
      {feedback, "metadata", "'{\"k\":\"v\",\"mlflow.assessment.sourceRunId\":\"run-1\"}'"},
  };
  ASSESSMENT_CASES(cases);
}

static void values_have_types_of_their_own(void **state) {
  (void)state;
  static const shown_case cases[] = {
      {"{\"feedback\":{\"value\":true}}", "value", "1"},
      {"{\"feedback\":{\"value\":true}}", "value_json", "'true'"},
      {"{\"feedback\":{\"value\":true}}", "value_num", "1"},
      {"{\"feedback\":{\"value\":false}}", "value", "0"},
      {"{\"feedback\":{\"value\":false}}", "value_num", "0"},
      {"{\"feedback\":{\"value\":3}}", "value", "3"},
      {"{\"feedback\":{\"value\":3.0}}", "value", "3.0"},
      {"{\"feedback\":{\"value\":3.0}}", "value_json", "'3.0'"},
      {"{\"feedback\":{\"value\":-0.5}}", "value_num", "-0.5"},
      {"{\"feedback\":{\"value\":9223372036854775807}}", "value_num", "9223372036854775807"},
      {"{\"feedback\":{\"value\":\"3\"}}", "value", "'3'"},
      {"{\"feedback\":{\"value\":\"3\"}}", "value_num", "NULL"}, /* a text is no number */
      {"{\"feedback\":{\"value\":\"\"}}", "value", "''"},
      {"{\"feedback\":{\"value\":null}}", "value", "NULL"},
      {"{\"feedback\":{\"value\":null}}", "value_json", "NULL"},
      {"{\"feedback\":{\"value\":[1, \"a\"]}}", "value", "'[1,\"a\"]'"},
      {"{\"feedback\":{\"value\":{\"a\": 1}}}", "value_json", "'{\"a\":1}'"},
      {"{\"feedback\":{\"value\":[1]}}", "value_num", "NULL"},
      {"{\"feedback\":{\"value\":\"\\u0041\\u0000\"}}", "value", "'A\\u0000'"},
      {"{\"feedback\":{\"value\":\"\\u0041\\u0000\"}}", "value_json", "'\"A\\u0000\"'"},
      {"{\"feedback\":{\"value\":1.50}}", "value_json", "'1.50'"},
      {"{\"expectation\":{\"value\":\"x\"}}", "value", "'x'"},
      {"{\"expectation\":{\"value\":\"x\"}}", "assessment_type", "'expectation'"},
  };
  ASSESSMENT_CASES(cases);
}

#define SERIALIZED(value)                                                                          \
  "{\"expectation\":{\"serialized_value\":{\"serialization_format\":\"JSON_FORMAT\","              \
  "\"value\":\"" value "\"}}}"

static void expectations_may_be_serialized(void **state) {
  (void)state;
  static const shown_case cases[] = {
      {SERIALIZED("[1, \\\"a\\\"]"), "value", "'[1,\"a\"]'"},
      {SERIALIZED("[1, \\\"a\\\"]"), "value_json", "'[1,\"a\"]'"},
      {SERIALIZED("[1, \\\"a\\\"]"), "value_num", "NULL"},
      {SERIALIZED("{\\\"a\\\": null}"), "value", "'{\"a\":null}'"},
      {SERIALIZED("null"), "value", "NULL"},
      {SERIALIZED("null"), "value_json", "NULL"},
      {SERIALIZED("1.5"), "value", "1.5"},
      {SERIALIZED("1.5"), "value_json", "'1.5'"},
      {SERIALIZED("1.5"), "value_num", "1.5"},
      {SERIALIZED("true"), "value", "1"},
      {SERIALIZED("{"), "value", "NULL"}, /* what is no JSON is unknown */
      {SERIALIZED(""), "value_json", "NULL"},
      {SERIALIZED("\\\"x\\\""), "value", "'x'"},
      {SERIALIZED("\\\"x\\\""), "value_json", "'\"x\"'"},
      {SERIALIZED("\\\"x\\\""), "value_num", "NULL"},
      {SERIALIZED("[NaN, 1]"), "value", "'[null,1]'"}, /* as Python writes it */
      {SERIALIZED("Infinity"), "value", "NULL"},
      {SERIALIZED("[[[[]]]]"), "value", "'[[[[]]]]'"},
      {"{\"expectation\":{\"serialized_value\":{}}}", "value", "NULL"},
      {"{\"expectation\":{\"serialized_value\":null}}", "value", "NULL"},
      {"{\"expectation\":{\"value\":1,\"serialized_value\":{\"value\":\"2\"}}}", "value", "1"},
  };
  ASSESSMENT_CASES(cases);
}

static void failed_feedback_has_an_error(void **state) {
  (void)state;
  static const char failed[] = "{\"feedback\":{\"error\":{\"error_code\":\"ValueError\","
                               "\"error_message\":\"no\\nway\",\"stack_trace\":\"…\"}}}";
  static const shown_case cases[] = {
      {failed, "assessment_type", "'feedback'"},
      {failed, "value", "NULL"},
      {failed, "value_json", "NULL"},
      {failed, "error_code", "'ValueError'"},
      {failed, "error_message", "'no\nway'"},
  };
  ASSESSMENT_CASES(cases);
}

static void what_is_not_there_is_unknown(void **state) {
  (void)state;
  static const shown_case cases[] = {
      {"{}", "assessment_id", "NULL"},
      {"{}", "assessment_type", "NULL"},
      {"{}", "value", "NULL"},
      {"{}", "run_id", "NULL"},
      {"{}", "create_time_ms", "NULL"},
      {"{}", "valid", "NULL"},
      {"{}", "metadata", "'{}'"},
      {"{\"issue\":{\"issue_name\":\"slow\"},\"valid\":false}", "assessment_type", "'issue'"},
      {"{\"issue\":{\"issue_name\":\"slow\"},\"valid\":false}", "value", "NULL"},
      {"{\"issue\":{\"issue_name\":\"slow\"},\"valid\":false}", "valid", "0"},
      {"{\"assessment_name\":null,\"source\":null,\"create_time\":null}", "name", "NULL"},
      {"{\"assessment_name\":null,\"source\":null,\"create_time\":null}", "source_id", "NULL"},
      {"{\"assessment_name\":null,\"source\":null,\"create_time\":null}", "create_time_ms", "NULL"},
      {"{\"metadata\":null,\"valid\":null}", "metadata", "'{}'"},
      {"{\"metadata\":null,\"valid\":null}", "run_id", "NULL"},
      {"{\"metadata\":null,\"valid\":null}", "valid", "NULL"},
      {"{\"feedback\":null}", "assessment_type", "NULL"},
      {"{\"feedback\":null,\"expectation\":{\"value\":5}}", "assessment_type", "'expectation'"},
      {"{\"feedback\":null,\"expectation\":{\"value\":5}}", "value", "5"},
      {"{\"feedback\":null}", "value", "NULL"},
      {"{\"feedback\":null}", "error_code", "NULL"},
      {"{\"feedback\":{\"error\":null}}", "error_code", "NULL"},
  };
  ASSESSMENT_CASES(cases);
}

/* Nothing of a wrong shape passes for nothing at all. */
static void what_has_a_wrong_shape_is_an_error(void **state) {
  (void)state;
  static const shown_case cases[] = {
      {"[]", "name", " is an array, where an object belongs"},
      {"7", "value", " is a number, where an object belongs"},
      {"null", "metadata", " is null, where an object belongs"},
      {"{\"assessment_id\":5}", "assessment_id",
       ".assessment_id is a number, where a string belongs"},
      {"{\"assessment_name\":5}", "name", ".assessment_name is a number, where a string belongs"},
      {"{\"rationale\":[]}", "rationale", ".rationale is an array, where a string belongs"},
      {"{\"source\":[]}", "source_id", ".source is an array, where an object belongs"},
      {"{\"source\":{\"source_type\":7}}", "source_type",
       ".source.source_type is a number, where a string belongs"},
      {"{\"metadata\":\"{}\"}", "metadata", ".metadata is a string, where an object belongs"},
      {"{\"metadata\":\"{}\"}", "run_id", ".metadata is a string, where an object belongs"},
      {"{\"metadata\":{\"mlflow.assessment.sourceRunId\":7}}", "run_id",
       ".metadata.mlflow.assessment.sourceRunId is a number, where a string belongs"},
      {"{\"create_time\":5}", "create_time_ms", ".create_time is a number, where a string belongs"},
      {"{\"create_time\":\"yesterday\"}", "create_time_ms",
       ".create_time is a string, where a time belongs"},
      {"{\"create_time\":\"\"}", "create_time_ms",
       ".create_time is a string, where a time belongs"},
      {"{\"valid\":\"true\"}", "valid", ".valid is a string, where true or false belongs"},
      {"{\"valid\":1}", "valid", ".valid is a number, where true or false belongs"},
      {"{\"feedback\":true}", "value", ".feedback is true, where an object belongs"},
      {"{\"feedback\":true}", "assessment_type", ".feedback is true, where an object belongs"},
      {"{\"feedback\":true}", "error_code", ".feedback is true, where an object belongs"},
      {"{\"feedback\":{\"error\":\"x\"}}", "error_code",
       ".feedback.error is a string, where an object belongs"},
      {"{\"feedback\":{\"error\":{\"error_message\":7}}}", "error_message",
       ".feedback.error.error_message is a number, where a string belongs"},
      {"{\"expectation\":{\"serialized_value\":\"1\"}}", "value",
       ".expectation.serialized_value is a string, where an object belongs"},
      {"{\"expectation\":{\"serialized_value\":{\"value\":1}}}", "value_json",
       ".expectation.serialized_value.value is a number, where a string belongs"},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    shown_fails(mlf_assessment_value, &schema, "assessments", &cases[i]);
}

/* A text that holds JSON is a document of its own, with limits of its own. */
static void what_is_serialized_may_be_too_deep(void **state) {
  (void)state;
  for (int levels = MLF_JSON_DEPTH_MAX; levels <= MLF_JSON_DEPTH_MAX + 1; levels++) {
    mlf_json *json;
    mlf_error error = {0};
    int rc;
    sqlite3_str *out = sqlite3_str_new(NULL);
    sqlite3_str_appendall(out, "{\"expectation\":{\"serialized_value\":{\"value\":\"");
    sqlite3_str_appendchar(out, levels, '[');
    sqlite3_str_appendchar(out, levels, ']');
    sqlite3_str_appendall(out, "\"}}}");
    char *text = sqlite3_str_finish(out);
    assert_int_equal(mlf_json_parse_take(text, strlen(text), (mlf_json_options){0}, &json, &error),
                     SQLITE_OK);
    char *value = shown_column(mlf_assessment_value, &schema, json, mlf_json_root(json), "value",
                               &rc, &error);
    assert_int_equal(rc, levels > MLF_JSON_DEPTH_MAX ? SQLITE_TOOBIG : SQLITE_OK);
    if (value) assert_int_equal(strlen(value), 2 + 2 * levels);
    if (!value) assert_non_null(strstr(error.text, "MLF_JSON_DEPTH_MAX"));
    sqlite3_free(value);
    mlf_error_clear(&error);
    mlf_json_free(json);
  }
}

static int value_without_memory(void *context) {
  return assessment_shows(context);
}

static void memory_may_run_out(void **state) {
  (void)state;
  shown_case cases[] = {
      {SERIALIZED("1.5"), "value", "1.5"},
      {SERIALIZED("\\\"x\\\""), "value", "'x'"},
      {SERIALIZED("[1, NaN]"), "value", "'[1,null]'"},
      {SERIALIZED("[1, NaN]"), "value_num", "NULL"},
      {"{\"feedback\":{\"value\":[1, 2]}}", "value_json", "'[1,2]'"},
      {"{\"metadata\":{\"a\": \"b\"}}", "metadata", "'{\"a\":\"b\"}'"},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    assert_int_equal(oom_loop(value_without_memory, &cases[i]), 0);
  shown_case refused = {SERIALIZED("{"), "value", "NULL"};
  oom_loop(value_without_memory, &refused); /* to refuse it takes less than to read it */
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_column_has_its_place),
      cmocka_unit_test(values_have_types_of_their_own),
      cmocka_unit_test(expectations_may_be_serialized),
      cmocka_unit_test(failed_feedback_has_an_error),
      cmocka_unit_test(what_is_not_there_is_unknown),
      cmocka_unit_test(what_has_a_wrong_shape_is_an_error),
      cmocka_unit_test(what_is_serialized_may_be_too_deep),
      cmocka_unit_test(memory_may_run_out),
  };
  if (mlf_schema_init_assessments(&schema) != SQLITE_OK) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  mlf_schema_clear(&schema);
  return failures;
}
