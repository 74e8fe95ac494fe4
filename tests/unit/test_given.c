/* test_given.c: tables/given.h. */
#include "tables/given.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oom.h"

#define TRACES    120
#define BYTES_MAX 10000000

static const mlf_column session = {.name = "session_id",
                                   .source = MLF_SOURCE_METADATA,
                                   .path = "session",
                                   .key_kind = MLF_KEY_METADATA};

/* A page of the traces with these numbers; trace n is of millisecond n / 2, and of session n % 3. */
static int make_page(const int *numbers, int count, mlf_json **page) {
  mlf_error error = {0};
  sqlite3_str *text = sqlite3_str_new(NULL);
  sqlite3_str_appendall(text, "{\"traces\":[");
  for (int i = 0; i < count; i++) {
    int n = numbers[i];
    sqlite3_str_appendf(text,
                        "%s{\"trace_id\":\"t%03d\",\"trace_location\":{\"mlflow_experiment\":"
                        "{\"experiment_id\":\"1\"}},\"request_time\":\"1970-01-01T00:00:00.%03dZ\","
                        "\"trace_metadata\":{\"session\":\"s%d\"}}",
                        i ? "," : "", n, n / 2, n % 3);
  }
  sqlite3_str_appendall(text, "]}");
  size_t length = (size_t)sqlite3_str_length(text);
  char *json = sqlite3_str_finish(text);
  if (!json) return SQLITE_NOMEM;
  int rc = mlf_json_parse_take(json, length, (mlf_json_options){0}, page, &error);
  mlf_error_clear(&error);
  return rc;
}

static const mlf_json_node *first_of(const mlf_json *page) {
  return mlf_json_first(mlf_json_member(mlf_json_root(page), "traces"));
}

/* Puts a page of these traces, and adds them to a question if that is not NULL. */
static int give(mlf_given *given, mlf_question *question, const int *numbers, int count) {
  mlf_json *page;
  mlf_error error = {0};
  int rc = make_page(numbers, count, &page);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_given_put(given, page, first_of(page), &error);
  const mlf_json_node *each = first_of(page);
  for (bool added; rc == SQLITE_OK && question && each; each = mlf_json_next(each))
    rc = mlf_given_add(given, question, each, &added, &error);
  mlf_json_free(page);
  mlf_error_clear(&error);
  return rc;
}

static mlf_question *ask(mlf_given *given, const char *text) {
  return mlf_given_question(given, text, MLF_ORDER_ANY, 0);
}

/* Begins to read the traces of session s1, or with this text there. */
static int read_session(mlf_given *given, const mlf_question *question, const char *text,
                        sqlite3_stmt **reader, mlf_error *error) {
  mlf_given_part part = {.column = &session, .text = text};
  return mlf_given_read(given, question, &part, reader, error);
}

static void check_find(mlf_given *given, const char *id, int ahead, const char *expected) {
  mlf_json *page;
  mlf_error error = {0};
  const mlf_json_node *trace;
  int rc = mlf_given_find(given, id, ahead, &page, &trace, &error);
  assert_int_equal(rc, expected ? SQLITE_ROW : SQLITE_NOTFOUND);
  char ids[1024] = "";
  for (; trace; trace = mlf_json_next(trace)) {
    size_t length = strlen(ids);
    snprintf(ids + length, sizeof(ids) - length, "%s%s", length ? " " : "",
             mlf_json_text(mlf_json_member(trace, "trace_id")));
  }
  if (expected) assert_string_equal(ids, expected);
  mlf_json_free(page);
}

static mlf_given *make(int64_t bytes_max) {
  mlf_given *given = mlf_given_new(NULL);
  assert_non_null(given);
  mlf_given_take(given, bytes_max);
  return given;
}

static int stop(void *context) {
  (void)context;
  return SQLITE_INTERRUPT;
}

/* Spans of megabytes, and an index of thousands of traces, take long enough for a Ctrl-C. */
static void what_is_read_back_can_be_interrupted(void **state) {
  static const int numbers[] = {1, 2};
  static char spans[3 << 20];
  mlf_interrupt interrupt = {.ask = stop};
  mlf_error error = {0};
  mlf_json *found;
  mlf_given *given;
  sqlite3_stmt *reader;
  (void)state;
  memset(spans, ' ', sizeof(spans));
  memcpy(spans, "[", 1);
  memcpy(spans + sizeof(spans) - 1, "]", 1);
  given = mlf_given_new(&interrupt);
  mlf_given_take(given, BYTES_MAX);
  assert_int_equal(mlf_given_put_spans(given, "t001", spans, sizeof(spans), &error), SQLITE_OK);
  assert_int_equal(mlf_given_find_spans(given, "t001", &found, &error), SQLITE_INTERRUPT);
  mlf_error_clear(&error);
  interrupt.next_ms = 0;
  mlf_question *question = ask(given, "a");
  assert_int_equal(give(given, question, numbers, 2), SQLITE_OK);
  assert_int_equal(read_session(given, question, "s1", &reader, &error), SQLITE_INTERRUPT);
  mlf_error_clear(&error);
  mlf_given_free(given);
}

