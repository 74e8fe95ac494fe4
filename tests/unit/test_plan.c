/* test_plan.c: query/plan.h: what is chosen, and the plan as text and back. */
#include "query/plan.h"

#include <string.h>

#include "oom.h"

static mlf_schema schema;

static mlf_constraint on(const char *column, mlf_op op) {
  int index = mlf_schema_find(&schema, column);
  assert_true(index >= 0);
  return (mlf_constraint){.column = index, .op = op, .usable = true, .binary = true};
}

/* The text of the plan for the constraints. */
static void check(const mlf_constraint *constraints, int count, mlf_order order,
                  const char *expected, bool exact) {
  mlf_plan plan, parsed;
  assert_int_equal(
      mlf_plan_choose(&schema, constraints, count, (mlf_wish){.order = order, .rows = 10}, &plan),
      SQLITE_OK);
  char *text = mlf_plan_text(&schema, &plan);
  assert_string_equal(text, expected);
  assert_int_equal(plan.exact, exact);
  assert_int_equal(mlf_plan_parse(&schema, text, &parsed), SQLITE_OK);
  assert_int_equal(parsed.term_count, plan.term_count);
  for (int i = 0; i < plan.term_count; i++) {
    assert_int_equal(parsed.terms[i].column, plan.terms[i].column);
    assert_int_equal(parsed.terms[i].op, plan.terms[i].op);
  }
  assert_int_equal(parsed.order, plan.order);
  sqlite3_free(text);
}

static void terms_that_can_be_sent_are_chosen(void **state) {
  (void)state;
  mlf_constraint some[] = {on("status", MLF_OP_EQ), on("total_tokens", MLF_OP_GT),
                           on("name", MLF_OP_LIKE)};
  check(some, 1, MLF_ORDER_ANY, "status = ?", true);
  check(some, 2, MLF_ORDER_ANY, "status = ?", false);
  check(some + 2, 1, MLF_ORDER_NEWEST_FIRST, "name LIKE ? ORDER BY timestamp_ms DESC", false);
  check(some, 0, MLF_ORDER_OLDEST_FIRST, "(all) ORDER BY timestamp_ms ASC", true);
  some[0].binary = false;
  check(some, 1, MLF_ORDER_ANY, "(all)", false);
  some[0].binary = true;
  some[0].usable = false;
  check(some, 1, MLF_ORDER_ANY, "(all)", false);
}

/* What would take several pages may move behind the scan meanwhile. */
static void the_oldest_come_first_where_one_page_has_them(void **state) {
  mlf_constraint some[] = {on("status", MLF_OP_EQ), on("name", MLF_OP_LIKE),
                           on("filter", MLF_OP_EQ)};
  static const struct {
    int first, count;
    int64_t rows;
    bool ordered;
  } cases[] = {{0, 1, 500, true},
               {0, 1, 501, false},
               {0, 1, -1, false},
               {0, 2, 10, false},
               {2, 1, 10, false}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    mlf_plan plan;
    mlf_wish wish = {.order = MLF_ORDER_OLDEST_FIRST, .rows = cases[i].rows};
    assert_int_equal(mlf_plan_choose(&schema, some + cases[i].first, cases[i].count, wish, &plan),
                     SQLITE_OK);
    assert_int_equal(plan.order == MLF_ORDER_OLDEST_FIRST, cases[i].ordered);
  }
}

static void keys_that_the_server_rewrites_are_not_sent(void **state) {
  (void)state;
  mlf_constraint name = on("tags.Name", MLF_OP_EQ);
  check(&name, 1, MLF_ORDER_ANY, "(all)", false);
}

