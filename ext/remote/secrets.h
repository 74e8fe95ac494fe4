/* secrets.h: which byte strings must never be shown, and taking them out of a text.
**
** They are the token and the password, also as an address, a form, HTML or JSON writes them, and
** the base64 of `user:password` and of the token: what a server that echoes our Authorization
** header could send back. The user name is taken out of what a server says, not of what we say.
*/
#ifndef MLF_REMOTE_SECRETS_H
#define MLF_REMOTE_SECRETS_H

#include <stddef.h>

#include "base/settings.h"

/* Six forms of token and password, and two of base64 of each. */
#define MLF_SECRETS_MAX 16

typedef struct mlf_secrets {
  char *texts[MLF_SECRETS_MAX]; /* owned, longest first, none of them empty */
  int count;
  char *username; /* owned; NULL if there is none, or it is too short to be told from other words */
} mlf_secrets;

/* `secrets` is zero before, and can be cleared after any result. SQLITE_OK or SQLITE_NOMEM. */
int mlf_secrets_init(mlf_secrets *secrets, const mlf_settings *settings);

/* Wipes and frees the copies. */
void mlf_secrets_clear(mlf_secrets *secrets);

/* Replaces each byte of each occurrence in `text` by '*', in any case of letters, and also where
** blanks or line breaks were put between its bytes. To be called before a text is cut: half a
** secret is not found. */
void mlf_secrets_redact(const mlf_secrets *secrets, char *text);

/* What a server says, to be shown: a copy, redacted, of one printable line and at most `bytes_max`
** bytes, however long the text is. Free with sqlite3_free. NULL: no memory. */
char *mlf_secrets_quote(const mlf_secrets *secrets, const char *text, size_t bytes_max);

#endif
