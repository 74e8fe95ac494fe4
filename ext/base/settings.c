#include "base/settings.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/credentials.h"
#include "base/filter_words.h"
#include "base/limits.h"
#include "base/origin_list.h"
#include "base/sqlite_api.h"
#include "base/tracking_uri.h"
#include "base/utf8.h"

typedef enum setting_kind {
  SETTING_ADDRESS,  /* char *: see tracking_uri.h */
  SETTING_TEXT,     /* char *: no control characters */
  SETTING_VISIBLE,  /* char *: visible ASCII without blanks, safe in a header */
  SETTING_FILTER,   /* char *: as SETTING_TEXT, MLflow's language but for spans */
  SETTING_ORIGINS,  /* char *: addresses without a path, with commas between */
  SETTING_BOOLEAN,  /* bool */
  SETTING_BAD,      /* bool: 'error' is false, 'null' true */
  SETTING_PROGRESS, /* mlf_setting_progress: false, true or tty */
  SETTING_INTEGER,  /* int */
  SETTING_SECONDS,  /* int, in milliseconds; written with up to three decimals */
  SETTING_FACTOR    /* double; written with up to three decimals */
} setting_kind;

typedef struct setting {
  const char *name;
  const char *about;
  setting_kind kind;
  bool secret;
  size_t offset; /* in mlf_settings */
  /* Of a number; of one with decimals, in thousandths. */
  int fallback;
  int least;
  int most;
} setting;

#define SETTING_AT(field) offsetof(mlf_settings, field)

/* The address comes first, because it may bring the two that follow. */
enum {
  SETTINGS_URI,
  SETTINGS_USERNAME,
  SETTINGS_PASSWORD,
  SETTINGS_TOKEN,
  SETTINGS_CLIENT_CERT = 6
};

