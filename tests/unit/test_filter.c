/* test_filter.c: query/filter.h: which terms become which filter. */
#include "query/filter.h"

#include <math.h>
#include <stdio.h>
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

/* Writes a filter, where no error is expected to be worth a look. */
static int write_filter(const mlf_filter_term *terms, int count, mlf_server server,
                        mlf_filter *filter) {
  mlf_error error = {0};
  int rc = mlf_filter_write(terms, count, server, filter, &error);
  mlf_error_clear(&error);
  return rc;
}

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
  assert_int_equal(write_filter(&term, 1, server, &filter), SQLITE_OK);
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
  check("name", MLF_OP_EQ, text_value("back`tick\n; -- AND"),
        "attributes.name = 'back`tick\n; -- AND'");
  check("run_id", MLF_OP_NE, text_value("r"), "attributes.run_id != 'r'");
  check("size", MLF_OP_NE, text_value("{}"), "metadata.`mlflow.trace.sizeStats` != '{}'");
  check("app", MLF_OP_EQ, text_value("x"), "tags.`mlflow.traceName` = 'x'");
  check("user_id", MLF_OP_NE, text_value("x"), "metadata.`mlflow.trace.user` != 'x'");
  for (const char *key = "`'\"\\\n\xff"; *key; key++) {
    mlf_error error = {0};
    char odd[] = {'a', *key, 'b', 0};
    assert_int_equal(mlf_schema_declare(&schema, "tags", odd, "odd", &error), SQLITE_OK);
    check("odd", MLF_OP_EQ, text_value("x"), "");
    check("odd", MLF_OP_IS_NULL, null_value, "");
    schema.column_count--;
  }
  mlf_value zero = {.type = MLF_TEXT, .text = "a\0b", .length = 3};
  check("name", MLF_OP_EQ, zero, "");
}

/* '07' = 7 is true or false in SQL, as the 7 comes from a column of numbers or not. */
static void numbers_are_not_compared_with_texts(void **state) {
  (void)state;
  static const char *const columns[] = {"name", "status",  "client_request_id",
                                        "app",  "user_id", "concise"};
  for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
    check(columns[i], MLF_OP_EQ, integer_value(7), "");
    check(columns[i], MLF_OP_NE, integer_value(7), "");
    check(columns[i], MLF_OP_EQ, real_value(7.5), "");
    check(columns[i], MLF_OP_EQ, (mlf_value){.type = MLF_BLOB, .text = "7", .length = 1}, "");
  }
  check("trace_id", MLF_OP_NE, integer_value(7), "");
}

/* U+FFFD may be what is left here of a text that the server has whole. */
static void replacement_characters_are_not_sent(void **state) {
  (void)state;
  check("name", MLF_OP_EQ, text_value("a\xef\xbf\xbd"), "");
  check("name", MLF_OP_EQ, text_value("\xef\xbf\xbc"), "attributes.name = '\xef\xbf\xbc'");
  check("app", MLF_OP_NE, text_value("\xef\xbf\xbd"), "");
  check("app", MLF_OP_LIKE, text_value("%\xef\xbf\xbd%"), "");
  check("name", MLF_OP_EQ, text_value("a\\ud800b"), ""); /* nor what half a pair is shown as */
  check("name", MLF_OP_EQ, text_value("a\\uDFFFb"), "");
  check("name", MLF_OP_EQ, text_value("a\\ud7ffb"), "attributes.name = 'a\\ud7ffb'");
}

static void feedback_is_compared_as_text(void **state) {
  (void)state;
  check("concise", MLF_OP_EQ, text_value("yes"), "feedback.`concise` = 'yes'");
  check("concise", MLF_OP_EQ, text_value(""), "feedback.`concise` = ''");
  check("concise", MLF_OP_EQ, text_value("{\"a\":1}"), "");
  check("concise", MLF_OP_EQ, text_value("[1]"), "");
}

typedef struct named_term {
  const char *column;
  mlf_op op;
  mlf_value value;
} named_term;

