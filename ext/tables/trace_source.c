#include "tables/trace_source.h"

#include <string.h>

#include "base/limits.h"
#include "model/decode_trace.h"
#include "remote/find.h"
#include "tables/values.h"

/* Requests for parts of a question before the whole is walked along, */
#define SOURCE_PARTS 16
/* and pages of it that each of them pays for then. */
#define SOURCE_ALONG 2
/* Traces read back at once: few at first, for who needs no more. */
#define SOURCE_READ_ROWS 8
#define SOURCE_READ_MORE 4
/* Neighbours taken along. */
#define SOURCE_AHEAD (MLF_PAYLOAD_TRACES_MAX - 1)

/* A question as one text: of which experiments, with what filter, from when to when, which of
** several ids. Texts stand there with their lengths, since anything may be in them. NULL: no
** memory. */
static char *source_text(const mlf_experiment_list *scope, const mlf_filter *filter,
                         const char *own) {
  const char *raw = filter->raw ? filter->raw->text : "",
             *run = filter->run ? filter->run->text : "";
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (size_t i = 0; i < scope->count; i++)
    sqlite3_str_appendf(text, "%s,", scope->ids[i]);
  if (!own) own = "";
  sqlite3_str_appendf(text, " %d %s %d %s %d %s %lld %lld", (int)strlen(raw), raw, (int)strlen(run),
                      run, (int)strlen(own), own, (sqlite3_int64)filter->low_ms,
                      (sqlite3_int64)filter->high_ms);
  for (size_t i = 0; i < filter->id_count; i++)
    sqlite3_str_appendf(text, " %d %s", (int)filter->ids[i].length, filter->ids[i].text);
  return sqlite3_str_finish(text);
}

/* The question of all that a filter lets through, with conditions of its own, walked in this order
** for so many rows; 0: for all. */
static int source_question(mlf_trace_source *source, const mlf_filter *filter, const char *own,
                           mlf_order order, int64_t rows_wanted, mlf_question **question,
                           mlf_error *error) {
  char *text = source_text(source->ask.scope, filter, own);
  mlf_given *given = source->statement->given;
  *question = text ? mlf_given_question(given, text, order, rows_wanted) : NULL;
  sqlite3_free(text);
  return *question ? SQLITE_OK : mlf_error_nomem(error);
}

static int source_whole(mlf_trace_source *source, const mlf_filter *filter, mlf_question **question,
                        mlf_error *error) {
  return source_question(source, filter, filter->text, MLF_ORDER_ANY, 0, question, error);
}

/* How many rows are wanted of what is asked for; 0: perhaps all, for SQLite may drop some. */
static int64_t source_rows_wanted(const mlf_trace_source *source) {
  return source->ask.filter->complete ? source->ask.rows_wanted : 0;
}

/* Takes the question of what is asked for. */
static int source_take_question(mlf_trace_source *source, const char *own, mlf_error *error) {
  return source_question(source, source->ask.filter, own, source->ask.order,
                         source_rows_wanted(source), &source->question, error);
}

/* Whether another part of the lasting question is asked for each time. */
static bool source_is_part(const mlf_trace_source *source) {
  return source->ask.lasting != source->ask.filter;
}

void mlf_source_reset(mlf_trace_source *source) {
  bool own = source->question && source->question != source->lasting;
  if (own && source_is_part(source)) mlf_given_stop(source->question);
  mlf_pager_free(source->pager);
  sqlite3_finalize(source->reader);
  mlf_json_free(source->json);
  sqlite3_free(source->pruned);
  *source = (mlf_trace_source){.statement = source->statement};
}

/* Puts the source at a trace of a page, which it takes; both NULL: at none. */
static void source_stand(mlf_trace_source *source, mlf_json *page, const mlf_json_node *trace) {
  mlf_json_free(source->json);
  source->json = page;
  source->trace = trace;
}

/* What a filter says, as a walk. */
static mlf_walk source_walk(const mlf_trace_source *source, const mlf_filter *filter,
                            mlf_order order) {
  return (mlf_walk){.experiment_ids = (const char *const *)source->ask.scope->ids,
                    .experiment_count = source->ask.scope->count,
                    .filter = filter->text,
                    .raw = filter->raw ? filter->raw->text : NULL,
                    .run_id = filter->run ? filter->run->text : NULL,
                    .low_ms = filter->low_ms,
                    .high_ms = filter->high_ms,
                    .ids = filter->ids,
                    .id_count = filter->id_count,
                    .oldest_first = order == MLF_ORDER_OLDEST_FIRST,
                    .any_order = order == MLF_ORDER_ANY};
}