/* clang-format off */
static const setting settings_table[] = {
  [SETTINGS_URI] = {
    "MLFLOW_TRACKING_URI", "http or https address of the MLflow server",
    SETTING_ADDRESS, false, SETTING_AT(tracking_uri), 0, 0, 0},
  [SETTINGS_USERNAME] = {
    "MLFLOW_TRACKING_USERNAME", "user for HTTP basic authentication, with the password",
    SETTING_TEXT, true, SETTING_AT(username), 0, 0, 0},
  [SETTINGS_PASSWORD] = {
    "MLFLOW_TRACKING_PASSWORD", "password for HTTP basic authentication, with the user",
    SETTING_TEXT, true, SETTING_AT(password), 0, 0, 0},
  [SETTINGS_TOKEN] = {
    "MLFLOW_TRACKING_TOKEN", "bearer token, sent unless both user and password are set",
    SETTING_VISIBLE, true, SETTING_AT(token), 0, 0, 0},
  {"MLFLOW_TRACKING_INSECURE_TLS", "true: accept any TLS certificate; for tests only",
    SETTING_BOOLEAN, false, SETTING_AT(insecure_tls), 0, 0, 0},
  {"MLFLOW_TRACKING_SERVER_CERT_PATH",
    "PEM file of the authorities to trust instead of the system's",
    SETTING_TEXT, false, SETTING_AT(server_cert_path), 0, 0, 0},
  [SETTINGS_CLIENT_CERT] = {
    "MLFLOW_TRACKING_CLIENT_CERT_PATH", "PEM file with the client's certificate and key",
    SETTING_TEXT, false, SETTING_AT(client_cert_path), 0, 0, 0},
  {"MLFLOW_WORKSPACE", "workspace of the server to read from",
    SETTING_VISIBLE, false, SETTING_AT(workspace), 0, 0, 0},
  {"MLFLOW_EXPERIMENT_ID", "experiment to read where a statement names none",
    SETTING_TEXT, false, SETTING_AT(experiment_id), 0, 0, 0},
  {"MLFLOW_EXPERIMENT_NAME", "the same by name, used if no id is set",
    SETTING_TEXT, false, SETTING_AT(experiment_name), 0, 0, 0},
  {"MLFLOW_SQL_FILTER", "a filter in MLflow's language: the tables are of the traces it finds",
    SETTING_FILTER, false, SETTING_AT(filter), 0, 0, 0},
  {"MLFLOW_HTTP_REQUEST_TIMEOUT", "seconds for one request, from its start to its last byte",
    SETTING_SECONDS, false, SETTING_AT(request_timeout_ms),
    MLF_REQUEST_TIMEOUT_MS, 100, 86400000},
  {"MLFLOW_HTTP_REQUEST_MAX_RETRIES", "times a failed request is tried again",
    SETTING_INTEGER, false, SETTING_AT(retries_max), MLF_RETRIES_MAX, 0, 10},
  {"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR",
    "seconds of the longest first wait before trying again; doubled each time",
    SETTING_FACTOR, false, SETTING_AT(backoff_factor), MLF_BACKOFF_FIRST_MS, 0, 120000},
  {"MLFLOW_SQL_CONNECT_TIMEOUT", "seconds to open a connection",
    SETTING_SECONDS, false, SETTING_AT(connect_timeout_ms),
    MLF_CONNECT_TIMEOUT_MS, 100, 3600000},
  {"MLFLOW_SQL_STATEMENT_TIMEOUT", "seconds that one statement may spend on requests",
    SETTING_SECONDS, false, SETTING_AT(statement_timeout_ms),
    MLF_STATEMENT_TIMEOUT_MS, 100, 604800000},
  {"MLFLOW_SQL_STATEMENT_REQUESTS_MAX", "requests that one statement may send",
    SETTING_INTEGER, false, SETTING_AT(statement_requests_max),
    MLF_STATEMENT_REQUESTS_MAX, 1, 10000000},
  {"MLFLOW_SQL_STATEMENT_ROWS_MAX", "rows that the tables may hand to one statement; 0: no limit",
    SETTING_INTEGER, false, SETTING_AT(statement_rows_max),
    MLF_STATEMENT_ROWS_MAX, 0, 2147483647},
  {"MLFLOW_SQL_STATEMENT_BYTES_MAX",
    "bytes of replies that one statement may read from the server; 0: no limit",
    SETTING_INTEGER, false, SETTING_AT(statement_bytes_max),
    MLF_STATEMENT_BYTES_MAX, 0, 2147483647},
  {"MLFLOW_SQL_REPLY_BYTES_MAX", "bytes of one reply without spans",
    SETTING_INTEGER, false, SETTING_AT(reply_bytes_max),
    MLF_REPLY_BYTES_MAX, 1024, 1073741824},
  {"MLFLOW_SQL_SPANS_BYTES_MAX", "bytes of one reply with spans",
    SETTING_INTEGER, false, SETTING_AT(spans_bytes_max),
    MLF_SPANS_BYTES_MAX, 1024, 2147483647},
  {"MLFLOW_SQL_STREAMS", "requests that one scan may have under way at a time",
    SETTING_INTEGER, false, SETTING_AT(streams), MLF_STREAMS, 1, MLF_STREAMS_MAX},
  {"MLFLOW_SQL_PAGE_ROWS", "traces to ask for in one request",
    SETTING_INTEGER, false, SETTING_AT(page_rows), MLF_PAGE_ROWS_MAX, 1, MLF_PAGE_ROWS_MAX},
  {"MLFLOW_SQL_HOSTS",
    "origins (https://host:port, with commas between) to which mlflow_connect may take the secret",
    SETTING_ORIGINS, false, SETTING_AT(hosts), 0, 0, 0},
  {"MLFLOW_SQL_BAD_TRACES",
    "what happens where a trace cannot be read: error ends the statement, null leaves NULLs",
    SETTING_BAD, false, SETTING_AT(bad_traces_null), 0, 0, 0},
  {"MLFLOW_SQL_PROGRESS",
    "true: a statement that waits shows on standard error, if that is a terminal, how far it is; "
    "tty: on the process's terminal",
    SETTING_PROGRESS, false, SETTING_AT(progress), 0, 0, 0},
  {"MLFLOW_SQL_ALLOW_PLAIN_HTTP_SECRET",
    "true: token or password may travel unencrypted to another machine",
    SETTING_BOOLEAN, false, SETTING_AT(plain_http_secret), 0, 0, 0},
  {"MLFLOW_SQL_LOCK", "true: mlflow_connect is refused",
    SETTING_BOOLEAN, false, SETTING_AT(locked), 0, 0, 0},
};
/* clang-format on */

