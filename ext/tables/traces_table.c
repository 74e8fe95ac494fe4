#include "tables/traces_table.h"

#include <string.h>

#include "model/decode_trace.h"
#include "query/arguments.h"
#include "query/filter.h"
#include "query/plan.h"
#include "remote/pager.h"
#include "tables/listing.h"
#include "tables/planning.h"
#include "tables/scope.h"
#include "tables/values.h"

typedef struct traces_table {
  sqlite3_vtab base;
  mlf_connection *connection;
  mlf_schema schema;
  mlf_arguments arguments;
} traces_table;

typedef struct traces_cursor {
  sqlite3_vtab_cursor base;
  mlf_budget own;
  mlf_budget *budget;
  mlf_bound_terms bound;
  mlf_scope scope;
  mlf_filter filter;
  const char **ids; /* of filter.ids, without NULLs */
  mlf_pager *pager;
  const mlf_json *page;
  const mlf_json_node *trace; /* NULL at the end */
} traces_cursor;

static void traces_table_free(traces_table *table) {
  mlf_arguments_clear(&table->arguments);
  mlf_schema_clear(&table->schema);
  mlf_connection_release(table->connection);
  sqlite3_free(table);
}

/* argv: module, database and table name, then the arguments. */
static int traces_connect(sqlite3 *db, void *context, int argc, const char *const *argv,
                          sqlite3_vtab **out, char **error_text) {
  mlf_error error = {0};
  traces_table *table = sqlite3_malloc64(sizeof(*table));
  if (!table) return SQLITE_NOMEM;
  memset(table, 0, sizeof(*table));
  table->connection = context;
  mlf_connection_hold(table->connection);
  int rc = mlf_schema_init_traces(&table->schema);
  if (rc == SQLITE_OK)
    rc = mlf_arguments_read(argv + 3, argc - 3, &table->schema, &table->arguments, &error);
  if (rc == SQLITE_OK) {
    char *declaration = mlf_schema_declaration(&table->schema);
    rc = declaration ? sqlite3_declare_vtab(db, declaration) : SQLITE_NOMEM;
    sqlite3_free(declaration);
  }
  if (rc == SQLITE_OK) {
    *out = &table->base;
  } else {
    *error_text = mlf_error_take(&error);
    traces_table_free(table);
  }
  mlf_error_clear(&error);
  return rc;
}

static int traces_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  const traces_table *table = (const traces_table *)vtab;
  return mlf_planning_best_index(&table->schema, table->arguments.pushdown, info);
}

static int traces_disconnect(sqlite3_vtab *vtab) {
  traces_table_free((traces_table *)vtab);
  return SQLITE_OK;
}

static int traces_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  (void)vtab;
  traces_cursor *cursor = sqlite3_malloc64(sizeof(*cursor));
  if (!cursor) return SQLITE_NOMEM;
  memset(cursor, 0, sizeof(*cursor));
  *out = &cursor->base;
  return SQLITE_OK;
}

/* Ends the scan and forgets all of it. */
static void traces_reset(traces_cursor *cursor) {
  mlf_pager_free(cursor->pager);
  mlf_filter_clear(&cursor->filter);
  mlf_scope_clear(&cursor->scope);
  mlf_values_clear(&cursor->bound);
  sqlite3_free(cursor->ids);
  cursor->pager = NULL;
  cursor->ids = NULL;
  cursor->page = NULL;
  cursor->trace = NULL;
}

static int traces_close(sqlite3_vtab_cursor *base) {
  traces_reset((traces_cursor *)base);
  sqlite3_free(base);
  return SQLITE_OK;
}

