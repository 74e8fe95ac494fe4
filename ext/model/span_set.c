#include "model/span_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"
#include "model/json_check.h"
#include "model/json_value.h"
#include "model/json_write.h"
#include "model/otlp.h"
#include "model/span_tree.h"

#define SPAN_ID_BYTES  8
#define TRACE_ID_BYTES 16

typedef struct span_entry {
  const mlf_json_node *node;
  size_t sent; /* its place among those sent */
  int64_t start_ns;
  int64_t end_ns; /* as sent; 0 if it has not ended */
  const char *id; /* in `id_hex`, or as sent */
  const char *parent;
  char id_hex[2 * SPAN_ID_BYTES + 1];
  char parent_hex[2 * SPAN_ID_BYTES + 1];
} span_entry;

struct mlf_span_set {
  const mlf_json *json;
  span_entry *spans;
  mlf_span_node *tree; /* of each span */
  size_t count;
  char *text;      /* of the value given last */
  mlf_json *inner; /* likewise */
};

/* The value of a base64 digit, or -1. */
static int span_base64_digit(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *found = c ? strchr(digits, c) : NULL;
  return found ? (int)(found - digits) : -1;
}

/* An id of `bytes` bytes as lower-case hex: from base64 into `hex`, or as it was sent, without 0x.
 */
static const char *span_id(const char *sent, size_t bytes, char *hex) {
  static const char digits[] = "0123456789abcdef";
  size_t length = (bytes + 2) / 3 * 4;
  unsigned bits = 0, bit_count = 0;
  size_t written = 0;
  if (!sent || !*sent) return NULL;
  if (strlen(sent) != length || sent[length - 1] != '=')
    return strncmp(sent, "0x", 2) == 0 ? sent + 2 : sent;
  for (size_t i = 0; i < length && written < 2 * bytes; i++) {
    int digit = span_base64_digit(sent[i]);
    if (digit < 0) return sent;
    bits = (bits << 6) | (unsigned)digit;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    hex[written++] = digits[(bits >> (bit_count + 4)) & 15];
    hex[written++] = digits[(bits >> bit_count) & 15];
  }
  hex[written] = 0;
  return hex;
}

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

/* Finds the spans and puts them in order. */
static int span_set_collect(mlf_span_set *set, const mlf_json_node *spans, mlf_error *error) {
  const mlf_json_node *each = mlf_json_first(spans);
  for (; each; each = mlf_json_next(each), set->count++) {
    span_entry *span = &set->spans[set->count];
    span->node = each;
    span->sent = set->count;
    if (!span_sent_id(each) ||
        !mlf_otlp_int64(set->json, span_either(each, "start_time_unix_nano", "start_time"),
                        &span->start_ns)) {
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

/* Reads ids and ends, and measures the tree. One whose parent is not here is a root. */
static int span_set_build(mlf_span_set *set, mlf_error *error) {
  const span_entry **by_id = sqlite3_malloc64((set->count + 1) * sizeof(*by_id));
  if (!by_id) return mlf_error_nomem(error);
  for (size_t i = 0; i < set->count; i++) {
    span_entry *span = &set->spans[i];
    span->id = span_id(span_sent_id(span->node), SPAN_ID_BYTES, span->id_hex);
    span->parent = span_id(mlf_json_text(span_either(span->node, "parent_span_id", "parent_id")),
                           SPAN_ID_BYTES, span->parent_hex);
    mlf_otlp_int64(set->json, span_either(span->node, "end_time_unix_nano", "end_time"),
                   &span->end_ns);
    by_id[i] = span;
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
  set->json = json;
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

/* What an attribute in a file holds, as JSON: JSON in a text, or any other text. */
static int span_write_file_value(sqlite3_str *out, const mlf_json *json,
                                 const mlf_json_node *node) {
  mlf_json_check check = {0};
  mlf_error ignored = {0};
  const char *text = mlf_json_text(node);
  mlf_value raw = mlf_json_value_raw(json, node, "null");
  size_t length = text ? strlen(text) : 0;
  int rc = length > 0 ? mlf_json_check_run(text, length, &check, &ignored) : SQLITE_OK;
  if (!text) {
    sqlite3_str_append(out, raw.text, (int)raw.length);
  } else if (length == 0) {
    sqlite3_str_appendall(out, "null"); /* as Python has it */
  } else if (rc == SQLITE_OK) {
    sqlite3_str_append(out, text, (int)length);
  } else {
    mlf_json_write_text(out, text, length);
  }
  mlf_json_check_clear(&check);
  mlf_error_clear(&ignored);
  return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
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
  int rc = SQLITE_OK;
  const char *separator = "";
  sqlite3_str_appendchar(out, 1, '[');
  const mlf_json_node *each = mlf_json_first(mlf_json_member(span, "links"));
  for (; each; each = mlf_json_next(each)) {
    char trace_hex[2 * TRACE_ID_BYTES + 1], span_hex[2 * SPAN_ID_BYTES + 1];
    const char *trace =
        span_id(mlf_json_text(mlf_json_member(each, "trace_id")), TRACE_ID_BYTES, trace_hex);
    const char *id =
        span_id(mlf_json_text(mlf_json_member(each, "span_id")), SPAN_ID_BYTES, span_hex);
    char *trace_id = sqlite3_mprintf("%s%s", trace == trace_hex ? "tr-" : "", trace ? trace : "");
    sqlite3_str_appendf(out, "%s{\"trace_id\":", separator);
    mlf_json_write_text(out, trace_id ? trace_id : "", trace_id ? strlen(trace_id) : 0);
    sqlite3_str_appendall(out, ",\"span_id\":");
    mlf_json_write_text(out, id ? id : "", id ? strlen(id) : 0);
    sqlite3_str_appendall(out, ",\"attributes\":");
    span_write_plain(set, mlf_json_member(each, "attributes"), out);
    sqlite3_str_appendchar(out, 1, '}');
    if (!trace_id) rc = SQLITE_NOMEM;
    sqlite3_free(trace_id);
    separator = ",";
  }
  sqlite3_str_appendchar(out, 1, ']');
  return span_finish(set, rc, out, value);
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
