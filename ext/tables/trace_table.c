#include "tables/trace_table.h"

#include <string.h>

#include "base/declare.h"
#include "base/sqlite_value.h"
#include "query/integer_bound.h"
#include "tables/file_table.h"
#include "tables/listing.h"
#include "tables/planning.h"
#include "tables/trace_count.h"

typedef struct trace_module {
  mlf_connection *connection;
  const mlf_trace_rows *rows;
} trace_module;

typedef struct trace_table {
  sqlite3_vtab base;
  mlf_connection *connection;
  const mlf_trace_rows *rows;
  mlf_file_table place;
  mlf_schema schema;
  mlf_arguments arguments;
  mlf_surveyed surveyed;
} trace_table;

typedef struct trace_cursor {
  sqlite3_vtab_cursor base;
  mlf_trace_scan scan;
  void *state; /* of the rows */
} trace_cursor;

static const mlf_trace_rows *trace_rows_of(const trace_cursor *cursor) {
  return ((trace_table *)cursor->base.pVtab)->rows;
}

static void trace_table_free(trace_table *table) {
  mlf_connection_remove_table(table->connection, &table->surveyed);
  mlf_arguments_clear(&table->arguments);
  mlf_schema_clear(&table->schema);
  mlf_connection_release(table->connection);
  sqlite3_free(table);
}

/* argv: module, database and table name, then the arguments. */
static int trace_connect(sqlite3 *db, void *context, int argc, const char *const *argv,
                         sqlite3_vtab **out, char **error_text) {
  const trace_module *module = context;
  mlf_error error = {0};
  trace_table *table = sqlite3_malloc64(sizeof(*table));
  if (!table) return SQLITE_NOMEM;
  memset(table, 0, sizeof(*table));
  table->connection = module->connection;
  table->rows = module->rows;
  table->place = mlf_file_table_of(db, argc, argv);
  mlf_connection_hold(table->connection);
  table->surveyed = (mlf_surveyed){
      .table = &table->base, .schema = &table->schema, .arguments = &table->arguments};
  mlf_connection_add_table(table->connection, &table->surveyed);
  int rc = table->rows->init_schema(&table->schema);
  if (rc == SQLITE_OK)
    rc = mlf_arguments_read(argv + 3, argc - 3, &table->schema, &table->arguments, &error);
  if (rc == SQLITE_OK) {
    char *declaration = mlf_schema_declaration(&table->schema);
    rc = mlf_declare_table(db, table->schema.table, declaration, &error);
    sqlite3_free(declaration);
  }
  if (rc == SQLITE_OK) {
    *out = &table->base;
  } else {
    *error_text = mlf_error_take(&error);
    trace_table_free(table);
  }
  mlf_error_clear(&error);
  return rc;
}

static int trace_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  trace_table *table = (trace_table *)vtab;
  mlf_planning_ways ways = {.pushdown = table->arguments.pushdown,
                            .count = table->rows == &mlf_trace_rows_traces};
  return mlf_planning_best_index(&table->schema, ways, info);
}

static int trace_disconnect(sqlite3_vtab *vtab) {
  trace_table_free((trace_table *)vtab);
  return SQLITE_OK;
}

static int trace_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  trace_table *table = (trace_table *)vtab;
  mlf_error error = {0};
  if (mlf_file_table_check(&table->place, &error) != SQLITE_OK)
    return mlf_listing_fail(vtab, table->rows->table, &error);
  trace_cursor *cursor = sqlite3_malloc64(sizeof(*cursor));
  void *state = sqlite3_malloc64(table->rows->state_size);
  if (!cursor || !state) {
    sqlite3_free(cursor);
    sqlite3_free(state);
    return SQLITE_NOMEM;
  }
  memset(cursor, 0, sizeof(*cursor));
  memset(state, 0, table->rows->state_size);
  cursor->state = state;
  cursor->scan = (mlf_trace_scan){.table = vtab,
                                  .connection = table->connection,
                                  .schema = &table->schema,
                                  .arguments = &table->arguments};
  int rc = mlf_trace_scan_open(&cursor->scan);
  if (rc != SQLITE_OK) {
    sqlite3_free(cursor);
    sqlite3_free(state);
    return rc;
  }
  *out = &cursor->base;
  return SQLITE_OK;
}

