#include "tables/trace_source.h"

#include <string.h>

#include "base/limits.h"
#include "model/decode_trace.h"
#include "remote/find.h"
#include "tables/values.h"

/* What a request costs, in rows that it may bring. */
#define SOURCE_REQUEST_ROWS 50
/* Parts of a question asked for before it is asked what the whole would cost. */
#define SOURCE_TRIES 16
/* The whole is asked for once they have cost this part of it. */
#define SOURCE_PART 20
/* So few traces before some time are no pages more, but stray ones: a clock was wrong. */
#define SOURCE_STRAYS    15
#define SOURCE_PAGES_MAX (1 << 20)
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
  for (size_t i = 0; i < filter->id_count; i++) {
    if (filter->ids[i].type != MLF_TEXT) continue;
    sqlite3_str_appendf(text, " %d %s", (int)filter->ids[i].length, filter->ids[i].text);
  }
  return sqlite3_str_finish(text);
}

static int source_question(mlf_trace_source *source, const mlf_filter *filter, const char *own,
                           mlf_question **question, mlf_error *error) {
  char *text = source_text(source->ask.scope, filter, own);
  *question = text ? mlf_given_question(source->given, text) : NULL;
  sqlite3_free(text);
  return *question ? SQLITE_OK : mlf_error_nomem(error);
}

void mlf_source_reset(mlf_trace_source *source) {
  if (source->question && source->question->recorder == source) source->question->recorder = NULL;
  mlf_pager_free(source->pager);
  sqlite3_finalize(source->reader);
  mlf_id_set_clear(&source->seen);
  mlf_json_free(source->held);
  sqlite3_free(source->pruned);
  sqlite3_free(source->ids);
  *source = (mlf_trace_source){.client = source->client, .statement = source->statement};
}

/* Copies ids for a walk, without NULLs. SQLITE_OK or SQLITE_NOMEM. */
static int source_take_ids(mlf_trace_source *source, const mlf_value *ids, size_t count,
                           mlf_walk *walk) {
  if (count == 0) return SQLITE_OK;
  sqlite3_free(source->ids);
  source->ids = sqlite3_malloc64(count * sizeof(*source->ids));
  if (!source->ids) return SQLITE_NOMEM;
  for (size_t i = 0; i < count; i++) {
    if (ids[i].type == MLF_TEXT) source->ids[walk->id_count++] = ids[i].text;
  }
  walk->ids = source->ids;
  return SQLITE_OK;
}

/* What a filter says, but for ids, as a walk. */
static mlf_walk source_walk(const mlf_trace_source *source, const mlf_filter *filter,
                            mlf_order order) {
  return (mlf_walk){.experiment_ids = (const char *const *)source->ask.scope->ids,
                    .experiment_count = source->ask.scope->count,
                    .filter = filter->text,
                    .raw = filter->raw ? filter->raw->text : NULL,
                    .run_id = filter->run ? filter->run->text : NULL,
                    .low_ms = filter->low_ms,
                    .high_ms = filter->high_ms,
                    .oldest_first = order == MLF_ORDER_OLDEST_FIRST,
                    .any_order = order == MLF_ORDER_ANY};
}

static int source_pager(mlf_trace_source *source, const mlf_walk *walk, mlf_pager **pager,
                        mlf_error *error) {
  mlf_budget *budget;
  *pager = NULL;
  int rc = mlf_statement_budget(source->statement, &budget, error);
  return rc == SQLITE_OK ? mlf_pager_new(source->client, budget, walk, pager, error) : rc;
}

/* Puts the source at a trace of a page, which it takes; both NULL: at none. */
static void source_stand(mlf_trace_source *source, mlf_json *page, const mlf_json_node *trace) {
  mlf_json_free(source->held);
  source->held = page;
  source->json = page;
  source->trace = trace;
}

