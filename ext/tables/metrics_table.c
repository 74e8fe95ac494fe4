/* mlflow_metrics: what the server counts and averages itself.
**
**   SELECT name, value FROM mlflow_metrics
**   WHERE view = 'traces' AND metric = 'latency' AND aggregation = 'p95' AND dimensions = 'name';
**
** A row is an aggregation of a group. A column that was told shows what was asked, so that SQLite's
** own check holds; a dimension by which the answer is not grouped, and which was not told, is NULL.
** A hidden column is an argument: where SQLite reads one that it has not told us, it compares what
** we do not know, and that is an error.
*/
#include "tables/metrics_table.h"

#include <string.h>

#include "base/sqlite_value.h"
#include "tables/file_table.h"
#include "tables/listing.h"
#include "tables/metrics_asked.h"
#include "tables/scope.h"

#define METRICS_TABLE_NAME "mlflow_metrics"

typedef struct metrics_table {
  sqlite3_vtab base;
  mlf_connection *connection;
  mlf_file_table place;
  mlf_arguments arguments;
} metrics_table;

typedef struct metrics_cursor {
  sqlite3_vtab_cursor base;
  mlf_statement *statement;
  mlf_metrics_asked asked;
  mlf_metrics metrics;
  size_t aggregation; /* the current one */
  bool eof;
  sqlite3_int64 row;
} metrics_cursor;

static void metrics_table_free(metrics_table *table) {
  mlf_arguments_clear(&table->arguments);
  mlf_connection_release(table->connection);
  sqlite3_free(table);
}

/* Reads the arguments of CREATE VIRTUAL TABLE: experiments alone, for the columns are fixed. */
static int metrics_table_arguments(const char *const *texts, int count, mlf_arguments *arguments,
                                   mlf_error *error) {
  mlf_schema schema = {.table = METRICS_TABLE_NAME, .experiments_only = true};
  return mlf_arguments_read(texts, count, &schema, arguments, error);
}

/* argv: module, database and table name, then the arguments. */
static int metrics_table_connect(sqlite3 *db, void *context, int argc, const char *const *argv,
                                 sqlite3_vtab **out, char **error_text) {
  mlf_error error = {0};
  metrics_table *table = sqlite3_malloc64(sizeof(*table));
  if (!table) return SQLITE_NOMEM;
  memset(table, 0, sizeof(*table));
  table->connection = context;
  mlf_connection_hold(table->connection);
  table->place = mlf_file_table_of(db, argc, argv);
  int rc = metrics_table_arguments(argv + 3, argc - 3, &table->arguments, &error);
  if (rc == SQLITE_OK)
    rc = mlf_listing_declare(db, METRICS_TABLE_NAME, mlf_metrics_columns, MLF_METRICS_COLUMN_COUNT,
                             &error);
  if (rc == SQLITE_OK) {
    *out = &table->base;
  } else {
    *error_text = mlf_error_take(&error);
    metrics_table_free(table);
  }
  mlf_error_clear(&error);
  return rc;
}

static int metrics_table_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  (void)vtab;
  return mlf_metrics_best_index(info);
}

static int metrics_table_disconnect(sqlite3_vtab *vtab) {
  metrics_table_free((metrics_table *)vtab);
  return SQLITE_OK;
}

static int metrics_table_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  metrics_table *table = (metrics_table *)vtab;
  mlf_error error = {0};
  if (mlf_file_table_check(&table->place, &error) != SQLITE_OK)
    return mlf_listing_fail(vtab, METRICS_TABLE_NAME, &error);
  metrics_cursor *cursor = sqlite3_malloc64(sizeof(*cursor));
  if (!cursor) return SQLITE_NOMEM;
  memset(cursor, 0, sizeof(*cursor));
  int rc = mlf_connection_join(table->connection, NULL, &cursor->statement);
  if (rc == SQLITE_OK) {
    *out = &cursor->base;
  } else {
    sqlite3_free(cursor);
  }
  return rc;
}

/* Makes the cursor what it was when it was opened. */
static void metrics_cursor_clear(metrics_cursor *cursor) {
  mlf_metrics_clear(&cursor->metrics);
  mlf_metrics_asked_clear(&cursor->asked);
  cursor->aggregation = 0;
  cursor->row = 0;
  cursor->eof = true;
}

static int metrics_table_close(sqlite3_vtab_cursor *base) {
  metrics_cursor_clear((metrics_cursor *)base);
  mlf_statement_leave(((metrics_cursor *)base)->statement);
  sqlite3_free(base);
  return SQLITE_OK;
}