static void lists_are_taken_where_the_server_has_in(void **state) {
  (void)state;
  mlf_constraint lists[] = {on("status", MLF_OP_EQ), on("name", MLF_OP_EQ),
                            on("trace_id", MLF_OP_EQ)};
  for (int i = 0; i < 3; i++)
    lists[i].list_at_once = true;
  check(lists, 1, MLF_ORDER_NEWEST_FIRST, "status IN (?) ORDER BY timestamp_ms DESC", true);
  check(lists + 1, 1, MLF_ORDER_ANY, "name = ?", true);
  /* Batches of ids come in no order. */
  check(lists + 2, 1, MLF_ORDER_NEWEST_FIRST, "trace_id IN (?)", false);
}

static void names_are_quoted_where_they_must(void **state) {
  (void)state;
  mlf_constraint odd[] = {on("od\"d AND = ?", MLF_OP_EQ), on("all", MLF_OP_IS_NOT_NULL),
                          on("tags.a.b", MLF_OP_NE)};
  check(odd, 3, MLF_ORDER_ANY, "\"od\"\"d AND = ?\" = ? AND all IS NOT NULL AND tags.a.b != ?",
        true);
}

static void an_argument_not_known_yet_wants_another_order(void **state) {
  (void)state;
  mlf_plan plan;
  mlf_constraint filter = on("filter", MLF_OP_EQ), experiment = on("experiment", MLF_OP_EQ);
  filter.usable = experiment.usable = false;
  assert_int_equal(mlf_plan_choose(&schema, &filter, 1, (mlf_wish){.rows = -1}, &plan),
                   SQLITE_CONSTRAINT);
  check(&experiment, 1, MLF_ORDER_ANY, "(all)", false); /* SQLite can check the name itself */
}

static void beside_a_raw_filter_the_oldest_do_not_come_first(void **state) {
  (void)state;
  mlf_constraint filter = on("filter", MLF_OP_EQ);
  check(&filter, 1, MLF_ORDER_NEWEST_FIRST, "filter = ? ORDER BY timestamp_ms DESC", true);
  check(&filter, 1, MLF_ORDER_OLDEST_FIRST, "filter = ?", false);
}

static void arguments_are_sent_or_nothing_is(void **state) {
  (void)state;
  static mlf_constraint many[MLF_FILTER_TERMS_MAX + 1];
  mlf_plan plan;
  mlf_constraint filter = on("filter", MLF_OP_EQ);
  filter.binary = false; /* it shows what was asked, equal under any collation */
  check(&filter, 1, MLF_ORDER_ANY, "filter = ?", true);
  for (int i = 0; i < MLF_FILTER_TERMS_MAX; i++)
    many[i] = on("status", MLF_OP_NE);
  many[MLF_FILTER_TERMS_MAX] = filter;
  assert_int_equal(
      mlf_plan_choose(&schema, many, MLF_FILTER_TERMS_MAX + 1, (mlf_wish){.rows = -1}, &plan),
      SQLITE_CONSTRAINT);
  filter.usable = false;
  assert_int_equal(mlf_plan_choose(&schema, &filter, 1, (mlf_wish){.rows = -1}, &plan),
                   SQLITE_CONSTRAINT);
}

static void another_order_is_left_to_sqlite(void **state) {
  (void)state;
  mlf_plan plan;
  mlf_constraint status = on("status", MLF_OP_EQ), unknown = {.column = -1, .op = MLF_OP_COUNT};
  assert_int_equal(
      mlf_plan_choose(&schema, &status, 1, (mlf_wish){.other_order = true, .rows = -1}, &plan),
      SQLITE_OK);
  assert_int_equal(plan.order, MLF_ORDER_ANY);
  assert_false(plan.exact);
  mlf_constraint some[] = {status, unknown};
  check(some, 2, MLF_ORDER_ANY, "status = ?", false);
}

