/* test_arguments.c: query/arguments.h: the arguments of CREATE VIRTUAL TABLE. */
#include "query/arguments.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "oom.h"

/* One set of arguments, and what becomes of it: experiments, pushdown and columns as text, or part
** of the error. */
typedef struct arguments_case {
  const char *texts[4];
  const char *expected;
  const char *error;
} arguments_case;

static const arguments_case arguments_cases[] = {
    {{"experiment = 'agent prod'"}, "agent prod;", NULL},
    {{"experiment='it''s'"}, "it's;", NULL},
    {{"EXPERIMENT = 7"}, "7;", NULL},
    {{"experiment = ' big '"}, " big ;", NULL}, /* a name may have blanks around it */
    {{" experiments = ' a, b ,c' "}, "a;b;c;", NULL},
    {{"pushdown = OFF", "experiment = \"x\""}, "x;off;", NULL},
    {{"tags.environment", "tags.\"mlflow.traceName\" AS app", "metadata.[odd key] as `odd name`",
      "feedback.ok"},
     "tags.environment=environment;app=mlflow.traceName;odd name=odd key;feedback.ok=ok;",
     NULL},
    {{"tags.\"say \"\"hi\"\"\""}, "tags.say \"hi\"=say \"hi\";", NULL},
    {{"colour = red"}, NULL, "unknown argument \"colour = red\"; expected experiment = "},
    {{"token = 'x'"}, NULL, "no argument names a server or a secret"},
    {{"HOST = 'x'"}, NULL, "no argument names a server or a secret"},
    {{"pushdown = maybe"}, NULL, "pushdown is 'maybe'"},
    {{"experiment = ''"}, NULL, "an experiment's name is empty"},
    {{"experiments = 'a,,b'"}, NULL, "an experiment's name is empty"},
    {{"experiment = 'a'", "experiments = 'b'"}, NULL, "given twice"},
    {{"tags.a", "tags.a"}, NULL, "there is a column \"tags.a\" already"},
    {{"tags.a AS STATUS"}, NULL, "there is a column \"STATUS\" already"},
    {{"tags.a AS"}, NULL, "unknown argument"},
    {{"tags.\"\""}, NULL, "unknown argument"},
    {{"spans.a"}, NULL, "unknown argument"},
    {{"tags"}, NULL, "cannot read the argument"},
    {{"'tags'.a b c d e f g"}, NULL, "cannot read the argument"},
    {{"experiment = 'a"}, NULL, "cannot read the argument"},
    {{"experiment = (1)"}, NULL, "cannot read the argument"},
    {{""}, NULL, "cannot read the argument"},
    {{"experiment"}, NULL, "cannot read the argument"},
    {{"experiment = agent prod"}, NULL, "cannot read the argument"},
    {{"experiment = ="}, NULL, "cannot read the argument"},
    {{"experiment = 'a'", "experiment = 'b'"}, NULL, "given twice"},
    {{"experiments = ' \t '"}, NULL, "an experiment's name is empty"},
    {{"experiments = 'a,'"}, NULL, "an experiment's name is empty"},
    {{"'experiment' = 'a'"}, NULL, "unknown argument"},
    {{"api_key = 'sk-1'"}, NULL, "set MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN in the env"},
    {{"tags.a AS b c"}, NULL, "unknown argument"},
    {{"tags.a BY b"}, NULL, "unknown argument"},
    {{"tags.. AS b"}, NULL, "unknown argument"},
    {{"tags.a AS ="}, NULL, "unknown argument"},
    {{"tags.a AS \"\""}, NULL, "unknown argument"},
    {{"\texperiment\n=\r'\xc3\xa0'"}, "\xc3\xa0;", NULL},
    {{"experiment = agent-prod", "pushdown = 'on'"}, "agent-prod;", NULL},
    {{"experiment = [a]"}, "a;", NULL},
    {{"experiment = [a]]b]"}, NULL, "cannot read the argument"},
    {{"tags.\xc3\xa9"}, "tags.\xc3\xa9=\xc3\xa9;", NULL},
    {{"TAGS.a as B", "metadata.a aS [it's]"}, "B=a;it's=a;", NULL},
};

#define ARGUMENTS_CASES (sizeof(arguments_cases) / sizeof(arguments_cases[0]))

static void arguments_show(const mlf_arguments *arguments, const mlf_schema *schema, int columns,
                           char shown[1024]) {
  size_t length = 0;
  shown[0] = 0;
  for (int i = 0; i < arguments->experiment_count; i++)
    length += (size_t)snprintf(shown + length, 1024 - length, "%s;", arguments->experiments[i]);
  if (!arguments->pushdown) length += (size_t)snprintf(shown + length, 1024 - length, "off;");
  for (int i = columns; i < schema->column_count; i++)
    length += (size_t)snprintf(shown + length, 1024 - length, "%s=%s;", schema->columns[i].name,
                               schema->columns[i].key);
}

