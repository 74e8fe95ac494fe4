#include "tables/memo.h"

#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/sqlite_api.h"

/* Questions are found by the hash of their text: a join on another column than trace_id asks one
** for each row. */
#define MEMO_BUCKETS 4096
/* Traces in one page that is read back. */
#define MEMO_PAGE_ROWS 50

typedef enum memo_sql {
  MEMO_PUT,
  MEMO_PUT_NONE,
  MEMO_EMPTY,
  MEMO_FIND,
  MEMO_AS_PUT,
  MEMO_NEWEST_FIRST,
  MEMO_OLDEST_FIRST,
  MEMO_SQL_COUNT
} memo_sql;

#define MEMO_SELECT "SELECT place, json, ms FROM trace "

/* An id without a trace has no time. */
static const char *const memo_texts[MEMO_SQL_COUNT] = {
    [MEMO_PUT] = "INSERT OR REPLACE INTO trace(question, id, ms, json) VALUES(?1, ?2, ?3, ?4)",
    [MEMO_PUT_NONE] = "INSERT OR IGNORE INTO trace(question, id) VALUES(?1, ?2)",
    [MEMO_EMPTY] = "DELETE FROM trace WHERE question = ?1",
    [MEMO_FIND] = MEMO_SELECT "WHERE question = ?1 AND id = ?2",
    [MEMO_AS_PUT] = MEMO_SELECT "WHERE question = ?1 AND place > ?3 AND ms IS NOT NULL "
                                "ORDER BY place LIMIT ?4",
    [MEMO_NEWEST_FIRST] = MEMO_SELECT "WHERE question = ?1 AND (ms, place) < (?2, ?3) "
                                      "ORDER BY ms DESC, place DESC LIMIT ?4",
    [MEMO_OLDEST_FIRST] = MEMO_SELECT "WHERE question = ?1 AND (ms, place) > (?2, ?3) "
                                      "ORDER BY ms, place LIMIT ?4",
};

struct mlf_memo {
  sqlite3 *db; /* NULL until something is put */
  sqlite3_stmt *statements[MEMO_SQL_COUNT];
  mlf_question *questions[MEMO_BUCKETS];
  int64_t question_count;
  int64_t bytes;
  bool sorted; /* there is an index by time */
};

int mlf_memo_new(mlf_memo **out) {
  *out = sqlite3_malloc64(sizeof(**out));
  if (!*out) return SQLITE_NOMEM;
  memset(*out, 0, sizeof(**out));
  return SQLITE_OK;
}

void mlf_memo_free(mlf_memo *memo) {
  if (!memo) return;
  for (int i = 0; i < MEMO_SQL_COUNT; i++)
    sqlite3_finalize(memo->statements[i]);
  sqlite3_close(memo->db);
  for (size_t i = 0; i < MEMO_BUCKETS; i++) {
    while (memo->questions[i]) {
      mlf_question *question = memo->questions[i];
      memo->questions[i] = question->next;
      sqlite3_free(question->text);
      sqlite3_free(question);
    }
  }
  sqlite3_free(memo);
}

/* FNV-1a (Fowler, Noll, Vo). */
static size_t memo_bucket(const char *text) {
  uint32_t hash = 2166136261u;
  for (; *text; text++)
    hash = (hash ^ (unsigned char)*text) * 16777619u;
  return hash % MEMO_BUCKETS;
}

mlf_question *mlf_memo_question(mlf_memo *memo, const char *text) {
  mlf_question **bucket = &memo->questions[memo_bucket(text)];
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
  question->number = ++memo->question_count;
  memo->bytes += (int64_t)strlen(text);
  *bucket = question;
  return question;
}

static int memo_fail(const mlf_memo *memo, int rc, mlf_error *error) {
  if (rc == SQLITE_NOMEM) return mlf_error_nomem(error);
  return mlf_error_set(error, rc, "the temporary database for what a statement asks twice: %s",
                       memo->db ? sqlite3_errmsg(memo->db) : sqlite3_errstr(rc));
}

