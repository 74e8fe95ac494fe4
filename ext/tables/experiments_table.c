/* mlflow_experiments: the experiments of the server, active and deleted ones, each once: one that
** is created between two pages moves the last row of a page onto the next page. */
#include "base/string_set.h"
#include "model/json_value.h"
#include "model/json_write.h"
#include "model/otlp.h"
#include "remote/experiments.h"
#include "tables/listing.h"

typedef struct experiments_state {
  mlf_statement *statement;
  mlf_experiments page;
  size_t next;         /* the place of the page after it */
  bool fetched;        /* the server has sent it for this scan, just now */
  mlf_string_set seen; /* their ids, where there are several pages */
} experiments_state;

static int experiments_open(mlf_connection *connection, void *context) {
  return mlf_connection_join(connection, NULL, &((experiments_state *)context)->statement);
}

static int experiments_fetch(experiments_state *state, mlf_experiments *page, mlf_error *error) {
  mlf_statement *statement = state->statement;
  /* A version that the other tables do not read is an error here, too. */
  int rc = mlf_statement_begin(statement, error);
  if (rc == SQLITE_OK)
    rc = mlf_experiments_page(statement->client, &statement->budget, false, state->page.token, page,
                              error);
  return rc;
}

/* Goes to the next page, which the statement may have read before. */
static int experiments_page(experiments_state *state, mlf_error *error) {
  mlf_experiments page = {0};
  mlf_experiment_pages *kept = &state->statement->pages;
  int rc = SQLITE_OK;
  state->fetched = !mlf_experiment_pages_get(kept, state->next, &page);
  if (state->fetched) rc = experiments_fetch(state, &page, error);
  if (rc == SQLITE_OK && state->fetched && mlf_experiment_pages_put(kept, state->next, &page))
    rc = mlf_error_nomem(error);
  mlf_experiments_clear(&state->page);
  state->page = page;
  state->next++;
  return rc;
}

/* Notes the row for those who ask for its id next, if the server has just sent it; one that is
** misshapen is not their matter. */
static int experiments_note(mlf_connection *connection, const experiments_state *state) {
  const char *id, *name;
  mlf_error none = {0};
  if (!state->fetched) return SQLITE_OK;
  int rc = mlf_experiment_name(state->page.json, state->page.next, &id, &name, &none);
  if (rc == SQLITE_OK) rc = mlf_connection_note_experiment(connection, id, name);
  mlf_error_clear(&none);
  return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
}

/* Whether the row is one that was given already. SQLITE_OK or SQLITE_NOMEM. */
static int experiments_is_seen(experiments_state *state, bool *is) {
  const char *id = mlf_json_text(mlf_json_member(state->page.next, "experiment_id"));
  bool added = true, sole = state->next == 1 && !state->page.token;
  int rc = id && !sole ? mlf_string_set_add(&state->seen, id, &added) : SQLITE_OK;
  *is = !added;
  return rc;
}

