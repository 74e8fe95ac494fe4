/* test_shippable.c: query/shippable.h, as docs/pushdown.md tells it. */
#include "query/shippable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static mlf_schema schema;

/* What may be sent of a column: a letter an operator, = ! for <>, < [ for <=, > ] for >=, I for IN,
** L for LIKE, G for GLOB, 0 for IS NULL, 1 for IS NOT NULL; exactly, and as a superset. */
static void check_column(const mlf_column *column, const char *exact, const char *superset) {
  static const char letters[] = "=!<[>]ILG01";
  for (int op = 0; op < MLF_OP_IS; op++) {
    mlf_shippable expected = strchr(exact, letters[op])      ? MLF_SHIP_EXACT
                             : strchr(superset, letters[op]) ? MLF_SHIP_SUPERSET
                                                             : MLF_SHIP_NO;
    if (mlf_shippable_decide(column, (mlf_op)op) != expected)
      fail_msg("%s, operator %c", column->name, letters[op]);
  }
  assert_int_equal(mlf_shippable_decide(column, MLF_OP_IS),
                   mlf_shippable_decide(column, MLF_OP_EQ));
  assert_int_equal(mlf_shippable_decide(column, MLF_OP_COUNT), MLF_SHIP_NO);
}

static void check(const char *name, const char *exact, const char *superset) {
  int index = mlf_schema_find(&schema, name);
  assert_true(index >= 0);
  check_column(&schema.columns[index], exact, superset);
}

static void check_declared(const char *prefix, const char *key, const char *exact,
                           const char *superset) {
  mlf_error error = {0};
  assert_int_equal(mlf_schema_declare(&schema, prefix, key, "declared", &error), 0);
  check("declared", exact, superset);
  schema.column_count--;
}

static void columns_are_sent_as_documented(void **state) {
  (void)state;
  check("trace_id", "=!I", "LG");
  check("status", "=!I", "LG");
  check("state", "=!I", "LG");
  check("client_request_id", "=!I", "LG");
  check("name", "=!", "LG");
  check("run_id", "!", "=LG");
  check("timestamp_ms", "=!<[>]", "");
  check("execution_time_ms", "=!<[>]", "");
  check("execution_duration", "=!<[>]", "");
  check("end_time_ms", "", "=<[>]");
  check("session_id", "=!01", "LG");
  check("user_id", "=!01", "LG");
  check("model_id", "=!01", "LG");
  check("experiment", "=I", "");
  check("experiment_id", "=I", "");
  check("filter", "=", "");
  check("in_run", "=", "");
  check("request_time", "=<[>]", "");
}

static void columns_without_a_key_are_not_sent(void **state) {
  (void)state;
  int unsent = 0;
  for (int i = 0; i < schema.column_count; i++) {
    if (schema.columns[i].key_kind != MLF_KEY_NONE) continue;
    check_column(&schema.columns[i], "", "");
    unsent++;
  }
  assert_int_equal(unsent, 19);
}

static void conditions_on_spans_and_assessments_find_traces(void **state) {
  mlf_schema traces = schema;
  (void)state;
  assert_int_equal(mlf_schema_init_spans(&schema), 0);
  check("trace_id", "=!I", "LG");
  check("timestamp_ms", "=!<[>]", "");
  check("name", "", "=I");
  check("span_type", "", ""); /* translated when it is read */
  check("status", "", "=I");
  check("span_id", "", "");
  check("duration_ms", "", "");
  mlf_schema_clear(&schema);
  assert_int_equal(mlf_schema_init_assessments(&schema), 0);
  check("trace_id", "=!I", "LG");
  check("name", "", "=");
  check("assessment_type", "", "=");
  check("value", "", "=");
  check("valid", "", "=");
  check("source_id", "", "");
  check("run_id", "", "");
  mlf_schema_clear(&schema);
  schema = traces;
}

static void declared_columns_are_sent_by_key(void **state) {
  (void)state;
  check_declared("tags", "environment", "=!1", "LG");
  check_declared("tags", "mlflow.traceName", "=!01", "LG");
  check_declared("tags", "mlflow.sourceRun", "=!01", "LG");
  check_declared("tags", "mlflow.trace.cost", "=!01", "LG");
  check_declared("tags", "name ", "=!1", "LG");
  check_declared("tags", "timestamp_ms", "=!1", "LG");
  check_declared("metadata", "mlflow.trace.session", "=!01", "LG");
  check_declared("metadata", "mlflow.trace.sizeStats", "=!01", "LG");
  check_declared("metadata", "mlflow.linkedPrompts", "=!01", "LG");
  check_declared("metadata", "mlflow.sourceRun", "!01", "=LG");
  check_declared("feedback", "concise", "", "=");
}

static void keys_with_another_meaning_are_not_sent(void **state) {
  (void)state;
  static const char *const keys[] = {"name",      "Prompt",   "TEXT",          "run_id",
                                     "timestamp", "End_Time", "execution_time"};
  for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    check_declared("tags", keys[i], "", "");
    check_declared("metadata", keys[i], "", "");
    check_declared("feedback", keys[i], "", "");
  }
  check_declared("tags", "mlflow.linkedPrompts", "", "");
  check_declared("metadata", "mlflow.trace.tokenUsage", "", "");
  check_declared("metadata", "mlflow.trace.cost", "", "");
}

static int open_schema(void **state) {
  (void)state;
  return mlf_schema_init_traces(&schema);
}

static int close_schema(void **state) {
  (void)state;
  mlf_schema_clear(&schema);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_are_sent_as_documented),
      cmocka_unit_test(columns_without_a_key_are_not_sent),
      cmocka_unit_test(conditions_on_spans_and_assessments_find_traces),
      cmocka_unit_test(declared_columns_are_sent_by_key),
      cmocka_unit_test(keys_with_another_meaning_are_not_sent),
  };
  return cmocka_run_group_tests(tests, open_schema, close_schema);
}
