/* test_span_set.c: what model/span_set.h promises. */
#include "model/span_set.h"

#include <stdio.h>
#include <string.h>

#include "oom.h"

static mlf_schema schema;

/* The spans in a text, with the document that they stand in. */
typedef struct span_document {
  mlf_json *json;
  mlf_span_set *set;
} span_document;

static int spans_open(span_document *spans, const char *text, mlf_error *error) {
  memset(spans, 0, sizeof(*spans));
  int rc = mlf_json_parse(text, strlen(text), &spans->json, error);
  if (rc == SQLITE_OK)
    rc = mlf_span_set_new(spans->json, mlf_json_root(spans->json), &spans->set, error);
  return rc;
}

static void spans_close(span_document *spans) {
  mlf_span_set_free(spans->set);
  mlf_json_free(spans->json);
}

static span_document spans_of(const char *text) {
  span_document spans;
  mlf_error error = {0};
  assert_int_equal(spans_open(&spans, text, &error), SQLITE_OK);
  return spans;
}

/* A column's value as text: a text in quotes, a number, or NULL; free with sqlite3_free. */
static int spans_read(span_document *spans, size_t index, const char *name, char **text) {
  mlf_value value;
  int column = mlf_schema_find(&schema, name);
  assert_true(column >= 0);
  *text = NULL;
  int rc = mlf_span_set_value(spans->set, index, &schema.columns[column], &value);
  if (rc != SQLITE_OK) return rc;
  switch (value.type) {
  case MLF_NULL: *text = sqlite3_mprintf("NULL"); break;
  case MLF_INTEGER: *text = sqlite3_mprintf("%lld", (sqlite3_int64)value.integer); break;
  case MLF_REAL: *text = sqlite3_mprintf("%!.15g", value.real); break;
  default:
    assert_int_equal(value.length, strlen(value.text));
    *text = sqlite3_mprintf("'%s'", value.text);
  }
  return *text ? SQLITE_OK : SQLITE_NOMEM;
}

static void span_shows(span_document *spans, size_t index, const char *name, const char *expected) {
  char *text;
  assert_int_equal(spans_read(spans, index, name, &text), SQLITE_OK);
  assert_string_equal(text, expected);
  sqlite3_free(text);
}

typedef struct span_column {
  const char *name;
  const char *expected;
} span_column;

