/* credentials.h: which user and password does MLflow's credentials file hold?
**
** `~/.mlflow/credentials`, as MLflow's own client reads it (Python's configparser):
**
**   [mlflow]
**   mlflow_tracking_username = ann
**   mlflow_tracking_password = s3cret%%percent
**
** (1) Only the section [mlflow] and these two keys count; keys in any case, `=` or `:`. A token
**     has no place in the file: MLflow reads it from the environment alone.
** (2) A line that begins with # or ; is a comment; there are none at the end of a line.
** (3) `%%` stands for %. Another % is an error, as it is in MLflow, which has references
**     (`%(name)s`) that are not followed here.
** (4) A value is one line. Quotes are part of it.
*/
#ifndef MLF_BASE_CREDENTIALS_H
#define MLF_BASE_CREDENTIALS_H

#include <stdbool.h>

#include "base/error.h"

typedef struct mlf_credentials {
  char *username; /* NULL if the file has none, or an empty one */
  char *password;
  bool readable_by_others; /* by the file's group or by everyone */
} mlf_credentials;

/* Reads the file of the user whose home is $HOME into `out`, zero before; the caller wipes both
** texts whatever the result. No file, none that may be read, or no $HOME: SQLITE_OK and no
** credentials, as MLflow has it. SQLITE_NOMEM, or SQLITE_ERROR for what is no regular file, is
** larger than MLF_CREDENTIALS_BYTES_MAX, or breaks the rules above; the text names the line and
** never quotes it. */
int mlf_credentials_read(mlf_credentials *out, mlf_error *error);

/* A copy of a secret that leaves no other trace of it, as sqlite3_mprintf would on the stack; NULL
** without memory. */
char *mlf_credentials_copy(const char *secret);

/* Overwrites a secret and frees it. NULL is allowed. */
void mlf_credentials_wipe(char *secret);

#endif
