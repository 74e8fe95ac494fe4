#include "remote/pager.h"

#include <string.h>

#include "base/id_set.h"
#include "base/limits.h"
#include "base/sqlite_api.h"
#include "model/decode_trace.h"
#include "remote/edge.h"
#include "remote/find.h"
#include "remote/search.h"
#include "remote/slices.h"

/* A statement that has read so many rows is taken to go on reading: from then on pages are
** fetched ahead. */
#define PAGER_AHEAD_AFTER_ROWS 16
#define PAGER_PROGRESS_ROWS    64 /* handed out between two looks at what has arrived */
/* How much of a page a slice is meant to fill, so that most need only one. */
#define PAGER_FILL 0.85
/* The most that one slice may be wider or narrower than the one before. */
#define PAGER_STRETCH 8.0
/* Pages are fetched side by side if so many are left: what moves meanwhile from one slice to
** another may be missed. */
#define PAGER_SIDE_BY_SIDE_PAGES 16.0
/* A slice is halved if so many pages are left of it. */
#define PAGER_HALVE_PAGES 2.0

struct mlf_pager {
  mlf_client *client;
  mlf_budget *budget;
  mlf_walk walk; /* without filter once the server has refused it */
  int streams;
  int page_rows;
  mlf_slices slices;
  mlf_id_set seen;   /* all that was handed out: a trace whose start moves comes again */
  bool side_by_side; /* slices may be read so once it is known how much is left */
  double width;      /* of the next slice, in order; 0: nothing is cut */
  bool spread;       /* slices take turns */
  mlf_call *probe;   /* asks where the walk will end */
  int64_t rows;      /* handed out */
  bool ahead;        /* pages are fetched before they are wanted */
  bool misled;       /* a page was guessed wrong: no more guesses */
};

static mlf_slice_key pager_key_of(const mlf_pager *pager, int64_t ms) {
  if (pager->walk.oldest_first) return ms;
  return ms == INT64_MIN ? INT64_MAX : -ms;
}

int mlf_pager_new(mlf_client *client, mlf_budget *budget, const mlf_walk *walk, mlf_pager **out,
                  mlf_error *error) {
  const mlf_settings *settings;
  *out = NULL;
  int rc = mlf_client_settings(client, &settings, error);
  if (rc == SQLITE_OK) rc = mlf_walk_check_preset(walk, settings->filter, error);
  if (rc != SQLITE_OK) return rc;
  mlf_pager *pager = sqlite3_malloc64(sizeof(*pager));
  if (!pager) return mlf_error_nomem(error);
  *pager = (mlf_pager){.client = client,
                       .budget = budget,
                       .streams = settings->streams,
                       .page_rows = settings->page_rows};
  if (mlf_walk_copy(walk, &pager->walk) != SQLITE_OK) {
    sqlite3_free(pager);
    return mlf_error_nomem(error);
  }
  pager->walk.preset = settings->filter;
  mlf_slice *whole = mlf_slices_insert(&pager->slices, NULL);
  whole->begin = pager_key_of(pager, walk->oldest_first ? walk->low_ms : walk->high_ms);
  whole->end = pager_key_of(pager, walk->oldest_first ? walk->high_ms : walk->low_ms);
  whole->ids_end = walk->id_count;
  *out = pager;
  return SQLITE_OK;
}

/* Puts the page in hand away. */
static void pager_put_away(mlf_pager *pager, mlf_slice *slice) {
  if (slice->page.json) mlf_client_log_kept(pager->client, slice->page.log_number, slice->kept);
  mlf_page_clear(&slice->page);
  slice->kept = 0;
}

static void pager_clear(mlf_pager *pager, mlf_slice *slice) {
  pager_put_away(pager, slice);
  mlf_call_free(slice->call);
  sqlite3_free(slice->edge);
}

