/* payloads.h: fetches the spans of traces, a few requests ahead of who reads them.
**
** A trace in a search result has no spans. They come by ids, many traces a request, where the
** server keeps them itself (GET traces/batchGet, from MLflow 3.6 on, tracking store and archive),
** and one trace a request where they are a file (GET get-trace-artifact: the artifact store, all
** older servers, and traces whose spans are not all there yet). Of several that a batch leaves out,
** one search tells which have no spans at all.
**
** Who asks for the spans of one trace is likely to ask for those of the traces after it. So the
** first request takes some neighbours along, and each later one four times as many traces as were
** used of the one before: one who reads them all soon gets whole batches, several at once, and one
** who reads few gets few. What was fetched last is kept, so that several readers of one statement
** fetch nothing twice as long as they stay near each other. Where all that comes is kept elsewhere,
** for asks in any order, nothing is fetched twice, and requests take along up to four traces for
** each one that was asked for.
*/
#ifndef MLF_REMOTE_PAYLOADS_H
#define MLF_REMOTE_PAYLOADS_H

#include <stdbool.h>

#include "base/error.h"
#include "model/json.h"
#include "model/server.h"
#include "remote/client.h"

typedef struct mlf_payloads mlf_payloads;

/* `server` is the version of the client's server. SQLITE_OK or SQLITE_NOMEM. */
int mlf_payloads_new(mlf_client *client, mlf_server server, mlf_payloads **out, mlf_error *error);

/* The spans of `trace`, a trace as found by a search. The traces that follow it in its page may be
** fetched with it, and after them `more` and those that follow that one (NULL: none). `*spans` is
** the array of spans in the form the server gave (model/span_set.h), borrowed from `*json`, which
** lives until the next call unless held; both are NULL for a trace without spans: none were ever
** uploaded, or it is gone. Errors: SQLITE_CORRUPT for what the server has of this trace alone (its
** file is no JSON, it is larger than MLFLOW_SQL_SPANS_BYTES_MAX, the server cannot send it), which
** the next trace need not have; any other ends the statement. */
int mlf_payloads_get(mlf_payloads *payloads, mlf_budget *budget, const mlf_json_node *trace,
                     const mlf_json_node *more, const mlf_json **json, const mlf_json_node **spans,
                     mlf_error *error);

/* Tells of a trace whether its spans are kept. */
typedef bool (*mlf_payloads_known)(void *context, const char *id);

/* From now on asks come in any order, and whoever asks keeps all that comes: what is known need not
** be taken along. NULL: they come in order. */
void mlf_payloads_keep(mlf_payloads *payloads, mlf_payloads_known known, void *context);

/* Says that so many traces will be asked for: batches may take along as many more. */
void mlf_payloads_expect(mlf_payloads *payloads, size_t traces);

/* Says that a trace that was taken along, and kept, was used now. */
void mlf_payloads_used(mlf_payloads *payloads);

/* Whether the spans of `trace` are there, or on their way, and nobody has asked for them yet. */
bool mlf_payloads_has(mlf_payloads *payloads, const mlf_json_node *trace);

/* Cancels what is under way, and forgets all. NULL is allowed. */
void mlf_payloads_free(mlf_payloads *payloads);

#endif
