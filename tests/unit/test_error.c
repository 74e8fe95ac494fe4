/* test_error.c: what base/error.h and base/utf8.h promise. */
#include "base/error.h"

#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "oom.h"

static void error_first_wins(void **state) {
  (void)state;
  mlf_error error = {0};
  assert_int_equal(mlf_error_set(&error, SQLITE_ERROR, "%s: %d", "status", 403), SQLITE_ERROR);
  assert_int_equal(mlf_error_set(&error, SQLITE_TOOBIG, "later"), SQLITE_ERROR);
  assert_int_equal(mlf_error_nomem(&error), SQLITE_ERROR);
  assert_int_equal(error.code, SQLITE_ERROR);
  assert_string_equal(error.text, "status: 403");
  mlf_error_clear(&error);
  assert_int_equal(error.code, 0);
  assert_null(error.text);
  assert_int_equal(mlf_error_set(&error, SQLITE_TOOBIG, "again"), SQLITE_TOOBIG);
  mlf_error_clear(&error);
}

static void error_passes_nomem_and_interrupt_without_text(void **state) {
  (void)state;
  const int codes[] = {SQLITE_NOMEM, SQLITE_INTERRUPT};
  for (size_t i = 0; i < 2; i++) {
    mlf_error error = {0};
    assert_int_equal(mlf_error_set(&error, codes[i], "mlflow_traces: %s", "x"), codes[i]);
    assert_int_equal(mlf_error_set(&error, SQLITE_ERROR, "later"), codes[i]);
    assert_null(error.text);
    assert_null(mlf_error_take(&error));
  }
  mlf_error error = {0};
  assert_int_equal(mlf_error_nomem(&error), SQLITE_NOMEM);
  assert_int_equal(error.code, SQLITE_NOMEM);
}

static void error_gives_its_text_away(void **state) {
  (void)state;
  mlf_error error = {0};
  mlf_error_set(&error, SQLITE_ERROR, "text");
  char *text = mlf_error_take(&error);
  assert_string_equal(text, "text");
  assert_null(error.text);
  assert_int_equal(error.code, SQLITE_ERROR);
  mlf_error_clear(&error);
  sqlite3_free(text);
}

static void error_moves_and_the_first_wins(void **state) {
  (void)state;
  mlf_error error = {0}, from = {0};
  assert_int_equal(mlf_error_move(&error, &from), SQLITE_OK); /* nothing failed */
  assert_int_equal(error.code, 0);

  mlf_error_set(&from, SQLITE_TOOBIG, "first");
  const char *text = from.text;
  assert_int_equal(mlf_error_move(&error, &from), SQLITE_TOOBIG);
  assert_ptr_equal(error.text, text);
  assert_int_equal(from.code, 0);
  assert_null(from.text);
  assert_int_equal(mlf_error_move(&error, &from), SQLITE_TOOBIG); /* a failure stays one */

  mlf_error_set(&from, SQLITE_ERROR, "second");
  assert_int_equal(mlf_error_move(&error, &from), SQLITE_TOOBIG);
  assert_string_equal(error.text, "first");
  assert_int_equal(from.code, 0);
  assert_null(from.text);
  mlf_error_clear(&error);

  mlf_error_nomem(&from);
  assert_int_equal(mlf_error_move(&error, &from), SQLITE_NOMEM);
  assert_null(error.text);
  assert_int_equal(from.code, 0);
}

static void error_is_wrapped_in_what_it_was_of(void **state) {
  (void)state;
  mlf_error error = {0}, from = {0};
  assert_int_equal(mlf_error_wrap(&error, "GET /x", &from), SQLITE_OK);
  assert_int_equal(error.code, 0);
  assert_null(error.text);

  mlf_error_set(&from, SQLITE_TOOBIG, "too %s", "large");
  assert_int_equal(mlf_error_wrap(&error, "GET /x", &from), SQLITE_TOOBIG);
  assert_string_equal(error.text, "GET /x: too large");
  assert_int_equal(from.code, 0);
  assert_null(from.text);

  mlf_error_set(&from, SQLITE_ERROR, "second");
  assert_int_equal(mlf_error_wrap(&error, "GET /y", &from), SQLITE_TOOBIG);
  assert_string_equal(error.text, "GET /x: too large");
  assert_null(from.text);
  mlf_error_clear(&error);

  const int codes[] = {SQLITE_NOMEM, SQLITE_INTERRUPT}; /* which have no text */
  for (size_t i = 0; i < 2; i++) {
    mlf_error_set(&from, codes[i], "x");
    assert_int_equal(mlf_error_wrap(&error, "GET /x", &from), codes[i]);
    assert_null(error.text);
    assert_int_equal(from.code, 0);
    mlf_error_clear(&error);
  }

  char long_text[MLF_ERROR_BYTES_MAX + 1];
  memset(long_text, 'x', sizeof(long_text));
  long_text[sizeof(long_text) - 1] = 0;
  mlf_error_set(&from, SQLITE_ERROR, "%s", long_text);
  mlf_error_wrap(&error, "GET /x", &from);
  assert_int_equal(strlen(error.text), MLF_ERROR_BYTES_MAX);
  assert_int_equal(strncmp(error.text, "GET /x: xxx", 11), 0);
  mlf_error_clear(&error);
}