static int trace_close(sqlite3_vtab_cursor *base) {
  trace_cursor *cursor = (trace_cursor *)base;
  trace_rows_of(cursor)->clear(cursor->state);
  mlf_trace_scan_end(&cursor->scan);
  sqlite3_free(cursor->state);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

/* Goes on to the first trace, from where the scan is, that has a row. */
static int trace_settle(trace_cursor *cursor, mlf_error *error) {
  const mlf_trace_rows *rows = trace_rows_of(cursor);
  bool row = false;
  int rc = SQLITE_OK;
  if (cursor->scan.counted > 0) return rc;
  while (rc == SQLITE_OK && cursor->scan.source.trace && !row) {
    rows->clear(cursor->state);
    rc = rows->first(&cursor->scan, cursor->state, &row, error);
    if (rc == SQLITE_OK && !row) rc = mlf_trace_scan_next(&cursor->scan, error);
  }
  return rc == SQLITE_OK && row ? mlf_statement_count_row(cursor->scan.source.statement, error)
                                : rc;
}

static int trace_result(trace_cursor *cursor, int rc, mlf_error *error) {
  if (rc == SQLITE_OK) return rc;
  /* Never a result that is no failure, which SQLite would take for success or does not know. */
  mlf_error_set(error, SQLITE_INTERNAL, "a scan ended with %d, and does not say why", rc);
  return mlf_listing_fail(cursor->base.pVtab, trace_rows_of(cursor)->table, error);
}

static int trace_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
                        sqlite3_value **argv) {
  trace_cursor *cursor = (trace_cursor *)base;
  mlf_error error = {0};
  (void)argc;
  trace_rows_of(cursor)->clear(cursor->state);
  int rc = mlf_trace_scan_begin(&cursor->scan, number, text, argv, &error);
  if (rc == SQLITE_OK) rc = trace_settle(cursor, &error);
  return trace_result(cursor, rc, &error);
}

static int trace_next(sqlite3_vtab_cursor *base) {
  trace_cursor *cursor = (trace_cursor *)base;
  mlf_error error = {0};
  int rc;
  if (trace_rows_of(cursor)->next(cursor->state)) {
    rc = mlf_statement_count_row(cursor->scan.source.statement, &error);
  } else {
    rc = mlf_trace_scan_next(&cursor->scan, &error);
    if (rc == SQLITE_OK) rc = trace_settle(cursor, &error);
  }
  return trace_result(cursor, rc, &error);
}

static int trace_eof(sqlite3_vtab_cursor *base) {
  const mlf_trace_scan *scan = &((trace_cursor *)base)->scan;
  return scan->counted == 0 && scan->source.trace == NULL;
}

/* A value of a row that was counted and not read. */
static int trace_told(trace_cursor *cursor, sqlite3_context *context, const mlf_column *column) {
  const char *told = mlf_trace_count_value(&cursor->scan.bound, column);
  mlf_error error = {0};
  if (told) {
    sqlite3_result_text(context, told, -1, SQLITE_TRANSIENT);
    return SQLITE_OK;
  }
  mlf_error_set(&error, SQLITE_INTERNAL, "%s was said not to be read, and the rows were counted",
                column->name);
  return mlf_error_result(context, trace_rows_of(cursor)->table, &error);
}

