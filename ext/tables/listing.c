#include "tables/listing.h"

#include <string.h>

#include "base/declare.h"
#include "base/sqlite_value.h"

typedef struct listing_module {
  mlf_connection *connection;
  const mlf_listing *listing;
} listing_module;

typedef struct listing_table {
  sqlite3_vtab base;
  const listing_module *module;
} listing_table;

typedef struct listing_cursor {
  sqlite3_vtab_cursor base;
  bool eof;
  sqlite3_int64 row;
  void *state;
} listing_cursor;

int mlf_listing_fail(sqlite3_vtab *vtab, const char *table, mlf_error *error) {
  int code =
      error->code == SQLITE_NOTFOUND ? SQLITE_ERROR : error->code; /* SQLite means a method */
  if (error->text) {
    sqlite3_free(vtab->zErrMsg);
    vtab->zErrMsg = sqlite3_mprintf("%s: %s", table, error->text);
  }
  mlf_error_clear(error);
  return code;
}

int mlf_listing_declare(sqlite3 *db, const char *table, const mlf_column *columns, int count,
                        mlf_error *error) {
  char *declaration = mlf_columns_declaration(columns, count);
  int rc = mlf_declare_table(db, table, declaration, error);
  sqlite3_free(declaration);
  return rc;
}

static int listing_connect(sqlite3 *db, void *context, int argc, const char *const *argv,
                           sqlite3_vtab **out, char **error_text) {
  (void)argc;
  (void)argv;
  const listing_module *module = context;
  const mlf_listing *listing = module->listing;
  mlf_error error = {0};
  int rc = mlf_listing_declare(db, listing->name, listing->columns, listing->column_count, &error);
  *error_text = mlf_error_take(&error);
  if (rc != SQLITE_OK) return rc;
  listing_table *table = sqlite3_malloc64(sizeof(*table));
  if (!table) return SQLITE_NOMEM;
  memset(table, 0, sizeof(*table));
  table->module = module;
  *out = &table->base;
  return SQLITE_OK;
}

static int listing_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  const listing_table *table = (const listing_table *)vtab;
  info->estimatedRows = (sqlite3_int64)table->module->listing->rows;
  info->estimatedCost = table->module->listing->rows;
  return SQLITE_OK;
}

static int listing_disconnect(sqlite3_vtab *vtab) {
  sqlite3_free(vtab);
  return SQLITE_OK;
}

static int listing_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  const listing_module *module = ((listing_table *)vtab)->module;
  const mlf_listing *listing = module->listing;
  listing_cursor *cursor = sqlite3_malloc64(sizeof(*cursor));
  void *state = sqlite3_malloc64(listing->state_size);
  if (!cursor || !state) {
    sqlite3_free(cursor);
    sqlite3_free(state);
    return SQLITE_NOMEM;
  }
  memset(cursor, 0, sizeof(*cursor));
  memset(state, 0, listing->state_size);
  cursor->state = state;
  *out = &cursor->base;
  if (!listing->open || listing->open(module->connection, state) == SQLITE_OK) return SQLITE_OK;
  sqlite3_free(state);
  sqlite3_free(cursor);
  return SQLITE_NOMEM;
}

static int listing_close(sqlite3_vtab_cursor *base) {
  listing_cursor *cursor = (listing_cursor *)base;
  ((listing_table *)base->pVtab)->module->listing->clear(cursor->state);
  sqlite3_free(cursor->state);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

static int listing_step(listing_cursor *cursor, bool first) {
  const listing_module *module = ((listing_table *)cursor->base.pVtab)->module;
  const mlf_listing *listing = module->listing;
  mlf_error error = {0};
  int rc = (first ? listing->first : listing->next)(module->connection, cursor->state, &error);
  cursor->row++;
  cursor->eof = rc != SQLITE_ROW;
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) return SQLITE_OK;
  return mlf_listing_fail(cursor->base.pVtab, listing->name, &error);
}

static int listing_filter(sqlite3_vtab_cursor *base, int plan, const char *plan_text, int argc,
                          sqlite3_value **argv) {
  (void)plan;
  (void)plan_text;
  (void)argc;
  (void)argv;
  listing_cursor *cursor = (listing_cursor *)base;
  cursor->row = 0;
  return listing_step(cursor, true);
}

static int listing_next(sqlite3_vtab_cursor *base) {
  return listing_step((listing_cursor *)base, false);
}

static int listing_eof(sqlite3_vtab_cursor *base) {
  return ((listing_cursor *)base)->eof;
}

static int listing_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index) {
  const listing_module *module = ((listing_table *)base->pVtab)->module;
  mlf_value value = {.type = MLF_NULL};
  mlf_error error = {0};
  int rc = module->listing->column(module->connection, ((listing_cursor *)base)->state, index,
                                   &value, &error);
  if (rc != SQLITE_OK) return mlf_error_result(context, module->listing->name, &error);
  mlf_sqlite_value_give(context, &value);
  return rc;
}

static int listing_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid) {
  *rowid = ((listing_cursor *)base)->row;
  return SQLITE_OK;
}

static const sqlite3_module listing_methods = {
    .xConnect = listing_connect,
    .xBestIndex = listing_best_index,
    .xDisconnect = listing_disconnect,
    .xOpen = listing_open,
    .xClose = listing_close,
    .xFilter = listing_filter,
    .xNext = listing_next,
    .xEof = listing_eof,
    .xColumn = listing_column,
    .xRowid = listing_rowid,
};

static void listing_release(void *context) {
  listing_module *module = context;
  mlf_connection_release(module->connection);
  sqlite3_free(module);
}

int mlf_listing_register(sqlite3 *db, mlf_connection *connection, const mlf_listing *listing) {
  listing_module *module = sqlite3_malloc64(sizeof(*module));
  if (!module) return SQLITE_NOMEM;
  *module = (listing_module){connection, listing};
  mlf_connection_hold(connection);
  return sqlite3_create_module_v2(db, listing->name, &listing_methods, module, listing_release);
}
