#include "model/span_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"
#include "model/span_id.h"
#include "model/span_tree.h"
#include "model/span_value.h"

typedef struct span_entry {
  const mlf_json_node *node; /* a leaf of the set's document */
  size_t sent;               /* its place among those sent */
  size_t rank;               /* by id */
  int64_t start_ns;
  int64_t end_ns; /* as sent; 0 if it has not ended */
  char *id_sent;  /* owned: ids that are in no form that is known; else NULL */
  char *parent_sent;
  bool has_parent;
  char id_hex[2 * MLF_SPAN_ID_BYTES + 1];
  char parent_hex[2 * MLF_SPAN_ID_BYTES + 1];
} span_entry;

struct mlf_span_set {
  mlf_json *json; /* what the spans were read from */
  span_entry *spans;
  mlf_span_node *tree; /* of each span */
  size_t count;
  mlf_json *open; /* the span that was read last, as a document of its own */
  size_t open_index;
};

static const char *span_id(const span_entry *span) {
  return span->id_sent ? span->id_sent : span->id_hex;
}

static const char *span_parent(const span_entry *span) {
  if (!span->has_parent) return NULL;
  return span->parent_sent ? span->parent_sent : span->parent_hex;
}

/* Reads an id into `hex`, or if it is in no form that is known into `*sent`. */
static int span_read_id(const char *text, char *hex, char **sent, mlf_error *error) {
  const char *id = mlf_span_id(text, hex);
  if (id == hex) return SQLITE_OK;
  *sent = sqlite3_mprintf("%s", id);
  return *sent ? SQLITE_OK : mlf_error_nomem(error);
}

/* The id: one that is empty is of zeros, as for the client. */
static int span_read_own_id(const mlf_json *json, span_entry *span, mlf_error *error) {
  const mlf_json_node *root = mlf_json_root(json), *context;
  const char *text = NULL;
  int rc = mlf_json_get_object(json, root, "context", &context, error);
  if (rc == SQLITE_OK)
    rc = mlf_json_get_text(json, context ? context : root, "span_id", &text, error);
  if (rc != SQLITE_OK) return rc;
  if (!text) return mlf_json_misshapen(json, root, "a span with a span_id", error);
  return span_read_id(*text ? text : "0", span->id_hex, &span->id_sent, error);
}

/* The parent's id. OpenTelemetry's id of zeros is none. */
static int span_read_parent(const mlf_json *json, span_entry *span, mlf_error *error) {
  const mlf_json_node *root = mlf_json_root(json);
  const char *text, *old_text;
  int rc = mlf_json_get_text(json, root, "parent_span_id", &text, error);
  if (rc == SQLITE_OK) rc = mlf_json_get_text(json, root, "parent_id", &old_text, error);
  if (rc != SQLITE_OK) return rc;
  if (!text) text = old_text;
  if (!text || !*text) return SQLITE_OK;
  rc = span_read_id(text, span->parent_hex, &span->parent_sent, error);
  span->has_parent = true;
  const char *parent = span_parent(span);
  span->has_parent = parent && parent[strspn(parent, "0")] != 0;
  return rc;
}

/* Reads what the tree is made of. Protobuf leaves a zero out; files always have a start. */
static int span_read(const mlf_json *json, span_entry *span, mlf_error *error) {
  const mlf_json_node *root = mlf_json_root(json);
  int rc = mlf_json_want_object(json, root, error);
  if (rc == SQLITE_OK) rc = span_read_own_id(json, span, error);
  if (rc == SQLITE_OK) rc = span_read_parent(json, span, error);
  if (rc == SQLITE_OK)
    rc = mlf_span_time(json, root, "start_time_unix_nano", "start_time", &span->start_ns, error);
  if (rc == SQLITE_OK)
    rc = mlf_span_time(json, root, "end_time_unix_nano", "end_time", &span->end_ns, error);
  if (rc == SQLITE_OK &&
      mlf_json_kind_of(json, mlf_json_member(root, "start_time_unix_nano")) <= MLF_JSON_NULL &&
      mlf_json_kind_of(json, mlf_json_member(root, "start_time")) <= MLF_JSON_NULL &&
      mlf_json_kind_of(json, mlf_json_member(root, "attributes")) == MLF_JSON_OBJECT)
    rc = mlf_json_misshapen(json, root, "a span with a start", error);
  return rc;
}