void mlf_pager_free(mlf_pager *pager) {
  if (!pager) return;
  for (mlf_slice *each = pager->slices.head; each; each = each->next)
    pager_clear(pager, each);
  mlf_call_free(pager->probe);
  mlf_id_set_clear(&pager->seen);
  sqlite3_free(pager->walk.copy);
  sqlite3_free(pager);
}

/* Starts the request for keys begin..end. */
static int pager_ask(mlf_pager *pager, mlf_slice *slice, mlf_slice_key end, const char *token,
                     int page_rows, mlf_error *error) {
  char *filter;
  bool oldest_first = pager->walk.oldest_first;
  mlf_walk_part part = {.ids_begin = slice->ids_begin,
                        .ids_end = slice->ids_end,
                        .low_ms = oldest_first ? slice->begin : -end,
                        .high_ms = oldest_first ? end : -slice->begin};
  int rc = mlf_walk_filter(&pager->walk, &part, &filter);
  if (rc != SQLITE_OK) return mlf_error_nomem(error);
  mlf_search search = {.experiment_ids = pager->walk.experiment_ids,
                       .experiment_count = pager->walk.experiment_count,
                       .filter = filter,
                       .oldest_first = pager->walk.oldest_first,
                       .page_rows = page_rows,
                       .page_token = token};
  slice->asked = page_rows;
  slice->asked_end = end;
  slice->helped = pager->walk.filter != NULL;
  rc = mlf_search_start(pager->client, pager->budget, &search, &slice->call, error);
  sqlite3_free(filter);
  if (rc == SQLITE_OK) mlf_client_progress(pager->client); /* it leaves before rows are made */
  return rc;
}

/* Starts the request for the page after the one in hand, of which every row has been handed out
** if the slice is tied. Starts nothing, and says it was the last, if there is none. */
static int pager_ask_next(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  const char *token = NULL;
  if (slice->tied && slice->tie_walking && slice->page.token) {
    token = slice->page.token;
  } else if (slice->tied && slice->tie_walking && slice->tie_added == 0 &&
             slice->tie_print == slice->tie_before) {
    /* Two whole walks met the same rows, so none moved under the tokens. */
    slice->tied = slice->tie_walking = false;
    slice->last = slice->begin == slice->end;
    if (slice->last) return SQLITE_OK;
    slice->begin++;
  } else if (slice->tied) {
    slice->tie_walking = true;
    slice->tie_added = 0;
    slice->tie_before = slice->tie_print;
    slice->tie_print = 0;
  }
  mlf_slice_key end = slice->tied ? slice->begin : slice->end;
  return pager_ask(pager, slice, end, token, pager->page_rows, error);
}

/* Cuts from a range as much as is thought to fill a page, and starts its first request. */
static int pager_open(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  int64_t wanted = pager->walk.rows_wanted;
  int page_rows = pager->page_rows;
  slice->open = true;
  if (pager->walk.id_count > 0) {
    mlf_slices_cut_ids(&pager->slices, slice, (size_t)page_rows);
  } else if (pager->width > 0 && pager->width < (double)slice->end - (double)slice->begin) {
    mlf_slices_cut(&pager->slices, slice, slice->begin + (mlf_slice_key)pager->width);
  } else if (wanted > 0 && !pager->rows &&
             (wanted < page_rows || (pager->walk.oldest_first && wanted <= MLF_PAGE_ROWS_MAX))) {
    page_rows = (int)wanted; /* and the oldest all at once: they cannot move away between pages */
  }
  return pager_ask(pager, slice, slice->end, NULL, page_rows, error);
}

/* Opens slices until as many are under way as there may be, or all are open. A reply that waits for
** its turn does not keep the server idle, but at most as many wait as are under way. */
static int pager_fill(mlf_pager *pager, mlf_error *error) {
  int rc = SQLITE_OK;
  mlf_slices *slices = &pager->slices;
  size_t streams = pager->ahead ? (size_t)pager->streams : 1;
  size_t count_max = pager->ahead ? 2 * streams : 1;
  mlf_slice *rest = mlf_slices_tail(slices);
  while (rc == SQLITE_OK && rest && !rest->open && slices->count <= count_max &&
         mlf_slices_under_way(slices) < streams) {
    rc = pager_open(pager, rest, error);
    rest = rest->next;
  }
  return rc;
}

