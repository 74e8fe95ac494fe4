/* test_walk.c: remote/walk.h. */
#include "remote/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sqlite_api.h"
#include "oom.h"

#define ALL ((mlf_walk_part){.low_ms = -INT64_MAX, .high_ms = INT64_MAX})

static const mlf_value ids[] = {{.type = MLF_TEXT, .text = "tr-1", .length = 4},
                                {.type = MLF_TEXT, .text = "it's", .length = 4},
                                {.type = MLF_TEXT, .text = "tr-3", .length = 4}};

static void check(mlf_walk walk, mlf_walk_part part, const char *expected) {
  char *filter = NULL;
  assert_int_equal(mlf_walk_filter(&walk, &part, &filter), SQLITE_OK);
  if (expected) {
    assert_string_equal(filter, expected);
  } else {
    assert_null(filter);
  }
  sqlite3_free(filter);
}

static void a_walk_over_all_has_no_filter(void **state) {
  (void)state;
  check((mlf_walk){0}, ALL, NULL);
  check((mlf_walk){.filter = ""}, ALL, NULL);
}

static void conditions_are_joined(void **state) {
  (void)state;
  mlf_walk walk = {.filter = "attributes.status = 'OK'", .raw = "span.name = 'x'", .ids = ids};
  mlf_walk_part part = {.ids_begin = 1, .ids_end = 3, .low_ms = 5, .high_ms = 9};
  check(walk, part,
        "span.name = 'x' AND attributes.status = 'OK' AND attributes.request_id IN "
        "(\"it's\", 'tr-3') AND attributes.timestamp_ms <= 9");
  walk = (mlf_walk){.filter = "attributes.status = 'OK'", .preset = "tags.a = 'b'"};
  check(walk, ALL, "attributes.status = 'OK' AND tags.a = 'b'");
}

static void bounds_are_sent_as_far_as_they_are_bounds(void **state) {
  (void)state;
  mlf_walk_part part = {.low_ms = 5, .high_ms = 9};
  check((mlf_walk){0}, part, "attributes.timestamp_ms >= 5 AND attributes.timestamp_ms <= 9");
  part.high_ms = INT64_MAX;
  check((mlf_walk){0}, part, "attributes.timestamp_ms >= 5");
  part.low_ms = INT64_MIN;
  part.high_ms = 9;
  check((mlf_walk){0}, part, "attributes.timestamp_ms <= 9");
  part.low_ms = 9;
  check((mlf_walk){0}, part, "attributes.timestamp_ms = 9");
}

static void beside_spans_no_lower_bound_is_sent(void **state) {
  (void)state;
  mlf_walk_part part = {.low_ms = 5, .high_ms = 9};
  check((mlf_walk){.spans = true}, part, "attributes.timestamp_ms <= 9");
  check((mlf_walk){.preset = "tags.a = 'b'"}, part,
        "attributes.timestamp_ms >= 5 AND attributes.timestamp_ms <= 9 AND tags.a = 'b'");
  check((mlf_walk){.raw = "tags.a = 'b'"}, part, "tags.a = 'b' AND attributes.timestamp_ms <= 9");
  part.high_ms = INT64_MAX;
  check((mlf_walk){.spans = true}, part, NULL);
  part.low_ms = part.high_ms = 7; /* one millisecond is no lower bound */
  check((mlf_walk){.spans = true}, part, "attributes.timestamp_ms = 7");
}

static void a_time_in_the_preset_is_refused_beside_spans(void **state) {
  (void)state;
  static const char timed[] = "attributes.Timestamp >= 5", untimed[] = "tags.a = 'timestamp'";
  static const char *const spans[] = {"span.name = 'a'", "tags.a = 'b' AND Trace.TEXT LIKE '%a'"};
  mlf_error error = {0};
  for (size_t i = 0; i < 2; i++) {
    mlf_walk walk = {.raw = spans[i]};
    assert_int_equal(mlf_walk_check_preset(&walk, NULL, &error), SQLITE_OK);
    assert_int_equal(mlf_walk_check_preset(&walk, untimed, &error), SQLITE_OK);
    assert_int_equal(mlf_walk_check_preset(&walk, timed, &error), SQLITE_ERROR);
    mlf_error_clear(&error);
  }
  mlf_walk walk = {.raw = "tags.a = 'span'"};
  assert_int_equal(mlf_walk_check_preset(&walk, timed, &error), SQLITE_OK);
  assert_int_equal(mlf_walk_check_preset(&(mlf_walk){0}, timed, &error), SQLITE_OK);
}

static int write_filter(void *context) {
  char *filter = NULL;
  mlf_walk walk = {.filter = "attributes.status = 'OK'", .ids = ids};
  mlf_walk_part part = {.ids_end = 3, .low_ms = 5, .high_ms = 9};
  (void)context;
  int rc = mlf_walk_filter(&walk, &part, &filter);
  sqlite3_free(filter);
  return rc;
}

static void it_survives_without_memory(void **state) {
  (void)state;
  oom_loop(write_filter, NULL);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_walk_over_all_has_no_filter),
      cmocka_unit_test(conditions_are_joined),
      cmocka_unit_test(bounds_are_sent_as_far_as_they_are_bounds),
      cmocka_unit_test(beside_spans_no_lower_bound_is_sent),
      cmocka_unit_test(a_time_in_the_preset_is_refused_beside_spans),
      cmocka_unit_test(it_survives_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
