#include "remote/pager.h"

#include <string.h>

#include "base/limits.h"
#include "base/sqlite_api.h"
#include "base/string_set.h"
#include "model/decode_trace.h"
#include "remote/search.h"
#include "remote/slices.h"

/* A statement that has read so many rows is taken to go on reading: from then on pages are
** fetched ahead. */
#define PAGER_AHEAD_AFTER_ROWS 16
/* Rows handed out between two looks at what has arrived meanwhile. */
#define PAGER_PROGRESS_ROWS 64
/* How much of a page a slice is meant to fill, so that most need only one. */
#define PAGER_FILL 0.85
/* The most that one slice may be wider or narrower than the one before. */
#define PAGER_STRETCH 8.0
/* A slice is halved if so many pages are left of it. */
#define PAGER_HALVE_PAGES 2.0

struct mlf_pager {
  mlf_client *client;
  mlf_budget *budget;
  mlf_walk walk; /* without filter once the server has refused it */
  int streams;
  int page_rows;
  mlf_slices slices;
  double width;    /* of the next slice, in order; 0: nothing is cut */
  bool spread;     /* slices take turns */
  mlf_call *probe; /* asks where the walk will end */
  int64_t rows;    /* handed out */
  bool ahead;      /* pages are fetched before they are wanted */
  bool misled;     /* a page was guessed wrong: no more guesses */
};

static mlf_slice_key pager_key_of(const mlf_pager *pager, int64_t ms) {
  if (pager->walk.oldest_first) return ms;
  return ms == INT64_MIN ? INT64_MAX : -ms;
}

static bool pager_by_ids(const mlf_pager *pager) {
  return pager->walk.id_count > 0;
}

int mlf_pager_new(mlf_client *client, mlf_budget *budget, const mlf_walk *walk, mlf_pager **out,
                  mlf_error *error) {
  const mlf_settings *settings;
  *out = NULL;
  int rc = mlf_client_settings(client, &settings, error);
  if (rc != SQLITE_OK) return rc;
  mlf_pager *pager = sqlite3_malloc64(sizeof(*pager));
  if (!pager) return mlf_error_nomem(error);
  memset(pager, 0, sizeof(*pager));
  pager->client = client;
  pager->budget = budget;
  pager->walk = *walk;
  if (walk->filter && !*walk->filter) pager->walk.filter = NULL;
  pager->streams = settings->streams;
  pager->page_rows = settings->page_rows;
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
  mlf_string_set_clear(&slice->seen);
}

void mlf_pager_free(mlf_pager *pager) {
  if (!pager) return;
  for (mlf_slice *each = pager->slices.head; each; each = each->next)
    pager_clear(pager, each);
  mlf_call_free(pager->probe);
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
  } else if (slice->tied && slice->tie_walking && slice->tie_added == 0) {
    /* A whole walk brought nothing new, so no row moved under the tokens. */
    slice->tied = slice->tie_walking = false;
    slice->last = slice->begin == slice->end;
    if (slice->last) return SQLITE_OK;
    slice->begin++;
  } else if (slice->tied) {
    slice->tie_walking = true;
    slice->tie_added = 0;
  }
  mlf_slice_key end = slice->tied ? slice->begin : slice->end;
  return pager_ask(pager, slice, end, token, pager->page_rows, error);
}

/* Makes what follows the page in hand a slice of its own. */
static void pager_split(mlf_pager *pager, mlf_slice *slice) {
  mlf_slice *rest = mlf_slices_insert(&pager->slices, slice);
  if (!rest) return;
  rest->begin = slice->begin;
  rest->end = slice->end;
  slice->last = true;
}