static void a_trace_answers_for_its_id(void **state) {
  static const int pages[][2] = {{7, 3}, {9, 5}, {1, 2}, {8, 4}, {10, 11}, {12, 13}};
  mlf_given *given = make(BYTES_MAX);
  (void)state;
  check_find(given, "t007", 0, NULL);
  for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
    assert_int_equal(give(given, NULL, pages[i], 2), SQLITE_OK);
    check_find(given, "t007", 0, i < 2 ? "t007 t003" : "t007"); /* then it is read back */
  }
  check_find(given, "t007", 2, "t007 t003 t009");
  check_find(given, "t003", 1, "t003 t009");
  check_find(given, "t013", 0, "t013");
  check_find(given, "t012", 0, "t012 t013");
  check_find(given, "t014", 3, NULL);
  mlf_given_free(given);
}

static void a_question_knows_what_belongs_to_it(void **state) {
  static const int numbers[] = {1, 2, 3};
  mlf_error error = {0};
  mlf_given *given = make(BYTES_MAX);
  (void)state;
  mlf_question *question = ask(given, "a"), *other = ask(given, "b");
  assert_ptr_equal(ask(given, "a"), question);
  assert_ptr_not_equal(other, question);
  assert_int_equal(mlf_given_has(given, question, "t001", &error), SQLITE_NOTFOUND);
  assert_int_equal(mlf_given_note(given, question, "gone", false, &error), SQLITE_OK);
  assert_int_equal(mlf_given_note(given, question, "t003", true, &error), SQLITE_OK);
  assert_int_equal(mlf_given_has(given, question, "t003", &error), SQLITE_ROW);
  assert_int_equal(give(given, question, numbers, 3), SQLITE_OK);
  assert_int_equal(give(given, question, numbers, 3), SQLITE_OK); /* a walk that began anew */
  assert_int_equal(question->count, 3);
  assert_int_equal(question->last_ms, 1);
  assert_int_equal(mlf_given_note(given, question, "t001", false, &error), SQLITE_OK);
  assert_int_equal(mlf_given_has(given, question, "t001", &error), SQLITE_ROW);
  assert_int_equal(mlf_given_has(given, question, "gone", &error), SQLITE_DONE);
  assert_int_equal(mlf_given_has(given, question, "t004", &error), SQLITE_NOTFOUND);
  assert_int_equal(mlf_given_has(given, other, "t001", &error), SQLITE_NOTFOUND);
  mlf_given_complete(given, question);
  assert_true(question->complete);
  assert_int_equal(mlf_given_has(given, question, "t004", &error), SQLITE_DONE);
  mlf_given_free(given);
}

/* What is shown is what was given first: the order is of that. */
static void one_that_moved_is_where_its_time_is(void **state) {
  static const char moved[] = "{\"traces\":[{\"trace_id\":\"t009\",\"request_time\":"
                              "\"1970-01-01T00:00:00.000Z\"}]}";
  static const int first[] = {9}, others[] = {7, 5};
  mlf_error error = {0};
  mlf_given *given = make(BYTES_MAX);
  mlf_json *page;
  sqlite3_stmt *reader;
  bool added;
  (void)state;
  mlf_question *question = mlf_given_question(given, "a", MLF_ORDER_NEWEST_FIRST, 0);
  assert_int_equal(give(given, NULL, first, 1), SQLITE_OK);
  assert_int_equal(give(given, question, others, 2), SQLITE_OK);
  assert_int_equal(mlf_json_parse(moved, strlen(moved), (mlf_json_options){0}, &page, &error),
                   SQLITE_OK);
  assert_int_equal(mlf_given_put(given, page, first_of(page), &error), SQLITE_OK);
  assert_int_equal(mlf_given_add(given, question, first_of(page), &added, &error), SQLITE_OK);
  assert_true(added);
  mlf_json_free(page);
  mlf_given_complete(given, question);
  mlf_given_part part = {.order = MLF_ORDER_NEWEST_FIRST};
  assert_int_equal(mlf_given_read(given, question, &part, &reader, &error), SQLITE_OK);
  assert_int_equal(mlf_given_page(given, &reader, 10, &page, &error), SQLITE_ROW);
  assert_string_equal(mlf_json_text(mlf_json_member(first_of(page), "trace_id")), "t009");
  mlf_json_free(page);
  mlf_given_free(given);
}

