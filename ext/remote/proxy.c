#include "remote/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"

#define PROXY_PORT       1080
#define PROXY_PORT_HTTPS 443
#define PROXY_HOST_BYTES 100

/* The first of the variables that is set and not empty, and its value. */
static const char *proxy_variable(const char *address, const char **value) {
  static const char *const of_http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
  static const char *const of_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                         NULL};
  const char *const *names = strncmp(address, "https:", 6) == 0 ? of_https : of_http;
  for (; *names; names++) {
    *value = getenv(*names);
    if (*value && **value) return *names;
  }
  return NULL;
}

bool mlf_proxy_describe(const char *address, int port, char text[MLF_PROXY_BYTES_MAX]) {
  const char *value, *variable = proxy_variable(address, &value);
  if (!variable) return false;
  const char *scheme_end = strstr(value, "://");
  const char *host = scheme_end ? scheme_end + 3 : value;
  const char *sign = strrchr(host, '@'); /* before it, a password may have any character */
  if (sign) host = sign + 1;
  size_t length = strcspn(host, "/?#");
  const char *bracket = memchr(host, ']', length); /* of an IPv6 address, which has colons */
  const char *colon = strchr(bracket ? bracket : host, ':');
  int its_port = sqlite3_strnicmp(value, "https:", 6) == 0 ? PROXY_PORT_HTTPS : PROXY_PORT;
  if (colon && colon < host + length) its_port = (int)strtol(colon + 1, NULL, 10);
  if (port > 0 && port != its_port) return false;
  int shown = length < PROXY_HOST_BYTES ? (int)length : PROXY_HOST_BYTES;
  sqlite3_snprintf(MLF_PROXY_BYTES_MAX, text, "the proxy %.*s (%s)", shown, host, variable);
  return true;
}