/* Goes on to a row that was not given yet, and fetches pages until there is one or no more. */
static int experiments_settle(mlf_connection *connection, experiments_state *state,
                              mlf_error *error) {
  int rc = SQLITE_OK;
  bool seen;
  do {
    while (rc == SQLITE_OK && !state->page.next && state->page.token)
      rc = experiments_page(state, error);
    if (rc != SQLITE_OK) return rc;
    if (!state->page.next) return SQLITE_DONE;
    if (experiments_is_seen(state, &seen) != SQLITE_OK) return mlf_error_nomem(error);
    if (seen) state->page.next = mlf_json_next(state->page.next);
  } while (seen);
  if (experiments_note(connection, state) != SQLITE_OK) return mlf_error_nomem(error);
  rc = mlf_statement_count_row(state->statement, error);
  return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

static int experiments_first(mlf_connection *connection, void *context, mlf_error *error) {
  experiments_state *state = context;
  mlf_experiments_clear(&state->page);
  mlf_string_set_clear(&state->seen);
  state->next = 0;
  int rc = experiments_page(state, error);
  return rc == SQLITE_OK ? experiments_settle(connection, state, error) : rc;
}

static int experiments_next(mlf_connection *connection, void *context, mlf_error *error) {
  experiments_state *state = context;
  state->page.next = mlf_json_next(state->page.next);
  return experiments_settle(connection, state, error);
}

/* Tags come as a list of keys and values; an object is what SQL's ->> wants, sorted as the tags of
** traces are. */
static int experiments_tags(const mlf_experiments *page, mlf_value *value, mlf_error *error) {
  mlf_value listed;
  mlf_json_reader reader;
  const mlf_json_node *tags;
  const char *separator = "{";
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = mlf_json_get_array(page->json, page->next, "tags", &tags, error);
  const mlf_json_node *each = mlf_json_first(tags);
  for (; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
    sqlite3_str_appendall(out, separator);
    rc = mlf_json_want_object(page->json, each, error);
    if (rc == SQLITE_OK) rc = mlf_json_value_write_text(out, page->json, each, "key", error);
    sqlite3_str_appendchar(out, 1, ':');
    if (rc == SQLITE_OK) rc = mlf_json_value_write_text(out, page->json, each, "value", error);
    separator = ",";
  }
  sqlite3_str_appendall(out, *separator == '{' ? "{}" : "}");
  rc = mlf_json_value_finish(out, rc, &listed, error);
  if (rc != SQLITE_OK) return rc;
  out = sqlite3_str_new(NULL);
  mlf_json_reader_init(&reader, listed.text, listed.length);
  rc = mlf_json_value_finish(out, mlf_json_write_sorted(out, &reader, error), value, error);
  mlf_value_clear(&listed);
  return rc;
}

/* A time, which is a whole number. */
static int experiments_time(const mlf_experiments *page, const char *name, mlf_value *value,
                            mlf_error *error) {
  const mlf_json_node *node = mlf_json_member(page->next, name);
  mlf_json_kind kind = mlf_json_kind_of(page->json, node);
  int64_t ms;
  *value = mlf_value_text(NULL);
  if (kind == MLF_JSON_ABSENT || kind == MLF_JSON_NULL) return SQLITE_OK;
  if (!mlf_otlp_int64(page->json, node, &ms))
    return mlf_json_misshapen(page->json, node, "a time in milliseconds", error);
  *value = mlf_value_integer(ms);
  return SQLITE_OK;
}

static int experiments_column(mlf_connection *connection, void *context, int index,
                              mlf_value *value, mlf_error *error) {
  static const char *const texts[] = {"experiment_id", "name", "lifecycle_stage",
                                      "artifact_location"};
  const mlf_experiments *page = &((experiments_state *)context)->page;
  const char *text = NULL;
  (void)connection;
  if (index == 4) return experiments_time(page, "creation_time", value, error);
  if (index == 5) return experiments_time(page, "last_update_time", value, error);
  if (index == 6) return experiments_tags(page, value, error);
  int rc = mlf_json_get_text(page->json, page->next, texts[index], &text, error);
  *value = mlf_value_text(text);
  return rc;
}

static void experiments_clear(void *context) {
  experiments_state *state = context;
  mlf_experiments_clear(&state->page);
  mlf_string_set_clear(&state->seen);
  if (state->statement) mlf_statement_leave(state->statement);
  state->statement = NULL;
}

static const mlf_column experiments_columns[] = {
    {.name = "experiment_id", .meaning = "id of the experiment"},
    {.name = "name", .meaning = "its name"},
    {.name = "lifecycle_stage", .meaning = "active or deleted"},
    {.name = "artifact_location", .meaning = "where the server keeps its files"},
    {.name = "creation_time_ms",
     .type = MLF_TYPE_INTEGER,
     .meaning = "when it was made, in Unix milliseconds"},
    {.name = "last_update_time_ms",
     .type = MLF_TYPE_INTEGER,
     .meaning = "when it was last changed, in Unix milliseconds"},
    {.name = "tags", .meaning = "its tags, a JSON object"},
};

const mlf_listing mlf_listing_experiments = {
    .name = "mlflow_experiments",
    .columns = experiments_columns,
    .column_count = sizeof(experiments_columns) / sizeof(experiments_columns[0]),
    .state_size = sizeof(experiments_state),
    .rows = 1000,
    .open = experiments_open,
    .first = experiments_first,
    .next = experiments_next,
    .column = experiments_column,
    .clear = experiments_clear,
};
