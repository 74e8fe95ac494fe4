/* test_buffer.c: what base/buffer.h promises. */
#include "base/buffer.h"

#include <string.h>

#include "oom.h"

static void buffer_appends_and_terminates(void **state) {
  (void)state;
  mlf_buffer buffer;
  mlf_buffer_init(&buffer, 100);
  assert_null(buffer.bytes);
  assert_int_equal(mlf_buffer_append(&buffer, "trace", 5), SQLITE_OK);
  assert_int_equal(mlf_buffer_append(&buffer, NULL, 0), SQLITE_OK);
  assert_int_equal(mlf_buffer_append(&buffer, "s\0!", 3), SQLITE_OK);
  assert_int_equal(buffer.length, 8);
  assert_memory_equal(buffer.bytes, "traces\0!", 9);
  mlf_buffer_clear(&buffer);
  assert_null(buffer.bytes);
  assert_int_equal(mlf_buffer_append(&buffer, "", 0), SQLITE_OK);
  assert_string_equal(buffer.bytes, "");
  mlf_buffer_clear(&buffer);
}

static void buffer_stops_at_its_cap(void **state) {
  (void)state;
  mlf_buffer buffer;
  mlf_buffer_init(&buffer, 10);
  assert_int_equal(mlf_buffer_append(&buffer, "0123456", 7), SQLITE_OK);
  assert_int_equal(mlf_buffer_append(&buffer, "789A", 4), SQLITE_TOOBIG);
  assert_string_equal(buffer.bytes, "0123456");
  assert_int_equal(mlf_buffer_append(&buffer, "789", 3), SQLITE_OK);
  assert_int_equal(mlf_buffer_append(&buffer, "", 0), SQLITE_OK);
  assert_int_equal(mlf_buffer_append(&buffer, "A", 1), SQLITE_TOOBIG);
  assert_int_equal(mlf_buffer_append(&buffer, "A", SIZE_MAX), SQLITE_TOOBIG);
  assert_string_equal(buffer.bytes, "0123456789");
  assert_int_equal(buffer.length, 10);
  mlf_buffer_clear(&buffer);
  assert_int_equal(mlf_buffer_append(&buffer, "0123456789A", 11), SQLITE_TOOBIG);
  assert_null(buffer.bytes);
}

/* The memory itself is capped, too: doubling must not take twice what is allowed. */
static void buffer_takes_no_more_than_its_cap(void **state) {
  (void)state;
  char block[1000] = {0};
  mlf_buffer buffer;
  mlf_buffer_init(&buffer, 33 * sizeof(block));
  for (int i = 0; i < 33; i++)
    assert_int_equal(mlf_buffer_append(&buffer, block, sizeof(block)), SQLITE_OK);
  assert_int_equal(buffer.capacity, 33 * sizeof(block) + 1);
  mlf_buffer_clear(&buffer);
}

static void buffer_without_a_cap_does_not_wrap(void **state) {
  (void)state;
  mlf_buffer buffer;
  mlf_buffer_init(&buffer, SIZE_MAX);
  assert_int_equal(mlf_buffer_append(&buffer, "x", 1), SQLITE_OK);
  assert_int_equal(mlf_buffer_append(&buffer, "x", SIZE_MAX - 1), SQLITE_TOOBIG);
  assert_int_equal(mlf_buffer_append(&buffer, "x", SIZE_MAX - 2), SQLITE_NOMEM);
  assert_string_equal(buffer.bytes, "x");
  mlf_buffer_clear(&buffer);
}

static void buffer_gives_its_bytes_away(void **state) {
  (void)state;
  mlf_buffer buffer;
  mlf_buffer_init(&buffer, 10);
  assert_null(mlf_buffer_take(&buffer));
  assert_int_equal(mlf_buffer_append(&buffer, "0123456789", 10), SQLITE_OK);
  char *bytes = mlf_buffer_take(&buffer);
  assert_string_equal(bytes, "0123456789");
  sqlite3_free(bytes);
  assert_int_equal(buffer.length, 0);
  assert_int_equal(mlf_buffer_append(&buffer, "ABCDEFGHIJ", 10), SQLITE_OK);
  mlf_buffer_clear(&buffer);
}

static int buffer_grow(void *context) {
  char block[3000] = {0};
  mlf_buffer buffer;
  (void)context;
  mlf_buffer_init(&buffer, SIZE_MAX);
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < 5; i++) {
    rc = mlf_buffer_append(&buffer, block, sizeof(block));
    assert_int_equal(buffer.length, (i + (rc == SQLITE_OK)) * sizeof(block));
  }
  mlf_buffer_clear(&buffer);
  return rc;
}

static void buffer_survives_no_memory(void **state) {
  (void)state;
  assert_int_equal(oom_loop(buffer_grow, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(buffer_appends_and_terminates),
      cmocka_unit_test(buffer_stops_at_its_cap),
      cmocka_unit_test(buffer_takes_no_more_than_its_cap),
      cmocka_unit_test(buffer_without_a_cap_does_not_wrap),
      cmocka_unit_test(buffer_gives_its_bytes_away),
      cmocka_unit_test(buffer_survives_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