_Static_assert(sizeof(settings_table) / sizeof(settings_table[0]) == MLF_SETTINGS_COUNT,
               "MLF_SETTINGS_COUNT is the length of the table");

static const char *const settings_source_names[] = {
    [MLF_SETTING_DEFAULT] = "default",
    [MLF_SETTING_ENVIRONMENT] = "environment",
    [MLF_SETTING_FILE] = "credentials file",
    [MLF_SETTING_OPEN_FILE] = "credentials file (others can read it: chmod 600)",
    [MLF_SETTING_CONNECT] = "mlflow_connect",
    [MLF_SETTING_WITHHELD] = "withheld: SQL named the server, and MLFLOW_SQL_HOSTS does not",
};

static const char *const settings_progress_words[] = {
    [MLF_PROGRESS_OFF] = "false", [MLF_PROGRESS_STDERR] = "true", [MLF_PROGRESS_TTY] = "tty"};

static bool settings_is_text(const setting *row) {
  return row->kind <= SETTING_ORIGINS;
}

static void *settings_field(mlf_settings *settings, const setting *row) {
  return (char *)settings + row->offset;
}

static const void *settings_field_const(const mlf_settings *settings, const setting *row) {
  return (const char *)settings + row->offset;
}

/* Reads digits, and if `decimals` is set up to three more after a point; gives thousandths then.
** False for any other text, and for more than 10^12. */
static bool settings_parse_number(const char *text, bool decimals, int64_t *value) {
  int64_t number = 0;
  int after_point = -1;
  const char *at = text;
  if (*at < '0' || *at > '9') return false;
  for (; *at; at++) {
    if (*at == '.' && decimals && after_point < 0 && at[1]) {
      after_point = 0;
    } else if (*at >= '0' && *at <= '9' && after_point < 3) {
      number = number * 10 + (*at - '0');
      if (after_point >= 0) after_point++;
    } else {
      return false;
    }
    if (number > 1000000000000) return false;
  }
  if (decimals) {
    for (int i = after_point < 0 ? 0 : after_point; i < 3; i++)
      number *= 10;
  }
  *value = number;
  return true;
}

/* 120000 to 120, 2500 to 2.5. */
static void settings_write_thousandths(int value, char text[16]) {
  sqlite3_snprintf(16, text, "%d.%03d", value / 1000, value % 1000);
  size_t length = strlen(text);
  while (text[length - 1] == '0')
    text[--length] = 0;
  if (text[length - 1] == '.') text[length - 1] = 0;
}

static int settings_assign_number(mlf_settings *settings, const setting *row, const char *text,
                                  mlf_error *error) {
  bool decimals = row->kind != SETTING_INTEGER;
  int64_t value;
  if (settings_parse_number(text, decimals, &value) && value >= row->least && value <= row->most) {
    if (row->kind == SETTING_FACTOR) {
      *(double *)settings_field(settings, row) = (double)value / 1000;
    } else {
      *(int *)settings_field(settings, row) = (int)value;
    }
    return SQLITE_OK;
  }
  if (!decimals)
    return mlf_error_set(error, SQLITE_ERROR,
                         "%s is '%.40s'; it must be a whole number from %d to %d", row->name, text,
                         row->least, row->most);
  char least[16];
  char most[16];
  settings_write_thousandths(row->least, least);
  settings_write_thousandths(row->most, most);
  return mlf_error_set(error, SQLITE_ERROR,
                       "%s is '%.40s'; it must be a number%s from %s to %s with at most three "
                       "decimals",
                       row->name, text, row->kind == SETTING_SECONDS ? " of seconds" : "", least,
                       most);
}

