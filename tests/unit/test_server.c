/* test_server.c: what model/server.h promises. */
#include "model/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void versions_are_read(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int major;
    int minor;
  } cases[] = {{"3.17.2", 3, 17},   {"3.8.0rc1", 3, 8},
               {"3.1", 3, 1},       {"2.22.0.dev0", 2, 22},
               {"10.0.1\n", 10, 0}, {"3.5\r\n", 3, 5},
               {"03.017.2", 3, 17}, {"999999.999999", 999999, 999999}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    mlf_server server = {0};
    assert_true(mlf_server_parse(cases[i].text, &server));
    assert_int_equal(server.major, cases[i].major);
    assert_int_equal(server.minor, cases[i].minor);
  }
}

static void other_texts_are_no_version(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",      "3",     "3.",     "3.x",  ".17",   "v3.17.2",   "3,17",    "-3.17.2",  "3.17rc1",
      " 3.17", "3. 17", "<html>", "3.-1", "3..17", "1000000.1", "3.17x.2", "3.1000000"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    mlf_server server;
    if (mlf_server_parse(texts[i], &server)) fail_msg("%s", texts[i]);
  }
}

static void features_come_with_versions(void **state) {
  (void)state;
  static const struct {
    mlf_feature feature;
    int minor; /* of 3 */
  } cases[] = {{MLF_FEATURE_SEARCH_V3, 2}, {MLF_FEATURE_LIKE, 6},
               {MLF_FEATURE_BATCH_GET, 6}, {MLF_FEATURE_CLIENT_REQUEST_ID, 6},
               {MLF_FEATURE_FEEDBACK, 10}, {MLF_FEATURE_IS_NULL, 11},
               {MLF_FEATURE_METRICS, 17},  {MLF_FEATURE_WORKSPACES, 10}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (int minor = 0; minor <= 20; minor++) {
      mlf_server server = {3, minor};
      assert_int_equal(mlf_server_knows(server, cases[i].feature), minor >= cases[i].minor);
    }
    assert_false(mlf_server_knows((mlf_server){2, 22}, cases[i].feature));
    assert_true(mlf_server_knows((mlf_server){4, 0}, cases[i].feature));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(versions_are_read),
      cmocka_unit_test(other_texts_are_no_version),
      cmocka_unit_test(features_come_with_versions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
