/* test_stratify.c: what analysis/stratify.h and analysis/stratify_state.h promise. */
#include "analysis/stratify.h"

#include <math.h>
#include <string.h>

#include "analysis/hash.h"
#include "analysis/stratify_state.h"
#include "oom.h"

static mlf_value integer(int64_t value) {
  return (mlf_value){.type = MLF_INTEGER, .integer = value};
}

static mlf_value real(double value) {
  return (mlf_value){.type = MLF_REAL, .real = value};
}

static mlf_value text(const char *value) {
  return (mlf_value){.type = MLF_TEXT, .text = value, .length = strlen(value)};
}

static mlf_value blob(const char *value, size_t length) {
  return (mlf_value){.type = MLF_BLOB, .text = value, .length = length};
}

static const mlf_value null_value = {.type = MLF_NULL};

static void add(mlf_stratify *state, mlf_value key, mlf_value stratum) {
  mlf_error error = {0};
  assert_int_equal(mlf_stratify_add(state, &key, &stratum, &error), SQLITE_OK);
}

/* The state as a BLOB, and cleared. */
static mlf_buffer finished(mlf_stratify *state) {
  mlf_buffer bytes;
  mlf_buffer_init(&bytes, 1 << 24);
  mlf_stratify_finish(state);
  assert_int_equal(mlf_stratify_state_write(state, &bytes), SQLITE_OK);
  mlf_stratify_clear(state);
  return bytes;
}

static void assert_same_and_clear(mlf_buffer *a, mlf_buffer *b) {
  assert_int_equal(a->length, b->length);
  assert_memory_equal(a->bytes, b->bytes, a->length);
  mlf_buffer_clear(a);
  mlf_buffer_clear(b);
}

static void stratify_compares_like_sql(void **state) {
  (void)state;
  const mlf_value ascending[] = {null_value,
                                 real(-INFINITY),
                                 integer(INT64_MIN),
                                 real(-1.5),
                                 integer(-1),
                                 real(-0.5),
                                 integer(0),
                                 real(0.5),
                                 integer(1),
                                 integer(9007199254740992),
                                 integer(9007199254740993),
                                 integer(INT64_MAX),
                                 real(9223372036854775808.0),
                                 real(INFINITY),
                                 text(""),
                                 text("A"),
                                 text("a"),
                                 text("a\xc3\xbc"),
                                 text("b"),
                                 blob(NULL, 0),
                                 blob("\0", 1),
                                 blob("\0\0", 2),
                                 blob("\1", 1),
                                 blob("a", 1)};
  const size_t count = sizeof(ascending) / sizeof(*ascending);
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < count; j++) {
      int order = mlf_stratify_compare(&ascending[i], &ascending[j]);
      assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
    }
  }
  const mlf_value same[][2] = {{integer(1), real(1)},
                               {integer(0), real(-0.0)},
                               {integer(INT64_MIN), real(-9223372036854775808.0)},
                               {integer(9007199254740992), real(9007199254740992.0)}};
  mlf_stratify sample;
  mlf_stratify_init(&sample, 1, 42);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(mlf_stratify_compare(&same[i][0], &same[i][1]), 0);
    assert_int_equal(mlf_stratify_compare(&same[i][1], &same[i][0]), 0);
    assert_true(mlf_stratify_place(&sample, &same[i][0]) ==
                mlf_stratify_place(&sample, &same[i][1]));
  }
  mlf_stratify_clear(&sample);
}

/* The documented construction, step by step. */
static void stratify_places_are_as_documented(void **state) {
  (void)state;
  mlf_stratify sample;
  mlf_stratify_init(&sample, 1, -7);
  mlf_value values[] = {text("tr-1"), integer(-2), real(0.5), blob("tr-1", 4), null_value};
  const char *bytes[] = {"tr-1", "\xfe\xff\xff\xff\xff\xff\xff\xff", "\0\0\0\0\0\0\xe0\x3f", "tr-1",
                         ""};
  const size_t lengths[] = {4, 8, 8, 4, 0};
  for (size_t i = 0; i < 5; i++) {
    uint64_t seed = mlf_hash_bytes(&"tirbn"[i], 1, (uint64_t)(int64_t)-7);
    assert_true(mlf_stratify_place(&sample, &values[i]) ==
                mlf_hash_bytes(bytes[i], lengths[i], seed));
  }
  mlf_stratify_clear(&sample);
}

