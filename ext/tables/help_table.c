/* mlflow_help: what there is to ask, for a person or a program that has nothing but SQL: each
** table, each of its columns with what of a condition reaches the server, and each function.
** Reading it sends no request.
**
** Nothing is described twice: names, types and meanings are those that the tables declare
** (model/catalog.c and the listings), and `pushed` is what the planner decides by.
*/
#include "query/shippable.h"
#include "tables/listing.h"
#include "tables/metrics_columns.h"

typedef struct help_subject {
  const char *table;
  const char *meaning;
  const char *example;
  int (*init_schema)(mlf_schema *schema); /* of a table that walks traces */
  const mlf_listing *listing;             /* of a plain list; neither: mlflow_metrics */
} help_subject;

static const help_subject help_subjects[] = {
    {"mlflow_traces",
     "a row for each trace. Without an experiment in the statement or the environment: of all "
     "active experiments",
     "SELECT trace_id, name, status, execution_time_ms, request_preview FROM mlflow_traces "
     "WHERE request_time >= datetime('now', '-1 day') ORDER BY timestamp_ms DESC LIMIT 10",
     mlf_schema_init_traces, NULL},
    {"mlflow_spans",
     "a row for each span: model calls, tools, retrievers. Costs requests for each trace, so "
     "narrow "
     "the traces first",
     "SELECT name, span_type, status, duration_ms FROM mlflow_spans WHERE trace_id IN "
     "(SELECT trace_id FROM mlflow_traces WHERE status = 'ERROR' ORDER BY timestamp_ms DESC LIMIT "
     "3)",
     mlf_schema_init_spans, NULL},
    {"mlflow_assessments", "a row for each feedback, expectation or issue of a trace",
     "SELECT name, source_type, value, count(*) FROM mlflow_assessments WHERE valid = 1 "
     "GROUP BY 1, 2, 3",
     mlf_schema_init_assessments, NULL},
    {"mlflow_metrics",
     "figures that the server makes itself, in one request. No rows of its own: = says what to ask",
     "SELECT status, value FROM mlflow_metrics WHERE view = 'traces' AND metric = 'trace_count' "
     "AND dimensions = 'status'",
     NULL, NULL},
    {"mlflow_experiments", "a row for each experiment of the server",
     "SELECT experiment_id, name FROM mlflow_experiments WHERE lifecycle_stage = 'active'", NULL,
     &mlf_listing_experiments},
    {"mlflow_requests", "a row for each request that this connection has sent: the receipt",
     "SELECT endpoint, filter, rows, wait_ms FROM mlflow_requests ORDER BY at DESC LIMIT 5", NULL,
     &mlf_listing_requests},
    {"mlflow_settings", "a row for each setting: the server, the limits",
     "SELECT name, value, source FROM mlflow_settings WHERE source <> 'default'", NULL,
     &mlf_listing_settings},
    {"mlflow_help", "this table: what there is to ask",
     "SELECT name, type, meaning, pushed FROM mlflow_help WHERE table_name = 'mlflow_traces'", NULL,
     &mlf_listing_help},
};

#define HELP_SUBJECTS ((int)(sizeof(help_subjects) / sizeof(help_subjects[0])))

/* Those that need the connection. */
static const mlf_registry_help help_functions[] = {
    {"mlflow_version", "", "TEXT", "the version of this extension", "SELECT mlflow_version()"},
    {"mlflow_connect", "uri", "TEXT",
     "asks another server from now on; a statement of its own, refused if MLFLOW_SQL_LOCK is set",
     "SELECT mlflow_connect('http://127.0.0.1:5000')"},
};

/* What CREATE VIRTUAL TABLE adds to a table that walks traces. */
static const char *const help_declared[][2] = {
    {"tags", "declared by CREATE VIRTUAL TABLE: a tag of the trace, as in tags.environment"},
    {"metadata", "declared by CREATE VIRTUAL TABLE: a key of the trace's metadata"},
    {"feedback",
     "declared by CREATE VIRTUAL TABLE: the trace's latest valid feedback of this name"},
};

