#include "remote/payload_reply.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "model/decode_trace.h"
#include "remote/envelope.h"

/* The trace with this id in the reply of a batch; NULL if it is left out. */
static int reply_find(const mlf_json *json, const char *id, const mlf_json_node **trace,
                      mlf_error *error) {
  int rc = mlf_envelope_list(json, "traces", trace, NULL, error);
  *trace = rc == SQLITE_OK ? mlf_json_first(*trace) : NULL;
  for (; *trace; *trace = mlf_json_next(*trace)) {
    const mlf_json_node *info;
    const char *found = NULL;
    rc = mlf_json_get_object(json, *trace, "trace_info", &info, error);
    if (rc == SQLITE_OK) rc = mlf_json_get_text(json, info, "trace_id", &found, error);
    if (rc == SQLITE_OK && !found)
      return mlf_json_misshapen(json, *trace, "a trace with a trace_id", error);
    if (rc != SQLITE_OK || strcmp(found, id) == 0) break;
  }
  return rc;
}

int mlf_payload_reply_batch(const mlf_json *json, const char *id, const mlf_json_node **spans,
                            mlf_error *error) {
  const mlf_json_node *trace;
  int rc = reply_find(json, id, &trace, error);
  if (rc != SQLITE_OK || !trace) return rc;
  rc = mlf_json_get_array(json, trace, "spans", spans, error);
  return rc == SQLITE_ERROR ? error->code = SQLITE_CORRUPT : rc;
}

int mlf_payload_reply_file(const mlf_json *json, const mlf_json_node **spans, mlf_error *error) {
  bool message = mlf_json_member(mlf_json_root(json), "message") != NULL;
  int rc = mlf_envelope_list(json, "spans", spans, NULL, error);
  return rc == SQLITE_ERROR && !message ? error->code = SQLITE_CORRUPT : rc;
}

int mlf_payload_reply_check(const mlf_json *json, const mlf_json_node *trace, mlf_error *error) {
  const char *location = mlf_trace_spans_location(trace);
  const mlf_json_node *metadata = mlf_json_member(trace, "trace_metadata"), *sent;
  mlf_value count =
      mlf_value_text(mlf_json_text(mlf_json_member(metadata, "mlflow.trace.sizeStats")));
  if (!location || strcmp(location, "ARCHIVE_REPO") != 0) return SQLITE_OK;
  int rc = reply_find(json, mlf_trace_id(trace), &sent, error);
  if (rc == SQLITE_OK && sent) rc = mlf_trace_item("num_spans", &count, error);
  if (rc != SQLITE_OK || !sent || count.type != MLF_INTEGER || count.integer <= 0) return rc;
  return mlf_error_set(error, SQLITE_CORRUPT,
                       "the server sends none of its %lld spans: does it reach its archive? see "
                       "its log",
                       (sqlite3_int64)count.integer);
}
