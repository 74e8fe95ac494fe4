/* bare_client.c: how fast can one connection fetch an experiment's traces at all?
 *
 *   bare_client URI EXPERIMENT_ID
 *
 * Asks for pages of 500 by key, one after the other, newest first, and drops them: it looks only
 * for the last request_time of a page, to ask for what is not newer. Prints the requests, the
 * traces' appearances (repeats of boundary milliseconds included) and the bytes. The floor for any
 * client that reads page after page; it checks nothing that it need not. */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE_TRACES    500
#define PAGE_BYTES_MAX (64 << 20)

typedef struct page {
  char *bytes;
  size_t length;
} page;

static size_t page_append(char *data, size_t size, size_t count, void *context) {
  page *body = context;
  size_t length = size * count;
  if (body->length + length >= PAGE_BYTES_MAX) return 0;
  memcpy(body->bytes + body->length, data, length);
  body->length += length;
  body->bytes[body->length] = 0;
  return length;
}

/* Milliseconds since 1970 of `"request_time":"2026-11-23T11:59:23.950Z"`, fraction optional. */
static long long page_time(const char *value) {
  struct tm at = {0};
  const char *rest = strptime(value, "%Y-%m-%dT%H:%M:%S", &at);
  if (!rest) return -1;
  double fraction = *rest == '.' ? strtod(rest, NULL) : 0;
  return (long long)timegm(&at) * 1000 + (long long)(fraction * 1000 + 0.5);
}

/* How many traces the page holds; *last_ms is the last one's time. */
static int page_scan(const char *text, long long *last_ms) {
  static const char key[] = "\"request_time\":";
  int traces = 0;
  const char *last = NULL;
  for (const char *at = text; (at = strstr(at, key)); at += sizeof(key) - 1) {
    last = at + sizeof(key) - 1;
    traces++;
  }
  if (last) *last_ms = page_time(last + strcspn(last, "\"") + 1);
  return traces;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s URI EXPERIMENT_ID\n", argv[0]);
    return 2;
  }
  char url[1024], body[1024], filter[128] = "";
  snprintf(url, sizeof(url), "%s/api/3.0/mlflow/traces/search", argv[1]);
  page reply = {malloc(PAGE_BYTES_MAX), 0};
  CURL *curl = curl_easy_init();
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  if (!reply.bytes || !curl || !headers) return 1;
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, page_append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");

  long requests = 0, traces = 0;
  long long bytes = 0, last_ms = 0, before_ms = -1;
  int count;
  do {
    snprintf(body, sizeof(body),
             "{\"locations\":[{\"type\":\"MLFLOW_EXPERIMENT\",\"mlflow_experiment\":"
             "{\"experiment_id\":\"%s\"}}],\"max_results\":%d%s,"
             "\"order_by\":[\"timestamp_ms DESC\"]}",
             argv[2], PAGE_TRACES, filter);
    reply.length = 0;
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200) {
      fprintf(stderr, "%s: %ld %.200s\n", curl_easy_strerror(code), status, reply.bytes);
      return 1;
    }
    count = page_scan(reply.bytes, &last_ms);
    if (count == PAGE_TRACES && last_ms == before_ms) {
      fprintf(stderr, "more than %d traces in one millisecond\n", PAGE_TRACES);
      return 1;
    }
    before_ms = last_ms;
    snprintf(filter, sizeof(filter), ",\"filter\":\"attributes.timestamp_ms <= %lld\"", last_ms);
    requests++;
    traces += count;
    bytes += (long long)reply.length;
  } while (count == PAGE_TRACES);
  printf("%ld %ld %lld\n", requests, traces, bytes);
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
  free(reply.bytes);
  return 0;
}
