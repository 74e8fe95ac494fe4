/* test_id_set.c: base/id_set.h. */
#include "base/id_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void check_add(mlf_id_set *set, const char *id, bool expected) {
  bool added;
  assert_int_equal(mlf_id_set_add(set, id, &added), 0);
  assert_int_equal(added, expected);
}

static void every_id_is_new_once(void **state) {
  (void)state;
  mlf_id_set set = {0};
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 5000; i++) {
      char id[64];
      snprintf(id, sizeof(id), i % 2 ? "tr-%032x" : "tr-%016x0000000000000000", i);
      check_add(&set, id, round == 0);
    }
  }
  assert_int_equal(set.count + set.others.count, 5000);
  mlf_id_set_clear(&set);
  check_add(&set, "tr-00000000000000000000000000000001", true);
  mlf_id_set_clear(&set);
}

/* What only looks alike, and what has another form, is another id. */
static void any_text_may_be_an_id(void **state) {
  static const char *const ids[] = {"",     "tr-",
                                    "tr-1", "00000000000000000000000000000001",
                                    "x",    "tr-000000000000000000000000000000001",
                                    "a b",  "tr-0000000000000000000000000000000",
                                    "tr",   "tr-0000000000000000000000000000000A",
                                    "é",    "tr-0000000000000000000000000000000a",
                                    "TR-0", "tr-00000000000000000000000000000000",
                                    "0x",   "xr-0000000000000000000000000000000a",
                                    "tr- ", "tr-0000000000000000000000000000000g",
                                    ":",    "tr-00000000000000000000000000000010",
                                    "tr-:", "tr-0000000000000000000000000000000:"};
  (void)state;
  mlf_id_set set = {0};
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
      check_add(&set, ids[i], round == 0);
  }
  mlf_id_set_clear(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_id_is_new_once),
                                     cmocka_unit_test(any_text_may_be_an_id)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
