#include "tables/trace_scan.h"

#include <string.h>

#include "model/decode_trace.h"
#include "query/plan.h"
#include "query/time_note.h"
#include "tables/planning.h"
#include "tables/scope.h"
#include "tables/trace_count.h"

int mlf_trace_scan_open(mlf_trace_scan *scan) {
  return mlf_connection_join(scan->connection, scan->table, &scan->source.statement);
}

/* Forgets the traces, and what was asked; stays with the statement. */
static void scan_reset(mlf_trace_scan *scan) {
  mlf_source_reset(&scan->source);
  mlf_filter_clear(&scan->filter);
  mlf_filter_clear(&scan->lasting);
  scan->counted = 0;
}

void mlf_trace_scan_end(mlf_trace_scan *scan) {
  scan_reset(scan);
  mlf_values_clear(&scan->bound);
  mlf_experiment_list_clear(&scan->scope);
  if (scan->source.statement) mlf_statement_leave(scan->source.statement);
}

int mlf_trace_scan_next(mlf_trace_scan *scan, mlf_error *error) {
  if (scan->counted > 0) {
    scan->counted--;
    return SQLITE_OK;
  }
  return mlf_source_next(&scan->source, error);
}

/* Whether SQLite may hand over a term of this kind that is not about which rows there are. */
static bool scan_is_auxiliary(mlf_op op) {
  return op == MLF_OP_NE || op == MLF_OP_LIKE || op == MLF_OP_GLOB || op == MLF_OP_IS_NULL ||
         op == MLF_OP_IS_NOT_NULL;
}

/* Learns what the statement says of a plan. LIKE and GLOB are left out if they are not SQLite's
** own: SQLite alone can tell what they mean. And terms by which the statement is not seen to drop
** rows: one may stand in the ON of an outer join. */
static int scan_take_plan(mlf_trace_scan *scan, const mlf_plan *plan, const char *plan_text) {
  const mlf_survey *survey = scan->source.statement->survey;
  int rc = mlf_statement_doubt(scan->source.statement, scan->table, plan_text, &scan->rivals,
                               &scan->in_doubt);
  scan->joined = false;
  for (int i = 0; i < plan->term_count; i++) {
    const mlf_plan_term *term = &plan->terms[i];
    bool pattern = term->op == MLF_OP_LIKE || term->op == MLF_OP_GLOB;
    if (scan->schema->columns[term->column].key_kind == MLF_KEY_EXPERIMENT)
      scan->joined =
          scan->joined || (survey && mlf_survey_joins(survey, scan->table, plan_text, term));
    scan->left_out[i] = scan_is_auxiliary(term->op) &&
                        ((pattern && !mlf_connection_has_own_like(scan->connection)) || !survey ||
                         scan->rivals || !mlf_survey_drops(survey, scan->table, plan_text, term));
  }
  scan->plan_text = plan_text;
  return rc;
}

/* Binds the values, and notes which of them are others than the last time. */
static int scan_bind(mlf_trace_scan *scan, const mlf_plan *plan, const char *plan_text,
                     sqlite3_value **values, mlf_error *error) {
  mlf_values_clear(&scan->bound);
  if (scan->plan_text != plan_text && scan_take_plan(scan, plan, plan_text) != SQLITE_OK)
    return mlf_error_nomem(error);
  if (mlf_values_bind(scan->schema, plan, scan->left_out, values, &scan->bound) != SQLITE_OK)
    return mlf_error_nomem(error);
  scan->changing = mlf_changing_note(&scan->source.statement->changing, plan_text, &scan->bound);
  return scan->changing ? SQLITE_OK : mlf_error_nomem(error);
}

