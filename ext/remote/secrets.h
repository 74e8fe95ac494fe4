/* secrets.h: which byte strings must never be shown, and taking them out of a text.
**
** They are the token, the password, both as an address writes them (percent-encoded), and the
** base64 of `user:password` and of the token: what a server that echoes our Authorization header
** could send back.
*/
#ifndef MLF_REMOTE_SECRETS_H
#define MLF_REMOTE_SECRETS_H

#include "base/settings.h"

#define MLF_SECRETS_MAX 6

typedef struct mlf_secrets {
  char *texts[MLF_SECRETS_MAX]; /* owned, longest first; NULL where there is none */
} mlf_secrets;

/* `secrets` is zero before, and can be cleared after any result. SQLITE_OK or SQLITE_NOMEM. */
int mlf_secrets_init(mlf_secrets *secrets, const mlf_settings *settings);

/* Wipes and frees the copies. */
void mlf_secrets_clear(mlf_secrets *secrets);

/* Replaces each byte of each occurrence in `text` by '*', in any case of letters, and also where
** blanks or line breaks were put between its bytes. To be called before a text is cut: half a
** secret is not found. */
void mlf_secrets_redact(const mlf_secrets *secrets, char *text);

#endif
