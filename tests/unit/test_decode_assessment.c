/* test_decode_assessment.c: what model/decode_assessment.h promises. */
#include "model/decode_assessment.h"

#include <string.h>

#include "oom.h"

static mlf_schema schema;

/* The value of a column of one assessment, as SQLite's quote() would write it, e.g. 'text', 1.5 or
** NULL; free with sqlite3_free. NULL: no memory. */
static char *shown(const mlf_json *json, const char *name, int *rc) {
  mlf_value value;
  int index = mlf_schema_find(&schema, name);
  assert_true(index >= 0);
  *rc = mlf_assessment_value(json, mlf_json_root(json), &schema.columns[index], &value);
  switch (value.type) {
  case MLF_NULL: return sqlite3_mprintf("NULL");
  case MLF_INTEGER: return sqlite3_mprintf("%lld", (sqlite3_int64)value.integer);
  case MLF_REAL: return sqlite3_mprintf("%!.17g", value.real);
  default: return sqlite3_mprintf("'%.*s'", (int)value.length, value.text);
  }
}

typedef struct assessment_case {
  const char *json;
  const char *column;
  const char *expected;
} assessment_case;

static int assessment_shows(const assessment_case *each) {
  mlf_json *json;
  mlf_error error = {0};
  int rc = mlf_json_parse(each->json, strlen(each->json), &json, &error);
  mlf_error_clear(&error);
  if (rc != SQLITE_OK) return rc;
  char *text = shown(json, each->column, &rc);
  if (rc == SQLITE_OK && text) assert_string_equal(text, each->expected);
  if (!text) rc = SQLITE_NOMEM;
  sqlite3_free(text);
  mlf_json_free(json);
  return rc;
}

#define ASSESSMENT_CASES(cases)                                                                    \
  for (size_t i = 0; i < sizeof(cases) / sizeof((cases)[0]); i++)                                  \
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
  static const assessment_case cases[] = {
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
      {feedback, "metadata", "'{\"mlflow.assessment.sourceRunId\":\"run-1\", \"k\":\"v\"}'"},
  };
  ASSESSMENT_CASES(cases);
}

static void values_have_types_of_their_own(void **state) {
  (void)state;
  static const assessment_case cases[] = {
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
      {"{\"feedback\":{\"value\":[1, \"a\"]}}", "value", "'[1, \"a\"]'"},
      {"{\"feedback\":{\"value\":{\"a\": 1}}}", "value_json", "'{\"a\": 1}'"},
      {"{\"feedback\":{\"value\":[1]}}", "value_num", "NULL"},
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
  static const assessment_case cases[] = {
      {SERIALIZED("[1, \\\"a\\\"]"), "value", "'[1, \"a\"]'"},
      {SERIALIZED("[1, \\\"a\\\"]"), "value_json", "'[1, \"a\"]'"},
      {SERIALIZED("[1, \\\"a\\\"]"), "value_num", "NULL"},
      {SERIALIZED("{\\\"a\\\": null}"), "value", "'{\"a\": null}'"},
      {SERIALIZED("null"), "value", "NULL"},
      {SERIALIZED("null"), "value_json", "NULL"},
      {SERIALIZED("1.5"), "value", "1.5"},
      {SERIALIZED("1.5"), "value_json", "'1.5'"},
      {SERIALIZED("1.5"), "value_num", "1.5"},
      {SERIALIZED("true"), "value", "1"},
      {SERIALIZED("{"), "value", "NULL"}, /* what is no JSON is unknown */
      {SERIALIZED(""), "value_json", "NULL"},
  };
  ASSESSMENT_CASES(cases);
}

static void failed_feedback_has_an_error(void **state) {
  (void)state;
  static const char failed[] = "{\"feedback\":{\"error\":{\"error_code\":\"ValueError\","
                               "\"error_message\":\"no\\nway\",\"stack_trace\":\"…\"}}}";
  static const assessment_case cases[] = {
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
  static const assessment_case cases[] = {
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
      {"[]", "name", "NULL"},
      {"{\"assessment_name\":5,\"source\":[],\"metadata\":null,\"create_time\":5}", "name", "NULL"},
      {"{\"assessment_name\":5,\"source\":[],\"metadata\":null}", "source_id", "NULL"},
      {"{\"assessment_name\":5,\"source\":[],\"metadata\":null}", "metadata", "'{}'"},
      {"{\"create_time\":\"yesterday\"}", "create_time_ms", "NULL"},
  };
  ASSESSMENT_CASES(cases);
}

static int serialized_without_memory(void *context) {
  static const assessment_case scalar = {SERIALIZED("1.5"), "value", "1.5"};
  (void)context;
  return assessment_shows(&scalar);
}

static void memory_may_run_out(void **state) {
  (void)state;
  assert_int_equal(oom_loop(serialized_without_memory, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_column_has_its_place),
      cmocka_unit_test(values_have_types_of_their_own),
      cmocka_unit_test(expectations_may_be_serialized),
      cmocka_unit_test(failed_feedback_has_an_error),
      cmocka_unit_test(what_is_not_there_is_unknown),
      cmocka_unit_test(memory_may_run_out),
  };
  if (mlf_schema_init_assessments(&schema) != SQLITE_OK) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  mlf_schema_clear(&schema);
  return failures;
}
