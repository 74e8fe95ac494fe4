/* test_mask.c: what analysis/mask.h promises. */
#include "analysis/mask.h"

#include <string.h>
#include <time.h>

#include "oom.h"

static void check_mask(const char *text, const char *expected) {
  mlf_buffer out;
  mlf_buffer_init(&out, 1000000);
  assert_int_equal(mlf_mask_message(&out, text, strlen(text)), SQLITE_OK);
  assert_string_equal(out.bytes ? out.bytes : "", expected);
  mlf_buffer_clear(&out);
}

static void words_stay(void **state) {
  (void)state;
  check_mask("", "");
  check_mask("division by zero", "division by zero");
  check_mask("the model's context, and/or the user's", "the model's context, and/or the user's");
  check_mask("Straße, 日本語 — ok", "Straße, 日本語 — ok");
  check_mask("tokens/min; a / b; ...", "tokens/min; a / b; ...");
}

static void quotes_keep_their_marks(void **state) {
  (void)state;
  check_mask("no key 'order_4711'", "no key '…'");
  check_mask("no key \"a b\" in `t`", "no key \"…\" in `…`");
  check_mask("Expecting ',' delimiter", "Expecting ',' delimiter");
  check_mask("it's the user's 'name'", "it's the user's '…'");
  check_mask("name='it's me'", "name='…'");
  check_mask("'never closed", "'never closed");
  check_mask("['a', \"b\"]", "['…', \"…\"]");
  check_mask("'/var/log/x' is \"it's\"", "'…' is \"…\"");
}

/* Of KeyError: 'customer_id' nothing would be left that tells it from another. */
static void what_is_nothing_but_a_quote_stays(void **state) {
  (void)state;
  check_mask("'customer_id'", "'customer_id'");
  check_mask("KeyError: 'customer_id'", "KeyError: 'customer_id'");
  check_mask("app.errors.NotFound: \"order 4711\"", "app.errors.NotFound: \"order <n>\"");
  check_mask("'/var/log/x'", "'<path>'");
  check_mask("'a' and 'b'", "'…' and '…'");
  check_mask("no key: 'customer_id'", "no key: '…'");
  check_mask(": 'customer_id'", ": '…'");
}

/* What a provider says of its error, in Python's text or in JSON. */
static void what_an_error_says_stays(void **state) {
  (void)state;
  check_mask("Error code: 400 - {'error': {'message': 'No model 17 here.', 'type': 'bad', 'param': "
             "'x', 'code': 'no_model'}}",
             "Error code: <n> - {'…': {'…': 'No model <n> here.', '…': 'bad', '…': '…', "
             "'…': 'no_model'}}");
  check_mask("{\"message\":\"it's the user's 'a'\", \"name\": \"b\"}",
             "{\"…\":\"it's the user's '…'\", \"…\": \"…\"}");
  check_mask("'a message': 'x'", "'…': '…'");
  check_mask("{'type': 'x 'type': '+ 'a", "{'…': 'x '…': '+ 'a");
  check_mask("{\"type\": 'x \"code\": '+', 'b'", "{\"…\": 'x \"…\": '+'…'");
  check_mask("message': 'x', y", "message': '…', y");
  check_mask("\"message': 'x', y", "\"message': '…', y");
  check_mask(": 'message': 'x", ": '…': 'x");
}

static void paths_and_addresses(void **state) {
  (void)state;
  check_mask("open /var/cache/a1.html: denied", "open <path>: denied");
  check_mask("in ~/x, ./y and ../z/w.", "in <path>, <path> and <path>.");
  check_mask("C:\\Users\\ann\\x.txt missing", "<path> missing");
  check_mask("POST https://orders.internal/v2/orders/47?x=1 timed out",
             "POST https://orders.internal<path> timed out");
  check_mask("http://10.0.0.1:8080/2/x and http://host7/",
             "http://<n><path> and http://host<n><path>");
  check_mask("(/a/b)", "(<path>)");
  check_mask("/ is busy", "/ is busy");
  check_mask("https://host: refused", "https://host: refused");
}

static void ids(void **state) {
  (void)state;
  check_mask("run 123e4567-e89b-12d3-a456-426614174000 gone", "run <id> gone");
  check_mask("tr-0f3a88bc12de of org-a1b2c3d4e5f6", "tr-<id> of org-<id>");
  check_mask("at 0x7ffe and 0xzz9", "at <id> and <id>");
  check_mask("call_Xy12ZabC9", "call_<id>");
  check_mask("deadbeef", "deadbeef");
  check_mask("deadbee1", "<id>");
  check_mask("worker12345678", "worker<n>");
}

