/* retry.h: is a request that went wrong sent again, and when?
**
** Plain arithmetic: no network, no clock, no dice. The caller says what came of the latest attempt
** and hands in the time and a random number; the same arguments always give the same answer.
**
**   what came of it                                  sent again at most
**   the connection failed, broke off or gave nothing retries_max times
**   408, 429, 502, 503, 504                          retries_max times
**   500                                              once
**   the host's name was not found                    once
**   any other status; anything else that failed      never
**
** Not at all if the server says that the request is at fault: a 500 whose error_class begins with
** CLIENT_, or an answer that tells of too many conditions. All requests are reads, so sending one
** again does no harm.
**
** The k-th wait is random, evenly between 0 and factor * 2^(k-1) seconds ("full jitter"), at most
** MLF_BACKOFF_MAX_MS; or exactly what Retry-After asks for, up to MLF_RETRY_AFTER_MAX_MS.
*/
#ifndef MLF_REMOTE_RETRY_H
#define MLF_REMOTE_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mlf_retry_fault {
  MLF_RETRY_REPLY,      /* a complete reply came; its status decides */
  MLF_RETRY_RESOLVE,    /* the host's name was not found */
  MLF_RETRY_CONNECTION, /* no connection, or one that broke off */
  MLF_RETRY_FATAL       /* what another attempt would not change */
} mlf_retry_fault;

typedef struct mlf_retry_attempt {
  mlf_retry_fault fault;
  int attempts;            /* sent so far, this one included */
  int status;              /* of a reply */
  const char *retry_after; /* the reply's header; NULL if there is none */
  const char *body;        /* the reply's; may be NULL if the length is 0 */
  size_t body_length;
} mlf_retry_attempt;

typedef enum mlf_retry_verdict {
  MLF_RETRY_STOP,    /* this is the outcome */
  MLF_RETRY_AGAIN,   /* wait, then send again */
  MLF_RETRY_TOO_LONG /* it could be sent again, but the server asks for a longer wait than we keep
                      */
} mlf_retry_verdict;

/* `random` is evenly spread over all 32-bit numbers; `now_ms` is Unix time. `*wait_ms` is how long
** to wait (MLF_RETRY_AGAIN), how long the server asks for (MLF_RETRY_TOO_LONG), or 0. */
mlf_retry_verdict mlf_retry_decide(const mlf_retry_attempt *attempt, int retries_max,
                                   double backoff_factor, int64_t now_ms, uint32_t random,
                                   int64_t *wait_ms);

/* Reads the value of a Retry-After header (RFC 9110, 10.2.3): whole seconds, or a date in any of
** HTTP's three forms. A negative number and a date that has passed give 0, a huge number a huge
** wait. False for any other text. */
bool mlf_retry_after_parse(const char *text, int64_t now_ms, int64_t *wait_ms);

#endif
