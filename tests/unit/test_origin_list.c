/* What base/origin_list.h promises. */
#include <string.h>

#include "unit/oom.h"

#include "base/origin_list.h"

static bool has(const char *list, const char *address) {
  bool found;
  assert_int_equal(mlf_origin_list_has(list, address, &found), SQLITE_OK);
  return found;
}

static void test_members(void **state) {
  (void)state;
  static const char list[] = " https://a.example.com,http://127.0.0.1:5000\thttp://[::1]:80 ,";
  assert_true(has(list, "https://A.example.com:443/prefix"));
  assert_true(has(list, "http://127.0.0.1:5000"));
  assert_true(has(list, "http://[::1]"));
  static const char *const others[] = {"http://a.example.com",
                                       "https://a.example.com:8443",
                                       "https://b.a.example.com",
                                       "https://a.example.com.evil",
                                       "http://127.0.0.1:500",
                                       "http://127.0.0.1",
                                       "no address"};
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
    assert_false(has(list, others[i]));
  assert_false(has(NULL, "https://a.example.com"));
  assert_false(has("", "https://a.example.com"));
}

static void test_what_is_no_list(void **state) {
  (void)state;
  static const struct {
    const char *list, *text;
  } cases[] = {
      {"*", "NAME: it must begin with http"},
      {"https://a, traces.example.com", "NAME: it must begin with http"},
      {"https://a/prefix", "NAME: each must be scheme, host and port alone"},
      {"https://u:p@a", "NAME: each must be scheme, host and port alone"},
      {"https://*.example.com", "NAME: there is no host"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    mlf_error error = {0};
    assert_int_equal(mlf_origin_list_check(cases[i].list, "NAME", &error), SQLITE_ERROR);
    assert_memory_equal(error.text, cases[i].text, strlen(cases[i].text));
    mlf_error_clear(&error);
  }
  mlf_error error = {0};
  assert_int_equal(mlf_origin_list_check("http://a,https://b:1", "NAME", &error), SQLITE_OK);
}

static int check_and_look(void *context) {
  mlf_error error = {0};
  bool found = true;
  (void)context;
  int rc = mlf_origin_list_check("http://a, http://b:2", "NAME", &error);
  if (rc == SQLITE_OK) rc = mlf_origin_list_has("http://a, http://b:2", "http://b:2", &found);
  if (rc == SQLITE_OK) assert_true(found);
  mlf_error_clear(&error);
  return rc;
}

static void test_without_memory(void **state) {
  (void)state;
  assert_int_equal(oom_loop(check_and_look, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_members),
      cmocka_unit_test(test_what_is_no_list),
      cmocka_unit_test(test_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
