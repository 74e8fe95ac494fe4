#include "base/tracking_uri.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/sqlite_api.h"

#define TRACKING_URI_ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const char tracking_uri_bytes[] = TRACKING_URI_ALNUM "-._~:/?#[]@!$&'()*+,;=%";
/* The underscore is no host name's, but container networks have it. */
static const char tracking_uri_host_bytes[] = TRACKING_URI_ALNUM "-._";
static const char tracking_uri_blanks[] = " \t\r\n";

/* Pieces of the text, borrowed from it. */
typedef struct tracking_uri_parts {
  const char *scheme;
  const char *user; /* NULL if there is none */
  size_t user_length;
  const char *password;
  size_t password_length;
  const char *host; /* with the brackets of an IPv6 address */
  size_t host_length;
  int port; /* 0 if there is none */
  const char *path;
  size_t path_length; /* without trailing slashes */
} tracking_uri_parts;

static int tracking_uri_hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* The byte that `%XX` at `text` stands for, or -1. */
static int tracking_uri_escape(const char *text) {
  int high = tracking_uri_hex(text[1]);
  int low = high < 0 ? -1 : tracking_uri_hex(text[2]);
  return low < 0 ? -1 : high * 16 + low;
}

static bool tracking_uri_escapes_are_valid(const char *text) {
  for (const char *at = strchr(text, '%'); at; at = strchr(at + 1, '%')) {
    int byte = tracking_uri_escape(at);
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return true;
}

/* An IPv6 address in brackets, as 16 bytes. */
static bool tracking_uri_ipv6(const char *host, size_t length, struct in6_addr *out) {
  char digits[INET6_ADDRSTRLEN];
  if (length < 4 || host[0] != '[' || host[length - 1] != ']') return false;
  if (length - 2 >= sizeof(digits)) return false;
  memcpy(digits, host + 1, length - 2);
  digits[length - 2] = 0;
  return inet_pton(AF_INET6, digits, out) == 1;
}

/* `user:password@` at the start of the authority. */
static const char *tracking_uri_split_user(const char **at, const char *end,
                                           tracking_uri_parts *parts) {
  const char *sign = memchr(*at, '@', (size_t)(end - *at));
  if (!sign) return NULL;
  const char *colon = memchr(*at, ':', (size_t)(sign - *at));
  if (!colon || colon == *at) return "a user needs a password beside it, as in user:password@host";
  parts->user = *at;
  parts->user_length = (size_t)(colon - *at);
  parts->password = colon + 1;
  parts->password_length = (size_t)(sign - colon - 1);
  *at = sign + 1;
  return NULL;
}

static const char *tracking_uri_split_host(const char *at, const char *end,
                                           tracking_uri_parts *parts) {
  struct in6_addr ignored;
  parts->host = at;
  if (at < end && *at == '[') {
    const char *close = memchr(at, ']', (size_t)(end - at));
    parts->host_length = close ? (size_t)(close - at) + 1 : 0;
    if (!tracking_uri_ipv6(at, parts->host_length, &ignored))
      return "the brackets hold no IPv6 address";
  } else {
    parts->host_length = strspn(at, tracking_uri_host_bytes);
    if (parts->host_length == 0) return "there is no host";
  }
  at += parts->host_length;
  if (at == end) return NULL;
  if (*at != ':') return "the host has a character that no host name has";
  size_t digits = strspn(at + 1, "0123456789");
  if (digits > 0 && digits <= 5 && at + 1 + digits == end) {
    for (at++; at < end; at++)
      parts->port = parts->port * 10 + (*at - '0');
  }
  if (parts->port < 1 || parts->port > 65535) return "the port must be a number from 1 to 65535";
  return NULL;
}

/* What is wrong with a text that does not begin with http:// or https://. */
static const char *tracking_uri_not_http(const char *text) {
  const char *colon = text + strspn(text, tracking_uri_host_bytes);
  size_t digits = *colon == ':' ? strspn(colon + 1, "0123456789") : 0;
  if (*text == '"' || *text == '\'')
    return "the quotes around the address are part of the value; leave them out";
  if (sqlite3_strnicmp(text, "databricks", 10) == 0)
    return "Databricks' own service is not supported; give the http:// or https:// address of an "
           "MLflow server";
  if (sqlite3_strnicmp(text, "arn:", 4) == 0)
    return "Amazon SageMaker's servers (arn:…) are not supported; give the http:// or https:// "
           "address of an MLflow server";
  if (colon > text && digits > 0 && (!colon[1 + digits] || colon[1 + digits] == '/'))
    return "there is no scheme before the host and port; write http:// or https:// before them, "
           "e.g. http://127.0.0.1:5000";
  return "it must begin with http:// or https://, e.g. http://127.0.0.1:5000; for a store "
         "(./mlruns, "
         "sqlite:///mlflow.db), start `mlflow server --backend-store-uri STORE` and give its "
         "address";
}

/* Cuts the text into its parts. Returns NULL, or what is wrong with it. */
static const char *tracking_uri_split(const char *text, tracking_uri_parts *parts) {
  memset(parts, 0, sizeof(*parts));
  const char *at;
  size_t length = strlen(text);
  if (length > 0 &&
      (strchr(tracking_uri_blanks, *text) || strchr(tracking_uri_blanks, text[length - 1])))
    return "there is a blank or a line break before or after the address; leave it out";
  if (sqlite3_strnicmp(text, "http://", 7) == 0) {
    parts->scheme = "http";
    at = text + 7;
  } else if (sqlite3_strnicmp(text, "https://", 8) == 0) {
    parts->scheme = "https";
    at = text + 8;
  } else {
    return tracking_uri_not_http(text);
  }
  if (text[strspn(text, tracking_uri_bytes)])
    return "it has a character that must be written as % and two hexadecimal digits";
  if (!tracking_uri_escapes_are_valid(text))
    return "% must be followed by two hexadecimal digits that give no control character";
  if (strpbrk(at, "?#"))
    return "it must have no query (?) and no fragment (#); give scheme, host and port alone";

  const char *end = at + strcspn(at, "/");
  const char *wrong = tracking_uri_split_user(&at, end, parts);
  if (!wrong) wrong = tracking_uri_split_host(at, end, parts);
  parts->path = end;
  parts->path_length = strlen(end);
  while (parts->path_length > 0 && end[parts->path_length - 1] == '/')
    parts->path_length--;
  return wrong;
}

static int tracking_uri_decode(const char *text, size_t length, char **out, mlf_error *error) {
  char *to = *out = sqlite3_malloc64(length + 1);
  if (!to) return mlf_error_nomem(error);
  for (const char *at = text; at < text + length; at++) {
    if (*at == '%') {
      *to++ = (char)tracking_uri_escape(at);
      at += 2;
    } else {
      *to++ = *at;
    }
  }
  *to = 0;
  return SQLITE_OK;
}

int mlf_tracking_uri_parse(const char *text, const char *name, mlf_tracking_uri *out,
                           mlf_error *error) {
  tracking_uri_parts parts;
  const char *wrong = tracking_uri_split(text, &parts);
  if (wrong) return mlf_error_set(error, SQLITE_ERROR, "%s: %s", name, wrong);

  char port[8] = "";
  if (parts.port) sqlite3_snprintf((int)sizeof(port), port, ":%d", parts.port);
  out->address = sqlite3_mprintf("%s://%.*s%s%.*s", parts.scheme, (int)parts.host_length,
                                 parts.host, port, (int)parts.path_length, parts.path);
  if (!out->address) return mlf_error_nomem(error);
  char *host = out->address + strlen(parts.scheme) + 3;
  for (char *at = host; at < host + parts.host_length; at++) {
    if (*at >= 'A' && *at <= 'Z') *at = (char)(*at - 'A' + 'a');
  }
  if (!parts.user) return SQLITE_OK;
  int rc = tracking_uri_decode(parts.user, parts.user_length, &out->username, error);
  if (rc == SQLITE_OK)
    rc = tracking_uri_decode(parts.password, parts.password_length, &out->password, error);
  return rc;
}

bool mlf_tracking_uri_is_loopback(const char *text) {
  tracking_uri_parts parts;
  if (tracking_uri_split(text, &parts)) return false;

  if (parts.host_length == 9 && sqlite3_strnicmp(parts.host, "localhost", 9) == 0) return true;
  struct in6_addr ipv6;
  if (tracking_uri_ipv6(parts.host, parts.host_length, &ipv6))
    return memcmp(&ipv6, &in6addr_loopback, sizeof(ipv6)) == 0;
  /* All four numbers must be there: 127.example.com is a name like any other. */
  char digits[INET_ADDRSTRLEN];
  struct in_addr ipv4;
  if (parts.host_length >= sizeof(digits)) return false;
  memcpy(digits, parts.host, parts.host_length);
  digits[parts.host_length] = 0;
  return inet_pton(AF_INET, digits, &ipv4) == 1 && ntohl(ipv4.s_addr) >> 24 == 127;
}

static int tracking_uri_port(const tracking_uri_parts *parts) {
  if (parts->port) return parts->port;
  return strcmp(parts->scheme, "https") == 0 ? 443 : 80;
}

bool mlf_tracking_uri_same_origin(const char *one, const char *other) {
  tracking_uri_parts a, b;
  if (tracking_uri_split(one, &a) || tracking_uri_split(other, &b)) return false;
  return strcmp(a.scheme, b.scheme) == 0 && a.host_length == b.host_length &&
         sqlite3_strnicmp(a.host, b.host, (int)a.host_length) == 0 &&
         tracking_uri_port(&a) == tracking_uri_port(&b);
}