/* The experiments that are asked about: those that CREATE VIRTUAL TABLE names, the environment's,
** or all active ones; or the one that the statement names, if CREATE VIRTUAL TABLE does not leave
** it out. */
static int metrics_table_scope(metrics_cursor *cursor, mlf_experiment_list *scope,
                               mlf_error *error) {
  static const mlf_bound_terms no_terms = {0};
  metrics_table *table = (metrics_table *)cursor->base.pVtab;
  const char *told = cursor->asked.texts[MLF_METRICS_EXPERIMENT];
  int rc = SQLITE_OK;
  if (!told || table->arguments.experiment_count > 0) {
    mlf_scope_ask ask = {.connection = table->connection,
                         .statement = cursor->statement,
                         .arguments = &table->arguments,
                         .bound = &no_terms};
    rc = mlf_scope_resolve(&ask, scope, error);
  }
  if (rc != SQLITE_OK || !told) return rc;
  char *id, *name;
  rc = mlf_connection_experiment(table->connection, &cursor->statement->budget,
                                 MLF_EXPERIMENT_BY_NAME, told, &id, &name, error);
  if (rc != SQLITE_OK) return rc;
  bool outside = table->arguments.experiment_count > 0 && !mlf_experiment_list_name(scope, id);
  mlf_experiment_list_clear(scope);
  if (!outside) return mlf_experiment_list_take(scope, id, name, error);
  sqlite3_free(id);
  sqlite3_free(name);
  return rc;
}

/* Errors if the server has no metrics, or such as count otherwise than our other tables; or if
** these have a filter, which is in another language than that of metrics. */
static int metrics_table_server(metrics_cursor *cursor, mlf_error *error) {
  mlf_client *client = cursor->statement->client;
  const mlf_settings *settings;
  mlf_server server;
  int rc = mlf_client_settings(client, &settings, error);
  if (rc == SQLITE_OK && settings->filter)
    return mlf_error_set(error, SQLITE_ERROR,
                         "MLFLOW_SQL_FILTER is set, and metrics know no such filter; "
                         "ask the tables, or unset it");
  if (rc == SQLITE_OK) rc = mlf_statement_begin(cursor->statement, error);
  server = cursor->statement->server;
  if (rc != SQLITE_OK || mlf_server_knows(server, MLF_FEATURE_METRICS)) return rc;
  char *sql = mlf_metric_sql(cursor->asked.question.metric);
  if (!sql) return mlf_error_nomem(error);
  rc = mlf_error_set(
      error, SQLITE_ERROR,
      "GET /version: %s is MLflow %d.%d, and metrics that agree with our other tables "
      "come with 3.17; ask instead as in %s",
      settings->tracking_uri, server.major, server.minor, sql);
  sqlite3_free(sql);
  return rc;
}

static int metrics_table_ask(metrics_cursor *cursor, mlf_error *error) {
  mlf_metrics_question *question = &cursor->asked.question;
  mlf_experiment_list scope = {0};
  int rc = metrics_table_server(cursor, error);
  if (rc == SQLITE_OK) rc = metrics_table_scope(cursor, &scope, error);
  if (rc == SQLITE_OK && scope.count > 0) { /* of none, some servers make all */
    question->experiment_ids = (const char *const *)scope.ids;
    question->experiment_count = scope.count;
    rc = mlf_metrics_ask(cursor->statement->client, &cursor->statement->budget, question,
                         &cursor->metrics, error);
  }
  mlf_experiment_list_clear(&scope);
  return rc;
}

/* Counts the row that the cursor is at, if it is at one. */
static int metrics_table_count(metrics_cursor *cursor) {
  mlf_error error = {0};
  if (cursor->eof || mlf_statement_count_row(cursor->statement, &error) == SQLITE_OK)
    return SQLITE_OK;
  return mlf_listing_fail(cursor->base.pVtab, METRICS_TABLE_NAME, &error);
}

static int metrics_table_filter(sqlite3_vtab_cursor *base, int plan_number, const char *plan_text,
                                int argc, sqlite3_value **argv) {
  (void)plan_number;
  (void)argc;
  metrics_cursor *cursor = (metrics_cursor *)base;
  mlf_metrics_asked *asked = &cursor->asked;
  mlf_error error = {0};
  mlf_metrics_plan plan;
  metrics_cursor_clear(cursor);
  mlf_metrics_plan_read(plan_text, &plan);
  int rc = mlf_metrics_asked_read(&plan, argv, asked, &error);
  if (rc == SQLITE_OK && asked->nothing) return SQLITE_OK;
  if (rc == SQLITE_OK) rc = metrics_table_ask(cursor, &error);
  if (rc != SQLITE_OK) return mlf_listing_fail(base->pVtab, METRICS_TABLE_NAME, &error);
  /* Of nothing SQL makes one row if it is not grouped: with NULLs. */
  bool grouped = asked->question.dimensions || asked->question.bucket_s;
  cursor->eof = !cursor->metrics.point && grouped;
  return metrics_table_count(cursor);
}

