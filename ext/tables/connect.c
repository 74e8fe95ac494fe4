#include "tables/connect.h"

#include <string.h>

#define CONNECT_NAME "mlflow_connect"

#define CONNECT_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* Steps over blanks and comments. */
static const char *connect_skip_space(const char *at) {
  for (;;) {
    at += strspn(at, " \t\r\n\f");
    if (strncmp(at, "--", 2) == 0) {
      at += strcspn(at, "\n");
    } else if (strncmp(at, "/*", 2) == 0) {
      const char *end = strstr(at + 2, "*/");
      at = end ? end + 2 : at + strlen(at);
    } else {
      return at;
    }
  }
}

/* Steps over a word in any case, and what follows it; NULL if another word stands there. */
static const char *connect_skip_word(const char *at, const char *word) {
  size_t length = strspn(at, CONNECT_LETTERS);
  if (length != strlen(word) || sqlite3_strnicmp(at, word, (int)length) != 0) return NULL;
  return connect_skip_space(at + length);
}

/* Steps over a character, and what follows it; NULL if it is another. */
static const char *connect_skip_character(const char *at, char character) {
  return at && *at == character ? connect_skip_space(at + 1) : NULL;
}

/* Steps over what stands between quotes, a doubled one standing for itself; NULL if it does not
** end. */
static const char *connect_skip_quoted(const char *at) {
  char quote = *at;
  do {
    at = strchr(at + 1, quote);
    if (!at) return NULL;
    at++;
  } while (*at == quote);
  return connect_skip_space(at);
}

/* Steps over a text in quotes or a parameter: ?, ?1, :uri, @uri, $uri. */
static const char *connect_skip_value(const char *at) {
  if (*at == '\'' || *at == '"') return connect_skip_quoted(at);
  if (!*at || !strchr("?:@$", *at)) return NULL;
  return connect_skip_space(at + 1 + strspn(at + 1, CONNECT_LETTERS));
}

/* Steps over `AS name`, `name` or nothing. */
static const char *connect_skip_alias(const char *at) {
  const char *name = connect_skip_word(at, "AS");
  if (name) at = name;
  if (*at && strchr("'\"`", *at)) return connect_skip_quoted(at);
  return connect_skip_space(at + strspn(at, CONNECT_LETTERS));
}

bool mlf_connect_is_whole(const char *sql) {
  const char *at = connect_skip_word(connect_skip_space(sql), "SELECT");
  if (at) at = connect_skip_word(at, CONNECT_NAME);
  at = connect_skip_character(at, '(');
  if (at) at = connect_skip_value(at);
  at = connect_skip_character(at, ')');
  if (at) at = connect_skip_alias(at);
  const char *end = connect_skip_character(at, ';');
  if (end) at = end;
  return at && !*at;
}

/* Uses the MLflow server at `uri` from now on, for this connection. The result is the address, and
** says if a secret that is set does not go there. */
static void connect_call(sqlite3_context *context, int count, sqlite3_value **values) {
  mlf_connection *connection = sqlite3_user_data(context);
  mlf_client *client = mlf_connection_client(connection);
  mlf_error error = {0};
  const mlf_settings *settings;
  (void)count;
  sqlite3_stmt *caller = mlf_statement_sole(sqlite3_context_db_handle(context));
  const char *uri = (const char *)sqlite3_value_text(values[0]);
  int rc = SQLITE_OK;
  if (!caller) {
    rc = mlf_error_set(&error, SQLITE_BUSY,
                       "refused while another statement of this connection runs, which may be one "
                       "that a database file has written; finish it first");
  } else if (!mlf_connect_is_whole(sqlite3_sql(caller))) {
    rc = mlf_error_set(&error, SQLITE_ERROR,
                       "refused inside another statement, which a database file may have written; "
                       "it must be a statement of its own: SELECT " CONNECT_NAME "('http://…')");
  } else if (!uri) {
    rc = mlf_error_set(&error, SQLITE_ERROR, "the address is NULL");
  } else if (strlen(uri) != (size_t)sqlite3_value_bytes(values[0])) {
    rc = mlf_error_set(&error, SQLITE_ERROR, "the address has a NUL character");
  }
  if (rc == SQLITE_OK) rc = mlf_client_connect(client, uri, &error);
  if (rc == SQLITE_OK) rc = mlf_client_settings(client, &settings, &error);
  if (rc != SQLITE_OK) {
    mlf_error_result(context, CONNECT_NAME, &error);
    return;
  }
  char *text = sqlite3_mprintf(
      "%s%s", settings->tracking_uri,
      settings->withheld ? ", without the secret that is set: MLFLOW_SQL_HOSTS does not list it"
                         : "");
  sqlite3_result_text(context, text, -1, sqlite3_free);
  if (!text) sqlite3_result_error_nomem(context);
}

int mlf_connect_register(mlf_registry *registry, mlf_connection *connection) {
  mlf_connection_hold(connection);
  return mlf_registry_add(registry,
                          &(mlf_registry_function){.name = CONNECT_NAME,
                                                   .arguments = 1,
                                                   .flags = SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                                   .context = connection,
                                                   .call = connect_call,
                                                   .destroy = mlf_connection_release});
}

int mlf_connect_is_registered(sqlite3 *db, bool *is) {
  int rc = mlf_registry_has(db, CONNECT_NAME, 1, is);
  if (rc != SQLITE_AUTH) return rc;
  *is = true;
  return SQLITE_OK;
}