static int span_compare_starts(const void *left, const void *right) {
  const span_entry *a = left, *b = right;
  if (a->start_ns != b->start_ns) return a->start_ns < b->start_ns ? -1 : 1;
  return a->sent < b->sent ? -1 : a->sent > b->sent;
}

/* Reads the spans and puts them in order. */
static int span_set_collect(mlf_span_set *set, const mlf_json_node *spans, mlf_error *error) {
  const mlf_json_node *each = mlf_json_first(spans);
  for (; each; each = mlf_json_next(each)) {
    mlf_json *json;
    if (mlf_json_kind_of(set->json, each) == MLF_JSON_NULL) continue;
    span_entry *span = &set->spans[set->count];
    span->node = each;
    span->sent = set->count++;
    int rc = mlf_json_open(set->json, each, MLF_SPAN_LEVELS, &json, error);
    if (rc == SQLITE_OK) rc = span_read(json, span, error);
    mlf_json_free(json);
    if (rc != SQLITE_OK) return rc;
  }
  qsort(set->spans, set->count, sizeof(*set->spans), span_compare_starts);
  return SQLITE_OK;
}

static int span_compare_ids(const void *left, const void *right) {
  const span_entry *a = *(const span_entry *const *)left, *b = *(const span_entry *const *)right;
  int order = strcmp(span_id(a), span_id(b));
  return order ? order : (a > b) - (a < b);
}

/* The first of `by_id` with this id, or NULL. */
static const span_entry *span_find(const span_entry *const *by_id, size_t count, const char *id) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(span_id(by_id[middle]), id) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < count && strcmp(span_id(by_id[low]), id) == 0 ? by_id[low] : NULL;
}

/* A time since the first span began, so that differences fit. */
static int64_t span_since(int64_t ns, int64_t first_ns) {
  uint64_t since = (uint64_t)ns - (uint64_t)first_ns;
  return ns <= first_ns ? 0 : since > INT64_MAX ? INT64_MAX : (int64_t)since;
}

/* Measures the tree. One whose parent is not here is a root. */
static int span_set_build(mlf_span_set *set, mlf_error *error) {
  const span_entry **by_id = sqlite3_malloc64((set->count + 1) * sizeof(*by_id));
  if (!by_id) return mlf_error_nomem(error);
  for (size_t i = 0; i < set->count; i++)
    by_id[i] = &set->spans[i];
  qsort(by_id, set->count, sizeof(*by_id), span_compare_ids);
  for (size_t i = 0; i < set->count; i++)
    set->spans[by_id[i] - set->spans].rank = i;
  for (size_t i = 0; i < set->count; i++) {
    const span_entry *span = &set->spans[i];
    const char *parent_id = span_parent(span);
    const span_entry *parent = parent_id ? span_find(by_id, set->count, parent_id) : NULL;
    mlf_span_node *node = &set->tree[i];
    node->start_ns = span_since(span->start_ns, set->spans->start_ns);
    node->end_ns = span_since(span->end_ns, set->spans->start_ns);
    node->ended = span->end_ns != 0;
    node->parent = parent ? (size_t)(parent - set->spans) : MLF_SPAN_NO_PARENT;
  }
  sqlite3_free(by_id);
  return mlf_span_tree_measure(set->tree, set->count) == SQLITE_OK ? SQLITE_OK
                                                                   : mlf_error_nomem(error);
}

int mlf_span_set_new(const mlf_json *json, const mlf_json_node *spans, mlf_span_set **out,
                     mlf_error *error) {
  size_t count = 0;
  *out = NULL;
  for (const mlf_json_node *each = mlf_json_first(spans); each; each = mlf_json_next(each))
    count++;
  mlf_span_set *set = sqlite3_malloc64(sizeof(*set));
  if (!set) return mlf_error_nomem(error);
  memset(set, 0, sizeof(*set));
  set->json = mlf_json_hold(json);
  set->spans = sqlite3_malloc64((count + 1) * sizeof(*set->spans));
  set->tree = sqlite3_malloc64((count + 1) * sizeof(*set->tree));
  int rc = set->spans && set->tree ? SQLITE_OK : mlf_error_nomem(error);
  if (rc == SQLITE_OK) {
    memset(set->spans, 0, (count + 1) * sizeof(*set->spans));
    memset(set->tree, 0, (count + 1) * sizeof(*set->tree));
    rc = span_set_collect(set, spans, error);
  }
  if (rc == SQLITE_OK) rc = span_set_build(set, error);
  if (rc == SQLITE_OK) {
    *out = set;
  } else {
    mlf_span_set_free(set);
  }
  return rc;
}

