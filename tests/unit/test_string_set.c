/* test_string_set.c: what base/string_set.h promises. */
#include "base/string_set.h"

#include <stdio.h>
#include <string.h>

#include "oom.h"

static bool add(mlf_string_set *set, const char *text) {
  bool added;
  assert_int_equal(mlf_string_set_add(set, text, &added), SQLITE_OK);
  return added;
}

static void a_new_set_is_empty(void **state) {
  (void)state;
  mlf_string_set set;
  mlf_string_set_init(&set);
  assert_false(mlf_string_set_has(&set, ""));
  assert_false(mlf_string_set_has(&set, "a"));
  assert_int_equal(set.count, 0);
  mlf_string_set_clear(&set);
}

static void strings_are_kept_once(void **state) {
  (void)state;
  mlf_string_set set;
  char text[] = "tr-1";
  mlf_string_set_init(&set);
  assert_true(add(&set, text));
  assert_false(add(&set, text));
  text[3] = '2'; /* a copy was kept */
  assert_true(mlf_string_set_has(&set, "tr-1"));
  assert_false(mlf_string_set_has(&set, "tr-2"));
  assert_false(mlf_string_set_has(&set, "tr-"));
  assert_true(add(&set, text));
  assert_true(add(&set, ""));
  assert_false(add(&set, ""));
  assert_true(add(&set, "TR-1"));
  assert_int_equal(set.count, 4);
  mlf_string_set_clear(&set);
  assert_int_equal(set.count, 0);
  assert_false(mlf_string_set_has(&set, "tr-1"));
  assert_true(add(&set, "tr-1")); /* and can be used again */
  mlf_string_set_clear(&set);
}

static void many_strings_are_told_apart(void **state) {
  (void)state;
  mlf_string_set set;
  char text[32];
  mlf_string_set_init(&set);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 20000; i += 2) {
      snprintf(text, sizeof(text), "tr-%d", i);
      assert_int_equal(add(&set, text), round == 0);
    }
  }
  assert_int_equal(set.count, 10000);
  for (int i = 0; i < 20000; i++) {
    snprintf(text, sizeof(text), "tr-%d", i);
    assert_int_equal(mlf_string_set_has(&set, text), i % 2 == 0);
  }
  mlf_string_set_clear(&set);
}

/* Whatever fails, the set holds what was added before and no more. */
static int grow_without_memory(void *context) {
  mlf_string_set set;
  char text[32];
  bool added;
  int rc = SQLITE_OK, count = 0;
  (void)context;
  mlf_string_set_init(&set);
  while (rc == SQLITE_OK && count < 40) {
    snprintf(text, sizeof(text), "tr-%d", count);
    rc = mlf_string_set_add(&set, text, &added);
    assert_int_equal(added, rc == SQLITE_OK);
    count += added;
  }
  assert_int_equal(set.count, count);
  for (int i = 0; i < 40; i++) {
    snprintf(text, sizeof(text), "tr-%d", i);
    assert_int_equal(mlf_string_set_has(&set, text), i < count);
  }
  mlf_string_set_clear(&set);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  assert_int_equal(oom_loop(grow_without_memory, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_set_is_empty),
      cmocka_unit_test(strings_are_kept_once),
      cmocka_unit_test(many_strings_are_told_apart),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