/* Makes of a number what SQLite would keep in a column of a table of its own: of 4.0 a 4 where
** whole numbers are wanted, of 4 a 4.0 where reals are, and of either a text where that is. */
static int trace_apply_affinity(const mlf_column *column, mlf_value *value) {
  mlf_op op = MLF_OP_EQ;
  int64_t whole;
  bool real = value->type == MLF_REAL, integer = value->type == MLF_INTEGER;
  if (column->type == MLF_TYPE_TEXT && (real || integer)) return mlf_sqlite_value_as_text(value);
  if (column->type == MLF_TYPE_REAL && integer)
    *value = mlf_value_real((double)value->integer);
  else if (column->type == MLF_TYPE_INTEGER && real && mlf_integer_bound(value, &op, &whole))
    *value = mlf_value_integer(whole);
  return SQLITE_OK;
}

/* What tells rows of a trace apart: the place among them, and the filter and the run that were
** asked for. Texts stand there with their lengths, since anything may be in them. */
static int trace_row_key(const trace_cursor *cursor, sqlite3_context *context) {
  const mlf_trace_rows *rows = trace_rows_of(cursor);
  const mlf_value *raw = cursor->scan.filter.raw, *run = cursor->scan.filter.run;
  sqlite3_str *key = sqlite3_str_new(NULL);
  sqlite3_str_appendf(key, "%lld", (sqlite3_int64)(rows->rank ? rows->rank(cursor->state) : 0));
  if (raw) sqlite3_str_appendf(key, " filter %d %s", (int)raw->length, raw->text);
  if (run) sqlite3_str_appendf(key, " run %d %s", (int)run->length, run->text);
  int rc = sqlite3_str_errcode(key);
  sqlite3_result_text(context, sqlite3_str_finish(key), -1, sqlite3_free);
  return rc;
}

static int trace_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index) {
  trace_cursor *cursor = (trace_cursor *)base;
  const mlf_trace_rows *rows = trace_rows_of(cursor);
  const mlf_column *column = &((trace_table *)base->pVtab)->schema.columns[index];
  mlf_value value;
  mlf_error error = {0};
  if (cursor->scan.counted > 0) return trace_told(cursor, context, column);
  if (column->source == MLF_SOURCE_ASKED) {
    const char *asked = mlf_trace_scan_asked(&cursor->scan, column);
    sqlite3_result_text(context, asked, -1, SQLITE_TRANSIENT);
    return SQLITE_OK;
  }
  if (column->source == MLF_SOURCE_ROW_KEY) return trace_row_key(cursor, context);
  int rc = rows->value(&cursor->scan, cursor->state, column, &value, &error);
  if (rc != SQLITE_OK) {
    mlf_error_set(&error, rc, "the value of %s cannot be read", column->name);
    return mlf_error_result(context, rows->table, &error);
  }
  rc = trace_apply_affinity(column, &value);
  mlf_sqlite_value_give(context, &value);
  return rc;
}

/* The tables have no rowid; SQLite asks for this method all the same. */
static int trace_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid) {
  (void)base;
  *rowid = 0;
  return SQLITE_OK;
}

static const sqlite3_module trace_methods = {
    .xCreate = trace_connect,
    .xConnect = trace_connect,
    .xBestIndex = trace_best_index,
    .xDisconnect = trace_disconnect,
    .xDestroy = trace_disconnect,
    .xOpen = trace_open,
    .xClose = trace_close,
    .xFilter = trace_filter,
    .xNext = trace_next,
    .xEof = trace_eof,
    .xColumn = trace_column,
    .xRowid = trace_rowid,
};

static void trace_release(void *context) {
  trace_module *module = context;
  mlf_connection_release(module->connection);
  sqlite3_free(module);
}

int mlf_trace_table_register(sqlite3 *db, mlf_connection *connection, const mlf_trace_rows *rows) {
  trace_module *module = sqlite3_malloc64(sizeof(*module));
  if (!module) return SQLITE_NOMEM;
  *module = (trace_module){connection, rows};
  mlf_connection_hold(connection);
  return sqlite3_create_module_v2(db, rows->table, &trace_methods, module, trace_release);
}
