/* transfer.h: how is one attempt at a request put to libcurl, and what came of it? For http.c
** alone.
**
** What every handle of a connection has in common is set once: who we are, whom we trust, where
** nothing may go. What belongs to one request is set as its attempt begins.
*/
#ifndef MLF_REMOTE_TRANSFER_H
#define MLF_REMOTE_TRANSFER_H

#include <curl/curl.h>

#include "remote/http.h"
#include "remote/retry.h"

/* The headers of every request; NULL if there is no memory. Free with curl_slist_free_all. */
struct curl_slist *mlf_transfer_headers(const mlf_settings *settings);

/* A handle for mlf_transfer_begin; borrows the headers. NULL if there is no memory, or if this
** libcurl cannot do what we ask of it. Free with curl_easy_cleanup. */
CURL *mlf_transfer_handle_new(const mlf_settings *settings, struct curl_slist *headers);

/* Whether requests carry a secret, and whether the server is reached by plain http. */
bool mlf_transfer_has_secret(const mlf_settings *settings);
bool mlf_transfer_is_plain(const mlf_settings *settings);

/* scheme://host[:port] of a URL: "" if it names no host, NULL if there is no memory. Free with
** sqlite3_free. */
char *mlf_transfer_origin(const char *text);

/* One request, and the attempt at it that is under way or was the last. */
typedef struct mlf_transfer {
  const mlf_settings *settings; /* borrowed */
  const char *path;             /* constant */
  const char *limit_advice;     /* constant */
  char *url;                    /* owned */
  char *body;                   /* owned; NULL makes it a GET */
  size_t body_length;
  mlf_http_reply reply;

  CURL *easy;     /* while an attempt is under way; borrowed */
  int write_code; /* why the body was not taken: SQLITE_TOOBIG or SQLITE_NOMEM */
  size_t header_bytes;
  bool has_headers; /* the blank line after them came */
  bool is_coded;    /* the server encoded the body unasked */
  bool too_big;     /* the body is larger than the call allows */
  int socket_errno; /* why there was no socket */
  int socket_port;  /* of the server, or of the proxy before it */
  bool timed_out; /* we broke it off: the request's time is over, or the statement's (reply.late) */
  char content_type[80];
  char *location_origin; /* owned */
  char *retry_after;     /* owned; NULL if the reply has none */
  char *what;            /* what failed, in words; owned; NULL after a complete reply */
  const char *advice;    /* what to do about it; constant */
  char message[CURL_ERROR_SIZE];
} mlf_transfer;

/* Copies the call. `transfer` can be cleared after any result: SQLITE_OK or SQLITE_NOMEM. */
int mlf_transfer_init(mlf_transfer *transfer, const mlf_settings *settings,
                      const mlf_http_call *call);
void mlf_transfer_clear(mlf_transfer *transfer);

/* Makes `easy` ready to be added to a multi handle. SQLITE_OK or SQLITE_NOMEM. */
int mlf_transfer_begin(mlf_transfer *transfer, CURL *easy);

/* Takes what came of the attempt into the transfer. `origin` is the server's, for the words.
** SQLITE_OK or SQLITE_NOMEM. */
int mlf_transfer_end(mlf_transfer *transfer, CURLcode code, const char *origin,
                     mlf_retry_fault *fault);

#endif