/* The filter of terms on a schema for a server of version 3.`minor`: its text, "" for none, and its
** conditions on spans likewise. */
static void check_asked(const mlf_schema *of, int minor, const named_term *named, int count,
                        const char *text, const char *spans) {
  mlf_filter_term terms[8];
  mlf_filter filter;
  mlf_server server = {3, minor};
  for (int i = 0; i < count; i++) {
    int index = mlf_schema_find(of, named[i].column);
    assert_true(index >= 0);
    terms[i] = (mlf_filter_term){&of->columns[index], named[i].op, &named[i].value, 1};
  }
  assert_int_equal(write_filter(terms, count, server, &filter), SQLITE_OK);
  assert_string_equal(filter.text ? filter.text : "", text);
  assert_string_equal(filter.spans ? filter.spans : "", spans);
  assert_false(filter.complete);
  mlf_filter_clear(&filter);
}

/* What finds traces with such an assessment: a type and a name, valid; with a value if it can be
** said. */
static void assessments_are_asked_for_together(void **state) {
  mlf_schema of;
  (void)state;
  named_term asked[] = {{"name", MLF_OP_EQ, text_value("concise")},
                        {"assessment_type", MLF_OP_EQ, text_value("feedback")},
                        {"valid", MLF_OP_EQ, integer_value(1)},
                        {"value", MLF_OP_EQ, text_value("it's")}};
  assert_int_equal(mlf_schema_init_assessments(&of), SQLITE_OK);
  check_asked(&of, 17, asked, 4, "feedback.`concise` = \"it's\"", "");
  check_asked(&of, 9, asked, 4, "", "");
  for (int count = 1; count < 3; count++)
    check_asked(&of, 17, asked, count, "", "");
  check_asked(&of, 17, asked, 3, "feedback.`concise` IS NOT NULL", "");
  const mlf_value unsaid[] = {text_value("' and \""), text_value("[1]"), text_value("{}"),
                              integer_value(1), real_value(0.5)};
  for (size_t i = 0; i < sizeof(unsaid) / sizeof(unsaid[0]); i++) {
    asked[3].value = unsaid[i];
    check_asked(&of, 17, asked, 4, "feedback.`concise` IS NOT NULL", "");
  }
  asked[1].value = text_value("expectation");
  check_asked(&of, 17, asked, 3, "expectation.`concise` IS NOT NULL", "");
  asked[1].value = text_value("issue");
  check_asked(&of, 17, asked, 3, "", "");
  asked[1].value = integer_value(1);
  check_asked(&of, 17, asked, 3, "", "");
  asked[1].value = text_value("feedback");
  asked[2].value = integer_value(0);
  check_asked(&of, 17, asked, 3, "", "");
  asked[2].value = integer_value(1);
  const mlf_value names[] = {text_value("a`b"),
                             text_value("run_id"),
                             text_value(""),
                             integer_value(7),
                             {.type = MLF_TEXT, .text = "a\0b", .length = 3}};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    asked[0].value = names[i];
    check_asked(&of, 17, asked, 3, "", "");
  }
  mlf_schema_clear(&of);
}

/* They find only traces whose spans the server keeps itself, so they are kept apart. */
static void conditions_on_spans_are_kept_apart(void **state) {
  mlf_schema of;
  (void)state;
  named_term asked[] = {{"name", MLF_OP_EQ, text_value("plan")},
                        {"status", MLF_OP_EQ, text_value("ERROR")},
                        {"trace_id", MLF_OP_NE, text_value("t")}};
  assert_int_equal(mlf_schema_init_spans(&of), SQLITE_OK);
  check_asked(&of, 17, asked, 3, "attributes.request_id != 't'",
              "span.name = 'plan' AND span.status = 'ERROR'");
  asked[0].value = text_value("' and \"");
  check_asked(&of, 17, asked, 2, "", "span.status = 'ERROR'");
  asked[1].value = integer_value(1);
  check_asked(&of, 17, asked, 2, "", "");
  mlf_schema_clear(&of);
}