#define HELP_DECLARED ((int)(sizeof(help_declared) / sizeof(help_declared[0])))

typedef struct help_state {
  int subject;       /* from HELP_SUBJECTS on, functions */
  int column;        /* of the subject; -1: the table itself */
  mlf_schema schema; /* of the subject, if it walks traces */
  const mlf_column *columns;
  int column_count;
  char *pushed; /* of the current column */
  const mlf_registry_help *function;
} help_state;

static void help_clear(void *context) {
  help_state *state = context;
  mlf_schema_clear(&state->schema);
  sqlite3_free(state->pushed);
  *state = (help_state){0};
}

/* The columns of a table that walks traces, and an example of each kind that can be declared. */
static int help_read_schema(help_state *state, const help_subject *subject, mlf_error *error) {
  int rc = subject->init_schema(&state->schema);
  if (rc != SQLITE_OK) return mlf_error_nomem(error);
  for (int i = 0; rc == SQLITE_OK && i < HELP_DECLARED; i++) {
    rc = mlf_schema_declare(&state->schema, help_declared[i][0], "KEY", NULL, error);
    if (rc == SQLITE_OK)
      state->schema.columns[state->schema.column_count - 1].meaning = help_declared[i][1];
  }
  state->columns = state->schema.columns;
  state->column_count = state->schema.column_count;
  return rc;
}

static int help_begin_subject(help_state *state, mlf_error *error) {
  const help_subject *subject = &help_subjects[state->subject];
  state->column = -1;
  mlf_schema_clear(&state->schema);
  if (subject->init_schema) return help_read_schema(state, subject, error);
  state->columns = subject->listing ? subject->listing->columns : mlf_metrics_columns;
  state->column_count =
      subject->listing ? subject->listing->column_count : MLF_METRICS_COLUMN_COUNT;
  return SQLITE_OK;
}

/* Which operators on the current column reach the server. */
static int help_find_pushed(help_state *state, mlf_error *error) {
  const help_subject *subject = &help_subjects[state->subject];
  sqlite3_free(state->pushed);
  state->pushed = NULL;
  if (state->column < 0 || subject->listing) return SQLITE_OK;
  const char *told = subject->init_schema ? NULL : mlf_metrics_pushed(state->column);
  if (!subject->init_schema && !told) return SQLITE_OK;
  state->pushed =
      told ? sqlite3_mprintf("%s", told) : mlf_shippable_operators(&state->columns[state->column]);
  return state->pushed ? SQLITE_OK : mlf_error_nomem(error);
}

/* The functions come last: those of the connection, then the others. */
static int help_settle_function(mlf_connection *connection, help_state *state) {
  int own = sizeof(help_functions) / sizeof(help_functions[0]), count;
  const mlf_registry_help *others = mlf_connection_function_help(connection, &count);
  int index = state->subject - HELP_SUBJECTS;
  sqlite3_free(state->pushed);
  state->pushed = NULL;
  if (index >= own + count) return SQLITE_DONE;
  state->function = index < own ? &help_functions[index] : &others[index - own];
  return SQLITE_ROW;
}