static int settings_assign_bad(mlf_settings *settings, const setting *row, const char *text,
                               mlf_error *error) {
  bool null = sqlite3_stricmp(text, "null") == 0;
  if (!null && sqlite3_stricmp(text, "error") != 0)
    return mlf_error_set(error, SQLITE_ERROR, "%s is '%.40s'; it must be error or null", row->name,
                         text);
  *(bool *)settings_field(settings, row) = null;
  return SQLITE_OK;
}

/* The words that MLflow takes, in any case. */
static bool settings_parse_boolean(const char *text, bool *value) {
  *value = sqlite3_stricmp(text, "true") == 0 || strcmp(text, "1") == 0;
  return *value || sqlite3_stricmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

static int settings_assign_boolean(mlf_settings *settings, const setting *row, const char *text,
                                   mlf_error *error) {
  bool value;
  if (!settings_parse_boolean(text, &value))
    return mlf_error_set(error, SQLITE_ERROR, "%s is '%.40s'; it must be true, false, 1 or 0",
                         row->name, text);
  *(bool *)settings_field(settings, row) = value;
  return SQLITE_OK;
}

static int settings_assign_progress(mlf_settings *settings, const setting *row, const char *text,
                                    mlf_error *error) {
  bool value;
  bool tty = sqlite3_stricmp(text, "tty") == 0;
  if (!tty && !settings_parse_boolean(text, &value))
    return mlf_error_set(error, SQLITE_ERROR, "%s is '%.40s'; it must be true, false, 1, 0 or tty",
                         row->name, text);
  settings->progress = tty ? MLF_PROGRESS_TTY : value ? MLF_PROGRESS_STDERR : MLF_PROGRESS_OFF;
  return SQLITE_OK;
}

static int settings_assign_text(mlf_settings *settings, const setting *row, const char *text,
                                mlf_setting_source source, mlf_error *error) {
  if (row->kind == SETTING_ORIGINS) {
    int rc = mlf_origin_list_check(text, row->name, error);
    if (rc != SQLITE_OK) return rc;
  }
  if (row->kind == SETTING_FILTER && mlf_filter_topics(text) & (MLF_FILTER_SPANS | MLF_FILTER_RUN))
    return mlf_error_set(error, SQLITE_ERROR,
                         "%s speaks of spans or of a run; it must be of traces alone, such as "
                         "tags.environment = 'production'",
                         row->name);
  bool visible = row->kind == SETTING_VISIBLE;
  for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
    if (visible ? *at < 0x21 || *at > 0x7e : *at < 0x20 || *at == 0x7f)
      return mlf_error_set(error, SQLITE_ERROR, "%s (%s) has a %s", row->name,
                           settings_source_names[source],
                           visible ? "blank, line break or other character that is not visible "
                                     "ASCII"
                                   : "line break or other control character");
  }
  char *copy = mlf_credentials_copy(text);
  if (!copy) return mlf_error_nomem(error);
  *(char **)settings_field(settings, row) = copy;
  return SQLITE_OK;
}

static int settings_assign_address(mlf_settings *settings, const char *text,
                                   mlf_setting_source source, mlf_error *error) {
  const char *name = source == MLF_SETTING_CONNECT ? "the address" : "MLFLOW_TRACKING_URI";
  mlf_tracking_uri uri = {0};
  int rc = mlf_tracking_uri_parse(text, name, &uri, error);
  settings->tracking_uri = uri.address;
  settings->username = uri.username;
  settings->password = uri.password;
  if (uri.username) {
    settings->sources[SETTINGS_USERNAME] = source;
    settings->sources[SETTINGS_PASSWORD] = source;
  }
  return rc;
}

