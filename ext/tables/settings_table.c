/* mlflow_settings: each setting, its value (a secret only as 'set' or 'unset'), where it came from
** and what it does; and two rows more: which functions loading left as they were, and the server's
** version. Reading it sends no request. */
#include "base/settings.h"

#include "tables/listing.h"

typedef struct settings_state {
  mlf_connection *connection;
  const mlf_settings *settings;
  int index;
  mlf_setting_row row;
} settings_state;

static int settings_show_kept(settings_state *state, mlf_error *error) {
  const char *kept = mlf_connection_kept(state->connection);
  state->row = (mlf_setting_row){
      .name = "functions",
      .source = kept ? "there before" : "default",
      .about = "functions that SQLite or the program had when the extension was loaded, which it "
               "left as they were"};
  if (!kept) return SQLITE_ROW;
  state->row.value = sqlite3_mprintf("%s", kept);
  return state->row.value ? SQLITE_ROW : mlf_error_nomem(error);
}

static int settings_show_server(settings_state *state, mlf_error *error) {
  mlf_server server;
  bool known = mlf_client_knows_server(mlf_connection_client(state->connection), &server);
  state->row = (mlf_setting_row){
      .name = "server",
      .source = known ? "the server" : "not asked yet",
      .about = "release of MLflow that the server is, once a statement has asked it"};
  if (!known) return SQLITE_ROW;
  state->row.value = sqlite3_mprintf("%d.%d", server.major, server.minor);
  return state->row.value ? SQLITE_ROW : mlf_error_nomem(error);
}

static int settings_settle(settings_state *state, mlf_error *error) {
  sqlite3_free(state->row.value);
  state->row.value = NULL;
  if (state->index == mlf_settings_count()) return settings_show_kept(state, error);
  if (state->index == mlf_settings_count() + 1) return settings_show_server(state, error);
  if (state->index > mlf_settings_count()) return SQLITE_DONE;
  int rc = mlf_settings_row(state->settings, state->index, &state->row, error);
  return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

static int settings_first(mlf_connection *connection, void *context, mlf_error *error) {
  settings_state *state = context;
  state->index = 0;
  state->connection = connection;
  int rc = mlf_client_settings(mlf_connection_client(connection), &state->settings, error);
  return rc == SQLITE_OK ? settings_settle(state, error) : rc;
}

static int settings_next(mlf_connection *connection, void *context, mlf_error *error) {
  (void)connection;
  ((settings_state *)context)->index++;
  return settings_settle(context, error);
}

static int settings_column(mlf_connection *connection, void *context, int index, mlf_value *value,
                           mlf_error *error) {
  const mlf_setting_row *row = &((settings_state *)context)->row;
  const char *const texts[] = {row->name, row->value, row->source, row->about};
  (void)connection;
  (void)error;
  *value = mlf_value_text(texts[index]);
  return SQLITE_OK;
}

static void settings_clear(void *context) {
  settings_state *state = context;
  sqlite3_free(state->row.value);
  state->row.value = NULL;
}

static const mlf_column settings_columns[] = {
    {.name = "name", .meaning = "variable of the environment; in the last rows functions, server"},
    {.name = "value", .meaning = "its value; of a secret only set or unset"},
    {.name = "source", .meaning = "where the value comes from"},
    {.name = "about", .meaning = "what it does, with its unit"},
};

const mlf_listing mlf_listing_settings = {
    .name = "mlflow_settings",
    .columns = settings_columns,
    .column_count = sizeof(settings_columns) / sizeof(settings_columns[0]),
    .state_size = sizeof(settings_state),
    .rows = MLF_SETTINGS_COUNT + 2,
    .first = settings_first,
    .next = settings_next,
    .column = settings_column,
    .clear = settings_clear,
};
