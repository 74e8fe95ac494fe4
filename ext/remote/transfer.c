#include "remote/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/sqlite_api.h"
#include "remote/proxy.h"

static const char transfer_advice_uri[] =
    "is the server running, and is MLFLOW_TRACKING_URI right?";
static const char transfer_advice_proxy[] =
    "correct that variable, or name the server's host in no_proxy";
static const char transfer_advice_cert[] =
    "MLFLOW_TRACKING_SERVER_CERT_PATH names the authorities to trust";

/* The longest header line that libcurl takes, its CURL_MAX_HTTP_HEADER. */
#define TRANSFER_HEADER_LINE_BYTES_MAX 102400
/* CURLE_TOO_LARGE of libcurl 8.6.0. */
#define TRANSFER_TOO_LARGE ((CURLcode)100)

bool mlf_transfer_is_plain(const mlf_settings *settings) {
  return strncmp(settings->tracking_uri, "http://", 7) == 0;
}

static bool transfer_is_basic(const mlf_settings *settings) {
  return settings->username && settings->password;
}

bool mlf_transfer_has_secret(const mlf_settings *settings) {
  return transfer_is_basic(settings) || settings->token;
}

/* Appends a line to the list, or frees the list if there is no memory. */
static bool transfer_add_header(struct curl_slist **headers, const char *line) {
  struct curl_slist *longer = line ? curl_slist_append(*headers, line) : NULL;
  if (longer) {
    *headers = longer;
    return true;
  }
  curl_slist_free_all(*headers);
  *headers = NULL;
  return false;
}

struct curl_slist *mlf_transfer_headers(const mlf_settings *settings) {
  struct curl_slist *headers = NULL;
  /* Libcurl undoes whatever encoding it has asked for by itself, so we ask for none by hand. */
  bool whole = transfer_add_header(&headers, "Accept: application/json") &&
               transfer_add_header(&headers, "Accept-Encoding: identity") &&
               transfer_add_header(&headers, "Content-Type: application/json") &&
               transfer_add_header(&headers, "Expect:");
  if (!whole || !settings->workspace) return headers;
  char *workspace = sqlite3_mprintf("X-MLFLOW-WORKSPACE: %s", settings->workspace);
  transfer_add_header(&headers, workspace);
  sqlite3_free(workspace);
  return headers;
}

/* A program that the host starts must not inherit a connection that is logged in. */
static curl_socket_t transfer_open_socket(void *context, curlsocktype purpose,
                                          struct curl_sockaddr *address) {
  mlf_transfer *transfer = context;
  (void)purpose;
  int fd = socket(address->family, address->socktype, address->protocol);
  const struct sockaddr_in *to = (const void *)&address->addr; /* an in6 has its port there, too */
  transfer->socket_port = ntohs(to->sin_port);
  transfer->socket_errno = fd < 0 ? errno : 0;
  if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

static size_t transfer_take_body(char *bytes, size_t size, size_t count, void *context) {
  mlf_transfer *transfer = context;
  transfer->write_code = mlf_buffer_append(&transfer->reply.body, bytes, size * count);
  return transfer->write_code == SQLITE_OK ? size * count : 0;
}

/* Whether the line announces a coding of the body; we asked for none, and can undo none. */
static bool transfer_announces_coding(const char *line, size_t length) {
  static const char name[] = "content-encoding:";
  size_t at = sizeof(name) - 1;
  if (length < at || sqlite3_strnicmp(line, name, (int)at) != 0) return false;
  while (at < length && strchr(" \t\r\n", line[at]))
    at++;
  return at < length && (length - at < 8 || sqlite3_strnicmp(line + at, "identity", 8) != 0);
}

static size_t transfer_take_header(char *line, size_t size, size_t count, void *context) {
  mlf_transfer *transfer = context;
  transfer->header_bytes += size * count;
  if (sqlite3_strnicmp(line, "HTTP/", 5) == 0) transfer->has_headers = false;
  if (*line == '\r' || *line == '\n') transfer->has_headers = true;
  transfer->is_coded = transfer->is_coded || transfer_announces_coding(line, size * count);
  bool good = !transfer->is_coded && transfer->header_bytes <= MLF_REPLY_HEADER_BYTES_MAX;
  return good ? size * count : 0;
}

static bool transfer_set_tls(CURL *easy, const mlf_settings *settings) {
  long verify = settings->insecure_tls ? 0 : 1;
  bool ok = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify * 2) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
  if (ok && settings->server_cert_path)
    ok = curl_easy_setopt(easy, CURLOPT_CAINFO, settings->server_cert_path) == CURLE_OK;
  /* Without a password OpenSSL would ask for that of an encrypted key, on the terminal. */
  if (ok && settings->client_cert_path)
    ok = curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "") == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_SSLCERT, settings->client_cert_path) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_SSLKEY, settings->client_cert_path) == CURLE_OK;
  return ok;
}