/* Cuts from a range as much as is thought to fill a page, and starts its first request. */
static int pager_open(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  int64_t wanted = pager->walk.rows_wanted;
  int page_rows = pager->page_rows;
  slice->open = true;
  if (pager_by_ids(pager)) {
    mlf_slices_cut_ids(&pager->slices, slice, (size_t)page_rows);
  } else if (pager->width > 0 && pager->width < (double)slice->end - (double)slice->begin) {
    mlf_slices_cut(&pager->slices, slice, slice->begin + (mlf_slice_key)pager->width);
  } else if (wanted > 0 && wanted < page_rows && !pager->rows) {
    page_rows = (int)wanted;
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

/* Asks where the walk will end: one row, in the opposite order. */
static int pager_start_probe(mlf_pager *pager, mlf_error *error) {
  mlf_search search = {.experiment_ids = pager->walk.experiment_ids,
                       .experiment_count = pager->walk.experiment_count,
                       .filter = pager->walk.filter,
                       .oldest_first = !pager->walk.oldest_first,
                       .page_rows = 1};
  return mlf_search_start(pager->client, pager->budget, &search, &pager->probe, error);
}

/* Takes the probe's answer. One that is refused tells nothing, and the walk goes on without. */
static int pager_finish_probe(mlf_pager *pager, mlf_error *error) {
  mlf_page page;
  mlf_error refused = {0};
  int rc = mlf_search_finish(pager->probe, !pager->walk.oldest_first, &page, &refused);
  int status = mlf_call_status(pager->probe);
  mlf_call_free(pager->probe);
  pager->probe = NULL;
  if (rc == SQLITE_OK) {
    mlf_slices_end(&pager->slices, page.rows > 0 ? pager_key_of(pager, page.first_ms) : INT64_MIN);
  } else if (status == 400) {
    pager->width = 0; /* the rest becomes one slice */
    pager->spread = false;
    rc = SQLITE_OK;
  } else {
    mlf_error_set(error, rc, "%s", refused.text ? refused.text : "");
  }
  if (rc == SQLITE_OK) mlf_page_clear(&page);
  mlf_error_clear(&refused);
  return rc;
}

/* Takes the probe's answer if it is there, or waits for it. */
static int pager_await_probe(mlf_pager *pager, bool wait, mlf_error *error) {
  size_t index;
  if (!pager->probe || (!wait && !mlf_call_done(pager->probe))) return SQLITE_OK;
  int rc = mlf_client_wait(pager->client, &pager->probe, 1, &index, error);
  return rc == SQLITE_OK ? pager_finish_probe(pager, error) : rc;
}

/* The statement goes on reading: fetches ahead from now on. What follows the first page is cut
** into slices if that can be; else the next page alone is asked for. */
static int pager_go_ahead(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  const mlf_page *page = &slice->page;
  pager->ahead = true;
  if (pager_by_ids(pager)) return pager_fill(pager, error);
  if (slice->last || slice->tied || slice->call) return SQLITE_OK;
  if (pager->streams == 1 || mlf_walk_has_spans(&pager->walk) || pager->walk.rows_wanted > 0)
    return pager_ask_next(pager, slice, error);
  double span = (double)slice->begin - (double)pager_key_of(pager, page->first_ms) + 1;
  slice->width = span / (double)page->rows * pager->page_rows;
  int rc = SQLITE_OK;
  if (pager->walk.any_order) {
    pager->spread = true;
    rc = pager_start_probe(pager, error);
    return rc == SQLITE_OK ? pager_ask_next(pager, slice, error) : rc;
  }
  pager->width = slice->width * PAGER_FILL;
  if (slice->end == INT64_MAX) rc = pager_start_probe(pager, error);
  pager_split(pager, slice);
  return rc == SQLITE_OK ? pager_fill(pager, error) : rc;
}

/* Whether the statement will want more than the page in hand. */
static bool pager_wants_more(const mlf_pager *pager, const mlf_slice *slice) {
  int64_t wanted = pager->walk.rows_wanted;
  return wanted == 0 || pager->rows - slice->kept + (int64_t)slice->page.rows < wanted;
}

/* Learns from the first page of a slice how wide the next ones should be. */
static void pager_learn(mlf_pager *pager, const mlf_slice *slice) {
  const mlf_page *page = &slice->page;
  if (pager->width <= 0 || pager_by_ids(pager)) return;
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
  slice->width = (double)begin - (double)slice->begin + 1;
  slice->begin = begin;
  slice->last = slice->begin > slice->end;
  slice->tied = page->first_ms == page->last_ms && slice->asked == pager->page_rows;
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
  if (!pager->ahead || pager->misled || slice->tied || pager_by_ids(pager)) return SQLITE_OK;
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
    return SQLITE_OK;
  }
  pager->misled = pager->misled || guess->call;
  mlf_call_free(guess->call);
  guess->call = NULL;
  if (!wanted) return SQLITE_OK;
  return slice->last ? pager_add(pager, error) : pager_ask_next(pager, slice, error);
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
    mlf_page_clear(&page);
    return mlf_error_set(error, SQLITE_ERROR,
                         "the server sent traces from outside the range of time asked for");
  }
  slice->page = page;
  pager_arrived(pager, slice);
  return pager_go_on(pager, slice, guess, error);
}

/* Waits for the page under way. A refusal of our own filter is met by asking again without it. */
static int pager_receive(mlf_pager *pager, mlf_slice *slice, mlf_error *error) {
  size_t index;
  mlf_slice guess;
  mlf_error refused = {0};
  int rc = mlf_client_wait(pager->client, &slice->call, 1, &index, error);
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

/* Whether the next row of the page in hand is to be handed out: it is within the range and was
** not seen yet. Remembers it if the next page may repeat it. */
static int pager_take_row(mlf_pager *pager, mlf_slice *slice, const mlf_json_node *trace,
                          bool *wanted) {
  int64_t ms = 0;
  bool added = true;
  mlf_trace_timestamp(trace, &ms);
  mlf_slice_key key = pager_key_of(pager, ms);
  mlf_slice_key last = pager_key_of(pager, slice->page.last_ms);
  *wanted = false;
  if (key > slice->end) {
    slice->last = true;
    slice->page.next = NULL;
    mlf_call_free(slice->call);
    slice->call = NULL;
    return SQLITE_OK;
  }
  if (key == last && slice->seen_key != key) {
    mlf_string_set_clear(&slice->seen);
    slice->seen_key = key;
  }
  if (key == last) {
    int rc = mlf_string_set_add(&slice->seen, mlf_trace_id(trace), &added);
    if (rc != SQLITE_OK) return rc;
  } else if (key == slice->seen_key) {
    added = !mlf_string_set_has(&slice->seen, mlf_trace_id(trace));
  }
  *wanted = added;
  return SQLITE_OK;
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

/* The head of the queue is done with. What it has seen may come again at the next one's begin. */
static int pager_pop(mlf_pager *pager, mlf_error *error) {
  mlf_slice *head = pager->slices.head, *next = head->next;
  if (next && next->begin == head->seen_key && head->seen.count > 0) {
    mlf_string_set_clear(&next->seen);
    next->seen = head->seen;
    next->seen_key = head->seen_key;
    memset(&head->seen, 0, sizeof(head->seen));
  }
  pager_clear(pager, head);
  mlf_slices_pop(&pager->slices);
  int rc = pager_await_probe(pager, next && !next->open, error);
  return rc == SQLITE_OK ? pager_add(pager, error) : rc;
}

/* The page in hand has been handed out, and another follows. Where order does not matter, and no
** page stands for a millisecond, it is the next slice's turn. */
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