/* Takes what a pager has brought: the page, if it is a new one. */
static int source_take(mlf_trace_source *source, const mlf_json *json, const mlf_json_node *trace,
                       mlf_error *error) {
  if (!source->given || json == source->held) return SQLITE_OK;
  mlf_json_free(source->held);
  source->held = mlf_json_hold(json);
  return mlf_given_put(source->given, json, trace, error);
}

/* Gives the statement all that a walk finds, and adds it to a question if that is not NULL; to the
** end, or for some rows if `rows_max` is not 0. Then `*rows` is how many there were. */
static int source_drain(mlf_trace_source *source, const mlf_walk *walk, mlf_question *question,
                        int64_t rows_max, int64_t *rows, mlf_error *error) {
  const mlf_json *json;
  const mlf_json_node *trace;
  mlf_pager *pager;
  *rows = 0;
  int rc = source_pager(source, walk, &pager, error);
  while (rc == SQLITE_OK && (rows_max == 0 || *rows < rows_max)) {
    int step = mlf_pager_next(pager, &json, &trace, error);
    if (step != SQLITE_ROW) {
      rc = step == SQLITE_DONE ? SQLITE_OK : step;
      break;
    }
    ++*rows;
    rc = source_take(source, json, trace, error);
    if (rc == SQLITE_OK && question)
      rc = mlf_given_add(source->given, question, source, trace, error);
  }
  mlf_pager_free(pager);
  return rc;
}

/* Completes a question, which has this filter. */
static int source_complete(mlf_trace_source *source, mlf_question *question,
                           const mlf_filter *filter, mlf_error *error) {
  int64_t rows;
  int rc = mlf_given_begin(source->given, question, source, error);
  if (rc != SQLITE_OK || question->recorder != source) return rc;
  mlf_walk walk = source_walk(source, filter, MLF_ORDER_ANY);
  rc = source_take_ids(source, filter->ids, filter->id_count, &walk) == SQLITE_OK
           ? source_drain(source, &walk, question, 0, &rows, error)
           : mlf_error_nomem(error);
  question->recorder = NULL;
  if (rc != SQLITE_OK) return rc;
  question->order = MLF_ORDER_ANY;
  mlf_given_complete(source->given, question);
  return SQLITE_OK;
}

/* How many pages there are about, of which the newest spans first_ms..last_ms: looks twice as far
** back each time, to where the question begins, or until there is nothing: then the oldest trace
** lies somewhere in the last half, in its middle for all that is known. */
static int source_count_pages(mlf_trace_source *source, int64_t first_ms, int64_t last_ms,
                              int64_t *pages, mlf_error *error) {
  double span = (double)first_ms - (double)last_ms + 1;
  int64_t rows = SOURCE_STRAYS + 1;
  int rc = SQLITE_OK;
  for (*pages = 1; rc == SQLITE_OK && rows > SOURCE_STRAYS && *pages < SOURCE_PAGES_MAX;
       *pages *= 2) {
    double until_ms = (double)first_ms - span * (double)*pages * 2;
    if (until_ms <= (double)source->ask.lasting->low_ms) {
      *pages = (int64_t)(((double)first_ms - (double)source->ask.lasting->low_ms) / span) + 1;
      return rc;
    }
    mlf_walk walk = source_walk(source, source->ask.lasting, MLF_ORDER_NEWEST_FIRST);
    if ((int64_t)until_ms < walk.high_ms) walk.high_ms = (int64_t)until_ms;
    walk.rows_wanted = SOURCE_STRAYS + 1;
    rc = source_drain(source, &walk, NULL, walk.rows_wanted, &rows, error);
  }
  *pages -= *pages / 4;
  return rc;
}

