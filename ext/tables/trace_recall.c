#include "tables/trace_recall.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "model/decode_trace.h"

/* Look-ups, or walks begun, before it is asked whether to walk to the end would be cheaper. */
#define RECALL_TRIES 16
/* The walk is done once they have cost this part of it. */
#define RECALL_PART 8
/* Pages that come side by side come about twice as fast. */
#define RECALL_SIDE_BY_SIDE 2
/* So few traces before some time are no pages more, but stray ones: a clock was wrong. */
#define RECALL_STRAYS    15
#define RECALL_PAGES_MAX (1 << 20)
/* Neighbours taken along. */
#define RECALL_AHEAD (MLF_PAYLOAD_TRACES_MAX - 1)

/* What is asked, as one text: of which experiments, with what filter, from when to when, which of
** several ids; and whether a list says what else will be. NULL: no memory. */
static char *recall_text(const mlf_trace_scan *scan) {
  const mlf_filter *filter = &scan->filter;
  const char *raw = filter->raw ? filter->raw->text : "", *own = filter->text ? filter->text : "";
  const char *run = filter->run ? filter->run->text : "";
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (size_t i = 0; i < scan->scope.count; i++)
    sqlite3_str_appendf(text, "%s,", scan->scope.ids[i]);
  /* With their lengths, since any text may stand in them. */
  sqlite3_str_appendf(text, " %d %s %d %s %d %s %lld %lld%s", (int)strlen(raw), raw,
                      (int)strlen(run), run, (int)strlen(own), own, (sqlite3_int64)filter->low_ms,
                      (sqlite3_int64)filter->high_ms, scan->bound.hint ? " listed" : "");
  for (size_t i = 0; filter->id_count > 1 && i < filter->id_count; i++) {
    if (filter->ids[i].type != MLF_TEXT) continue;
    sqlite3_str_appendf(text, " %d %s", (int)filter->ids[i].length, filter->ids[i].text);
  }
  return sqlite3_str_finish(text);
}

int mlf_recall_ask(mlf_trace_scan *scan, mlf_error *error) {
  int rc = mlf_statement_memo(scan->statement, &scan->memo, error);
  if (rc != SQLITE_OK) return rc;
  char *text = recall_text(scan);
  scan->question = text ? mlf_memo_question(scan->memo, text) : NULL;
  sqlite3_free(text);
  return scan->question ? SQLITE_OK : mlf_error_nomem(error);
}

static int recall_put(const mlf_trace_scan *scan, const mlf_json *json, const mlf_json_node *trace,
                      mlf_error *error) {
  size_t length;
  int64_t timestamp_ms = 0;
  const char *raw = mlf_json_raw(json, trace, &length);
  mlf_trace_timestamp(trace, &timestamp_ms);
  return mlf_memo_put(scan->memo, scan->question, mlf_trace_id(trace), timestamp_ms, raw, length,
                      error);
}

/* Remembers all traces that a walk finds: SQLITE_DONE, or SQLITE_ROW if they do not fit. */
static int recall_walk(mlf_trace_scan *scan, const mlf_walk *walk, mlf_error *error) {
  const mlf_json *json;
  const mlf_json_node *trace;
  mlf_pager *pager;
  int rc = mlf_trace_scan_pager(scan, walk, &pager, error);
  if (rc != SQLITE_OK) return rc;
  do {
    rc = mlf_pager_next(pager, &json, &trace, error);
    if (rc == SQLITE_ROW) {
      int put = recall_put(scan, json, trace, error);
      if (put != SQLITE_OK) rc = put;
    }
  } while (rc == SQLITE_ROW && !mlf_memo_is_full(scan->memo));
  mlf_pager_free(pager);
  return rc;
}