static bool transfer_set_secret(CURL *easy, const mlf_settings *settings) {
  /* A proxy reads whatever plain http carries. */
  if (mlf_transfer_has_secret(settings) && mlf_transfer_is_plain(settings) &&
      curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK)
    return false;
  if (transfer_is_basic(settings))
    return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERNAME, settings->username) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PASSWORD, settings->password) == CURLE_OK;
  if (settings->token)
    return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, settings->token) == CURLE_OK;
  return true;
}

CURL *mlf_transfer_handle_new(const mlf_settings *settings, struct curl_slist *headers) {
  CURL *easy = curl_easy_init();
  if (!easy) return NULL;
  bool ok =
      curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK && /* no join of a DNS thread */
      curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, 3600L) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_USERAGENT, "sqlite-mlflow/" MLF_VERSION) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_take_body) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, transfer_take_header) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, transfer_open_socket) == CURLE_OK &&
      transfer_set_tls(easy, settings) && transfer_set_secret(easy, settings);
  if (ok) return easy;
  curl_easy_cleanup(easy);
  return NULL;
}

/* A part of a URL as our own copy: "" if it has none, NULL if there is no memory. */
static char *transfer_url_part(CURLU *url, CURLUPart part) {
  char *theirs = NULL;
  CURLUcode code = curl_url_get(url, part, &theirs, 0);
  char *ours = code == CURLUE_OUT_OF_MEMORY ? NULL : sqlite3_mprintf("%s", theirs ? theirs : "");
  curl_free(theirs);
  return ours;
}

char *mlf_transfer_origin(const char *text) {
  char *origin = NULL;
  CURLU *url = curl_url();
  if (!url) return NULL;
  CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) {
    curl_url_cleanup(url);
    return code == CURLUE_OUT_OF_MEMORY ? NULL : sqlite3_mprintf("");
  }
  char *scheme = transfer_url_part(url, CURLUPART_SCHEME);
  char *host = transfer_url_part(url, CURLUPART_HOST);
  char *port = transfer_url_part(url, CURLUPART_PORT);
  if (scheme && host && port) {
    if (*host)
      origin = sqlite3_mprintf("%s://%s%s%s", scheme, host, *port ? ":" : "", port);
    else
      origin = sqlite3_mprintf("");
  }
  sqlite3_free(scheme);
  sqlite3_free(host);
  sqlite3_free(port);
  curl_url_cleanup(url);
  return origin;
}

/* The address of a call. The settings' URL is well-formed, so that only memory can be lacking. */
static char *transfer_url(const mlf_settings *settings, const mlf_http_call *call) {
  char *whole = NULL;
  char *text = sqlite3_mprintf("%s%s", settings->tracking_uri, call->path);
  CURLU *url = curl_url();
  bool ok = text && url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK;
  for (size_t i = 0; ok && i < call->parameter_count; i++) {
    const mlf_http_parameter *parameter = &call->parameters[i];
    char *pair = sqlite3_mprintf("%s=%s", parameter->name, parameter->value);
    ok = pair &&
         curl_url_set(url, CURLUPART_QUERY, pair, CURLU_APPENDQUERY | CURLU_URLENCODE) == CURLUE_OK;
    sqlite3_free(pair);
  }
  if (ok) whole = transfer_url_part(url, CURLUPART_URL);
  curl_url_cleanup(url);
  sqlite3_free(text);
  return whole;
}

