#include "remote/payloads.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/sqlite_api.h"
#include "model/decode_trace.h"
#include "remote/find.h"
#include "remote/payload_reply.h"

#define PAYLOADS_BATCH_PATH "/api/3.0/mlflow/traces/batchGet"
#define PAYLOADS_FILE_PATH  "/ajax-api/2.0/mlflow/get-trace-artifact"

/* What the first request fetches. */
#define PAYLOADS_FIRST_TRACES 8
#define PAYLOADS_GROWTH       4
#define PAYLOADS_KEPT_AHEAD   4 /* for each trace that is asked for, where all are kept, */
#define PAYLOADS_KEPT_MORE    8 /* and one more after each eight asks */
/* Requests kept, under way or not yet sent. */
#define PAYLOADS_FETCHES_MAX (2 * MLF_STREAMS_MAX)
/* The tree of a reply reaches down to the spans, which are leaves. */
#define PAYLOADS_BATCH_LEVELS 4
#define PAYLOADS_FILE_LEVELS  2
/* A trace that does not say its size is taken for one of so many bytes. */
#define PAYLOADS_TRACE_BYTES 20000

typedef struct payloads_trace {
  char *id; /* owned, as is the id of its experiment */
  char *experiment;
  bool used;   /* was asked for */
  bool absent; /* the server has no spans of it */
} payloads_trace;

/* One request for the spans of some traces. */
typedef struct payloads_fetch {
  payloads_trace traces[MLF_PAYLOAD_TRACES_MAX];
  size_t count; /* 0: the place is free */
  bool file;    /* of one trace, from get-trace-artifact */
  bool known;   /* of a batch: which of the traces that it left out are absent */
  bool refused; /* of a batch: it cannot be had as a whole; failure says why, */
  bool denied;  /* namely that the account may not read it, or that one of it is gone */
  mlf_error failure;
  mlf_call *call; /* NULL until sent, and once ended */
  mlf_json *json; /* of the reply */
  int64_t log_number;
  int64_t touched; /* when it was last asked for, by the counter of all asks */
} payloads_fetch;

struct mlf_payloads {
  mlf_client *client;
  mlf_server server;
  size_t streams;
  payloads_fetch fetches[PAYLOADS_FETCHES_MAX];
  size_t window; /* traces that the next request takes along */
  bool all_used; /* the reader used all of the last one: several are fetched at once */
  int64_t asks;
  mlf_payloads_known known; /* NULL: nothing is kept elsewhere */
  void *context;
  size_t spared; /* traces that may be fetched although nobody has asked for them yet */
};

int mlf_payloads_new(mlf_client *client, mlf_server server, mlf_payloads **out, mlf_error *error) {
  const mlf_settings *settings;
  *out = NULL;
  int rc = mlf_client_settings(client, &settings, error);
  if (rc != SQLITE_OK) return rc;
  mlf_payloads *payloads = sqlite3_malloc64(sizeof(*payloads));
  if (!payloads) return mlf_error_nomem(error);
  memset(payloads, 0, sizeof(*payloads));
  payloads->client = client;
  payloads->server = server;
  payloads->streams = (size_t)settings->streams;
  payloads->window = PAYLOADS_FIRST_TRACES;
  *out = payloads;
  return SQLITE_OK;
}

static void payloads_forget_trace(payloads_trace *trace) {
  sqlite3_free(trace->id);
  sqlite3_free(trace->experiment);
}

static void payloads_forget(payloads_fetch *fetch) {
  mlf_call_free(fetch->call);
  mlf_json_free(fetch->json);
  mlf_error_clear(&fetch->failure);
  for (size_t i = 0; i < fetch->count; i++)
    payloads_forget_trace(&fetch->traces[i]);
  memset(fetch, 0, sizeof(*fetch));
}

/* Whether a fetch is planned or under way. */
static bool payloads_is_awaited(const payloads_fetch *fetch) {
  return fetch->count > 0 && !fetch->json && !fetch->traces[0].absent && !fetch->refused;
}

