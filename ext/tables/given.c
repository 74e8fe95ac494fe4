#include "tables/given.h"

#include <string.h>

#include "base/limits.h"
#include "base/string_set.h"
#include "model/decode_trace.h"
#include "tables/recent_pages.h"

/* Questions are found by the hash of their text: a join on another column than trace_id asks one
** for each row. */
#define GIVEN_BUCKETS 4096
/* A page that is read back has hardly more bytes. */
#define GIVEN_PAGE_BYTES (1 << 20)
/* Walks that are kept: each holds some pages. */
#define GIVEN_WALKS 8

typedef enum given_sql {
  GIVEN_PUT,
  GIVEN_FIND,
  GIVEN_PUT_SPANS,
  GIVEN_FIND_SPANS,
  GIVEN_ADD,
  GIVEN_NOTE,
  GIVEN_PLACE,
  GIVEN_SQL_COUNT
} given_sql;

/* What is put has a number as ?1, an id as ?2 and a text as ?3. The traces of a question have
** places from 1 on. One that was noted, and to which its walk has not come, has place 0, and an id
** that is none of the question's has no place. */
static const char *const given_texts[GIVEN_SQL_COUNT] = {
    [GIVEN_PUT] = ("INSERT INTO trace(ms, id, json) VALUES(?1, ?2, ?3) ON CONFLICT(id) "
                   "DO UPDATE SET ms = ms WHERE ms <> ?1 RETURNING ms <> ?1"),
    [GIVEN_FIND] = ("SELECT json FROM trace WHERE place >= (SELECT place FROM trace WHERE id = ?1) "
                    "AND (id = ?1 OR NOT EXISTS (SELECT 1 FROM spans WHERE id = trace.id)) "
                    "ORDER BY place"),
    [GIVEN_PUT_SPANS] = "INSERT OR IGNORE INTO spans(id, json) VALUES(?2, ?3)",
    [GIVEN_FIND_SPANS] = "SELECT json FROM spans WHERE id = ?1",
    [GIVEN_ADD] = ("INSERT INTO member(question, id, place) VALUES(?1, ?2, ?3) ON CONFLICT "
                   "DO UPDATE SET place = ?3 WHERE coalesce(place, 0) = 0"),
    [GIVEN_NOTE] = "INSERT OR IGNORE INTO member(question, id, place) VALUES(?1, ?2, ?3)",
    [GIVEN_PLACE] = "SELECT coalesce(place, -1) FROM member WHERE question = ?1 AND id = ?2",
};

/* A trace is thousands of bytes: of them more fit into a large page. */
#define GIVEN_SCHEMA                                                                               \
  "PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"                 \
  "PRAGMA cache_size = -%d; BEGIN;"                                                                \
  "CREATE TABLE trace(place INTEGER PRIMARY KEY, id TEXT UNIQUE, ms INTEGER, json TEXT);"          \
  "CREATE TABLE spans(id TEXT PRIMARY KEY, json TEXT);"                                            \
  "CREATE TABLE member(question INTEGER, id TEXT, place INTEGER, PRIMARY KEY(question, id))"       \
  " WITHOUT ROWID;"                                                                                \
  "CREATE INDEX by_place ON member(question, place)"

struct mlf_given {
  mlf_interrupt *interrupt;
  sqlite3 *db; /* NULL until something is put */
  sqlite3_stmt *statements[GIVEN_SQL_COUNT];
  mlf_question *questions[GIVEN_BUCKETS];
  int64_t question_count;
  mlf_question *walked[GIVEN_WALKS]; /* that have a pager, or had; */
  size_t stopped;                    /* so many lost theirs to another */
  int64_t bytes;
  int64_t bytes_max;
  bool full;
  bool moved; /* a trace was given again with another time: places are not in its order */
  mlf_recent_pages recent;
};

mlf_given *mlf_given_new(mlf_interrupt *interrupt) {
  mlf_given *given = sqlite3_malloc64(sizeof(*given));
  if (!given) return NULL;
  memset(given, 0, sizeof(*given));
  given->interrupt = interrupt;
  given->full = true;
  return given;
}