/* Walks over all traces of the question. */
static int recall_all(mlf_trace_scan *scan, mlf_error *error) {
  const mlf_filter *filter = &scan->filter;
  mlf_walk walk = mlf_trace_scan_walk(scan, MLF_ORDER_ANY);
  if (filter->id_count > 1 &&
      mlf_trace_scan_ids(scan, filter->ids, filter->id_count, &walk) != SQLITE_OK)
    return mlf_error_nomem(error);
  int rc = mlf_memo_empty(scan->memo, scan->question, error);
  if (rc == SQLITE_OK) rc = recall_walk(scan, &walk, error);
  scan->question->complete = rc == SQLITE_DONE;
  return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Walks over the traces with the ids of a list, and remembers which ids have none. */
static int recall_ids(mlf_trace_scan *scan, const mlf_value *ids, size_t count, mlf_error *error) {
  mlf_walk walk = mlf_trace_scan_walk(scan, MLF_ORDER_NEWEST_FIRST);
  if (mlf_trace_scan_ids(scan, ids, count, &walk) != SQLITE_OK) return mlf_error_nomem(error);
  int rc = recall_walk(scan, &walk, error);
  if (rc != SQLITE_DONE) return rc == SQLITE_ROW ? SQLITE_OK : rc;
  rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < walk.id_count; i++)
    rc = mlf_memo_put_none(scan->memo, scan->question, walk.ids[i], error);
  scan->question->listed = true;
  return rc;
}

