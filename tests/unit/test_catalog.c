/* test_catalog.c: what model/catalog.h promises. */
#include "model/catalog.h"

#include <string.h>

#include "asked.h"

static void declare(mlf_schema *schema, const char *prefix, const char *key, const char *name) {
  mlf_error error = {0};
  assert_int_equal(mlf_schema_declare(schema, prefix, key, name, &error), SQLITE_OK);
}

static const struct {
  const char *name;
  int (*init)(mlf_schema *);
} catalog_tables[] = {{"mlflow_traces", mlf_schema_init_traces},
                      {"mlflow_spans", mlf_schema_init_spans},
                      {"mlflow_assessments", mlf_schema_init_assessments}};

#define TABLE_COUNT (sizeof(catalog_tables) / sizeof(catalog_tables[0]))

/* Kinds of keys that MLflow's filter language has no one word for. */
static bool has_no_word(mlf_key_kind kind) {
  return kind == MLF_KEY_NONE || mlf_key_is_argument(kind) || kind == MLF_KEY_EXPERIMENT_ID ||
         kind == MLF_KEY_REQUEST_TIME || kind >= MLF_KEY_ASSESSMENT_NAME;
}

static void columns_are_whole(void **state) {
  (void)state;
  for (size_t t = 0; t < TABLE_COUNT; t++) {
    mlf_schema schema;
    assert_int_equal(catalog_tables[t].init(&schema), SQLITE_OK);
    assert_string_equal(schema.table, catalog_tables[t].name);
    for (int i = 0; i < schema.column_count; i++) {
      const mlf_column *column = &schema.columns[i];
      assert_int_equal(mlf_schema_find(&schema, column->name), i); /* no name comes twice */
      bool asked = mlf_key_is_argument(column->key_kind);
      assert_int_equal(column->source == MLF_SOURCE_ASKED, asked);
      assert_int_equal(column->key == NULL, has_no_word(column->key_kind));
      if (column->key_kind == MLF_KEY_METADATA) {
        assert_string_equal(column->key, column->path);
      } else if (column->key_kind == MLF_KEY_SPAN) {
        assert_memory_equal(column->key, "span.", 5);
      } else if (column->key) {
        assert_memory_equal(column->key, "attributes.", 11);
      }
      if (column->source == MLF_SOURCE_METADATA_ITEM) assert_non_null(column->item);
    }
    mlf_schema_clear(&schema);
    assert_int_equal(schema.column_count, 0);
  }
}

/* What names a trace, a scope and a range of time is in every table, and means the same. */
static void tables_share_what_is_of_the_trace(void **state) {
  (void)state;
  static const char *const shared[] = {"trace_id", "experiment_id", "timestamp_ms", "experiment",
                                       "filter",   "in_run",        "request_time"};
  mlf_schema traces;
  assert_int_equal(mlf_schema_init_traces(&traces), SQLITE_OK);
  for (size_t t = 1; t < TABLE_COUNT; t++) {
    mlf_schema schema;
    assert_int_equal(catalog_tables[t].init(&schema), SQLITE_OK);
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
      const mlf_column *here = &schema.columns[mlf_schema_find(&schema, shared[i])];
      const mlf_column *there = &traces.columns[mlf_schema_find(&traces, shared[i])];
      assert_int_equal(here->source, there->source);
      assert_int_equal(here->key_kind, there->key_kind);
      assert_int_equal(here->type, there->type);
      assert_int_equal(here->hidden, i >= 3);
    }
    mlf_schema_clear(&schema);
  }
  mlf_schema_clear(&traces);
}

/* The key is the trace's id and a column of its own, and nothing else is never NULL. */
static void keys_are_declared(void **state) {
  (void)state;
  for (size_t t = 0; t < TABLE_COUNT; t++) {
    mlf_schema schema;
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(catalog_tables[t].init(&schema), SQLITE_OK);
    char *text = mlf_schema_declaration(&schema);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    static const char keys[] = "SELECT group_concat(name || pk) FROM (SELECT name, pk FROM "
                               "pragma_table_info('x') WHERE pk OR \"notnull\" ORDER BY pk)";
    assert_int_equal(sqlite3_prepare_v2(db, keys, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(statement, 0), "trace_id1,row_key2");
    sqlite3_finalize(statement);
    sqlite3_close(db);
    sqlite3_free(text);
    mlf_schema_clear(&schema);
  }
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
  static const mlf_column expected[] = {{"tags.a.b", MLF_TYPE_TEXT, MLF_SOURCE_TAG, "a.b", NULL,
                                         MLF_KEY_TAG, "a.b", false, NULL, NULL},
                                        {"m", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, "a.b", NULL,
                                         MLF_KEY_METADATA, "a.b", false, NULL, NULL},
                                        {"feedback.a.b", MLF_TYPE_ANY, MLF_SOURCE_FEEDBACK, "a.b",
                                         NULL, MLF_KEY_FEEDBACK, "a.b", false, NULL, NULL}};
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
  /* There is no rowid. */
  assert_int_equal(sqlite3_prepare_v2(db, "SELECT rowid FROM x", -1, &statement, NULL),
                   SQLITE_ERROR);
  sqlite3_close(db);
  sqlite3_free(text);
  mlf_schema_clear(&schema);
}

static int schema_without_memory(void *context) {
  mlf_schema schema = {0};
  mlf_error error = {0};
  int (*const *init)(mlf_schema *) = context;
  int rc = (*init)(&schema);
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
  for (size_t t = 0; t < TABLE_COUNT; t++) {
    int (*init)(mlf_schema *) = catalog_tables[t].init;
    assert_int_equal(oom_loop(schema_without_memory, &init), 0);
  }
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_are_whole),
      cmocka_unit_test(tables_share_what_is_of_the_trace),
      cmocka_unit_test(keys_are_declared),
      cmocka_unit_test(columns_are_found_in_any_case),
      cmocka_unit_test(columns_can_be_declared),
      cmocka_unit_test(a_name_is_used_once),
      cmocka_unit_test(the_declaration_is_sql),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