/* One span in each form that MLflow has had, all of the same meaning. */
static const char *const span_forms[] = {
    /* traces/batchGet of 3.17.2 */
    "[{\"trace_id\":\"AAAAABjqz56K6v93AAAAAQ==\",\"span_id\":\"APBnqgupArc=\",\"trace_state\":\"\","
    "\"parent_span_id\":\"/wAAAAAAAP8=\",\"name\":\"ask\",\"start_time_unix_nano\":"
    "1790000000123456789,\"end_time_unix_nano\":1790000002123456790,\"attributes\":["
    "{\"key\":\"mlflow.spanType\",\"value\":{\"string_value\":\"LLM\"}},"
    "{\"key\":\"mlflow.spanInputs\",\"value\":{\"kvlist_value\":{\"values\":[{\"key\":\"q\","
    "\"value\":{\"string_value\":\"why?\"}}]}}},"
    "{\"key\":\"mlflow.spanOutputs\",\"value\":{\"string_value\":\"so\"}},"
    "{\"key\":\"mlflow.llm.model\",\"value\":{\"string_value\":\"m-1\"}},"
    "{\"key\":\"mlflow.chat.tokenUsage\",\"value\":{\"kvlist_value\":{\"values\":["
    "{\"key\":\"input_tokens\",\"value\":{\"int_value\":7}}]}}},"
    "{\"key\":\"mlflow.llm.cost\",\"value\":{\"kvlist_value\":{\"values\":["
    "{\"key\":\"total_cost\",\"value\":{\"double_value\":0.25}}]}}}],"
    "\"events\":[{\"time_unix_nano\":1790000000123456790,\"name\":\"exception\",\"attributes\":["
    "{\"key\":\"exception.type\",\"value\":{\"string_value\":\"First\"}}]},"
    "{\"time_unix_nano\":1790000000123456791,\"name\":\"exception\",\"attributes\":["
    "{\"key\":\"exception.type\",\"value\":{\"string_value\":\"Last\"}}]}],"
    "\"links\":[{\"trace_id\":\"q6urq6urq6urq6urq6urqw==\",\"span_id\":\"zc3Nzc3Nzc0=\","
    "\"attributes\":[{\"key\":\"why\",\"value\":{\"string_value\":\"retry\"}}]}],"
    "\"status\":{\"message\":\"it failed\",\"code\":\"STATUS_CODE_ERROR\"}}]",
    /* files of 3.1 to 3.4, and from 3.6 on */
    "[{\"trace_id\":\"AAAAABjqz56K6v93AAAAAQ==\",\"span_id\":\"APBnqgupArc=\","
    "\"parent_span_id\":\"/wAAAAAAAP8=\",\"name\":\"ask\",\"start_time_unix_nano\":"
    "1790000000123456789,\"end_time_unix_nano\":1790000002123456790,\"events\":["
    "{\"name\":\"exception\",\"time_unix_nano\":1790000000123456790,\"attributes\":"
    "{\"exception.type\":\"First\"}},{\"name\":\"exception\",\"time_unix_nano\":"
    "1790000000123456791,\"attributes\":{\"exception.type\":\"Last\"}}],"
    "\"status\":{\"code\":\"STATUS_CODE_ERROR\",\"message\":\"it failed\"},\"attributes\":{"
    "\"mlflow.spanType\":\"\\\"LLM\\\"\",\"mlflow.spanInputs\":\"{\\\"q\\\":\\\"why?\\\"}\","
    "\"mlflow.spanOutputs\":\"\\\"so\\\"\",\"mlflow.llm.model\":\"\\\"m-1\\\"\","
    "\"mlflow.chat.tokenUsage\":\"{\\\"input_tokens\\\":7}\","
    "\"mlflow.llm.cost\":\"{\\\"total_cost\\\":0.25}\"},\"links\":[{\"trace_id\":"
    "\"tr-abababababababababababababababab\",\"span_id\":\"cdcdcdcdcdcdcdcd\",\"attributes\":"
    "{\"why\":\"retry\"}}]}]",
    /* files of 3.5.0: ids as the client shows them, status without its prefix */
    "[{\"trace_id\":\"tr-0000000018eacf9e8aeaff7700000001\",\"span_id\":\"00f067aa0ba902b7\","
    "\"parent_span_id\":\"ff000000000000ff\",\"name\":\"ask\",\"start_time_unix_nano\":"
    "1790000000123456789,\"end_time_unix_nano\":\"1790000002123456790\",\"events\":["
    "{\"name\":\"exception\",\"time_unix_nano\":1790000000123456790,\"attributes\":"
    "{\"exception.type\":\"First\"}},{\"name\":\"exception\",\"time_unix_nano\":"
    "1790000000123456791,\"attributes\":{\"exception.type\":\"Last\"}}],"
    "\"status\":{\"code\":\"ERROR\",\"message\":\"it failed\"},\"attributes\":{"
    "\"mlflow.spanType\":\"LLM\",\"mlflow.spanInputs\":\"{\\\"q\\\":\\\"why?\\\"}\","
    "\"mlflow.spanOutputs\":\"so\",\"mlflow.llm.model\":\"m-1\","
    "\"mlflow.chat.tokenUsage\":\"{\\\"input_tokens\\\":7}\","
    "\"mlflow.llm.cost\":\"{\\\"total_cost\\\":0.25}\"},\"links\":[{\"trace_id\":"
    "\"tr-abababababababababababababababab\",\"span_id\":\"cdcdcdcdcdcdcdcd\",\"attributes\":"
    "{\"why\":\"retry\"}}]}]",
    /* files of MLflow 2 */
    "[{\"name\":\"ask\",\"context\":{\"span_id\":\"0xf067aa0ba902b7\",\"trace_id\":"
    "\"0x18eacf9e8aeaff7700000001\"},\"parent_id\":\"0xFF000000000000FF\",\"start_time\":"
    "1790000000123456789,\"end_time\":1790000002123456790,\"status_code\":\"ERROR\","
    "\"status_message\":\"it failed\",\"attributes\":{\"mlflow.spanType\":\"\\\"LLM\\\"\","
    "\"mlflow.spanInputs\":\"{\\\"q\\\":\\\"why?\\\"}\",\"mlflow.spanOutputs\":\"\\\"so\\\"\","
    "\"mlflow.llm.model\":\"\\\"m-1\\\"\",\"mlflow.chat.tokenUsage\":"
    "\"{\\\"input_tokens\\\":7}\",\"mlflow.llm.cost\":\"{\\\"total_cost\\\":0.25}\"},"
    "\"events\":[{\"name\":\"exception\",\"timestamp\":1790000000123456790,\"attributes\":"
    "{\"exception.type\":\"First\"}},{\"name\":\"exception\",\"timestamp\":1790000000123456791,"
    "\"attributes\":{\"exception.type\":\"Last\"}}],\"links\":[{\"trace_id\":"
    "\"tr-abababababababababababababababab\",\"span_id\":\"cdcdcdcdcdcdcdcd\",\"attributes\":"
    "{\"why\":\"retry\"}}]}]"};