/* Lets as many slices take turns as there are streams, as long as one is worth to be halved. */
static int pager_spread(mlf_pager *pager, mlf_error *error) {
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && pager->slices.count < (size_t)pager->streams) {
    mlf_slice *half = mlf_slices_halve(&pager->slices, PAGER_HALVE_PAGES);
    if (!half) break;
    half->open = true;
    rc = pager_ask(pager, half, half->end, NULL, pager->page_rows, error);
  }
  return rc;
}

/* Adds what can be fetched ahead. */
static int pager_add(mlf_pager *pager, mlf_error *error) {
  if (!pager->spread) return pager_fill(pager, error);
  return pager->probe ? SQLITE_OK : pager_spread(pager, error);
}

/* Takes the probe's answer: the walk ends there. */
static int pager_finish_probe(mlf_pager *pager, mlf_error *error) {
  bool known, any;
  int64_t ms;
  int rc = mlf_find_end_finish(&pager->probe, &pager->walk, &known, &any, &ms, error);
  if (rc != SQLITE_OK) return rc;
  if (known) mlf_slices_end(&pager->slices, any ? pager_key_of(pager, ms) : INT64_MIN);
  pager->side_by_side = pager->side_by_side && known;
  return rc;
}

/* Takes the probe's answer if it is there, or waits for it. */
static int pager_await_probe(mlf_pager *pager, bool wait, mlf_error *error) {
  if (!pager->probe || (!wait && !mlf_call_done(pager->probe))) return SQLITE_OK;
  int rc = mlf_call_wait(pager->probe, error);
  return rc == SQLITE_OK ? pager_finish_probe(pager, error) : rc;
}

/* Goes on side by side if that can be, and enough is left to be worth it: the slices then take
** turns, or follow each other in order. */
static int pager_widen(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  if (!pager->side_by_side || pager->probe || slice->last || slice->tied) return SQLITE_OK;
  if (slice->end == INT64_MAX || mlf_slice_pages_left(slice) < PAGER_SIDE_BY_SIDE_PAGES)
    return SQLITE_OK;
  pager->side_by_side = false;
  pager->spread = pager->walk.any_order;
  if (!pager->spread) {
    pager->width = slice->width * PAGER_FILL;
    mlf_slices_cut(&pager->slices, slice, slice->begin + (mlf_slice_key)slice->width);
  }
  return pager_add(pager, error);
}

/* The statement goes on reading: fetches ahead from now on. */
static int pager_go_ahead(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  pager->ahead = true;
  if (pager->walk.id_count > 0) return pager_fill(pager, error);
  if (slice->last || slice->tied || slice->call) return SQLITE_OK;
  bool all = pager->walk.rows_wanted == 0;
  pager->side_by_side = all && pager->streams > 1 && !mlf_walk_has_spans(&pager->walk);
  int rc = pager_ask_next(pager, slice, error);
  bool much = slice->end == INT64_MAX || mlf_slice_pages_left(slice) >= PAGER_SIDE_BY_SIDE_PAGES;
  if (rc == SQLITE_OK && pager->side_by_side && much)
    rc = mlf_find_end_start(pager->client, pager->budget, &pager->walk, &pager->probe, error);
  return rc == SQLITE_OK ? pager_widen(pager, slice, error) : rc;
}

/* Whether the statement will want more than the page in hand. */
static bool pager_wants_more(const mlf_pager *pager, const mlf_slice *slice) {
  int64_t wanted = pager->walk.rows_wanted;
  return wanted == 0 || pager->rows - slice->kept + (int64_t)slice->page.rows < wanted;
}