/* SQLite hands the values of an IN over one by one where the server has no list, and compares each
** without the affinity that it has in SQL. Where a sub-select has numbers SQL compares numbers
** with a text, '05' is 5, and texts with what has no type. */
static int scan_check_loops(const mlf_trace_scan *scan, const mlf_plan *plan, const char *plan_text,
                            int plan_number, sqlite3_value **values, mlf_error *error) {
  const mlf_survey *survey = scan->source.statement->survey;
  for (int i = 0; i < plan->term_count; i++) {
    const mlf_plan_term *term = &plan->terms[i];
    const mlf_column *column = &scan->schema->columns[term->column];
    if (term->op != MLF_OP_EQ) continue;
    int type = sqlite3_value_type(values[term->argument]);
    bool number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
    if (column->type == MLF_TYPE_ANY ? type == SQLITE_NULL
                                     : column->type != MLF_TYPE_TEXT || !number)
      continue;
    if (plan_number & MLF_PLANNING_LOOPS(i))
      return mlf_error_set(error, SQLITE_ERROR,
                           "%s IN (…) is given a number; write +%s IN (…), or IN (SELECT "
                           "CAST(… AS TEXT) …)",
                           column->name, column->name);
    if (survey && mlf_survey_loops(survey, scan->table, plan_text, term))
      return mlf_error_set(error, SQLITE_ERROR,
                           "a row with %s IN (SELECT …) is compared as if nothing had a type; "
                           "write EXISTS (SELECT 1 FROM … WHERE … = %s AND …)",
                           column->name, column->name);
  }
  return SQLITE_OK;
}

/* Notes each comparison that mistakes milliseconds, once in the statement: in a join the values
** change with every row. */
static int scan_note_times(mlf_trace_scan *scan, mlf_error *error) {
  char key[64];
  bool added = false;
  for (int i = 0; i < scan->bound.count; i++) {
    const mlf_filter_term *term = &scan->bound.terms[i];
    if (!mlf_time_note_applies(term)) continue;
    sqlite3_snprintf(sizeof(key), key, "%p %d %d", scan->table, term->column->key_kind, term->op);
    if (mlf_string_set_add(&scan->source.statement->noted, key, &added) != SQLITE_OK)
      return mlf_error_nomem(error);
    if (!added) continue;
    char *note = mlf_time_note_text(term);
    if (!note) return mlf_error_nomem(error);
    mlf_client_log_note(scan->source.statement->client, note);
  }
  return SQLITE_OK;
}

/* Writes the filter for the server's version, which is asked only if rows are possible at all. */
static int scan_write_filter(mlf_trace_scan *scan, mlf_error *error) {
  const mlf_bound_terms *bound = &scan->bound;
  mlf_statement *statement = scan->source.statement;
  int rc =
      mlf_filter_write(bound->terms, bound->count, (mlf_server){.major = 3}, &scan->filter, error);
  if (rc != SQLITE_OK || scan->filter.empty) return rc;
  mlf_filter_clear(&scan->filter);
  rc = mlf_statement_begin(statement, error);
  if (rc == SQLITE_OK)
    rc = mlf_filter_write(bound->terms, bound->count, statement->server, &scan->filter, error);
  if (bound->left_out) scan->filter.complete = false;
  return rc;
}

/* Whether a term has to be part of every question: nobody can check it but the server. */
static bool scan_must_send(const mlf_filter_term *term) {
  return mlf_key_is_argument(term->column->key_kind) ||
         term->column->key_kind == MLF_KEY_EXPERIMENT_ID;
}

/* Whether what a term is equal to can be found by: a text that a column of the trace holds. */
static bool scan_is_key(const mlf_filter_term *term) {
  switch (term->column->key_kind) {
  case MLF_KEY_STRING:
  case MLF_KEY_NAME:
  case MLF_KEY_RUN:
  case MLF_KEY_TAG:
  case MLF_KEY_METADATA: break;
  default: return false;
  }
  const mlf_value *value = &term->values[0];
  return (term->op == MLF_OP_EQ || term->op == MLF_OP_IS) && value->type == MLF_TEXT &&
         strlen(value->text) == value->length;
}

/* Says what is asked, and what of it stays the same from one time to the next. */
static int scan_ask(mlf_trace_scan *scan, mlf_order order, mlf_ask *ask, mlf_error *error) {
  mlf_filter_term lasting[MLF_FILTER_TERMS_MAX];
  int count = 0, changing = 0;
  *ask = (mlf_ask){.scope = &scan->scope,
                   .filter = &scan->filter,
                   .lasting = &scan->lasting,
                   .hint = scan->bound.hint,
                   .order = order,
                   .rows_wanted = scan->bound.rows_wanted};
  for (int i = 0; i < scan->bound.count; i++) {
    const mlf_filter_term *term = &scan->bound.terms[i];
    bool look_up = term->column->key_kind == MLF_KEY_TRACE_ID &&
                   (term->op == MLF_OP_EQ || term->op == MLF_OP_IS);
    if (look_up || (scan->changing->changes[i] && !scan_must_send(term))) {
      changing++;
      if (ask->key || !scan_is_key(term)) continue;
      ask->key = term->column;
      ask->key_value = term->values[0].text;
    } else {
      lasting[count++] = *term;
    }
  }
  if (!changing) ask->lasting = &scan->filter;
  return changing ? mlf_filter_write(lasting, count, scan->source.statement->server, &scan->lasting,
                                     error)
                  : SQLITE_OK;
}