/* Gives the index-th setting the value `text`, unless it has one or the text is empty. */
static int settings_assign(mlf_settings *settings, int index, const char *text,
                           mlf_setting_source source, mlf_error *error) {
  const setting *row = &settings_table[index];
  if (!text || !*text || settings->sources[index] != MLF_SETTING_DEFAULT) return SQLITE_OK;
  settings->sources[index] = source;
  switch (row->kind) {
  case SETTING_ADDRESS: return settings_assign_address(settings, text, source, error);
  case SETTING_TEXT:
  case SETTING_VISIBLE:
  case SETTING_FILTER:
  case SETTING_ORIGINS: return settings_assign_text(settings, row, text, source, error);
  case SETTING_BOOLEAN: return settings_assign_boolean(settings, row, text, error);
  case SETTING_BAD: return settings_assign_bad(settings, row, text, error);
  case SETTING_PROGRESS: return settings_assign_progress(settings, row, text, error);
  default: return settings_assign_number(settings, row, text, error);
  }
}

static void settings_assign_defaults(mlf_settings *settings) {
  for (int i = 0; i < MLF_SETTINGS_COUNT; i++) {
    const setting *row = &settings_table[i];
    if (row->kind == SETTING_INTEGER || row->kind == SETTING_SECONDS) {
      *(int *)settings_field(settings, row) = row->fallback;
    } else if (row->kind == SETTING_FACTOR) {
      *(double *)settings_field(settings, row) = row->fallback / 1000.0;
    }
  }
}

/* The credentials file is not opened if there is nothing left to learn from it. */
static int settings_load_credentials(mlf_settings *settings, mlf_error *error) {
  if (settings->username && settings->password) return SQLITE_OK;
  mlf_credentials file = {0};
  int rc = mlf_credentials_read(&file, error);
  mlf_setting_source source = file.readable_by_others ? MLF_SETTING_OPEN_FILE : MLF_SETTING_FILE;
  if (rc == SQLITE_OK)
    rc = settings_assign(settings, SETTINGS_USERNAME, file.username, source, error);
  if (rc == SQLITE_OK)
    rc = settings_assign(settings, SETTINGS_PASSWORD, file.password, source, error);
  mlf_credentials_wipe(file.username);
  mlf_credentials_wipe(file.password);
  return rc;
}

/* SQL has named the server. Takes out what proves who we are, unless the environment names this
** server, too. */
static int settings_withhold(mlf_settings *settings, mlf_error *error) {
  static const int secrets[] = {SETTINGS_USERNAME, SETTINGS_PASSWORD, SETTINGS_TOKEN,
                                SETTINGS_CLIENT_CERT};
  const char *owner = getenv(settings_table[SETTINGS_URI].name);
  bool may;
  if (mlf_origin_list_has(settings->hosts, settings->tracking_uri, &may) != SQLITE_OK)
    return mlf_error_nomem(error);
  may = may || (owner && mlf_tracking_uri_same_origin(owner, settings->tracking_uri));
  for (size_t i = 0; !may && i < sizeof(secrets) / sizeof(secrets[0]); i++) {
    char **text = settings_field(settings, &settings_table[secrets[i]]);
    mlf_setting_source *source = &settings->sources[secrets[i]];
    if (!*text || *source == MLF_SETTING_CONNECT) continue;
    mlf_credentials_wipe(*text);
    *text = NULL;
    *source = MLF_SETTING_WITHHELD;
    settings->withheld = true;
  }
  return SQLITE_OK;
}