/* Which keys are in the sample, the slow way: the smallest places of all different keys. */
static void stratify_keeps_the_smallest_places(void **state) {
  (void)state;
  static const int64_t sizes[] = {0, 1, 2, 7, 8, 9, 16, 50, 1000, 5000};
  enum { ROWS = 3000, KEYS = 1000 };
  for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
    mlf_stratify sample;
    mlf_stratify_init(&sample, sizes[s], 5);
    for (int64_t i = 0; i < ROWS; i++)
      add(&sample, integer(i * 7 % KEYS), integer(i % 3 == 0));
    mlf_stratify_finish(&sample);
    assert_int_equal(sample.count, 2);
    assert_int_equal(sample.strata[0].population, ROWS / 3 * 2);
    assert_int_equal(sample.strata[1].population, ROWS / 3);
    for (int stratum = 0; stratum < 2; stratum++) {
      const mlf_stratum *found = &sample.strata[stratum];
      int64_t kept = 0;
      for (int64_t key = 0; key < KEYS; key++) {
        mlf_value value = integer(key);
        bool is_in = false;
        for (size_t i = 0; i < found->count; i++)
          is_in |= found->keys[i].key.integer == key;
        bool is_small = found->count > 0 &&
                        mlf_stratify_place(&sample, &value) <= found->keys[found->count - 1].place;
        bool is_there = false;
        for (int64_t i = 0; i < ROWS; i++)
          is_there |= i * 7 % KEYS == key && (i % 3 == 0) == stratum;
        assert_int_equal(is_in, is_there && is_small);
        kept += is_in;
      }
      assert_int_equal(kept, found->count);
      assert_int_equal(found->count, sizes[s] < KEYS ? sizes[s] : KEYS);
      for (size_t i = 1; i < found->count; i++)
        assert_true(found->keys[i - 1].place < found->keys[i].place);
    }
    mlf_stratify_clear(&sample);
  }
}

static void stratify_forgets_the_order_of_rows(void **state) {
  (void)state;
  enum { ROWS = 2000 };
  const mlf_value keys[] = {integer(3), real(3), real(2.5), text("3"), blob("3", 1)};
  mlf_stratify ahead;
  mlf_stratify back;
  mlf_stratify_init(&ahead, 40, 1);
  mlf_stratify_init(&back, 40, 1);
  for (int64_t i = 0; i < ROWS; i++) {
    int64_t j = ROWS - 1 - i;
    add(&ahead, i % 2 ? integer(i) : real((double)i / 4), i % 5 ? integer(i % 2) : real(1));
    add(&back, j % 2 ? integer(j) : real((double)j / 4), j % 5 ? integer(j % 2) : real(1));
    add(&ahead, keys[i % 5], null_value);
    add(&back, keys[4 - i % 5], null_value);
    add(&ahead, null_value, text("a NULL key is no row"));
  }
  mlf_stratify_finish(&ahead);
  assert_int_equal(ahead.count, 3);
  assert_int_equal(ahead.strata[0].value.type, MLF_NULL);
  assert_int_equal(ahead.strata[0].count, 4); /* 3 and 3.0 are one key, '3' and x'33' are others */
  assert_int_equal(ahead.strata[2].value.type, MLF_INTEGER);
  mlf_buffer a = finished(&ahead);
  mlf_buffer b = finished(&back);
  assert_same_and_clear(&a, &b);
}

/* Of equal keys the INTEGER is kept, even if it comes when the sample is full and it is the last.
 */
static void stratify_prefers_the_integer(void **state) {
  (void)state;
  mlf_stratify sample;
  mlf_stratify_init(&sample, 1, 0);
  for (int i = 0; i < 100; i++)
    add(&sample, real(1), null_value);
  assert_true(sample.strata[0].place_max < UINT64_MAX);
  add(&sample, integer(1), null_value);
  mlf_stratify_finish(&sample);
  assert_int_equal(sample.strata[0].count, 1);
  assert_int_equal(sample.strata[0].keys[0].key.type, MLF_INTEGER);
  mlf_stratify_clear(&sample);
}

static void stratify_merges_into_the_whole(void **state) {
  (void)state;
  enum { ROWS = 3000, PARTS = 4 };
  mlf_stratify whole;
  mlf_stratify merged;
  mlf_stratify parts[PARTS];
  mlf_error error = {0};
  char key[32];
  mlf_stratify_init(&whole, 25, 9);
  mlf_stratify_init(&merged, 25, 9);
  for (int p = 0; p < PARTS; p++)
    mlf_stratify_init(&parts[p], 25, 9);
  for (int i = 0; i < ROWS; i++) {
    sqlite3_snprintf(sizeof(key), key, "tr-%d", i % 2500);
    add(&whole, text(key), i % 7 ? integer(i % 7) : null_value);
    add(&parts[i % PARTS], text(key), i % 7 ? integer(i % 7) : null_value);
  }
  for (int p = 0; p < PARTS; p++) {
    mlf_stratify_finish(&parts[p]);
    assert_int_equal(mlf_stratify_merge(&merged, &parts[p], &error), SQLITE_OK);
    mlf_stratify_clear(&parts[p]);
  }
  mlf_buffer a = finished(&whole);
  mlf_buffer b = finished(&merged);
  assert_same_and_clear(&a, &b);
}

