/* fuzz_edges.c: the reader of bucket edges against SQLite's JSON functions.
**
**   (1) What is accepted is JSON to SQLite, too, and each name is what SQLite decodes it to.
**   (2) Bounds increase, only the last is infinite, and a value is found where a walk finds it.
**   (3) An array that SQLite reads as numbers clearly increasing is accepted, and so is an object
**       of those that ends with null (unless a limit is named, or a name comes twice).
**   (4) A histogram over the buckets is JSON with as many members.
*/
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/bucket.h"
#include "base/sqlite_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void edges_require(bool truth) {
  if (!truth) abort();
}

static sqlite3_stmt *edges_prepare(const char *sql) {
  static sqlite3 *db;
  sqlite3_stmt *statement;
  if (!db) edges_require(sqlite3_open(":memory:", &db) == SQLITE_OK);
  edges_require(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK);
  return statement;
}

/* The integer that a statement over one text gives; 0 for NULL. */
static int edges_ask(sqlite3_stmt *statement, const char *text, size_t length) {
  sqlite3_bind_text(statement, 1, text, (int)length, SQLITE_STATIC);
  edges_require(sqlite3_step(statement) == SQLITE_ROW);
  int result = sqlite3_column_int(statement, 0);
  sqlite3_reset(statement);
  return result;
}

static bool edges_is_json(const char *text, size_t length) {
  static sqlite3_stmt *statement;
  if (!statement) statement = edges_prepare("SELECT json_valid(?)");
  return edges_ask(statement, text, length);
}

/* Whether there is no reason to refuse the text. */
static bool edges_should_be_accepted(const char *text, size_t length) {
  static sqlite3_stmt *statement;
  if (!statement)
    statement = edges_prepare(
        "WITH e AS MATERIALIZED (SELECT key, type, atom, lag(atom) OVER (ORDER BY id) AS below,"
        "  row_number() OVER (ORDER BY id DESC) AS back FROM json_each(?1))"
        "SELECT count(*) BETWEEN 1 AND 900 AND count(DISTINCT key) = count(*)"
        "  AND max(length(key)) IS NOT 0"
        "  AND sum(CASE WHEN json_type(?1) = 'object' AND back = 1 THEN type = 'null'"
        "    ELSE type IN ('integer', 'real') AND abs(atom) < 1e300"
        "      AND (below IS NULL OR atom - below > 1e-9 * (abs(atom) + abs(below)))"
        "    END) = count(*)"
        "  AND ?1 NOT LIKE '%\\%' AND json_type(?1) IN ('array', 'object') FROM e");
  /* No name is escaped, and no number is too long, if the whole is short. */
  return length < 64 && !memchr(text, 0, length) && edges_is_json(text, length) &&
         edges_ask(statement, text, length);
}

static void edges_check_name(const mlf_edge *bucket) {
  static sqlite3_stmt *statement;
  if (!statement) statement = edges_prepare("SELECT json_extract(?, '$')");
  sqlite3_bind_text(statement, 1, bucket->json, -1, SQLITE_STATIC);
  edges_require(sqlite3_step(statement) == SQLITE_ROW);
  const char *decoded = (const char *)sqlite3_column_text(statement, 0);
  edges_require(decoded && strcmp(decoded, bucket->name) == 0);
  sqlite3_reset(statement);
}

static void edges_check_find(const mlf_edges *edges, double value) {
  size_t index = 0;
  while (index + 1 < edges->count && value >= edges->buckets[index].bound)
    index++;
  edges_require(mlf_edges_find(edges, value) == index);
}

static void edges_check(const mlf_bucket *bucket) {
  const mlf_edges *edges = &bucket->edges;
  mlf_buffer json;
  mlf_buffer_init(&json, 1 << 20);
  edges_require(edges->count >= 1 && edges->count <= MLF_EDGES_MAX);
  for (size_t i = 0; i < edges->count; i++) {
    double bound = edges->buckets[i].bound;
    edges_check_name(&edges->buckets[i]);
    edges_require(isfinite(bound) || (i + 1 == edges->count && bound > 0));
    edges_require(i == 0 || edges->buckets[i - 1].bound < bound);
    edges_check_find(edges, bound);
    edges_check_find(edges, nextafter(bound, -INFINITY));
  }
  edges_require(isinf(edges->buckets[edges->count - 1].bound));
  edges_check_find(edges, -INFINITY);
  edges_require(mlf_bucket_write(bucket, &json) == SQLITE_OK);
  static sqlite3_stmt *statement;
  if (!statement) statement = edges_prepare("SELECT count(*) FROM json_each(?)");
  edges_require(edges_ask(statement, json.bytes, json.length) == (int)edges->count);
  mlf_buffer_clear(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mlf_bucket bucket = {0};
  mlf_error error = {0};
  const char *text = (const char *)data;
  int rc = mlf_bucket_init(&bucket, text, size, &error);
  edges_require(rc == error.code && (rc == SQLITE_OK || rc == SQLITE_ERROR));
  if (rc == SQLITE_OK) {
    edges_require(edges_is_json(text, size));
    edges_check(&bucket);
  } else {
    edges_require(error.text != NULL);
    edges_require(!edges_should_be_accepted(text, size));
  }
  mlf_bucket_clear(&bucket);
  mlf_error_clear(&error);
  return 0;
}
