/* test_json_python.c: what model/json_python.h promises. */
#include "model/json_python.h"

#include <string.h>

#include "oom.h"

static void words_become_null_outside_of_strings(void **state) {
  (void)state;
  static const struct {
    const char *sent, *plain;
  } cases[] = {
      {"", ""},
      {"NaN", "null"},
      {"[NaN,Infinity,-Infinity,-1]", "[null,null,null,-1]"},
      {"{\"NaN\": NaN}", "{\"NaN\": null}"},
      {"\"NaN \\\" NaN\" NaN", "\"NaN \\\" NaN\" null"},
      {"\"\\\\\"NaN", "\"\\\\\"null"},
      {"\"cut NaN", "\"cut NaN"},
      {"\"cut \\", "\"cut \\"},
      {"Na Infinit -Infinit nan", "Na Infinit -Infinit nan"},
      {"NaNNaNNaN", "nullnullnull"}, /* no more room than this is ever needed */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    size_t length;
    char *plain = mlf_json_python_plain(cases[i].sent, strlen(cases[i].sent), &length);
    assert_string_equal(plain, cases[i].plain);
    assert_int_equal(length, strlen(plain));
    sqlite3_free(plain);
  }
}

static void the_text_ends_where_it_is_said_to(void **state) {
  (void)state;
  size_t length;
  char *plain = mlf_json_python_plain("[NaN]", 3, &length);
  assert_string_equal(plain, "[Na");
  sqlite3_free(plain);
}

static int plain_without_memory(void *context) {
  size_t length;
  (void)context;
  char *plain = mlf_json_python_plain("NaN", 3, &length);
  sqlite3_free(plain);
  return plain ? SQLITE_OK : SQLITE_NOMEM;
}

static void memory_may_run_out(void **state) {
  (void)state;
  assert_int_equal(oom_loop(plain_without_memory, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_become_null_outside_of_strings),
      cmocka_unit_test(the_text_ends_where_it_is_said_to),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
