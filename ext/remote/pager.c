#include "remote/pager.h"

#include <string.h>

#include "base/limits.h"
#include "base/sqlite_api.h"
#include "base/string_set.h"
#include "model/decode_trace.h"
#include "remote/search.h"

/* A statement that has read so many rows is taken to go on reading: from then on pages are
** fetched ahead. */
#define PAGER_AHEAD_AFTER_ROWS 16
/* Rows handed out between two looks at what has arrived meanwhile. */
#define PAGER_PROGRESS_ROWS 64
/* How much of a page a slice is meant to fill, so that most need only one. */
#define PAGER_FILL 0.85
/* The most that one slice may be wider or narrower than the one before. */
#define PAGER_STRETCH 8.0

/* Times in the order of the walk: a key is the timestamp, or its negative when the newest come
** first, so that keys always grow. INT64_MAX, and what is below -INT64_MAX + 1, is no bound. */
typedef int64_t pager_key;

typedef struct pager_slice {
  pager_key begin; /* keys begin..end; begin moves on as pages arrive */
  pager_key end;
  size_t ids_begin; /* of walk.ids */
  size_t ids_end;
  mlf_call *call;    /* the next page, under way */
  int asked;         /* rows asked in that call */
  bool helped;       /* it was sent with our own filter */
  mlf_page page;     /* in hand */
  int64_t kept;      /* rows handed out of it */
  bool last;         /* no page comes after it */
  bool tied;         /* one millisecond, `begin`, fills a page: it is walked by tokens */
  bool tie_walking;  /* the page in hand is of such a walk, not the one that showed the need */
  int64_t tie_added; /* rows that this walk has brought */
} pager_slice;

struct mlf_pager {
  mlf_client *client;
  mlf_budget *budget;
  mlf_walk walk; /* without filter once the server has refused it */
  int streams;
  int page_rows;
  pager_slice slices[MLF_STREAMS_MAX]; /* a ring */
  size_t head;
  size_t count;
  bool rest; /* keys rest_begin..rest_end are in no slice yet */
  pager_key rest_begin;
  pager_key rest_end;
  size_t rest_ids;     /* ids from here on are in no slice yet */
  double width;        /* of the next slice */
  mlf_call *probe;     /* asks where the walk will end */
  int64_t rows;        /* handed out */
  bool ahead;          /* pages are fetched before they are wanted */
  bool misled;         /* a page was guessed wrong: no more guesses */
  mlf_string_set seen; /* ids with key seen_key that were handed out */
  pager_key seen_key;
};

static pager_key pager_key_of(const mlf_pager *pager, int64_t ms) {
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
  pager->rest = true;
  pager->rest_begin = pager_key_of(pager, walk->oldest_first ? walk->low_ms : walk->high_ms);
  pager->rest_end = pager_key_of(pager, walk->oldest_first ? walk->high_ms : walk->low_ms);
  *out = pager;
  return SQLITE_OK;
}

static void pager_slice_clear(mlf_pager *pager, pager_slice *slice) {
  if (slice->page.json) mlf_client_log_kept(pager->client, slice->page.log_number, slice->kept);
  mlf_call_free(slice->call);
  mlf_page_clear(&slice->page);
  memset(slice, 0, sizeof(*slice));
}

void mlf_pager_free(mlf_pager *pager) {
  if (!pager) return;
  for (size_t i = 0; i < MLF_STREAMS_MAX; i++)
    pager_slice_clear(pager, &pager->slices[i]);
  mlf_call_free(pager->probe);
  mlf_string_set_clear(&pager->seen);
  sqlite3_free(pager);
}

/* Starts the request for keys begin..end. */
static int pager_ask(mlf_pager *pager, pager_slice *slice, pager_key end, const char *token,
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
  slice->helped = pager->walk.filter != NULL;
  rc = mlf_search_start(pager->client, pager->budget, &search, &slice->call, error);
  sqlite3_free(filter);
  if (rc == SQLITE_OK) mlf_client_progress(pager->client); /* it leaves before rows are made */
  return rc;
}