/* One that is complete answers for every order; else each walk is a question of its own. */
static void a_question_is_chosen_by_its_walk(void **state) {
  mlf_given *given = make(BYTES_MAX);
  (void)state;
  mlf_question *newest = mlf_given_question(given, "a", MLF_ORDER_NEWEST_FIRST, 0);
  mlf_question *some = mlf_given_question(given, "a", MLF_ORDER_NEWEST_FIRST, 5);
  mlf_question *oldest = mlf_given_question(given, "a", MLF_ORDER_OLDEST_FIRST, 5);
  assert_ptr_not_equal(newest, some);
  assert_ptr_not_equal(some, oldest);
  assert_ptr_equal(mlf_given_question(given, "a", MLF_ORDER_NEWEST_FIRST, 5), some);
  assert_ptr_equal(ask(given, "a"), newest);
  assert_ptr_not_equal(mlf_given_question(given, "a", MLF_ORDER_OLDEST_FIRST, 6), oldest);
  mlf_given_complete(given, some);
  for (mlf_order order = MLF_ORDER_ANY; order <= MLF_ORDER_OLDEST_FIRST; order++)
    assert_ptr_equal(mlf_given_question(given, "a", order, order), some);
  mlf_given_free(given);
}

/* What does not fit makes no question complete, and what is here still answers. */
static void what_is_full_is_never_complete(void **state) {
  mlf_error error = {0};
  mlf_json *spans;
  (void)state;
  mlf_given *given = make(700);
  mlf_question *question = ask(given, "a");
  for (int i = 0; i < 20; i++)
    assert_int_equal(give(given, question, &i, 1), SQLITE_OK);
  mlf_given_complete(given, question);
  assert_false(question->complete);
  check_find(given, "t000", 0, "t000");
  check_find(given, "t019", 0, "t019"); /* of the pages in memory */
  check_find(given, "t010", 0, NULL);
  /* Who walks on hands out what is not there, and passes over what is. */
  static const char *const walked[] = {"t000", "t019"};
  for (int i = 0; i < 2; i++) {
    mlf_json *page;
    bool added;
    int number = i * 19;
    assert_int_equal(make_page(&number, 1, &page), SQLITE_OK);
    assert_int_equal(mlf_given_add(given, question, first_of(page), &added, &error), SQLITE_OK);
    assert_int_equal(added, i == 1);
    assert_int_equal(mlf_given_has(given, question, walked[i], &error),
                     i ? SQLITE_NOTFOUND : SQLITE_ROW);
    mlf_json_free(page);
  }
  assert_int_equal(mlf_given_put_spans(given, "t000", "[]", 2, &error), SQLITE_OK);
  assert_int_equal(mlf_given_find_spans(given, "t000", &spans, &error), SQLITE_NOTFOUND);
  mlf_given_free(given);
}

/* One that is known to be of the question, and to which its walk has not come, is handed out. */
static void what_was_noted_is_not_lost_where_all_is_full(void **state) {
  mlf_error error = {0};
  mlf_json *page;
  bool added;
  int last = 19;
  (void)state;
  mlf_given *given = make(700);
  mlf_question *question = ask(given, "a");
  assert_int_equal(mlf_given_note(given, question, "t019", true, &error), SQLITE_OK);
  for (int i = 0; i < 10; i++)
    assert_int_equal(give(given, question, &i, 1), SQLITE_OK);
  assert_true(mlf_given_is_full(given));
  assert_int_equal(make_page(&last, 1, &page), SQLITE_OK);
  assert_int_equal(mlf_given_add(given, question, first_of(page), &added, &error), SQLITE_OK);
  assert_true(added);
  mlf_json_free(page);
  mlf_given_free(given);
}

/* What is here already takes no room. */
static void the_same_again_fills_nothing(void **state) {
  static const int numbers[] = {1, 2, 3};
  mlf_error error = {0};
  (void)state;
  mlf_given *given = make(1500);
  mlf_question *question = ask(given, "a");
  for (int i = 0; i < 50; i++)
    assert_int_equal(give(given, NULL, numbers, 3), SQLITE_OK);
  for (int i = 0; i < 50; i++)
    assert_int_equal(mlf_given_put_spans(given, "t001", "[1, 2, 3]", 9, &error), SQLITE_OK);
  assert_int_equal(give(given, question, numbers, 3), SQLITE_OK);
  mlf_given_complete(given, question);
  assert_true(question->complete);
  mlf_given_free(given);
}

