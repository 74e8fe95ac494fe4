#include "tables/given.h"

#include <string.h>

#include "base/limits.h"
#include "base/string_set.h"
#include "model/decode_trace.h"

/* Questions are found by the hash of their text: a join on another column than trace_id asks one
** for each row. */
#define GIVEN_BUCKETS 4096
/* Pages that stay in memory as they came: the one that is read, and the one before it. */
#define GIVEN_PAGES 2
/* Columns whose values are found by. */
#define GIVEN_INDEXES 8
/* A page that is read back has so many traces, as the server's have, and hardly more bytes. Spans
** are fetched for the traces of one page: small pages would cost requests. */
#define GIVEN_PAGE_ROWS  MLF_PAGE_ROWS_MAX
#define GIVEN_PAGE_BYTES (1 << 20)

typedef enum given_sql {
  GIVEN_PUT,
  GIVEN_FIND,
  GIVEN_PUT_SPANS,
  GIVEN_FIND_SPANS,
  GIVEN_ADD,
  GIVEN_NONE,
  GIVEN_HAS,
  GIVEN_NEXT,
  GIVEN_INDEX,
  GIVEN_SQL_COUNT
} given_sql;

/* An id that is known to be none of a question's has no place. */
static const char *const given_texts[GIVEN_SQL_COUNT] = {
    [GIVEN_PUT] = "INSERT OR IGNORE INTO trace(id, ms, json) VALUES(?1, ?2, ?3)",
    [GIVEN_FIND] = ("SELECT json FROM trace WHERE place >= (SELECT place FROM trace WHERE id = ?1) "
                    "ORDER BY place LIMIT ?2"),
    [GIVEN_PUT_SPANS] = "INSERT OR IGNORE INTO spans(id, json) VALUES(?1, ?2)",
    [GIVEN_FIND_SPANS] = "SELECT json FROM spans WHERE id = ?1",
    [GIVEN_ADD] = "INSERT OR REPLACE INTO member(question, id, place) VALUES(?1, ?2, ?3)",
    [GIVEN_NONE] = "INSERT OR IGNORE INTO member(question, id) VALUES(?1, ?2)",
    [GIVEN_HAS] = "SELECT place FROM member WHERE question = ?1 AND id = ?2",
    [GIVEN_NEXT] = "SELECT json, id, place FROM trace WHERE place > ?1 ORDER BY place LIMIT 1",
    [GIVEN_INDEX] = "INSERT INTO value(column, text, id) VALUES(?1, ?2, ?3)",
};

/* A trace is thousands of bytes: of them more fit into a large page. */
#define GIVEN_SCHEMA                                                                               \
  "PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"                 \
  "PRAGMA cache_size = -%d; BEGIN;"                                                                \
  "CREATE TABLE trace(place INTEGER PRIMARY KEY, id TEXT UNIQUE, ms INTEGER, json TEXT);"          \
  "CREATE TABLE spans(id TEXT PRIMARY KEY, json TEXT);"                                            \
  "CREATE TABLE member(question INTEGER, id TEXT, place INTEGER, PRIMARY KEY(question, id))"       \
  " WITHOUT ROWID;"                                                                                \
  "CREATE INDEX by_place ON member(question, place);"                                              \
  "CREATE TABLE value(column INTEGER, text TEXT, id TEXT, PRIMARY KEY(column, text, id))"          \
  " WITHOUT ROWID"

/* A column whose values are found by: those of the traces up to a place. */
typedef struct given_index {
  const mlf_column *column;
  int64_t place;
} given_index;

struct mlf_given {
  mlf_interrupt *interrupt;
  sqlite3 *db; /* NULL until something is put */
  sqlite3_stmt *statements[GIVEN_SQL_COUNT];
  mlf_question *questions[GIVEN_BUCKETS];
  int64_t question_count;
  int64_t bytes;
  int64_t bytes_max;
  bool full;
  mlf_json *pages[GIVEN_PAGES];            /* the newest, held */
  const mlf_json_node *found[GIVEN_PAGES]; /* where the last search in each ended */
  size_t next_page;                        /* the place to be used again next */
  given_index indexes[GIVEN_INDEXES];
};