/* Starts the request for the page after the one in hand, of which every row has been handed out
** if the slice is tied. Starts nothing, and says it was the last, if there is none. */
static int pager_ask_next(mlf_pager *pager, pager_slice *slice, mlf_error *error) {
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
  pager_key end = slice->tied ? slice->begin : slice->end;
  return pager_ask(pager, slice, end, token, pager->page_rows, error);
}

/* Starts the first request of a slice that was put at the end of the ring. */
static int pager_open_slice(mlf_pager *pager, pager_slice slice, int page_rows, mlf_error *error) {
  pager_slice *place = &pager->slices[(pager->head + pager->count) % MLF_STREAMS_MAX];
  *place = slice;
  pager->count++;
  return pager_ask(pager, place, place->end, NULL, page_rows, error);
}

/* How many slices wait for the server: their reply has not come yet. */
static size_t pager_under_way(const mlf_pager *pager) {
  size_t waiting = 0;
  for (size_t i = 0; i < pager->count; i++) {
    const pager_slice *slice = &pager->slices[(pager->head + i) % MLF_STREAMS_MAX];
    waiting += slice->call && !mlf_call_done(slice->call);
  }
  return waiting;
}

/* Adds slices until as many are under way as there may be, or nothing is left to add. A reply that
** waits for its turn does not keep the server idle, but at most as many wait as are under way. */
static int pager_fill(mlf_pager *pager, mlf_error *error) {
  int rc = SQLITE_OK;
  size_t streams = pager->ahead ? (size_t)pager->streams : 1;
  size_t count_max = pager->ahead ? 2 * streams : 1;
  if (count_max > MLF_STREAMS_MAX) count_max = MLF_STREAMS_MAX;
  while (rc == SQLITE_OK && pager->rest && pager->count < count_max &&
         pager_under_way(pager) < streams) {
    pager_slice slice = {.begin = pager->rest_begin, .end = pager->rest_end};
    int page_rows = pager->page_rows;
    if (pager_by_ids(pager)) {
      slice.ids_begin = pager->rest_ids;
      slice.ids_end = slice.ids_begin + (size_t)page_rows;
      if (slice.ids_end > pager->walk.id_count) slice.ids_end = pager->walk.id_count;
      pager->rest_ids = slice.ids_end;
      pager->rest = pager->rest_ids < pager->walk.id_count;
    } else if (pager->width > 0 &&
               pager->width < (double)pager->rest_end - (double)pager->rest_begin) {
      slice.end = pager->rest_begin + (pager_key)pager->width;
      pager->rest_begin = slice.end + 1;
    } else {
      pager->rest = false;
      if (pager->walk.rows_wanted > 0 && pager->walk.rows_wanted < page_rows && !pager->rows)
        page_rows = (int)pager->walk.rows_wanted;
    }
    rc = pager_open_slice(pager, slice, page_rows, error);
  }
  return rc;
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
  if (rc == SQLITE_OK && page.rows > 0) {
    pager_key end = pager_key_of(pager, page.first_ms);
    if (end < pager->rest_end) pager->rest_end = end;
    if (pager->rest_end < pager->rest_begin) pager->rest = false;
  } else if (rc == SQLITE_OK) {
    pager->rest = false;
  } else if (status == 400) {
    pager->width = 0; /* the rest becomes one slice */
    rc = SQLITE_OK;
  } else {
    mlf_error_set(error, rc, "%s", refused.text ? refused.text : "");
  }
  if (rc == SQLITE_OK) mlf_page_clear(&page);
  mlf_error_clear(&refused);
  return rc;
}

/* The statement goes on reading: fetches ahead from now on. What follows the first page is cut
** into slices if that can be; else the next page alone is asked for. */
static int pager_go_ahead(mlf_pager *pager, pager_slice *slice, mlf_error *error) {
  const mlf_page *page = &slice->page;
  pager->ahead = true;
  if (pager_by_ids(pager)) return pager_fill(pager, error);
  if (slice->last || slice->tied || slice->call) return SQLITE_OK;
  if (pager->streams == 1 || mlf_walk_has_spans(&pager->walk) || pager->walk.rows_wanted > 0)
    return pager_ask_next(pager, slice, error);
  double span = (double)(slice->begin - pager_key_of(pager, page->first_ms)) + 1;
  pager->width = span / (double)page->rows * pager->page_rows * PAGER_FILL;
  pager->rest = true;
  pager->rest_begin = slice->begin;
  pager->rest_end = slice->end;
  slice->last = true;
  int rc = pager->rest_end == INT64_MAX ? pager_start_probe(pager, error) : SQLITE_OK;
  return rc == SQLITE_OK ? pager_fill(pager, error) : rc;
}

