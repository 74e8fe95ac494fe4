/* mlflow_experiments: the experiments of the server, active and deleted ones. */
#include "remote/experiments.h"
#include "tables/listing.h"

typedef struct experiments_state {
  mlf_statement *statement;
  mlf_held_page none; /* holds no traces */
  mlf_json *page;
  const mlf_json_node *experiment;
} experiments_state;

static int experiments_page(mlf_connection *connection, experiments_state *state,
                            mlf_error *error) {
  mlf_json *page;
  const char *token = state->page ? mlf_experiments_token(state->page) : NULL;
  int rc = mlf_experiments_page(mlf_connection_client(connection),
                                mlf_statement_budget(state->statement), false, token, &page, error);
  mlf_json_free(state->page);
  state->page = rc == SQLITE_OK ? page : NULL;
  state->experiment = rc == SQLITE_OK ? mlf_experiments_first(page) : NULL;
  return rc;
}

/* Fetches pages until there is a row, or no page more. */
static int experiments_settle(mlf_connection *connection, experiments_state *state,
                              mlf_error *error) {
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && !state->experiment && mlf_experiments_token(state->page)) {
    rc = experiments_page(connection, state, error);
  }
  if (rc != SQLITE_OK) return rc;
  return state->experiment ? SQLITE_ROW : SQLITE_DONE;
}

static int experiments_first(mlf_connection *connection, void *context, mlf_error *error) {
  experiments_state *state = context;
  int rc = mlf_connection_join(connection, &state->none, &state->statement, error);
  if (rc == SQLITE_OK) rc = experiments_page(connection, state, error);
  return rc == SQLITE_OK ? experiments_settle(connection, state, error) : rc;
}

static int experiments_next(mlf_connection *connection, void *context, mlf_error *error) {
  experiments_state *state = context;
  state->experiment = mlf_json_next(state->experiment);
  return experiments_settle(connection, state, error);
}

static void experiments_text(sqlite3_context *context, const mlf_json_node *node) {
  const char *text = mlf_json_text(node);
  if (text) sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* Tags come as a list of keys and values; an object is what SQL's ->> wants. */
static int experiments_tags(const experiments_state *state, sqlite3_context *context) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  const mlf_json_node *tag = mlf_json_first(mlf_json_member(state->experiment, "tags"));
  const char *separator = "{";
  for (; tag; tag = mlf_json_next(tag)) {
    size_t key_length, value_length;
    const char *key = mlf_json_raw(state->page, mlf_json_member(tag, "key"), &key_length);
    const char *value = mlf_json_raw(state->page, mlf_json_member(tag, "value"), &value_length);
    if (!key || !value) continue;
    sqlite3_str_appendf(text, "%s%.*s:%.*s", separator, (int)key_length, key, (int)value_length,
                        value);
    separator = ",";
  }
  sqlite3_str_appendall(text, *separator == '{' ? "{}" : "}");
  int rc = sqlite3_str_errcode(text);
  char *object = sqlite3_str_finish(text);
  if (rc == SQLITE_OK) sqlite3_result_text(context, object, -1, sqlite3_free);
  return rc;
}

static int experiments_column(mlf_connection *connection, void *context, sqlite3_context *result,
                              int index) {
  static const char *const members[] = {"experiment_id",     "name",          "lifecycle_stage",
                                        "artifact_location", "creation_time", "last_update_time"};
  const experiments_state *state = context;
  int64_t ms;
  (void)connection;
  if (index == 6) return experiments_tags(state, result);
  const mlf_json_node *node = mlf_json_member(state->experiment, members[index]);
  if (mlf_json_int64(state->page, node, &ms)) {
    sqlite3_result_int64(result, ms);
  } else {
    experiments_text(result, node);
  }
  return SQLITE_OK;
}

static void experiments_clear(void *context) {
  experiments_state *state = context;
  mlf_json_free(state->page);
  if (state->statement) mlf_statement_leave(state->statement, &state->none);
  state->page = NULL;
  state->statement = NULL;
}

const mlf_listing mlf_listing_experiments = {
    .name = "mlflow_experiments",
    .declaration = "CREATE TABLE x(experiment_id TEXT, name TEXT, lifecycle_stage TEXT, "
                   "artifact_location TEXT, creation_time_ms INTEGER, "
                   "last_update_time_ms INTEGER, tags TEXT)",
    .state_size = sizeof(experiments_state),
    .rows = 1000,
    .first = experiments_first,
    .next = experiments_next,
    .column = experiments_column,
    .clear = experiments_clear,
};