static void spans_come_back_as_they_were(void **state) {
  mlf_error error = {0};
  mlf_json *spans;
  mlf_given *given = make(BYTES_MAX);
  (void)state;
  static const char text[] = "[{\"span_id\":\"\\u0000\xc3\xa9\",\"deep\":[[[[NaN]]]]}, 1.50]";
  assert_int_equal(mlf_given_find_spans(given, "t", &spans, &error), SQLITE_NOTFOUND);
  assert_int_equal(mlf_given_put_spans(given, "t", text, strlen(text), &error), SQLITE_OK);
  assert_int_equal(mlf_given_put_spans(given, "t", "[]", 2, &error), SQLITE_OK);
  assert_int_equal(mlf_given_find_spans(given, "t", &spans, &error), SQLITE_ROW);
  size_t length;
  const char *raw = mlf_json_raw(spans, mlf_json_root(spans), &length);
  assert_int_equal(length, strlen(text));
  assert_memory_equal(raw, text, length);
  mlf_json_free(spans);
  assert_int_equal(mlf_given_find_spans(given, "u", &spans, &error), SQLITE_NOTFOUND);
  mlf_given_free(given);
}

/* What is wrong with one of the others is that trace's matter, when it is asked for. */
static void a_reply_gives_the_spans_of_all_in_it(void **state) {
  static const char text[] =
      "{\"traces\":[{\"trace_info\":{\"trace_id\":\"t\"},\"spans\":[1]},{\"trace_info\":{\"trace_"
      "id\":\"u\"},"
      "\"spans\":[2, 3]},{\"trace_info\":{\"trace_id\":\"v\"},\"spans\":7},{\"trace_info\":5},7]}";
  mlf_error error = {0};
  mlf_json *reply, *spans;
  size_t length;
  mlf_given *given = make(BYTES_MAX);
  (void)state;
  assert_false(mlf_given_has_spans(given, "t"));
  assert_int_equal(mlf_json_parse(text, strlen(text), (mlf_json_options){0}, &reply, &error),
                   SQLITE_OK);
  const mlf_json_node *first = mlf_json_first(mlf_json_member(mlf_json_root(reply), "traces"));
  for (int again = 0; again < 2; again++)
    assert_int_equal(
        mlf_given_put_reply(given, "t", reply, mlf_json_member(first, "spans"), &error), SQLITE_OK);
  assert_int_equal(mlf_given_put_reply(given, "w", NULL, NULL, &error), SQLITE_OK);
  assert_true(mlf_given_has_spans(given, "t"));
  assert_true(mlf_given_has_spans(given, "w"));
  assert_false(mlf_given_has_spans(given, "v"));
  assert_int_equal(mlf_given_find_spans(given, "u", &spans, &error), SQLITE_ROW);
  const char *raw = mlf_json_raw(spans, mlf_json_root(spans), &length);
  assert_int_equal(length, 6);
  assert_memory_equal(raw, "[2, 3]", length);
  mlf_json_free(spans);
  mlf_json_free(reply);
  mlf_given_free(given);
}

/* Its value is said by who reads it: to find by another value must not hide it, nor end all. */
static void one_whose_value_cannot_be_read_is_found_by_every_value(void **state) {
  static const char *const texts[] = {"s1", "s2"};
  static const int numbers[] = {1, 2, 3};
  mlf_error error = {0};
  mlf_given *given = make(BYTES_MAX);
  mlf_json *page;
  (void)state;
  mlf_question *question = ask(given, "a");
  assert_int_equal(give(given, question, numbers, 3), SQLITE_OK);
  static const char odd[] =
      "{\"traces\":[{\"trace_id\":\"odd\",\"trace_metadata\":{\"session\":7}}]}";
  assert_int_equal(mlf_json_parse(odd, strlen(odd), (mlf_json_options){0}, &page, &error),
                   SQLITE_OK);
  assert_int_equal(mlf_given_put(given, page, first_of(page), &error), SQLITE_OK);
  bool added;
  assert_int_equal(mlf_given_add(given, question, first_of(page), &added, &error), SQLITE_OK);
  mlf_json_free(page);
  mlf_given_complete(given, question);
  for (size_t i = 0; i < 2; i++) {
    sqlite3_stmt *reader;
    assert_int_equal(read_session(given, question, texts[i], &reader, &error), SQLITE_OK);
    assert_int_equal(mlf_given_page(given, &reader, 10, &page, &error), SQLITE_ROW);
    const mlf_json_node *last = mlf_json_next(first_of(page));
    assert_string_equal(mlf_json_text(mlf_json_member(last, "trace_id")), "odd");
    assert_null(mlf_json_next(last));
    mlf_json_free(page);
    sqlite3_finalize(reader);
  }
  mlf_given_free(given);
}

