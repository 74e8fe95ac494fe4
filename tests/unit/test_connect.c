/* What tables/connect.h promises of a statement's text; what it promises of the statement is in
** tests/fault/test_database_file.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tables/connect.h"

static void test_whole_statements(void **state) {
  (void)state;
  static const char *const whole[] = {
      "SELECT mlflow_connect('http://h')",
      "select MLFLOW_CONNECT ( \"http://h\" ) ;",
      "-- my server\n /* the\none */ SELECT /**/ mlflow_connect('it''s') -- here",
      "SELECT mlflow_connect(?)",
      "SELECT mlflow_connect(?1) AS \"the address\"",
      "SELECT mlflow_connect(:uri) AS mlflow_connect_1",
      "SELECT mlflow_connect(@uri) address;\n",
      "SELECT mlflow_connect($uri)",
  };
  for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
    assert_true(mlf_connect_is_whole(whole[i]));
}

static void test_parts_of_statements(void **state) {
  (void)state;
  static const char *const parts[] = {
      "",
      "SELECT",
      "SELECT mlflow_connect",
      "SELECT mlflow_connect(",
      "SELECT mlflow_connect('http://h",
      "SELECT mlflow_connect('http://h'",
      "SELECT mlflow_connect(body)",
      "SELECT mlflow_connect('http://' || 'h')",
      "SELECT mlflow_connect((SELECT body FROM notes))",
      "SELECT mlflow_connect('http://h'), 1",
      "SELECT 1, mlflow_connect('http://h')",
      "SELECT mlflow_connect('http://h') FROM notes",
      "SELECT mlflow_connect('http://h') AS a FROM notes",
      "SELECT mlflow_connect('http://h') WHERE 1",
      "SELECT mlflow_connect('http://h') UNION SELECT 1",
      "SELECT mlflow_connect('http://h'); SELECT 1",
      "SELECT docid, mlflow_connect(x.'c0body') FROM main.'notes_content' AS x WHERE docid=?",
      "INSERT INTO main.'notes_content' VALUES(?,mlflow_connect(?))",
      "WITH a AS (SELECT 1) SELECT mlflow_connect('http://h')",
      "EXPLAIN SELECT mlflow_connect('http://h')",
      "CREATE TABLE t AS SELECT mlflow_connect('http://h')",
      "SELECT mlflow_connected('http://h')",
      "SELECT /* mlflow_connect('http://h')",
  };
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
    assert_false(mlf_connect_is_whole(parts[i]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_whole_statements),
      cmocka_unit_test(test_parts_of_statements),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
