/* mlflow_assessments: one row an assessment of each trace that the scan walks. They come with the
** traces. */
#include "model/decode_assessment.h"
#include "model/decode_trace.h"
#include "tables/trace_table.h"

typedef struct assessments_state {
  const mlf_json_node *at; /* in the trace that the scan is at */
} assessments_state;

static void assessments_clear(void *context) {
  *(assessments_state *)context = (assessments_state){0};
}

static int assessments_first(mlf_trace_scan *scan, void *context, bool *row, mlf_error *error) {
  assessments_state *state = context;
  (void)error;
  state->at = mlf_json_first(mlf_json_member(scan->at.trace, "assessments"));
  *row = state->at != NULL;
  return SQLITE_OK;
}

static bool assessments_next(void *context) {
  assessments_state *state = context;
  state->at = mlf_json_next(state->at);
  return state->at != NULL;
}

static int assessments_value(mlf_trace_scan *scan, void *context, const mlf_column *column,
                             char scratch[32], mlf_value *value, mlf_error *error) {
  const assessments_state *state = context;
  (void)error;
  if (column->source >= MLF_SOURCE_ASSESSMENT)
    return mlf_assessment_value(scan->at.json, state->at, column, value);
  return mlf_trace_value(scan->at.json, scan->at.trace, column, scratch, value);
}

const mlf_trace_rows mlf_trace_rows_assessments = {
    .table = "mlflow_assessments",
    .init_schema = mlf_schema_init_assessments,
    .state_size = sizeof(assessments_state),
    .first = assessments_first,
    .next = assessments_next,
    .value = assessments_value,
    .clear = assessments_clear,
};
