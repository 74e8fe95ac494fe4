#include "base/origin_list.h"

#include <string.h>

#include "base/credentials.h"
#include "base/sqlite_api.h"
#include "base/tracking_uri.h"

/* The next origin of the list as a text of its own, and moves on; NULL at the end, or without
** memory, which `*rc` tells. */
static char *origin_list_next(const char **list, int *rc) {
  static const char between[] = ", \t";
  *list += strspn(*list, between);
  size_t length = strcspn(*list, between);
  if (length == 0) return NULL;
  char *one = sqlite3_mprintf("%.*s", (int)length, *list);
  *list += length;
  if (!one) *rc = SQLITE_NOMEM;
  return one;
}

int mlf_origin_list_check(const char *list, const char *name, mlf_error *error) {
  int rc = SQLITE_OK;
  for (char *one; rc == SQLITE_OK && (one = origin_list_next(&list, &rc)); sqlite3_free(one)) {
    mlf_tracking_uri uri = {0};
    rc = mlf_tracking_uri_parse(one, name, &uri, error);
    if (rc == SQLITE_OK && (uri.username || strchr(strstr(uri.address, "://") + 3, '/')))
      rc = mlf_error_set(error, SQLITE_ERROR,
                         "%s: each must be scheme, host and port alone, e.g. "
                         "https://traces.example.com",
                         name);
    sqlite3_free(uri.address);
    mlf_credentials_wipe(uri.username);
    mlf_credentials_wipe(uri.password);
  }
  return rc == SQLITE_NOMEM ? mlf_error_nomem(error) : rc;
}

int mlf_origin_list_has(const char *list, const char *address, bool *has) {
  int rc = SQLITE_OK;
  *has = false;
  if (!list) return rc;
  for (char *one; !*has && (one = origin_list_next(&list, &rc)); sqlite3_free(one))
    *has = mlf_tracking_uri_same_origin(one, address);
  return rc;
}