static void patterns_become_ilike(void **state) {
  (void)state;
  check("name", MLF_OP_LIKE, text_value("Ab%_c"), "attributes.name ILIKE 'Ab%c%'");
  check("name", MLF_OP_GLOB, text_value("Ab*?c%"), "attributes.name ILIKE 'Ab%c%'");
  check("client_request_id", MLF_OP_GLOB, text_value("?a*??b?"),
        "attributes.client_request_id ILIKE '%a%b%'");
  check("name", MLF_OP_GLOB, text_value("[ab]*"), "");
  check("name", MLF_OP_LIKE, text_value("[ab]%"), "");
  check("name", MLF_OP_LIKE, text_value("' and \""), "");
  check("user_id", MLF_OP_LIKE, text_value("it's%"),
        "metadata.`mlflow.trace.user` ILIKE \"%t's%\"");
  check("run_id", MLF_OP_LIKE, text_value("a%"), "attributes.run_id ILIKE 'a%'");
  check("name", MLF_OP_LIKE, text_value("a\\%"), "");
  check("name", MLF_OP_LIKE, integer_value(5), "");
  check("trace_id", MLF_OP_LIKE, text_value("tr-%"), "attributes.request_id ILIKE 'tr-%'");
  char longest[1002];
  memset(longest, 'x', sizeof(longest));
  longest[1001] = 0;
  check("name", MLF_OP_LIKE, text_value(longest), "");
}

/* In some languages small letters are others than SQLite's, or more of them. */
static void letters_of_a_language_are_any(void **state) {
  (void)state;
  const char *key = "client_request_id";
  check(key, MLF_OP_LIKE, text_value("iIx"), "attributes.client_request_id ILIKE '%x'");
  check(key, MLF_OP_GLOB, text_value("TIME"), "attributes.client_request_id ILIKE 'T%ME'");
  check(key, MLF_OP_LIKE, text_value("ΟΔΟΣ_x"), "attributes.client_request_id ILIKE 'ΟΔΟ%x'");
  check(key, MLF_OP_LIKE, text_value("x\xCC\x87İέσ"), "attributes.client_request_id ILIKE 'x%İέσ'");
  check(key, MLF_OP_GLOB, text_value("Ιι"), "attributes.client_request_id ILIKE 'Ιι'");
}