/* Whether the statement will want more than the page in hand. */
static bool pager_wants_more(const mlf_pager *pager, const pager_slice *slice) {
  int64_t wanted = pager->walk.rows_wanted;
  return wanted == 0 || pager->rows - slice->kept + (int64_t)slice->page.rows < wanted;
}

/* Learns from the first page of a slice how wide the next ones should be. */
static void pager_learn(mlf_pager *pager, const pager_slice *slice) {
  const mlf_page *page = &slice->page;
  if (pager->width <= 0 || pager_by_ids(pager)) return;
  pager_key until = page->token ? pager_key_of(pager, page->last_ms) : slice->end;
  double wanted = pager->page_rows * PAGER_FILL;
  double width = (double)until - (double)slice->begin + 1;
  width *= page->rows ? wanted / (double)page->rows : PAGER_STRETCH;
  if (width > pager->width * PAGER_STRETCH) width = pager->width * PAGER_STRETCH;
  if (width < pager->width / PAGER_STRETCH) width = pager->width / PAGER_STRETCH;
  pager->width = width < 1 ? 1 : width;
}

/* Decides what comes after the page that has just arrived. */
static void pager_arrived(mlf_pager *pager, pager_slice *slice) {
  const mlf_page *page = &slice->page;
  if (slice->tied) return;
  pager_learn(pager, slice);
  size_t ids = slice->ids_end - slice->ids_begin;
  if (!page->token || (ids > 0 && page->rows >= ids)) {
    slice->last = true;
    return;
  }
  slice->begin = pager_key_of(pager, page->last_ms);
  slice->last = slice->begin > slice->end;
  slice->tied = page->first_ms == page->last_ms && slice->asked == pager->page_rows;
}

/* Whether the page holds only what was asked for: a server that does not heed the bounds would
** have us walk in circles. */
static bool pager_is_within(const mlf_pager *pager, const pager_slice *slice,
                            const mlf_page *page) {
  pager_key end = slice->tied ? slice->begin : slice->end;
  if (page->rows == 0) return true;
  if (pager_key_of(pager, page->first_ms) < slice->begin) return false;
  return mlf_walk_has_spans(&pager->walk) || pager_key_of(pager, page->last_ms) <= end;
}