/* Learns from the first page of a slice how wide the next ones should be. */
static void pager_learn(mlf_pager *pager, const mlf_slice *slice) {
  const mlf_page *page = &slice->page;
  if (pager->width <= 0 || pager->walk.id_count > 0) return;
  mlf_slice_key until = page->token ? pager_key_of(pager, page->last_ms) : slice->end;
  double wanted = pager->page_rows * PAGER_FILL;
  double width = (double)until - (double)slice->begin + 1;
  width *= page->rows ? wanted / (double)page->rows : PAGER_STRETCH;
  if (width > pager->width * PAGER_STRETCH) width = pager->width * PAGER_STRETCH;
  if (width < pager->width / PAGER_STRETCH) width = pager->width / PAGER_STRETCH;
  pager->width = width < 1 ? 1 : width;
}

/* Decides what comes after the page that has just arrived. */
static void pager_arrived(mlf_pager *pager, mlf_slice *slice) {
  const mlf_page *page = &slice->page;
  if (slice->tied) return;
  pager_learn(pager, slice);
  size_t ids = slice->ids_end - slice->ids_begin;
  if (!page->token || (ids > 0 && page->rows >= ids)) {
    slice->last = true;
    return;
  }
  mlf_slice_key begin = pager_key_of(pager, page->last_ms);
  slice->width = (double)begin - (double)pager_key_of(pager, page->first_ms) + 1;
  slice->width *= (double)pager->page_rows / (double)page->rows;
  slice->begin = begin;
  slice->last = slice->begin > slice->end;
  slice->tied = page->first_ms == page->last_ms && slice->asked == pager->page_rows;
  slice->tie_print = 0;
}

/* Whether the page holds only what was asked for: a server that does not heed the bounds would
** have us walk in circles. */
static bool pager_is_within(const mlf_pager *pager, const mlf_slice *slice, const mlf_page *page) {
  if (page->rows == 0) return true;
  if (pager_key_of(pager, page->first_ms) < slice->begin) return false;
  return mlf_walk_has_spans(&pager->walk) || pager_key_of(pager, page->last_ms) <= slice->asked_end;
}

/* Starts the request for the page after one that has arrived, but is not parsed yet, so that the
** server need not wait for that. Where that page ends is guessed from its bytes; a guess begins
** after the page and must come true, or it was one request too many. No call in `guess`: it is not
** clear enough that a page comes, and where it begins. */
static int pager_guess_next(mlf_pager *pager, const mlf_slice *slice, mlf_slice *guess,
                            mlf_error *error) {
  size_t length;
  int64_t last_ms;
  int64_t wanted = pager->walk.rows_wanted;
  *guess = (mlf_slice){.end = slice->end};
  if (!pager->ahead || pager->misled || slice->tied || pager->walk.id_count > 0) return SQLITE_OK;
  if (wanted > 0 && pager->rows + slice->asked >= wanted) return SQLITE_OK;
  if (pager->budget->requests_left < 2) return SQLITE_OK; /* one may be needed to ask rightly */
  const char *body = mlf_call_peek(slice->call, &length);
  if (!mlf_search_guess_last(body, length, &last_ms)) return SQLITE_OK;
  guess->begin = pager_key_of(pager, last_ms);
  if (guess->begin <= slice->begin || guess->begin > guess->end) return SQLITE_OK;
  return pager_ask(pager, guess, guess->end, NULL, pager->page_rows, error);
}

/* Goes on after the page in hand, which has just arrived: with the guess, if it was right. */
static int pager_go_on(mlf_pager *pager, mlf_slice *slice, mlf_slice *guess, mlf_error *error) {
  bool wanted = pager->ahead && !slice->tied && pager_wants_more(pager, slice);
  if (guess->call && wanted && !slice->last && guess->begin == slice->begin) {
    slice->call = guess->call;
    slice->asked = guess->asked;
    slice->asked_end = guess->asked_end;
    slice->helped = guess->helped;
    guess->call = NULL;
    return pager_widen(pager, slice, error);
  }
  pager->misled = pager->misled || guess->call;
  mlf_call_free(guess->call);
  guess->call = NULL;
  if (!wanted) return SQLITE_OK;
  if (slice->last) return pager_add(pager, error);
  int rc = pager_ask_next(pager, slice, error);
  return rc == SQLITE_OK ? pager_widen(pager, slice, error) : rc;
}