static int source_begin_walk(const mlf_trace_source *source, const mlf_walk *walk,
                             mlf_pager **pager, mlf_error *error) {
  mlf_statement *statement = source->statement;
  return mlf_pager_new(statement->client, &statement->budget, walk, pager, error);
}

/* Begins to walk a question behind what is there of it: the lasting one, or else what is asked
** for. Once all is full it is a walk of this scan alone. */
static int source_walk_on(mlf_trace_source *source, mlf_question *question, mlf_error *error) {
  const mlf_ask *ask = &source->ask;
  bool lasting = question != source->question;
  const mlf_filter *filter = lasting ? ask->lasting : ask->filter;
  mlf_walk walk = source_walk(source, filter, question->order);
  mlf_pager *pager;
  if (!lasting) walk.rows_wanted = source_rows_wanted(source);
  if (!lasting && source->pruned) {
    walk.filter = source->pruned;
    walk.spans = true;
  }
  if (question->count > 0 && question->order == MLF_ORDER_NEWEST_FIRST && filter->id_count == 0 &&
      question->last_ms < walk.high_ms)
    walk.high_ms = question->last_ms;
  int rc = source_begin_walk(source, &walk, &pager, error);
  if (rc != SQLITE_OK) return rc;
  if (!lasting && source_is_part(source)) source->lasting->parts++;
  if (mlf_given_is_full(source->statement->given))
    source->pager = pager;
  else
    mlf_given_walk(source->statement->given, question, pager);
  return SQLITE_OK;
}

/* Walks on to the next trace, which the statement is given, and adds it to the question; what is
** there already is passed over. From what does not fit any more on, the walk is this scan's alone.
** SQLITE_ROW, SQLITE_DONE or an error. */
static int source_step(mlf_trace_source *source, mlf_question *question, const mlf_json **json,
                       const mlf_json_node **trace, mlf_error *error) {
  bool begun = source->pager || question->pager, added;
  int rc = begun ? SQLITE_OK : source_walk_on(source, question, error);
  if (rc != SQLITE_OK) return rc;
  do {
    rc = mlf_pager_next(source->pager ? source->pager : question->pager, json, trace, error);
    if (rc != SQLITE_ROW) break;
    rc = mlf_given_put(source->statement->given, *json, *trace, error);
    if (rc == SQLITE_OK)
      rc = mlf_given_add(source->statement->given, question, *trace, &added, error);
    if (!source->pager && mlf_given_is_full(source->statement->given)) {
      source->pager = question->pager;
      question->pager = NULL;
    }
  } while (rc == SQLITE_OK && !added);
  if (rc == SQLITE_DONE && !source->pager) mlf_given_complete(source->statement->given, question);
  return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

/* Walks on in a question until it has so many traces, or is complete, or all is full. */
static int source_extend(mlf_trace_source *source, mlf_question *question, int64_t rows,
                         mlf_error *error) {
  const mlf_json *json;
  const mlf_json_node *trace;
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && !question->complete && question->count < rows &&
         !mlf_given_is_full(source->statement->given)) {
    rc = source_step(source, question, &json, &trace, error);
    rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
  }
  mlf_pager_free(source->pager);
  source->pager = NULL;
  return rc;
}

/* Walks the lasting question along, as far as its parts have paid for. */
static int source_walk_along(mlf_trace_source *source, mlf_error *error) {
  mlf_question *lasting = source->lasting;
  int64_t pages = lasting->parts < SOURCE_PARTS ? 0 : (int64_t)SOURCE_ALONG * lasting->parts;
  return source_extend(source, lasting, pages * source->statement->settings->page_rows, error);
}

/* Begins to read what is there of the question, behind what was read; of the lasting one by the
** key, if there is one. */
static int source_read(mlf_trace_source *source, mlf_error *error) {
  mlf_given_part part = {.place = source->place,
                         .order = source->ask.order,
                         .column = source->question == source->lasting ? source->ask.key : NULL,
                         .text = source->ask.key_value};
  source->place = source->question->count;
  return mlf_given_read(source->statement->given, source->question, &part, &source->reader, error);
}

