#include "tables/trace_count.h"

#include <string.h>

#include "remote/metrics.h"

const char *mlf_trace_count_value(const mlf_bound_terms *bound, const mlf_column *column) {
  for (int i = 0; i < bound->count; i++) {
    const mlf_filter_term *term = &bound->terms[i];
    if (term->column == column && term->values[0].type == MLF_TEXT) return term->values[0].text;
  }
  return NULL;
}

/* Writes the condition of a term in the language of the metrics. False: it cannot be said there. */
static bool count_filter(const mlf_filter_term *term, char *filter, int bytes) {
  static const char *const states[] = {"OK", "ERROR", "IN_PROGRESS"};
  const mlf_value *value = &term->values[0];
  *filter = '\0';
  if (mlf_key_is_experiment(term->column->key_kind)) return value->type == MLF_TEXT;
  for (size_t i = 0; value->type == MLF_TEXT && i < sizeof(states) / sizeof(states[0]); i++) {
    if (strcmp(value->text, states[i]) != 0) continue;
    sqlite3_snprintf(bytes, filter, "trace.status = '%s'", states[i]);
    return true;
  }
  return false;
}

/* Asks the server. SQLITE_ERROR if it does not say how many there are: an answer without a point
** may be of no trace, or none of MLflow's; the search tells which. */
static int count_ask(mlf_statement *statement, const mlf_experiment_list *scope,
                     const char *const *filters, size_t filter_count, int64_t *rows,
                     mlf_error *error) {
  mlf_metrics_question question = {.experiment_ids = (const char *const *)scope->ids,
                                   .experiment_count = scope->count,
                                   .filters = filters,
                                   .filter_count = filter_count,
                                   .first_ms = INT64_MIN,
                                   .last_ms = INT64_MAX};
  mlf_aggregation aggregation;
  mlf_metrics metrics;
  mlf_value value = {.type = MLF_NULL};
  int rc = mlf_metric_find("traces", "trace_count", &question.metric, error);
  if (rc == SQLITE_OK)
    rc = mlf_metric_read_aggregation(question.metric, "count", &aggregation, error);
  if (rc != SQLITE_OK) return rc;
  question.aggregations = &aggregation;
  question.aggregation_count = 1;
  rc = mlf_metrics_ask(statement->client, &statement->budget, &question, &metrics, error);
  if (rc == SQLITE_OK)
    rc = mlf_metrics_value(&metrics, question.metric, &aggregation, &value, error);
  bool said = metrics.point != NULL;
  mlf_metrics_clear(&metrics);
  if (rc != SQLITE_OK) return rc;
  if (!said || value.type != MLF_INTEGER || value.integer < 0) return SQLITE_ERROR;
  *rows = value.integer;
  return SQLITE_OK;
}

int mlf_trace_count(mlf_statement *statement, const sqlite3_vtab *table, const char *plan_text,
                    const mlf_bound_terms *bound, const mlf_experiment_list *scope, int64_t *rows,
                    mlf_error *error) {
  char texts[MLF_METRICS_FILTERS_MAX][32];
  const char *filters[MLF_METRICS_FILTERS_MAX];
  size_t count = 0;
  const mlf_survey *survey = statement->survey;
  mlf_error cause = {0};
  if (!survey || !mlf_survey_counts(survey, table, plan_text) || statement->settings->filter ||
      !mlf_server_knows(statement->server, MLF_FEATURE_METRICS))
    return SQLITE_NOTFOUND;
  for (int i = 0; i < bound->count; i++) {
    if (count == MLF_METRICS_FILTERS_MAX) return SQLITE_NOTFOUND;
    filters[count] = texts[count];
    if (!count_filter(&bound->terms[i], texts[count], sizeof(texts[count]))) return SQLITE_NOTFOUND;
    count += *texts[count] != '\0';
  }
  int rc = count_ask(statement, scope, filters, count, rows, &cause);
  if (rc == SQLITE_OK || rc == SQLITE_INTERRUPT || rc == SQLITE_NOMEM)
    return mlf_error_move(error, &cause);
  mlf_error_clear(&cause); /* whether the traces cannot be read either is seen when they are */
  return SQLITE_NOTFOUND;
}
