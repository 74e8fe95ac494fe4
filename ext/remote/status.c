#include "remote/status.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "base/tracking_uri.h"
#include "model/json.h"

/* Of what a server says, so much is quoted. */
#define STATUS_QUOTE_BYTES_MAX 200
#define STATUS_PEEK_BYTES_MAX  60

/* What an MLflow error reply says: code and message, cleaned; NULL where it says nothing. */
typedef struct status_detail {
  char *code;
  char *message;
} status_detail;

static char *status_quote(const mlf_http *http, const char *text, size_t bytes_max) {
  return text ? mlf_http_quote(http, text, bytes_max) : NULL;
}

static void status_read_detail(const mlf_http *http, const mlf_http_reply *reply,
                               status_detail *detail) {
  mlf_json *json = NULL;
  mlf_error ignored = {0};
  memset(detail, 0, sizeof(*detail));
  if (reply->body.bytes &&
      mlf_json_parse(reply->body.bytes, reply->body.length, (mlf_json_options){.levels = 1}, &json,
                     &ignored) == SQLITE_OK) {
    const mlf_json_node *root = mlf_json_root(json);
    detail->code = status_quote(http, mlf_json_text(mlf_json_member(root, "error_code")),
                                STATUS_PEEK_BYTES_MAX);
    detail->message =
        status_quote(http, mlf_json_text(mlf_json_member(root, "message")), STATUS_QUOTE_BYTES_MAX);
  }
  if (!detail->code && !detail->message && strncmp(reply->content_type, "text/plain", 10) == 0)
    detail->message = status_quote(http, reply->body.bytes, STATUS_QUOTE_BYTES_MAX);
  mlf_error_clear(&ignored);
  mlf_json_free(json);
}

/* Whether the reply is an error of MLflow's own. */
static bool status_is_mlflow(const mlf_http *http, const mlf_http_reply *reply) {
  status_detail detail;
  status_read_detail(http, reply, &detail);
  bool is = detail.code != NULL;
  sqlite3_free(detail.code);
  sqlite3_free(detail.message);
  return is;
}

/* About 401, the account is not known, and 403, it may not: by what was sent. */
static const char *status_advice_refused(const mlf_settings *settings, bool known) {
  bool basic = settings->username && settings->password;
  if (settings->withheld)
    return "; the token or password that is set goes to servers that the environment names: set "
           "MLFLOW_TRACKING_URI to this address, or add it to MLFLOW_SQL_HOSTS";
  if (known && (basic || settings->token)) return "; the account that is set may not read this";
  if (basic)
    return "; the server does not take the user and password that are set; SELECT name, source "
           "FROM mlflow_settings tells where they come from";
  if (settings->token)
    return "; the server does not take the token that is set: has it expired, is it another "
           "server's, or is MLFLOW_TRACKING_USERNAME with MLFLOW_TRACKING_PASSWORD wanted?";
  if (settings->username || settings->password)
    return "; of MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD only one is set, so "
           "neither was sent";
  return "; set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, "
         "to an account that may read this";
}

static const char *status_advice(const mlf_http *http, const mlf_http_reply *reply,
                                 const status_detail *detail) {
  if (reply->status == 403 && detail->message && strstr(detail->message, "Invalid Host header"))
    return "; start the server with --allowed-hosts, or use an address that it allows";
  if (reply->status == 401 || reply->status == 403)
    return status_advice_refused(mlf_http_settings(http), reply->status == 403);
  if (reply->status == 400 && detail->message && strstr(detail->message, "filter string"))
    return "; a filter is conditions joined by AND, in MLflow's language: write OR in SQL";
  if (reply->status == 404 && !detail->code)
    return "; /version is MLflow's, this is not: does a proxy before the server let only some "
           "paths through?";
  if (reply->status == 413 || reply->status == 414)
    return "; a proxy before the server takes only smaller requests: raise its limit (nginx: "
           "client_max_body_size, large_client_header_buffers), or give IN fewer values, or "
           "MLFLOW_SQL_PAGE_ROWS less";
  if (reply->status == 429) return "; try again later";
  if (detail->code && strcmp(detail->code, "FEATURE_DISABLED") == 0 &&
      mlf_http_settings(http)->workspace)
    return "; unset MLFLOW_WORKSPACE, or start the server with --enable-workspaces";
  if (reply->status == 504)
    return "; a proxy before the server gave up waiting: less is asked for with a smaller "
           "MLFLOW_SQL_PAGE_ROWS";
  if (reply->status == 404 && mlf_http_settings(http)->workspace)
    return "; is MLFLOW_WORKSPACE right?";
  if (reply->status >= 500) return "; see the server's log";
  return "";
}

