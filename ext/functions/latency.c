/* latency.c: latency_bucket(ms [, edges]) and latency_class(ms [, edges]).
**
** (1) The edges are JSON (analysis/edges.h); without them, fast, medium and slow part at 1000 and
**     5000. They are the same in all rows of an aggregate.
** (2) ms is an INTEGER or a REAL. NULL is counted nowhere, and is of no class: NULL.
** (3) latency_bucket is an aggregate and a window function; its result is a JSON object. Over no
**     row at all it knows no edges but the default ones: then it is NULL if there is an edges
**     argument.
*/
#include <stdbool.h>
#include <string.h>

#include "analysis/bucket.h"
#include "functions/families.h"
#include "functions/json_result.h"

#define LATENCY_JSON_BYTES_MAX (64 * 1024 * 1024)

typedef struct latency_state {
  mlf_bucket bucket;
  char *text; /* the edges as given; NULL for the default ones */
  size_t text_length;
  int64_t rows; /* with NULLs */
  bool is_ready;
} latency_state;

/* The edges as text, borrowed, or an error. */
static int latency_text(sqlite3_value *argument, const char **text, size_t *length,
                        mlf_error *error) {
  if (sqlite3_value_type(argument) != SQLITE_TEXT)
    return mlf_error_set(error, SQLITE_ERROR, "edges: a JSON array or object is expected");
  *text = (const char *)sqlite3_value_text(argument);
  *length = (size_t)sqlite3_value_bytes(argument);
  return *text ? SQLITE_OK : mlf_error_nomem(error);
}

static int latency_start(latency_state *state, int count, sqlite3_value **arguments,
                         mlf_error *error) {
  const char *text = MLF_EDGES_DEFAULT;
  size_t length = strlen(text);
  int rc = count == 2 ? latency_text(arguments[1], &text, &length, error) : SQLITE_OK;
  if (rc == SQLITE_OK && state->is_ready) {
    if (count == 2 && (length != state->text_length || memcmp(text, state->text, length) != 0))
      rc = mlf_error_set(error, SQLITE_ERROR, "edges: they are not the same in all rows");
    return rc;
  }
  if (rc == SQLITE_OK) rc = mlf_bucket_init(&state->bucket, text, length, error);
  if (rc == SQLITE_OK && count == 2) {
    state->text = sqlite3_mprintf("%.*s", (int)length, text);
    state->text_length = length;
    if (!state->text) rc = mlf_error_nomem(error);
  }
  if (rc == SQLITE_OK) state->is_ready = true;
  return rc;
}

/* Reads ms; `*is_null` if there is none. */
static int latency_ms(sqlite3_value *argument, double *ms, bool *is_null, mlf_error *error) {
  int type = sqlite3_value_type(argument);
  *is_null = type == SQLITE_NULL;
  *ms = sqlite3_value_double(argument);
  if (*is_null || type == SQLITE_INTEGER || type == SQLITE_FLOAT) return SQLITE_OK;
  return mlf_error_set(error, SQLITE_ERROR, "input is not numeric");
}

static void latency_count(sqlite3_context *context, int count, sqlite3_value **arguments,
                          int change) {
  latency_state *state = sqlite3_aggregate_context(context, sizeof(*state));
  mlf_error error = {0};
  double ms = 0;
  bool is_null = true;
  int rc = state ? latency_start(state, count, arguments, &error) : mlf_error_nomem(&error);
  if (rc == SQLITE_OK) rc = latency_ms(arguments[0], &ms, &is_null, &error);
  if (rc != SQLITE_OK) {
    mlf_error_result(context, "latency_bucket", &error);
    return;
  }
  state->rows += change;
  if (!is_null) mlf_bucket_count(&state->bucket, ms, change);
}

static void latency_bucket_step(sqlite3_context *context, int count, sqlite3_value **arguments) {
  latency_count(context, count, arguments, 1);
}

static void latency_bucket_inverse(sqlite3_context *context, int count, sqlite3_value **arguments) {
  latency_count(context, count, arguments, -1);
}

static void latency_result(sqlite3_context *context, const mlf_bucket *bucket) {
  mlf_buffer json;
  mlf_buffer_init(&json, LATENCY_JSON_BYTES_MAX);
  int rc = mlf_bucket_write(bucket, &json);
  if (rc == SQLITE_OK) {
    size_t length = json.length;
    mlf_json_result_take(context, mlf_buffer_take(&json), length);
  } else {
    sqlite3_result_error_code(context, rc);
  }
  mlf_buffer_clear(&json);
}

