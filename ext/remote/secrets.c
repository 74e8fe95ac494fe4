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

/* As a server echoes it in an address: RFC 3986, section 2.1. */
static char *secrets_percent(const char *text) {
  static const char digits[] = "0123456789ABCDEF";
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  char *out = sqlite3_malloc64(3 * strlen(text) + 1);
  if (!out) return NULL;
  char *to = out;
  for (; *text; text++) {
    unsigned char byte = (unsigned char)*text;
    if (strchr(plain, *text)) {
      *to++ = *text;
    } else {
      *to++ = '%';
      *to++ = digits[byte >> 4];
      *to++ = digits[byte & 15];
    }
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
            (secrets->texts[1] = secrets_base64(settings->token)) &&
            (secrets->texts[4] = secrets_percent(settings->token));
  }
  if (whole && settings->password) {
    const char *username = settings->username ? settings->username : "";
    char *pair = sqlite3_mprintf("%s:%s", username, settings->password);
    whole = pair && (secrets->texts[2] = secrets_base64(pair)) &&
            (secrets->texts[3] = mlf_credentials_copy(settings->password)) &&
            (secrets->texts[5] = secrets_percent(settings->password));
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

/* How many bytes of `text` the secret takes that begins there, blanks and line breaks within it not
** counted as a difference; 0 if it does not begin there. */
static size_t secrets_match(const char *text, const char *secret) {
  size_t at = 0;
  while (*secret) {
    if (text[at] && sqlite3_strnicmp(text + at, secret, 1) == 0) {
      secret++;
    } else if (at == 0 || !text[at] || !strchr(" \t\r\n", text[at])) {
      return 0;
    }
    at++;
  }
  return at;
}

void mlf_secrets_redact(const mlf_secrets *secrets, char *text) {
  for (int i = 0; i < MLF_SECRETS_MAX; i++) {
    const char *secret = secrets->texts[i];
    if (!secret || !*secret) continue;
    for (char *at = text; *at; at++)
      memset(at, '*', secrets_match(at, secret));
  }
}