/* Whether the statement tells which experiments this scan reads. */
static bool scan_is_told(const mlf_trace_scan *scan) {
  bool told = scan->arguments->experiment_count > 0;
  for (int i = 0; i < scan->bound.count; i++)
    told = told || mlf_key_is_experiment(scan->bound.terms[i].column->key_kind);
  return told;
}

/* SQLite does not show the statement's program: an error where that leaves open what is read. */
static int scan_is_in_the_dark(mlf_trace_scan *scan, int untold, mlf_error *error) {
  const mlf_settings *settings;
  int rc = mlf_client_settings(scan->source.statement->client, &settings, error);
  if (rc != SQLITE_OK) return rc;
  bool preset = settings->experiment_id || settings->experiment_name;
  if (!preset) untold &= MLF_PLANNING_UNTOLD_OTHER;
  if (!untold) return SQLITE_OK;
  return mlf_error_set(error, SQLITE_ERROR,
                       "SQLite does not show here what experiment, filter or in_run are compared "
                       "with; run the statement while no other one of this connection is at work");
}

/* Asks what the statement compares although its plan does not tell: where it is the experiment all
** are read, and another argument is an error. */
static int scan_survey(mlf_trace_scan *scan, int untold, bool *compared, mlf_error *error) {
  const mlf_survey *survey = scan->source.statement->survey;
  *compared = false;
  if (!untold) return SQLITE_OK;
  if (!survey || scan->in_doubt) return scan_is_in_the_dark(scan, untold, error);
  *compared = mlf_survey_compares(survey, scan->table, scan->plan_text, true);
  if (!mlf_survey_compares(survey, scan->table, scan->plan_text, false)) return SQLITE_OK;
  return mlf_error_set(error, SQLITE_ERROR,
                       "the statement does not tell the table what filter or in_run is compared "
                       "with; write it as a condition of its own: AND filter = '…'");
}

/* Finds which experiments to read. Where the statement says nothing of them they are the same each
** time that the scan begins. */
static int scan_resolve(mlf_trace_scan *scan, bool told, bool compared, mlf_error *error) {
  if (!told && scan->scope_kept) return SQLITE_OK;
  mlf_experiment_list_clear(&scan->scope);
  scan->scope_kept = !told;
  mlf_scope_ask ask = {.connection = scan->connection,
                       .statement = scan->source.statement,
                       .arguments = scan->arguments,
                       .bound = &scan->bound,
                       .compared = compared,
                       .joined = scan->joined};
  return mlf_scope_resolve(&ask, &scan->scope, error);
}

/* Whether a trace that was recalled is in the scope that the statement tells. */
static int scan_check_scope(mlf_trace_scan *scan, bool told, mlf_error *error) {
  int rc = told ? scan_resolve(scan, told, false, error) : SQLITE_OK;
  if (rc != SQLITE_OK || !told) return rc;
  const char *id = mlf_trace_experiment_id(scan->source.trace);
  if (!mlf_experiment_list_name(&scan->scope, id)) mlf_source_reset(&scan->source);
  return rc;
}

/* Looks for a trace that is asked for by its id among those that the statement was given. A raw
** filter and a run say more than can be checked here. */
static int scan_recall(mlf_trace_scan *scan, mlf_error *error) {
  const mlf_filter *filter = &scan->filter;
  if (filter->id_count != 1 || filter->raw || filter->run) return SQLITE_NOTFOUND;
  return mlf_source_recall(&scan->source, filter->ids[0].text, error);
}