/* The server shows tags and metadata cut, but compares them whole. */
static void what_may_be_cut_is_not_compared(void **state) {
  (void)state;
  static char text[4097], expected[4200];
  memset(text, 'x', sizeof(text) - 1);
  mlf_value user = {.type = MLF_TEXT, .text = text, .length = 250};
  mlf_value name = {.type = MLF_TEXT, .text = text, .length = 4096};
  for (mlf_op op = MLF_OP_EQ; op <= MLF_OP_NE; op++) {
    check("user_id", op, user, "");
    check("run_id", op, user, "");
    check("name", op, name, "");
    check("app", op, name, "");
  }
  user.length--;
  snprintf(expected, sizeof(expected), "metadata.`mlflow.trace.user` = '%.249s'", text);
  check("user_id", MLF_OP_EQ, user, expected);
  name.length--;
  snprintf(expected, sizeof(expected), "attributes.name = '%.4095s'", text);
  check("name", MLF_OP_EQ, name, expected);
  snprintf(expected, sizeof(expected), "feedback.`concise` = '%.4095s'", text);
  check("concise", MLF_OP_EQ, name, expected);
  check("user_id", MLF_OP_LIKE, text_value("a"), "metadata.`mlflow.trace.user` ILIKE 'a%'");
  check("app", MLF_OP_GLOB, text_value("*a"), "tags.`mlflow.traceName` ILIKE '%a%'");
  check("app", MLF_OP_LIKE, text_value(""), "tags.`mlflow.traceName` ILIKE '%'");
  check("client_request_id", MLF_OP_LIKE, text_value("a"),
        "attributes.client_request_id ILIKE 'a'");
  for (int length = 249; length <= 250; length++) {
    mlf_error error = {0};
    text[length] = 0;
    assert_int_equal(mlf_schema_declare(&schema, "tags", text, "long", &error), SQLITE_OK);
    snprintf(expected, sizeof(expected), "tags.`%s` IS NOT NULL", text);
    check("long", MLF_OP_IS_NOT_NULL, null_value, length == 249 ? expected : "");
    schema.column_count--;
    text[length] = 'x';
  }
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
  check(column, MLF_OP_LT, real_value(9.3e18), "");
  check(column, MLF_OP_LT, real_value(INFINITY), "");
  check(column, MLF_OP_LT, real_value(-INFINITY), "");
  check(column, MLF_OP_NE, real_value(5.5), "");
  check(column, MLF_OP_NE, real_value(-0.0), "attributes.execution_time_ms != 0");
  check(column, MLF_OP_GE, integer_value(INT64_MIN),
        "attributes.execution_time_ms >= -9223372036854775808");
  check(column, MLF_OP_LE, integer_value(INT64_MAX),
        "attributes.execution_time_ms <= 9223372036854775807");
  check(column, MLF_OP_GT, text_value("-007"), "attributes.execution_time_ms > -7");
  check(column, MLF_OP_GT, text_value("+5"), "attributes.execution_time_ms > 5");
  check(column, MLF_OP_GT, text_value("9223372036854775808"), "");
  check(column, MLF_OP_GT, text_value("-"), "");
  check(column, MLF_OP_GT, text_value(""), "");
  check(column, MLF_OP_GT, text_value(" 5"), "");
  check(column, MLF_OP_GT, text_value("5.0"), "");
  check(column, MLF_OP_GT, (mlf_value){.type = MLF_BLOB, .text = "5", .length = 1}, "");
  check("execution_duration", MLF_OP_EQ, integer_value(5), "attributes.execution_time_ms = 5");
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
    assert_int_equal(write_filter(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
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
  check_minor(5, "app", MLF_OP_GLOB, text_value("a*"), "");
  check_minor(6, "app", MLF_OP_GLOB, text_value("a*"), "tags.`mlflow.traceName` ILIKE 'a%'");
  check_minor(10, "concise", MLF_OP_EQ, text_value("yes"), "feedback.`concise` = 'yes'");
  check_minor(11, "app", MLF_OP_IS_NULL, null_value, "tags.`mlflow.traceName` IS NULL");
  check_minor(10, "session_id", MLF_OP_IS_NOT_NULL, null_value, "");
  check_minor(1, "user_id", MLF_OP_NE, text_value("x"), "metadata.`mlflow.trace.user` != 'x'");
}

static void times_become_a_range(void **state) {
  (void)state;
  mlf_value values[] = {integer_value(10), real_value(20.5), text_value("15"), integer_value(12)};
  mlf_filter_term terms[] = {term_of("timestamp_ms", MLF_OP_GT, &values[0], 1),
                             term_of("timestamp_ms", MLF_OP_LT, &values[1], 1),
                             term_of("timestamp_ms", MLF_OP_LE, &values[2], 1),
                             term_of("timestamp_ms", MLF_OP_NE, &values[3], 1)};
  mlf_filter filter;
  assert_int_equal(write_filter(terms, 4, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_string_equal(filter.text, "attributes.timestamp_ms != 12");
  assert_int_equal(filter.low_ms, 11);
  assert_int_equal(filter.high_ms, 15);
  assert_true(filter.complete);
  mlf_filter_clear(&filter);
  values[0] = integer_value(INT64_MAX);
  assert_int_equal(write_filter(terms, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_true(filter.empty);
  mlf_filter_clear(&filter);
}

static void lists_are_plain_or_left_out(void **state) {
  (void)state;
  mlf_value values[] = {text_value("OK"), text_value("it's"), text_value("3")};
  mlf_filter_term term = term_of("status", MLF_OP_IN, values, 3);
  mlf_filter filter;
  assert_int_equal(write_filter(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_string_equal(filter.text, "attributes.status IN ('OK', \"it's\", '3')");
  assert_true(filter.complete);
  mlf_filter_clear(&filter);
  const mlf_value refused[] = {text_value("back\\slash"), text_value("line\nbreak"),
                               text_value("' and \""), integer_value(3)};
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    values[2] = refused[i];
    assert_int_equal(write_filter(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
    assert_null(filter.text);
    assert_false(filter.complete);
    mlf_filter_clear(&filter);
  }
  term = term_of("trace_id", MLF_OP_IN, values, 2);
  assert_int_equal(write_filter(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_int_equal(filter.id_count, 2);
  assert_ptr_equal(filter.ids, values);
  mlf_filter_clear(&filter);
  term = term_of("status", MLF_OP_IN, NULL, 0);
  assert_int_equal(write_filter(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_true(filter.empty);
  mlf_filter_clear(&filter);
}

/* The filter of `count` terms. */
static void check_terms(const mlf_filter_term *terms, int count, const char *expected,
                        bool complete) {
  mlf_filter filter;
  assert_int_equal(write_filter(terms, count, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_string_equal(filter.text ? filter.text : "", expected);
  assert_int_equal(filter.complete, complete);
  mlf_filter_clear(&filter);
}

static void terms_are_joined_by_and(void **state) {
  (void)state;
  mlf_value ok = text_value("OK"), five = integer_value(5), odd = text_value("' and \"");
  mlf_value experiment = text_value("e");
  mlf_filter_term terms[] = {term_of("experiment", MLF_OP_EQ, &experiment, 1),
                             term_of("status", MLF_OP_EQ, &ok, 1),
                             term_of("app", MLF_OP_IS_NOT_NULL, NULL, 0),
                             term_of("timestamp_ms", MLF_OP_GT, &five, 1),
                             term_of("execution_time_ms", MLF_OP_GT, &five, 1),
                             term_of("name", MLF_OP_NE, &odd, 1)};
  const char *text = "attributes.status = 'OK' AND tags.`mlflow.traceName` IS NOT NULL AND "
                     "attributes.execution_time_ms > 5";
  check_terms(terms, 5, text, true);
  check_terms(terms, 6, text, false);
  check_terms(terms, 1, "", true);
  check_terms(terms, 0, "", true);
}

static void the_shortest_list_of_ids_is_asked_for(void **state) {
  (void)state;
  mlf_value ids[] = {text_value("tr-1"), text_value("tr-2"), text_value("tr-3")};
  mlf_value odd[] = {text_value("tr-1"), integer_value(1)};
  mlf_filter_term terms[] = {
      term_of("trace_id", MLF_OP_IN, ids, 3), term_of("trace_id", MLF_OP_EQ, ids + 1, 1),
      term_of("trace_id", MLF_OP_IN, ids, 2), term_of("trace_id", MLF_OP_IN, odd, 2)};
  mlf_filter filter;
  assert_int_equal(write_filter(terms, 4, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_null(filter.text);
  assert_ptr_equal(filter.ids, ids + 1);
  assert_int_equal(filter.id_count, 1);
  assert_false(filter.complete);
  mlf_filter_clear(&filter);
}

static void a_raw_filter_is_handed_on(void **state) {
  (void)state;
  mlf_value raw = text_value("tags.a = 'b'"), number = integer_value(5);
  mlf_filter_term term = term_of("filter", MLF_OP_EQ, &raw, 1);
  mlf_filter filter;
  assert_int_equal(write_filter(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_ptr_equal(filter.raw, &raw);
  assert_null(filter.text);
  assert_true(filter.complete);
  mlf_filter_clear(&filter);
  term.values = &number;
  assert_int_equal(write_filter(&term, 1, (mlf_server){3, 17}, &filter), SQLITE_ERROR);
  mlf_filter_clear(&filter);
}

/* Of several runs the server looks at the last one alone. */
static void one_run_alone_is_sent(void **state) {
  (void)state;
  static const char *const arguments[] = {"in_run", "filter"};
  mlf_value asked = text_value("one"), run = text_value("other"), none = text_value("");
  mlf_value raws[] = {text_value("attributes.run_id = 'a'"), text_value("tags.RUN_ID = 'a'"),
                      text_value("metadata.`mlflow.sourceRun` = 'a'"),
                      text_value("\"run_id\" = 'a'")};
  mlf_filter filter;
  for (size_t i = 0; i < 2; i++) {
    mlf_filter_term terms[] = {term_of("run_id", MLF_OP_EQ, &run, 1),
                               term_of(arguments[i], MLF_OP_EQ, &asked, 1)};
    assert_int_equal(write_filter(terms, 2, (mlf_server){3, 17}, &filter), SQLITE_OK);
    assert_null(filter.text);
    assert_false(filter.complete);
    mlf_filter_clear(&filter);
  }
  for (size_t i = 0; i < sizeof(raws) / sizeof(raws[0]); i++) {
    mlf_filter_term both[] = {term_of("filter", MLF_OP_EQ, &raws[i], 1),
                              term_of("in_run", MLF_OP_EQ, &run, 1)};
    assert_int_equal(write_filter(both, 2, (mlf_server){3, 17}, &filter), SQLITE_ERROR);
    mlf_filter_clear(&filter);
  }
  mlf_filter_term empty = term_of("in_run", MLF_OP_EQ, &none, 1);
  assert_int_equal(write_filter(&empty, 1, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_true(filter.empty);
  mlf_filter_clear(&filter);
}

/* How many of as many terms as a filter takes, all on one column, are sent. */
static int terms_sent_on(const char *column, mlf_op op) {
  mlf_value value = text_value("x");
  mlf_filter_term terms[MLF_FILTER_TERMS_MAX];
  mlf_filter filter;
  int conditions = 0;
  for (int i = 0; i < MLF_FILTER_TERMS_MAX; i++)
    terms[i] = term_of(column, op, &value, 1);
  assert_int_equal(write_filter(terms, MLF_FILTER_TERMS_MAX, (mlf_server){3, 17}, &filter),
                   SQLITE_OK);
  for (const char *at = filter.text; (at = strstr(at, " 'x'")); at++)
    conditions++;
  assert_int_equal(filter.complete, conditions == MLF_FILTER_TERMS_MAX);
  mlf_filter_clear(&filter);
  return conditions;
}

static void lists_have_a_limit_together(void **state) {
  (void)state;
  static mlf_value values[MLF_FILTER_IDS_MAX + 1];
  mlf_filter filter;
  for (int i = 0; i <= MLF_FILTER_IDS_MAX; i++)
    values[i] = text_value("x");
  mlf_filter_term terms[] = {term_of("status", MLF_OP_IN, values, MLF_FILTER_IDS_MAX - 1),
                             term_of("state", MLF_OP_IN, values, 2),
                             term_of("client_request_id", MLF_OP_IN, values, 1)};
  assert_int_equal(write_filter(terms, 3, (mlf_server){3, 17}, &filter), SQLITE_OK);
  assert_non_null(strstr(filter.text, "') AND attributes.client_request_id IN ('x')"));
  assert_false(filter.complete);
  mlf_filter_clear(&filter);
  terms[0].value_count = MLF_FILTER_IDS_MAX + 1;
  check_terms(terms, 1, "", false);
}

static void a_filter_has_its_limits(void **state) {
  (void)state;
  static const char *const joined[] = {"app", "user_id", "name", "run_id"};
  for (size_t i = 0; i < sizeof(joined) / sizeof(joined[0]); i++)
    assert_int_equal(terms_sent_on(joined[i], MLF_OP_NE), MLF_FILTER_KEY_TERMS_MAX);
  assert_int_equal(terms_sent_on("concise", MLF_OP_EQ), MLF_FILTER_KEY_TERMS_MAX);
  assert_int_equal(terms_sent_on("status", MLF_OP_NE), MLF_FILTER_TERMS_MAX);
}

static int write_without_memory(void *context) {
  mlf_value value = text_value("a value that is long enough to need memory of its own");
  mlf_filter_term terms[] = {term_of("name", MLF_OP_EQ, &value, 1),
                             term_of("app", MLF_OP_LIKE, &value, 1)};
  mlf_filter filter;
  (void)context;
  int rc = write_filter(terms, 2, (mlf_server){3, 17}, &filter);
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
  mlf_schema_declare(&schema, "metadata", "mlflow.trace.sizeStats", "size", &error);
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
      cmocka_unit_test(numbers_are_not_compared_with_texts),
      cmocka_unit_test(replacement_characters_are_not_sent),
      cmocka_unit_test(feedback_is_compared_as_text),
      cmocka_unit_test(assessments_are_asked_for_together),
      cmocka_unit_test(conditions_on_spans_are_kept_apart),
      cmocka_unit_test(patterns_become_ilike),
      cmocka_unit_test(letters_of_a_language_are_any),
      cmocka_unit_test(what_may_be_cut_is_not_compared),
      cmocka_unit_test(numbers_become_whole),
      cmocka_unit_test(nulls_are_asked_for_or_impossible),
      cmocka_unit_test(old_servers_get_less),
      cmocka_unit_test(times_become_a_range),
      cmocka_unit_test(lists_are_plain_or_left_out),
      cmocka_unit_test(terms_are_joined_by_and),
      cmocka_unit_test(the_shortest_list_of_ids_is_asked_for),
      cmocka_unit_test(a_raw_filter_is_handed_on),
      cmocka_unit_test(one_run_alone_is_sent),
      cmocka_unit_test(lists_have_a_limit_together),
      cmocka_unit_test(a_filter_has_its_limits),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, open_schema, close_schema);
}