/* The histogram of no rows, with the default edges. */
static void latency_result_empty(sqlite3_context *context) {
  mlf_error error = {0};
  mlf_bucket bucket = {0};
  if (mlf_bucket_init(&bucket, MLF_EDGES_DEFAULT, strlen(MLF_EDGES_DEFAULT), &error) == SQLITE_OK)
    latency_result(context, &bucket);
  else
    mlf_error_result(context, "latency_bucket", &error);
  mlf_bucket_clear(&bucket);
}

static void latency_bucket_value(sqlite3_context *context) {
  const latency_state *state = sqlite3_aggregate_context(context, 0);
  bool has_edges = sqlite3_user_data(context) != NULL;
  if (state && state->is_ready && state->rows > 0)
    latency_result(context, &state->bucket);
  else if (!has_edges)
    latency_result_empty(context);
}

static void latency_bucket_final(sqlite3_context *context) {
  latency_state *state = sqlite3_aggregate_context(context, 0);
  latency_bucket_value(context);
  if (!state) return;
  mlf_bucket_clear(&state->bucket);
  sqlite3_free(state->text);
}

static void latency_free_edges(void *edges) {
  mlf_edges_clear(edges);
  sqlite3_free(edges);
}

/* Reads the edges of a call. NULL is a failure. */
static mlf_edges *latency_read_edges(sqlite3_value *argument, mlf_error *error) {
  const char *text;
  size_t length;
  if (latency_text(argument, &text, &length, error) != SQLITE_OK) return NULL;
  mlf_edges *edges = sqlite3_malloc64(sizeof(*edges));
  if (!edges) {
    mlf_error_nomem(error);
    return NULL;
  }
  *edges = (mlf_edges){0};
  if (mlf_edges_read(text, length, edges, error) == SQLITE_OK) return edges;
  latency_free_edges(edges);
  return NULL;
}

static void latency_class(sqlite3_context *context, int count, sqlite3_value **arguments) {
  const mlf_edges *edges =
      count == 1 ? sqlite3_user_data(context) : sqlite3_get_auxdata(context, 1);
  mlf_edges *fresh = NULL;
  mlf_error error = {0};
  double ms = 0;
  bool is_null = true;
  if (!edges) edges = fresh = latency_read_edges(arguments[1], &error);
  int rc = edges ? latency_ms(arguments[0], &ms, &is_null, &error) : error.code;
  if (rc != SQLITE_OK)
    mlf_error_result(context, "latency_class", &error);
  else if (!is_null)
    sqlite3_result_text(context, edges->buckets[mlf_edges_find(edges, ms)].name, -1,
                        SQLITE_TRANSIENT);
  /* Last: SQLite keeps them for the next row if they are constant, or frees them at once. */
  if (fresh) sqlite3_set_auxdata(context, 1, fresh, latency_free_edges);
}

static int latency_register_class(mlf_registry *registry) {
  mlf_error error = {0};
  mlf_edges *edges = sqlite3_malloc64(sizeof(*edges));
  if (!edges) return SQLITE_NOMEM;
  *edges = (mlf_edges){0};
  int rc = mlf_edges_read(MLF_EDGES_DEFAULT, strlen(MLF_EDGES_DEFAULT), edges, &error);
  if (rc != SQLITE_OK) {
    latency_free_edges(edges);
    return rc;
  }
  mlf_registry_function function = {.name = "latency_class",
                                    .arguments = 1,
                                    .flags = MLF_FAMILIES_PURE,
                                    .context = edges,
                                    .call = latency_class,
                                    .destroy = latency_free_edges};
  rc = mlf_registry_add(registry, &function);
  function.arguments = 2;
  function.context = NULL;
  function.destroy = NULL;
  return rc == SQLITE_OK ? mlf_registry_add(registry, &function) : rc;
}

int mlf_latency_register(mlf_registry *registry) {
  static char has_edges;
  int rc = SQLITE_OK;
  for (int count = 1; rc == SQLITE_OK && count <= 2; count++)
    rc = mlf_registry_add(registry, &(mlf_registry_function){
                                        .name = "latency_bucket",
                                        .arguments = count,
                                        .flags = MLF_FAMILIES_PURE | MLF_JSON_RESULT_SUBTYPE,
                                        .context = count == 2 ? &has_edges : NULL,
                                        .step = latency_bucket_step,
                                        .final = latency_bucket_final,
                                        .value = latency_bucket_value,
                                        .inverse = latency_bucket_inverse,
                                    });
  return rc == SQLITE_OK ? latency_register_class(registry) : rc;
}