static mlf_buffer mixed_state(void) {
  mlf_stratify sample;
  mlf_stratify_init(&sample, 3, INT64_MIN);
  for (int64_t i = 0; i < 100; i++) {
    add(&sample, integer(i), null_value);
    add(&sample, real((double)i + 0.5), real(0.5));
    add(&sample, text("only"), text("\xc3\xbc"));
    add(&sample, blob("\0\1", 2), blob(NULL, 0));
    add(&sample, text(""), integer(-1));
  }
  return finished(&sample);
}

static void state_travels(void **state) {
  (void)state;
  mlf_buffer written = mixed_state();
  mlf_buffer again;
  mlf_stratify read = {0};
  mlf_error error = {0};
  assert_int_equal(mlf_stratify_state_read(written.bytes, written.length, &read, &error), 0);
  assert_int_equal(read.size, 3);
  assert_true(read.seed == INT64_MIN);
  assert_int_equal(read.rows, 500);
  assert_int_equal(read.count, 5);
  assert_int_equal(read.strata[4].value.type, MLF_BLOB);
  assert_int_equal(read.strata[4].population, 100);
  assert_int_equal(read.strata[4].count, 1);
  again = finished(&read);
  assert_same_and_clear(&written, &again);
}

/* The bytes of version 1, for ever. */
static void state_has_its_documented_bytes(void **state) {
  (void)state;
  mlf_stratify sample;
  mlf_stratify_init(&sample, 2, 42);
  add(&sample, text("k"), null_value);
  add(&sample, text("k"), null_value);
  add(&sample, integer(258), text("s"));
  mlf_buffer bytes = finished(&sample);
  static const char expected[] = "MLFS\1\0\0\0\2\0\0\0\x2a\0\0\0\0\0\0\0\2\0\0\0"
                                 "n\2\0\0\0\0\0\0\0\1\0\0\0t\1\0\0\0k"
                                 "t\1\0\0\0s\1\0\0\0\0\0\0\0\1\0\0\0i\2\1\0\0\0\0\0\0";
  assert_int_equal(bytes.length, sizeof(expected) - 1);
  assert_memory_equal(bytes.bytes, expected, bytes.length);
  mlf_buffer_clear(&bytes);
}

static char *error_of(const void *bytes, size_t length) {
  mlf_stratify read = {0};
  mlf_error error = {0};
  /* In a block of its own, so that reading on is seen by a sanitizer. */
  char *copy = malloc(length + 1);
  if (length) memcpy(copy, bytes, length);
  copy = realloc(copy, length ? length : 1);
  int rc = mlf_stratify_state_read(copy, length, &read, &error);
  assert_int_equal(rc, error.code);
  mlf_stratify_clear(&read);
  free(copy);
  return mlf_error_take(&error);
}