static int traces_step(traces_cursor *cursor, mlf_error *error) {
  int rc = mlf_pager_next(cursor->pager, &cursor->page, &cursor->trace, error);
  if (rc == SQLITE_ROW) return SQLITE_OK;
  cursor->trace = NULL;
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The ids to ask for; NULLs among them ask for nothing. */
static int traces_take_ids(traces_cursor *cursor, mlf_walk *walk) {
  const mlf_filter *filter = &cursor->filter;
  if (filter->id_count == 0) return SQLITE_OK;
  cursor->ids = sqlite3_malloc64(filter->id_count * sizeof(*cursor->ids));
  if (!cursor->ids) return SQLITE_NOMEM;
  for (size_t i = 0; i < filter->id_count; i++) {
    if (filter->ids[i].type == MLF_TEXT) cursor->ids[walk->id_count++] = filter->ids[i].text;
  }
  walk->ids = cursor->ids;
  return SQLITE_OK;
}

/* Begins to walk what the filter and the scope say. */
static int traces_walk(traces_cursor *cursor, mlf_order order, mlf_error *error) {
  mlf_client *client = mlf_connection_client(((traces_table *)cursor->base.pVtab)->connection);
  const mlf_filter *filter = &cursor->filter;
  mlf_walk walk = {.experiment_ids = (const char *const *)cursor->scope.ids,
                   .experiment_count = cursor->scope.count,
                   .filter = filter->text,
                   .raw = filter->raw ? filter->raw->text : NULL,
                   .low_ms = filter->low_ms,
                   .high_ms = filter->high_ms,
                   .oldest_first = order == MLF_ORDER_OLDEST_FIRST,
                   .rows_wanted = filter->complete ? cursor->bound.rows_wanted : 0};
  if (traces_take_ids(cursor, &walk) != SQLITE_OK) return mlf_error_nomem(error);
  int rc = mlf_pager_new(client, cursor->budget, &walk, &cursor->pager, error);
  return rc == SQLITE_OK ? traces_step(cursor, error) : rc;
}

/* Writes the filter for the server's version, which is asked only if rows are possible at all. */
static int traces_write_filter(traces_cursor *cursor, mlf_error *error) {
  mlf_client *client = mlf_connection_client(((traces_table *)cursor->base.pVtab)->connection);
  mlf_server server = {.major = 3};
  const mlf_bound_terms *bound = &cursor->bound;
  int rc = mlf_filter_write(bound->terms, bound->count, server, &cursor->filter);
  if (rc != SQLITE_OK) return mlf_error_nomem(error);
  if (cursor->filter.empty) return SQLITE_OK;
  mlf_filter_clear(&cursor->filter);
  rc = mlf_client_server(client, cursor->budget, &server, error);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_filter_write(bound->terms, bound->count, server, &cursor->filter);
  return rc == SQLITE_OK ? rc : mlf_error_nomem(error);
}

/* Leaves out conditions whose LIKE is not SQLite's own: SQLite alone can tell what they mean. */
static void traces_leave_out_like(mlf_connection *connection, mlf_bound_terms *bound) {
  for (int i = 0; i < bound->count; i++) {
    if (bound->terms[i].op != MLF_OP_LIKE || mlf_connection_has_own_like(connection)) continue;
    mlf_values_drop(bound, i--);
  }
}

static int traces_begin(traces_cursor *cursor, const mlf_plan *plan, mlf_error *error) {
  traces_table *table = (traces_table *)cursor->base.pVtab;
  traces_leave_out_like(table->connection, &cursor->bound);
  int rc = mlf_connection_budget(table->connection, &cursor->own, &cursor->budget, error);
  if (rc == SQLITE_OK) rc = traces_write_filter(cursor, error);
  if (rc != SQLITE_OK || cursor->filter.empty) return rc;
  rc = mlf_scope_resolve(table->connection, cursor->budget, &table->arguments, &cursor->bound,
                         &cursor->scope, error);
  if (rc != SQLITE_OK || cursor->scope.count == 0) return rc;
  return traces_walk(cursor, plan->order, error);
}

static int traces_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
                         sqlite3_value **argv) {
  traces_cursor *cursor = (traces_cursor *)base;
  traces_table *table = (traces_table *)base->pVtab;
  mlf_error error = {0};
  mlf_plan plan;
  (void)number;
  (void)argc;
  traces_reset(cursor);
  int rc = mlf_plan_parse(&table->schema, text, &plan);
  if (rc == SQLITE_OK) rc = mlf_values_bind(&table->schema, &plan, argv, &cursor->bound);
  if (rc != SQLITE_OK) return rc;
  rc = traces_begin(cursor, &plan, &error);
  return rc == SQLITE_OK ? rc : mlf_listing_fail(base->pVtab, table->schema.table, &error);
}

static int traces_next(sqlite3_vtab_cursor *base) {
  mlf_error error = {0};
  int rc = traces_step((traces_cursor *)base, &error);
  if (rc == SQLITE_OK) return rc;
  return mlf_listing_fail(base->pVtab, ((traces_table *)base->pVtab)->schema.table, &error);
}

static int traces_eof(sqlite3_vtab_cursor *base) {
  return ((traces_cursor *)base)->trace == NULL;
}

/* What the statement asked, so that SQLite's own check of the hidden columns holds. */
static void traces_asked(traces_cursor *cursor, const mlf_column *column,
                         sqlite3_context *context) {
  const char *text = NULL;
  if (column->key_kind == MLF_KEY_EXPERIMENT) {
    text = mlf_scope_name(&cursor->scope, mlf_trace_experiment_id(cursor->trace));
  } else if (cursor->filter.raw) {
    text = cursor->filter.raw->text;
  }
  sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static int traces_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index) {
  traces_cursor *cursor = (traces_cursor *)base;
  const mlf_column *column = &((traces_table *)base->pVtab)->schema.columns[index];
  char scratch[32];
  mlf_value value;
  if (column->source == MLF_SOURCE_ASKED) {
    traces_asked(cursor, column, context);
    return SQLITE_OK;
  }
  int rc = mlf_trace_value(cursor->page, cursor->trace, column, scratch, &value);
  if (rc == SQLITE_OK) mlf_values_result(context, &value);
  return rc;
}

/* The table has no rowid; SQLite asks for this method all the same. */
static int traces_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid) {
  (void)base;
  *rowid = 0;
  return SQLITE_OK;
}

static const sqlite3_module traces_methods = {
    .xCreate = traces_connect,
    .xConnect = traces_connect,
    .xBestIndex = traces_best_index,
    .xDisconnect = traces_disconnect,
    .xDestroy = traces_disconnect,
    .xOpen = traces_open,
    .xClose = traces_close,
    .xFilter = traces_filter,
    .xNext = traces_next,
    .xEof = traces_eof,
    .xColumn = traces_column,
    .xRowid = traces_rowid,
};

int mlf_traces_table_register(sqlite3 *db, mlf_connection *connection) {
  mlf_connection_hold(connection);
  return sqlite3_create_module_v2(db, "mlflow_traces", &traces_methods, connection,
                                  mlf_connection_release);
}
