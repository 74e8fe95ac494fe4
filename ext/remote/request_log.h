/* request_log.h: the last MLF_REQUEST_LOG_ROWS requests of a connection: the pushdown receipt; and
** notes between them. */
#ifndef MLF_REMOTE_REQUEST_LOG_H
#define MLF_REMOTE_REQUEST_LOG_H

#include <stdint.h>

#include "base/limits.h"

typedef struct mlf_request_row {
  int64_t at_ms;        /* Unix time of the first attempt */
  const char *method;   /* constant */
  const char *endpoint; /* constant path */
  char *filter;         /* owned; NULL if none */
  const char *order_by; /* constant; NULL if none */
  int page_rows;        /* rows asked; 0 where that has no meaning */
  int status;           /* HTTP status; 0 if no reply came */
  int64_t bytes;        /* of the reply's body */
  int64_t rows;         /* in the reply */
  int64_t rows_kept;    /* of these, handed to SQLite (the others were known already) */
  int attempts;
  int64_t wait_ms;
  char *error;    /* owned; NULL if it went well */
  char *trace_id; /* owned: the trace that the error is about; NULL if it is about none */
  char *note;     /* owned: the row is no request, but tells of a statement; else NULL */
} mlf_request_row;

typedef struct mlf_request_log {
  mlf_request_row rows[MLF_REQUEST_LOG_ROWS];
  int64_t count; /* ever added; the newest is rows[(count - 1) % MLF_REQUEST_LOG_ROWS] */
} mlf_request_log;

/* Takes `row`, its strings included. Returns its number, for mlf_request_log_find. */
int64_t mlf_request_log_add(mlf_request_log *log, mlf_request_row row);

/* The row with this number, or NULL if it has been overwritten or never was. */
mlf_request_row *mlf_request_log_find(mlf_request_log *log, int64_t number);

/* The number of the oldest row kept. */
int64_t mlf_request_log_oldest(const mlf_request_log *log);

void mlf_request_log_clear(mlf_request_log *log);

#endif