/* Goes to the next page that can be read back: SQLITE_ROW, or SQLITE_DONE if there is none. */
static int source_read_page(mlf_trace_source *source, mlf_error *error) {
  const mlf_question *question = source->question;
  mlf_json *page = NULL;
  int rc = SQLITE_DONE;
  while (rc == SQLITE_DONE && (source->reader || source->place < question->count)) {
    rc = source->reader ? SQLITE_OK : source_read(source, error);
    if (rc == SQLITE_OK)
      rc = mlf_given_page(source->statement->given, &source->reader, source->page_rows, &page,
                          error);
  }
  if (rc != SQLITE_ROW) return rc;
  source_stand(source, page, mlf_json_first(mlf_json_member(mlf_json_root(page), "traces")));
  source->reading = true;
  source->page_rows *= SOURCE_READ_MORE;
  if (source->page_rows > MLF_PAGE_ROWS_MAX) source->page_rows = MLF_PAGE_ROWS_MAX;
  return rc;
}

/* Walks on to the next trace of what is asked for. */
static int source_walk_next(mlf_trace_source *source, mlf_error *error) {
  const mlf_json *json = NULL;
  const mlf_json_node *trace = NULL;
  int rc = source_step(source, source->question, &json, &trace, error);
  if (rc == SQLITE_ROW) {
    source->place = source->question->count;
    if (source_is_part(source) && source->json && json != source->json) source->lasting->parts++;
    source_stand(source, mlf_json_hold(json), trace);
  }
  return rc;
}

int mlf_source_next(mlf_trace_source *source, mlf_error *error) {
  const mlf_json_node *trace = source->reading ? mlf_json_next(source->trace) : NULL;
  if (trace) {
    source->trace = trace;
    return SQLITE_OK;
  }
  source->reading = false;
  int rc = source->question ? source_read_page(source, error) : SQLITE_DONE;
  bool over = !source->question || source->question->complete;
  if (rc == SQLITE_DONE && !over) rc = source_walk_next(source, error);
  if (rc == SQLITE_DONE) source_stand(source, NULL, NULL);
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int mlf_source_recall(mlf_trace_source *source, const char *id, mlf_error *error) {
  mlf_json *page = NULL;
  const mlf_json_node *trace = NULL;
  int rc = mlf_statement_keep(source->statement, error);
  if (rc == SQLITE_OK) rc = mlf_given_find(source->statement->given, id, 0, &page, &trace, error);
  if (rc == SQLITE_ROW) source_stand(source, page, trace);
  return rc;
}

/* Goes to a trace of the lasting question by its id. */
static int source_find(mlf_trace_source *source, const char *id, mlf_error *error) {
  int rc = mlf_given_has(source->statement->given, source->lasting, id, error);
  return rc == SQLITE_ROW ? mlf_source_recall(source, id, error) : rc;
}

/* Asks for some ids with nothing else that changes, notes which of them there are, which holds for
** all looks, and stands at the one that is looked up. */
static int source_ask_ids(mlf_trace_source *source, const mlf_value *ids, size_t count,
                          const char *id, mlf_error *error) {
  const mlf_json *json;
  const mlf_json_node *trace;
  mlf_pager *pager;
  mlf_walk walk = source_walk(source, source->ask.lasting, MLF_ORDER_ANY);
  walk.ids = ids;
  walk.id_count = count;
  int rc = source_begin_walk(source, &walk, &pager, error);
  while (rc == SQLITE_OK && (rc = mlf_pager_next(pager, &json, &trace, error)) == SQLITE_ROW) {
    rc = mlf_given_put(source->statement->given, json, trace, error);
    if (rc == SQLITE_OK)
      rc = mlf_given_note(source->statement->given, source->lasting, mlf_trace_id(trace), true,
                          error);
    if (rc == SQLITE_OK && strcmp(mlf_trace_id(trace), id) == 0)
      source_stand(source, mlf_json_hold(json), trace);
  }
  mlf_pager_free(pager);
  if (rc == SQLITE_DONE) rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < count; i++)
    rc = mlf_given_note(source->statement->given, source->lasting, ids[i].text, false, error);
  return rc;
}

/* Asks for all that SQLite gives a list of. An id that is not in the list is not asked for: SQLite
** wants no row of it. SQLITE_NOTFOUND for a list that would be forgotten at once. */
static int source_follow_hint(mlf_trace_source *source, const char *id, mlf_error *error) {
  mlf_value *ids;
  size_t count;
  bool found = false;
  if (mlf_values_list(source->ask.hint, &ids, &count) != SQLITE_OK) return mlf_error_nomem(error);
  for (size_t i = 0; i < count; i++)
    found = found || (ids[i].type == MLF_TEXT && strcmp(ids[i].text, id) == 0);
  int rc = SQLITE_DONE;
  if (found && mlf_given_is_full(source->statement->given) &&
      count > (size_t)source->statement->settings->page_rows) {
    rc = SQLITE_NOTFOUND;
  } else if (found) {
    mlf_payloads_expect(source->statement->payloads, count);
    rc = mlf_filter_can_list(ids, count) ? source_ask_ids(source, ids, count, id, error)
                                         : source_walk_along(source, error);
  }
  mlf_values_free(ids, count);
  return rc;
}

