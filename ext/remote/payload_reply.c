#include "remote/payload_reply.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "model/decode_trace.h"
#include "model/json_value.h"
#include "remote/envelope.h"

int mlf_payload_reply_batch(const mlf_json *json, const char *id, const mlf_json_node **spans,
                            mlf_error *error) {
  const mlf_json_node *traces;
  int rc = mlf_envelope_list(json, "traces", &traces, NULL, error);
  const mlf_json_node *each = mlf_json_first(traces);
  for (; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
    const mlf_json_node *info;
    const char *found = NULL;
    rc = mlf_json_get_object(json, each, "trace_info", &info, error);
    if (rc == SQLITE_OK) rc = mlf_json_get_text(json, info, "trace_id", &found, error);
    if (rc == SQLITE_OK && !found)
      return mlf_json_misshapen(json, each, "a trace with a trace_id", error);
    if (rc != SQLITE_OK || strcmp(found, id) != 0) continue;
    rc = mlf_json_get_array(json, each, "spans", spans, error);
    return rc == SQLITE_ERROR ? error->code = SQLITE_CORRUPT : rc;
  }
  return rc;
}

int mlf_payload_reply_file(const mlf_json *json, const mlf_json_node **spans, mlf_error *error) {
  bool message = mlf_json_member(mlf_json_root(json), "message") != NULL;
  int rc = mlf_envelope_list(json, "spans", spans, NULL, error);
  return rc == SQLITE_ERROR && !message ? error->code = SQLITE_CORRUPT : rc;
}

/* How many spans a trace says that it has; 0 if it does not say. */
static int reply_span_count(const mlf_json_node *trace, int64_t *count, mlf_error *error) {
  const mlf_json_node *metadata = mlf_json_member(trace, "trace_metadata");
  const char *text = mlf_json_text(mlf_json_member(metadata, "mlflow.trace.sizeStats"));
  mlf_json_options options = {.levels = 2};
  mlf_value value = {.type = MLF_NULL};
  mlf_error ignored = {0};
  mlf_json *json = NULL;
  int rc = text ? mlf_json_parse(text, strlen(text), options, &json, &ignored) : SQLITE_ERROR;
  if (rc == SQLITE_OK)
    rc = mlf_json_value_scalar(json, mlf_json_member(mlf_json_root(json), "num_spans"), &value,
                               &ignored);
  *count = rc == SQLITE_OK && value.type == MLF_INTEGER ? value.integer : 0;
  mlf_value_clear(&value);
  mlf_json_free(json);
  if (rc == SQLITE_NOMEM) return mlf_error_move(error, &ignored);
  mlf_error_clear(&ignored);
  return SQLITE_OK;
}

int mlf_payload_reply_check(const mlf_json *json, const mlf_json_node *trace, mlf_error *error) {
  const mlf_json_node *tags = mlf_json_member(trace, "tags");
  const char *location = mlf_json_text(mlf_json_member(tags, "mlflow.trace.spansLocation"));
  const mlf_json_node *each = mlf_json_first(mlf_json_member(mlf_json_root(json), "traces"));
  int64_t count = 0;
  if (!location || strcmp(location, "ARCHIVE_REPO") != 0) return SQLITE_OK;
  for (; each; each = mlf_json_next(each)) {
    const mlf_json_node *info = mlf_json_member(each, "trace_info");
    const char *id = mlf_json_text(mlf_json_member(info, "trace_id"));
    if (id && strcmp(id, mlf_trace_id(trace)) == 0) break;
  }
  int rc = each ? reply_span_count(trace, &count, error) : SQLITE_OK;
  if (rc != SQLITE_OK || count <= 0) return rc;
  return mlf_error_set(
      error, SQLITE_CORRUPT,
      "the server sends none of its %lld spans: does it reach its archive? see its "
      "log",
      (sqlite3_int64)count);
}