#define FORM_COUNT (sizeof(span_forms) / sizeof(span_forms[0]))

static const span_column span_meaning[] = {
    {"span_id", "'00f067aa0ba902b7'"},
    {"parent_span_id", "'ff000000000000ff'"},
    {"name", "'ask'"},
    {"span_type", "'LLM'"},
    {"status", "'ERROR'"},
    {"status_message", "'it failed'"},
    {"start_time_ns", "1790000000123456789"},
    {"end_time_ns", "1790000002123456790"},
    {"duration_ms", "2000.000001"},
    {"depth", "0"}, /* its parent is not here */
    {"child_count", "0"},
    {"self_time_ms", "2000.000001"},
    {"critical_path_ms", "2000.000001"},
    {"model_name", "'m-1'"},
    {"model_provider", "NULL"},
    {"input_tokens", "7"},
    {"output_tokens", "NULL"},
    {"total_cost", "0.25"},
    {"input_cost", "NULL"},
    {"exception_type", "'Last'"},
    {"exception_message", "NULL"},
    {"inputs", "'{\"q\":\"why?\"}'"},
    {"outputs", "'\"so\"'"},
    {"attributes", "'{\"mlflow.spanType\":\"LLM\",\"mlflow.spanInputs\":{\"q\":\"why?\"},"
                   "\"mlflow.spanOutputs\":\"so\",\"mlflow.llm.model\":\"m-1\","
                   "\"mlflow.chat.tokenUsage\":{\"input_tokens\":7},"
                   "\"mlflow.llm.cost\":{\"total_cost\":0.25}}'"},
    {"events", "'[{\"name\":\"exception\",\"timestamp\":1790000000123456790,\"attributes\":"
               "{\"exception.type\":\"First\"}},{\"name\":\"exception\",\"timestamp\":"
               "1790000000123456791,\"attributes\":{\"exception.type\":\"Last\"}}]'"},
    {"links", "'[{\"trace_id\":\"tr-abababababababababababababababab\",\"span_id\":"
              "\"cdcdcdcdcdcdcdcd\",\"attributes\":{\"why\":\"retry\"}}]'"},
};

#define MEANING_COUNT (sizeof(span_meaning) / sizeof(span_meaning[0]))

static void all_forms_mean_the_same(void **state) {
  (void)state;
  for (size_t form = 0; form < FORM_COUNT; form++) {
    print_message("form %zu\n", form);
    span_document spans = spans_of(span_forms[form]);
    assert_int_equal(mlf_span_set_count(spans.set), 1);
    for (size_t i = 0; i < MEANING_COUNT; i++)
      span_shows(&spans, 0, span_meaning[i].name, span_meaning[i].expected);
    spans_close(&spans);
  }
}

