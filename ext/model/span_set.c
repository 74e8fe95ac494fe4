#include "model/span_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"
#include "model/json_check.h"
#include "model/json_python.h"
#include "model/json_value.h"
#include "model/json_write.h"
#include "model/otlp.h"
#include "model/span_id.h"
#include "model/span_tree.h"

typedef struct span_entry {
  const mlf_json_node *node;
  size_t sent; /* its place among those sent */
  int64_t start_ns;
  int64_t end_ns; /* as sent; 0 if it has not ended */
  const char *id; /* in `id_hex`, or as sent */
  const char *parent;
  char id_hex[2 * MLF_SPAN_ID_BYTES + 1];
  char parent_hex[2 * MLF_SPAN_ID_BYTES + 1];
} span_entry;

struct mlf_span_set {
  mlf_json *json; /* what the spans were read from */
  span_entry *spans;
  mlf_span_node *tree; /* of each span */
  size_t count;
  char *text;      /* of the value given last */
  mlf_json *inner; /* likewise */
};

/* A member by its name in OpenTelemetry's form, or else in MLflow 2's. */
static const mlf_json_node *span_either(const mlf_json_node *node, const char *name,
                                        const char *old_name) {
  const mlf_json_node *member = mlf_json_member(node, name);
  return member ? member : mlf_json_member(node, old_name);
}

static const char *span_sent_id(const mlf_json_node *node) {
  const mlf_json_node *holder = mlf_json_member(node, "context");
  return mlf_json_text(mlf_json_member(holder ? holder : node, "span_id"));
}

static int span_compare_starts(const void *left, const void *right) {
  const span_entry *a = left, *b = right;
  if (a->start_ns != b->start_ns) return a->start_ns < b->start_ns ? -1 : 1;
  return a->sent < b->sent ? -1 : a->sent > b->sent;
}

/* The start of a span. Protobuf leaves a zero out; files have it always. Before 1970 is no time of
** a span, so differences of times fit. */
static bool span_start(const mlf_json *json, const mlf_json_node *node, int64_t *start_ns) {
  const mlf_json_node *start = span_either(node, "start_time_unix_nano", "start_time");
  const mlf_json_node *attributes = mlf_json_member(node, "attributes");
  *start_ns = 0;
  if (!start) return mlf_json_kind_of(json, attributes) != MLF_JSON_OBJECT;
  return mlf_otlp_int64(json, start, start_ns) && *start_ns >= 0;
}

/* Finds the spans and puts them in order. */
static int span_set_collect(mlf_span_set *set, const mlf_json_node *spans, mlf_error *error) {
  const mlf_json_node *each = mlf_json_first(spans);
  for (; each; each = mlf_json_next(each), set->count++) {
    span_entry *span = &set->spans[set->count];
    span->node = each;
    span->sent = set->count;
    const char *id = span_sent_id(each);
    if (!id || !*id || !span_start(set->json, each, &span->start_ns)) {
      return mlf_error_set(error, SQLITE_ERROR, "spans[%d] of a trace lacks a span_id or a start",
                           (int)set->count);
    }
  }
  qsort(set->spans, set->count, sizeof(*set->spans), span_compare_starts);
  return SQLITE_OK;
}

static int span_compare_ids(const void *left, const void *right) {
  const span_entry *a = *(const span_entry *const *)left, *b = *(const span_entry *const *)right;
  int order = strcmp(a->id, b->id);
  return order ? order : (a > b) - (a < b);
}

/* The first of `by_id` with this id, or NULL. */
static const span_entry *span_find(const span_entry *const *by_id, size_t count, const char *id) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(by_id[middle]->id, id) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < count && strcmp(by_id[low]->id, id) == 0 ? by_id[low] : NULL;
}

