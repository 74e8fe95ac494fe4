#include "remote/secrets.h"

#include <stdbool.h>
#include <string.h>

#include "base/credentials.h"
#include "base/error.h"
#include "base/json_string.h"
#include "base/sqlite_api.h"

/* A shorter user name is in too many words. */
#define SECRETS_NAME_BYTES_MIN 3
/* So much more of a text is looked at than is shown: a server may send any amount. */
#define SECRETS_AHEAD_BYTES 4096

static const char secrets_base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/* RFC 4648, section 5. */
static const char secrets_base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Without the '=' at the end, so that the text is found with and without them. */
static char *secrets_base64(const char *text, const char *digits) {
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

/* Copies a text without its end: where the next one goes. */
static char *secrets_copy(char *to, const char *text) {
  size_t length = strlen(text);
  memcpy(to, text, length);
  return to + length;
}

/* As a server echoes it in an address (RFC 3986, section 2.1), or in a form, which writes a blank
** as `blank`. */
static char *secrets_percent(const char *text, const char *blank) {
  static const char digits[] = "0123456789ABCDEF";
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  char *out = sqlite3_malloc64(3 * strlen(text) + 1);
  if (!out) return NULL;
  char *to = out;
  for (; *text; text++) {
    unsigned char byte = (unsigned char)*text;
    if (*text == ' ') {
      to = secrets_copy(to, blank);
    } else if (strchr(plain, *text)) {
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

/* As a page of HTML shows it. There are two ways to write quotes. */
static char *secrets_html(const char *text, const char *quote, const char *apostrophe) {
  static const size_t longest = sizeof("&quot;") - 1;
  char *out = sqlite3_malloc64(longest * strlen(text) + 1);
  if (!out) return NULL;
  char *to = out;
  for (; *text; text++) {
    char itself[] = {*text, 0};
    const char *escaped = *text == '&'    ? "&amp;"
                          : *text == '<'  ? "&lt;"
                          : *text == '>'  ? "&gt;"
                          : *text == '"'  ? quote
                          : *text == '\'' ? apostrophe
                                          : itself;
    to = secrets_copy(to, escaped);
  }
  *to = 0;
  return out;
}

/* As JSON that is quoted unread has it. */
static char *secrets_json(const char *text) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  mlf_json_string_write(out, text, strlen(text));
  char *quoted = sqlite3_str_finish(out);
  size_t length = quoted ? strlen(quoted) : 0;
  if (length < 2) return quoted;
  memmove(quoted, quoted + 1, length - 2);
  quoted[length - 2] = 0;
  return quoted;
}

/* Longest first, so that one secret inside another does not break up the longer one. */
static void secrets_sort(mlf_secrets *secrets) {
  for (int i = 1; i < secrets->count; i++) {
    for (int j = i; j > 0; j--) {
      char *one = secrets->texts[j - 1];
      char *other = secrets->texts[j];
      if (strlen(one) >= strlen(other)) break;
      secrets->texts[j - 1] = other;
      secrets->texts[j] = one;
    }
  }
}

/* Takes a form of a secret, unless it is there already; NULL stands for no memory. */
static bool secrets_take(mlf_secrets *secrets, char *form) {
  if (!form) return false;
  bool known = !*form;
  for (int i = 0; i < secrets->count; i++)
    known = known || strcmp(secrets->texts[i], form) == 0;
  if (known)
    mlf_credentials_wipe(form);
  else
    secrets->texts[secrets->count++] = form;
  return true;
}

static bool secrets_take_base64(mlf_secrets *secrets, const char *text) {
  return secrets_take(secrets, secrets_base64(text, secrets_base64_digits)) &&
         secrets_take(secrets, secrets_base64(text, secrets_base64url_digits));
}

/* Takes the forms in which somebody may write a text. */
static bool secrets_take_text(mlf_secrets *secrets, const char *text) {
  return secrets_take(secrets, mlf_credentials_copy(text)) &&
         secrets_take(secrets, secrets_percent(text, "%20")) &&
         secrets_take(secrets, secrets_percent(text, "+")) &&
         secrets_take(secrets, secrets_html(text, "&quot;", "&#x27;")) &&
         secrets_take(secrets, secrets_html(text, "&#34;", "&#39;")) &&
         secrets_take(secrets, secrets_json(text));
}

int mlf_secrets_init(mlf_secrets *secrets, const mlf_settings *settings) {
  const char *username = settings->username ? settings->username : "";
  bool whole = true;
  if (settings->token)
    whole = secrets_take_text(secrets, settings->token) &&
            secrets_take_base64(secrets, settings->token);
  if (whole && settings->password) {
    char *pair = sqlite3_mprintf("%s:%s", username, settings->password);
    whole = pair && secrets_take_text(secrets, settings->password) &&
            secrets_take_base64(secrets, pair);
    mlf_credentials_wipe(pair);
  }
  if (whole && strlen(username) >= SECRETS_NAME_BYTES_MIN)
    whole = (secrets->username = mlf_credentials_copy(username)) != NULL;
  secrets_sort(secrets);
  return whole ? SQLITE_OK : SQLITE_NOMEM;
}

void mlf_secrets_clear(mlf_secrets *secrets) {
  for (int i = 0; i < secrets->count; i++)
    mlf_credentials_wipe(secrets->texts[i]);
  mlf_credentials_wipe(secrets->username);
  memset(secrets, 0, sizeof(*secrets));
}

/* How many bytes of `text` the secret takes that begins there, blanks and line breaks within it
** not counted as a difference; 0 if it does not begin there. Where the text is `cut`, a secret may
** go on behind its end. */
static size_t secrets_match(const char *text, const char *secret, bool cut) {
  size_t at = 0;
  while (*secret) {
    if (!text[at]) return cut ? at : 0;
    if (sqlite3_strnicmp(text + at, secret, 1) == 0) {
      secret++;
    } else if (at == 0 || !strchr(" \t\r\n", text[at])) {
      return 0;
    }
    at++;
  }
  return at;
}

static void secrets_star(const char *secret, char *text, bool cut) {
  for (char *at = text; *at; at++)
    memset(at, '*', secrets_match(at, secret, cut));
}

static void secrets_redact(const mlf_secrets *secrets, char *text, bool cut) {
  for (int i = 0; i < secrets->count; i++)
    secrets_star(secrets->texts[i], text, cut);
}

void mlf_secrets_redact(const mlf_secrets *secrets, char *text) {
  secrets_redact(secrets, text, false);
}

char *mlf_secrets_quote(const mlf_secrets *secrets, const char *text, size_t bytes_max) {
  size_t most = bytes_max + SECRETS_AHEAD_BYTES;
  size_t length = strnlen(text, most + 1);
  bool cut = length > most;
  char *quote = sqlite3_mprintf("%.*s", (int)(cut ? most : length), text);
  if (!quote) return NULL;
  secrets_redact(secrets, quote, cut);
  if (secrets->username) secrets_star(secrets->username, quote, cut);
  mlf_error_clean(quote, bytes_max);
  return quote;
}