#define BARE(more) "[{\"span_id\":\"01\"" more "}]"

static void what_protobuf_leaves_out_is_zero_or_empty(void **state) {
  (void)state;
  static const span_column bare[] = {
      {"parent_span_id", "NULL"}, {"name", "''"},
      {"span_type", "'UNKNOWN'"}, {"status", "'UNSET'"},
      {"status_message", "NULL"}, {"start_time_ns", "0"},
      {"end_time_ns", "NULL"},    {"duration_ms", "NULL"},
      {"self_time_ms", "NULL"},   {"critical_path_ms", "NULL"},
      {"inputs", "NULL"},         {"attributes", "'{}'"},
      {"events", "'[]'"},         {"links", "'[]'"},
      {"exception_type", "NULL"},
  };
  span_document spans = spans_of(BARE(""));
  for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++)
    span_shows(&spans, 0, bare[i].name, bare[i].expected);
  spans_close(&spans);
}

static void a_span_without_id_or_start_is_refused(void **state) {
  (void)state;
  static const char *const refused[] = {
      "{\"start_time_unix_nano\":1}",
      "{\"span_id\":\"\",\"start_time_unix_nano\":1}",
      "{\"span_id\":7,\"start_time_unix_nano\":1}",
      "{\"context\":{},\"start_time\":1}",
      "{\"span_id\":\"01\",\"start_time_unix_nano\":null}",
      "{\"span_id\":\"01\",\"start_time_unix_nano\":-1}",
      "{\"span_id\":\"01\",\"start_time_unix_nano\":1.5}",
      "{\"span_id\":\"01\",\"start_time_unix_nano\":9223372036854775808}",
      "{\"span_id\":\"01\",\"start_time_unix_nano\":\"1 \"}",
      "{\"span_id\":\"01\",\"attributes\":{}}", /* files have it always */
      "7",
  };
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    char text[256];
    span_document spans;
    mlf_error error = {0};
    snprintf(text, sizeof(text), "[{\"span_id\":\"02\",\"start_time_unix_nano\":5},%s]",
             refused[i]);
    assert_int_equal(spans_open(&spans, text, &error), SQLITE_ERROR);
    assert_string_equal(error.text, "spans[1] of a trace lacks a span_id or a start");
    assert_null(spans.set);
    mlf_error_clear(&error);
    spans_close(&spans);
  }
}

