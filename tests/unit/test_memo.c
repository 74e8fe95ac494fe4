/* test_memo.c: tables/memo.h. */
#include "tables/memo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oom.h"

#define TRACES 120

/* Trace `number` is of millisecond number / 2. */
static int put(mlf_memo *memo, const mlf_question *question, int number) {
  char id[16], trace[64];
  mlf_error error = {0};
  snprintf(id, sizeof(id), "t%03d", number);
  int length = snprintf(trace, sizeof(trace), "{\"trace_id\":\"%s\"}", id);
  int rc = mlf_memo_put(memo, question, id, number / 2, trace, (size_t)length, &error);
  mlf_error_clear(&error);
  return rc;
}

/* The ids of a page, e.g. "t000 t001"; takes the page. */
static const char *ids_of(mlf_json *page) {
  static char ids[1024];
  size_t length = 0;
  ids[0] = 0;
  const mlf_json_node *each = mlf_json_first(mlf_json_member(mlf_json_root(page), "traces"));
  for (; each; each = mlf_json_next(each)) {
    length += (size_t)snprintf(ids + length, sizeof(ids) - length, "%s%s", length ? " " : "",
                               mlf_json_text(mlf_json_member(each, "trace_id")));
  }
  mlf_json_free(page);
  return ids;
}

static void check_find(mlf_memo *memo, const mlf_question *question, const char *id, int ahead,
                       int expected, const char *ids) {
  mlf_json *page;
  mlf_error error = {0};
  assert_int_equal(mlf_memo_find(memo, question, id, ahead, &page, &error), expected);
  if (expected == SQLITE_ROW) {
    assert_string_equal(ids_of(page), ids);
  } else {
    assert_null(page);
  }
}

static void what_is_not_known_may_exist(void **state) {
  mlf_memo *memo;
  mlf_error error = {0};
  (void)state;
  assert_int_equal(mlf_memo_new(&memo), SQLITE_OK);
  mlf_question *question = mlf_memo_question(memo, "a");
  assert_ptr_equal(mlf_memo_question(memo, "a"), question);
  check_find(memo, question, "t001", 0, SQLITE_NOTFOUND, NULL);
  put(memo, question, 1);
  assert_int_equal(mlf_memo_put_none(memo, question, "gone", &error), SQLITE_OK);
  check_find(memo, question, "t001", 0, SQLITE_ROW, "t001");
  check_find(memo, question, "t002", 0, SQLITE_NOTFOUND, NULL);
  check_find(memo, question, "gone", 0, SQLITE_DONE, NULL);
  check_find(memo, mlf_memo_question(memo, "b"), "t001", 0, SQLITE_NOTFOUND, NULL);
  question->complete = true;
  check_find(memo, question, "t002", 0, SQLITE_DONE, NULL);
  assert_int_equal(mlf_memo_empty(memo, question, &error), SQLITE_OK);
  assert_false(question->complete);
  check_find(memo, question, "t001", 0, SQLITE_NOTFOUND, NULL);
  mlf_memo_free(memo);
}

static void neighbours_are_those_put_later(void **state) {
  mlf_memo *memo;
  (void)state;
  assert_int_equal(mlf_memo_new(&memo), SQLITE_OK);
  mlf_question *question = mlf_memo_question(memo, "a");
  put(memo, question, 3);
  put(memo, mlf_memo_question(memo, "b"), 9);
  put(memo, question, 1);
  put(memo, question, 2);
  check_find(memo, question, "t003", 2, SQLITE_ROW, "t003 t001 t002");
  check_find(memo, question, "t001", 5, SQLITE_ROW, "t001 t002");
  put(memo, question, 3); /* put again: it is the last now */
  check_find(memo, question, "t001", 5, SQLITE_ROW, "t001 t002 t003");
  mlf_memo_free(memo);
}

/* The millisecond of the trace with this id. */
static int ms_of(const char *id) {
  return atoi(id + 1) / 2;
}

/* Reads all pages of TRACES traces, put in no order, among those of another question; checks that
** each comes once, in the order asked for. */
static int read_all(void *context) {
  mlf_order order = *(mlf_order *)context;
  mlf_memo *memo;
  mlf_error error = {0};
  mlf_memo_mark mark = {0};
  bool seen[TRACES] = {0};
  int found = 0, before = -1;
  int rc = mlf_memo_new(&memo);
  if (rc != SQLITE_OK) return rc;
  mlf_question *question = mlf_memo_question(memo, "a"), *other = mlf_memo_question(memo, "b");
  if (!question || !other) rc = SQLITE_NOMEM;
  for (int i = 0; rc == SQLITE_OK && i < TRACES; i++) {
    rc = put(memo, question, i * 77 % TRACES);
    if (rc == SQLITE_OK) rc = put(memo, other, i);
    if (rc == SQLITE_OK && i == 5) rc = mlf_memo_put_none(memo, question, "gone", &error);
  }
  while (rc == SQLITE_OK) {
    mlf_json *page;
    rc = mlf_memo_page(memo, question, order, &mark, &page, &error);
    if (rc != SQLITE_ROW) break;
    const mlf_json_node *each = mlf_json_first(mlf_json_member(mlf_json_root(page), "traces"));
    for (; each; each = mlf_json_next(each), found++) {
      const char *id = mlf_json_text(mlf_json_member(each, "trace_id"));
      assert_false(seen[atoi(id + 1)]);
      seen[atoi(id + 1)] = true;
      if (order == MLF_ORDER_ANY) assert_int_equal(atoi(id + 1), found * 77 % TRACES);
      if (order == MLF_ORDER_NEWEST_FIRST && found) assert_true(ms_of(id) <= before);
      if (order == MLF_ORDER_OLDEST_FIRST && found) assert_true(ms_of(id) >= before);
      before = ms_of(id);
    }
    mlf_json_free(page);
    rc = SQLITE_OK;
  }
  if (rc == SQLITE_DONE) {
    assert_int_equal(found, TRACES);
    rc = SQLITE_OK;
  }
  mlf_error_clear(&error);
  mlf_memo_free(memo);
  return rc;
}

static void pages_come_in_every_order(void **state) {
  (void)state;
  for (mlf_order order = MLF_ORDER_ANY; order <= MLF_ORDER_OLDEST_FIRST; order++) {
    assert_int_equal(read_all(&order), SQLITE_OK);
    oom.stride = 13;
    oom_loop(read_all, &order);
    oom.stride = 0;
  }
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_not_known_may_exist),
      cmocka_unit_test(neighbours_are_those_put_later),
      cmocka_unit_test(pages_come_in_every_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
