/* settings.h: what the process environment says about the server and our limits.
**
** The environment and the credentials file ([mlflow] section of ~/.mlflow/credentials) are the
** only sources; mlflow_connect(uri) can replace the address, never the secret. Read once per
** database connection, at the first use (not at load), so a program may set its environment
** after loading the extension.
**
** Names and meanings are MLflow's own where MLflow has them; ours begin with MLFLOW_SQL_.
*/
#ifndef MLF_BASE_SETTINGS_H
#define MLF_BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct mlf_settings {
  /* The server: scheme://host[:port][/prefix] without user, password, query or trailing slash. */
  char *tracking_uri;      /* NULL if unset */
  char *token;             /* bearer token; NULL if unset */
  char *username;          /* HTTP basic; NULL if unset */
  char *password;
  char *server_cert_path;  /* PEM bundle to trust instead of the system's; NULL if unset */
  char *client_cert_path;  /* PEM file with certificate and key; NULL if unset */
  char *workspace;         /* sent as X-MLFLOW-WORKSPACE; NULL if unset */
  char *experiment_name;   /* scope of a table that names none; NULL if unset */
  char *experiment_id;     /* the same by id; wins over the name, as in MLflow */
  bool insecure_tls;
  bool plain_http_secret;  /* MLFLOW_SQL_ALLOW_PLAIN_HTTP_SECRET: a secret may go over plain
                              http to a host that is not loopback */
  /* Limits; see limits.h for the defaults. */
  int request_timeout_ms;
  int connect_timeout_ms;
  int retries_max;
  double backoff_factor;   /* MLflow's: waits are factor * 2^i seconds at most, full jitter */
  int statement_timeout_ms;
  int statement_requests_max;
  int reply_bytes_max;
  int streams;             /* concurrent requests of one scan */
  int page_rows;           /* rows asked per page, 1..500 */
} mlf_settings;

/* Reads the environment. On a value that cannot be used (a number that is none, a tracking URI
** that is no http(s) address, a token with control characters): SQLITE_ERROR with a text that
** names the variable and never the secret. `settings` is zero before, and can be cleared after
** any result. */
int mlf_settings_read(mlf_settings *settings, mlf_error *error);

/* Replaces the tracking URI (mlflow_connect). Same checks, same errors. `user:password@` in the
** address becomes username and password, as MLflow's own client has it. */
int mlf_settings_set_uri(mlf_settings *settings, const char *uri, mlf_error *error);

/* Wipes the secrets and frees everything. */
void mlf_settings_clear(mlf_settings *settings);

/* One row of mlflow_settings. `value` is text to show: a secret is 'set' or 'unset'. `source` is
** 'environment', 'credentials file', 'mlflow_connect' or 'default'. */
typedef struct mlf_setting_row {
  const char *name;    /* static */
  const char *about;   /* static; what it does, with its unit */
  char *value;         /* owned by the caller of mlf_settings_row; NULL if unset */
  const char *source;  /* static */
} mlf_setting_row;

/* The number of settings, and the index-th one as a row. */
int mlf_settings_count(void);
int mlf_settings_row(const mlf_settings *settings, int index, mlf_setting_row *row,
                     mlf_error *error);

#endif
