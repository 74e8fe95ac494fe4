/* limits.h: every cap in one place.
**
** A limit that a person may want to move has a setting of the same name (base/settings.c) and
** its default here; the others are fixed. Each error that a limit causes names it.
*/
#ifndef MLF_BASE_LIMITS_H
#define MLF_BASE_LIMITS_H

/* Text of one error, in bytes. */
#define MLF_ERROR_BYTES_MAX 512

/* JSON: levels of one text. A level of a value that MLflow sends in OpenTelemetry's form is four of
** them, and SQLite's own JSON takes 1,000. */
#define MLF_JSON_DEPTH_MAX 5000
/* And levels of a tree that is made of it: more than any reply has above its values. */
#define MLF_JSON_LEVELS_MAX 12
/* How many bytes are read or written, in a few milliseconds, before somebody asks whether the
** statement is to go on. */
#define MLF_JSON_POLL_BYTES (1024 * 1024)

/* HTTP: one reply body, in bytes after decoding. */
#define MLF_REPLY_BYTES_MAX (32 * 1024 * 1024)
#define MLF_SPANS_BYTES_MAX (256 * 1024 * 1024)

/* HTTP: the headers of one reply, interim ones (1xx) among them. */
#define MLF_REPLY_HEADER_BYTES_MAX (256 * 1024)

/* HTTP: time. */
#define MLF_CONNECT_TIMEOUT_MS   10000
#define MLF_REQUEST_TIMEOUT_MS   120000
#define MLF_STATEMENT_TIMEOUT_MS 600000
#define MLF_INTERRUPT_POLL_MS    100
#define MLF_RETRIES_MAX          3
#define MLF_BACKOFF_FIRST_MS     500
#define MLF_BACKOFF_MAX_MS       20000
#define MLF_RETRY_AFTER_MAX_MS   60000

/* One statement. */
#define MLF_STATEMENT_REQUESTS_MAX 10000
#define MLF_STATEMENT_ROWS_MAX     0 /* none */
#define MLF_STATEMENT_BYTES_MAX    0
#define MLF_STREAMS                4
#define MLF_STREAMS_MAX            16

/* The server's largest page of traces, and what is asked when the statement gives no smaller
** number. */
#define MLF_PAGE_ROWS_MAX 500

/* Spans: traces in one request (their ids stand in its URL, for which proxies allow 8 KiB), and
** about how many bytes they may be together. */
#define MLF_PAYLOAD_TRACES_MAX  50
#define MLF_PAYLOAD_BATCH_BYTES (4 * 1024 * 1024)

/* Metrics: points in one answer, which has no pages; aggregations and conditions in one request. */
#define MLF_METRICS_POINTS_MAX       50000
#define MLF_METRICS_AGGREGATIONS_MAX 110
#define MLF_METRICS_FILTERS_MAX      30

/* What one statement keeps of what it was given: in memory, and with what is on disk. */
#define MLF_GIVEN_CACHE_KIB 2048
#define MLF_GIVEN_BYTES_MAX (1024LL * 1024 * 1024)
/* And of the list of experiments, in memory: of its text, whose trees are a few times as much. */
#define MLF_EXPERIMENTS_BYTES_MAX (4 * 1024 * 1024)

/* ~/.mlflow/credentials. */
#define MLF_CREDENTIALS_BYTES_MAX 65536

/* Rows kept in mlflow_requests. */
#define MLF_REQUEST_LOG_ROWS 1000

/* Conditions in one filter: the server's SQLite store joins one table a tag condition (at most
** 64), and nests one expression a condition. */
#define MLF_FILTER_KEY_TERMS_MAX 30
#define MLF_FILTER_TERMS_MAX     200
/* A trace's id, in bytes: what one walk has seen of a millisecond is kept in memory. */
#define MLF_TRACE_ID_BYTES_MAX 1024
/* Trace ids in one IN list. */
#define MLF_FILTER_IDS_MAX 500

/* Columns and experiments of one table. */
#define MLF_DECLARED_COLUMNS_MAX 200
#define MLF_EXPERIMENTS_MAX      1000
/* How long what an experiment's name stands for is remembered. */
#define MLF_EXPERIMENT_AGE_MAX_MS 30000

#endif