void mlf_payloads_free(mlf_payloads *payloads) {
  if (!payloads) return;
  for (size_t i = 0; i < PAYLOADS_FETCHES_MAX; i++)
    payloads_forget(&payloads->fetches[i]);
  sqlite3_free(payloads);
}

/* How far a fetch is on the way of a trace that its batch did not bring: first alone, then as a
** file. */
static int payloads_stage(const payloads_fetch *fetch) {
  return fetch->file ? 2 : fetch->count == 1;
}

/* The fetch that holds, or will hold, the spans of a trace, and the trace's place in it; of several
** the one that is furthest. NULL if there is none. */
static payloads_fetch *payloads_find(mlf_payloads *payloads, const char *id, size_t *place) {
  payloads_fetch *found = NULL;
  for (size_t i = 0; i < PAYLOADS_FETCHES_MAX; i++) {
    payloads_fetch *fetch = &payloads->fetches[i];
    for (size_t j = 0; j < fetch->count; j++) {
      if (strcmp(fetch->traces[j].id, id) != 0) continue;
      if (found && payloads_stage(found) >= payloads_stage(fetch)) continue;
      found = fetch;
      *place = j;
    }
  }
  return found;
}

void mlf_payloads_keep(mlf_payloads *payloads, mlf_payloads_known known, void *context) {
  payloads->known = known;
  payloads->context = context;
}

void mlf_payloads_expect(mlf_payloads *payloads, size_t traces) {
  payloads->spared += traces;
}

void mlf_payloads_used(mlf_payloads *payloads) {
  payloads->spared += PAYLOADS_KEPT_AHEAD + (size_t)payloads->asks / PAYLOADS_KEPT_MORE;
}

bool mlf_payloads_has(mlf_payloads *payloads, const mlf_json_node *trace) {
  size_t place;
  const payloads_fetch *fetch = payloads_find(payloads, mlf_trace_id(trace), &place);
  return fetch && !fetch->traces[place].used;
}

/* A free place: an empty one, or that of the fetch that was not asked for the longest. One that
** was planned a moment ago, and waits, is not given away. */
static payloads_fetch *payloads_place(mlf_payloads *payloads) {
  payloads_fetch *oldest = NULL, *empty = NULL;
  size_t kept_max = 2 * payloads->streams + 1, kept = 0;
  for (size_t i = 0; i < PAYLOADS_FETCHES_MAX; i++) {
    payloads_fetch *fetch = &payloads->fetches[i];
    if (fetch->count == 0) {
      if (!empty) empty = fetch;
      continue;
    }
    kept++;
    if (!oldest || fetch->touched < oldest->touched) oldest = fetch;
  }
  if (empty && kept < kept_max) return empty;
  payloads_forget(oldest);
  return oldest;
}

/* Whether the spans are a file of the trace's own: what is neither in the server's tables nor in
** its archive, and everything on a server that has no batches. */
static bool payloads_is_file(const mlf_payloads *payloads, const mlf_json_node *trace) {
  const char *location = mlf_trace_spans_location(trace);
  if (!mlf_server_knows(payloads->server, MLF_FEATURE_BATCH_GET)) return true;
  return !location ||
         (strcmp(location, "TRACKING_STORE") != 0 && strcmp(location, "ARCHIVE_REPO") != 0);
}

/* How many bytes its spans are, as far as the trace says, which may say anything. */
static int64_t payloads_bytes(const mlf_json_node *trace) {
  const char *text = mlf_json_text(
      mlf_json_member(mlf_json_member(trace, "trace_metadata"), "mlflow.trace.sizeBytes"));
  int64_t bytes = text ? strtoll(text, NULL, 10) : 0;
  if (bytes > MLF_PAYLOAD_BATCH_BYTES) return MLF_PAYLOAD_BATCH_BYTES;
  return bytes > 0 ? bytes : PAYLOADS_TRACE_BYTES;
}