/* Reads the ids and the end of a span. OpenTelemetry's id of zeros is none, and a parent's is
** that of a root. */
static void span_read(const mlf_json *json, span_entry *span) {
  span->id = mlf_span_id(span_sent_id(span->node), span->id_hex);
  span->parent = mlf_span_id(mlf_json_text(span_either(span->node, "parent_span_id", "parent_id")),
                             span->parent_hex);
  if (span->parent && span->parent[strspn(span->parent, "0")] == 0) span->parent = NULL;
  if (!mlf_otlp_int64(json, span_either(span->node, "end_time_unix_nano", "end_time"),
                      &span->end_ns) ||
      span->end_ns < 0)
    span->end_ns = 0;
}

/* Measures the tree. One whose parent is not here is a root. */
static int span_set_build(mlf_span_set *set, mlf_error *error) {
  const span_entry **by_id = sqlite3_malloc64((set->count + 1) * sizeof(*by_id));
  if (!by_id) return mlf_error_nomem(error);
  for (size_t i = 0; i < set->count; i++) {
    span_read(set->json, &set->spans[i]);
    by_id[i] = &set->spans[i];
  }
  qsort(by_id, set->count, sizeof(*by_id), span_compare_ids);
  for (size_t i = 0; i < set->count; i++) {
    const span_entry *span = &set->spans[i];
    const span_entry *parent = span->parent ? span_find(by_id, set->count, span->parent) : NULL;
    mlf_span_node *node = &set->tree[i];
    node->start_ns = span->start_ns;
    node->end_ns = span->end_ns;
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
  mlf_json_free(set->inner);
  mlf_json_free(set->json);
  sqlite3_free(set->text);
  sqlite3_free(set->tree);
  sqlite3_free(set->spans);
  sqlite3_free(set);
}

size_t mlf_span_set_count(const mlf_span_set *set) {
  return set->count;
}

size_t mlf_span_set_root(const mlf_span_set *set) {
  size_t root = SIZE_MAX;
  for (size_t i = 0; i < set->count; i++) {
    if (set->spans[i].parent) continue;
    if (root == SIZE_MAX || set->spans[i].sent < set->spans[root].sent) root = i;
  }
  return root;
}

/* Gives the text that was written, with result `rc` so far, and keeps it until the next value. */
static int span_finish(mlf_span_set *set, int rc, sqlite3_str *text, mlf_value *value) {
  if (rc == SQLITE_OK) rc = sqlite3_str_errcode(text);
  size_t length = (size_t)sqlite3_str_length(text);
  set->text = sqlite3_str_finish(text);
  if (rc == SQLITE_OK && set->text)
    *value = (mlf_value){.type = MLF_TEXT, .text = set->text, .length = length};
  return rc;
}

/* Appends `text` if it is JSON. SQLITE_OK, SQLITE_NOMEM, or another code if it is not. */
static int span_append_json(sqlite3_str *out, const char *text, size_t length) {
  mlf_json_check check = {0};
  mlf_error ignored = {0};
  int rc = mlf_json_check_run(text, length, &check, &ignored);
  if (rc == SQLITE_OK) sqlite3_str_append(out, text, (int)length);
  mlf_json_check_clear(&check);
  mlf_error_clear(&ignored);
  return rc;
}

/* Appends a text as JSON: what it holds, if that is JSON as Python writes it, or itself. */
static int span_write_file_text(sqlite3_str *out, const char *text, size_t length) {
  int rc = span_append_json(out, text, length);
  if (rc == SQLITE_OK || rc == SQLITE_NOMEM) return rc;
  size_t plain_length;
  char *plain = mlf_json_python_plain(text, length, &plain_length);
  if (!plain) return SQLITE_NOMEM;
  rc = span_append_json(out, plain, plain_length);
  sqlite3_free(plain);
  if (rc == SQLITE_OK || rc == SQLITE_NOMEM) return rc;
  mlf_json_write_text(out, text, length);
  return SQLITE_OK;
}

/* What an attribute in a file holds, as JSON. */
static int span_write_file_value(sqlite3_str *out, const mlf_json *json,
                                 const mlf_json_node *node) {
  const char *text = mlf_json_text(node);
  if (text && *text) return span_write_file_text(out, text, strlen(text));
  /* Python has None for an empty text. */
  mlf_value raw = text ? mlf_value_text("null") : mlf_json_value_raw(json, node, "null");
  sqlite3_str_append(out, raw.text, (int)raw.length);
  return SQLITE_OK;
}

/* The attributes of a span or event are a list, in OpenTelemetry's form, or an object. */
static bool span_is_list(const mlf_span_set *set, const mlf_json_node *attributes) {
  return mlf_json_kind_of(set->json, attributes) == MLF_JSON_ARRAY;
}

static int span_write_attributes(const mlf_span_set *set, const mlf_json_node *attributes,
                                 sqlite3_str *out) {
  const char *separator = "";
  int rc = SQLITE_OK;
  if (span_is_list(set, attributes)) {
    mlf_otlp_write_list(out, set->json, attributes);
    return rc;
  }
  sqlite3_str_appendchar(out, 1, '{');
  const mlf_json_node *each = mlf_json_first(attributes);
  for (; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
    const char *name = mlf_json_name(each);
    sqlite3_str_appendall(out, separator);
    mlf_json_write_text(out, name, strlen(name));
    sqlite3_str_appendchar(out, 1, ':');
    rc = span_write_file_value(out, set->json, each);
    separator = ",";
  }
  sqlite3_str_appendchar(out, 1, '}');
  return rc;
}

/* An attribute as JSON; nothing if the span has none of this key. */
static int span_attribute_json(mlf_span_set *set, const mlf_json_node *attributes, const char *key,
                               mlf_value *value) {
  bool list = span_is_list(set, attributes);
  const mlf_json_node *node =
      list ? mlf_otlp_find(attributes, key) : mlf_json_member(attributes, key);
  if (!node) return SQLITE_OK;
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = SQLITE_OK;
  if (list) {
    mlf_otlp_write(out, set->json, node);
  } else {
    rc = span_write_file_value(out, set->json, node);
  }
  rc = span_finish(set, rc, out, value);
  /* The client has None for an attribute that is null and for one that is not there. */
  if (value->type == MLF_TEXT && strcmp(value->text, "null") == 0) *value = mlf_value_text(NULL);
  return rc;
}

/* An attribute, or a member of it, as an SQL value. */
static int span_attribute(mlf_span_set *set, const mlf_json_node *attributes,
                          const mlf_column *column, mlf_value *value) {
  mlf_error ignored = {0};
  mlf_value json = {.type = MLF_NULL};
  if (span_is_list(set, attributes)) {
    const mlf_json_node *node = mlf_otlp_find(attributes, column->path);
    if (column->item) node = mlf_otlp_find(mlf_otlp_map(node), column->item);
    *value = mlf_otlp_scalar(set->json, node);
    return SQLITE_OK;
  }
  int rc = span_attribute_json(set, attributes, column->path, &json);
  if (rc != SQLITE_OK || json.type == MLF_NULL) return rc;
  rc = mlf_json_parse(json.text, json.length, &set->inner, &ignored);
  mlf_error_clear(&ignored);
  if (rc != SQLITE_OK) return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
  const mlf_json_node *node = mlf_json_root(set->inner);
  if (column->item) node = mlf_json_member(node, column->item);
  *value = mlf_json_value_scalar(set->inner, node);
  return SQLITE_OK;
}

static bool span_is_exception(const mlf_json_node *event) {
  const char *name = mlf_json_text(mlf_json_member(event, "name"));
  return name && strcmp(name, "exception") == 0;
}

/* An attribute of the last exception. */
static mlf_value span_exception(const mlf_span_set *set, const mlf_json_node *span,
                                const char *key) {
  const mlf_json_node *last = NULL;
  const mlf_json_node *each = mlf_json_first(mlf_json_member(span, "events"));
  for (; each; each = mlf_json_next(each)) {
    if (span_is_exception(each)) last = each;
  }
  const mlf_json_node *attributes = mlf_json_member(last, "attributes");
  if (span_is_list(set, attributes))
    return mlf_otlp_scalar(set->json, mlf_otlp_find(attributes, key));
  return mlf_json_value_scalar(set->json, mlf_json_member(attributes, key));
}

/* The attributes of an event or a link: those of a file are plain JSON. */
static void span_write_plain(const mlf_span_set *set, const mlf_json_node *attributes,
                             sqlite3_str *out) {
  mlf_value raw = mlf_json_value_raw(set->json, attributes, "{}");
  if (span_is_list(set, attributes)) {
    mlf_otlp_write_list(out, set->json, attributes);
  } else {
    sqlite3_str_append(out, raw.text, (int)raw.length);
  }
}

static int span_events(mlf_span_set *set, const mlf_json_node *span, mlf_value *value) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  const char *separator = "";
  sqlite3_str_appendchar(out, 1, '[');
  const mlf_json_node *each = mlf_json_first(mlf_json_member(span, "events"));
  for (; each; each = mlf_json_next(each)) {
    const char *name = mlf_json_text(mlf_json_member(each, "name"));
    int64_t time_ns = 0;
    mlf_otlp_int64(set->json, span_either(each, "time_unix_nano", "timestamp"), &time_ns);
    sqlite3_str_appendf(out, "%s{\"name\":", separator);
    mlf_json_write_text(out, name ? name : "", name ? strlen(name) : 0);
    sqlite3_str_appendf(out, ",\"timestamp\":%lld,\"attributes\":", (sqlite3_int64)time_ns);
    span_write_plain(set, mlf_json_member(each, "attributes"), out);
    sqlite3_str_appendchar(out, 1, '}');
    separator = ",";
  }
  sqlite3_str_appendchar(out, 1, ']');
  return span_finish(set, SQLITE_OK, out, value);
}

