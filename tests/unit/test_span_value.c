/* test_span_value.c: what model/span_value.h promises, of spans that stand in a set. */
#include "model/span_value.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "oom.h"
#include "spans.h"

/* What a span has besides its id, a column, and what that shows. */
typedef struct value_case {
  const char *members, *column, *expected;
} value_case;

static void values_show(const value_case *cases, size_t count, bool python) {
  for (size_t i = 0; i < count; i++) {
    span_document spans;
    mlf_error error = {0};
    char *text = sqlite3_mprintf("[{\"span_id\":\"01\",\"start_time\":1%s}]", cases[i].members);
    print_message("%s: %s\n", cases[i].column, cases[i].members);
    if (spans_open(&spans, text, python, &error) != SQLITE_OK) fail_msg("%s", error.text);
    span_shows(&spans, 0, cases[i].column, cases[i].expected);
    span_shows(&spans, 0, cases[i].column, cases[i].expected);
    spans_close(&spans);
    sqlite3_free(text);
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
      {"\" null \"", "NULL"},
      {"null", "NULL"},
      {"7", "'7'"},
      {"true", "'true'"},
      {"{\"a\": [1]}", "'{\"a\":[1]}'"},
      {"[\"{\\\"a\\\": 1}\"]", "'[\"{\\\"a\\\": 1}\"]'"}, /* what is no text holds no JSON */
      {"\"{\\\"a\\\": [1, 2.50]}\"", "'{\"a\":[1,2.50]}'"},
      {"\"1180591620717411303424\"", "'1180591620717411303424'"},
      {"\"{\\\"a\\\": NaN, \\\"b\\\": [-Infinity, Infinity], \\\"NaN\\\": \\\"\\\\\\\" NaN\\\"}\"",
       "'{\"a\":null,\"b\":[null,null],\"NaN\":\"\\\" NaN\"}'"},
      {"\"NaN\"", "NULL"},
      {"\"NaN or not\"", "'\"NaN or not\"'"},
      {"\"{\\\"cut\\\": \"", "'\"{\\\"cut\\\": \"'"},
      {"\"[1] [2]\"", "'\"[1] [2]\"'"},
      {"\"\\ufeff[1]\"", "'\"\xef\xbb\xbf[1]\"'"}, /* Python refuses that mark in a text */
      {"\"{\\\"a\\\": \\\"\\\\ud800 \\\\u0000\\\"}\"", "'{\"a\":\"\\ud800 \\u0000\"}'"},
      {"\"{\\\"\\\\u0061\\\\/\\\": \\\"\\\\u65e5\\\\n\\\"}\"", "'{\"a/\":\"\xe6\x97\xa5\\n\"}'"},
      {"\"a\\u0000b\\ud800\\n\"", "'\"a\\u0000b\\ud800\\n\"'"},
      {"\"a\\\\u0000\"", "'\"a\\\\u0000\"'"},
      {"\"\xff\"", "'\"\xef\xbf\xbd\"'"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char members[512];
    snprintf(members, sizeof(members), ",\"attributes\":{\"mlflow.spanInputs\":%s}", cases[i].sent);
    const value_case it = {members, "inputs", cases[i].expected};
    values_show(&it, 1, false);
  }
}

#define LIST(pairs)     ",\"attributes\":[" pairs "]"
#define KEY(key, value) "{\"key\":\"" key "\",\"value\":{" value "}}"
#define MODEL(value)    LIST(KEY("mlflow.llm.model", value))
#define COST(json)      ",\"attributes\":{\"mlflow.llm.cost\":\"" json "\"}"
#define COST_OF(value)  LIST(KEY("mlflow.llm.cost", value))

static void attributes_are_one_object(void **state) {
  (void)state;
  static const value_case cases[] = {
      {"", "attributes", "'{}'"},
      {",\"attributes\":null", "attributes", "'{}'"},
      {",\"attributes\":[]", "attributes", "'{}'"},
      {",\"attributes\":{}", "attributes", "'{}'"},
      {",\"attributes\":{\"b\":\"1\",\"a\":\"x\",\"c\":[ 2 ],\"b\":\"\",\"d\":null,\"\":true}",
       "attributes", "'{\"b\":1,\"a\":\"x\",\"c\":[2],\"b\":null,\"d\":null,\"\":true}'"},
      /* what text cannot carry stays an escape, in names, too */
      {",\"attributes\":{\"a\\u0000\\ud800\\u0041\":\"[1, 2]\"}", "attributes",
       "'{\"a\\u0000\\ud800A\":[1,2]}'"},
      {LIST(KEY("a\\u0000\\ud800\\u0041", "\"string_value\":\"[1, 2]\"")), "attributes",
       "'{\"a\\u0000\\ud800A\":\"[1, 2]\"}'"},
      {LIST(KEY("b", "\"int_value\":\"1\"") "," KEY(
           "a",
           "\"bytes_value\":\"AA==\"") ","
                                       "{\"value\":{\"double_value\":\"NaN\"}},{\"key\":\"c\"}"),
       "attributes", "'{\"b\":1,\"a\":\"AA==\",\"\":null,\"c\":null}'"},
  };
  values_show(cases, COUNT(cases), false);
  static const value_case python[] = {
      {",\"attributes\":{\"a\":NaN,\"b\":[-Infinity, 1],\"c\":\"NaN\"}", "attributes",
       "'{\"a\":null,\"b\":[null,1],\"c\":null}'"},
      {",\"attributes\":{\"mlflow.spanInputs\":[NaN]}", "inputs", "'[null]'"},
      {",\"attributes\":{\"mlflow.spanInputs\":NaN}", "inputs", "NULL"},
      {",\"events\":[{\"attributes\":{\"r\": NaN}}]", "events",
       "'[{\"name\":\"\",\"timestamp\":0,\"attributes\":{\"r\":null}}]'"},
  };
  values_show(python, COUNT(python), true);
}

/* An attribute that is a column has a type of its own; a list or map is JSON. */
static void attributes_are_values(void **state) {
  (void)state;
  static const value_case cases[] = {
      {MODEL("\"string_value\":\"7\""), "model_name", "'7'"},
      {MODEL("\"string_value\":\"\""), "model_name", "''"},
      {MODEL("\"string_value\":\"a\\u0000\\n\""), "model_name", "'a\\u0000\n'"},
      {MODEL("\"bool_value\":true"), "model_name", "1"},
      {MODEL("\"int_value\":\"7\""), "model_name", "7"},
      {MODEL("\"double_value\":0.5"), "model_name", "0.5"},
      {MODEL("\"double_value\":3.0"), "model_name", "3.0"},
      {MODEL("\"double_value\":3"), "model_name", "3"},
      {MODEL("\"double_value\":\"NaN\""), "model_name", "NULL"},
      {MODEL("\"bytes_value\":\"AA==\""), "model_name", "'AA=='"},
      {MODEL("\"kvlist_value\":{}"), "model_name", "'{}'"},
      {MODEL("\"array_value\":{\"values\":[{\"int_value\":1},{}]}"), "model_name", "'[1,null]'"},
      {MODEL(""), "model_name", "NULL"},
      {LIST("{\"key\":\"mlflow.llm.model\"}"), "model_name", "NULL"},
      {LIST("{\"value\":{\"int_value\":1}}"), "model_name", "NULL"},
      {LIST(""), "model_name", "NULL"},
      {",\"attributes\":{\"mlflow.llm.model\":\"[1, 2]\"}", "model_name", "'[1,2]'"},
      {",\"attributes\":{\"mlflow.llm.model\":\"\"}", "model_name", "NULL"},
      {",\"attributes\":{\"mlflow.llm.model\":\"7\"}", "model_name", "7"},
      {",\"attributes\":{\"mlflow.llm.model\":null}", "model_name", "NULL"},
      /* members of attributes */
      {COST_OF("\"kvlist_value\":{\"values\":[" KEY("total_cost", "\"double_value\":0.25") "]}"),
       "total_cost", "0.25"},
      {COST_OF("\"kvlist_value\":{\"values\":[" KEY("total_cost", "\"double_value\":0.25") "]}"),
       "input_cost", "NULL"},
      {COST_OF("\"kvlist_value\":{\"values\":[" KEY("total_cost", "\"string_value\":\"5\"") "]}"),
       "total_cost", "NULL"},
      {COST("{\\\"total_cost\\\": \\\"5\\\"}"), "total_cost", "NULL"},
      {COST("{\\\"total_cost\\\": {\\\"usd\\\": 5}}"), "total_cost", "NULL"},
      {COST_OF("\"int_value\":1"), "total_cost", "NULL"},
      {COST_OF("\"array_value\":{\"values\":[{}]}"), "total_cost", "NULL"},
      {COST_OF(""), "total_cost", "NULL"},
      {COST("{\\\"total_cost\\\": 0.25, \\\"input_cost\\\": NaN}"), "total_cost", "0.25"},
      {COST("{\\\"total_cost\\\": 0.25, \\\"input_cost\\\": NaN}"), "input_cost", "NULL"},
      {COST("no JSON"), "total_cost", "NULL"},
      {COST("[1]"), "total_cost", "NULL"},
      /* the type is UNKNOWN if there is none */
      {LIST(KEY("mlflow.spanType", "\"string_value\":\"TOOL\"")), "span_type", "'TOOL'"},
      {LIST(KEY("mlflow.spanType", "")), "span_type", "'UNKNOWN'"},
      {",\"attributes\":{\"mlflow.spanType\":\"\\\"TOOL\\\"\"}", "span_type", "'TOOL'"},
      {",\"attributes\":{\"mlflow.spanType\":\"TOOL\"}", "span_type", "'TOOL'"},
      {",\"attributes\":{\"mlflow.spanType\":null}", "span_type", "'UNKNOWN'"},
  };
  values_show(cases, COUNT(cases), false);
}

#define EXCEPTION(attributes) ",\"events\":[{\"name\":\"exception\",\"attributes\":" attributes "}]"
#define MESSAGE(value)        EXCEPTION("[" KEY("exception.message", value) "]")

static void the_last_exception_counts(void **state) {
  (void)state;
  static const value_case cases[] = {
      {MESSAGE("\"string_value\":\"no\\nway\""), "exception_message", "'no\nway'"},
      {MESSAGE("\"int_value\":7"), "exception_message", "7"},
      {MESSAGE("\"array_value\":{\"values\":[{\"string_value\":\"a\"},{\"int_value\":1}]}"),
       "exception_message", "'[\"a\",1]'"},
      {MESSAGE("\"kvlist_value\":{\"values\":[" KEY("a", "\"int_value\":1") "]}"),
       "exception_message", "'{\"a\":1}'"},
      {MESSAGE(""), "exception_message", "NULL"},
      {MESSAGE("\"int_value\":7"), "exception_type", "NULL"},
      {EXCEPTION("{\"exception.message\":\"[1, 2]\"}"), "exception_message", "'[1, 2]'"},
      {",\"events\":[null]", "exception_message", "NULL"},
      {EXCEPTION("{\"exception.message\":[\"\\u0041\", {\"b\": 1}]}"), "exception_message",
       "'[\"A\",{\"b\":1}]'"},
      {EXCEPTION("{\"exception.message\":{\"a\": []}}"), "exception_message", "'{\"a\":[]}'"},
      {EXCEPTION("{\"exception.message\":null}"), "exception_message", "NULL"},
      {EXCEPTION("{}"), "exception_message", "NULL"},
      {EXCEPTION("[]"), "exception_message", "NULL"},
      {EXCEPTION("null"), "exception_message", "NULL"},
      {",\"events\":[{\"name\":\"exception\"}]", "exception_message", "NULL"},
      {",\"events\":[{\"name\":\"other\",\"attributes\":{\"exception.type\":\"E\"}},{}]",
       "exception_type", "NULL"},
      {",\"events\":[{\"name\":\"exception\",\"attributes\":{\"exception.type\":\"First\"}},"
       "{\"name\":\"exception\",\"attributes\":[" KEY(
           "exception.type", "\"string_value\":\"Last\"") "]},"
                                                          "{\"name\":\"other\",\"attributes\":{"
                                                          "\"exception.type\":\"None\"}}]",
       "exception_type", "'Last'"},
      {",\"events\":[]", "exception_type", "NULL"},
      {",\"events\":null", "exception_type", "NULL"},
      {"", "exception_type", "NULL"},
  };
  values_show(cases, COUNT(cases), false);
}

static void names_and_status_are_texts(void **state) {
  (void)state;
  static const value_case cases[] = {
      {",\"name\":null", "name", "''"},
      {",\"name\":\"a\\u0000\\u0041\"", "name", "'a\\u0000A'"},
      {",\"status\":null", "status", "'UNSET'"},
      {",\"status\":{}", "status", "'UNSET'"},
      {",\"status\":{\"code\":null}", "status", "'UNSET'"},
      {",\"status\":{\"code\":\"STATUS_CODE_OK\"}", "status", "'OK'"},
      {",\"status\":{\"code\":\"OK\"}", "status", "'OK'"},
      {",\"status\":{\"code\":\"STATUS_CODE_\"}", "status", "''"},
      {",\"status_code\":\"ERROR\"", "status", "'ERROR'"},
      {",\"status\":{},\"status_code\":\"ERROR\"", "status", "'UNSET'"},
      {",\"status\":{\"code\":\"ERROR\",\"message\":\"\"}", "status_message", "NULL"},
      {",\"status\":{\"code\":\"STATUS_CODE_ERROR\",\"message\":\"x\"}", "status_message", "'x'"},
      {",\"status\":{\"code\":\"STATUS_CODE_OK\",\"message\":\"x\"}", "status_message", "NULL"},
      {",\"status\":{\"message\":\"x\"}", "status_message", "NULL"},
      {",\"status_code\":\"ERROR\",\"status_message\":\"x\"", "status_message", "'x'"},
      {",\"status_message\":\"x\"", "status_message", "NULL"},
      {",\"status_message\":\"\"", "status_message", "NULL"},
  };
  values_show(cases, COUNT(cases), false);
}

static void events_and_links_have_one_form(void **state) {
  (void)state;
  static const value_case cases[] = {
      {",\"events\":[]", "events", "'[]'"},
      {",\"events\":[{}]", "events", "'[{\"name\":\"\",\"timestamp\":0,\"attributes\":{}}]'"},
      {",\"events\":[null,{\"name\":\"a\"},null,{\"name\":\"b\"},null]", "events",
       "'[{\"name\":\"a\",\"timestamp\":0,\"attributes\":{}},"
       "{\"name\":\"b\",\"timestamp\":0,\"attributes\":{}}]'"},
      {",\"events\":[{\"name\":\"\\u0041\\u0000\",\"time_unix_nano\":\"-5\",\"x\":1,"
       "\"attributes\":{ \"\\u0061\" : \"[1, 2]\" }}]",
       "events", "'[{\"name\":\"A\\u0000\",\"timestamp\":-5,\"attributes\":{\"a\":\"[1, 2]\"}}]'"},
      {",\"events\":[{\"timestamp\":1.79e18,\"attributes\":[" KEY("a", "\"int_value\":\"1\"") "]}]",
       "events", "'[{\"name\":\"\",\"timestamp\":1790000000000000000,\"attributes\":{\"a\":1}}]'"},
      {",\"links\":[null]", "links", "'[]'"},
      {",\"links\":[{}]", "links", "'[{\"trace_id\":\"\",\"span_id\":\"\",\"attributes\":{}}]'"},
      {",\"links\":[{\"trace_id\":null,\"span_id\":null,\"attributes\":null}]", "links",
       "'[{\"trace_id\":\"\",\"span_id\":\"\",\"attributes\":{}}]'"},
      {",\"links\":[{\"trace_id\":\"q6urq6urq6urq6urq6urqw==\",\"span_id\":\"zc3Nzc3Nzc0=\","
       "\"attributes\":[" KEY(
           "why", "\"string_value\":\"retry\"") "]},null,"
                                                "{\"trace_id\":\"tr-\\u0041\",\"span_id\":\"cd\","
                                                "\"attributes\":{\"a\": null}}]",
       "links",
       "'[{\"trace_id\":\"tr-abababababababababababababababab\",\"span_id\":\"cdcdcdcdcdcdcdcd\","
       "\"attributes\":{\"why\":\"retry\"}},"
       "{\"trace_id\":\"tr-A\",\"span_id\":\"cd\",\"attributes\":{\"a\":null}}]'"},
  };
  values_show(cases, COUNT(cases), false);
}

/* Nothing of a wrong shape passes for nothing at all. */
static void what_has_a_wrong_shape_is_an_error(void **state) {
  (void)state;
  static const value_case cases[] = {
      {"\"name\":7", "name", "name is a number, where a string belongs"},
      {"\"status\":\"OK\"", "status", "status is a string, where an object belongs"},
      {"\"status\":{\"code\":2}", "status", "status.code is a number, where a string belongs"},
      {"\"status_code\":2", "status", "status_code is a number, where a string belongs"},
      {"\"status\":{\"message\":[]}", "status_message",
       "status.message is an array, where a string belongs"},
      {"\"status_message\":{}", "status_message",
       "status_message is an object, where a string belongs"},
      {"\"events\":{}", "events", "events is an object, where an array belongs"},
      {"\"events\":\"[]\"", "exception_type", "events is a string, where an array belongs"},
      {"\"events\":[{},7]", "events", "events[1] is a number, where an object belongs"},
      {"\"events\":[{},7]", "exception_type", "events[1] is a number, where an object belongs"},
      {"\"events\":[{\"name\":7}]", "events", "events[0].name is a number, where a string belongs"},
      {"\"events\":[{\"name\":7}]", "exception_message",
       "events[0].name is a number, where a string belongs"},
      {"\"events\":[null,{\"time_unix_nano\":\"noon\"}]", "events",
       "events[1].time_unix_nano is a string, where a time in nanoseconds belongs"},
      {"\"events\":[{\"timestamp\":true}]", "events",
       "events[0].timestamp is true, where a time in nanoseconds belongs"},
      {"\"events\":[{\"name\":\"exception\",\"attributes\":7}]", "events",
       "events[0].attributes is a number, where an object or an array belongs"},
      {"\"events\":[{\"name\":\"exception\",\"attributes\":7}]", "exception_type",
       "events[0].attributes is a number, where an object or an array belongs"},
      {"\"events\":[{\"name\":\"exception\",\"attributes\":[7]}]", "exception_type",
       "events[0].attributes is an array, where a list of keys and values in OpenTelemetry's form "
       "belongs"},
      {"\"links\":true", "links", "links is true, where an array belongs"},
      {"\"links\":[[]]", "links", "links[0] is an array, where an object belongs"},
      {"\"links\":[{\"trace_id\":7}]", "links",
       "links[0].trace_id is a number, where a string belongs"},
      {"\"links\":[{\"span_id\":{}}]", "links",
       "links[0].span_id is an object, where a string belongs"},
      {"\"links\":[{\"attributes\":\"x\"}]", "links",
       "links[0].attributes is a string, where an object or an array belongs"},
      {"\"attributes\":[7]", "attributes",
       "attributes is an array, where a list of keys and values in OpenTelemetry's form belongs"},
      {"\"attributes\":[7]", "inputs", "attributes[0] is a number, where an object belongs"},
      {"\"attributes\":[{\"key\":[]}]", "model_name",
       "attributes[0].key is an array, where a string belongs"},
      {"\"attributes\":[{},{\"key\":\"mlflow.spanInputs\",\"value\":\"x\"}]", "inputs",
       "attributes[1].value is a string, where an object belongs"},
      {"\"attributes\":[{\"key\":\"mlflow.spanInputs\",\"value\":{\"int_value\":\"x\"}}]", "inputs",
       "attributes[0].value is an object, where a value in OpenTelemetry's form belongs"},
      {"\"attributes\":[{\"key\":\"mlflow.llm.cost\",\"value\":{\"stringValue\":\"x\"}}]",
       "total_cost",
       "attributes[0].value is an object, where a value in OpenTelemetry's form belongs"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char expected[200];
    char *text = sqlite3_mprintf("{\"spans\":[{\"span_id\":\"01\"},{\"span_id\":\"02\",\"start_"
                                 "time_unix_nano\":1,%s}]}",
                                 cases[i].members);
    print_message("%s: %s\n", cases[i].column, cases[i].members);
    snprintf(expected, sizeof(expected), "spans[1].%s", cases[i].expected);
    span_document spans = spans_of(text);
    span_fails(&spans, 1, cases[i].column, expected);
    span_shows(&spans, 1, "span_id", "'0000000000000002'"); /* what is right is there */
    spans_close(&spans);
    sqlite3_free(text);
  }
}

/* No column that is made of attributes can do without them. */
static void attributes_of_a_wrong_shape_are_errors(void **state) {
  (void)state;
  static const char *const attributed[] = {"attributes", "inputs", "model_name", "total_cost",
                                           "span_type"};
  for (size_t i = 0; i < COUNT(attributed); i++) {
    span_document spans =
        spans_of("{\"spans\":[{\"span_id\":\"01\"},{\"span_id\":\"02\",\"start_time\":1,"
                 "\"attributes\":7}]}");
    span_fails(&spans, 1, attributed[i],
               "spans[1].attributes is a number, where an object or an array belongs");
    spans_close(&spans);
  }
}

/* `levels` arrays, one in the other, `open` and `close` each. */
static char *value_nest(int levels, const char *open, const char *close) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (int i = 0; i < levels; i++)
    sqlite3_str_appendall(text, open);
  for (int i = 0; i < levels; i++)
    sqlite3_str_appendall(text, close);
  return sqlite3_str_finish(text);
}

static void value_shows_deep(const char *attributes, int levels) {
  char *text =
      sqlite3_mprintf("[{\"span_id\":\"01\",\"start_time\":1,\"attributes\":%s}]", attributes);
  char *plain = value_nest(levels, "[", "]");
  char *inputs = sqlite3_mprintf("'%s'", plain);
  char *all = sqlite3_mprintf("'{\"mlflow.spanInputs\":%s}'", plain);
  span_document spans = spans_of(text);
  span_shows(&spans, 0, "inputs", inputs);
  span_shows(&spans, 0, "attributes", all);
  spans_close(&spans);
  sqlite3_free(all);
  sqlite3_free(inputs);
  sqlite3_free(plain);
  sqlite3_free(text);
}

/* Around the value are the lists of spans and attributes, and three objects. */
static void values_may_be_as_deep_as_text(void **state) {
  (void)state;
  int levels = (MLF_JSON_DEPTH_MAX - 4) / 3;
  char *deep = value_nest(levels, "{\"array_value\":{\"values\":[", "]}}");
  char *text = sqlite3_mprintf("[{\"key\":\"mlflow.spanInputs\",\"value\":%s}]", deep);
  value_shows_deep(text, levels);
  sqlite3_free(text);
  sqlite3_free(deep);

  deep = value_nest(MLF_JSON_DEPTH_MAX, "[", "]"); /* a text is a document of its own */
  text = sqlite3_mprintf("{\"mlflow.spanInputs\":\"%s\"}", deep);
  value_shows_deep(text, MLF_JSON_DEPTH_MAX);
  sqlite3_free(text);
  sqlite3_free(deep);

  deep = value_nest(MLF_JSON_DEPTH_MAX + 1, "[", "]");
  text = sqlite3_mprintf(BARE(",\"start_time\":1,\"attributes\":{\"mlflow.spanInputs\":\"%s\"}"),
                         deep);
  span_document spans = spans_of(text);
  mlf_error error = {0};
  char *value;
  assert_int_equal(spans_read(&spans, 0, "inputs", &value, &error), SQLITE_TOOBIG);
  assert_string_equal(error.text, "JSON has more than 5000 levels (MLF_JSON_DEPTH_MAX)");
  mlf_error_clear(&error);
  spans_close(&spans);
  sqlite3_free(text);
  sqlite3_free(deep);
}

static void times_are_read_by_either_name(void **state) {
  (void)state;
  mlf_json *json;
  mlf_error error = {0};
  static const char text[] = "{\"new\":\"5\",\"old\":-6.5,\"none\":null,\"bad\":[]}";
  static const struct {
    const char *name, *old_name;
    int64_t ns;
  } cases[] = {{"new", "old", 5},       {"absent", "old", -6}, {"new", "absent", 5},
               {"absent", "absent", 0}, {"none", "absent", 0}, {"new", "bad", 5}};
  assert_int_equal(
      mlf_json_parse(text, sizeof(text) - 1, (mlf_json_options){.levels = 1}, &json, &error),
      SQLITE_OK);
  const mlf_json_node *root = mlf_json_root(json);
  for (size_t i = 0; i < COUNT(cases); i++) {
    int64_t ns = 77;
    assert_int_equal(mlf_span_time(json, root, cases[i].name, cases[i].old_name, &ns, &error),
                     SQLITE_OK);
    assert_int_equal(ns, cases[i].ns);
  }
  int64_t ns;
  assert_int_equal(mlf_span_time(json, root, "absent", "bad", &ns, &error), SQLITE_ERROR);
  assert_string_equal(error.text, "bad is an array, where a time in nanoseconds belongs");
  mlf_error_clear(&error);
  mlf_json_free(json);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(file_values_are_what_python_reads),
      cmocka_unit_test(attributes_are_one_object),
      cmocka_unit_test(attributes_are_values),
      cmocka_unit_test(the_last_exception_counts),
      cmocka_unit_test(names_and_status_are_texts),
      cmocka_unit_test(events_and_links_have_one_form),
      cmocka_unit_test(what_has_a_wrong_shape_is_an_error),
      cmocka_unit_test(attributes_of_a_wrong_shape_are_errors),
      cmocka_unit_test(values_may_be_as_deep_as_text),
      cmocka_unit_test(times_are_read_by_either_name),
  };
  if (mlf_schema_init_spans(&spans_schema) != SQLITE_OK) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  mlf_schema_clear(&spans_schema);
  return failures;
}