static int payloads_add(payloads_fetch *fetch, const mlf_json_node *trace, mlf_error *error) {
  payloads_trace added = {.id = sqlite3_mprintf("%s", mlf_trace_id(trace)),
                          .experiment = sqlite3_mprintf("%s", mlf_trace_experiment_id(trace))};
  if (added.id && added.experiment) {
    fetch->traces[fetch->count++] = added;
    return SQLITE_OK;
  }
  payloads_forget_trace(&added);
  return mlf_error_nomem(error);
}

/* Plans one request: `*trace`, and of the traces that follow it as many as the window has room
** for. A file is planned alone. `*trace` moves to the first one that is in no request. */
static int payloads_plan(mlf_payloads *payloads, const mlf_json_node **trace, mlf_error *error) {
  payloads_fetch *fetch = payloads_place(payloads);
  int64_t bytes = 0;
  size_t place, looked = 0;
  fetch->touched = payloads->asks;
  fetch->file = payloads_is_file(payloads, *trace);
  for (; *trace; *trace = mlf_json_next(*trace)) {
    bool file = payloads_is_file(payloads, *trace);
    const char *id = mlf_trace_id(*trace);
    if (fetch->count > 0 && payloads->known && payloads->known(payloads->context, id)) continue;
    bytes += payloads_bytes(*trace);
    if (fetch->count > 0 && (file || fetch->file || fetch->count >= payloads->window ||
                             looked >= payloads->window || bytes > MLF_PAYLOAD_BATCH_BYTES))
      break;
    looked++;
    if (payloads_find(payloads, id, &place)) continue;
    int rc = payloads_add(fetch, *trace, error);
    if (rc != SQLITE_OK) return rc;
    payloads->spared -= payloads->spared > 0;
  }
  return SQLITE_OK;
}

static int payloads_send(mlf_payloads *payloads, mlf_budget *budget, payloads_fetch *fetch,
                         mlf_error *error) {
  mlf_http_parameter parameters[MLF_PAYLOAD_TRACES_MAX];
  for (size_t i = 0; i < fetch->count; i++) {
    parameters[i].name = fetch->file ? "request_id" : "trace_ids";
    parameters[i].value = fetch->traces[i].id;
  }
  mlf_request request = {.path = fetch->file ? PAYLOADS_FILE_PATH : PAYLOADS_BATCH_PATH,
                         .parameters = parameters,
                         .parameter_count = fetch->count,
                         .spans = true,
                         .file = fetch->file,
                         .levels = fetch->file ? PAYLOADS_FILE_LEVELS : PAYLOADS_BATCH_LEVELS,
                         .page_rows = (int)fetch->count};
  int rc = mlf_call_start(payloads->client, budget, &request, &fetch->call, error);
  if (rc == SQLITE_OK) mlf_client_progress(payloads->client);
  return rc;
}

/* Sends what is planned, as far as there are streams for it: the wanted one at once, the others in
** the order of their places. */
static int payloads_pump(mlf_payloads *payloads, mlf_budget *budget, payloads_fetch *wanted,
                         mlf_error *error) {
  size_t under_way = 0;
  int rc = SQLITE_OK;
  for (size_t i = 0; i < PAYLOADS_FETCHES_MAX; i++) {
    const payloads_fetch *fetch = &payloads->fetches[i];
    under_way += fetch->call && !mlf_call_done(fetch->call);
  }
  for (size_t i = 0; rc == SQLITE_OK && i <= PAYLOADS_FETCHES_MAX; i++) {
    payloads_fetch *fetch = i == 0 ? wanted : &payloads->fetches[i - 1];
    if (!payloads_is_awaited(fetch) || fetch->call) continue;
    if (fetch != wanted && under_way >= payloads->streams) continue;
    rc = payloads_send(payloads, budget, fetch, error);
    under_way++;
  }
  return rc;
}

/* How many traces of a fetch were asked for. */
static size_t payloads_used(const payloads_fetch *fetch) {
  size_t used = 0;
  for (size_t i = 0; i < fetch->count; i++)
    used += fetch->traces[i].used;
  return used;
}

