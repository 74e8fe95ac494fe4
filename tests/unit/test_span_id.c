/* test_span_id.c: what model/span_id.h promises. */
#include "model/span_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void ids_are_hex(void **state) {
  (void)state;
  static const struct {
    const char *sent, *id;
  } cases[] = {
      {"APBnqgupArc=", "00f067aa0ba902b7"},
      {"/wAAAAAAAP8=", "ff000000000000ff"},
      {"++++++++++8=", "fbefbefbefbefbef"},
      {"AAAAAAAAAAA=", "0000000000000000"},
      {"00f067aa0ba902b7", "00f067aa0ba902b7"},
      {"00F067AA0BA902B7", "00f067aa0ba902b7"},
      {"0xf067aa0ba902b7", "00f067aa0ba902b7"},
      {"1", "0000000000000001"},
      /* in no form that is known */
      {"0x", "0x"},
      {"APBnqgup-rc=", "APBnqgup-rc="},
      {"APBnqgupArc", "APBnqgupArc"},
      {"00f067aa0ba902b7a", "00f067aa0ba902b7a"},
      {"00f067aa 0ba902b", "00f067aa 0ba902b"},
      {"AAAAABjqz56K6v93AAAAAQ==", "AAAAABjqz56K6v93AAAAAQ=="},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char hex[2 * MLF_SPAN_ID_BYTES + 1];
    assert_string_equal(mlf_span_id(cases[i].sent, hex), cases[i].id);
  }
}

static void there_may_be_no_id(void **state) {
  (void)state;
  char hex[2 * MLF_SPAN_ID_BYTES + 1];
  assert_null(mlf_span_id(NULL, hex));
  assert_null(mlf_span_id("", hex));
}

static void traces_have_longer_ids(void **state) {
  (void)state;
  char hex[2 * MLF_TRACE_ID_BYTES + 1];
  assert_true(mlf_span_id_from_base64("AAAAABjqz56K6v93AAAAAQ==", MLF_TRACE_ID_BYTES, hex));
  assert_string_equal(hex, "0000000018eacf9e8aeaff7700000001");
  assert_false(mlf_span_id_from_base64("APBnqgupArc=", MLF_TRACE_ID_BYTES, hex));
  assert_false(mlf_span_id_from_base64("abababababababababababab", MLF_TRACE_ID_BYTES, hex));
  assert_false(mlf_span_id_from_base64("", MLF_TRACE_ID_BYTES, hex));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ids_are_hex),
      cmocka_unit_test(there_may_be_no_id),
      cmocka_unit_test(traces_have_longer_ids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