int mlf_given_new(int64_t bytes_max, mlf_interrupt *interrupt, mlf_given **out) {
  *out = sqlite3_malloc64(sizeof(**out));
  if (!*out) return SQLITE_NOMEM;
  memset(*out, 0, sizeof(**out));
  (*out)->bytes_max = bytes_max;
  (*out)->interrupt = interrupt;
  return SQLITE_OK;
}

void mlf_given_free(mlf_given *given) {
  if (!given) return;
  for (int i = 0; i < GIVEN_SQL_COUNT; i++)
    sqlite3_finalize(given->statements[i]);
  sqlite3_close(given->db);
  for (size_t i = 0; i < GIVEN_PAGES; i++)
    mlf_json_free(given->pages[i]);
  for (size_t i = 0; i < GIVEN_BUCKETS; i++) {
    while (given->questions[i]) {
      mlf_question *question = given->questions[i];
      given->questions[i] = question->next;
      sqlite3_free(question->text);
      sqlite3_free(question);
    }
  }
  sqlite3_free(given);
}

static int given_fail(const mlf_given *given, int rc, mlf_error *error) {
  if (rc == SQLITE_NOMEM) return mlf_error_nomem(error);
  return mlf_error_set(error, rc, "the temporary database for what a statement asks twice: %s",
                       given->db ? sqlite3_errmsg(given->db) : sqlite3_errstr(rc));
}

