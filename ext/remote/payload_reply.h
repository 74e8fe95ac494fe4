/* payload_reply.h: the spans in a reply: of a batch of traces, or of a file. */
#ifndef MLF_REMOTE_PAYLOAD_REPLY_H
#define MLF_REMOTE_PAYLOAD_REPLY_H

#include "base/error.h"
#include "model/json.h"

/* Finds a trace in the reply of a batch: `*spans` is NULL if it is left out there, or its list is,
** as MLflow 3.6 does where that is empty. SQLITE_CORRUPT: what is there is no list. */
int mlf_payload_reply_batch(const mlf_json *json, const char *id, const mlf_json_node **spans,
                            mlf_error *error);

/* The spans in a file. One that holds something else is the trace's fault (SQLITE_CORRUPT), unless
** somebody answers in the server's place. */
int mlf_payload_reply_file(const mlf_json *json, const mlf_json_node **spans, mlf_error *error);

/* A trace of which a batch has no spans: SQLITE_CORRUPT if it was archived and says that it has
** some. A server that does not reach its archive sends such a reply. */
int mlf_payload_reply_check(const mlf_json *json, const mlf_json_node *trace, mlf_error *error);

#endif