int mlf_transfer_init(mlf_transfer *transfer, const mlf_settings *settings,
                      const mlf_http_call *call) {
  memset(transfer, 0, sizeof(*transfer));
  transfer->settings = settings;
  transfer->path = call->path;
  transfer->limit_advice = call->limit_advice;
  transfer->reply.content_type = transfer->reply.location_origin = "";
  mlf_buffer_init(&transfer->reply.body, call->reply_bytes_max);
  transfer->url = transfer_url(settings, call);
  if (!transfer->url) return SQLITE_NOMEM;
  if (!call->body) return SQLITE_OK;
  transfer->body = sqlite3_malloc64(call->body_length + 1);
  if (!transfer->body) return SQLITE_NOMEM;
  memcpy(transfer->body, call->body, call->body_length);
  transfer->body_length = call->body_length;
  return SQLITE_OK;
}

/* Forgets the latest attempt. */
static void transfer_forget(mlf_transfer *transfer) {
  mlf_buffer_clear(&transfer->reply.body);
  transfer->reply.status = 0;
  transfer->reply.content_type = transfer->reply.location_origin = "";
  transfer->write_code = SQLITE_OK;
  transfer->header_bytes = 0;
  transfer->has_headers = transfer->is_coded = transfer->too_big = transfer->timed_out = false;
  transfer->socket_errno = transfer->socket_port = 0;
  transfer->message[0] = 0;
  sqlite3_free(transfer->location_origin);
  sqlite3_free(transfer->retry_after);
  sqlite3_free(transfer->what);
  transfer->location_origin = transfer->retry_after = transfer->what = NULL;
  transfer->advice = NULL;
}

void mlf_transfer_clear(mlf_transfer *transfer) {
  transfer_forget(transfer);
  sqlite3_free(transfer->url);
  sqlite3_free(transfer->body);
}

static bool transfer_set_request(const mlf_transfer *transfer, CURL *easy) {
  if (curl_easy_setopt(easy, CURLOPT_URL, transfer->url) != CURLE_OK) return false;
  if (!transfer->body) return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
  return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body_length) ==
             CURLE_OK;
}

int mlf_transfer_begin(mlf_transfer *transfer, CURL *easy) {
  const mlf_settings *settings = transfer->settings;
  transfer_forget(transfer);
  bool ok = transfer_set_request(transfer, easy) &&
            curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout_ms) ==
                CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                             (curl_off_t)transfer->reply.body.bytes_max) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message) == CURLE_OK;
  if (!ok) return SQLITE_NOMEM;
  transfer->easy = easy;
  return SQLITE_OK;
}

/* Lower case, without parameters and the blanks before them. */
static void transfer_copy_content_type(mlf_transfer *transfer, const char *value) {
  size_t length = strcspn(value, "; \t");
  if (length >= sizeof(transfer->content_type)) length = sizeof(transfer->content_type) - 1;
  for (size_t i = 0; i < length; i++) {
    char c = value[i];
    transfer->content_type[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
  }
  transfer->content_type[length] = 0;
  transfer->reply.content_type = transfer->content_type;
}

static int transfer_take_reply(mlf_transfer *transfer) {
  long status = 0;
  char *type = NULL;
  char *location = NULL;
  struct curl_header *retry_after = NULL;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
  curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &location);
  transfer->reply.status = (int)status;
  if (type) transfer_copy_content_type(transfer, type);
  if (location) {
    transfer->location_origin = mlf_transfer_origin(location);
    if (!transfer->location_origin) return SQLITE_NOMEM;
    transfer->reply.location_origin = transfer->location_origin;
  }
  if (curl_easy_header(transfer->easy, "Retry-After", 0, CURLH_HEADER, -1, &retry_after) ==
      CURLHE_OK) {
    transfer->retry_after = sqlite3_mprintf("%s", retry_after->value);
    if (!transfer->retry_after) return SQLITE_NOMEM;
  }
  return SQLITE_OK;
}

static int64_t transfer_microseconds(const mlf_transfer *transfer, CURLINFO step) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(transfer->easy, step, &microseconds);
  return microseconds;
}

/* Whom the connection was to: the server, or the proxy before it, which makes another advice. */
static const char *transfer_peer(mlf_transfer *transfer, const char *origin, char *proxy) {
  bool direct = mlf_transfer_has_secret(transfer->settings) &&
                mlf_transfer_is_plain(transfer->settings); /* see transfer_set_secret */
  if (direct ||
      !mlf_proxy_describe(transfer->settings->tracking_uri, transfer->socket_port, proxy)) {
    transfer->advice = transfer_advice_uri;
    return origin;
  }
  transfer->advice = transfer_advice_proxy;
  return proxy;
}

