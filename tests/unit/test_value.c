/* test_value.c: what base/value.h promises, and base/sqlite_value.h of what is given
** away. */
#include "base/value.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "base/sqlite_value.h"
#include "oom.h"

static void values_have_a_type(void **state) {
  (void)state;
  mlf_value integer = mlf_value_integer(INT64_MIN), real = mlf_value_real(0.5);
  mlf_value none = mlf_value_text(NULL), text = mlf_value_text("ab");
  assert_int_equal(integer.type, MLF_INTEGER);
  assert_true(integer.integer == INT64_MIN);
  assert_int_equal(real.type, MLF_REAL);
  assert_true(real.real == 0.5);
  assert_int_equal(none.type, MLF_NULL);
  assert_int_equal(text.type, MLF_TEXT);
  assert_int_equal(text.length, 2);
  assert_false(integer.owned || real.owned || none.owned || text.owned);
}

static void what_is_taken_is_freed_once(void **state) {
  (void)state;
  long before = oom.outstanding;
  mlf_value value = mlf_value_take(sqlite3_mprintf("abc"), 2);
  assert_int_equal(value.type, MLF_TEXT);
  assert_int_equal(value.length, 2);
  assert_true(value.owned);
  mlf_value_clear(&value);
  assert_int_equal(value.type, MLF_NULL);
  mlf_value_clear(&value);
  assert_int_equal(oom.outstanding, before);
  value = mlf_value_take(NULL, 7);
  assert_int_equal(value.type, MLF_NULL);
  assert_false(value.owned);
}

static void a_borrowed_text_is_left_alone(void **state) {
  (void)state;
  static const char text[] = "abc";
  mlf_value value = mlf_value_text(text);
  mlf_value_clear(&value); /* would crash if it freed that */
  assert_int_equal(value.type, MLF_NULL);
}

static void a_text_can_be_made_ones_own(void **state) {
  (void)state;
  long before = oom.outstanding;
  char text[] = "a\0b";
  mlf_value value = {.type = MLF_TEXT, .text = text, .length = 3};
  assert_int_equal(mlf_value_own(&value), SQLITE_OK);
  text[0] = 'x';
  assert_true(value.owned);
  assert_int_equal(value.length, 3);
  assert_memory_equal(value.text, "a\0b", 4); /* and a NUL */
  const char *own = value.text;
  assert_int_equal(mlf_value_own(&value), SQLITE_OK);
  assert_ptr_equal(value.text, own);
  mlf_value_clear(&value);

  value = (mlf_value){.type = MLF_BLOB, .text = NULL, .length = 0};
  assert_int_equal(mlf_value_own(&value), SQLITE_OK);
  assert_true(value.owned);
  mlf_value_clear(&value);
  value = mlf_value_integer(7);
  assert_int_equal(mlf_value_own(&value), SQLITE_OK);
  assert_int_equal(value.integer, 7);
  assert_false(value.owned);
  assert_int_equal(oom.outstanding, before);
}

/* A function of SQL that gives the value it was registered with. */
static void value_result(sqlite3_context *context, int count, sqlite3_value **arguments) {
  mlf_value *value = sqlite3_user_data(context);
  (void)count;
  (void)arguments;
  mlf_sqlite_value_give(context, value);
  assert_int_equal(value->type, MLF_NULL);
  assert_false(value->owned);
}

static void a_value_can_be_given_away(void **state) {
  (void)state;
  sqlite3 *db;
  sqlite3_stmt *statement;
  mlf_value value = {.type = MLF_NULL};
  assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
  assert_int_equal(
      sqlite3_create_function(db, "given", 0, SQLITE_UTF8, &value, value_result, NULL, NULL),
      SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, "SELECT given()", -1, &statement, NULL), SQLITE_OK);
  char borrowed[] = "borrowed";
  const struct {
    mlf_value value;
    int type;
    const char *text;
  } cases[] = {
      {mlf_value_take(sqlite3_mprintf("owned"), 5), SQLITE_TEXT, "owned"},
      {mlf_value_text(borrowed), SQLITE_TEXT, "borrowed"},
      {mlf_value_take(sqlite3_mprintf(""), 0), SQLITE_TEXT, ""},
      {mlf_value_integer(-7), SQLITE_INTEGER, "-7"},
      {mlf_value_real(0.5), SQLITE_FLOAT, "0.5"},
      {mlf_value_text(NULL), SQLITE_NULL, NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    value = cases[i].value;
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_type(statement, 0), cases[i].type);
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    if (cases[i].text) assert_string_equal(text, cases[i].text);
    if (!cases[i].text) assert_null(text);
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

static int value_own_without_memory(void *context) {
  (void)context;
  mlf_value value = mlf_value_text("abc");
  int rc = mlf_value_own(&value);
  assert_true(value.owned == (rc == SQLITE_OK));
  mlf_value_clear(&value);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  assert_int_equal(oom_loop(value_own_without_memory, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_have_a_type),
      cmocka_unit_test(what_is_taken_is_freed_once),
      cmocka_unit_test(a_borrowed_text_is_left_alone),
      cmocka_unit_test(a_text_can_be_made_ones_own),
      cmocka_unit_test(a_value_can_be_given_away),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
