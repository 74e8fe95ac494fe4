/* test_array.c: what base/array.h promises. */
#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sqlite_api.h"

static void room_doubles(void **state) {
  (void)state;
  int *numbers = NULL;
  size_t capacity = 0;
  for (size_t i = 0; i < 100; i++) {
    numbers = mlf_array_room(numbers, i, &capacity, 3, sizeof(*numbers));
    assert_non_null(numbers);
    numbers[i] = (int)i;
    assert_true(capacity > i);
  }
  assert_int_equal(capacity, 3 * 64);
  for (int i = 0; i < 100; i++)
    assert_int_equal(numbers[i], i);
  sqlite3_free(numbers);
}

static void what_there_is_stays_without_memory(void **state) {
  (void)state;
  size_t capacity = 0;
  char *bytes = mlf_array_room(NULL, 0, &capacity, 8, 1);
  assert_non_null(bytes);
  capacity = SIZE_MAX / 4;
  assert_null(mlf_array_room(bytes, capacity, &capacity, 8, 1));
  assert_int_equal(capacity, SIZE_MAX / 4);
  sqlite3_free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(room_doubles),
      cmocka_unit_test(what_there_is_stays_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