/* Begins a scan for one id. */
static int source_look_up(mlf_trace_source *source, mlf_error *error) {
  const mlf_value *ids = source->ask.filter->ids;
  int rc = source_find(source, ids->text, error);
  if (rc == SQLITE_NOTFOUND) {
    rc = source->ask.hint ? source_follow_hint(source, ids->text, error)
                          : source_walk_along(source, error);
    if (rc == SQLITE_OK && !source->trace) rc = source_find(source, ids->text, error);
  }
  if (rc == SQLITE_NOTFOUND) {
    source->lasting->parts++;
    rc = source_ask_ids(source, ids, 1, ids->text, error);
  }
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Adds the conditions on spans to the filter where that loses no trace. Beside them no lower bound
** of time may be sent: one that walks from the oldest on does without them, and so does one where
** MLFLOW_SQL_FILTER has a time. */
static int source_prune(mlf_trace_source *source, mlf_error *error) {
  mlf_statement *statement = source->statement;
  mlf_question *question = source->lasting; /* what holds for it holds for each part */
  const mlf_filter *filter = source->ask.filter;
  mlf_walk walk = source_walk(source, source->ask.lasting, MLF_ORDER_NEWEST_FIRST);
  if (source->question->complete || !filter->spans || filter->id_count > 0 ||
      source->ask.order == MLF_ORDER_OLDEST_FIRST ||
      mlf_walk_bars_spans(statement->settings->filter) ||
      !mlf_server_knows(statement->server, MLF_FEATURE_IS_NULL))
    return SQLITE_OK;
  if (question->elsewhere < 0) {
    bool elsewhere;
    int rc = mlf_find_elsewhere(statement->client, &statement->budget, &walk, &elsewhere, error);
    if (rc != SQLITE_OK) return rc;
    question->elsewhere = elsewhere;
  }
  if (question->elsewhere) return SQLITE_OK;
  source->pruned = mlf_walk_and(filter->text, filter->spans);
  if (!source->pruned) return mlf_error_nomem(error);
  return source_take_question(source, source->pruned, error);
}

/* Completes a question about a list of ids, if nothing of it is there and the statement was given
** them all. What else the filter says SQLite checks; a raw filter and a run nobody can. */
static int source_collect(mlf_trace_source *source, const mlf_filter *filter, mlf_error *error) {
  mlf_question *question;
  if (filter->id_count <= 1 || filter->raw || filter->run) return SQLITE_OK;
  int rc = source_whole(source, filter, &question, error);
  if (rc != SQLITE_OK || question->complete || question->count + question->parts > 0) return rc;
  question->order = MLF_ORDER_ANY;
  for (size_t i = 0; rc == SQLITE_OK && i < filter->id_count; i++) {
    mlf_json *page;
    const mlf_json_node *trace;
    bool added;
    rc = mlf_given_find(source->statement->given, filter->ids[i].text, 0, &page, &trace, error);
    if (rc != SQLITE_ROW) break;
    bool inside = mlf_experiment_list_name(source->ask.scope, mlf_trace_experiment_id(trace));
    rc = inside ? mlf_given_add(source->statement->given, question, trace, &added, error)
                : SQLITE_OK;
    mlf_json_free(page);
  }
  if (rc == SQLITE_OK) mlf_given_complete(source->statement->given, question);
  return rc == SQLITE_NOTFOUND ? SQLITE_OK : rc;
}

/* Whether the walk has to be read back in its order. */
static bool source_is_turned(const mlf_ask *ask) {
  return ask->order == MLF_ORDER_OLDEST_FIRST && !ask->filter->complete;
}

/* All would have to be kept, and do not fit. */
static int source_refuse_order(mlf_error *error) {
  return mlf_error_set(
      error, SQLITE_ERROR,
      "ORDER BY timestamp_ms begins at the oldest trace, and with a condition that "
      "the server does not take all traces are read and kept first: more than the "
      "%d GiB that a statement keeps; ask for a shorter time, or DESC",
      (int)(MLF_GIVEN_BYTES_MAX >> 30));
}

/* Chooses the question that is read: the lasting one if it is complete, or what is asked for. */
static int source_choose(mlf_trace_source *source, mlf_error *error) {
  const mlf_filter *filter = source->ask.filter, *lasting = source->ask.lasting;
  int rc = source_collect(source, lasting, error);
  if (rc == SQLITE_OK && source_is_part(source)) {
    if (filter->id_count == 0 || lasting->id_count > 0) rc = source_walk_along(source, error);
    source->question = source->lasting;
    if (rc != SQLITE_OK || source->lasting->complete) return rc;
    rc = source_collect(source, filter, error);
  }
  if (rc == SQLITE_OK && source_is_turned(&source->ask)) {
    rc = source_whole(source, filter, &source->question, error);
    if (rc == SQLITE_OK) rc = source_extend(source, source->question, INT64_MAX, error);
    if (rc == SQLITE_OK && !source->question->complete) return source_refuse_order(error);
  }
  if (rc == SQLITE_OK) rc = source_take_question(source, filter->text, error);
  return rc == SQLITE_OK ? source_prune(source, error) : rc;
}

int mlf_source_begin(mlf_trace_source *source, const mlf_ask *ask, mlf_error *error) {
  source->ask = *ask;
  source->page_rows = SOURCE_READ_ROWS;
  int rc = mlf_statement_keep(source->statement, error);
  if (rc == SQLITE_OK && source_is_turned(ask))
    mlf_given_take(source->statement->given, MLF_GIVEN_BYTES_MAX);
  if (rc == SQLITE_OK) rc = source_whole(source, ask->lasting, &source->lasting, error);
  if (rc != SQLITE_OK) return rc;
  if (ask->filter->id_count == 1) return source_look_up(source, error);
  rc = source_choose(source, error);
  return rc == SQLITE_OK ? mlf_source_next(source, error) : rc;
}

/* Puts behind a trace that was recalled alone, and whose spans are to be fetched, those that were
** given with it, so that theirs can be fetched, too. */
static int source_take_neighbours(mlf_trace_source *source, mlf_error *error) {
  mlf_json *page;
  const mlf_json_node *trace;
  if (source->question || mlf_json_next(source->trace)) return SQLITE_OK;
  int rc = mlf_given_find(source->statement->given, mlf_trace_id(source->trace), SOURCE_AHEAD,
                          &page, &trace, error);
  if (rc == SQLITE_ROW) source_stand(source, page, trace);
  return rc == SQLITE_ROW || rc == SQLITE_NOTFOUND ? SQLITE_OK : rc;
}

/* Where the next trace may be, if it is on its way; else NULL. */
static int source_peek(const mlf_trace_source *source, const mlf_json_node **more,
                       mlf_error *error) {
  const mlf_question *question = source->question;
  bool last = question && !source->reading && source->place == question->count;
  mlf_pager *pager = source->pager ? source->pager : last ? question->pager : NULL;
  *more = NULL;
  return pager ? mlf_pager_peek(pager, more, error) : SQLITE_OK;
}

int mlf_source_spans(mlf_trace_source *source, mlf_json **json, const mlf_json_node **found,
                     mlf_error *error) {
  mlf_statement *statement = source->statement;
  const char *id = mlf_trace_id(source->trace);
  const mlf_json *fetched;
  const mlf_json_node *more = NULL;
  int rc = SQLITE_OK;
  *json = NULL;
  *found = NULL;
  if (!mlf_payloads_has(statement->payloads, source->trace)) {
    rc = mlf_given_find_spans(statement->given, id, json, error);
    if (rc == SQLITE_ROW) {
      *found = mlf_json_root(*json);
      mlf_payloads_used(statement->payloads);
      return SQLITE_OK;
    }
    if (rc == SQLITE_NOTFOUND) rc = source_take_neighbours(source, error);
  }
  if (rc == SQLITE_OK) rc = source_peek(source, &more, error);
  if (rc != SQLITE_OK) return rc;
  mlf_payloads_keep(statement->payloads, source->question ? NULL : mlf_given_has_spans,
                    statement->given);
  rc = mlf_payloads_get(statement->payloads, &statement->budget, source->trace, more, &fetched,
                        found, error);
  if (rc != SQLITE_OK) return rc;
  *json = mlf_json_hold(fetched);
  return mlf_given_put_reply(statement->given, mlf_trace_id(source->trace), fetched, *found, error);
}
