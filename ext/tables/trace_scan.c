#include "tables/trace_scan.h"

#include <string.h>

#include "base/clock.h"
#include "model/decode_trace.h"
#include "query/plan.h"
#include "tables/planning.h"
#include "tables/trace_recall.h"

/* Forgets the traces, and what was asked; stays with the statement. */
static void scan_reset(mlf_trace_scan *scan) {
  mlf_recall_reset(scan);
  mlf_pager_free(scan->pager);
  mlf_json_free(scan->held);
  mlf_filter_clear(&scan->filter);
  mlf_values_clear(&scan->bound);
  sqlite3_free(scan->ids);
  scan->pager = NULL;
  scan->held = NULL;
  scan->ids = NULL;
  scan->pruned = false;
  scan->at.json = NULL;
  scan->at.trace = NULL;
}

void mlf_trace_scan_end(mlf_trace_scan *scan) {
  scan_reset(scan);
  mlf_experiment_list_clear(&scan->scope);
  scan->scope_kept = false;
  if (scan->statement) mlf_statement_leave(scan->statement, &scan->at);
  scan->statement = NULL;
}

int mlf_trace_scan_next(mlf_trace_scan *scan, mlf_error *error) {
  int rc = SQLITE_DONE;
  if (scan->replaying) {
    rc = mlf_recall_next(scan, error);
  } else if (scan->pager) {
    rc = mlf_pager_next(scan->pager, &scan->at.json, &scan->at.trace, error);
    if (rc == SQLITE_ROW) return mlf_recall_record(scan, error);
    if (rc == SQLITE_DONE) mlf_recall_end(scan);
  }
  if (rc == SQLITE_ROW) return SQLITE_OK;
  scan->at.json = NULL;
  scan->at.trace = NULL;
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int mlf_trace_scan_ids(mlf_trace_scan *scan, const mlf_value *ids, size_t count, mlf_walk *walk) {
  if (count == 0) return SQLITE_OK;
  sqlite3_free(scan->ids);
  scan->ids = sqlite3_malloc64(count * sizeof(*scan->ids));
  if (!scan->ids) return SQLITE_NOMEM;
  for (size_t i = 0; i < count; i++) {
    if (ids[i].type == MLF_TEXT) scan->ids[walk->id_count++] = ids[i].text;
  }
  walk->ids = scan->ids;
  return SQLITE_OK;
}

mlf_walk mlf_trace_scan_walk(const mlf_trace_scan *scan, mlf_order order) {
  const mlf_filter *filter = &scan->filter;
  return (mlf_walk){.experiment_ids = (const char *const *)scan->scope.ids,
                    .experiment_count = scan->scope.count,
                    .filter = filter->text,
                    .raw = filter->raw ? filter->raw->text : NULL,
                    .run_id = filter->run ? filter->run->text : NULL,
                    .spans = scan->pruned,
                    .low_ms = filter->low_ms,
                    .high_ms = filter->high_ms,
                    .oldest_first = order == MLF_ORDER_OLDEST_FIRST,
                    .any_order = order == MLF_ORDER_ANY};
}

int mlf_trace_scan_pager(mlf_trace_scan *scan, const mlf_walk *walk, mlf_pager **pager,
                         mlf_error *error) {
  return mlf_pager_new(mlf_connection_client(scan->connection),
                       mlf_statement_budget(scan->statement), walk, pager, error);
}

int mlf_trace_scan_first(mlf_trace_scan *scan, mlf_walk walk, int64_t *timestamp_ms,
                         mlf_error *error) {
  const mlf_json *json;
  const mlf_json_node *trace;
  mlf_pager *pager;
  walk.rows_wanted = 1;
  *timestamp_ms = INT64_MAX;
  int rc = mlf_trace_scan_pager(scan, &walk, &pager, error);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_pager_next(pager, &json, &trace, error);
  if (rc == SQLITE_ROW) mlf_trace_timestamp(trace, timestamp_ms);
  mlf_pager_free(pager);
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Begins to walk what the filter and the scope say. */
static int scan_walk(mlf_trace_scan *scan, mlf_order order, mlf_error *error) {
  const mlf_filter *filter = &scan->filter;
  mlf_walk walk = mlf_trace_scan_walk(scan, order);
  if (filter->complete) walk.rows_wanted = scan->bound.rows_wanted;
  if (mlf_trace_scan_ids(scan, filter->ids, filter->id_count, &walk) != SQLITE_OK)
    return mlf_error_nomem(error);
  int rc = mlf_trace_scan_pager(scan, &walk, &scan->pager, error);
  return rc == SQLITE_OK ? mlf_trace_scan_next(scan, error) : rc;
}

/* Takes a trace that is asked for by its id from a page that another scan holds. A raw filter and a
** run say more than can be checked here. */
static bool scan_find(mlf_trace_scan *scan, const char *id) {
  const mlf_json *json;
  if (scan->filter.raw || scan->filter.run) return false;
  const mlf_json_node *trace = mlf_statement_find(scan->statement, &scan->at, id, &json);
  if (!trace || !mlf_experiment_list_name(&scan->scope, mlf_trace_experiment_id(trace)))
    return false;
  scan->held = mlf_json_hold(json);
  scan->at.json = json;
  scan->at.trace = trace;
  return true;
}

/* A filter and one more condition; NULL: no memory. */
static char *scan_and(const char *filter, const char *condition) {
  return sqlite3_mprintf("%s%s%s", filter ? filter : "", filter ? " AND " : "", condition);
}

/* Finds out whether some of the traces have their spans elsewhere than in the server's tables,
** where conditions on spans do not find them. */
static int scan_ask_elsewhere(mlf_trace_scan *scan, mlf_error *error) {
  static const char *const elsewhere[] = {
      "tags.`mlflow.trace.spansLocation` IS NULL",
      "tags.`mlflow.trace.spansLocation` != 'TRACKING_STORE'",
  };
  int64_t found_ms = INT64_MAX;
  int rc = SQLITE_OK;
  for (int i = 0; rc == SQLITE_OK && found_ms == INT64_MAX && i < 2; i++) {
    mlf_walk walk = mlf_trace_scan_walk(scan, MLF_ORDER_NEWEST_FIRST);
    char *filter = scan_and(scan->filter.text, elsewhere[i]);
    if (!filter) return mlf_error_nomem(error);
    walk.filter = filter;
    rc = mlf_trace_scan_first(scan, walk, &found_ms, error);
    sqlite3_free(filter);
  }
  if (rc == SQLITE_OK) scan->question->elsewhere = found_ms != INT64_MAX;
  return rc;
}

/* Adds the conditions on spans to the filter where that loses no trace. Beside them no lower bound
** of time is sent, so one that walks from the oldest on does without them. */
static int scan_prune(mlf_trace_scan *scan, mlf_server server, mlf_order order, mlf_error *error) {
  mlf_filter *filter = &scan->filter;
  if (!filter->spans || scan->question->complete || filter->id_count > 0 ||
      order == MLF_ORDER_OLDEST_FIRST || !mlf_server_knows(server, MLF_FEATURE_IS_NULL))
    return SQLITE_OK;
  int rc = scan->question->elsewhere < 0 ? scan_ask_elsewhere(scan, error) : SQLITE_OK;
  if (rc != SQLITE_OK || scan->question->elsewhere) return rc;
  char *both = scan_and(filter->text, filter->spans);
  if (!both) return mlf_error_nomem(error);
  sqlite3_free(filter->text);
  filter->text = both;
  scan->pruned = true;
  return mlf_recall_ask(scan, error);
}

/* Asks the server, and notes what that takes. */
static int scan_try(mlf_trace_scan *scan, mlf_order order, mlf_error *error) {
  int64_t began_ms = mlf_clock_monotonic_ms();
  int rc = scan_walk(scan, order, error);
  mlf_recall_tried(scan, mlf_clock_monotonic_ms() - began_ms);
  return rc;
}

/* Begins a scan for one id. */
static int scan_look_up(mlf_trace_scan *scan, mlf_error *error) {
  if (scan_find(scan, scan->filter.ids[0].text)) return SQLITE_OK;
  int rc = mlf_recall_look_up(scan, error);
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) return SQLITE_OK;
  if (rc == SQLITE_NOTFOUND) rc = scan_try(scan, MLF_ORDER_ANY, error);
  return rc == SQLITE_OK ? mlf_recall_learn(scan, error) : rc;
}

/* Begins a scan over all that the filter lets through. */
static int scan_all(mlf_trace_scan *scan, mlf_order order, mlf_error *error) {
  int rc = mlf_recall_scan(scan, order, error);
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) return SQLITE_OK;
  return rc == SQLITE_NOTFOUND ? scan_try(scan, order, error) : rc;
}

