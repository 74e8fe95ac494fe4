/* mlflow_traces: one row a trace. Its request and response are the inputs and outputs of the root
** span, which are fetched when they are read. */
#include "model/decode_trace.h"
#include "tables/trace_table.h"

typedef struct traces_state {
  bool fetched;
  mlf_span_set *spans; /* of the trace; NULL if it has none */
} traces_state;

static void traces_clear(void *context) {
  traces_state *state = context;
  mlf_span_set_free(state->spans);
  *state = (traces_state){0};
}

static int traces_first(mlf_trace_scan *scan, void *state, bool *row, mlf_error *error) {
  (void)scan;
  (void)state;
  (void)error;
  *row = true;
  return SQLITE_OK;
}

static bool traces_next(void *state) {
  (void)state;
  return false;
}

/* Fetches the spans of the trace, once. */
static int traces_fetch(mlf_trace_scan *scan, traces_state *state, mlf_error *error) {
  if (state->fetched) return SQLITE_OK;
  int rc = mlf_trace_scan_spans(scan, &state->spans, error);
  state->fetched = rc == SQLITE_OK;
  return rc;
}

static int traces_value(mlf_trace_scan *scan, void *context, const mlf_column *column,
                        char scratch[32], mlf_value *value, mlf_error *error) {
  traces_state *state = context;
  if (column->source != MLF_SOURCE_SPAN_JSON)
    return mlf_trace_value(scan->at.json, scan->at.trace, column, scratch, value);
  *value = (mlf_value){.type = MLF_NULL};
  int rc = traces_fetch(scan, state, error);
  if (rc != SQLITE_OK || !state->spans) return rc;
  size_t root = mlf_span_set_root(state->spans);
  return root == SIZE_MAX ? rc : mlf_span_set_value(state->spans, root, column, value);
}

const mlf_trace_rows mlf_trace_rows_traces = {
    .table = "mlflow_traces",
    .init_schema = mlf_schema_init_traces,
    .state_size = sizeof(traces_state),
    .first = traces_first,
    .next = traces_next,
    .value = traces_value,
    .clear = traces_clear,
};