static void a_look_up_is_cheaper_than_a_scan(void **state) {
  (void)state;
  mlf_plan scan, filtered, look_up;
  mlf_constraint status = on("status", MLF_OP_EQ), id = on("trace_id", MLF_OP_EQ);
  mlf_plan_choose(&schema, NULL, 0, (mlf_wish){.rows = -1}, &scan);
  mlf_plan_choose(&schema, &status, 1, (mlf_wish){.rows = -1}, &filtered);
  mlf_plan_choose(&schema, &id, 1, (mlf_wish){.rows = -1}, &look_up);
  assert_true(look_up.one_row && !filtered.one_row);
  assert_true(look_up.cost * 10 < filtered.cost);
  assert_true(filtered.cost < scan.cost);
  /* A scan beats thousands of look-ups, not ten. */
  assert_true(look_up.cost * 10 < scan.cost);
  assert_true(look_up.cost * 5000 > scan.cost);
}

/* A trace has several spans, which have to be fetched; of an assessment the name alone leaves out
** traces. */
static void tables_of_parts_cost_more(void **state) {
  (void)state;
  mlf_schema traces = schema;
  mlf_plan plain, scan, few, look_up, typed, named;
  mlf_plan_choose(&traces, NULL, 0, (mlf_wish){.rows = -1}, &plain);
  mlf_schema_init_spans(&schema);
  mlf_constraint id = on("trace_id", MLF_OP_EQ), type = on("name", MLF_OP_EQ);
  mlf_plan_choose(&schema, NULL, 0, (mlf_wish){.rows = -1}, &scan);
  mlf_plan_choose(&schema, &type, 1, (mlf_wish){.rows = -1}, &few);
  mlf_plan_choose(&schema, &id, 1, (mlf_wish){.rows = -1}, &look_up);
  assert_true(scan.cost > 2 * plain.cost && scan.rows > plain.rows);
  assert_true(few.cost < scan.cost && few.rows < scan.rows);
  assert_true(look_up.cost * 1000 < scan.cost);
  assert_true(!look_up.one_row && look_up.rows > 1);
  mlf_schema_clear(&schema);
  mlf_schema_init_assessments(&schema);
  mlf_constraint terms[] = {on("assessment_type", MLF_OP_EQ), on("valid", MLF_OP_EQ),
                            on("name", MLF_OP_EQ)};
  mlf_plan_choose(&schema, NULL, 0, (mlf_wish){.rows = -1}, &scan);
  mlf_plan_choose(&schema, terms, 2, (mlf_wish){.rows = -1}, &typed);
  mlf_plan_choose(&schema, terms, 3, (mlf_wish){.rows = -1}, &named);
  assert_true(typed.rows == scan.rows && named.rows < scan.rows);
  mlf_schema_clear(&schema);
  schema = traces;
}

static void more_terms_than_a_filter_takes(void **state) {
  (void)state;
  static mlf_constraint many[MLF_FILTER_TERMS_MAX + 5];
  mlf_plan plan, parsed;
  for (int i = 0; i < MLF_FILTER_TERMS_MAX + 5; i++)
    many[i] = on("status", MLF_OP_NE);
  assert_int_equal(
      mlf_plan_choose(&schema, many, MLF_FILTER_TERMS_MAX + 5, (mlf_wish){.rows = -1}, &plan),
      SQLITE_OK);
  assert_int_equal(plan.term_count, MLF_FILTER_TERMS_MAX);
  assert_false(plan.exact);
  char *text = mlf_plan_text(&schema, &plan);
  assert_int_equal(mlf_plan_parse(&schema, text, &parsed), SQLITE_OK);
  assert_int_equal(parsed.term_count, MLF_FILTER_TERMS_MAX);
  sqlite3_free(text);
}

