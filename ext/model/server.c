#include "model/server.h"

#include <ctype.h>

/* Reads digits; false if there are none or too many to be a version's. */
static bool server_number(const char **at, int *number) {
  *number = 0;
  const char *start = *at;
  while (isdigit((unsigned char)**at) && *at - start < 6)
    *number = *number * 10 + *(*at)++ - '0';
  return *at > start && !isdigit((unsigned char)**at);
}

bool mlf_server_parse(const char *text, mlf_server *server) {
  return server_number(&text, &server->major) && *text++ == '.' &&
         server_number(&text, &server->minor) &&
         (*text == 0 || *text == '.' || isspace((unsigned char)*text));
}

bool mlf_server_knows(mlf_server server, mlf_feature feature) {
  static const int minor_of_3[] = {
      [MLF_FEATURE_SEARCH_V3] = 2,         [MLF_FEATURE_LIKE] = 6,
      [MLF_FEATURE_CLIENT_REQUEST_ID] = 6, [MLF_FEATURE_BATCH_GET] = 6,
      [MLF_FEATURE_FEEDBACK] = 10,         [MLF_FEATURE_IS_NULL] = 11,
      [MLF_FEATURE_METRICS] = 17,          [MLF_FEATURE_WORKSPACES] = 10,
  };
  return server.major > 3 || (server.major == 3 && server.minor >= minor_of_3[feature]);
}