static void numbers(void **state) {
  (void)state;
  check_mask("limit 200000, used 1,024.5.", "limit <n>, used <n>.");
  check_mask("5ms 30.0s v2 utf8", "<n>ms <n>s v<n> utf<n>");
  check_mask("10.0.3.4:8080 at 2026-11-23T12:00:00.5Z", "<n> at <n>");
  check_mask("line 1 column 7 (char 6)", "line <n> column <n> (char <n>)");
  check_mask("3/4 of -1", "<n> of -<n>");
  check_mask("gpt-5-mini", "gpt-<n>-mini");
}

static void messages_of_one_error_are_equal(void **state) {
  (void)state;
  const char *pairs[][2] = {
      {"Error code: 429 - Rate limit reached for organization org-5f0a1b22c3d4: limit 200000",
       "Error code: 429 - Rate limit reached for organization org-99887766ffee: limit 30"},
      {"[Errno 2] No such file or directory: '/var/cache/agent/12/page.html'",
       "[Errno 2] No such file or directory: '/tmp/x'"},
      {"HTTPConnectionPool(host='10.0.1.2', port=8080): Max retries exceeded",
       "HTTPConnectionPool(host='orders', port=80): Max retries exceeded"},
  };
  for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
    mlf_buffer first;
    mlf_buffer_init(&first, 1000);
    assert_int_equal(mlf_mask_message(&first, pairs[i][0], strlen(pairs[i][0])), SQLITE_OK);
    check_mask(pairs[i][1], first.bytes);
    mlf_buffer_clear(&first);
  }
}

/* Each text makes a rule look ahead from every byte. */
static void long_texts_take_linear_time(void **state) {
  (void)state;
  static const char *const units[] = {"'a ", "' ", "/.", "x/",   "://",
                                      "1-",  "a1", "0x", "\"'`", "\"type\": 'x "};
  static char text[300000];
  clock_t begin = clock();
  for (size_t i = 0; i < 2 * sizeof(units) / sizeof(*units); i++) {
    const char *unit = units[i / 2];
    size_t step = strlen(unit);
    for (size_t at = 0; at + step <= sizeof(text); at += step)
      memcpy(text + at, unit, step);
    text[sizeof(text) - 1] = i % 2 ? '\'' : ' '; /* which closes all that are open */
    mlf_buffer out;
    mlf_buffer_init(&out, 2000000);
    assert_int_equal(mlf_mask_message(&out, text, sizeof(text)), SQLITE_OK);
    mlf_buffer_clear(&out);
  }
  assert_true(clock() - begin < 5 * CLOCKS_PER_SEC); /* a quarter of what quadratic time takes */
}

static void any_bytes_and_any_end(void **state) {
  (void)state;
  const char text[] = "'a\0b' /x\xff\xfe 1\0002 C:\\ ~/ ../ 0x http://h 'x";
  for (size_t length = 0; length < sizeof(text); length++) {
    char *exact = sqlite3_malloc64(length + 1); /* so that sanitizers see a byte too far */
    memcpy(exact, text, length);
    mlf_buffer out;
    mlf_buffer_init(&out, 1000);
    assert_int_equal(mlf_mask_message(&out, exact, length), SQLITE_OK);
    mlf_buffer_clear(&out);
    sqlite3_free(exact);
  }
}

static void the_cap_holds(void **state) {
  (void)state;
  mlf_buffer out;
  mlf_buffer_init(&out, 5);
  assert_int_equal(mlf_mask_message(&out, "1 1", 3), SQLITE_TOOBIG);
  mlf_buffer_clear(&out);
}

static int mask_something(void *context) {
  mlf_buffer out;
  (void)context;
  mlf_buffer_init(&out, 100);
  int rc = mlf_mask_message(&out, "order 7", 7);
  mlf_buffer_clear(&out);
  return rc;
}

static void survives_without_memory(void **state) {
  (void)state;
  assert_int_equal(oom_loop(mask_something, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_stay),
      cmocka_unit_test(quotes_keep_their_marks),
      cmocka_unit_test(what_is_nothing_but_a_quote_stays),
      cmocka_unit_test(what_an_error_says_stays),
      cmocka_unit_test(paths_and_addresses),
      cmocka_unit_test(ids),
      cmocka_unit_test(numbers),
      cmocka_unit_test(messages_of_one_error_are_equal),
      cmocka_unit_test(long_texts_take_linear_time),
      cmocka_unit_test(any_bytes_and_any_end),
      cmocka_unit_test(the_cap_holds),
      cmocka_unit_test(survives_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
