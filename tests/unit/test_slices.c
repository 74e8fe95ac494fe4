/* test_slices.c: what remote/slices.h promises. */
#include "remote/slices.h"

#include <stdio.h>
#include <string.h>

#include "oom.h"

/* The queue as text: "begin..end" of each, with the ids' range if it has one. */
static void check(const mlf_slices *slices, const char *expected) {
  char text[4096] = "";
  size_t count = 0;
  for (const mlf_slice *each = slices->head; each; each = each->next, count++) {
    size_t length = strlen(text);
    snprintf(text + length, sizeof(text) - length, "%s%d..%d", count ? " " : "", (int)each->begin,
             (int)each->end);
    length = strlen(text);
    if (each->ids_end)
      snprintf(text + length, sizeof(text) - length, "(%d..%d)", (int)each->ids_begin,
               (int)each->ids_end);
  }
  assert_string_equal(text, expected);
  assert_int_equal(slices->count, count);
}

static mlf_slice *begin_with(mlf_slices *slices, mlf_slice_key begin, mlf_slice_key end) {
  memset(slices, 0, sizeof(*slices));
  mlf_slice *whole = mlf_slices_insert(slices, NULL);
  whole->begin = begin;
  whole->end = end;
  return whole;
}

static void ranges_are_cut(void **state) {
  mlf_slices slices;
  (void)state;
  mlf_slice *whole = begin_with(&slices, 10, 99);
  mlf_slices_cut(&slices, whole, 99);
  mlf_slices_cut(&slices, whole, 200);
  check(&slices, "10..99");
  mlf_slices_cut(&slices, whole, 19);
  check(&slices, "10..19 20..99");
  mlf_slices_cut(&slices, whole->next, 29);
  mlf_slices_cut(&slices, whole, 10);
  check(&slices, "10..10 11..19 20..29 30..99");
  assert_int_equal(mlf_slices_tail(&slices)->begin, 30);
}

static void ids_are_cut(void **state) {
  mlf_slices slices;
  (void)state;
  mlf_slice *whole = begin_with(&slices, 1, 2);
  whole->ids_end = 25;
  mlf_slices_cut_ids(&slices, whole, 25);
  check(&slices, "1..2(0..25)");
  mlf_slices_cut_ids(&slices, whole, 10);
  mlf_slices_cut_ids(&slices, whole->next, 10);
  check(&slices, "1..2(0..10) 1..2(10..20) 1..2(20..25)");
}

static void slices_take_turns(void **state) {
  mlf_slices slices;
  (void)state;
  mlf_slice *whole = begin_with(&slices, 0, 29);
  mlf_slices_rotate(&slices);
  check(&slices, "0..29");
  mlf_slices_cut(&slices, whole, 9);
  mlf_slices_cut(&slices, whole->next, 19);
  mlf_slices_rotate(&slices);
  check(&slices, "10..19 20..29 0..9");
  assert_ptr_equal(mlf_slices_tail(&slices), whole); /* they do not move */
  mlf_slices_pop(&slices);
  mlf_slices_rotate(&slices);
  check(&slices, "0..9 20..29");
  mlf_slices_pop(&slices);
  mlf_slices_pop(&slices);
  check(&slices, "");
  assert_null(mlf_slices_tail(&slices));
}

static void the_longest_is_halved(void **state) {
  mlf_slices slices;
  (void)state;
  mlf_slice *whole = begin_with(&slices, 0, 99);
  assert_null(mlf_slices_halve(&slices, 2)); /* nobody knows how long a page is */
  whole->width = 10;
  mlf_slice *half = mlf_slices_halve(&slices, 2);
  check(&slices, "0..49 50..99");
  assert_ptr_equal(half, whole->next);
  assert_true(half->width == whole->width && !half->open);
  half->width = 2; /* fewer traces there, but more pages */
  mlf_slices_halve(&slices, 2);
  check(&slices, "0..49 50..74 75..99");
  half->last = true;
  half->next->tied = true;
  mlf_slices_halve(&slices, 2);
  check(&slices, "0..24 25..49 50..74 75..99");
  assert_null(mlf_slices_halve(&slices, 2.6));
}

static void the_end_becomes_known(void **state) {
  mlf_slices slices;
  (void)state;
  mlf_slices_end(memset(&slices, 0, sizeof(slices)), 5);
  mlf_slice *whole = begin_with(&slices, 0, INT64_MAX);
  mlf_slices_cut(&slices, whole, 9);
  mlf_slices_end(&slices, 50);
  mlf_slices_end(&slices, 70);
  check(&slices, "0..9 10..50");
  assert_false(whole->next->open);
  mlf_slices_end(&slices, 3);
  assert_true(whole->next->open && whole->next->last); /* nothing is in it */
  begin_with(&slices, 20, 99)->open = true;
  mlf_slices_end(&slices, INT64_MIN);
  check(&slices, "20..20"); /* what is in hand stays */
}

static void places_are_used_again(void **state) {
  mlf_slices slices;
  (void)state;
  mlf_slice *whole = begin_with(&slices, 0, 1000);
  whole->width = 1;
  for (int i = 1; i < MLF_SLICES_MAX; i++)
    assert_non_null(mlf_slices_insert(&slices, whole));
  assert_null(mlf_slices_insert(&slices, NULL));
  assert_null(mlf_slices_halve(&slices, 2));
  mlf_slices_cut(&slices, whole, 5);
  assert_int_equal(whole->end, 1000);
  for (int i = 0; i < 3 * MLF_SLICES_MAX; i++) {
    mlf_slices_pop(&slices);
    mlf_slice *added = mlf_slices_insert(&slices, slices.head);
    assert_non_null(added);
    assert_true(!added->open && !added->call && added->end == 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranges_are_cut),        cmocka_unit_test(ids_are_cut),
      cmocka_unit_test(slices_take_turns),     cmocka_unit_test(the_longest_is_halved),
      cmocka_unit_test(the_end_becomes_known), cmocka_unit_test(places_are_used_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
