/* test_search.c: what remote/search.h promises of a page that is not parsed yet. */
#include "remote/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TIME  "\"request_time\":\"2026-11-23T11:59:23.950Z\""
#define TOKEN "\"next_page_token\":\"eyJvZmZzZXQiOiA1MDB9\"}"

static void last_times_are_guessed(void **state) {
  (void)state;
  static const struct {
    const char *body;
    int64_t ms;
  } cases[] = {
      {"{\"traces\":[{" TIME "}]," TOKEN, 1795435163950},
      {"{\"traces\":[{\"request_time\":\"1970-01-01T00:00:00Z\"},{" TIME "}]," TOKEN,
       1795435163950},
      {"{\n \"traces\": [\n {\"request_time\" : \"1970-01-01T00:00:01Z\"}\n ],\r\n\t"
       "\"next_page_token\" :\t\"x\" \n}\n",
       1000},
      /* Inside a text every quotation mark is escaped. */
      {"{\"traces\":[{" TIME ",\"tags\":{\"a\":\"\\\"request_time\\\":\\\"1970-01-01T00:00:00Z\\\""
       "\"}}]," TOKEN,
       1795435163950},
      /* A member of that name misleads. */
      {"{\"traces\":[{" TIME ",\"tags\":{\"request_time\":\"1970-01-01T00:00:00Z\"}}]," TOKEN, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    int64_t ms = 7;
    assert_true(mlf_search_guess_last(cases[i].body, strlen(cases[i].body), &ms));
    assert_int_equal(ms, cases[i].ms);
  }
}

static void unclear_pages_give_no_guess(void **state) {
  (void)state;
  static const char *const bodies[] = {
      "",
      "}",
      "\"}",
      "\"\"}",
      "{\"next_page_token\":\"x\"}",
      "\"next_page_token\":\"x\"}",
      TIME,
      "{\"traces\":[{" TIME "}]}",
      "{\"traces\":[{" TIME "}],\"next_page_token\":\"\"}",
      "{\"traces\":[{" TIME "}],\"next_page_token\":null}",
      "{\"traces\":[{" TIME "}],\"next_page_token\":\"x\",\"more\":\"y\"}",
      "{\"traces\":[{" TIME ",\"tags\":{\"next_page_token\":\"x\"}}]}",
      "{\"traces\":[{" TIME ",\"tags\":{\"a\":\"\\\"next_page_token\\\":\\\"x\\\"}\"}}]}",
      "{\"traces\":[{\"request_time\":\"noon\"}]," TOKEN,
      "{\"traces\":[{\"request_time\":7}]," TOKEN,
      "{\"traces\":[{\"request_time\"," TOKEN,
      "{\"traces\":[{\"request_time\":\"2026-11-23T11:59:23.950000000000000000000000000Z\"}]"
      "," TOKEN,
  };
  int64_t ms;
  for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
    if (mlf_search_guess_last(bodies[i], strlen(bodies[i]), &ms)) fail_msg("%s", bodies[i]);
  }
  assert_false(mlf_search_guess_last(NULL, 0, &ms));
}

/* Each beginning and each end of a page, in memory of just that size, for the sanitizers. */
static void cut_pages_are_read_within_their_bytes(void **state) {
  (void)state;
  static const char body[] = "{\"traces\":[{" TIME "}]," TOKEN;
  int64_t ms;
  for (size_t begin = 0; begin < sizeof(body); begin++) {
    size_t length = sizeof(body) - 1 - begin;
    char *end = test_malloc(length + 1);
    memcpy(end, body + begin, length);
    assert_int_equal(mlf_search_guess_last(end, length, &ms), begin <= 12);
    test_free(end);
    char *start = test_malloc(begin + 1);
    memcpy(start, body, begin);
    assert_int_equal(mlf_search_guess_last(start, begin, &ms), begin == sizeof(body) - 1);
    test_free(start);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(last_times_are_guessed),
      cmocka_unit_test(unclear_pages_give_no_guess),
      cmocka_unit_test(cut_pages_are_read_within_their_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