/* Reads everything; `uri`, if not NULL, in place of MLFLOW_TRACKING_URI. */
static int settings_load(mlf_settings *settings, const char *uri, mlf_error *error) {
  settings_assign_defaults(settings);
  int rc = SQLITE_OK;
  if (uri) rc = settings_assign_address(settings, uri, MLF_SETTING_CONNECT, error);
  if (uri) settings->sources[SETTINGS_URI] = MLF_SETTING_CONNECT;
  for (int i = 0; rc == SQLITE_OK && i < MLF_SETTINGS_COUNT; i++) {
    rc = settings_assign(settings, i, getenv(settings_table[i].name), MLF_SETTING_ENVIRONMENT,
                         error);
  }
  if (rc == SQLITE_OK) rc = settings_load_credentials(settings, error);
  if (rc == SQLITE_OK && uri) rc = settings_withhold(settings, error);
  if (rc == SQLITE_OK && settings->insecure_tls && settings->server_cert_path)
    rc = mlf_error_set(error, SQLITE_ERROR,
                       "MLFLOW_TRACKING_INSECURE_TLS and MLFLOW_TRACKING_SERVER_CERT_PATH "
                       "contradict each other; unset one");
  return rc;
}

int mlf_settings_read(mlf_settings *settings, mlf_error *error) {
  return settings_load(settings, NULL, error);
}

int mlf_settings_set_uri(mlf_settings *settings, const char *uri, mlf_error *error) {
  mlf_settings next = {0};
  int rc = settings_load(&next, uri, error);
  if (rc == SQLITE_OK && (settings->locked || next.locked))
    rc = mlf_error_set(error, SQLITE_ERROR, "refused, because MLFLOW_SQL_LOCK is set");
  if (rc != SQLITE_OK) {
    mlf_settings_clear(&next);
    return rc;
  }
  mlf_settings_clear(settings);
  *settings = next;
  return SQLITE_OK;
}

void mlf_settings_clear(mlf_settings *settings) {
  for (int i = 0; i < MLF_SETTINGS_COUNT; i++) {
    const setting *row = &settings_table[i];
    if (settings_is_text(row)) mlf_credentials_wipe(*(char **)settings_field(settings, row));
  }
  memset(settings, 0, sizeof(*settings));
}

int mlf_settings_count(void) {
  return MLF_SETTINGS_COUNT;
}

/* The value as text in the form that the variable takes, as it is if it is UTF-8, for sql/mirror
** looks for an experiment by it; NULL if unset or without memory. */
static char *settings_show(const mlf_settings *settings, const setting *row) {
  const void *field = settings_field_const(settings, row);
  char number[16];
  switch (row->kind) {
  case SETTING_BOOLEAN: return sqlite3_mprintf("%s", *(const bool *)field ? "true" : "false");
  case SETTING_BAD: return sqlite3_mprintf("%s", *(const bool *)field ? "null" : "error");
  case SETTING_PROGRESS: return sqlite3_mprintf("%s", settings_progress_words[settings->progress]);
  case SETTING_INTEGER: return sqlite3_mprintf("%d", *(const int *)field);
  case SETTING_SECONDS: settings_write_thousandths(*(const int *)field, number); break;
  case SETTING_FACTOR:
    settings_write_thousandths((int)(*(const double *)field * 1000 + 0.5), number);
    break;
  default: {
    const char *text = *(char *const *)field;
    if (row->secret) return sqlite3_mprintf("%s", text ? "set" : "unset");
    char *shown = text ? sqlite3_mprintf("%s", text) : NULL;
    if (shown && !mlf_utf8_is_text(shown, strlen(shown))) mlf_error_clean(shown, strlen(shown));
    return shown;
  }
  }
  return sqlite3_mprintf("%s", number);
}

int mlf_settings_row(const mlf_settings *settings, int index, mlf_setting_row *row,
                     mlf_error *error) {
  const setting *shown = &settings_table[index];
  bool unset = settings_is_text(shown) && !shown->secret &&
               !*(char *const *)settings_field_const(settings, shown);
  row->name = shown->name;
  row->about = shown->about;
  row->source = settings_source_names[settings->sources[index]];
  row->value = settings_show(settings, shown);
  return row->value || unset ? SQLITE_OK : mlf_error_nomem(error);
}

bool mlf_settings_is_loopback(const char *uri) {
  return mlf_tracking_uri_is_loopback(uri);
}