static mlf_retry_fault transfer_describe_timeout(mlf_transfer *transfer, const char *origin) {
  const mlf_settings *settings = transfer->settings;
  if (!transfer->timed_out) {
    /* The time of a step that was not reached is 0. */
    bool resolved = transfer_microseconds(transfer, CURLINFO_NAMELOOKUP_TIME_T) > 0;
    char proxy[MLF_PROXY_BYTES_MAX];
    transfer->what = sqlite3_mprintf(
        "cannot %s %s within %.6g s", resolved ? "connect to" : "resolve the host of",
        transfer_peer(transfer, origin, proxy), settings->connect_timeout_ms / 1000.0);
    return resolved ? MLF_RETRY_CONNECTION : MLF_RETRY_RESOLVE;
  }
  if (transfer->reply.late) {
    transfer->what = sqlite3_mprintf("no complete answer before the statement's time was over");
    transfer->advice = "a larger MLFLOW_SQL_STATEMENT_TIMEOUT allows more";
  } else {
    transfer->what =
        sqlite3_mprintf("no complete answer within %.6g s", settings->request_timeout_ms / 1000.0);
    transfer->advice = "a larger MLFLOW_HTTP_REQUEST_TIMEOUT waits longer";
  }
  return MLF_RETRY_FATAL;
}

/* We broke off. */
static mlf_retry_fault transfer_describe_refusal(mlf_transfer *transfer) {
  if (transfer->is_coded) {
    transfer->what = sqlite3_mprintf("the answer is compressed, which was not asked for");
    transfer->advice = "does a proxy in between compress it?";
  } else if (transfer->header_bytes > MLF_REPLY_HEADER_BYTES_MAX) {
    transfer->what = sqlite3_mprintf("the headers of the answer are larger than %d bytes",
                                     MLF_REPLY_HEADER_BYTES_MAX);
    transfer->advice = "is MLFLOW_TRACKING_URI right?";
  } else {
    transfer->too_big = true;
    transfer->what = sqlite3_mprintf("the answer is larger than %lld bytes",
                                     (sqlite3_int64)transfer->reply.body.bytes_max);
    transfer->advice = transfer->limit_advice;
  }
  return MLF_RETRY_FATAL;
}

static mlf_retry_fault transfer_describe_connection(mlf_transfer *transfer, CURLcode code,
                                                    const char *origin) {
  long proxy_status = 0;
  char proxy[MLF_PROXY_BYTES_MAX];
  const char *peer = transfer_peer(transfer, origin, proxy);
  curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  if (proxy_status >= 300) {
    transfer->what =
        sqlite3_mprintf("%s does not connect to %s (status %ld)", peer, origin, proxy_status);
    return MLF_RETRY_FATAL;
  }
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
    transfer->what = sqlite3_mprintf("cannot resolve the host of %s", peer);
    return MLF_RETRY_RESOLVE;
  }
  if (transfer->socket_errno) {
    transfer->what = sqlite3_mprintf("cannot open a socket to %s (%s)", origin,
                                     transfer->socket_errno == EMFILE ? "too many open files"
                                                                      : "the system refuses it");
    transfer->advice = "a larger limit of open files (ulimit -n) may help";
  } else if (code == CURLE_COULDNT_CONNECT) {
    transfer->what = sqlite3_mprintf("cannot connect to %s", peer);
  } else if (code == CURLE_GOT_NOTHING) {
    transfer->what = sqlite3_mprintf("%s closed the connection without an answer", peer);
  } else if (strstr(transfer->message, "chunked-encoding")) {
    transfer->what = sqlite3_mprintf("a chunk of the answer is malformed, or a line behind the "
                                     "last one is too long");
    transfer->advice = "does a proxy in between rewrite answers?";
  } else {
    bool nothing = transfer->reply.body.length == 0 && strncmp(origin, "http:", 5) == 0;
    transfer->what =
        sqlite3_mprintf("the connection to %s broke off after %lld bytes of the answer", origin,
                        (sqlite3_int64)transfer->reply.body.length);
    transfer->advice = nothing ? "try again later, or with https" : "try again later";
  }
  return MLF_RETRY_CONNECTION;
}

