/* settings.h: what the process environment says about the server and our limits.
**
** The environment and the credentials file (base/credentials.h) are the only sources;
** mlflow_connect(uri) can replace the address, and takes the secret along only to an origin that
** MLFLOW_TRACKING_URI or MLFLOW_SQL_HOSTS names: SQL alone never chooses
** who gets it. Read once per database connection, at the first use (not at load), so a program may
** set its environment after loading the extension; mlflow_connect reads it again.
**
** Names and meanings are MLflow's own where MLflow has them; ours begin with MLFLOW_SQL_.
**
** (1) An empty variable counts as unset.
** (2) User and password come from the address (`user:password@`), else each from its variable,
**     else from the credentials file.
** (3) With both a user and a password, requests carry them and not the token, as MLflow's own
**     client has it. Neither alone is sent.
** (4) Numbers are plain decimals, whatever the locale; one out of range is an error, never cut.
*/
#ifndef MLF_BASE_SETTINGS_H
#define MLF_BASE_SETTINGS_H

#include <stdbool.h>

#include "base/error.h"

#define MLF_SETTINGS_COUNT 28

typedef enum mlf_setting_source {
  MLF_SETTING_DEFAULT,
  MLF_SETTING_ENVIRONMENT,
  MLF_SETTING_FILE,
  MLF_SETTING_OPEN_FILE, /* a credentials file that others can read */
  MLF_SETTING_CONNECT,
  MLF_SETTING_WITHHELD /* SQL named the server, and the environment does not */
} mlf_setting_source;

/* Where a statement that waits shows how far it is. */
typedef enum mlf_setting_progress {
  MLF_PROGRESS_OFF,
  MLF_PROGRESS_STDERR, /* if it is a terminal */
  MLF_PROGRESS_TTY     /* the terminal that controls the process */
} mlf_setting_progress;

typedef struct mlf_settings {
  /* The server: scheme://host[:port][/prefix] without user, password, query or trailing slash. */
  char *tracking_uri;     /* NULL if unset */
  char *token;            /* bearer token, visible ASCII; NULL if unset */
  char *username;         /* HTTP basic, no control characters; NULL if unset */
  char *password;         /* likewise; empty only if the address gives it so */
  char *server_cert_path; /* PEM bundle to trust instead of the system's; NULL if unset */
  char *client_cert_path; /* PEM file with certificate and key; NULL if unset */
  char *workspace;        /* sent as X-MLFLOW-WORKSPACE, visible ASCII; NULL if unset */
  char *experiment_name;  /* scope of a table that names none; NULL if unset */
  char *experiment_id;    /* the same by id; used before the name. MLflow's client insists that
                             the two, if both are set, mean one experiment */
  char *filter;           /* MLFLOW_SQL_FILTER: the traces that all tables are of, in MLflow's
                             language, neither of spans nor of a run; NULL if unset */
  char *hosts;            /* MLFLOW_SQL_HOSTS: origins that may get the secret; NULL if unset */
  bool insecure_tls;      /* never with a server_cert_path */
  bool plain_http_secret; /* MLFLOW_SQL_ALLOW_PLAIN_HTTP_SECRET: a secret may go over plain
                             http to a host that is not loopback */
  bool locked;            /* MLFLOW_SQL_LOCK: mlflow_connect is refused */
  bool bad_traces_null;   /* MLFLOW_SQL_BAD_TRACES: what cannot be read of a trace is NULL */
  mlf_setting_progress progress; /* MLFLOW_SQL_PROGRESS */
  bool withheld;                 /* a secret is set, which this server does not get */
  /* Limits; see limits.h for the defaults. */
  int request_timeout_ms;
  int connect_timeout_ms;
  int retries_max;
  double backoff_factor; /* MLflow's: waits are factor * 2^i seconds at most, full jitter */
  int statement_timeout_ms;
  int statement_requests_max;
  int statement_rows_max;  /* 0: no limit */
  int statement_bytes_max; /* 0: no limit */
  int reply_bytes_max;
  int spans_bytes_max;
  int streams;   /* concurrent requests of one scan */
  int page_rows; /* rows asked per page, 1..500 */

  mlf_setting_source sources[MLF_SETTINGS_COUNT]; /* of the settings in their order of rows */
} mlf_settings;

/* Reads the environment. On a value that cannot be used (a number that is none, a tracking URI
** that is no http(s) address, a token with control characters): SQLITE_ERROR with a text that
** names the variable and never the secret. `settings` is zero before, and can be cleared after
** any result. */
int mlf_settings_read(mlf_settings *settings, mlf_error *error);

/* Replaces the tracking URI (mlflow_connect) and reads everything else again, so that a user and
** password that came in the former address do not reach the new one. Nor does any other secret
** (token, user and password, client certificate) unless the environment names this origin, in
** MLFLOW_TRACKING_URI or MLFLOW_SQL_HOSTS.
** Same checks, same errors, and one if MLFLOW_SQL_LOCK is set; after an error the settings are as
** before. `settings` may be zero. The texts that `settings` owned are gone. */
int mlf_settings_set_uri(mlf_settings *settings, const char *uri, mlf_error *error);

/* Wipes the secrets, frees everything and leaves zero. */
void mlf_settings_clear(mlf_settings *settings);

/* One row of mlflow_settings. `value` is text to show: a secret is 'set' or 'unset'. `source` is
** 'environment', 'credentials file' (with a note if others can read it), 'mlflow_connect',
** 'default', or says that a secret is withheld. */
typedef struct mlf_setting_row {
  const char *name;   /* static */
  const char *about;  /* static; what it does, with its unit */
  char *value;        /* valid UTF-8, the caller frees it with sqlite3_free; NULL if unset */
  const char *source; /* static */
} mlf_setting_row;

/* The number of settings, and the index-th one as a row. SQLITE_OK or SQLITE_NOMEM. */
int mlf_settings_count(void);
int mlf_settings_row(const mlf_settings *settings, int index, mlf_setting_row *row,
                     mlf_error *error);

/* Whether the host of an address is localhost, in 127.0.0.0/8, or [::1]. */
bool mlf_settings_is_loopback(const char *uri);

#endif