/* Any plan, through its text and back. */
static void plans_survive_as_text(void **state) {
  (void)state;
  unsigned random = 1;
  for (int i = 0; i < 2000; i++) {
    mlf_plan plan, parsed;
    memset(&plan, 0, sizeof(plan));
    random = random * 1103515245 + 12345;
    plan.term_count = (int)(random >> 16) % 6;
    for (int j = 0; j < plan.term_count; j++) {
      random = random * 1103515245 + 12345;
      plan.terms[j].column = (int)((random >> 16) % (unsigned)schema.column_count);
      plan.terms[j].op = (mlf_op)((random >> 8) % MLF_OP_COUNT);
      bool valued = mlf_op_has_argument(plan.terms[j].op);
      plan.terms[j].argument = valued ? plan.argument_count++ : -1;
      plan.terms[j].constraint = -1;
    }
    plan.order = (mlf_order)((random >> 12) % 3);
    plan.limit = (random >> 20) & 1;
    plan.offset = plan.limit && ((random >> 21) & 1);
    plan.count = (random >> 22) & 1;
    char *text = mlf_plan_text(&schema, &plan);
    assert_int_equal(mlf_plan_parse(&schema, text, &parsed), SQLITE_OK);
    if (memcmp(&plan, &parsed, sizeof(plan)) != 0) fail_msg("%s", text);
    sqlite3_free(text);
  }
}

static int text_without_memory(void *context) {
  mlf_plan plan;
  mlf_constraint odd = on("od\"d AND = ?", MLF_OP_EQ);
  (void)context;
  assert_int_equal(mlf_plan_choose(&schema, &odd, 1, (mlf_wish){.rows = -1}, &plan), SQLITE_OK);
  char *text = mlf_plan_text(&schema, &plan);
  int rc = text ? SQLITE_OK : SQLITE_NOMEM;
  sqlite3_free(text);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  assert_int_equal(oom_loop(text_without_memory, NULL), 0);
}

static void other_texts_are_refused(void **state) {
  (void)state;
  static const char *const texts[] = {"",
                                      "status",
                                      "status = ? AND",
                                      "nope = ?",
                                      "status = ?x",
                                      "(all) LIMIT x",
                                      "\"status = ?",
                                      "(all) OFFSET LIMIT"};
  mlf_plan plan;
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
    assert_int_equal(mlf_plan_parse(&schema, texts[i], &plan), SQLITE_CORRUPT);
}

static int open_schema(void **state) {
  mlf_error error = {0};
  (void)state;
  assert_int_equal(mlf_schema_init_traces(&schema), SQLITE_OK);
  mlf_schema_declare(&schema, "tags", "a.b", NULL, &error);
  mlf_schema_declare(&schema, "tags", "Name", NULL, &error);
  mlf_schema_declare(&schema, "tags", "x", "od\"d AND = ?", &error);
  static const char *const odd[] = {"all", "(all)",    "",     "\"",     "\"\"",       " ",
                                    "st",  "\xc3\xa9", "a\nb", "IN (?)", "x = ? AND y"};
  for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
    mlf_schema_declare(&schema, "tags", "y", odd[i], &error);
  return error.code;
}

static int close_schema(void **state) {
  (void)state;
  mlf_schema_clear(&schema);
  return 0;
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(terms_that_can_be_sent_are_chosen),
      cmocka_unit_test(the_oldest_come_first_where_one_page_has_them),
      cmocka_unit_test(keys_that_the_server_rewrites_are_not_sent),
      cmocka_unit_test(lists_are_taken_where_the_server_has_in),
      cmocka_unit_test(names_are_quoted_where_they_must),
      cmocka_unit_test(an_argument_not_known_yet_wants_another_order),
      cmocka_unit_test(beside_a_raw_filter_the_oldest_do_not_come_first),
      cmocka_unit_test(arguments_are_sent_or_nothing_is),
      cmocka_unit_test(another_order_is_left_to_sqlite),
      cmocka_unit_test(a_look_up_is_cheaper_than_a_scan),
      cmocka_unit_test(tables_of_parts_cost_more),
      cmocka_unit_test(more_terms_than_a_filter_takes),
      cmocka_unit_test(plans_survive_as_text),
      cmocka_unit_test(other_texts_are_refused),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, open_schema, close_schema);
}