typedef struct read_ask {
  mlf_order given; /* the order in which the question was */
  mlf_order order; /* the order asked for */
  const mlf_column *column;
} read_ask;

/* The millisecond of the trace with this id. */
static int ms_of(const char *id) {
  return atoi(id + 1) / 2;
}

/* Reads a question of TRACES traces back; checks that each comes once, in the order asked for. */
static int read_all(void *context) {
  const read_ask *wanted = context;
  mlf_given *given;
  mlf_error error = {0};
  sqlite3_stmt *reader = NULL;
  bool seen[TRACES] = {0};
  int found = 0, before = -1;
  int rc = SQLITE_OK;
  given = mlf_given_new(NULL);
  if (!given) return SQLITE_NOMEM;
  mlf_given_take(given, BYTES_MAX);
  mlf_question *question = ask(given, "a"), *other = ask(given, "b");
  if (!question || !other) rc = SQLITE_NOMEM;
  for (int i = 0; rc == SQLITE_OK && i < TRACES; i += 2) {
    int numbers[] = {i * 77 % TRACES, (i + 1) * 77 % TRACES};
    rc = give(given, question, numbers, 2);
    if (rc == SQLITE_OK) rc = give(given, other, numbers, 1);
  }
  if (rc == SQLITE_OK) {
    question->order = wanted->given;
    mlf_given_complete(given, question);
    mlf_given_part part = {.order = wanted->order, .column = wanted->column, .text = "s1"};
    rc = mlf_given_read(given, question, &part, &reader, &error);
  }
  mlf_order checked = wanted->order == wanted->given ? MLF_ORDER_ANY : wanted->order;
  while (rc == SQLITE_OK) {
    mlf_json *page;
    rc = mlf_given_page(given, &reader, 50, &page, &error);
    if (rc != SQLITE_ROW) break;
    for (const mlf_json_node *each = first_of(page); each; each = mlf_json_next(each), found++) {
      const char *id = mlf_json_text(mlf_json_member(each, "trace_id"));
      assert_false(seen[atoi(id + 1)]);
      seen[atoi(id + 1)] = true;
      if (wanted->column) assert_int_equal(atoi(id + 1) % 3, 1);
      if (!wanted->column && checked == MLF_ORDER_ANY)
        assert_int_equal(atoi(id + 1), found * 77 % TRACES);
      if (checked == MLF_ORDER_NEWEST_FIRST && found) assert_true(ms_of(id) <= before);
      if (checked == MLF_ORDER_OLDEST_FIRST && found) assert_true(ms_of(id) >= before);
      before = ms_of(id);
    }
    mlf_json_free(page);
    rc = SQLITE_OK;
  }
  if (rc == SQLITE_DONE) {
    mlf_json *page;
    assert_int_equal(found, wanted->column ? TRACES / 3 : TRACES);
    assert_int_equal(mlf_given_page(given, &reader, 50, &page, &error), SQLITE_DONE);
    rc = SQLITE_OK;
  }
  sqlite3_finalize(reader);
  mlf_error_clear(&error);
  mlf_given_free(given);
  return rc;
}

static void questions_are_read_in_every_order(void **state) {
  (void)state;
  for (mlf_order order = MLF_ORDER_ANY; order <= MLF_ORDER_OLDEST_FIRST; order++) {
    for (int i = 0; i < 4; i++) {
      read_ask ask = {i < 2 ? MLF_ORDER_ANY : order, order, i % 2 ? &session : NULL};
      assert_int_equal(read_all(&ask), SQLITE_OK);
      oom.stride = 101;
      if (i % 3 == 0) oom_loop(read_all, &ask);
      oom.stride = 0;
    }
  }
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_trace_answers_for_its_id),
      cmocka_unit_test(what_is_read_back_can_be_interrupted),
      cmocka_unit_test(a_question_knows_what_belongs_to_it),
      cmocka_unit_test(one_that_moved_is_where_its_time_is),
      cmocka_unit_test(a_question_is_chosen_by_its_walk),
      cmocka_unit_test(what_is_full_is_never_complete),
      cmocka_unit_test(what_was_noted_is_not_lost_where_all_is_full),
      cmocka_unit_test(the_same_again_fills_nothing),
      cmocka_unit_test(spans_come_back_as_they_were),
      cmocka_unit_test(a_reply_gives_the_spans_of_all_in_it),
      cmocka_unit_test(one_whose_value_cannot_be_read_is_found_by_every_value),
      cmocka_unit_test(questions_are_read_in_every_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