/* Remembers the row that has to come again at the begin of the next page. */
static int pager_keep_edge(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  if (slice->last || slice->tied || pager->walk.id_count > 0) return SQLITE_OK;
  slice->edge = sqlite3_mprintf("%s", mlf_edge_of(&slice->page));
  return slice->edge ? SQLITE_OK : mlf_error_nomem(error);
}

/* Where the row at the edge did not come again although it is there, the server has left something
** out: asks once more, and puts the page away. */
static int pager_check_edge(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  bool found = false;
  char *edge = slice->edge;
  int64_t ms = pager->walk.oldest_first ? slice->begin : -slice->begin;
  slice->edge = NULL;
  bool met = !edge || mlf_edge_is_met(&slice->page, edge, ms);
  int rc = SQLITE_OK;
  if (!met)
    rc = mlf_find_trace(pager->client, pager->budget, &pager->walk, edge, ms, &found, error);
  if (rc == SQLITE_OK && found && slice->asked_again)
    rc = mlf_error_set(error, SQLITE_ERROR,
                       "the server leaves out trace %.80s, which it has, at a page's begin", edge);
  if (rc == SQLITE_OK && found) {
    mlf_page_clear(&slice->page);
    rc = pager_ask(pager, slice, slice->end, NULL, pager->page_rows, error);
    slice->edge = edge;
    edge = NULL;
  }
  slice->asked_again = rc == SQLITE_OK && found;
  sqlite3_free(edge);
  return rc;
}

/* Takes the reply of the call under way; the page in hand is done with. */
static int pager_take_page(mlf_pager *pager, mlf_slice *slice, mlf_slice *guess, mlf_error *error) {
  mlf_page page;
  int rc = mlf_search_finish(slice->call, pager->walk.oldest_first, &page, error);
  if (rc != SQLITE_OK) return rc;
  mlf_call_free(slice->call);
  slice->call = NULL;
  pager_put_away(pager, slice);
  if (!pager_is_within(pager, slice, &page)) {
    rc = mlf_error_set(error, SQLITE_ERROR,
                       "the server sent traces from outside the range of time asked for");
    mlf_json_refuse(page.json, error);
    mlf_page_clear(&page);
    return rc;
  }
  slice->page = page;
  rc = pager_check_edge(pager, slice, error);
  if (rc != SQLITE_OK || slice->call) return rc;
  pager_arrived(pager, slice);
  pager->budget->pages_left = mlf_slices_pages_left(&pager->slices);
  rc = pager_keep_edge(pager, slice, error);
  return rc == SQLITE_OK ? pager_go_on(pager, slice, guess, error) : rc;
}

/* Waits for the page under way. A refusal of our own filter is met by asking again without it. */
static int pager_receive(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  mlf_slice guess;
  mlf_error refused = {0};
  int rc = mlf_call_wait(slice->call, error);
  if (rc == SQLITE_OK) rc = pager_guess_next(pager, slice, &guess, error);
  if (rc != SQLITE_OK) return rc;
  rc = pager_take_page(pager, slice, &guess, &refused);
  mlf_call_free(guess.call);
  if (rc != SQLITE_OK && slice->call && slice->helped && !slice->tied &&
      mlf_call_status(slice->call) == 400) {
    mlf_call_free(slice->call);
    slice->call = NULL;
    pager->walk.filter = NULL;
    rc = pager_ask(pager, slice, slice->end, NULL, slice->asked, error);
  } else if (rc != SQLITE_OK) {
    mlf_error_set(error, rc, "%s", refused.text ? refused.text : "");
  }
  mlf_error_clear(&refused);
  return rc;
}