static int span_links(mlf_span_set *set, const mlf_json_node *span, mlf_value *value) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  const char *separator = "";
  sqlite3_str_appendchar(out, 1, '[');
  const mlf_json_node *each = mlf_json_first(mlf_json_member(span, "links"));
  for (; each; each = mlf_json_next(each)) {
    const char *trace = mlf_json_text(mlf_json_member(each, "trace_id"));
    const char *id = mlf_json_text(mlf_json_member(each, "span_id"));
    char trace_hex[3 + 2 * MLF_TRACE_ID_BYTES + 1] = "tr-", span_hex[2 * MLF_SPAN_ID_BYTES + 1];
    if (trace && mlf_span_id_from_base64(trace, MLF_TRACE_ID_BYTES, trace_hex + 3))
      trace = trace_hex;
    if (id && mlf_span_id_from_base64(id, MLF_SPAN_ID_BYTES, span_hex)) id = span_hex;
    sqlite3_str_appendf(out, "%s{\"trace_id\":", separator);
    mlf_json_write_text(out, trace ? trace : "", trace ? strlen(trace) : 0);
    sqlite3_str_appendall(out, ",\"span_id\":");
    mlf_json_write_text(out, id ? id : "", id ? strlen(id) : 0);
    sqlite3_str_appendall(out, ",\"attributes\":");
    span_write_plain(set, mlf_json_member(each, "attributes"), out);
    sqlite3_str_appendchar(out, 1, '}');
    separator = ",";
  }
  sqlite3_str_appendchar(out, 1, ']');
  return span_finish(set, SQLITE_OK, out, value);
}