void mlf_span_set_free(mlf_span_set *set) {
  if (!set) return;
  assert(set->spans || set->count == 0);
  for (size_t i = 0; i < set->count; i++) {
    sqlite3_free(set->spans[i].id_sent);
    sqlite3_free(set->spans[i].parent_sent);
  }
  mlf_json_free(set->open);
  mlf_json_free(set->json);
  sqlite3_free(set->tree);
  sqlite3_free(set->spans);
  sqlite3_free(set);
}

size_t mlf_span_set_count(const mlf_span_set *set) {
  return set->count;
}

size_t mlf_span_set_rank(const mlf_span_set *set, size_t index) {
  return set->spans[index].rank;
}

size_t mlf_span_set_root(const mlf_span_set *set) {
  size_t root = SIZE_MAX;
  for (size_t i = 0; i < set->count; i++) {
    if (set->spans[i].has_parent) continue;
    if (root == SIZE_MAX || set->spans[i].sent < set->spans[root].sent) root = i;
  }
  return root;
}

static mlf_value span_ms(int64_t ns, bool known) {
  return known ? mlf_value_real((double)ns / 1e6) : mlf_value_text(NULL);
}

/* How long it took; of one that has not ended nobody knows. */
static mlf_value span_duration(const span_entry *span) {
  int64_t ns;
  if (span->end_ns == 0) return mlf_value_text(NULL);
  if (!__builtin_sub_overflow(span->end_ns, span->start_ns, &ns)) return span_ms(ns, true);
  return mlf_value_real(((double)span->end_ns - (double)span->start_ns) / 1e6);
}

/* What is known without the span's own document; false for what is not. */
static bool span_measured(const span_entry *span, const mlf_span_node *node, mlf_source source,
                          mlf_value *value) {
  bool ended = span->end_ns != 0;
  switch (source) {
  case MLF_SOURCE_SPAN_ID: *value = mlf_value_text(span_id(span)); break;
  case MLF_SOURCE_SPAN_PARENT: *value = mlf_value_text(span_parent(span)); break;
  case MLF_SOURCE_SPAN_START: *value = mlf_value_integer(span->start_ns); break;
  case MLF_SOURCE_SPAN_END:
    *value = ended ? mlf_value_integer(span->end_ns) : mlf_value_text(NULL);
    break;
  case MLF_SOURCE_SPAN_DURATION: *value = span_duration(span); break;
  case MLF_SOURCE_SPAN_DEPTH: *value = mlf_value_integer((int64_t)node->depth); break;
  case MLF_SOURCE_SPAN_CHILDREN: *value = mlf_value_integer((int64_t)node->child_count); break;
  case MLF_SOURCE_SPAN_SELF: *value = span_ms(node->self_ns, ended); break;
  case MLF_SOURCE_SPAN_CRITICAL: *value = span_ms(node->critical_ns, ended); break;
  default: return false;
  }
  return true;
}

/* Makes the span's own document the open one. */
static int span_set_open(mlf_span_set *set, size_t index, mlf_error *error) {
  if (set->open && set->open_index == index) return SQLITE_OK;
  mlf_json_free(set->open);
  set->open_index = index;
  return mlf_json_open(set->json, set->spans[index].node, MLF_SPAN_LEVELS, &set->open, error);
}

int mlf_span_set_value(mlf_span_set *set, size_t index, const mlf_column *column, mlf_value *value,
                       mlf_error *error) {
  *value = mlf_value_text(NULL);
  if (span_measured(&set->spans[index], &set->tree[index], column->source, value)) return SQLITE_OK;
  int rc = span_set_open(set, index, error);
  return rc == SQLITE_OK ? mlf_span_value(set->open, column, value, error) : rc;
}
