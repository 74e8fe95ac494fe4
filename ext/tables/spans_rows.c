/* mlflow_spans: one row a span of each trace that the scan walks. */
#include "model/decode_trace.h"
#include "tables/trace_table.h"

typedef struct spans_state {
  mlf_span_set *spans;
  size_t at;
} spans_state;

static void spans_clear(void *context) {
  spans_state *state = context;
  mlf_span_set_free(state->spans);
  *state = (spans_state){0};
}

static int spans_first(mlf_trace_scan *scan, void *context, bool *row, mlf_error *error) {
  spans_state *state = context;
  char *why;
  int rc = mlf_trace_scan_spans(scan, &state->spans, &why, error);
  if (rc == SQLITE_OK && why) rc = mlf_trace_scan_blame(scan, why, error);
  sqlite3_free(why);
  *row = state->spans && mlf_span_set_count(state->spans) > 0;
  return rc;
}

static bool spans_next(void *context) {
  spans_state *state = context;
  return ++state->at < mlf_span_set_count(state->spans);
}

static size_t spans_rank(const void *context) {
  const spans_state *state = context;
  return mlf_span_set_rank(state->spans, state->at);
}

static int spans_value(mlf_trace_scan *scan, void *context, const mlf_column *column,
                       mlf_value *value, mlf_error *error) {
  spans_state *state = context;
  mlf_error cause = {0};
  if (mlf_source_is_span(column->source)) {
    mlf_span_set_value(state->spans, state->at, column, value, &cause);
  } else {
    mlf_trace_value(scan->source.json, scan->source.trace, column, value, &cause);
  }
  return mlf_trace_scan_judge(scan, &cause, value, error);
}

const mlf_trace_rows mlf_trace_rows_spans = {
    .table = "mlflow_spans",
    .init_schema = mlf_schema_init_spans,
    .state_size = sizeof(spans_state),
    .first = spans_first,
    .next = spans_next,
    .rank = spans_rank,
    .value = spans_value,
    .clear = spans_clear,
};
