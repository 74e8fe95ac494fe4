#include "remote/secrets.h"

#include <string.h>

#include "base/credentials.h"
#include "base/sqlite_api.h"

/* Without the '=' at the end, so that the text is found with and without them. */
static char *secrets_base64(const char *text) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t length = strlen(text);
  char *out = sqlite3_malloc64((length + 2) / 3 * 4 + 1);
  if (!out) return NULL;
  char *to = out;
  for (size_t i = 0; i < length; i += 3) {
    unsigned bits = (unsigned)(unsigned char)text[i] << 16;
    if (i + 1 < length) bits |= (unsigned)(unsigned char)text[i + 1] << 8;
    if (i + 2 < length) bits |= (unsigned char)text[i + 2];
    *to++ = digits[bits >> 18];
    *to++ = digits[bits >> 12 & 63];
    if (i + 1 < length) *to++ = digits[bits >> 6 & 63];
    if (i + 2 < length) *to++ = digits[bits & 63];
  }
  *to = 0;
  return out;
}

/* Longest first, so that one secret inside another does not break up the longer one. */
static void secrets_sort(mlf_secrets *secrets) {
  for (int i = 1; i < MLF_SECRETS_MAX; i++) {
    for (int j = i; j > 0; j--) {
      char *one = secrets->texts[j - 1];
      char *other = secrets->texts[j];
      if (!other || (one && strlen(one) >= strlen(other))) break;
      secrets->texts[j - 1] = other;
      secrets->texts[j] = one;
    }
  }
}

int mlf_secrets_init(mlf_secrets *secrets, const mlf_settings *settings) {
  bool whole = true;
  if (settings->token) {
    whole = (secrets->texts[0] = mlf_credentials_copy(settings->token)) &&
            (secrets->texts[1] = secrets_base64(settings->token));
  }
  if (whole && settings->password) {
    const char *username = settings->username ? settings->username : "";
    char *pair = sqlite3_mprintf("%s:%s", username, settings->password);
    whole = pair && (secrets->texts[2] = secrets_base64(pair)) &&
            (secrets->texts[3] = mlf_credentials_copy(settings->password));
    mlf_credentials_wipe(pair);
  }
  secrets_sort(secrets);
  return whole ? SQLITE_OK : SQLITE_NOMEM;
}

void mlf_secrets_clear(mlf_secrets *secrets) {
  for (int i = 0; i < MLF_SECRETS_MAX; i++)
    mlf_credentials_wipe(secrets->texts[i]);
  memset(secrets, 0, sizeof(*secrets));
}

void mlf_secrets_redact(const mlf_secrets *secrets, char *text) {
  for (int i = 0; i < MLF_SECRETS_MAX; i++) {
    const char *secret = secrets->texts[i];
    size_t length = secret ? strlen(secret) : 0, left = strlen(text);
    if (length == 0) continue;
    for (char *at = text; left >= length; at++, left--) {
      if (sqlite3_strnicmp(at, secret, (int)length) == 0) memset(at, '*', length);
    }
  }
}
