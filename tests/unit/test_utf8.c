/* test_utf8.c: what base/utf8.h promises. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Writes a code point of up to 21 bits in `length` bytes, whether or not that is allowed. */
static void encode(uint32_t point, size_t length, char bytes[4]) {
  static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = length; i-- > 1;) {
    bytes[i] = (char)(0x80 | (point & 0x3f));
    point >>= 6;
  }
  bytes[0] = (char)(leads[length] | point);
}

static size_t length_of(uint32_t point) {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/* Every number that four bytes can hold, in every length that can hold it: only the shortest form
** of what is a character is one. */
static void characters_are_what_unicode_says(void **state) {
  (void)state;
  static const uint32_t ends[] = {0, 0x80, 0x800, 0x10000, 0x200000};
  for (size_t length = 1; length <= 4; length++) {
    for (uint32_t point = 0; point < ends[length]; point++) {
      char bytes[4];
      bool valid;
      encode(point, length, bytes);
      size_t step = mlf_utf8_next(bytes, length, &valid);
      bool expected =
          length == length_of(point) && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
      if (valid != expected || (valid && step != length)) fail_msg("%x in %zu", point, length);
      if (mlf_utf8_is_text(bytes, length) != (expected && point != 0)) fail_msg("%x", point);
    }
  }
}

/* The Unicode standard 15.0, tables 3-8 to 3-11, and ends in the midst of a character. What each
** step takes is a digit, with a minus sign for what is no character. */
static void ill_formed_sequences_end_where_they_fail(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    const char *steps;
  } cases[] = {
      {"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", "-1-1-1-1-1-1-1-11"},
      {"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", "-1-1-1-1-1-1-1-11"},
      {"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", "-1-1-1-1-11-1-11"},
      {"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", "-2-1-3-21"},
      {"\x61\xc3\xa9\xe6\x97\xa5\xf0\x9f\x99\x82", "1234"},
      {"\xc3", "-1"},
      {"\xe6\x97", "-2"},
      {"\xf0\x9f\x99", "-3"},
      {"\x80", "-1"},
      {"\xfe\xff", "-1-1"},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char steps[32] = "";
    size_t written = 0, at = 0, length = strlen(cases[i].bytes);
    bool all_valid = true;
    while (at < length) {
      bool valid;
      size_t step = mlf_utf8_next(cases[i].bytes + at, length - at, &valid);
      if (!valid) steps[written++] = '-';
      steps[written++] = (char)('0' + step);
      all_valid = all_valid && valid;
      at += step;
    }
    assert_int_equal(at, length);
    assert_string_equal(steps, cases[i].steps);
    assert_int_equal(mlf_utf8_is_text(cases[i].bytes, length), all_valid);
  }
}

static void a_nul_is_no_text(void **state) {
  (void)state;
  bool valid;
  assert_int_equal(mlf_utf8_next("", 1, &valid), 1);
  assert_true(valid);
  assert_false(mlf_utf8_is_text("a\0b", 3));
  assert_true(mlf_utf8_is_text("a\0b", 1));
  assert_true(mlf_utf8_is_text("", 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(characters_are_what_unicode_says),
      cmocka_unit_test(ill_formed_sequences_end_where_they_fail),
      cmocka_unit_test(a_nul_is_no_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
