/* mlflow_assessments: one row an assessment of each trace that the scan walks. They come with the
** traces. */
#include <string.h>

#include "model/decode_assessment.h"
#include "model/decode_trace.h"
#include "tables/trace_table.h"

typedef struct assessments_state {
  const mlf_json *json;      /* that the scan is at */
  const mlf_json_node *list; /* of the trace that the scan is at, */
  const mlf_json_node *at;   /* and where it is there */
  const char *run;           /* that is asked for; NULL if none is */
} assessments_state;

/* Whether the assessment was made by another run than the one that is asked for. What was given by
** hand is of no run, and counts for each. */
static bool assessments_is_of_other_run(const char *run, const mlf_json_node *assessment) {
  const mlf_json_node *metadata = mlf_json_member(assessment, "metadata");
  const char *own = mlf_json_text(mlf_json_member(metadata, MLF_ASSESSMENT_RUN));
  return run && own && strcmp(own, run) != 0;
}

/* The first from `each` on that is a row: null is JSON's absent. */
static const mlf_json_node *assessments_find(const assessments_state *state,
                                             const mlf_json_node *each) {
  while (each && (mlf_json_kind_of(state->json, each) == MLF_JSON_NULL ||
                  assessments_is_of_other_run(state->run, each)))
    each = mlf_json_next(each);
  return each;
}

static void assessments_clear(void *context) {
  *(assessments_state *)context = (assessments_state){0};
}

static int assessments_first(mlf_trace_scan *scan, void *context, bool *row, mlf_error *error) {
  assessments_state *state = context;
  mlf_error cause = {0};
  mlf_json_get_array(scan->source.json, scan->source.trace, "assessments", &state->list, &cause);
  state->json = scan->source.json;
  state->run = scan->filter.run ? scan->filter.run->text : NULL;
  state->at = cause.code ? NULL : assessments_find(state, mlf_json_first(state->list));
  *row = state->at != NULL;
  return mlf_trace_scan_judge(scan, &cause, NULL, error);
}

static bool assessments_next(void *context) {
  assessments_state *state = context;
  state->at = assessments_find(state, mlf_json_next(state->at));
  return state->at != NULL;
}

/* Its id; "" for none. */
static const char *assessments_id(const mlf_json_node *assessment) {
  const char *id = mlf_json_text(mlf_json_member(assessment, "assessment_id"));
  return id ? id : "";
}

/* Of those with one id each has the place in which it was sent. */
static size_t assessments_rank(const void *context) {
  const assessments_state *state = context;
  const mlf_json_node *each = mlf_json_first(state->list);
  size_t rank = 0;
  bool before = true;
  for (; each; each = mlf_json_next(each)) {
    before = before && each != state->at;
    int order = strcmp(assessments_id(each), assessments_id(state->at));
    rank += order < 0 || (order == 0 && before);
  }
  return rank;
}

static int assessments_value(mlf_trace_scan *scan, void *context, const mlf_column *column,
                             mlf_value *value, mlf_error *error) {
  const assessments_state *state = context;
  mlf_error cause = {0};
  if (column->source >= MLF_SOURCE_ASSESSMENT) {
    mlf_assessment_value(scan->source.json, state->at, column, value, &cause);
  } else {
    mlf_trace_value(scan->source.json, scan->source.trace, column, value, &cause);
  }
  return mlf_trace_scan_judge(scan, &cause, value, error);
}

const mlf_trace_rows mlf_trace_rows_assessments = {
    .table = "mlflow_assessments",
    .init_schema = mlf_schema_init_assessments,
    .state_size = sizeof(assessments_state),
    .first = assessments_first,
    .next = assessments_next,
    .rank = assessments_rank,
    .value = assessments_value,
    .clear = assessments_clear,
};