/* Finds out once what all of the lasting question would cost: by its ids, or by its newest page and
** how far back it goes. */
static int source_judge(mlf_trace_source *source, mlf_error *error) {
  mlf_question *lasting = source->lasting;
  const mlf_json *json;
  const mlf_json_node *trace;
  mlf_pager *pager;
  int64_t first_ms = 0, last_ms = 0, rows = 0, pages = 1;
  int64_t ids = (int64_t)source->ask.lasting->id_count;
  if (ids > 0) lasting->price = ids + SOURCE_REQUEST_ROWS * (1 + ids / MLF_PAGE_ROWS_MAX);
  if (lasting->price > 0) return SQLITE_OK;
  mlf_walk walk = source_walk(source, source->ask.lasting, MLF_ORDER_NEWEST_FIRST);
  int rc = source_pager(source, &walk, &pager, error);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_pager_next(pager, &json, &trace, error);
  bool any = rc == SQLITE_ROW;
  if (any) rc = source_take(source, json, trace, error);
  for (; rc == SQLITE_OK && any && trace; trace = mlf_json_next(trace), rows++)
    mlf_trace_timestamp(trace, rows == 0 ? &first_ms : &last_ms);
  const mlf_json_node *token =
      any && rc == SQLITE_OK ? mlf_json_member(mlf_json_root(json), "next_page_token") : NULL;
  bool more = token && mlf_json_text(token) && *mlf_json_text(token);
  mlf_pager_free(pager);
  if (rc == SQLITE_OK && more && rows > 1)
    rc = source_count_pages(source, first_ms, last_ms, &pages, error);
  lasting->price = pages * (SOURCE_REQUEST_ROWS + rows);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Completes the lasting question once its parts have cost enough. */
static int source_weigh(mlf_trace_source *source, mlf_error *error) {
  mlf_question *lasting = source->lasting;
  if (lasting->complete || lasting->tries < SOURCE_TRIES) return SQLITE_OK;
  int rc = source_judge(source, error);
  if (rc != SQLITE_OK || lasting->spent < lasting->price / SOURCE_PART) return rc;
  return source_complete(source, lasting, source->ask.lasting, error);
}

/* Counts what a part of the question costs. */
static void source_spend(mlf_trace_source *source, int64_t rows) {
  if (source->lasting) source->lasting->spent += rows;
}

/* The next page of a question that is read. */
static int source_read_page(mlf_trace_source *source, mlf_error *error) {
  mlf_json *page;
  int rc = mlf_given_page(source->given, &source->reader, &page, error);
  const mlf_json_node *root = page ? mlf_json_root(page) : NULL;
  source_stand(source, page, mlf_json_first(mlf_json_member(root, "traces")));
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Goes on, in a question that is read, to a trace that was not handed out before. */
static int source_skip_seen(mlf_trace_source *source, mlf_error *error) {
  int rc = SQLITE_OK;
  bool new = source->seen.count + source->seen.others.count == 0;
  while (rc == SQLITE_OK && source->trace && !new) {
    if (mlf_id_set_add(&source->seen, mlf_trace_id(source->trace), &new) != SQLITE_OK)
      return mlf_error_nomem(error);
    if (new) break;
    source->trace = mlf_json_next(source->trace);
    if (!source->trace) rc = source_read_page(source, error);
  }
  return rc;
}

/* Reads a complete question, by the key if there is one. */
static int source_read(mlf_trace_source *source, const mlf_question *question, mlf_error *error) {
  const mlf_column *key = question == source->question ? NULL : source->ask.key;
  int rc = mlf_given_read(source->given, question, key, source->ask.key_value, source->ask.order,
                          &source->reader, error);
  source->reading = true;
  return rc == SQLITE_OK ? source_read_page(source, error) : rc;
}

/* Goes on in the question, which another scan has completed meanwhile, after what the server has
** sent. */
static int source_switch(mlf_trace_source *source, mlf_error *error) {
  mlf_pager_take_seen(source->pager, &source->seen);
  mlf_pager_free(source->pager);
  source->pager = NULL;
  source->json = NULL;
  source->trace = NULL;
  int rc = source_read(source, source->question, error);
  return rc == SQLITE_OK ? source_skip_seen(source, error) : rc;
}

int mlf_source_next(mlf_trace_source *source, mlf_error *error) {
  if (source->reading) {
    source->trace = mlf_json_next(source->trace);
    int rc = source->trace ? SQLITE_OK : source_read_page(source, error);
    return rc == SQLITE_OK ? source_skip_seen(source, error) : rc;
  }
  if (source->pager && source->question && source->question->complete)
    return source_switch(source, error);
  mlf_question *question = source->question;
  bool recording = question && question->recorder == source;
  int rc = source->pager ? mlf_pager_next(source->pager, &source->json, &source->trace, error)
                         : SQLITE_DONE;
  if (rc == SQLITE_ROW) {
    source_spend(source, 1);
    rc = source_take(source, source->json, source->trace, error);
    if (rc == SQLITE_OK && recording)
      rc = mlf_given_add(source->given, question, source, source->trace, error);
    return rc;
  }
  source->json = NULL;
  source->trace = NULL;
  if (rc != SQLITE_DONE) return rc;
  if (recording) mlf_given_complete(source->given, question);
  return SQLITE_OK;
}

/* Begins to walk what is asked for. */
static int source_ask_server(mlf_trace_source *source, mlf_error *error) {
  const mlf_filter *filter = source->ask.filter;
  mlf_walk walk = source_walk(source, filter, source->ask.order);
  if (source->pruned) {
    walk.filter = source->pruned;
    walk.spans = true;
  }
  if (filter->complete) walk.rows_wanted = source->ask.rows_wanted;
  if (source_take_ids(source, filter->ids, filter->id_count, &walk) != SQLITE_OK)
    return mlf_error_nomem(error);
  int rc = source_pager(source, &walk, &source->pager, error);
  if (source->lasting) source->lasting->tries++;
  source_spend(source, SOURCE_REQUEST_ROWS);
  return rc == SQLITE_OK ? mlf_source_next(source, error) : rc;
}

int mlf_source_recall(mlf_trace_source *source, const char *id, mlf_error *error) {
  mlf_json *page;
  const mlf_json_node *trace;
  int rc = mlf_statement_given(source->statement, false, &source->given, error);
  if (rc != SQLITE_OK) return rc;
  if (!source->given) return SQLITE_NOTFOUND;
  rc = mlf_given_find(source->given, id, 0, &page, &trace, error);
  if (rc != SQLITE_ROW) return rc;
  source_stand(source, page, trace);
  return rc;
}

/* Goes to a trace of the lasting question by its id. */
static int source_find(mlf_trace_source *source, const char *id, mlf_error *error) {
  int rc = mlf_given_has(source->given, source->lasting, id, error);
  return rc == SQLITE_ROW ? mlf_source_recall(source, id, error) : rc;
}

/* Asks for all ids that are likely to be looked up, and notes which of them there are not. */
static int source_ask_list(mlf_trace_source *source, const mlf_value *ids, size_t count,
                           mlf_error *error) {
  int64_t rows;
  mlf_walk walk = source_walk(source, source->ask.lasting, MLF_ORDER_NEWEST_FIRST);
  if (source_take_ids(source, ids, count, &walk) != SQLITE_OK) return mlf_error_nomem(error);
  int rc = source_drain(source, &walk, source->lasting, 0, &rows, error);
  for (size_t i = 0; rc == SQLITE_OK && i < walk.id_count; i++)
    rc = mlf_given_put_none(source->given, source->lasting, walk.ids[i], error);
  return rc;
}

/* SQLITE_DONE if the id that is looked up is not in the list: SQLite wants no row of it. */
static int source_follow_hint(mlf_trace_source *source, const char *id, mlf_error *error) {
  mlf_value *ids;
  size_t count;
  bool found;
  if (mlf_values_list_has(source->ask.hint, id, &found) != SQLITE_OK) return mlf_error_nomem(error);
  if (!found) return SQLITE_DONE;
  if (mlf_values_list(source->ask.hint, &ids, &count) != SQLITE_OK) return mlf_error_nomem(error);
  int rc = mlf_filter_can_list(ids, count) ? source_ask_list(source, ids, count, error)
                                           : source_weigh(source, error);
  mlf_values_free(ids, count);
  return rc;
}

/* Begins a scan for one id. */
static int source_look_up(mlf_trace_source *source, mlf_error *error) {
  const char *id = source->ask.filter->ids[0].text;
  int rc = source_find(source, id, error);
  if (rc == SQLITE_NOTFOUND) {
    rc = source->ask.hint ? source_follow_hint(source, id, error) : source_weigh(source, error);
    if (rc == SQLITE_OK) rc = source_find(source, id, error);
  }
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) return SQLITE_OK;
  if (rc == SQLITE_NOTFOUND) rc = source_ask_server(source, error);
  if (rc != SQLITE_OK) return rc;
  return source->trace ? mlf_given_add(source->given, source->lasting, source, source->trace, error)
                       : mlf_given_put_none(source->given, source->lasting, id, error);
}

/* Adds the conditions on spans to the filter where that loses no trace. Beside them no lower bound
** of time may be sent: one that walks from the oldest on does without them, and so does one where
** MLFLOW_SQL_FILTER has a time. */
static int source_prune(mlf_trace_source *source, mlf_error *error) {
  const mlf_filter *filter = source->ask.filter;
  mlf_server server;
  mlf_budget *budget;
  bool elsewhere = source->question && source->question->elsewhere > 0;
  if (!filter->spans || filter->id_count > 0 || source->ask.order == MLF_ORDER_OLDEST_FIRST)
    return SQLITE_OK;
  mlf_walk walk = source_walk(source, filter, MLF_ORDER_NEWEST_FIRST);
  const mlf_settings *settings;
  int rc = mlf_client_settings(source->client, &settings, error);
  if (rc != SQLITE_OK || mlf_walk_bars_spans(settings->filter)) return rc;
  rc = mlf_statement_budget(source->statement, &budget, error);
  if (rc == SQLITE_OK) rc = mlf_client_server(source->client, budget, &server, error);
  if (rc != SQLITE_OK || !mlf_server_knows(server, MLF_FEATURE_IS_NULL)) return rc;
  if (!source->question || source->question->elsewhere < 0)
    rc = mlf_find_elsewhere(source->client, budget, &walk, &elsewhere, error);
  if (rc != SQLITE_OK) return rc;
  if (source->question) source->question->elsewhere = elsewhere;
  if (elsewhere) return SQLITE_OK;
  source->pruned = mlf_walk_and(filter->text, filter->spans);
  if (!source->pruned) return mlf_error_nomem(error);
  return source->given ? source_question(source, filter, source->pruned, &source->question, error)
                       : SQLITE_OK;
}

/* Completes a question about a list of ids, as long as the server was asked for no part of it, if
** the statement was given them all. What else the filter says SQLite checks; a raw filter and a run
** nobody can check here. */
static int source_collect(mlf_trace_source *source, mlf_question *question,
                          const mlf_filter *filter, mlf_error *error) {
  int rc = SQLITE_OK;
  if (filter->raw || filter->run || question->complete || question->recorder) return rc;
  if (question->tries > 0) return rc;
  rc = mlf_given_begin(source->given, question, source, error);
  if (rc != SQLITE_OK || question->recorder != source) return rc;
  for (size_t i = 0; rc == SQLITE_OK && i < filter->id_count; i++) {
    mlf_json *page;
    const mlf_json_node *trace;
    if (filter->ids[i].type != MLF_TEXT) continue;
    rc = mlf_given_find(source->given, filter->ids[i].text, 0, &page, &trace, error);
    if (rc != SQLITE_ROW) break;
    bool inside = mlf_experiment_list_name(source->ask.scope, mlf_trace_experiment_id(trace));
    rc = inside ? mlf_given_add(source->given, question, source, trace, error) : SQLITE_OK;
    mlf_json_free(page);
  }
  question->recorder = NULL;
  question->order = MLF_ORDER_ANY;
  if (rc == SQLITE_OK) mlf_given_complete(source->given, question);
  return rc == SQLITE_NOTFOUND ? SQLITE_OK : rc;
}

/* Whether the walk has to be read back in its order. */
static bool source_is_turned(const mlf_ask *ask) {
  return ask->order == MLF_ORDER_OLDEST_FIRST && !ask->filter->complete;
}

/* Begins a scan over what the filter lets through, as a question of its own. */
static int source_walk_question(mlf_trace_source *source, mlf_error *error) {
  const mlf_ask *ask = &source->ask;
  int rc = source_question(source, ask->filter, ask->filter->text, &source->question, error);
  if (rc == SQLITE_OK && ask->filter->id_count > 1 && ask->lasting->id_count <= 1)
    rc = source_collect(source, source->question, ask->filter, error);
  if (rc == SQLITE_OK && source_is_turned(ask))
    rc = source_complete(source, source->question, ask->filter, error);
  if (rc == SQLITE_OK && !source->question->complete) rc = source_prune(source, error);
  if (rc != SQLITE_OK) return rc;
  if (source->question->complete) return source_read(source, source->question, error);
  rc = mlf_given_begin(source->given, source->question, source, error);
  if (source->question->recorder == source) source->question->order = ask->order;
  return rc == SQLITE_OK ? source_ask_server(source, error) : rc;
}

/* Begins a scan over all that the filter lets through. */
static int source_walk_all(mlf_trace_source *source, mlf_error *error) {
  const mlf_ask *ask = &source->ask;
  int rc = SQLITE_OK;
  if (!source->given) {
    rc = source_prune(source, error);
    return rc == SQLITE_OK ? source_ask_server(source, error) : rc;
  }
  if (ask->lasting->id_count > 1) rc = source_collect(source, source->lasting, ask->lasting, error);
  if (ask->filter->id_count == 0 || ask->lasting->id_count > 0) {
    if (rc == SQLITE_OK) rc = source_weigh(source, error);
    if (rc == SQLITE_OK && source->lasting->complete)
      return source_read(source, source->lasting, error);
  }
  return rc == SQLITE_OK ? source_walk_question(source, error) : rc;
}

int mlf_source_begin(mlf_trace_source *source, const mlf_ask *ask, mlf_error *error) {
  source->ask = *ask;
  int rc = mlf_statement_given(source->statement, source_is_turned(ask), &source->given, error);
  if (rc == SQLITE_OK && source->given)
    rc = source_question(source, ask->lasting, ask->lasting->text, &source->lasting, error);
  if (rc != SQLITE_OK) return rc;
  bool look_up = source->given && ask->filter->id_count == 1;
  return look_up ? source_look_up(source, error) : source_walk_all(source, error);
}

int mlf_source_peek(mlf_trace_source *source, const mlf_json_node **more, mlf_error *error) {
  *more = NULL;
  return source->pager ? mlf_pager_peek(source->pager, more, error) : SQLITE_OK;
}

bool mlf_source_is_alone(const mlf_trace_source *source) {
  return source->given && !source->pager && !source->reading;
}

int mlf_source_neighbours(mlf_trace_source *source, mlf_payloads *payloads, mlf_error *error) {
  mlf_json *page;
  const mlf_json_node *trace;
  if (!mlf_source_is_alone(source)) return SQLITE_OK;
  if (mlf_json_next(source->trace)) return SQLITE_OK;
  if (mlf_payloads_has(payloads, source->trace)) return SQLITE_OK;
  int rc = mlf_given_find(source->given, mlf_trace_id(source->trace), SOURCE_AHEAD, &page, &trace,
                          error);
  if (rc == SQLITE_ROW) source_stand(source, page, trace);
  return rc == SQLITE_ROW || rc == SQLITE_NOTFOUND ? SQLITE_OK : rc;
}