/* OK, ERROR or UNSET. */
static const char *span_status(const mlf_json_node *span) {
  static const char prefix[] = "STATUS_CODE_";
  const mlf_json_node *status = mlf_json_member(span, "status");
  const char *code = mlf_json_text(status ? mlf_json_member(status, "code")
                                          : mlf_json_member(span, "status_code"));
  if (!code) return "UNSET";
  return strncmp(code, prefix, sizeof(prefix) - 1) == 0 ? code + sizeof(prefix) - 1 : code;
}

static const char *span_message(const mlf_json_node *span) {
  const mlf_json_node *status = mlf_json_member(span, "status");
  const char *message = mlf_json_text(status ? mlf_json_member(status, "message")
                                             : mlf_json_member(span, "status_message"));
  return message && *message ? message : NULL;
}

static mlf_value span_ms(int64_t ns, bool known) {
  return known ? mlf_value_real((double)ns / 1e6) : mlf_value_text(NULL);
}

/* What was measured. Of a span that has not ended nobody knows how long it takes. */
static mlf_value span_measure(const span_entry *span, const mlf_span_node *node,
                              mlf_source source) {
  bool ended = span->end_ns != 0;
  switch (source) {
  case MLF_SOURCE_SPAN_START: return mlf_value_integer(span->start_ns);
  case MLF_SOURCE_SPAN_END: return ended ? mlf_value_integer(span->end_ns) : mlf_value_text(NULL);
  case MLF_SOURCE_SPAN_DURATION: return span_ms(span->end_ns - span->start_ns, ended);
  case MLF_SOURCE_SPAN_DEPTH: return mlf_value_integer((int64_t)node->depth);
  case MLF_SOURCE_SPAN_CHILDREN: return mlf_value_integer((int64_t)node->child_count);
  case MLF_SOURCE_SPAN_SELF: return span_ms(node->self_ns, ended);
  default: return span_ms(node->critical_ns, ended);
  }
}