int mlf_status_error(const mlf_http *http, const char *method, const char *path,
                     const mlf_http_reply *reply, mlf_error *error) {
  status_detail detail;
  if (reply->status >= 300 && reply->status < 400 && !*reply->location_origin) {
    return mlf_error_set(error, SQLITE_ERROR,
                         "%s %s: %d, which is no answer and names no other address; is "
                         "MLFLOW_TRACKING_URI the server's own address?",
                         method, path, reply->status);
  }
  if (reply->status >= 300 && reply->status < 400) {
    char *origin = status_quote(http, reply->location_origin, STATUS_QUOTE_BYTES_MAX);
    if (!origin) return mlf_error_nomem(error);
    const char *ours = mlf_http_settings(http)->tracking_uri;
    mlf_error_set(error, SQLITE_ERROR, "%s %s: %d, redirected to %s, which is not followed; %s",
                  method, path, reply->status, origin,
                  ours && mlf_tracking_uri_same_origin(reply->location_origin, ours)
                      ? "does a login page stand before the server, or does a proxy change paths?"
                      : "set MLFLOW_TRACKING_URI to the server's own address");
    sqlite3_free(origin);
    return error->code;
  }
  status_read_detail(http, reply, &detail);
  int code = SQLITE_ERROR;
  if (reply->status == 404 && detail.code &&
      (strcmp(detail.code, "RESOURCE_DOES_NOT_EXIST") == 0 ||
       strcmp(detail.code, "NOT_FOUND") == 0))
    code = SQLITE_NOTFOUND;
  char *tries = reply->attempts > 1 ? sqlite3_mprintf(" (%d tries in %lld.%lld s)", reply->attempts,
                                                      (sqlite3_int64)(reply->wait_ms / 1000),
                                                      (sqlite3_int64)(reply->wait_ms / 100 % 10))
                                    : NULL;
  mlf_error_set(error, code, "%s %s: %d%s%s%s%s%s%s", method, path, reply->status,
                detail.code ? " " : "", detail.code ? detail.code : "", detail.message ? ": " : "",
                detail.message ? detail.message : "", tries ? tries : "",
                status_advice(http, reply, &detail));
  sqlite3_free(tries);
  sqlite3_free(detail.code);
  sqlite3_free(detail.message);
  return error->code;
}

int mlf_status_not_json(const mlf_http *http, const char *method, const char *path,
                        const mlf_http_reply *reply, mlf_error *error) {
  char *peek =
      status_quote(http, reply->body.bytes ? reply->body.bytes : "", STATUS_PEEK_BYTES_MAX);
  char *type = status_quote(http, reply->content_type, STATUS_PEEK_BYTES_MAX);
  if (!peek || !type) {
    sqlite3_free(peek);
    sqlite3_free(type);
    return mlf_error_nomem(error);
  }
  mlf_error_set(error, SQLITE_ERROR,
                "%s %s: the server answered with %s, not JSON: \"%s\"; is MLFLOW_TRACKING_URI "
                "right, or does a login page stand before the server?",
                method, path, *type ? type : "no content type", peek);
  sqlite3_free(peek);
  sqlite3_free(type);
  return error->code;
}

int mlf_status_version(const mlf_http *http, const mlf_http_reply *reply, mlf_server *server,
                       mlf_error *error) {
  const char *text = reply->body.bytes ? reply->body.bytes : "";
  const mlf_settings *settings = mlf_http_settings(http);
  bool answers = reply->status == 200 || (reply->status == 404 && !status_is_mlflow(http, reply));
  if (!answers) {
    mlf_status_error(http, "GET", "/version", reply, error);
    return error->code == SQLITE_NOTFOUND ? error->code = SQLITE_ERROR : error->code;
  }
  if (reply->status == 404 || !mlf_server_parse(text, server)) {
    char *peek = status_quote(http, text, STATUS_PEEK_BYTES_MAX);
    if (!peek) return mlf_error_nomem(error);
    mlf_error_set(error, SQLITE_ERROR,
                  reply->status == 404
                      ? "GET /version: 404 \"%s\": %s is no MLflow server; MLFLOW_TRACKING_URI is "
                        "what a browser shows MLflow under, up to the #, e.g. "
                        "http://127.0.0.1:5000 or https://example.com/mlflow"
                      : "GET /version: 200 \"%s\": %s is no MLflow server; is MLFLOW_TRACKING_URI "
                        "right, or does a login page stand before the server?",
                  peek, settings->tracking_uri);
    sqlite3_free(peek);
    return error->code;
  }
  if (!mlf_server_knows(*server, MLF_FEATURE_SEARCH_V3))
    return mlf_error_set(error, SQLITE_ERROR,
                         "GET /version: %s is MLflow %d.%d; version 3.2 or newer is needed",
                         settings->tracking_uri, server->major, server->minor);
  /* An older one takes no notice, and shows what is not in the workspace. */
  if (settings->workspace && !mlf_server_knows(*server, MLF_FEATURE_WORKSPACES))
    return mlf_error_set(error, SQLITE_ERROR,
                         "GET /version: %s is MLflow %d.%d, and workspaces come with 3.10; unset "
                         "MLFLOW_WORKSPACE",
                         settings->tracking_uri, server->major, server->minor);
  return SQLITE_OK;
}