static int given_open(mlf_given *given, mlf_error *error) {
  if (given->db) return SQLITE_OK;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_PRIVATECACHE;
  int rc = sqlite3_open_v2("", &given->db, flags, NULL);
  char *sql = sqlite3_mprintf(GIVEN_SCHEMA, MLF_GIVEN_CACHE_KIB);
  if (rc == SQLITE_OK) rc = sql ? sqlite3_exec(given->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  for (int i = 0; rc == SQLITE_OK && i < GIVEN_SQL_COUNT; i++)
    rc = sqlite3_prepare_v2(given->db, given_texts[i], -1, &given->statements[i], NULL);
  return rc == SQLITE_OK ? rc : given_fail(given, rc, error);
}

/* Whether there is room for so many bytes more; from the first time on that there is not, nothing
** is taken. Opens the database. */
static bool given_has_room(mlf_given *given, size_t length, int *rc, mlf_error *error) {
  given->full = given->full || given->bytes + (int64_t)length > given->bytes_max;
  *rc = given->full ? SQLITE_OK : given_open(given, error);
  return !given->full && *rc == SQLITE_OK;
}

/* Ends the use of a statement, which gave this result until now: what came of it. */
static int given_reset(mlf_given *given, sqlite3_stmt *statement, int rc, mlf_error *error) {
  int reset = sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (rc == SQLITE_OK) rc = reset;
  return rc == SQLITE_OK ? rc : given_fail(given, rc, error);
}

/* Runs a statement that has no rows, after its texts were bound with this result. */
static int given_run(mlf_given *given, sqlite3_stmt *statement, int rc, size_t length,
                     mlf_error *error) {
  if (rc == SQLITE_OK) sqlite3_step(statement);
  rc = given_reset(given, statement, rc, error);
  if (rc == SQLITE_OK && sqlite3_changes(given->db) > 0) given->bytes += (int64_t)length;
  return rc;
}

static int given_bind(sqlite3_stmt *statement, int index, const char *text) {
  return sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

static int given_put_trace(mlf_given *given, const mlf_json *page, const mlf_json_node *trace,
                           mlf_error *error) {
  size_t length;
  int64_t ms = 0;
  int rc;
  const char *raw = mlf_json_raw(page, trace, &length);
  if (!given_has_room(given, length, &rc, error)) return rc;
  sqlite3_stmt *statement = given->statements[GIVEN_PUT];
  mlf_trace_timestamp(trace, &ms);
  sqlite3_bind_int64(statement, 2, ms);
  rc = given_bind(statement, 1, mlf_trace_id(trace));
  if (rc == SQLITE_OK)
    rc = sqlite3_bind_text64(statement, 3, raw, length, SQLITE_STATIC, SQLITE_UTF8);
  return given_run(given, statement, rc, length, error);
}

int mlf_given_put(mlf_given *given, const mlf_json *page, const mlf_json_node *from,
                  mlf_error *error) {
  int rc = SQLITE_OK;
  for (const mlf_json_node *each = from; rc == SQLITE_OK && each; each = mlf_json_next(each))
    rc = given_put_trace(given, page, each, error);
  if (rc != SQLITE_OK) return rc;
  size_t place = given->next_page;
  given->next_page = (place + 1) % GIVEN_PAGES;
  mlf_json_free(given->pages[place]);
  given->pages[place] = mlf_json_hold(page);
  given->found[place] = from;
  return SQLITE_OK;
}

/* Whether this is where the trace with the id is in a page. */
static bool given_is(const mlf_json_node *trace, const char *id) {
  return trace && strcmp(mlf_trace_id(trace), id) == 0;
}

/* Looks in the pages that are in memory: first where the last search in each ended and right behind
** it, since a join asks for one trace after the other. */
static const mlf_json_node *given_search(const mlf_given *given, const char *id, size_t *place) {
  for (*place = 0; *place < GIVEN_PAGES; ++*place) {
    const mlf_json_node *last = given->found[*place], *next = last ? mlf_json_next(last) : NULL;
    if (given_is(last, id)) return last;
    if (given_is(next, id)) return next;
  }
  for (*place = 0; *place < GIVEN_PAGES; ++*place) {
    if (!given->pages[*place]) continue;
    const mlf_json_node *root = mlf_json_root(given->pages[*place]),
                        *each = mlf_json_first(mlf_json_member(root, "traces"));
    while (each && !given_is(each, id))
      each = mlf_json_next(each);
    if (each) return each;
  }
  return NULL;
}

/* How a document is read back. */
static mlf_json_options given_options(const mlf_given *given, int levels) {
  return (mlf_json_options){.levels = levels, .interrupt = given->interrupt};
}

static void given_add_row(sqlite3_str *text, sqlite3_stmt *row) {
  sqlite3_str_appendall(text, sqlite3_str_length(text) ? "," : "{\"traces\":[");
  sqlite3_str_append(text, (const char *)sqlite3_column_text(row, 0), sqlite3_column_bytes(row, 0));
}

/* Makes a page of the text, which it frees: SQLITE_ROW, or SQLITE_DONE if nothing was added. */
static int given_finish(const mlf_given *given, sqlite3_str *text, int rc, mlf_json **page,
                        mlf_error *error) {
  bool any = sqlite3_str_length(text) > 0;
  if (any) sqlite3_str_appendall(text, "]}");
  size_t length = (size_t)sqlite3_str_length(text);
  if (rc == SQLITE_OK && sqlite3_str_errcode(text) != SQLITE_OK) rc = mlf_error_nomem(error);
  char *json = sqlite3_str_finish(text);
  if (rc != SQLITE_OK || !any) {
    sqlite3_free(json);
    return rc == SQLITE_OK ? SQLITE_DONE : rc;
  }
  rc = mlf_json_parse_take(json, length, given_options(given, MLF_TRACES_LEVELS), page, error);
  return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

/* Reads a trace, and some after it, back from the database. */
static int given_find_row(mlf_given *given, const char *id, int ahead, mlf_json **page,
                          mlf_error *error) {
  sqlite3_stmt *find = given->statements[GIVEN_FIND];
  sqlite3_str *text = sqlite3_str_new(NULL);
  int rc = given_bind(find, 1, id);
  sqlite3_bind_int(find, 2, ahead + 1);
  while (rc == SQLITE_OK && sqlite3_step(find) == SQLITE_ROW)
    given_add_row(text, find);
  rc = given_reset(given, find, rc, error);
  return given_finish(given, text, rc, page, error);
}

int mlf_given_find(mlf_given *given, const char *id, int ahead, mlf_json **page,
                   const mlf_json_node **trace, mlf_error *error) {
  *page = NULL;
  *trace = NULL;
  size_t place;
  const mlf_json_node *found = given_search(given, id, &place);
  if (found) {
    given->found[place] = *trace = found;
    *page = mlf_json_hold(given->pages[place]);
    return SQLITE_ROW;
  }
  if (!given->db) return SQLITE_NOTFOUND;
  int rc = given_find_row(given, id, ahead, page, error);
  if (rc == SQLITE_ROW) *trace = mlf_json_first(mlf_json_member(mlf_json_root(*page), "traces"));
  return rc == SQLITE_DONE ? SQLITE_NOTFOUND : rc;
}

int mlf_given_put_spans(mlf_given *given, const char *id, const char *spans, size_t length,
                        mlf_error *error) {
  int rc;
  if (!given_has_room(given, length, &rc, error)) return rc;
  sqlite3_stmt *statement = given->statements[GIVEN_PUT_SPANS];
  rc = given_bind(statement, 1, id);
  if (rc == SQLITE_OK)
    rc = sqlite3_bind_text64(statement, 2, spans, length, SQLITE_STATIC, SQLITE_UTF8);
  return given_run(given, statement, rc, length, error);
}

int mlf_given_put_reply(mlf_given *given, const char *id, const mlf_json *reply,
                        const mlf_json_node *spans, mlf_error *error) {
  size_t length = strlen("[]");
  int64_t before = given->bytes;
  const char *text = spans ? mlf_json_raw(reply, spans, &length) : "[]";
  int rc = mlf_given_put_spans(given, id, text, length, error);
  if (!reply || given->bytes == before) return rc;
  const mlf_json_node *each = mlf_json_first(mlf_json_member(mlf_json_root(reply), "traces"));
  for (; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
    id = mlf_json_text(mlf_json_member(mlf_json_member(each, "trace_info"), "trace_id"));
    spans = mlf_json_member(each, "spans");
    if (!id || mlf_json_kind_of(reply, spans) != MLF_JSON_ARRAY) continue;
    text = mlf_json_raw(reply, spans, &length);
    rc = mlf_given_put_spans(given, id, text, length, error);
  }
  return rc;
}

bool mlf_given_has_spans(void *context, const char *id) {
  mlf_given *given = context;
  if (!given->db) return false;
  sqlite3_stmt *find = given->statements[GIVEN_FIND_SPANS];
  bool has = given_bind(find, 1, id) == SQLITE_OK && sqlite3_step(find) == SQLITE_ROW;
  sqlite3_reset(find);
  return has;
}

int mlf_given_find_spans(mlf_given *given, const char *id, mlf_json **spans, mlf_error *error) {
  *spans = NULL;
  if (!given->db) return SQLITE_NOTFOUND;
  sqlite3_stmt *find = given->statements[GIVEN_FIND_SPANS];
  int rc = given_bind(find, 1, id);
  char *text = NULL;
  size_t length = 0;
  bool found = rc == SQLITE_OK && sqlite3_step(find) == SQLITE_ROW;
  if (found) {
    length = (size_t)sqlite3_column_bytes(find, 0);
    text = sqlite3_mprintf("%s", sqlite3_column_text(find, 0));
  }
  rc = given_reset(given, find, rc, error);
  if (rc != SQLITE_OK || !found) {
    sqlite3_free(text);
    return rc == SQLITE_OK ? SQLITE_NOTFOUND : rc;
  }
  if (!text) return mlf_error_nomem(error);
  mlf_json_options options = given_options(given, 1);
  options.python = true;
  rc = mlf_json_parse_take(text, length, options, spans, error);
  return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

mlf_question *mlf_given_question(mlf_given *given, const char *text) {
  mlf_question **bucket = &given->questions[mlf_string_hash(text) % GIVEN_BUCKETS];
  mlf_question *question = *bucket;
  while (question && strcmp(question->text, text) != 0)
    question = question->next;
  if (question) return question;
  question = sqlite3_malloc64(sizeof(*question));
  if (!question) return NULL;
  *question = (mlf_question){.elsewhere = -1, .text = sqlite3_mprintf("%s", text), .next = *bucket};
  if (!question->text) {
    sqlite3_free(question);
    return NULL;
  }
  question->number = ++given->question_count;
  given->bytes += (int64_t)(sizeof(*question) + strlen(text));
  *bucket = question;
  return question;
}

int mlf_given_begin(mlf_given *given, mlf_question *question, const void *who, mlf_error *error) {
  int rc;
  if (question->complete) return SQLITE_OK;
  if (!given_has_room(given, 0, &rc, error)) return rc;
  question->recorder = who;
  if (question->count > 0)
    question->number = ++given->question_count; /* and leaves what was added */
  question->count = 0;
  return SQLITE_OK;
}

int mlf_given_add(mlf_given *given, mlf_question *question, const void *who,
                  const mlf_json_node *trace, mlf_error *error) {
  const char *id = mlf_trace_id(trace);
  int rc;
  if (question->recorder && question->recorder != who) question->order = MLF_ORDER_ANY;
  if (!given_has_room(given, strlen(id), &rc, error)) return rc;
  sqlite3_stmt *statement = given->statements[GIVEN_ADD];
  sqlite3_bind_int64(statement, 1, question->number);
  sqlite3_bind_int64(statement, 3, ++question->count);
  return given_run(given, statement, given_bind(statement, 2, id), strlen(id), error);
}

void mlf_given_complete(mlf_given *given, mlf_question *question) {
  question->recorder = NULL;
  question->complete = !given->full;
}

int mlf_given_put_none(mlf_given *given, const mlf_question *question, const char *id,
                       mlf_error *error) {
  int rc;
  if (!given_has_room(given, strlen(id), &rc, error)) return rc;
  sqlite3_stmt *statement = given->statements[GIVEN_NONE];
  sqlite3_bind_int64(statement, 1, question->number);
  return given_run(given, statement, given_bind(statement, 2, id), strlen(id), error);
}

int mlf_given_has(mlf_given *given, const mlf_question *question, const char *id,
                  mlf_error *error) {
  int unknown = question->complete ? SQLITE_DONE : SQLITE_NOTFOUND;
  if (!given->db) return unknown;
  sqlite3_stmt *has = given->statements[GIVEN_HAS];
  sqlite3_bind_int64(has, 1, question->number);
  int rc = given_bind(has, 2, id);
  bool known = rc == SQLITE_OK && sqlite3_step(has) == SQLITE_ROW;
  bool none = known && sqlite3_column_type(has, 0) == SQLITE_NULL;
  rc = given_reset(given, has, rc, error);
  if (rc != SQLITE_OK) return rc;
  return none ? SQLITE_DONE : known ? SQLITE_ROW : unknown;
}

/* The index of a column, a new one if there is room; NULL if there is none. */
static given_index *given_index_of(mlf_given *given, const mlf_column *column) {
  for (int i = 0; i < GIVEN_INDEXES; i++) {
    given_index *index = &given->indexes[i];
    if (!index->column) index->column = column;
    if (index->column == column) return index;
  }
  return NULL;
}

/* Indexes the trace that a row of GIVEN_NEXT holds. One whose value cannot be read is found by
** every text: whoever reads that value says so. */
static int given_index_row(mlf_given *given, const given_index *index, sqlite3_stmt *row,
                           mlf_error *error) {
  mlf_value value = {.type = MLF_NULL};
  mlf_json *json;
  const char *text = (const char *)sqlite3_column_text(row, 0);
  if (!text) return mlf_error_nomem(error);
  int rc = mlf_json_parse(text, (size_t)sqlite3_column_bytes(row, 0),
                          given_options(given, MLF_TRACE_LEVELS), &json, error);
  if (rc != SQLITE_OK) return rc;
  mlf_error cause = {0};
  rc = mlf_trace_value(json, mlf_json_root(json), index->column, &value, &cause);
  bool unreadable = rc == SQLITE_ERROR;
  rc = unreadable ? SQLITE_OK : mlf_error_move(error, &cause);
  mlf_error_clear(&cause);
  if (rc == SQLITE_OK && (unreadable || value.type == MLF_TEXT)) {
    sqlite3_stmt *statement = given->statements[GIVEN_INDEX];
    sqlite3_bind_int64(statement, 1, index - given->indexes);
    rc = sqlite3_bind_value(statement, 3, sqlite3_column_value(row, 1));
    if (rc == SQLITE_OK)
      rc = unreadable ? sqlite3_bind_zeroblob(statement, 2, 0)
                      : sqlite3_bind_text64(statement, 2, value.text, value.length, SQLITE_STATIC,
                                            SQLITE_UTF8);
    rc = given_run(given, statement, rc, value.length, error);
  }
  mlf_value_clear(&value);
  mlf_json_free(json);
  return rc;
}

/* Brings an index up to the last trace. */
static int given_index_all(mlf_given *given, given_index *index, mlf_error *error) {
  sqlite3_stmt *next = given->statements[GIVEN_NEXT];
  int rc = SQLITE_OK;
  bool more = true;
  while (rc == SQLITE_OK && more) {
    rc = mlf_interrupt_poll(given->interrupt, error);
    if (rc != SQLITE_OK) break;
    sqlite3_bind_int64(next, 1, index->place);
    more = sqlite3_step(next) == SQLITE_ROW;
    if (more) rc = given_index_row(given, index, next, error);
    if (more) index->place = sqlite3_column_int64(next, 2);
    rc = given_reset(given, next, rc, error);
  }
  return rc;
}

int mlf_given_read(mlf_given *given, const mlf_question *question, const mlf_column *column,
                   const char *text, mlf_order order, sqlite3_stmt **reader, mlf_error *error) {
  *reader = NULL;
  if (!given->db) return SQLITE_OK;
  given_index *index = column ? given_index_of(given, column) : NULL;
  int rc = index ? given_index_all(given, index, error) : SQLITE_OK;
  if (rc != SQLITE_OK) return rc;
  const char *by = order == MLF_ORDER_ANY || order == question->order ? "member.place"
                   : order == MLF_ORDER_NEWEST_FIRST                  ? "ms DESC, member.place"
                                                                      : "ms, member.place";
  char *sql = sqlite3_mprintf("SELECT json FROM %smember %s CROSS JOIN trace USING (id) "
                              "WHERE question = ?1 AND member.place IS NOT NULL%s ORDER BY %s",
                              index ? "value CROSS JOIN " : "", index ? "USING (id)" : "",
                              index ? " AND column = ?2 AND text IN (?3, x'')" : "", by);
  if (!sql) return mlf_error_nomem(error);
  rc = sqlite3_prepare_v2(given->db, sql, -1, reader, NULL);
  sqlite3_free(sql);
  if (rc == SQLITE_OK) rc = sqlite3_bind_int64(*reader, 1, question->number);
  if (rc == SQLITE_OK && index) rc = sqlite3_bind_int64(*reader, 2, index - given->indexes);
  if (rc == SQLITE_OK && index) rc = sqlite3_bind_text(*reader, 3, text, -1, SQLITE_TRANSIENT);
  return rc == SQLITE_OK ? rc : given_fail(given, rc, error);
}

int mlf_given_page(mlf_given *given, sqlite3_stmt **reader, mlf_json **page, mlf_error *error) {
  *page = NULL;
  if (!*reader) return SQLITE_DONE;
  sqlite3_str *text = sqlite3_str_new(NULL);
  int rc = SQLITE_ROW;
  for (int rows = 0;
       rows < GIVEN_PAGE_ROWS && sqlite3_str_length(text) < GIVEN_PAGE_BYTES && rc == SQLITE_ROW;
       rows++) {
    rc = sqlite3_step(*reader);
    if (rc == SQLITE_ROW) given_add_row(text, *reader);
  }
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) given_fail(given, rc, error);
  if (rc == SQLITE_DONE) {
    sqlite3_finalize(*reader); /* another step would begin anew */
    *reader = NULL;
  }
  rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
  return given_finish(given, text, rc, page, error);
}