int mlf_trace_scan_begin(mlf_trace_scan *scan, int plan_number, const char *plan_text,
                         sqlite3_value **values, mlf_error *error) {
  mlf_plan plan;
  mlf_ask ask;
  bool compared = false;
  scan_reset(scan);
  int rc = mlf_plan_parse(scan->schema, plan_text, &plan);
  if (rc != SQLITE_OK) return mlf_error_set(error, rc, "a plan that is none of ours");
  rc = scan_check_loops(scan, &plan, plan_text, plan_number, values, error);
  if (rc == SQLITE_OK) rc = scan_bind(scan, &plan, plan_text, values, error);
  if (rc == SQLITE_OK) rc = scan_note_times(scan, error);
  if (rc == SQLITE_OK) rc = scan_survey(scan, plan_number & MLF_PLANNING_UNTOLD, &compared, error);
  if (rc == SQLITE_OK) rc = scan_write_filter(scan, error);
  if (rc != SQLITE_OK || scan->filter.empty) return rc;
  bool told = scan_is_told(scan);
  rc = scan_recall(scan, error);
  if (rc == SQLITE_ROW) return scan_check_scope(scan, told, error);
  if (rc == SQLITE_NOTFOUND) rc = scan_resolve(scan, told, compared, error);
  if (rc != SQLITE_OK || scan->scope.count == 0) return rc;
  if (plan.count && scan->filter.complete && !scan->rivals) {
    rc = mlf_trace_count(scan->source.statement, scan->table, plan_text, &scan->bound, &scan->scope,
                         &scan->counted, error);
    if (rc != SQLITE_NOTFOUND) return rc;
  }
  rc = scan_ask(scan, plan.order, &ask, error);
  return rc == SQLITE_OK ? mlf_source_begin(&scan->source, &ask, error) : rc;
}

const char *mlf_trace_scan_asked(const mlf_trace_scan *scan, const mlf_column *column) {
  if (column->key_kind == MLF_KEY_EXPERIMENT) {
    return mlf_experiment_list_name(&scan->source.statement->names,
                                    mlf_trace_experiment_id(scan->source.trace));
  }
  const mlf_value *asked = column->key_kind == MLF_KEY_FILTER ? scan->filter.raw : scan->filter.run;
  return asked ? asked->text : NULL;
}

/* Puts what is wrong with the trace into the log, and gives it to the caller. */
static int scan_note(mlf_trace_scan *scan, const mlf_json *json, mlf_error *cause, char **why,
                     mlf_error *error) {
  int code = cause->code;
  if (code == SQLITE_NOMEM || code == SQLITE_INTERRUPT) return mlf_error_move(error, cause);
  *why = mlf_error_take(cause);
  mlf_error_clear(cause);
  if (!*why) return mlf_error_nomem(error);
  mlf_client_log_trace(scan->source.statement->client, json ? mlf_json_tag(json) : -1,
                       mlf_trace_id(scan->source.trace), *why);
  return SQLITE_OK;
}

int mlf_trace_scan_blame(mlf_trace_scan *scan, const char *why, mlf_error *error) {
  if (scan->source.statement->settings->bad_traces_null) return SQLITE_OK;
  const char *id = mlf_trace_id(scan->source.trace);
  return mlf_error_set(error, SQLITE_ERROR,
                       "trace %.80s: %.250s; trace_id <> '%.80s' leaves it out, or set "
                       "MLFLOW_SQL_BAD_TRACES=null",
                       id, why, id);
}

int mlf_trace_scan_judge(mlf_trace_scan *scan, mlf_error *cause, mlf_value *value,
                         mlf_error *error) {
  char *why = NULL;
  if (cause->code == SQLITE_OK) return SQLITE_OK;
  int rc = scan_note(scan, scan->source.json, cause, &why, error);
  if (rc == SQLITE_OK) rc = mlf_trace_scan_blame(scan, why, error);
  if (value) mlf_value_clear(value);
  sqlite3_free(why);
  return rc;
}

int mlf_trace_scan_spans(mlf_trace_scan *scan, mlf_span_set **spans, char **why, mlf_error *error) {
  mlf_json *json = NULL;
  const mlf_json_node *found = NULL;
  mlf_error cause = {0};
  *spans = NULL;
  *why = NULL;
  int rc = mlf_source_spans(&scan->source, &json, &found, &cause);
  bool contents = rc == SQLITE_OK || rc == SQLITE_CORRUPT;
  if (rc == SQLITE_OK && found) rc = mlf_span_set_new(json, found, spans, &cause);
  if (rc != SQLITE_OK)
    rc = contents ? scan_note(scan, json, &cause, why, error) : mlf_error_move(error, &cause);
  mlf_json_free(json);
  return rc;
}