/* Finds out whether there are more than stray traces at or before this time. */
static int recall_has_more(mlf_trace_scan *scan, int64_t ms, bool *more, mlf_error *error) {
  const mlf_json *json;
  const mlf_json_node *trace;
  mlf_pager *pager;
  mlf_walk walk = mlf_trace_scan_walk(scan, MLF_ORDER_NEWEST_FIRST);
  int rows = 0;
  if (ms < walk.high_ms) walk.high_ms = ms;
  walk.rows_wanted = RECALL_STRAYS + 1;
  int rc = mlf_trace_scan_pager(scan, &walk, &pager, error);
  if (rc != SQLITE_OK) return rc;
  do {
    rc = mlf_pager_next(pager, &json, &trace, error);
    rows += rc == SQLITE_ROW;
  } while (rc == SQLITE_ROW && rows <= RECALL_STRAYS);
  mlf_pager_free(pager);
  *more = rows > RECALL_STRAYS;
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* How many pages there are about, of which the newest spans first_ms..last_ms: looks twice as far
** back each time, until there is nothing. */
static int recall_count_pages(mlf_trace_scan *scan, int64_t first_ms, int64_t last_ms,
                              int64_t *pages, mlf_error *error) {
  double span = (double)first_ms - (double)last_ms + 1;
  bool more = true;
  int rc = SQLITE_OK;
  for (*pages = 1; rc == SQLITE_OK && more && *pages < RECALL_PAGES_MAX; *pages *= 2) {
    double until_ms = (double)first_ms - span * (double)*pages * 2;
    if (until_ms <= (double)scan->filter.low_ms) break;
    rc = recall_has_more(scan, (int64_t)until_ms, &more, error);
  }
  return rc;
}

/* Remembers the traces of the newest page, and judges by it what a walk over all would take. */
static int recall_judge_page(mlf_trace_scan *scan, const mlf_json *json, int64_t page_ms,
                             mlf_error *error) {
  const mlf_json_node *root = mlf_json_root(json);
  const mlf_json_node *each = mlf_json_first(mlf_json_member(root, "traces"));
  const char *token = mlf_json_text(mlf_json_member(root, "next_page_token"));
  int64_t first_ms = 0, last_ms = 0, rows = 0, pages = 1;
  int rc = mlf_memo_empty(scan->memo, scan->question, error);
  for (; rc == SQLITE_OK && each; each = mlf_json_next(each), rows++) {
    mlf_trace_timestamp(each, rows == 0 ? &first_ms : &last_ms);
    rc = recall_put(scan, json, each, error);
  }
  scan->question->complete = rc == SQLITE_OK && !(token && *token) && !mlf_memo_is_full(scan->memo);
  if (rc == SQLITE_OK && !scan->question->complete && rows > 1)
    rc = recall_count_pages(scan, first_ms, last_ms, &pages, error);
  scan->question->scan_ms = page_ms * pages / RECALL_SIDE_BY_SIDE;
  return rc;
}

/* Finds out what a walk over all traces of the question would take. */
static int recall_judge(mlf_trace_scan *scan, mlf_error *error) {
  const mlf_json *json;
  const mlf_json_node *trace;
  mlf_pager *pager;
  mlf_walk walk = mlf_trace_scan_walk(scan, MLF_ORDER_NEWEST_FIRST);
  int64_t began_ms = mlf_clock_monotonic_ms();
  int rc = mlf_trace_scan_pager(scan, &walk, &pager, error);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_pager_next(pager, &json, &trace, error);
  int64_t page_ms = mlf_clock_monotonic_ms() - began_ms + RECALL_SIDE_BY_SIDE;
  if (rc == SQLITE_ROW) {
    rc = recall_judge_page(scan, json, page_ms, error);
  } else if (rc == SQLITE_DONE) {
    scan->question->complete = true;
    rc = SQLITE_OK;
  }
  mlf_pager_free(pager);
  return rc;
}

/* The same of a walk by ids: a batch took as long as each of those that were begun. */
static void recall_judge_ids(mlf_question *question, size_t id_count) {
  int64_t batches = 1 + (int64_t)(id_count / MLF_PAGE_ROWS_MAX);
  question->scan_ms = 1 + question->tries_ms / question->tries * batches / RECALL_SIDE_BY_SIDE;
}

/* Finds out once what completing the question would take. */
static int recall_judge_once(mlf_trace_scan *scan, mlf_error *error) {
  if (scan->question->scan_ms > 0) return SQLITE_OK;
  scan->question->recorder = NULL; /* its place is needed */
  if (scan->filter.id_count <= 1) return recall_judge(scan, error);
  recall_judge_ids(scan->question, scan->filter.id_count);
  return SQLITE_OK;
}

/* Completes the question if that is the cheaper way. A walk that is being recorded may take as long
** as the statement, and wait for the very answer that is wanted now. */
static int recall_complete(mlf_trace_scan *scan, mlf_error *error) {
  mlf_question *question = scan->question;
  if (question->complete || mlf_memo_is_full(scan->memo)) return SQLITE_OK;
  if (question->tries < RECALL_TRIES) return SQLITE_OK;
  int rc = recall_judge_once(scan, error);
  if (rc != SQLITE_OK || question->complete) return rc;
  if (question->tries_ms < question->scan_ms / RECALL_PART) return rc;
  question->recorder = NULL;
  return recall_all(scan, error);
}

/* Asks for all ids that are likely to be looked up. SQLITE_DONE if the one that is looked up now
** is not among them: SQLite wants no row of it. */
static int recall_list(mlf_trace_scan *scan, mlf_error *error) {
  mlf_value *ids;
  size_t count;
  bool found;
  if (mlf_memo_is_full(scan->memo)) return SQLITE_OK;
  if (mlf_values_list_has(scan->bound.hint, scan->filter.ids[0].text, &found) != SQLITE_OK)
    return mlf_error_nomem(error);
  if (!found) return SQLITE_DONE;
  if (mlf_values_list(scan->bound.hint, &ids, &count) != SQLITE_OK) return mlf_error_nomem(error);
  int rc = mlf_filter_can_list(ids, count) ? recall_ids(scan, ids, count, error)
                                           : recall_complete(scan, error);
  mlf_values_free(ids, count);
  return rc;
}

/* Puts the scan at the first trace of a page, which it takes. */
static void recall_take(mlf_trace_scan *scan, mlf_json *page) {
  mlf_json_free(scan->held);
  scan->held = page;
  scan->at.json = page;
  scan->at.trace = mlf_json_first(mlf_json_member(mlf_json_root(page), "traces"));
}

static int recall_find(mlf_trace_scan *scan, const char *id, int ahead, mlf_error *error) {
  mlf_json *page;
  int rc = mlf_memo_find(scan->memo, scan->question, id, ahead, &page, error);
  if (rc == SQLITE_ROW) recall_take(scan, page);
  return rc;
}

int mlf_recall_look_up(mlf_trace_scan *scan, mlf_error *error) {
  const char *id = scan->filter.ids[0].text;
  int rc = recall_find(scan, id, 0, error);
  if (rc != SQLITE_NOTFOUND) return rc;
  rc = scan->bound.hint ? recall_list(scan, error) : recall_complete(scan, error);
  return rc == SQLITE_OK ? recall_find(scan, id, 0, error) : rc;
}

void mlf_recall_tried(mlf_trace_scan *scan, int64_t took_ms) {
  scan->question->tries++;
  scan->question->tries_ms += took_ms;
}

int mlf_recall_learn(mlf_trace_scan *scan, mlf_error *error) {
  mlf_question *question = scan->question;
  /* Most statements look up one trace, and need no memo. */
  if (question->tries < 2 || question->recorder) return SQLITE_OK;
  if (scan->at.trace) return recall_put(scan, scan->at.json, scan->at.trace, error);
  return mlf_memo_put_none(scan->memo, question, scan->filter.ids[0].text, error);
}

int mlf_recall_scan(mlf_trace_scan *scan, mlf_order order, mlf_error *error) {
  mlf_question *question = scan->question;
  int rc = recall_complete(scan, error);
  if (rc != SQLITE_OK) return rc;
  if (question->complete) {
    scan->replaying = true;
    scan->order = order;
    return mlf_recall_next(scan, error);
  }
  if (question->scans > 0 && !question->recorder && !mlf_memo_is_full(scan->memo)) {
    rc = mlf_memo_empty(scan->memo, question, error);
    if (rc != SQLITE_OK) return rc;
    question->recorder = scan;
  }
  return SQLITE_NOTFOUND;
}

int mlf_recall_record(mlf_trace_scan *scan, mlf_error *error) {
  if (!scan->question || scan->question->recorder != scan) return SQLITE_OK;
  return recall_put(scan, scan->at.json, scan->at.trace, error);
}

void mlf_recall_end(mlf_trace_scan *scan) {
  if (!scan->question) return;
  scan->question->scans++;
  if (scan->question->recorder != scan) return;
  scan->question->recorder = NULL;
  scan->question->complete = !mlf_memo_is_full(scan->memo);
}

int mlf_recall_next(mlf_trace_scan *scan, mlf_error *error) {
  mlf_json *page;
  scan->at.trace = mlf_json_next(scan->at.trace);
  if (scan->at.trace) return SQLITE_ROW;
  int rc = mlf_memo_page(scan->memo, scan->question, scan->order, &scan->mark, &page, error);
  if (rc == SQLITE_ROW) recall_take(scan, page);
  return rc;
}

int mlf_recall_neighbours(mlf_trace_scan *scan, mlf_payloads *payloads, mlf_error *error) {
  if (!scan->question || !scan->held || scan->replaying) return SQLITE_OK;
  if (!scan->question->complete && !scan->question->listed) return SQLITE_OK;
  if (mlf_payloads_has(payloads, scan->at.trace)) return SQLITE_OK;
  int rc = recall_find(scan, scan->filter.ids[0].text, RECALL_AHEAD, error);
  /* Where there are none another scan holds the trace, which this one's question leaves out. */
  return rc == SQLITE_ROW || rc == SQLITE_DONE || rc == SQLITE_NOTFOUND ? SQLITE_OK : rc;
}

void mlf_recall_reset(mlf_trace_scan *scan) {
  if (scan->question && scan->question->recorder == scan) scan->question->recorder = NULL;
  scan->question = NULL;
  scan->memo = NULL;
  scan->replaying = false;
  scan->mark = (mlf_memo_mark){0};
}