void mlf_given_take(mlf_given *given, int64_t bytes_max) {
  if (given->bytes_max > 0) return;
  given->bytes_max = bytes_max;
  given->full = false;
}

void mlf_given_free(mlf_given *given) {
  if (!given) return;
  for (int i = 0; i < GIVEN_SQL_COUNT; i++)
    sqlite3_finalize(given->statements[i]);
  sqlite3_close(given->db);
  mlf_recent_pages_clear(&given->recent);
  for (size_t i = 0; i < GIVEN_BUCKETS; i++) {
    while (given->questions[i]) {
      mlf_question *question = given->questions[i];
      given->questions[i] = question->next;
      mlf_pager_free(question->pager);
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

/* value_of(source, path, json): the text in such a column, by which a trace is found. One whose
** value cannot be read is found by every text, as x'': whoever reads that value says so. */
static void given_value_of(sqlite3_context *context, int count, sqlite3_value **arguments) {
  const mlf_given *given = sqlite3_user_data(context);
  mlf_json_options options = {.levels = MLF_TRACE_LEVELS, .interrupt = given->interrupt};
  const mlf_column column = {.source = (mlf_source)sqlite3_value_int(arguments[0]),
                             .path = (const char *)sqlite3_value_text(arguments[1])};
  mlf_value value = {.type = MLF_NULL};
  mlf_json *json = NULL;
  mlf_error error = {0};
  (void)count;
  const char *text = (const char *)sqlite3_value_text(arguments[2]);
  int rc = text && column.path ? mlf_interrupt_poll(given->interrupt, &error) : SQLITE_NOMEM;
  if (rc == SQLITE_OK)
    rc = mlf_json_parse(text, (size_t)sqlite3_value_bytes(arguments[2]), options, &json, &error);
  if (rc == SQLITE_OK) rc = mlf_trace_value(json, mlf_json_root(json), &column, &value, &error);
  if (rc == SQLITE_ERROR)
    sqlite3_result_zeroblob(context, 0);
  else if (rc != SQLITE_OK)
    sqlite3_result_error_code(context, rc);
  else if (value.type == MLF_TEXT)
    sqlite3_result_text64(context, value.text, value.length, SQLITE_TRANSIENT, SQLITE_UTF8);
  mlf_value_clear(&value);
  mlf_json_free(json);
  mlf_error_clear(&error);
}

static int given_open(mlf_given *given, mlf_error *error) {
  if (given->db) return SQLITE_OK;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_PRIVATECACHE;
  int rc = sqlite3_open_v2("", &given->db, flags, NULL);
  if (rc == SQLITE_OK)
    sqlite3_set_authorizer(given->db, NULL, NULL); /* of an automatic extension */
  if (rc == SQLITE_OK)
    rc = sqlite3_create_function(given->db, "value_of", 3,
                                 SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, given,
                                 given_value_of, NULL, NULL);
  char *sql = sqlite3_mprintf(GIVEN_SCHEMA, MLF_GIVEN_CACHE_KIB);
  if (rc == SQLITE_OK) rc = sql ? sqlite3_exec(given->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  for (int i = 0; rc == SQLITE_OK && i < GIVEN_SQL_COUNT; i++)
    rc = sqlite3_prepare_v2(given->db, given_texts[i], -1, &given->statements[i], NULL);
  return rc == SQLITE_OK ? rc : given_fail(given, rc, error);
}

/* Ends the use of a statement, which gave this result until now: what came of it. */
static int given_reset(const mlf_given *given, sqlite3_stmt *statement, int rc, mlf_error *error) {
  int reset = sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (rc == SQLITE_OK) rc = reset;
  return rc == SQLITE_OK ? rc : given_fail(given, rc, error);
}

static int given_bind(sqlite3_stmt *statement, int index, const char *text) {
  return sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

/* Inserts a row, if there is room: a number, an id, and a text or a place or neither. From the
** first time on that there is no room nothing is taken. */
static int given_keep(mlf_given *given, given_sql sql, int64_t number, const char *id,
                      mlf_value third, mlf_error *error) {
  size_t length = strlen(id) + third.length;
  given->full = given->full || given->bytes + (int64_t)length > given->bytes_max;
  int rc = given->full ? SQLITE_OK : given_open(given, error);
  if (given->full || rc != SQLITE_OK) return rc;
  sqlite3_stmt *statement = given->statements[sql];
  sqlite3_bind_int64(statement, 1, number);
  rc = given_bind(statement, 2, id);
  if (rc == SQLITE_OK && third.type == MLF_TEXT)
    rc = sqlite3_bind_text64(statement, 3, third.text, third.length, SQLITE_STATIC, SQLITE_UTF8);
  if (rc == SQLITE_OK && third.type == MLF_INTEGER) sqlite3_bind_int64(statement, 3, third.integer);
  bool moved =
      rc == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int(statement, 0);
  given->moved = given->moved || moved;
  rc = given_reset(given, statement, rc, error);
  if (rc == SQLITE_OK && !moved && sqlite3_changes(given->db) > 0) given->bytes += (int64_t)length;
  return rc;
}

int mlf_given_put(mlf_given *given, const mlf_json *page, const mlf_json_node *from,
                  mlf_error *error) {
  int rc = SQLITE_OK;
  if (given->bytes_max == 0 || mlf_recent_pages_has(&given->recent, page)) return rc;
  for (const mlf_json_node *each = from; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
    int64_t ms = 0;
    mlf_value raw = {.type = MLF_TEXT};
    raw.text = mlf_json_raw(page, each, &raw.length);
    mlf_trace_timestamp(each, &ms);
    rc = given_keep(given, GIVEN_PUT, ms, mlf_trace_id(each), raw, error);
  }
  if (rc == SQLITE_OK) mlf_recent_pages_put(&given->recent, page, from);
  return rc;
}

/* Makes a document of a statement's rows: a page of so many traces at most, or, for 0, the spans
** that the one row is. SQLITE_ROW and the caller's document, SQLITE_DONE if no row is left, or an
** error. */
static int given_read_back(const mlf_given *given, sqlite3_stmt *rows, int rows_max,
                           mlf_json **json, mlf_error *error) {
  mlf_json_options options = {.levels = rows_max ? MLF_TRACES_LEVELS : 1,
                              .python = !rows_max,
                              .interrupt = given->interrupt};
  sqlite3_str *text = sqlite3_str_new(NULL);
  int rc = sqlite3_step(rows);
  for (int i = 1; rc == SQLITE_ROW; i++) {
    if (rows_max) sqlite3_str_appendall(text, i > 1 ? "," : "{\"traces\":[");
    sqlite3_str_append(text, (const char *)sqlite3_column_text(rows, 0),
                       sqlite3_column_bytes(rows, 0));
    if (i >= rows_max || sqlite3_str_length(text) >= GIVEN_PAGE_BYTES) break;
    rc = sqlite3_step(rows);
  }
  if (rows_max && sqlite3_str_length(text) > 0) sqlite3_str_appendall(text, "]}");
  size_t length = (size_t)sqlite3_str_length(text);
  int failed = rc == SQLITE_ROW || rc == SQLITE_DONE ? sqlite3_str_errcode(text) : rc;
  char *taken = sqlite3_str_finish(text);
  if (failed == SQLITE_OK && taken) {
    rc = mlf_json_parse_take(taken, length, options, json, error);
    return rc == SQLITE_OK ? SQLITE_ROW : rc;
  }
  sqlite3_free(taken);
  return failed == SQLITE_OK ? SQLITE_DONE : given_fail(given, failed, error);
}

/* Finds what is here by a trace's id: SQLITE_ROW, SQLITE_NOTFOUND or an error. */
static int given_look_up(const mlf_given *given, given_sql sql, const char *id, int rows_max,
                         mlf_json **json, mlf_error *error) {
  *json = NULL;
  if (!given->db) return SQLITE_NOTFOUND;
  sqlite3_stmt *find = given->statements[sql];
  int rc = given_bind(find, 1, id);
  rc = rc == SQLITE_OK ? given_read_back(given, find, rows_max, json, error)
                       : given_fail(given, rc, error);
  sqlite3_reset(find);
  return rc == SQLITE_DONE ? SQLITE_NOTFOUND : rc;
}

int mlf_given_find(mlf_given *given, const char *id, int ahead, mlf_json **page,
                   const mlf_json_node **trace, mlf_error *error) {
  *page = NULL;
  *trace = mlf_recent_pages_find(&given->recent, id, page);
  if (*trace) return SQLITE_ROW;
  int rc = given_look_up(given, GIVEN_FIND, id, ahead + 1, page, error);
  if (rc == SQLITE_ROW) *trace = mlf_json_first(mlf_json_member(mlf_json_root(*page), "traces"));
  return rc;
}

int mlf_given_put_spans(mlf_given *given, const char *id, const char *spans, size_t length,
                        mlf_error *error) {
  mlf_value text = {.type = MLF_TEXT, .text = spans, .length = length};
  return given_keep(given, GIVEN_PUT_SPANS, 0, id, text, error);
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
  return given_look_up(given, GIVEN_FIND_SPANS, id, 0, spans, error);
}

mlf_question *mlf_given_question(mlf_given *given, const char *text, mlf_order order,
                                 int64_t rows_wanted) {
  mlf_question **bucket = &given->questions[mlf_string_hash(text) % GIVEN_BUCKETS], *found = NULL;
  for (mlf_question *each = *bucket; each; each = each->next) {
    if (strcmp(each->text, text) != 0) continue;
    if (each->complete) return each;
    if (each->rows_wanted != rows_wanted) continue;
    if (each->order == order || (order == MLF_ORDER_ANY && each->order == MLF_ORDER_NEWEST_FIRST))
      found = each;
  }
  size_t bytes = sizeof(*found) + strlen(text) + 1;
  mlf_question *question = found ? found : sqlite3_malloc64(bytes);
  if (found || !question) return question;
  *question = (mlf_question){.order = order,
                             .rows_wanted = rows_wanted,
                             .elsewhere = -1,
                             .number = ++given->question_count,
                             .next = *bucket};
  memcpy(question->text, text, strlen(text) + 1);
  given->bytes += (int64_t)bytes;
  *bucket = question;
  return question;
}

void mlf_given_stop(mlf_question *question) {
  mlf_pager_free(question->pager);
  question->pager = NULL;
}

void mlf_given_walk(mlf_given *given, mlf_question *question, mlf_pager *pager) {
  mlf_question **walked = given->walked, **end = walked + GIVEN_WALKS;
  while (walked < end && *walked && (*walked)->pager)
    walked++;
  if (walked == end) {
    walked = &given->walked[given->stopped++ % GIVEN_WALKS];
    mlf_given_stop(*walked);
  }
  *walked = question;
  question->pager = pager;
}

/* The place of a trace in a question; 0: it has none yet; -1: it is none of the question's.
** SQLITE_ROW, SQLITE_NOTFOUND if nothing is known of it, or an error. */
static int given_place(const mlf_given *given, const mlf_question *question, const char *id,
                       int64_t *place, mlf_error *error) {
  if (!given->db) return SQLITE_NOTFOUND;
  sqlite3_stmt *find = given->statements[GIVEN_PLACE];
  sqlite3_bind_int64(find, 1, question->number);
  int rc = given_bind(find, 2, id);
  bool found = rc == SQLITE_OK && sqlite3_step(find) == SQLITE_ROW;
  *place = found ? sqlite3_column_int64(find, 0) : -1;
  rc = given_reset(given, find, rc, error);
  return rc != SQLITE_OK ? rc : found ? SQLITE_ROW : SQLITE_NOTFOUND;
}

int mlf_given_add(mlf_given *given, mlf_question *question, const mlf_json_node *trace, bool *added,
                  mlf_error *error) {
  int64_t place = question->count + 1;
  const char *id = mlf_trace_id(trace);
  int rc = given_keep(given, GIVEN_ADD, question->number, id, mlf_value_integer(place), error);
  if (rc == SQLITE_OK && given->full) {
    rc = given_place(given, question, id, &place, error);
    *added = rc != SQLITE_ROW || place <= 0;
    return rc == SQLITE_ROW || rc == SQLITE_NOTFOUND ? SQLITE_OK : rc;
  }
  *added = rc == SQLITE_OK && sqlite3_changes(given->db) > 0;
  if (!*added) return rc;
  question->count++;
  mlf_trace_timestamp(trace, &question->last_ms);
  return SQLITE_OK;
}

bool mlf_given_is_full(const mlf_given *given) {
  return given->full;
}

void mlf_given_complete(mlf_given *given, mlf_question *question) {
  mlf_given_stop(question);
  question->complete = !given->full;
}

int mlf_given_note(mlf_given *given, const mlf_question *question, const char *id, bool is,
                   mlf_error *error) {
  mlf_value place = is ? mlf_value_integer(0) : (mlf_value){.type = MLF_NULL};
  return given_keep(given, GIVEN_NOTE, question->number, id, place, error);
}

int mlf_given_has(mlf_given *given, const mlf_question *question, const char *id,
                  mlf_error *error) {
  int64_t place;
  int rc = given_place(given, question, id, &place, error);
  if (rc == SQLITE_NOTFOUND && question->complete) return SQLITE_DONE;
  return rc == SQLITE_ROW && place < 0 ? SQLITE_DONE : rc;
}

/* Makes an index of a column's values, if there is none, and what it is of: the caller's. */
static int given_index(mlf_given *given, const mlf_column *column, char **value, mlf_error *error) {
  *value = sqlite3_mprintf("value_of(%d, %Q, json)", (int)column->source, column->path);
  if (!*value) return mlf_error_nomem(error);
  char *sql = sqlite3_mprintf("CREATE INDEX IF NOT EXISTS \"%w\" ON trace(%s)", *value, *value);
  int rc = sql ? sqlite3_exec(given->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  return rc == SQLITE_OK ? rc : given_fail(given, rc, error);
}

/* By what the traces of a question are sorted so that they come in this order. */
static const char *given_order(const mlf_given *given, const mlf_question *question,
                               mlf_order order) {
  bool walked = order == question->order && !given->moved;
  if (order == MLF_ORDER_ANY || walked) return "member.place";
  return order == MLF_ORDER_NEWEST_FIRST ? "ms DESC, member.place" : "ms, member.place";
}

int mlf_given_read(mlf_given *given, const mlf_question *question, const mlf_given_part *part,
                   sqlite3_stmt **reader, mlf_error *error) {
  char *value = NULL, *sql = NULL;
  const char *by = given_order(given, question, part->order);
  int rc = part->column ? given_index(given, part->column, &value, error) : SQLITE_OK;
  *reader = NULL;
  if (rc == SQLITE_OK)
    sql =
        sqlite3_mprintf("SELECT json FROM %s USING (id) WHERE question = ?1 AND member.place "
                        "BETWEEN ?2 AND ?3%s%s%s ORDER BY %s",
                        value ? "trace CROSS JOIN member" : "member CROSS JOIN trace",
                        value ? " AND " : "", value ? value : "", value ? " IN (?4, x'')" : "", by);
  sqlite3_free(value);
  if (rc != SQLITE_OK) return rc;
  if (!sql) return mlf_error_nomem(error);
  rc = sqlite3_prepare_v2(given->db, sql, -1, reader, NULL);
  sqlite3_free(sql);
  if (rc != SQLITE_OK) return given_fail(given, rc, error);
  sqlite3_bind_int64(*reader, 1, question->number);
  sqlite3_bind_int64(*reader, 2, part->place + 1);
  sqlite3_bind_int64(*reader, 3, question->count);
  if (part->column) rc = sqlite3_bind_text(*reader, 4, part->text, -1, SQLITE_TRANSIENT);
  return rc == SQLITE_OK ? rc : given_fail(given, rc, error);
}

int mlf_given_page(mlf_given *given, sqlite3_stmt **reader, int rows_max, mlf_json **page,
                   mlf_error *error) {
  *page = NULL;
  if (!*reader) return SQLITE_DONE;
  int rc = given_read_back(given, *reader, rows_max, page, error);
  if (sqlite3_stmt_busy(*reader)) return rc;
  sqlite3_finalize(*reader); /* it has come to its end, where another step would begin anew */
  *reader = NULL;
  return rc;
}