/* Whether the next row of the page in hand is to be handed out: it is within the range and was not
** before. */
static int pager_take_row(mlf_pager *pager, mlf_slice *slice, const mlf_json_node *trace,
                          bool *wanted) {
  int64_t ms = 0;
  const char *id = mlf_trace_id(trace);
  mlf_trace_timestamp(trace, &ms);
  if (pager_key_of(pager, ms) > slice->end) {
    slice->last = true;
    slice->page.next = NULL;
    mlf_call_free(slice->call);
    slice->call = NULL;
    *wanted = false;
    return SQLITE_OK;
  }
  if (slice->tie_walking) slice->tie_print += mlf_string_hash(id);
  return mlf_id_set_add(&pager->seen, id, wanted);
}

/* Hands out the next row of the page in hand: SQLITE_ROW, or SQLITE_OK if it was dropped. */
static int pager_next_row(mlf_pager *pager, mlf_slice *slice, const mlf_json **page,
                          const mlf_json_node **trace, mlf_error *error) {
  bool wanted;
  *trace = slice->page.next;
  *page = slice->page.json;
  slice->page.next = mlf_json_next(*trace);
  int rc = pager_take_row(pager, slice, *trace, &wanted);
  if (rc != SQLITE_OK) return mlf_error_nomem(error);
  if (!wanted) return SQLITE_OK;
  pager->rows++;
  slice->kept++;
  slice->tie_added++;
  if (pager->rows % PAGER_PROGRESS_ROWS == 0) {
    mlf_client_progress(pager->client);
    rc = pager_await_probe(pager, false, error);
    if (rc == SQLITE_OK && pager->ahead) rc = pager_add(pager, error);
    if (rc != SQLITE_OK) return rc;
  }
  if (!pager->ahead && pager->rows >= PAGER_AHEAD_AFTER_ROWS && pager_wants_more(pager, slice))
    rc = pager_go_ahead(pager, slice, error);
  return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

/* The head of the queue is done with. */
static int pager_pop(mlf_pager *pager, mlf_error *error) {
  mlf_slice *head = pager->slices.head, *next = head->next;
  pager_clear(pager, head);
  mlf_slices_pop(&pager->slices);
  int rc = pager_await_probe(pager, next && !next->open, error);
  return rc == SQLITE_OK ? pager_add(pager, error) : rc;
}

/* The page in hand has been handed out. Where order does not matter it is the next slice's turn. */
static int pager_turn(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  int rc = slice->call ? SQLITE_OK : pager_ask_next(pager, slice, error);
  if (rc != SQLITE_OK || !pager->spread || slice->tied || slice->last) return rc;
  pager_put_away(pager, slice);
  mlf_slices_rotate(&pager->slices);
  return rc;
}

int mlf_pager_next(mlf_pager *pager, const mlf_json **page, const mlf_json_node **trace,
                   mlf_error *error) {
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK) {
    mlf_slice *slice = pager->slices.head;
    if (!slice) return SQLITE_DONE;
    if (!slice->open) {
      rc = pager_fill(pager, error);
    } else if (slice->page.next) {
      rc = pager_next_row(pager, slice, page, trace, error);
    } else if (slice->last && !slice->call) {
      rc = pager_pop(pager, error);
    } else if (slice->call && (!slice->page.json || !pager->spread || slice->tied)) {
      rc = pager_receive(pager, slice, error);
    } else {
      rc = pager_turn(pager, slice, error);
    }
  }
  return rc;
}

int mlf_pager_peek(mlf_pager *pager, const mlf_json_node **trace, mlf_error *error) {
  *trace = NULL;
  mlf_slice *after = pager->slices.head ? pager->slices.head->next : NULL;
  if (!after || !after->open) return SQLITE_OK;
  int rc = SQLITE_OK;
  if (!after->page.json && after->call && mlf_call_done(after->call))
    rc = pager_receive(pager, after, error);
  *trace = after->page.next;
  return rc;
}