static int arguments_run(void *context) {
  const arguments_case *it = context;
  mlf_schema schema = {0};
  mlf_arguments arguments = {0};
  mlf_error error = {0};
  char shown[1024];
  int count = 0;
  while (count < 4 && it->texts[count])
    count++;
  int rc = mlf_schema_init_traces(&schema);
  int columns = schema.column_count;
  if (rc == SQLITE_OK) rc = mlf_arguments_read(it->texts, count, &schema, &arguments, &error);
  if (rc == SQLITE_OK) {
    arguments_show(&arguments, &schema, columns, shown);
    assert_non_null(it->expected);
    assert_string_equal(shown, it->expected);
  } else if (rc != SQLITE_NOMEM) {
    assert_non_null(it->error);
    if (!strstr(error.text, it->error)) assert_string_equal(error.text, it->error);
    rc = SQLITE_OK;
  }
  mlf_error_clear(&error);
  mlf_arguments_clear(&arguments);
  mlf_schema_clear(&schema);
  return rc;
}

static void arguments_are_read(void **state) {
  (void)state;
  for (size_t i = 0; i < ARGUMENTS_CASES; i++) {
    arguments_case it = arguments_cases[i];
    assert_int_equal(arguments_run(&it), SQLITE_OK);
  }
}

static void memory_may_run_out(void **state) {
  (void)state;
  for (size_t i = 0; i < ARGUMENTS_CASES; i++) {
    arguments_case it = arguments_cases[i];
    oom_loop(arguments_run, &it);
  }
}

static void experiments_have_a_limit(void **state) {
  (void)state;
  sqlite3_str *list = sqlite3_str_new(NULL);
  for (int i = 0; i < MLF_EXPERIMENTS_MAX; i++)
    sqlite3_str_appendf(list, "%s%d", i ? "," : "", i);
  for (int over = 0; over <= 1; over++) {
    char *text = sqlite3_mprintf("experiments = '%s%s'", sqlite3_str_value(list), over ? ",x" : "");
    mlf_schema schema = {.table = "t"};
    mlf_arguments arguments;
    mlf_error error = {0};
    int rc = mlf_arguments_read((const char *const *)&text, 1, &schema, &arguments, &error);
    assert_int_equal(rc, over ? SQLITE_ERROR : SQLITE_OK);
    assert_int_equal(arguments.experiment_count, MLF_EXPERIMENTS_MAX);
    if (over) assert_string_equal(error.text, "t: more than 1000 experiments");
    mlf_error_clear(&error);
    mlf_arguments_clear(&arguments);
    sqlite3_free(text);
  }
  sqlite3_free(sqlite3_str_finish(list));
}

/* Arguments that are no columns do not count, wherever they stand. */
static void columns_have_a_limit(void **state) {
  (void)state;
  static char names[MLF_DECLARED_COLUMNS_MAX + 1][24];
  const char *texts[MLF_DECLARED_COLUMNS_MAX + 2];
  for (int i = 0; i <= MLF_DECLARED_COLUMNS_MAX; i++) {
    snprintf(names[i], sizeof(names[i]), "tags.c%d", i);
    texts[i] = names[i];
  }
  texts[MLF_DECLARED_COLUMNS_MAX] = "pushdown = off";
  texts[MLF_DECLARED_COLUMNS_MAX + 1] = names[MLF_DECLARED_COLUMNS_MAX];
  for (int over = 0; over <= 1; over++) {
    int count = MLF_DECLARED_COLUMNS_MAX + 1 + over;
    mlf_schema schema;
    mlf_arguments arguments;
    mlf_error error = {0};
    assert_int_equal(mlf_schema_init_traces(&schema), SQLITE_OK);
    int rc = mlf_arguments_read(texts, count, &schema, &arguments, &error);
    assert_int_equal(rc, over ? SQLITE_ERROR : SQLITE_OK);
    assert_false(arguments.pushdown);
    if (over) assert_string_equal(error.text, "mlflow_traces: more than 200 columns");
    mlf_error_clear(&error);
    mlf_arguments_clear(&arguments);
    mlf_schema_clear(&schema);
  }
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arguments_are_read),
      cmocka_unit_test(memory_may_run_out),
      cmocka_unit_test(experiments_have_a_limit),
      cmocka_unit_test(columns_have_a_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