/* The fetch that was asked for last. */
static const payloads_fetch *payloads_last_asked(const mlf_payloads *payloads) {
  const payloads_fetch *last = NULL;
  for (size_t i = 0; i < PAYLOADS_FETCHES_MAX; i++) {
    const payloads_fetch *fetch = &payloads->fetches[i];
    if (payloads_used(fetch) == 0) continue;
    if (!last || fetch->touched > last->touched) last = fetch;
  }
  return last;
}

/* Learns from the fetch that is left behind how many traces the next ones should take along. */
static void payloads_learn(mlf_payloads *payloads) {
  const payloads_fetch *behind = payloads_last_asked(payloads);
  if (!behind) return;
  size_t used = behind->file ? payloads->window : payloads_used(behind);
  payloads->all_used = payloads_used(behind) == behind->count;
  size_t most = behind->count * PAYLOADS_GROWTH;
  payloads->window = used * PAYLOADS_GROWTH;
  if (payloads->known && payloads->window < payloads->spared)
    payloads->window = payloads->spared < most ? payloads->spared : most;
  if (payloads->window > MLF_PAYLOAD_TRACES_MAX) payloads->window = MLF_PAYLOAD_TRACES_MAX;
}

/* Plans the request for `trace` if there is none, and, for a reader who uses all, as many more for
** the traces after it as there are streams. */
static int payloads_look_ahead(mlf_payloads *payloads, const mlf_json_node *trace,
                               const mlf_json_node *more, mlf_error *error) {
  size_t waiting = 0, place;
  int rc = SQLITE_OK;
  payloads_learn(payloads);
  bool whole = payloads->all_used && payloads->window == MLF_PAYLOAD_TRACES_MAX;
  size_t requests = whole ? payloads->streams : 1;
  for (size_t i = 0; i < PAYLOADS_FETCHES_MAX; i++)
    waiting += payloads_is_awaited(&payloads->fetches[i]);
  if (!payloads_find(payloads, mlf_trace_id(trace), &place)) {
    rc = payloads_plan(payloads, &trace, error);
    waiting++;
  }
  while (rc == SQLITE_OK && waiting < requests) {
    if (!trace) {
      trace = more;
      more = NULL;
      if (!trace) break;
    }
    if (payloads_find(payloads, mlf_trace_id(trace), &place)) {
      trace = mlf_json_next(trace);
    } else {
      rc = payloads_plan(payloads, &trace, error);
      waiting++;
    }
  }
  return rc;
}

/* What came of a fetch that has failed. That there is no file is an answer. A batch may be too much
** at once, or one among its traces may have moved, or is gone, which a server with accounts denies;
** a reply for one trace that cannot be read is that trace's fault. Anything else ends the
** statement. */
static int payloads_fail(payloads_fetch *fetch, int status, mlf_error *failure, mlf_error *error) {
  int rc = failure->code;
  fetch->denied = rc == SQLITE_ERROR && status == 403;
  bool unreadable = rc == SQLITE_ERROR && (status == 500 || (status == 200 && fetch->count == 1));
  if (fetch->file && rc == SQLITE_NOTFOUND) {
    fetch->traces[0].absent = true;
  } else if (rc == SQLITE_TOOBIG || unreadable || fetch->denied) {
    fetch->refused = true;
    mlf_error_move(&fetch->failure, failure);
  } else {
    return mlf_error_move(error, failure);
  }
  mlf_error_clear(failure);
  return SQLITE_OK;
}

/* Takes the reply of a fetch. */
static int payloads_receive(payloads_fetch *fetch, mlf_error *error) {
  mlf_error failure = {0};
  int rc = mlf_call_wait(fetch->call, error);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_call_reply(fetch->call, &fetch->json, &failure);
  fetch->log_number = mlf_call_log_number(fetch->call);
  int status = mlf_call_status(fetch->call);
  if (rc == SQLITE_OK) mlf_call_log_rows(fetch->call, (int64_t)fetch->count);
  mlf_call_free(fetch->call);
  fetch->call = NULL;
  return rc == SQLITE_OK ? rc : payloads_fail(fetch, status, &failure, error);
}

