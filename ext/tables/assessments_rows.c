/* mlflow_assessments: one row an assessment of each trace that the scan walks. They come with the
** traces. */
#include "model/decode_assessment.h"
#include "model/decode_trace.h"
#include "tables/trace_table.h"

typedef struct assessments_state {
  const mlf_json *json;    /* that the scan is at */
  const mlf_json_node *at; /* in the trace that the scan is at */
} assessments_state;

/* The first from `each` on that is there: null is JSON's absent. */
static const mlf_json_node *assessments_skip_nulls(const assessments_state *state,
                                                   const mlf_json_node *each) {
  while (mlf_json_kind_of(state->json, each) == MLF_JSON_NULL)
    each = mlf_json_next(each);
  return each;
}

static void assessments_clear(void *context) {
  *(assessments_state *)context = (assessments_state){0};
}

static int assessments_first(mlf_trace_scan *scan, void *context, bool *row, mlf_error *error) {
  assessments_state *state = context;
  const mlf_json_node *list;
  mlf_error cause = {0};
  mlf_json_get_array(scan->at.json, scan->at.trace, "assessments", &list, &cause);
  state->json = scan->at.json;
  state->at = cause.code ? NULL : assessments_skip_nulls(state, mlf_json_first(list));
  *row = state->at != NULL;
  return mlf_trace_scan_judge(scan, &cause, error);
}

static bool assessments_next(void *context) {
  assessments_state *state = context;
  state->at = assessments_skip_nulls(state, mlf_json_next(state->at));
  return state->at != NULL;
}

static int assessments_value(mlf_trace_scan *scan, void *context, const mlf_column *column,
                             mlf_value *value, mlf_error *error) {
  const assessments_state *state = context;
  mlf_error cause = {0};
  if (column->source >= MLF_SOURCE_ASSESSMENT) {
    mlf_assessment_value(scan->at.json, state->at, column, value, &cause);
  } else {
    mlf_trace_value(scan->at.json, scan->at.trace, column, value, &cause);
  }
  return mlf_trace_scan_judge(scan, &cause, error);
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