static void odd_spans_are_rows(void **state) {
  (void)state;
  static const struct {
    const char *text, *name, *expected;
  } cases[] = {
      /* OpenTelemetry's id of zeros is none. */
      {BARE(",\"parent_span_id\":\"AAAAAAAAAAA=\""), "parent_span_id", "NULL"},
      {BARE(",\"parent_span_id\":\"0000000000000000\""), "parent_span_id", "NULL"},
      {BARE(",\"parent_span_id\":\"\""), "parent_span_id", "NULL"},
      {BARE(",\"parent_span_id\":null"), "parent_span_id", "NULL"},
      {BARE(",\"parent_span_id\":\"no id\""), "parent_span_id", "'no id'"},
      {BARE(",\"parent_span_id\":\"AAAA AAAAAA=\""), "parent_span_id", "'AAAA AAAAAA='"},
      {BARE(",\"parent_span_id\":\"11112222333344445\""), "parent_span_id", "'11112222333344445'"},
      {BARE(",\"end_time_unix_nano\":0"), "end_time_ns", "NULL"},
      {BARE(",\"end_time_unix_nano\":-5"), "end_time_ns", "NULL"},
      {BARE(",\"end_time_unix_nano\":\"x\""), "end_time_ns", "NULL"},
      {BARE(",\"end_time_unix_nano\":9223372036854775807"), "end_time_ns", "9223372036854775807"},
      {BARE(",\"start_time_unix_nano\":9,\"end_time_unix_nano\":4"), "duration_ms", "-5.0e-06"},
      {BARE(",\"start_time_unix_nano\":9,\"end_time_unix_nano\":4"), "self_time_ms", "0.0"},
      {BARE(",\"status\":{\"code\":2}"), "status", "'UNSET'"},
      {BARE(",\"events\":[{}]"), "events", "'[{\"name\":\"\",\"timestamp\":0,\"attributes\":{}}]'"},
      {BARE(",\"links\":[{}]"), "links",
       "'[{\"trace_id\":\"\",\"span_id\":\"\",\"attributes\":{}}]'"},
      {BARE(",\"attributes\":7"), "attributes", "'{}'"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    span_document spans = spans_of(cases[i].text);
    print_message("%s\n", cases[i].text);
    span_shows(&spans, 0, cases[i].name, cases[i].expected);
    spans_close(&spans);
  }
}

/* Inputs as a file has them: a text that holds JSON as Python writes it, or any text. */
static void file_values_are_what_python_reads(void **state) {
  (void)state;
  static const struct {
    const char *sent, *expected;
  } cases[] = {
      {"\"\\\"hello\\\"\"", "'\"hello\"'"},
      {"\"hello\"", "'\"hello\"'"},
      {"\"\"", "NULL"},
      {"\"null\"", "NULL"},
      {"null", "NULL"},
      {"7", "'7'"},
      {"{\"a\": [1]}", "'{\"a\": [1]}'"},
      {"\"{\\\"a\\\": [1, 2.50]}\"", "'{\"a\": [1, 2.50]}'"},
      {"\"1180591620717411303424\"", "'1180591620717411303424'"},
      {"\"{\\\"a\\\": NaN, \\\"b\\\": [-Infinity, Infinity], \\\"NaN\\\": \\\"\\\\\\\" NaN\\\"}\"",
       "'{\"a\": null, \"b\": [null, null], \"NaN\": \"\\\" NaN\"}'"},
      {"\"NaN\"", "NULL"},
      {"\"NaN or not\"", "'\"NaN or not\"'"},
      {"\"{\\\"cut\\\": \"", "'\"{\\\"cut\\\": \"'"},
      {"\"{\\\"a\\\": \\\"\\\\ud800 \\\\u0000\\\"}\"", "'{\"a\": \"\\ud800 \\u0000\"}'"},
      {"\"a\\u0000b\\ud800\\n\"", "'\"a\xef\xbf\xbd"
                                  "b\xef\xbf\xbd\\u000a\"'"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char text[512];
    snprintf(text, sizeof(text),
             BARE(",\"start_time\":1,\"attributes\":{\"mlflow.spanInputs\":%s}"), cases[i].sent);
    print_message("%s\n", cases[i].sent);
    span_document spans = spans_of(text);
    span_shows(&spans, 0, "inputs", cases[i].expected);
    spans_close(&spans);
  }
}

/* The order is by start, then as sent; the tree hangs together by ids, the first of equal ones. */
static void spans_are_in_the_order_of_their_starts(void **state) {
  (void)state;
  span_document spans = spans_of(
      "[{\"span_id\":\"0c\",\"parent_span_id\":\"0a\",\"start_time_unix_nano\":7,"
      "\"end_time_unix_nano\":9,\"name\":\"late\"},"
      "{\"span_id\":\"0b\",\"parent_span_id\":\"0a\",\"start_time_unix_nano\":5,"
      "\"end_time_unix_nano\":6,\"name\":\"sent first\"},"
      "{\"span_id\":\"0a\",\"start_time_unix_nano\":5,\"end_time_unix_nano\":10,\"name\":\"root\"},"
      "{\"span_id\":\"0d\",\"start_time_unix_nano\":1,\"end_time_unix_nano\":2,"
      "\"name\":\"another root\"},"
      "{\"span_id\":\"0a\",\"parent_span_id\":\"0a\",\"start_time_unix_nano\":8,"
      "\"end_time_unix_nano\":9,\"name\":\"of the same id\"},"
      "{\"span_id\":\"0e\",\"parent_span_id\":\"ff\",\"start_time_unix_nano\":0,"
      "\"name\":\"orphan\"}]");
  static const char *const names[] = {"'orphan'", "'another root'", "'sent first'",
                                      "'root'",   "'late'",         "'of the same id'"};
  static const char *const depths[] = {"0", "0", "1", "0", "1", "1"};
  assert_int_equal(mlf_span_set_count(spans.set), 6);
  for (size_t i = 0; i < 6; i++) {
    span_shows(&spans, i, "name", names[i]);
    span_shows(&spans, i, "depth", depths[i]);
  }
  span_shows(&spans, 0, "parent_span_id", "'00000000000000ff'");
  span_shows(&spans, 3, "child_count", "3");
  span_shows(&spans, 3, "self_time_ms", "2.0e-06");
  assert_int_equal(mlf_span_set_root(spans.set), 3); /* the first sent, not the earliest */
  spans_close(&spans);
}

static void a_set_may_have_no_spans_and_no_root(void **state) {
  (void)state;
  static const char *const none[] = {"[]", "{}", "null"};
  for (size_t i = 0; i < 3; i++) {
    span_document spans = spans_of(none[i]);
    assert_int_equal(mlf_span_set_count(spans.set), 0);
    assert_true(mlf_span_set_root(spans.set) == SIZE_MAX);
    spans_close(&spans);
  }
  span_document spans = spans_of(BARE(",\"parent_span_id\":\"02\""));
  assert_true(mlf_span_set_root(spans.set) == SIZE_MAX);
  spans_close(&spans);
}

/* Reads every column of a span; all values are right, or memory is said to be out. */
static int span_without_memory(void *context) {
  const char *text = context;
  span_document spans;
  mlf_error error = {0};
  int rc = spans_open(&spans, text, &error);
  assert_int_equal(rc, error.code);
  for (size_t i = 0; rc == SQLITE_OK && i < MEANING_COUNT; i++) {
    char *value;
    rc = spans_read(&spans, 0, span_meaning[i].name, &value);
    if (rc == SQLITE_OK) assert_string_equal(value, span_meaning[i].expected);
    sqlite3_free(value);
  }
  mlf_error_clear(&error);
  spans_close(&spans);
  return rc;
}

static int odd_value_without_memory(void *context) {
  (void)context;
  span_document spans;
  char *value = NULL;
  mlf_error error = {0};
  int rc = spans_open(
      &spans, BARE(",\"start_time\":1,\"attributes\":{\"mlflow.spanInputs\":\"[NaN]\"}"), &error);
  if (rc == SQLITE_OK) rc = spans_read(&spans, 0, "inputs", &value);
  if (rc == SQLITE_OK) assert_string_equal(value, "'[null]'");
  sqlite3_free(value);
  mlf_error_clear(&error);
  spans_close(&spans);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  for (size_t form = 0; form < FORM_COUNT; form++) {
    char *text = sqlite3_mprintf("%s", span_forms[form]);
    assert_int_equal(oom_loop(span_without_memory, text), 0);
    sqlite3_free(text);
  }
  assert_int_equal(oom_loop(odd_value_without_memory, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_forms_mean_the_same),
      cmocka_unit_test(what_protobuf_leaves_out_is_zero_or_empty),
      cmocka_unit_test(a_span_without_id_or_start_is_refused),
      cmocka_unit_test(odd_spans_are_rows),
      cmocka_unit_test(file_values_are_what_python_reads),
      cmocka_unit_test(spans_are_in_the_order_of_their_starts),
      cmocka_unit_test(a_set_may_have_no_spans_and_no_root),
      cmocka_unit_test(memory_may_run_out),
  };
  if (mlf_schema_init_spans(&schema) != SQLITE_OK) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  mlf_schema_clear(&schema);
  return failures;
}