static void state_refuses_what_rows_cannot_make(void **state) {
  (void)state;
  static const struct {
    size_t length;
    const char *bytes;
    const char *error;
  } cases[] = {
      {0, "", "it does not begin with MLFS at byte 0"},
      {4, "MLFT", "it does not begin with MLFS at byte 0"},
      {24, "MLFS\1\0\0\0\x41\x42\x0f\0\0\0\0\0\0\0\0\0\0\0\0\0",
       "a size that cannot be at byte 12"},
      {25, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "bytes after the end at byte 24"},
      {25, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0x", "an unknown type at byte 25"},
      {25, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0", "an unknown type at byte 25"},
      {29, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0t\1\0\0\0", "it is cut off at byte 29"},
      {33, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0r\0\0\0\0\0\0\xf8\x7f",
       "a REAL that is no number at byte 33"},
      {33, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0r\0\0\0\0\0\0\0\x80",
       "a REAL that is -0.0 at byte 33"},
      {37, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0n\0\0\0\0\0\0\0\0\0\0\0\0",
       "a population that cannot be at byte 37"},
      {37, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0n\1\0\0\0\0\x08\0\0\0\0\0\0",
       "a population that cannot be at byte 37"},
      {37, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0n\1\0\0\0\0\0\0\0\0\0\0\0",
       "a number of keys that cannot be at byte 37"},
      {37, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0n\1\0\0\0\0\0\0\0\2\0\0\0",
       "a number of keys that cannot be at byte 37"},
      {37, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0n\4\0\0\0\0\0\0\0\3\0\0\0",
       "a number of keys that cannot be at byte 37"},
      {38, "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0n\1\0\0\0\0\0\0\0\1\0\0\0n",
       "a key that is NULL at byte 38"},
      {49,
       "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0n\2\0\0\0\0\0\0\0\2\0\0\0t\1\0\0\0kt\1\0\0\0k",
       "a key out of order at byte 49"},
      {57,
       "MLFS\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0n\1\0\0\0\0\0\0\0\1\0\0\0t\1\0\0\0k"
       "n\1\0\0\0\0\0\0\0\1\0\0\0t",
       "a stratum out of order at byte 44"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    char *error = error_of(cases[i].bytes, cases[i].length);
    assert_non_null(error);
    assert_memory_equal(error, "not a state that strata() made: ", 32);
    assert_string_equal(error + 32, cases[i].error);
    sqlite3_free(error);
  }
  char *error = error_of("MLFS\2\0\0\0", 8);
  assert_string_equal(error, "a state of version 2; this sqlite-mlflow reads version 1");
  sqlite3_free(error);
}

/* Cut at every byte, and with every bit turned: an error or a state, never a fault. */
static void state_survives_damage(void **state) {
  (void)state;
  mlf_buffer written = mixed_state();
  for (size_t length = 0; length < written.length; length++) {
    char *error = error_of(written.bytes, length);
    assert_non_null(error);
    sqlite3_free(error);
  }
  for (size_t bit = 0; bit < 8 * written.length; bit++) {
    written.bytes[bit / 8] = (char)(written.bytes[bit / 8] ^ (1 << bit % 8));
    sqlite3_free(error_of(written.bytes, written.length));
    written.bytes[bit / 8] = (char)(written.bytes[bit / 8] ^ (1 << bit % 8));
  }
  mlf_buffer_clear(&written);
}

static void stratify_stops_at_its_limits(void **state) {
  (void)state;
  mlf_stratify sample;
  mlf_error error = {0};
  mlf_stratify_init(&sample, 1, 0);
  mlf_value key = integer(1);
  for (int64_t i = 0; i < MLF_STRATIFY_STRATA_MAX; i++)
    add(&sample, key, integer(i));
  add(&sample, key, real(7)); /* is there already */
  mlf_value stratum = text("one more");
  assert_int_equal(mlf_stratify_add(&sample, &key, &stratum, &error), SQLITE_ERROR);
  assert_string_equal(error.text, "more than 100000 different strata");
  mlf_error_clear(&error);
  mlf_stratify_clear(&sample);

  mlf_stratify_init(&sample, 1, 0);
  add(&sample, key, null_value);
  assert_int_equal(mlf_stratify_add_rows(&sample, &null_value, MLF_STRATIFY_ROWS_MAX - 1, &error),
                   SQLITE_OK);
  assert_int_equal(mlf_stratify_add(&sample, &key, &null_value, &error), SQLITE_ERROR);
  assert_string_equal(error.text, "more than 8796093022208 rows");
  mlf_error_clear(&error);
  mlf_stratify_clear(&sample);
}

static int stratify_whole_life(void *context) {
  mlf_stratify sample;
  mlf_stratify read = {0};
  mlf_error error = {0};
  mlf_buffer bytes;
  char key[32];
  (void)context;
  mlf_buffer_init(&bytes, 1 << 20);
  mlf_stratify_init(&sample, 20, 3);
  int rc = SQLITE_OK;
  for (int i = 0; rc == SQLITE_OK && i < 400; i++) {
    sqlite3_snprintf(sizeof(key), key, "tr-%d", i);
    mlf_value stratum = text(i % 50 ? "often" : key);
    mlf_value value = text(key);
    rc = mlf_stratify_add(&sample, &value, &stratum, &error);
  }
  mlf_stratify_finish(&sample);
  if (rc == SQLITE_OK) rc = mlf_stratify_state_write(&sample, &bytes);
  if (rc == SQLITE_OK) rc = mlf_stratify_state_read(bytes.bytes, bytes.length, &read, &error);
  if (rc == SQLITE_OK) assert_int_equal(read.count, 9);
  mlf_stratify_clear(&read);
  mlf_stratify_clear(&sample);
  mlf_buffer_clear(&bytes);
  return rc;
}

static void stratify_without_memory_is_nomem(void **state) {
  (void)state;
  assert_int_equal(oom_loop(stratify_whole_life, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stratify_compares_like_sql),
      cmocka_unit_test(stratify_places_are_as_documented),
      cmocka_unit_test(stratify_keeps_the_smallest_places),
      cmocka_unit_test(stratify_forgets_the_order_of_rows),
      cmocka_unit_test(stratify_prefers_the_integer),
      cmocka_unit_test(stratify_merges_into_the_whole),
      cmocka_unit_test(state_travels),
      cmocka_unit_test(state_has_its_documented_bytes),
      cmocka_unit_test(state_refuses_what_rows_cannot_make),
      cmocka_unit_test(state_survives_damage),
      cmocka_unit_test(stratify_stops_at_its_limits),
      cmocka_unit_test(stratify_without_memory_is_nomem),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