static int help_first(mlf_connection *connection, void *context, mlf_error *error) {
  help_state *state = context;
  (void)connection;
  help_clear(state);
  int rc = help_begin_subject(state, error);
  return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

static int help_next(mlf_connection *connection, void *context, mlf_error *error) {
  help_state *state = context;
  int rc = SQLITE_OK;
  if (state->subject >= HELP_SUBJECTS || ++state->column >= state->column_count) {
    state->subject++;
    if (state->subject >= HELP_SUBJECTS) return help_settle_function(connection, state);
    rc = help_begin_subject(state, error);
  }
  if (rc == SQLITE_OK) rc = help_find_pushed(state, error);
  return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

typedef enum help_place {
  HELP_KIND,
  HELP_TABLE_NAME,
  HELP_NAME,
  HELP_ARGUMENTS,
  HELP_TYPE,
  HELP_HIDDEN,
  HELP_MEANING,
  HELP_PUSHED,
  HELP_EXAMPLE,
  HELP_COLUMN_COUNT
} help_place;

static const mlf_column help_columns[HELP_COLUMN_COUNT] = {
    [HELP_KIND] = {.name = "kind", .meaning = "table, column, declared column or function"},
    [HELP_TABLE_NAME] = {.name = "table_name",
                         .meaning = "the table, or whose column it is; NULL for a function"},
    [HELP_NAME] = {.name = "name", .meaning = "of the table, column or function"},
    [HELP_ARGUMENTS] = {.name = "arguments",
                        .meaning = "of a function; in brackets those that may be left out"},
    [HELP_TYPE] = {.name = "type",
                   .meaning = "of a column, or of what a function returns; '' is the value's own"},
    [HELP_HIDDEN] = {.name = "hidden",
                     .type = MLF_TYPE_INTEGER,
                     .meaning = "1 for a column that SELECT * leaves out"},
    [HELP_MEANING] = {.name = "meaning", .meaning = "what it is"},
    [HELP_PUSHED] = {.name = "pushed",
                     .meaning = "operators that may reach the server; the others are checked here, "
                                "row by row. BETWEEN is >= and <="},
    [HELP_EXAMPLE] = {.name = "example", .meaning = "a statement that runs"},
};

static const char *help_function_text(const mlf_registry_help *function, int index) {
  switch ((help_place)index) {
  case HELP_KIND: return "function";
  case HELP_NAME: return function->name;
  case HELP_ARGUMENTS: return function->arguments;
  case HELP_TYPE: return function->result;
  case HELP_MEANING: return function->meaning;
  case HELP_EXAMPLE: return function->example;
  default: return NULL;
  }
}

static const char *help_table_text(const help_subject *subject, int index) {
  switch ((help_place)index) {
  case HELP_KIND: return "table";
  case HELP_TABLE_NAME:
  case HELP_NAME: return subject->table;
  case HELP_MEANING: return subject->meaning;
  case HELP_EXAMPLE: return subject->example;
  default: return NULL;
  }
}

static const char *help_column_text(const help_state *state, int index) {
  const mlf_column *column = &state->columns[state->column];
  int declared_from = state->column_count - HELP_DECLARED;
  switch ((help_place)index) {
  case HELP_KIND:
    return state->schema.columns && state->column >= declared_from ? "declared column" : "column";
  case HELP_TABLE_NAME: return help_subjects[state->subject].table;
  case HELP_NAME: return column->name;
  case HELP_TYPE: return mlf_column_type_name(column->type);
  case HELP_MEANING: return column->meaning;
  case HELP_PUSHED: return state->pushed && *state->pushed ? state->pushed : NULL;
  case HELP_EXAMPLE: return column->example;
  default: return NULL;
  }
}

static int help_column(mlf_connection *connection, void *context, int index, mlf_value *value,
                       mlf_error *error) {
  const help_state *state = context;
  bool column = state->subject < HELP_SUBJECTS && state->column >= 0;
  (void)connection;
  (void)error;
  if (column && index == HELP_HIDDEN) {
    *value = mlf_value_integer(state->columns[state->column].hidden);
  } else if (column) {
    *value = mlf_value_text(help_column_text(state, index));
  } else if (state->subject < HELP_SUBJECTS) {
    *value = mlf_value_text(help_table_text(&help_subjects[state->subject], index));
  } else {
    *value = mlf_value_text(help_function_text(state->function, index));
  }
  return SQLITE_OK;
}

const mlf_listing mlf_listing_help = {
    .name = "mlflow_help",
    .columns = help_columns,
    .column_count = HELP_COLUMN_COUNT,
    .state_size = sizeof(help_state),
    .rows = 200,
    .first = help_first,
    .next = help_next,
    .column = help_column,
    .clear = help_clear,
};