int mlf_span_set_value(mlf_span_set *set, size_t index, const mlf_column *column,
                       mlf_value *value) {
  const span_entry *span = &set->spans[index];
  const mlf_json_node *attributes = mlf_json_member(span->node, "attributes");
  sqlite3_free(set->text);
  mlf_json_free(set->inner);
  set->text = NULL;
  set->inner = NULL;
  *value = mlf_value_text(NULL);
  switch (column->source) {
  case MLF_SOURCE_SPAN_ID: *value = mlf_value_text(span->id); break;
  case MLF_SOURCE_SPAN_PARENT: *value = mlf_value_text(span->parent); break;
  case MLF_SOURCE_SPAN_NAME:
    *value = mlf_value_text(mlf_json_text(mlf_json_member(span->node, "name")));
    if (value->type == MLF_NULL) *value = mlf_value_text(""); /* protobuf leaves it out */
    break;
  case MLF_SOURCE_SPAN_STATUS: *value = mlf_value_text(span_status(span->node)); break;
  case MLF_SOURCE_SPAN_MESSAGE: *value = mlf_value_text(span_message(span->node)); break;
  case MLF_SOURCE_SPAN_EXCEPTION: *value = span_exception(set, span->node, column->path); break;
  case MLF_SOURCE_SPAN_JSON: return span_attribute_json(set, attributes, column->path, value);
  case MLF_SOURCE_SPAN_EVENTS: return span_events(set, span->node, value);
  case MLF_SOURCE_SPAN_LINKS: return span_links(set, span->node, value);
  case MLF_SOURCE_SPAN_ATTRIBUTE: return span_attribute(set, attributes, column, value);
  case MLF_SOURCE_SPAN_ATTRIBUTES: {
    sqlite3_str *out = sqlite3_str_new(NULL);
    int rc = span_write_attributes(set, attributes, out);
    return span_finish(set, rc, out, value);
  }
  case MLF_SOURCE_SPAN_TYPE: {
    int rc = span_attribute(set, attributes, column, value);
    if (value->type == MLF_NULL) *value = mlf_value_text("UNKNOWN");
    return rc;
  }
  default: *value = span_measure(span, &set->tree[index], column->source);
  }
  return SQLITE_OK;
}
