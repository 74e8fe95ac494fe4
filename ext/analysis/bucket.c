#include "analysis/bucket.h"

#include <string.h>

#include "base/sqlite_api.h"

int mlf_bucket_init(mlf_bucket *bucket, const char *text, size_t length, mlf_error *error) {
  int rc = mlf_edges_read(text, length, &bucket->edges, error);
  if (rc != SQLITE_OK) return rc;
  size_t bytes = bucket->edges.count * sizeof(*bucket->counts);
  bucket->counts = sqlite3_malloc64(bytes);
  if (!bucket->counts) return mlf_error_nomem(error);
  memset(bucket->counts, 0, bytes);
  return SQLITE_OK;
}

void mlf_bucket_clear(mlf_bucket *bucket) {
  mlf_edges_clear(&bucket->edges);
  sqlite3_free(bucket->counts);
  bucket->counts = NULL;
}

void mlf_bucket_count(mlf_bucket *bucket, double value, int change) {
  bucket->counts[mlf_edges_find(&bucket->edges, value)] += change;
}

int mlf_bucket_write(const mlf_bucket *bucket, mlf_buffer *out) {
  int rc = mlf_buffer_append(out, "{", 1);
  for (size_t i = 0; rc == SQLITE_OK && i < bucket->edges.count; i++) {
    const char *json = bucket->edges.buckets[i].json;
    char count[24];
    sqlite3_snprintf(sizeof(count), count, ":%lld", (sqlite3_int64)bucket->counts[i]);
    if (i > 0) rc = mlf_buffer_append(out, ",", 1);
    if (rc == SQLITE_OK) rc = mlf_buffer_append(out, json, strlen(json));
    if (rc == SQLITE_OK) rc = mlf_buffer_append(out, count, strlen(count));
  }
  return rc == SQLITE_OK ? mlf_buffer_append(out, "}", 1) : rc;
}
