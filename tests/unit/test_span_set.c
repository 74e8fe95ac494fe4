/* test_span_set.c: what model/span_set.h promises. What is in a single span is in
** test_span_value.c. */
#include "model/span_set.h"

#include <stdio.h>
#include <string.h>

#include "oom.h"
#include "spans.h"

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

static void all_forms_mean_the_same(void **state) {
  (void)state;
  for (size_t form = 0; form < COUNT(span_forms); form++) {
    print_message("form %zu\n", form);
    span_document spans = spans_of(span_forms[form]);
    assert_int_equal(mlf_span_set_count(spans.set), 1);
    for (size_t i = 0; i < COUNT(span_meaning); i++)
      span_shows(&spans, 0, span_meaning[i].name, span_meaning[i].expected);
    spans_close(&spans);
  }
}

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
  for (size_t i = 0; i < COUNT(bare); i++)
    span_shows(&spans, 0, bare[i].name, bare[i].expected);
  spans_close(&spans);
}

static void a_span_without_id_or_start_is_refused(void **state) {
  (void)state;
  static const char *const refused[][2] = {
      {"{\"start_time_unix_nano\":1}", " is an object, where a span with a span_id belongs"},
      {"{\"span_id\":null}", " is an object, where a span with a span_id belongs"},
      {"{\"span_id\":7,\"start_time_unix_nano\":1}",
       ".span_id is a number, where a string belongs"},
      {"{\"context\":{},\"span_id\":\"01\",\"start_time\":1}",
       " is an object, where a span with a span_id belongs"},
      {"{\"context\":{\"span_id\":[]},\"start_time\":1}",
       ".context.span_id is an array, where a string belongs"},
      {"{\"context\":\"01\"}", ".context is a string, where an object belongs"},
      {"{\"span_id\":\"01\",\"parent_span_id\":7}",
       ".parent_span_id is a number, where a string belongs"},
      {"{\"span_id\":\"01\",\"parent_id\":{}}", ".parent_id is an object, where a string belongs"},
      {"{\"span_id\":\"01\",\"start_time_unix_nano\":9223372036854775808}",
       ".start_time_unix_nano is a number, where a time in nanoseconds belongs"},
      {"{\"span_id\":\"01\",\"start_time_unix_nano\":\"1 \"}",
       ".start_time_unix_nano is a string, where a time in nanoseconds belongs"},
      {"{\"span_id\":\"01\",\"start_time\":true}",
       ".start_time is true, where a time in nanoseconds belongs"},
      {"{\"span_id\":\"01\",\"start_time_unix_nano\":1,\"end_time_unix_nano\":\"x\"}",
       ".end_time_unix_nano is a string, where a time in nanoseconds belongs"},
      {"{\"span_id\":\"01\",\"start_time\":1,\"end_time\":[]}",
       ".end_time is an array, where a time in nanoseconds belongs"},
      /* files have it always */
      {"{\"span_id\":\"01\",\"attributes\":{}}",
       " is an object, where a span with a start belongs"},
      {"{\"span_id\":\"01\",\"start_time_unix_nano\":null,\"attributes\":{}}",
       " is an object, where a span with a start belongs"},
      {"7", " is a number, where an object belongs"},
      {"[]", " is an array, where an object belongs"},
  };
  for (size_t i = 0; i < COUNT(refused); i++) {
    for (int member = 0; member <= 1; member++) {
      char text[256], expected[256];
      span_document spans;
      mlf_error error = {0};
      snprintf(text, sizeof(text), "%s[{\"span_id\":\"02\",\"start_time_unix_nano\":5},%s]%s",
               member ? "{\"spans\":" : "", refused[i][0], member ? "}" : "");
      snprintf(expected, sizeof(expected), "%s[1]%s", member ? "spans" : "", refused[i][1]);
      assert_int_equal(spans_open(&spans, text, false, &error), SQLITE_ERROR);
      assert_string_equal(error.text, expected);
      assert_null(spans.set);
      mlf_error_clear(&error);
      spans_close(&spans);
    }
  }
}