static mlf_retry_fault transfer_describe_tls(mlf_transfer *transfer, CURLcode code,
                                             const char *origin) {
  const mlf_settings *settings = transfer->settings;
  transfer->advice = transfer_advice_cert;
  switch (code) {
  case CURLE_SSL_CACERT_BADFILE:
    transfer->what =
        sqlite3_mprintf("cannot use the certificates in '%s'",
                        settings->server_cert_path ? settings->server_cert_path : "the system");
    return MLF_RETRY_FATAL;
  case CURLE_SSL_CERTPROBLEM:
    transfer->what = sqlite3_mprintf("cannot use the client certificate '%s': %s",
                                     settings->client_cert_path ? settings->client_cert_path : "",
                                     transfer->message);
    transfer->advice =
        "MLFLOW_TRACKING_CLIENT_CERT_PATH names a PEM file with certificate and key, not encrypted";
    return MLF_RETRY_FATAL;
  case CURLE_SSL_CONNECT_ERROR:
    transfer->what = sqlite3_mprintf("no TLS connection to %s: %s", origin, transfer->message);
    transfer->advice = "does the server speak https?";
    return MLF_RETRY_CONNECTION;
  default:
    transfer->what =
        sqlite3_mprintf("the certificate of %s is not trusted: %s", origin, transfer->message);
    return MLF_RETRY_FATAL;
  }
}

static mlf_retry_fault transfer_describe(mlf_transfer *transfer, CURLcode code,
                                         const char *origin) {
  if (code == TRANSFER_TOO_LARGE && !transfer->message[0]) {
    transfer->what = sqlite3_mprintf("a header line of the answer is longer than %d bytes",
                                     TRANSFER_HEADER_LINE_BYTES_MAX);
    transfer->advice = "is MLFLOW_TRACKING_URI right?";
    return MLF_RETRY_FATAL;
  }
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT: return transfer_describe_timeout(transfer, origin);
  case CURLE_WRITE_ERROR:
  case CURLE_FILESIZE_EXCEEDED: return transfer_describe_refusal(transfer);
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_COULDNT_CONNECT:
  case CURLE_GOT_NOTHING:
  case CURLE_PARTIAL_FILE:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR: return transfer_describe_connection(transfer, code, origin);
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_PEER_FAILED_VERIFICATION: return transfer_describe_tls(transfer, code, origin);
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY:
    transfer->what = sqlite3_mprintf("the answer of %s is not HTTP", origin);
    transfer->advice = "is MLFLOW_TRACKING_URI right?";
    return MLF_RETRY_FATAL;
  default:
    transfer->what =
        sqlite3_mprintf("%s", transfer->message[0] ? transfer->message : curl_easy_strerror(code));
    transfer->advice = "is MLFLOW_TRACKING_URI right?";
    return MLF_RETRY_FATAL;
  }
}

/* What libcurl's code stands for. It takes headers that break off for a reply without a body, and
** before 8.6.0 says of a header line that is too long for it that memory is lacking: as there is
** memory for such a line, it is not. */
static CURLcode transfer_true_code(const mlf_transfer *transfer, CURLcode code) {
  if (code == CURLE_OK && !transfer->has_headers) return CURLE_PARTIAL_FILE;
  if (code != CURLE_OUT_OF_MEMORY || transfer->has_headers ||
      transfer_microseconds(transfer, CURLINFO_STARTTRANSFER_TIME_T) == 0)
    return code;
  void *line = sqlite3_malloc64(2 * TRANSFER_HEADER_LINE_BYTES_MAX);
  sqlite3_free(line);
  return line ? TRANSFER_TOO_LARGE : code;
}

int mlf_transfer_end(mlf_transfer *transfer, CURLcode code, const char *origin,
                     mlf_retry_fault *fault) {
  int rc = transfer_take_reply(transfer);
  *fault = MLF_RETRY_REPLY;
  code = transfer_true_code(transfer, code);
  if (code == CURLE_OUT_OF_MEMORY || transfer->write_code == SQLITE_NOMEM) rc = SQLITE_NOMEM;
  if (code != CURLE_OK && rc == SQLITE_OK) {
    *fault = transfer_describe(transfer, code, origin);
    if (!transfer->what) rc = SQLITE_NOMEM;
  }
  transfer->easy = NULL;
  return rc;
}
