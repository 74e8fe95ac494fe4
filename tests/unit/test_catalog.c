/* test_catalog.c: what model/catalog.h promises. */
#include "model/catalog.h"

#include <string.h>

#include "oom.h"

/* Runs SQL that gives one integer. */
static int ask(sqlite3 *db, const char *sql) {
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  int result = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  return result;
}

static void declare(mlf_schema *schema, const char *prefix, const char *key, const char *name) {
  mlf_error error = {0};
  assert_int_equal(mlf_schema_declare(schema, prefix, key, name, &error), SQLITE_OK);
}

static void columns_are_whole(void **state) {
  (void)state;
  mlf_schema schema;
  assert_int_equal(mlf_schema_init_traces(&schema), SQLITE_OK);
  assert_string_equal(schema.table, "mlflow_traces");
  for (int i = 0; i < schema.column_count; i++) {
    const mlf_column *column = &schema.columns[i];
    assert_int_equal(mlf_schema_find(&schema, column->name), i); /* no name comes twice */
    bool asked = column->key_kind == MLF_KEY_EXPERIMENT || column->key_kind == MLF_KEY_FILTER;
    assert_int_equal(column->source == MLF_SOURCE_ASKED, asked);
    bool keyed = column->key_kind != MLF_KEY_NONE && column->key_kind != MLF_KEY_EXPERIMENT_ID;
    assert_int_equal(column->key != NULL, keyed && !asked);
    if (column->key && column->key_kind != MLF_KEY_METADATA)
      assert_memory_equal(column->key, "attributes.", 11);
    if (column->key_kind == MLF_KEY_METADATA) assert_string_equal(column->key, column->path);
    if (column->source == MLF_SOURCE_METADATA_ITEM) assert_non_null(column->item);
  }
  mlf_schema_clear(&schema);
  assert_int_equal(schema.column_count, 0);
}

static void columns_are_found_in_any_case(void **state) {
  (void)state;
  mlf_schema schema;
  assert_int_equal(mlf_schema_init_traces(&schema), SQLITE_OK);
  assert_int_equal(mlf_schema_find(&schema, "TRACE_Id"), 0);
  assert_int_equal(mlf_schema_find(&schema, "trace_i"), -1);
  assert_int_equal(mlf_schema_find(&schema, ""), -1);
  mlf_schema_clear(&schema);
}

static void columns_can_be_declared(void **state) {
  (void)state;
  mlf_schema schema;
  char key[] = "a.b";
  assert_int_equal(mlf_schema_init_traces(&schema), SQLITE_OK);
  int first = schema.column_count;
  declare(&schema, "tags", key, NULL);
  declare(&schema, "metadata", key, "m");
  declare(&schema, "feedback", key, NULL);
  key[0] = 'x'; /* copies were kept */
  static const mlf_column expected[] = {
      {"tags.a.b", MLF_TYPE_TEXT, MLF_SOURCE_TAG, "a.b", NULL, MLF_KEY_TAG, "a.b", false},
      {"m", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, "a.b", NULL, MLF_KEY_METADATA, "a.b", false},
      {"feedback.a.b", MLF_TYPE_ANY, MLF_SOURCE_FEEDBACK, "a.b", NULL, MLF_KEY_FEEDBACK, "a.b",
       false}};
  assert_int_equal(schema.column_count, first + 3);
  for (int i = 0; i < 3; i++) {
    const mlf_column *column = &schema.columns[first + i];
    assert_string_equal(column->name, expected[i].name);
    assert_int_equal(column->type, expected[i].type);
    assert_int_equal(column->source, expected[i].source);
    assert_string_equal(column->path, expected[i].path);
    assert_int_equal(column->key_kind, expected[i].key_kind);
    assert_string_equal(column->key, expected[i].key);
    assert_false(column->hidden);
  }
  mlf_schema_clear(&schema);
}

static void a_name_is_used_once(void **state) {
  (void)state;
  mlf_schema schema;
  assert_int_equal(mlf_schema_init_traces(&schema), SQLITE_OK);
  declare(&schema, "tags", "a", NULL);
  int count = schema.column_count;
  static const char *const names[] = {"tags.a", "TAGS.A", "status", "Filter"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    mlf_error error = {0};
    assert_int_equal(mlf_schema_declare(&schema, "metadata", "b", names[i], &error), SQLITE_ERROR);
    char *expected = sqlite3_mprintf("mlflow_traces: there is a column \"%s\" already; give this "
                                     "one another name with AS",
                                     names[i]);
    assert_string_equal(error.text, expected);
    sqlite3_free(expected);
    mlf_error_clear(&error);
  }
  assert_int_equal(schema.column_count, count);
  mlf_schema_clear(&schema);
}

/* SQLite takes the declaration, odd names too, and sees the columns in it. */
static void the_declaration_is_sql(void **state) {
  (void)state;
  static const char *const odd[] = {"say \"hi\"", "it's",   "a`b", "[x]",
                                    ");--",       "HIDDEN", " ",   "\xc3\xa9"};
  mlf_schema schema;
  sqlite3 *db;
  assert_int_equal(mlf_schema_init_traces(&schema), SQLITE_OK);
  for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
    declare(&schema, i % 2 ? "tags" : "feedback", odd[i], odd[i]);
  char *text = mlf_schema_declaration(&schema);
  assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_prepare_v2(db,
                                      "SELECT name, type FROM pragma_table_info('x') ORDER BY cid",
                                      -1, &statement, NULL),
                   SQLITE_OK);
  static const char *const types[] = {"TEXT", "INTEGER", "REAL", ""};
  for (int i = 0; i < schema.column_count; i++) {
    const mlf_column *column = &schema.columns[i];
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(statement, 0), column->name);
    const char *type = (const char *)sqlite3_column_text(statement, 1);
    size_t length = strlen(types[column->type]);
    assert_memory_equal(type, types[column->type], length);
    assert_string_equal(type + length, column->hidden ? " HIDDEN" : "");
  }
  assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
  sqlite3_finalize(statement);
  /* The key is trace_id, and there is no rowid. */
  assert_int_equal(ask(db, "SELECT sum(pk * (cid + 1)) FROM pragma_table_info('x')"), 1);
  assert_int_equal(sqlite3_prepare_v2(db, "SELECT rowid FROM x", -1, &statement, NULL),
                   SQLITE_ERROR);
  sqlite3_close(db);
  sqlite3_free(text);
  mlf_schema_clear(&schema);
}

static int schema_without_memory(void *context) {
  mlf_schema schema = {0};
  mlf_error error = {0};
  (void)context;
  int rc = mlf_schema_init_traces(&schema);
  if (rc == SQLITE_OK) rc = mlf_schema_declare(&schema, "tags", "a", NULL, &error);
  if (rc == SQLITE_OK) rc = mlf_schema_declare(&schema, "feedback", "b", "b", &error);
  assert_true(rc == error.code || schema.column_count == 0);
  if (rc == SQLITE_OK) {
    char *text = mlf_schema_declaration(&schema);
    if (!text) rc = SQLITE_NOMEM;
    sqlite3_free(text);
  }
  mlf_error_clear(&error);
  mlf_schema_clear(&schema);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  assert_int_equal(oom_loop(schema_without_memory, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_are_whole),       cmocka_unit_test(columns_are_found_in_any_case),
      cmocka_unit_test(columns_can_be_declared), cmocka_unit_test(a_name_is_used_once),
      cmocka_unit_test(the_declaration_is_sql),  cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