/* The spans of a trace in the reply; NULL if it is not there. */
static int payloads_spans(const payloads_fetch *fetch, const char *id, const mlf_json_node **spans,
                          mlf_error *error) {
  mlf_error cause = {0};
  *spans = NULL;
  if (!fetch->json) return SQLITE_OK;
  int rc = fetch->file ? mlf_payload_reply_file(fetch->json, spans, &cause)
                       : mlf_payload_reply_batch(fetch->json, id, spans, &cause);
  if (rc == SQLITE_OK) return rc;
  return mlf_error_wrap(error, fetch->file ? "GET " PAYLOADS_FILE_PATH : "GET " PAYLOADS_BATCH_PATH,
                        &cause);
}

/* Asks for one trace's spans by itself. */
static int payloads_ask_alone(mlf_payloads *payloads, const mlf_json_node *trace, bool file,
                              payloads_fetch **out, mlf_error *error) {
  payloads_fetch *fetch = payloads_place(payloads);
  fetch->file = file;
  fetch->touched = payloads->asks;
  *out = fetch;
  return payloads_add(fetch, trace, error);
}

/* Which traces a batch left out, whose places go to `places`, and in which experiments they are.
** `*count` of them: none if the reply cannot be read. */
static void payloads_left_out(const payloads_fetch *fetch, mlf_value *ids, const char **experiments,
                              size_t *places, size_t *count, size_t *experiment_count) {
  *count = *experiment_count = 0;
  for (size_t i = 0; i < fetch->count; i++) {
    mlf_error ignored = {0};
    const mlf_json_node *spans = NULL;
    const payloads_trace *trace = &fetch->traces[i];
    int rc = mlf_payload_reply_batch(fetch->json, trace->id, &spans, &ignored);
    mlf_error_clear(&ignored);
    if (rc != SQLITE_OK || spans) continue;
    size_t known = 0;
    while (known < *experiment_count && strcmp(experiments[known], trace->experiment) != 0)
      known++;
    experiments[known] = trace->experiment;
    if (known == *experiment_count) ++*experiment_count;
    places[*count] = i;
    ids[(*count)++] = mlf_value_text(trace->id);
  }
}

/* Learns which traces that a batch left out have no spans at all. (Others have, but not all that
** they will have, and come by themselves.) Of one alone that is not worth a request. */
static int payloads_learn_absent(mlf_payloads *payloads, mlf_budget *budget, payloads_fetch *fetch,
                                 mlf_error *error) {
  mlf_value ids[MLF_PAYLOAD_TRACES_MAX];
  const char *experiments[MLF_PAYLOAD_TRACES_MAX];
  size_t places[MLF_PAYLOAD_TRACES_MAX];
  bool has[MLF_PAYLOAD_TRACES_MAX];
  mlf_walk walk = {.experiment_ids = experiments, .ids = ids};
  if (fetch->known || !mlf_server_knows(payloads->server, MLF_FEATURE_IS_NULL)) return SQLITE_OK;
  payloads_left_out(fetch, ids, experiments, places, &walk.id_count, &walk.experiment_count);
  fetch->known = true;
  if (walk.id_count < 2) return SQLITE_OK;
  int rc = mlf_find_with_spans(payloads->client, budget, &walk, has, error);
  for (size_t i = 0; rc == SQLITE_OK && i < walk.id_count; i++)
    fetch->traces[places[i]].absent = !has[i];
  return rc;
}

/* What comes of a trace whose spans the server denies: it is gone, or that is a failure. */
static int payloads_look_for(mlf_payloads *payloads, mlf_budget *budget, const mlf_json_node *trace,
                             payloads_fetch *fetch, mlf_error *error) {
  const char *experiment = fetch->traces[0].experiment;
  mlf_walk walk = {.experiment_ids = &experiment, .experiment_count = 1};
  mlf_error cause = {0};
  int64_t ms = 0;
  bool found = true;
  mlf_trace_timestamp(trace, &ms);
  int rc = mlf_find_trace(payloads->client, budget, &walk, mlf_trace_id(trace), ms, &found, &cause);
  if (rc == SQLITE_INTERRUPT || rc == SQLITE_NOMEM) return mlf_error_move(error, &cause);
  mlf_error_clear(&cause);
  if (rc != SQLITE_OK || found) return mlf_error_move(error, &fetch->failure);
  fetch->traces[0].absent = true;
  return rc;
}