static int memo_open(mlf_memo *memo, mlf_error *error) {
  if (memo->db) return SQLITE_OK;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_PRIVATECACHE;
  int rc = sqlite3_open_v2("", &memo->db, flags, NULL);
  char *sql = sqlite3_mprintf(
      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -%d; BEGIN;"
      "CREATE TABLE trace(place INTEGER PRIMARY KEY, question INTEGER, id TEXT, ms INTEGER, "
      "json TEXT);"
      "CREATE UNIQUE INDEX by_id ON trace(question, id);"
      "CREATE INDEX by_place ON trace(question, place)",
      MLF_MEMO_CACHE_KIB);
  if (rc == SQLITE_OK) rc = sql ? sqlite3_exec(memo->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  for (int i = 0; rc == SQLITE_OK && i < MEMO_SQL_COUNT; i++)
    rc = sqlite3_prepare_v2(memo->db, memo_texts[i], -1, &memo->statements[i], NULL);
  return rc == SQLITE_OK ? rc : memo_fail(memo, rc, error);
}

/* The statement, its first parameter bound to the question; NULL if nothing was ever put. */
static sqlite3_stmt *memo_statement(const mlf_memo *memo, memo_sql sql,
                                    const mlf_question *question) {
  sqlite3_stmt *statement = memo->statements[sql];
  if (statement) sqlite3_bind_int64(statement, 1, question->number);
  return statement;
}

/* Runs a statement that has no rows. */
static int memo_run(const mlf_memo *memo, sqlite3_stmt *statement, mlf_error *error) {
  sqlite3_step(statement);
  int rc = sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return rc == SQLITE_OK ? rc : memo_fail(memo, rc, error);
}

int mlf_memo_empty(mlf_memo *memo, mlf_question *question, mlf_error *error) {
  sqlite3_stmt *statement = memo_statement(memo, MEMO_EMPTY, question);
  question->complete = false;
  return statement ? memo_run(memo, statement, error) : SQLITE_OK;
}

bool mlf_memo_is_full(const mlf_memo *memo) {
  return memo->bytes >= MLF_MEMO_BYTES_MAX;
}

int mlf_memo_put(mlf_memo *memo, const mlf_question *question, const char *id, int64_t timestamp_ms,
                 const char *trace, size_t length, mlf_error *error) {
  if (mlf_memo_is_full(memo)) return SQLITE_OK;
  int rc = memo_open(memo, error);
  if (rc != SQLITE_OK) return rc;
  sqlite3_stmt *statement = memo_statement(memo, MEMO_PUT, question);
  memo->bytes += (int64_t)length;
  rc = sqlite3_bind_text(statement, 2, id, -1, SQLITE_STATIC);
  if (rc == SQLITE_OK) rc = sqlite3_bind_int64(statement, 3, timestamp_ms);
  if (rc == SQLITE_OK)
    rc = sqlite3_bind_text64(statement, 4, trace, length, SQLITE_STATIC, SQLITE_UTF8);
  return rc == SQLITE_OK ? memo_run(memo, statement, error) : memo_fail(memo, rc, error);
}

int mlf_memo_put_none(mlf_memo *memo, const mlf_question *question, const char *id,
                      mlf_error *error) {
  if (mlf_memo_is_full(memo)) return SQLITE_OK;
  int rc = memo_open(memo, error);
  if (rc != SQLITE_OK) return rc;
  sqlite3_stmt *statement = memo_statement(memo, MEMO_PUT_NONE, question);
  rc = sqlite3_bind_text(statement, 2, id, -1, SQLITE_STATIC);
  return rc == SQLITE_OK ? memo_run(memo, statement, error) : memo_fail(memo, rc, error);
}

static void memo_add(sqlite3_str *text, sqlite3_stmt *row) {
  sqlite3_str_appendall(text, sqlite3_str_length(text) ? "," : "{\"traces\":[");
  sqlite3_str_append(text, (const char *)sqlite3_column_text(row, 1), sqlite3_column_bytes(row, 1));
}

/* Adds at most `count` rows from the mark on, which moves to the last. */
static int memo_add_rows(const mlf_memo *memo, memo_sql sql, const mlf_question *question,
                         int count, mlf_memo_mark *mark, sqlite3_str *text, mlf_error *error) {
  sqlite3_stmt *statement = memo_statement(memo, sql, question);
  sqlite3_bind_int64(statement, 2, mark->timestamp_ms);
  sqlite3_bind_int64(statement, 3, mark->place);
  sqlite3_bind_int(statement, 4, count);
  while (sqlite3_step(statement) == SQLITE_ROW) {
    memo_add(text, statement);
    mark->place = sqlite3_column_int64(statement, 0);
    mark->timestamp_ms = sqlite3_column_int64(statement, 2);
  }
  int rc = sqlite3_reset(statement);
  return rc == SQLITE_OK ? rc : memo_fail(memo, rc, error);
}

/* Makes a page of the text, which it frees: SQLITE_ROW, or SQLITE_DONE if nothing was added. */
static int memo_finish(sqlite3_str *text, int rc, mlf_json **page, mlf_error *error) {
  bool any = sqlite3_str_length(text) > 0;
  if (any) sqlite3_str_appendall(text, "]}");
  size_t length = (size_t)sqlite3_str_length(text);
  if (rc == SQLITE_OK && sqlite3_str_errcode(text) != SQLITE_OK) rc = mlf_error_nomem(error);
  char *json = sqlite3_str_finish(text);
  if (rc != SQLITE_OK || !any) {
    sqlite3_free(json);
    return rc == SQLITE_OK ? SQLITE_DONE : rc;
  }
  rc = mlf_json_parse_take(json, length, (mlf_json_options){0}, page, error);
  return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

int mlf_memo_find(mlf_memo *memo, const mlf_question *question, const char *id, int ahead,
                  mlf_json **page, mlf_error *error) {
  int unknown = question->complete ? SQLITE_DONE : SQLITE_NOTFOUND;
  sqlite3_stmt *statement = memo_statement(memo, MEMO_FIND, question);
  *page = NULL;
  if (!statement) return unknown;
  int rc = sqlite3_bind_text(statement, 2, id, -1, SQLITE_STATIC);
  if (rc != SQLITE_OK) return memo_fail(memo, rc, error);
  bool known = sqlite3_step(statement) == SQLITE_ROW;
  bool exists = known && sqlite3_column_type(statement, 1) != SQLITE_NULL;
  mlf_memo_mark mark = {.place = known ? sqlite3_column_int64(statement, 0) : 0};
  sqlite3_str *text = sqlite3_str_new(NULL);
  if (exists) memo_add(text, statement);
  rc = sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (rc != SQLITE_OK) memo_fail(memo, rc, error);
  if (rc == SQLITE_OK && exists && ahead > 0)
    rc = memo_add_rows(memo, MEMO_AS_PUT, question, ahead, &mark, text, error);
  rc = memo_finish(text, rc, page, error);
  return rc == SQLITE_DONE && !known ? unknown : rc;
}

/* An index by time, for who reads in this order; most do not. */
static int memo_sort(mlf_memo *memo, mlf_error *error) {
  if (memo->sorted) return SQLITE_OK;
  int rc = sqlite3_exec(memo->db, "CREATE INDEX by_time ON trace(question, ms)", NULL, NULL, NULL);
  memo->sorted = rc == SQLITE_OK;
  return rc == SQLITE_OK ? rc : memo_fail(memo, rc, error);
}

int mlf_memo_page(mlf_memo *memo, const mlf_question *question, mlf_order order,
                  mlf_memo_mark *mark, mlf_json **page, mlf_error *error) {
  static const memo_sql texts[] = {[MLF_ORDER_ANY] = MEMO_AS_PUT,
                                   [MLF_ORDER_NEWEST_FIRST] = MEMO_NEWEST_FIRST,
                                   [MLF_ORDER_OLDEST_FIRST] = MEMO_OLDEST_FIRST};
  *page = NULL;
  if (!memo->statements[texts[order]]) return SQLITE_DONE;
  if (mark->place == 0 && order == MLF_ORDER_NEWEST_FIRST)
    *mark = (mlf_memo_mark){INT64_MAX, INT64_MAX};
  if (mark->place == 0 && order == MLF_ORDER_OLDEST_FIRST) mark->timestamp_ms = INT64_MIN;
  int rc = order == MLF_ORDER_ANY ? SQLITE_OK : memo_sort(memo, error);
  sqlite3_str *text = sqlite3_str_new(NULL);
  if (rc == SQLITE_OK)
    rc = memo_add_rows(memo, texts[order], question, MEMO_PAGE_ROWS, mark, text, error);
  return memo_finish(text, rc, page, error);
}