static int metrics_table_next(sqlite3_vtab_cursor *base) {
  metrics_cursor *cursor = (metrics_cursor *)base;
  cursor->row++;
  if (++cursor->aggregation == cursor->asked.question.aggregation_count) {
    cursor->aggregation = 0;
    mlf_metrics_next(&cursor->metrics);
    cursor->eof = !cursor->metrics.point;
  }
  return metrics_table_count(cursor);
}

static int metrics_table_eof(sqlite3_vtab_cursor *base) {
  return ((metrics_cursor *)base)->eof;
}

/* What was told. */
static int metrics_table_echo(const mlf_metrics_asked *asked, int column, sqlite3_context *context,
                              mlf_error *error) {
  if (asked->texts[column]) {
    sqlite3_result_text(context, asked->texts[column], -1, SQLITE_TRANSIENT);
  } else if (asked->told[column]) {
    sqlite3_result_value(context, asked->told[column]);
  } else if (column >= MLF_METRICS_DIMENSIONS) {
    const char *name = mlf_metrics_column_name(column);
    return mlf_error_set(error, SQLITE_ERROR,
                         "%s is an argument, and SQLite does not say here what it is; give it "
                         "with =, as a literal or a parameter, or do not read it",
                         name);
  }
  return SQLITE_OK;
}

static int metrics_table_value(const metrics_cursor *cursor, int column, mlf_value *value,
                               mlf_error *error) {
  const mlf_metrics_question *question = &cursor->asked.question;
  int dimension = column - MLF_METRICS_DIMENSION;
  if (column == MLF_METRICS_AGGREGATION) {
    *value = mlf_value_text(cursor->asked.names[cursor->aggregation]);
    return SQLITE_OK;
  }
  if (column == MLF_METRICS_VALUE) {
    return mlf_metrics_value(&cursor->metrics, question->metric,
                             &question->aggregations[cursor->aggregation], value, error);
  }
  if (column == MLF_METRICS_BUCKET_MS && question->bucket_s)
    return mlf_metrics_bucket(&cursor->metrics, value, error);
  if (dimension >= 0 && dimension < MLF_DIMENSION_COUNT && question->dimensions >> dimension & 1) {
    return mlf_metrics_dimension(&cursor->metrics, question->metric, (mlf_dimension)dimension,
                                 value, error);
  }
  return SQLITE_NOTFOUND;
}

static int metrics_table_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column) {
  metrics_cursor *cursor = (metrics_cursor *)base;
  mlf_value value = {.type = MLF_NULL};
  mlf_error error = {0};
  int rc = metrics_table_value(cursor, column, &value, &error);
  if (rc == SQLITE_NOTFOUND) {
    rc = metrics_table_echo(&cursor->asked, column, context, &error);
  } else if (rc == SQLITE_OK) {
    mlf_sqlite_value_give(context, &value);
  }
  return rc == SQLITE_OK ? rc : mlf_error_result(context, METRICS_TABLE_NAME, &error);
}

static int metrics_table_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid) {
  *rowid = ((metrics_cursor *)base)->row;
  return SQLITE_OK;
}

static const sqlite3_module metrics_table_methods = {
    .xCreate = metrics_table_connect, /* the same as xConnect: the table exists at once, too */
    .xConnect = metrics_table_connect,
    .xBestIndex = metrics_table_best_index,
    .xDisconnect = metrics_table_disconnect,
    .xDestroy = metrics_table_disconnect,
    .xOpen = metrics_table_open,
    .xClose = metrics_table_close,
    .xFilter = metrics_table_filter,
    .xNext = metrics_table_next,
    .xEof = metrics_table_eof,
    .xColumn = metrics_table_column,
    .xRowid = metrics_table_rowid,
};

int mlf_metrics_table_register(sqlite3 *db, mlf_connection *connection) {
  mlf_connection_hold(connection);
  return sqlite3_create_module_v2(db, METRICS_TABLE_NAME, &metrics_table_methods, connection,
                                  mlf_connection_release);
}