/* Writes the filter for the server's version, which is asked only if rows are possible at all. */
static int scan_write_filter(mlf_trace_scan *scan, mlf_server *server, mlf_error *error) {
  mlf_client *client = mlf_connection_client(scan->connection);
  const mlf_bound_terms *bound = &scan->bound;
  int rc = mlf_filter_write(bound->terms, bound->count, *server, &scan->filter, error);
  if (rc != SQLITE_OK || scan->filter.empty) return rc;
  mlf_filter_clear(&scan->filter);
  rc = mlf_client_server(client, mlf_statement_budget(scan->statement), server, error);
  if (rc != SQLITE_OK) return rc;
  return mlf_filter_write(bound->terms, bound->count, *server, &scan->filter, error);
}

/* Finds which experiments to read. Where the statement says nothing of them they are the same each
** time that the scan begins. */
static int scan_resolve(mlf_trace_scan *scan, bool untold, mlf_error *error) {
  bool asked = false;
  for (int i = 0; i < scan->bound.count; i++) {
    mlf_key_kind kind = scan->bound.terms[i].column->key_kind;
    asked = asked || kind == MLF_KEY_EXPERIMENT || kind == MLF_KEY_EXPERIMENT_ID;
  }
  if (!asked && scan->scope_kept) return SQLITE_OK;
  mlf_experiment_list_clear(&scan->scope);
  scan->scope_kept = !asked;
  return mlf_scope_resolve(scan->connection, scan->statement, scan->arguments, &scan->bound, untold,
                           &scan->scope, error);
}

