/* test_filter.c: query/filter.h: which terms become which filter. */
#include "query/filter.h"

#include <math.h>
#include <string.h>

#include "oom.h"
#include "query/shippable.h"

static mlf_schema schema;

static mlf_value text_value(const char *text) {
  return (mlf_value){.type = MLF_TEXT, .text = text, .length = strlen(text)};
}

static mlf_value integer_value(int64_t integer) {
  return (mlf_value){.type = MLF_INTEGER, .integer = integer};
}

static mlf_value real_value(double real) {
  return (mlf_value){.type = MLF_REAL, .real = real};
}

static const mlf_value null_value = {.type = MLF_NULL};

static mlf_filter_term term_of(const char *column, mlf_op op, const mlf_value *values,
                               size_t count) {
  int index = mlf_schema_find(&schema, column);
  assert_true(index >= 0);
  return (mlf_filter_term){&schema.columns[index], op, values, count};
}

/* The filter of one term for a server of version 3.`minor`; "" for none. */
static void check_minor(int minor, const char *column, mlf_op op, mlf_value value,
                        const char *expected) {
  mlf_filter filter;
  mlf_filter_term term = term_of(column, op, &value, 1);
  mlf_server server = {3, minor};
  assert_int_equal(mlf_filter_write(&term, 1, server, &filter), SQLITE_OK);
  assert_string_equal(filter.text ? filter.text : "", expected);
  assert_false(filter.empty);
  mlf_filter_clear(&filter);
}

static void check(const char *column, mlf_op op, mlf_value value, const char *expected) {
  check_minor(17, column, op, value, expected);
}

static void texts_are_quoted(void **state) {
  (void)state;
  check("status", MLF_OP_EQ, text_value("OK"), "attributes.status = 'OK'");
  check("state", MLF_OP_NE, text_value("OK"), "attributes.status != 'OK'");
  check("name", MLF_OP_EQ, text_value("it's"), "attributes.name = \"it's\"");
  check("name", MLF_OP_EQ, text_value("say \"hi\""), "attributes.name = 'say \"hi\"'");
  check("name", MLF_OP_EQ, text_value("' and \""), "");
  check("name", MLF_OP_EQ, text_value("a\\b"), "attributes.name = 'a\\b'");
  check("name", MLF_OP_EQ, text_value("ends with \\"), "");
  check("name", MLF_OP_EQ, text_value("\xff"), "");
  check("name", MLF_OP_EQ, text_value(""), "attributes.name = ''");
  check("name", MLF_OP_EQ, integer_value(7), "attributes.name = '7'");
  check("name", MLF_OP_EQ, real_value(7.5), "");
  check("app", MLF_OP_EQ, text_value("x"), "tags.`mlflow.traceName` = 'x'");
  check("user_id", MLF_OP_NE, text_value("x"), "metadata.`mlflow.trace.user` != 'x'");
  check("odd", MLF_OP_EQ, text_value("x"), "");
  mlf_value zero = {.type = MLF_TEXT, .text = "a\0b", .length = 3};
  check("name", MLF_OP_EQ, zero, "");
}

static void feedback_is_compared_as_text(void **state) {
  (void)state;
  check("concise", MLF_OP_EQ, text_value("yes"), "feedback.`concise` = 'yes'");
  check("concise", MLF_OP_EQ, integer_value(1), "");
  check("concise", MLF_OP_EQ, text_value("{\"a\":1}"), "");
  check("concise", MLF_OP_EQ, text_value("[1]"), "");
}

static void patterns_become_ilike(void **state) {
  (void)state;
  check("name", MLF_OP_LIKE, text_value("Ab%_c"), "attributes.name ILIKE 'Ab%_c'");
  check("name", MLF_OP_GLOB, text_value("Ab*?c%"), "attributes.name ILIKE 'Ab%_c%'");
  check("name", MLF_OP_GLOB, text_value("[ab]*"), "");
  check("name", MLF_OP_LIKE, text_value("a\\%"), "");
  check("name", MLF_OP_LIKE, integer_value(5), "");
  check("trace_id", MLF_OP_LIKE, text_value("tr-%"), "attributes.request_id ILIKE 'tr-%'");
}

static void numbers_become_whole(void **state) {
  (void)state;
  const char *column = "execution_time_ms";
  check(column, MLF_OP_GT, integer_value(5), "attributes.execution_time_ms > 5");
  check(column, MLF_OP_GT, text_value("5"), "attributes.execution_time_ms > 5");
  check(column, MLF_OP_GT, text_value("5 apples"), "");
  check(column, MLF_OP_GT, real_value(5.0), "attributes.execution_time_ms > 5");
  check(column, MLF_OP_GT, real_value(5.5), "attributes.execution_time_ms >= 6");
  check(column, MLF_OP_GE, real_value(-5.5), "attributes.execution_time_ms >= -5");
  check(column, MLF_OP_LT, real_value(5.5), "attributes.execution_time_ms <= 5");
  check(column, MLF_OP_LE, real_value(-5.5), "attributes.execution_time_ms <= -6");
  check(column, MLF_OP_EQ, real_value(5.5), "");
  check(column, MLF_OP_LT, real_value(1e19), "");
  check(column, MLF_OP_LT, real_value(INFINITY), "");
  check("end_time_ms", MLF_OP_LT, integer_value(5), "attributes.end_time_ms < 5");
}