static void odd_ids_are_ids(void **state) {
  (void)state;
  static const char *const cases[][3] = {
      {"[{\"span_id\":\"\"}]", "span_id", "'0000000000000000'"}, /* as for the client */
      {"[{\"context\":{\"span_id\":\"\"},\"start_time\":1}]", "span_id", "'0000000000000000'"},
      {"[{\"span_id\":\"0\"}]", "span_id", "'0000000000000000'"},
      {"[{\"span_id\":\"no id\"}]", "span_id", "'no id'"},
      {"[{\"span_id\":\"a\\u0000\"}]", "span_id", "'a\\u0000'"},
      {"[{\"context\":null,\"span_id\":\"01\",\"start_time\":1}]", "span_id", "'0000000000000001'"},
      /* OpenTelemetry's id of zeros is none. */
      {BARE(",\"parent_span_id\":\"AAAAAAAAAAA=\""), "parent_span_id", "NULL"},
      {BARE(",\"parent_span_id\":\"0000000000000000\""), "parent_span_id", "NULL"},
      {BARE(",\"parent_span_id\":\"\""), "parent_span_id", "NULL"},
      {BARE(",\"parent_span_id\":null"), "parent_span_id", "NULL"},
      {BARE(",\"parent_span_id\":\"no id\""), "parent_span_id", "'no id'"},
      {BARE(",\"parent_span_id\":\"AAAA AAAAAA=\""), "parent_span_id", "'AAAA AAAAAA='"},
      {BARE(",\"parent_span_id\":\"11112222333344445\""), "parent_span_id", "'11112222333344445'"},
      {BARE(",\"parent_id\":\"0x2\""), "parent_span_id", "'0000000000000002'"},
      {BARE(",\"parent_span_id\":null,\"parent_id\":\"0x2\""), "parent_span_id",
       "'0000000000000002'"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    print_message("%s\n", cases[i][0]);
    span_document spans = spans_of(cases[i][0]);
    span_shows(&spans, 0, cases[i][1], cases[i][2]);
    spans_close(&spans);
  }
}

#define TIMES(start, end) BARE(",\"start_time_unix_nano\":" start ",\"end_time_unix_nano\":" end)

static void times_are_whole_or_real_or_text(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *columns[6]; /* start, end, duration, self time, and part of the critical path */
  } cases[] = {
      {TIMES("1000000", "3500000"), {"1000000", "3500000", "2.5", "2.5", "2.5"}},
      {TIMES("\"1000000\"", "\"3500000\""), {"1000000", "3500000", "2.5", "2.5", "2.5"}},
      {TIMES("1.0e6", "3500000.9"), {"1000000", "3500000", "2.5", "2.5", "2.5"}},
      {TIMES("1790000000123456789", "\"1790000000123456790\""),
       {"1790000000123456789", "1790000000123456790", "1.0e-06", "1.0e-06", "1.0e-06"}},
      {TIMES("null", "null"), {"0", "NULL", "NULL", "NULL", "NULL"}},
      {TIMES("5", "0"), {"5", "NULL", "NULL", "NULL", "NULL"}}, /* it has not ended */
      {BARE(",\"start_time\":5,\"end_time\":null"), {"5", "NULL", "NULL", "NULL", "NULL"}},
      {BARE(",\"start_time\":5.7,\"end_time\":\"1000005\""), {"5", "1000005", "1.0", "1.0", "1.0"}},
      /* before 1970 */
      {TIMES("-3000000", "-500000"), {"-3000000", "-500000", "2.5", "2.5", "2.5"}},
      {TIMES("-1.5", "\"999999\""), {"-1", "999999", "1.0", "1.0", "1.0"}},
      {TIMES("0", "-5"), {"0", "-5", "-5.0e-06", "0.0", "0.0"}},
      {TIMES("9", "4"), {"9", "4", "-5.0e-06", "0.0", "0.0"}}, /* a clock was set */
      /* as far apart as can be: what is measured of them is clipped, what is shown is not */
      {TIMES("-9223372036854775808", "9223372036854775807"),
       {"-9223372036854775808", "9223372036854775807", "18446744073709.6", "9223372036854.78",
        "9223372036854.78"}},
      {TIMES("1", "9223372036854775807"),
       {"1", "9223372036854775807", "9223372036854.78", "9223372036854.78", "9223372036854.78"}},
  };
  static const char *const names[] = {"start_time_ns", "end_time_ns", "duration_ms", "self_time_ms",
                                      "critical_path_ms"};
  for (size_t i = 0; i < COUNT(cases); i++) {
    print_message("%s\n", cases[i].text);
    span_document spans = spans_of(cases[i].text);
    for (size_t j = 0; j < COUNT(names); j++)
      span_shows(&spans, 0, names[j], cases[i].columns[j]);
    spans_close(&spans);
  }
}

/* Null is no span; paths count it. */
static void null_spans_are_left_out(void **state) {
  (void)state;
  span_document spans =
      spans_of("{\"spans\":[null,{\"span_id\":\"02\",\"start_time_unix_nano\":9,\"name\":\"b\"},"
               "null,{\"span_id\":\"01\",\"name\":\"a\",\"attributes\":7},null]}");
  assert_int_equal(mlf_span_set_count(spans.set), 2);
  assert_int_equal(mlf_span_set_root(spans.set), 1); /* the first sent */
  span_shows(&spans, 0, "name", "'a'");
  span_shows(&spans, 1, "name", "'b'");
  span_fails(&spans, 0, "attributes",
             "spans[3].attributes is a number, where an object or an array belongs");
  spans_close(&spans);
  spans = spans_of("[null,null]");
  assert_int_equal(mlf_span_set_count(spans.set), 0);
  assert_true(mlf_span_set_root(spans.set) == SIZE_MAX);
  spans_close(&spans);
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
  static const size_t ranks[] = {5, 4, 2, 0, 3, 1};
  assert_int_equal(mlf_span_set_count(spans.set), 6);
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(mlf_span_set_rank(spans.set, i), ranks[i]);
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
  int rc = spans_open(&spans, text, false, &error);
  assert_int_equal(rc, error.code);
  for (size_t i = 0; rc == SQLITE_OK && i < COUNT(span_meaning); i++) {
    char *value;
    rc = spans_read(&spans, 0, span_meaning[i].name, &value, &error);
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
  int rc =
      spans_open(&spans, BARE(",\"start_time\":1,\"attributes\":{\"mlflow.spanInputs\":\"[NaN]\"}"),
                 false, &error);
  if (rc == SQLITE_OK) rc = spans_read(&spans, 0, "inputs", &value, &error);
  if (rc == SQLITE_OK) assert_string_equal(value, "'[null]'");
  sqlite3_free(value);
  mlf_error_clear(&error);
  spans_close(&spans);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  for (size_t form = 0; form < COUNT(span_forms); form++) {
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
      cmocka_unit_test(odd_ids_are_ids),
      cmocka_unit_test(times_are_whole_or_real_or_text),
      cmocka_unit_test(null_spans_are_left_out),
      cmocka_unit_test(spans_are_in_the_order_of_their_starts),
      cmocka_unit_test(a_set_may_have_no_spans_and_no_root),
      cmocka_unit_test(memory_may_run_out),
  };
  if (mlf_schema_init_spans(&spans_schema) != SQLITE_OK) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  mlf_schema_clear(&spans_schema);
  return failures;
}
