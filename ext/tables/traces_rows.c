/* mlflow_traces: one row a trace. Its request and response are the inputs and outputs of the root
** span, which are fetched when they are read. */
#include "model/decode_trace.h"
#include "tables/trace_table.h"

typedef struct traces_state {
  bool fetched;
  mlf_span_set *spans; /* of the trace; NULL if it has none */
  char *why;           /* owned: why they cannot be read; NULL if they can */
} traces_state;

static void traces_clear(void *context) {
  traces_state *state = context;
  mlf_span_set_free(state->spans);
  sqlite3_free(state->why);
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
  int rc = mlf_trace_scan_spans(scan, &state->spans, &state->why, error);
  state->fetched = rc == SQLITE_OK;
  return rc;
}

/* A column of the root span, or why the spans cannot be read. */
static int traces_payload(mlf_trace_scan *scan, traces_state *state, const mlf_column *column,
                          mlf_value *value, mlf_error *error) {
  mlf_error cause = {0};
  int rc = traces_fetch(scan, state, error);
  if (rc != SQLITE_OK) return rc;
  if (column->source == MLF_SOURCE_SPAN_ERROR) {
    *value = mlf_value_text(state->why);
    return rc;
  }
  if (state->why) return mlf_trace_scan_blame(scan, state->why, error);
  size_t root = state->spans ? mlf_span_set_root(state->spans) : SIZE_MAX;
  if (root != SIZE_MAX) mlf_span_set_value(state->spans, root, column, value, &cause);
  return mlf_trace_scan_judge(scan, &cause, value, error);
}

static int traces_value(mlf_trace_scan *scan, void *context, const mlf_column *column,
                        mlf_value *value, mlf_error *error) {
  mlf_error cause = {0};
  *value = mlf_value_text(NULL);
  if (mlf_source_is_span(column->source) || column->source == MLF_SOURCE_SPAN_ERROR)
    return traces_payload(scan, context, column, value, error);
  mlf_trace_value(scan->source.json, scan->source.trace, column, value, &cause);
  return mlf_trace_scan_judge(scan, &cause, value, error);
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