static void nulls_are_asked_for_or_impossible(void **state) {
  (void)state;
  check("app", MLF_OP_IS_NULL, null_value, "tags.`mlflow.traceName` IS NULL");
  check("session_id", MLF_OP_IS_NOT_NULL, null_value,
        "metadata.`mlflow.trace.session` IS NOT NULL");
  for (mlf_op op = MLF_OP_EQ; op <= MLF_OP_GLOB; op++) {
    mlf_filter filter;
    mlf_filter_term term = term_of("status", op, &null_value, 1);
    assert_int_equal(mlf_filter_write(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
    assert_true(filter.empty);
    mlf_filter_clear(&filter);
  }
}

static void old_servers_get_less(void **state) {
  (void)state;
  check_minor(5, "name", MLF_OP_LIKE, text_value("a%"), "");
  check_minor(6, "name", MLF_OP_LIKE, text_value("a%"), "attributes.name ILIKE 'a%'");
  check_minor(5, "client_request_id", MLF_OP_EQ, text_value("a"), "");
  check_minor(6, "client_request_id", MLF_OP_EQ, text_value("a"),
              "attributes.client_request_id = 'a'");
  check_minor(5, "end_time_ms", MLF_OP_GT, integer_value(1), "");
  check_minor(9, "concise", MLF_OP_EQ, text_value("yes"), "");
  check_minor(10, "app", MLF_OP_IS_NULL, null_value, "");
  check_minor(1, "status", MLF_OP_EQ, text_value("OK"), "attributes.status = 'OK'");
}

static void times_become_a_range(void **state) {
  (void)state;
  mlf_value values[] = {integer_value(10), real_value(20.5), text_value("15"), integer_value(12)};
  mlf_filter_term terms[] = {term_of("timestamp_ms", MLF_OP_GT, &values[0], 1),
                             term_of("timestamp_ms", MLF_OP_LT, &values[1], 1),
                             term_of("timestamp_ms", MLF_OP_LE, &values[2], 1),
                             term_of("timestamp_ms", MLF_OP_NE, &values[3], 1)};
  mlf_filter filter;
  assert_int_equal(mlf_filter_write(terms, 4, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_string_equal(filter.text, "attributes.timestamp_ms != 12");
  assert_int_equal(filter.low_ms, 11);
  assert_int_equal(filter.high_ms, 15);
  assert_true(filter.complete);
  mlf_filter_clear(&filter);
  values[0] = integer_value(INT64_MAX);
  assert_int_equal(mlf_filter_write(terms, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_true(filter.empty);
  mlf_filter_clear(&filter);
}

static void lists_are_plain_or_left_out(void **state) {
  (void)state;
  mlf_value values[] = {null_value, text_value("OK"), text_value("it's"), integer_value(3)};
  mlf_filter_term term = term_of("status", MLF_OP_IN, values, 4);
  mlf_filter filter;
  assert_int_equal(mlf_filter_write(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_string_equal(filter.text, "attributes.status IN ('OK', \"it's\", '3')");
  assert_true(filter.complete);
  mlf_filter_clear(&filter);
  values[3] = text_value("back\\slash");
  assert_int_equal(mlf_filter_write(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_null(filter.text);
  assert_false(filter.complete);
  mlf_filter_clear(&filter);
  term = term_of("trace_id", MLF_OP_IN, values, 2);
  assert_int_equal(mlf_filter_write(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_int_equal(filter.id_count, 2);
  assert_ptr_equal(filter.ids, values);
  mlf_filter_clear(&filter);
}

static void a_filter_has_its_limits(void **state) {
  (void)state;
  mlf_value value = text_value("x");
  mlf_filter_term terms[MLF_FILTER_TERMS_MAX];
  mlf_filter filter;
  int conditions = 0;
  for (int i = 0; i < MLF_FILTER_TERMS_MAX; i++)
    terms[i] = term_of("app", MLF_OP_EQ, &value, 1);
  assert_int_equal(mlf_filter_write(terms, MLF_FILTER_TERMS_MAX, (mlf_server){3, 17}, &filter),
                   SQLITE_OK);
  for (const char *at = filter.text; (at = strstr(at, "tags.")); at++)
    conditions++;
  assert_int_equal(conditions, MLF_FILTER_KEY_TERMS_MAX);
  assert_false(filter.complete);
  mlf_filter_clear(&filter);
}

static int write_without_memory(void *context) {
  mlf_value value = text_value("a value that is long enough to need memory of its own");
  mlf_filter_term terms[] = {term_of("name", MLF_OP_EQ, &value, 1),
                             term_of("app", MLF_OP_LIKE, &value, 1)};
  mlf_filter filter;
  (void)context;
  int rc = mlf_filter_write(terms, 2, (mlf_server){3, 17}, &filter);
  mlf_filter_clear(&filter);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  assert_int_equal(oom_loop(write_without_memory, NULL), 0);
}

static int open_schema(void **state) {
  mlf_error error = {0};
  (void)state;
  assert_int_equal(mlf_schema_init_traces(&schema), SQLITE_OK);
  mlf_schema_declare(&schema, "tags", "mlflow.traceName", "app", &error);
  mlf_schema_declare(&schema, "tags", "o`d'd", "odd", &error);
  mlf_schema_declare(&schema, "feedback", "concise", "concise", &error);
  return error.code;
}

static int close_schema(void **state) {
  (void)state;
  mlf_schema_clear(&schema);
  return 0;
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_are_quoted),
      cmocka_unit_test(feedback_is_compared_as_text),
      cmocka_unit_test(patterns_become_ilike),
      cmocka_unit_test(numbers_become_whole),
      cmocka_unit_test(nulls_are_asked_for_or_impossible),
      cmocka_unit_test(old_servers_get_less),
      cmocka_unit_test(times_become_a_range),
      cmocka_unit_test(lists_are_plain_or_left_out),
      cmocka_unit_test(a_filter_has_its_limits),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, open_schema, close_schema);
}