/* Leaves out LIKE and GLOB if they are not SQLite's own: SQLite alone can tell what they mean. */
static void scan_leave_out_like(mlf_connection *connection, mlf_bound_terms *bound) {
  for (int i = 0; i < bound->count; i++) {
    mlf_op op = bound->terms[i].op;
    if ((op != MLF_OP_LIKE && op != MLF_OP_GLOB) || mlf_connection_has_own_like(connection))
      continue;
    mlf_values_drop(bound, i--);
  }
}

int mlf_trace_scan_begin(mlf_trace_scan *scan, int plan_number, const char *plan_text,
                         sqlite3_value **values, mlf_error *error) {
  mlf_plan plan;
  mlf_server server = {.major = 3};
  scan_reset(scan);
  int rc = mlf_plan_parse(scan->schema, plan_text, &plan);
  if (rc == SQLITE_OK) rc = mlf_values_bind(scan->schema, &plan, values, &scan->bound);
  if (rc != SQLITE_OK) return mlf_error_set(error, rc, "a plan that is none of ours");
  if (!scan->statement) /* a scan is of one statement as long as it is open */
    rc = mlf_connection_join(scan->connection, &scan->at, &scan->statement, error);
  if (rc != SQLITE_OK) return rc;
  scan_leave_out_like(scan->connection, &scan->bound);
  rc = scan_write_filter(scan, &server, error);
  if (rc != SQLITE_OK || scan->filter.empty) return rc;
  rc = scan_resolve(scan, plan_number == MLF_PLANNING_UNTOLD, error);
  if (rc != SQLITE_OK || scan->scope.count == 0) return rc;
  rc = mlf_recall_ask(scan, error);
  if (rc == SQLITE_OK) rc = scan_prune(scan, server, plan.order, error);
  if (rc != SQLITE_OK) return rc;
  if (scan->filter.id_count == 1) return scan_look_up(scan, error);
  mlf_statement_walk(scan->statement);
  return scan_all(scan, plan.order, error);
}