static void error_text_is_cleaned_and_cut(void **state) {
  (void)state;
  char long_text[2 * MLF_ERROR_BYTES_MAX + 1];
  memset(long_text, 'x', sizeof(long_text));
  memcpy(long_text + MLF_ERROR_BYTES_MAX - 1, "\xc3\xbc", 2);
  long_text[sizeof(long_text) - 1] = 0;
  mlf_error error = {0};
  mlf_error_set(&error, SQLITE_ERROR, "%s", long_text);
  assert_int_equal(strlen(error.text), MLF_ERROR_BYTES_MAX - 1);
  mlf_error_clear(&error);
  mlf_error_set(&error, SQLITE_ERROR, "%s", "\x1b[31mred\r\nline");
  assert_string_equal(error.text, "?[31mred??line");
  mlf_error_clear(&error);
}

static void error_clean_makes_one_line_of_utf8(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *clean;
    size_t bytes_max;
  } cases[] = {
      {"", "", 10},
      {"plain ~", "plain ~", 10},
      {"a\tb\nc\x7f", "a?b?c?", 10},
      {"\xc2\x80\xc2\x9f\xc2\xa0", "????\xc2\xa0", 10}, /* C1 controls; a no-break space */
      {"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf", "??????\xe2\x80\xaf", 10}, /* separators */
      {"a\xe2\x80\xae"
       "b\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9",
       "a???b?????????", 20}, /* bidi */
      {"\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f \xd8\x9b\xe2\x81\xaa", "???????? \xd8\x9b\xe2\x81\xaa",
       20},
      {"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\xb9", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\xb9", 10},
      {"\xc0\xaf\xe0\x80\xaf", "?????", 10},             /* overlong */
      {"\xed\xa0\x80 \xf4\x90\x80\x80", "??? ????", 10}, /* a surrogate; above U+10FFFF */
      {"\xf0\x9f\x98", "???", 10},                       /* cut off */
      {"\xff\xfe\x80", "???", 10},
      {"12345", "123", 3},
      {"12\xe2\x82\xac", "12", 4},
      {"12\xe2\x82\xac", "12\xe2\x82\xac", 5},
      {"12345", "", 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    char text[32];
    strcpy(text, cases[i].text);
    mlf_error_clean(text, cases[i].bytes_max);
    assert_string_equal(text, cases[i].clean);
  }
}

/* Counts the characters of `bytes`, and in `*bad` what of them is none. */
static size_t utf8_count(const char *bytes, size_t *bad) {
  size_t length = strlen(bytes);
  size_t count = 0;
  *bad = 0;
  for (size_t at = 0; at < length; count++) {
    bool valid;
    at += mlf_utf8_next(bytes + at, length - at, &valid);
    *bad += !valid;
  }
  return count;
}

/* The examples of the Unicode standard, chapter 3, "U+FFFD Substitution of Maximal Subparts". */
static void utf8_counts_maximal_subparts(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t count;
    size_t bad;
  } cases[] = {
      {"a\xc2\xa0\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 6, 0},
      {"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9, 8},
      {"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", 9, 8},
      {"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", 9, 7},
      {"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 5, 4},
      {"\xf4\x8f\xbf", 1, 1},
      {"\xc2\xc2\xa0\xbf", 3, 2},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    size_t bad;
    assert_int_equal(utf8_count(cases[i].bytes, &bad), cases[i].count);
    assert_int_equal(bad, cases[i].bad);
  }
}

static int error_set_and_clear(void *context) {
  mlf_error error = {0};
  (void)context;
  mlf_error_set(&error, SQLITE_TOOBIG, "%s",
                "a text longer than what the stack is used for at first");
  int rc = error.code;
  assert_true((rc == SQLITE_NOMEM) == (error.text == NULL));
  mlf_error_clear(&error);
  return rc == SQLITE_TOOBIG ? SQLITE_OK : rc;
}

static int error_wrap_and_clear(void *context) {
  mlf_error error = {0}, from = {0};
  (void)context;
  mlf_error_set(&from, SQLITE_TOOBIG, "a text longer than what the stack is used for at first");
  int rc = mlf_error_wrap(&error, "what it was of", &from);
  assert_int_equal(rc, error.code);
  assert_true((rc == SQLITE_NOMEM) == (error.text == NULL));
  assert_int_equal(from.code, 0);
  mlf_error_clear(&error);
  return rc == SQLITE_TOOBIG ? SQLITE_OK : rc;
}

static void error_without_memory_is_nomem(void **state) {
  (void)state;
  assert_int_equal(oom_loop(error_wrap_and_clear, NULL), 0);
  assert_int_equal(oom_loop(error_set_and_clear, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(error_first_wins),
      cmocka_unit_test(error_passes_nomem_and_interrupt_without_text),
      cmocka_unit_test(error_gives_its_text_away),
      cmocka_unit_test(error_moves_and_the_first_wins),
      cmocka_unit_test(error_is_wrapped_in_what_it_was_of),
      cmocka_unit_test(error_text_is_cleaned_and_cut),
      cmocka_unit_test(error_clean_makes_one_line_of_utf8),
      cmocka_unit_test(utf8_counts_maximal_subparts),
      cmocka_unit_test(error_without_memory_is_nomem),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