/* Decides what follows a fetch that did not bring the spans of a trace. A batch that was refused is
** asked for trace by trace, and what is refused alone, or left out, as a file; but what is too
** large alone is too large. A failure that is followed by "not found", or by a file without a list
** of spans, is the failure: it is kept in `*failure`. `*next` is NULL if nothing is left to ask. */
static int payloads_go_on(mlf_payloads *payloads, const mlf_json_node *trace, payloads_fetch *fetch,
                          payloads_fetch **next, mlf_error *failure, mlf_error *error) {
  *next = NULL;
  bool several = fetch->refused && fetch->count > 1;
  if (fetch->file && !fetch->refused) {
    fetch->refused = mlf_error_move(&fetch->failure, failure) != SQLITE_OK;
    fetch->traces[0].absent = !fetch->refused;
    if (fetch->traces[0].absent) return SQLITE_OK;
  }
  const char *why = fetch->failure.text ? fetch->failure.text : "";
  if (fetch->refused && (fetch->file || (!several && fetch->failure.code == SQLITE_TOOBIG)))
    return mlf_error_set(error, SQLITE_CORRUPT, "%s", why);
  if (fetch->refused && !several) mlf_error_set(failure, fetch->failure.code, "%s", why);
  return payloads_ask_alone(payloads, trace, !several, next, error);
}

int mlf_payloads_get(mlf_payloads *payloads, mlf_budget *budget, const mlf_json_node *trace,
                     const mlf_json_node *more, const mlf_json **json, const mlf_json_node **spans,
                     mlf_error *error) {
  const char *id = mlf_trace_id(trace);
  size_t place = 0;
  int rc = SQLITE_OK;
  *json = NULL;
  *spans = NULL;
  payloads->asks++;
  payloads_fetch *fetch = payloads_find(payloads, id, &place);
  if (fetch) fetch->touched = payloads->asks; /* what is looked ahead for takes not its place */
  if (!fetch || payloads_used(fetch) == 0) {
    rc = payloads_look_ahead(payloads, trace, more, error);
    fetch = payloads_find(payloads, id, &place);
  }
  bool again = rc == SQLITE_OK && fetch->traces[place].used;
  if (!again) mlf_payloads_used(payloads);
  mlf_error failure = {0};
  for (payloads_fetch *next = fetch; rc == SQLITE_OK && next;) {
    fetch = next;
    fetch->touched = payloads->asks;
    fetch->traces[place].used = true;
    rc = payloads_pump(payloads, budget, fetch, error);
    if (rc == SQLITE_OK && fetch->call) rc = payloads_receive(fetch, error);
    if (rc == SQLITE_OK) rc = payloads_spans(fetch, id, spans, error);
    if (rc != SQLITE_OK || *spans) break;
    bool batch = !fetch->file && !fetch->refused;
    if (batch) rc = mlf_payload_reply_check(fetch->json, trace, error);
    if (batch && rc == SQLITE_OK) rc = payloads_learn_absent(payloads, budget, fetch, error);
    if (rc == SQLITE_OK && fetch->denied && fetch->count == 1)
      rc = payloads_look_for(payloads, budget, trace, fetch, error);
    if (rc != SQLITE_OK || ((!fetch->file || fetch->denied) && fetch->traces[place].absent)) break;
    place = 0;
    rc = payloads_go_on(payloads, trace, fetch, &next, &failure, error);
  }
  mlf_error_clear(&failure);
  if (rc != SQLITE_OK || !*spans) return rc;
  *json = fetch->json;
  if (!again) mlf_client_log_kept(payloads->client, fetch->log_number, 1);
  return rc;
}