const char *mlf_trace_scan_asked(const mlf_trace_scan *scan, const mlf_column *column) {
  if (column->key_kind == MLF_KEY_EXPERIMENT)
    return mlf_experiment_list_name(&scan->scope, mlf_trace_experiment_id(scan->at.trace));
  const mlf_value *asked = column->key_kind == MLF_KEY_FILTER ? scan->filter.raw : scan->filter.run;
  return asked ? asked->text : NULL;
}

const char *mlf_trace_scan_run(const mlf_trace_scan *scan) {
  return scan->filter.run ? scan->filter.run->text : NULL;
}

/* Puts what is wrong with the trace into the log, and gives it to the caller. */
static int scan_note(mlf_trace_scan *scan, const mlf_json *json, mlf_error *cause, char **why,
                     mlf_error *error) {
  int code = cause->code;
  if (code == SQLITE_NOMEM || code == SQLITE_INTERRUPT) return mlf_error_move(error, cause);
  mlf_client *client = mlf_connection_client(scan->connection);
  *why = mlf_error_take(cause);
  mlf_error_clear(cause);
  if (!*why) return mlf_error_nomem(error);
  mlf_client_log_trace(client, json ? mlf_json_tag(json) : -1, mlf_trace_id(scan->at.trace), *why);
  return SQLITE_OK;
}

int mlf_trace_scan_blame(mlf_trace_scan *scan, const char *why, mlf_error *error) {
  const mlf_settings *settings;
  int rc = mlf_client_settings(mlf_connection_client(scan->connection), &settings, error);
  if (rc != SQLITE_OK || settings->bad_traces_null) return rc;
  const char *id = mlf_trace_id(scan->at.trace);
  return mlf_error_set(error, SQLITE_ERROR,
                       "trace %.80s: %.250s; trace_id <> '%.80s' leaves it out, or set "
                       "MLFLOW_SQL_BAD_TRACES=null",
                       id, why, id);
}

int mlf_trace_scan_judge(mlf_trace_scan *scan, mlf_error *cause, mlf_error *error) {
  char *why = NULL;
  if (cause->code == SQLITE_OK) return SQLITE_OK;
  int rc = scan_note(scan, scan->at.json, cause, &why, error);
  if (rc == SQLITE_OK) rc = mlf_trace_scan_blame(scan, why, error);
  sqlite3_free(why);
  return rc;
}

/* Fetches the spans of the trace that the scan is at. */
static int scan_fetch(mlf_trace_scan *scan, const mlf_json **json, const mlf_json_node **found,
                      mlf_error *error) {
  const mlf_json_node *more = NULL;
  mlf_payloads *payloads;
  int rc = mlf_statement_payloads(scan->statement, &payloads, error);
  if (rc == SQLITE_OK) rc = mlf_recall_neighbours(scan, payloads, error);
  if (rc == SQLITE_OK && scan->pager) rc = mlf_pager_peek(scan->pager, &more, error);
  if (rc != SQLITE_OK) return rc;
  return mlf_payloads_get(payloads, mlf_statement_budget(scan->statement), scan->at.trace, more,
                          json, found, error);
}

int mlf_trace_scan_spans(mlf_trace_scan *scan, mlf_span_set **spans, char **why, mlf_error *error) {
  const mlf_json *json = NULL;
  const mlf_json_node *found = NULL;
  mlf_error cause = {0};
  *spans = NULL;
  *why = NULL;
  int rc = scan_fetch(scan, &json, &found, &cause);
  if (rc != SQLITE_OK && rc != SQLITE_CORRUPT) return mlf_error_move(error, &cause);
  if (rc == SQLITE_OK && found) rc = mlf_span_set_new(json, found, spans, &cause);
  return rc == SQLITE_OK ? rc : scan_note(scan, json, &cause, why, error);
}
