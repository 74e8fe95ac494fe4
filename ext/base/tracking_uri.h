/* tracking_uri.h: is this text the address of an MLflow server, and which one?
**
**   https://ann:s3cret@Traces.example.com:8443/mlflow/
**     address  https://traces.example.com:8443/mlflow
**     username ann, password s3cret
**
** The grammar is RFC 3986's, less what a server's address has no use for: only http and https,
** a host, an optional port, an optional path prefix; no query, no fragment, only ASCII.
** `user:password@` is taken out, as MLflow's own client (requests) does.
*/
#ifndef MLF_BASE_TRACKING_URI_H
#define MLF_BASE_TRACKING_URI_H

#include <stdbool.h>

#include "base/error.h"

typedef struct mlf_tracking_uri {
  char *address;  /* scheme://host[:port][/prefix], scheme and host in lower case */
  char *username; /* percent-decoded; NULL, and so is password, if the text names none */
  char *password;
} mlf_tracking_uri;

/* Parses `text` into `out`, zero before. The caller frees the three texts, the last two with
** mlf_credentials_wipe, whatever the result. SQLITE_NOMEM, or SQLITE_ERROR "NAME: what is wrong";
** the error never quotes the text, since any part of it may be a secret in the wrong place. */
int mlf_tracking_uri_parse(const char *text, const char *name, mlf_tracking_uri *out,
                           mlf_error *error);

/* Whether `text` is an address whose host is localhost, in 127.0.0.0/8, or [::1]. */
bool mlf_tracking_uri_is_loopback(const char *text);

/* Whether two addresses have one origin: scheme, host and port, the scheme's own if none is given.
** A text that is no address has none. */
bool mlf_tracking_uri_same_origin(const char *one, const char *other);

#endif