/* Starts the request for the page after one that has arrived, but is not parsed yet, so that the
** server need not wait for that. Where that page ends is guessed from its bytes; a guess begins
** after the page and must come true, or it was one request too many. No call in `guess`: it is not
** clear enough that a page comes, and where it begins. */
static int pager_guess_next(mlf_pager *pager, const pager_slice *slice, pager_slice *guess,
                            mlf_error *error) {
  size_t length;
  int64_t last_ms;
  int64_t wanted = pager->walk.rows_wanted;
  *guess = (pager_slice){.end = slice->end};
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
static int pager_go_on(mlf_pager *pager, pager_slice *slice, pager_slice *guess, mlf_error *error) {
  bool wanted = pager->ahead && !slice->tied && pager_wants_more(pager, slice);
  if (guess->call && wanted && !slice->last && guess->begin == slice->begin) {
    slice->call = guess->call;
    slice->asked = guess->asked;
    slice->helped = guess->helped;
    guess->call = NULL;
    return SQLITE_OK;
  }
  pager->misled = pager->misled || guess->call;
  mlf_call_free(guess->call);
  guess->call = NULL;
  if (!wanted) return SQLITE_OK;
  return slice->last ? pager_fill(pager, error) : pager_ask_next(pager, slice, error);
}

/* Takes the reply of the call under way; the page in hand is done with. */
static int pager_take_page(mlf_pager *pager, pager_slice *slice, pager_slice *guess,
                           mlf_error *error) {
  mlf_page page;
  int rc = mlf_search_finish(slice->call, pager->walk.oldest_first, &page, error);
  if (rc != SQLITE_OK) return rc;
  mlf_call_free(slice->call);
  slice->call = NULL;
  if (slice->page.json) mlf_client_log_kept(pager->client, slice->page.log_number, slice->kept);
  mlf_page_clear(&slice->page);
  slice->kept = 0;
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
static int pager_receive(mlf_pager *pager, pager_slice *slice, mlf_error *error) {
  size_t index;
  pager_slice guess;
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
static int pager_take_row(mlf_pager *pager, pager_slice *slice, const mlf_json_node *trace,
                          bool *wanted) {
  int64_t ms = 0;
  bool added = true;
  mlf_trace_timestamp(trace, &ms);
  pager_key key = pager_key_of(pager, ms);
  pager_key last = pager_key_of(pager, slice->page.last_ms);
  *wanted = false;
  if (key > slice->end) {
    slice->last = true;
    slice->page.next = NULL;
    mlf_call_free(slice->call);
    slice->call = NULL;
    return SQLITE_OK;
  }
  if (key == last && pager->seen_key != key) {
    mlf_string_set_clear(&pager->seen);
    pager->seen_key = key;
  }
  if (key == last) {
    int rc = mlf_string_set_add(&pager->seen, mlf_trace_id(trace), &added);
    if (rc != SQLITE_OK) return rc;
  } else if (key == pager->seen_key) {
    added = !mlf_string_set_has(&pager->seen, mlf_trace_id(trace));
  }
  *wanted = added;
  return SQLITE_OK;
}

/* Hands out the next row of the page in hand: SQLITE_ROW, or SQLITE_OK if it was dropped. */
static int pager_next_row(mlf_pager *pager, pager_slice *slice, const mlf_json **page,
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
    if (pager->ahead) rc = pager_fill(pager, error);
    if (rc != SQLITE_OK) return rc;
  }
  if (!pager->ahead && pager->rows >= PAGER_AHEAD_AFTER_ROWS && pager_wants_more(pager, slice))
    rc = pager_go_ahead(pager, slice, error);
  return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

/* The head of the queue is done with. */
static int pager_pop(mlf_pager *pager, mlf_error *error) {
  size_t index;
  int rc = SQLITE_OK;
  pager_slice_clear(pager, &pager->slices[pager->head]);
  pager->head = (pager->head + 1) % MLF_STREAMS_MAX;
  pager->count--;
  if (pager->probe && (pager->count == 0 || mlf_call_done(pager->probe))) {
    rc = mlf_client_wait(pager->client, &pager->probe, 1, &index, error);
    if (rc == SQLITE_OK) rc = pager_finish_probe(pager, error);
  }
  return rc == SQLITE_OK ? pager_fill(pager, error) : rc;
}

int mlf_pager_next(mlf_pager *pager, const mlf_json **page, const mlf_json_node **trace,
                   mlf_error *error) {
  int rc = pager->count == 0 ? pager_fill(pager, error) : SQLITE_OK;
  while (rc == SQLITE_OK) {
    pager_slice *slice = &pager->slices[pager->head];
    if (pager->count == 0) return SQLITE_DONE;
    if (slice->page.next) {
      rc = pager_next_row(pager, slice, page, trace, error);
    } else if (slice->call) {
      rc = pager_receive(pager, slice, error);
    } else if (!slice->last) {
      rc = pager_ask_next(pager, slice, error);
    } else {
      rc = pager_pop(pager, error);
    }
  }
  return rc;
}

int mlf_pager_peek(mlf_pager *pager, const mlf_json_node **trace, mlf_error *error) {
  *trace = NULL;
  if (pager->count < 2) return SQLITE_OK;
  pager_slice *after = &pager->slices[(pager->head + 1) % MLF_STREAMS_MAX];
  int rc = SQLITE_OK;
  if (!after->page.json && after->call && mlf_call_done(after->call))
    rc = pager_receive(pager, after, error);
  *trace = after->page.next;
  return rc;
}
