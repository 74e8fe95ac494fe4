/* test_interrupt.c: what base/interrupt.h and base/clock.h promise. */
#include "base/interrupt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"

/* Who answers, and how often he was asked. */
typedef struct person {
  int code;
  int asked;
} person;

static int person_ask(void *context) {
  person *it = context;
  it->asked++;
  return it->code;
}

static void nobody_interrupts(void **state) {
  (void)state;
  mlf_error error = {0};
  assert_int_equal(mlf_interrupt_poll(NULL, &error), SQLITE_OK);
  assert_int_equal(error.code, 0);
}

static void who_goes_on_is_not_asked_again_at_once(void **state) {
  (void)state;
  person it = {.code = SQLITE_OK};
  mlf_interrupt interrupt = {.ask = person_ask, .context = &it};
  mlf_error error = {0};
  for (int i = 0; i < 100; i++)
    assert_int_equal(mlf_interrupt_poll(&interrupt, &error), SQLITE_OK);
  assert_in_range(it.asked, 1, 2); /* 2: the machine was busy for long */
  int asked = it.asked;
  usleep((MLF_INTERRUPT_POLL_MS + 10) * 1000);
  assert_int_equal(mlf_interrupt_poll(&interrupt, &error), SQLITE_OK);
  assert_int_equal(it.asked, asked + 1);
  assert_true(interrupt.next_ms > mlf_clock_monotonic_ms());
  assert_true(interrupt.next_ms <= mlf_clock_monotonic_ms() + MLF_INTERRUPT_POLL_MS);
  assert_int_equal(error.code, 0);
}

/* Whoever has said stop is asked each time: nothing goes on meanwhile. */
static void a_stop_is_told_each_time(void **state) {
  (void)state;
  const int codes[] = {SQLITE_INTERRUPT, SQLITE_NOMEM, SQLITE_ERROR};
  for (size_t i = 0; i < 3; i++) {
    person it = {.code = codes[i]};
    mlf_interrupt interrupt = {.ask = person_ask, .context = &it};
    for (int turn = 1; turn <= 2; turn++) {
      mlf_error error = {0};
      assert_int_equal(mlf_interrupt_poll(&interrupt, &error), codes[i]);
      assert_int_equal(error.code, codes[i]);
      assert_true((error.text != NULL) == (codes[i] == SQLITE_ERROR));
      assert_int_equal(it.asked, turn);
      mlf_error_clear(&error);
    }
  }
}

static void an_earlier_error_stays(void **state) {
  (void)state;
  person it = {.code = SQLITE_INTERRUPT};
  mlf_interrupt interrupt = {.ask = person_ask, .context = &it};
  mlf_error error = {0};
  mlf_error_set(&error, SQLITE_ERROR, "earlier");
  assert_int_equal(mlf_interrupt_poll(&interrupt, &error), SQLITE_ERROR);
  assert_string_equal(error.text, "earlier");
  mlf_error_clear(&error);
}

static void clocks_tell_milliseconds(void **state) {
  (void)state;
  int64_t start_ms = mlf_clock_monotonic_ms(), unix_ms = mlf_clock_unix_ms();
  assert_in_range(unix_ms / 1000, (uint64_t)time(NULL) - 1, (uint64_t)time(NULL));
  usleep(20000);
  assert_in_range(mlf_clock_monotonic_ms() - start_ms, 19, 5000);
  assert_true(mlf_clock_unix_ms() > unix_ms);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nobody_interrupts),
      cmocka_unit_test(who_goes_on_is_not_asked_again_at_once),
      cmocka_unit_test(a_stop_is_told_each_time),
      cmocka_unit_test(an_earlier_error_stays),
      cmocka_unit_test(clocks_tell_milliseconds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
