#include "model/span_value.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "model/json_value.h"
#include "model/json_write.h"
#include "model/otlp.h"
#include "model/span_id.h"

int mlf_span_time(const mlf_json *json, const mlf_json_node *holder, const char *name,
                  const char *old_name, int64_t *ns, mlf_error *error) {
  const mlf_json_node *node = mlf_json_member(holder, name);
  if (mlf_json_kind_of(json, node) <= MLF_JSON_NULL) node = mlf_json_member(holder, old_name);
  *ns = 0;
  if (mlf_json_kind_of(json, node) <= MLF_JSON_NULL || mlf_otlp_int64(json, node, ns))
    return SQLITE_OK;
  return mlf_json_misshapen(json, node, "a time in nanoseconds", error);
}

/* Whether a text is JSON as Python writes it: `*is` is left alone unless the result is
** SQLITE_OK. */
static int span_is_json(mlf_json_reader reader, bool *is, mlf_error *error) {
  mlf_json_token token = MLF_JSON_TOKEN_NULL;
  mlf_error refused = {0};
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && token != MLF_JSON_TOKEN_END)
    rc = mlf_json_reader_next(&reader, &token, &refused);
  *is = rc == SQLITE_OK;
  if (rc != SQLITE_OK && rc != SQLITE_ERROR) return mlf_error_move(error, &refused);
  mlf_error_clear(&refused);
  return SQLITE_OK;
}

/* Appends what the string that `reader` has just read holds, if that is JSON as Python writes it;
** else the string itself. Python has None for an empty one. */
static int span_write_file_text(sqlite3_str *out, const mlf_json_reader *reader, mlf_error *error) {
  bool is_json = false;
  sqlite3_str *text = sqlite3_str_new(NULL);
  int rc = mlf_json_write_text(text, reader, error);
  if (rc == SQLITE_OK && sqlite3_str_length(text) == 0) sqlite3_str_appendall(text, "null");
  if (rc == SQLITE_OK && sqlite3_str_errcode(text) != SQLITE_OK) rc = mlf_error_nomem(error);
  mlf_json_reader inner;
  mlf_json_reader_init(&inner, sqlite3_str_value(text), (size_t)sqlite3_str_length(text));
  inner.python = true;
  inner.interrupt = reader->interrupt;
  if (rc == SQLITE_OK) rc = span_is_json(inner, &is_json, error);
  if (rc == SQLITE_OK && is_json) rc = mlf_json_write_value(out, &inner, error);
  if (rc == SQLITE_OK && !is_json)
    rc = mlf_json_write_token(out, reader, MLF_JSON_TOKEN_STRING, error);
  sqlite3_free(sqlite3_str_finish(text));
  return rc;
}

/* Appends an attribute's value in a file, which `reader` has begun to read. */
static int span_write_file_value(sqlite3_str *out, mlf_json_reader *reader, mlf_json_token token,
                                 mlf_error *error) {
  if (token == MLF_JSON_TOKEN_STRING) return span_write_file_text(out, reader, error);
  size_t begin = reader->begin;
  int rc = mlf_json_reader_skip(reader, token, error);
  if (rc != SQLITE_OK) return rc;
  mlf_json_reader value;
  mlf_json_reader_init(&value, reader->text + begin, reader->at - begin);
  value.python = reader->python;
  value.interrupt = reader->interrupt;
  return mlf_json_write_value(out, &value, error);
}

/* Appends the attributes of a file: an object of texts that hold JSON. */
static int span_write_file_attributes(sqlite3_str *out, const mlf_json *json,
                                      const mlf_json_node *attributes, mlf_error *error) {
  mlf_json_reader reader;
  mlf_json_token token;
  const char *separator = "";
  mlf_json_read_node(json, attributes, &reader);
  sqlite3_str_appendchar(out, 1, '{');
  int rc = mlf_json_reader_next(&reader, &token, error);
  while (rc == SQLITE_OK) {
    rc = mlf_json_reader_next(&reader, &token, error);
    if (rc != SQLITE_OK || token != MLF_JSON_TOKEN_NAME) break;
    sqlite3_str_appendall(out, separator);
    rc = mlf_json_write_token(out, &reader, token, error);
    sqlite3_str_appendchar(out, 1, ':');
    if (rc == SQLITE_OK) rc = mlf_json_reader_next(&reader, &token, error);
    if (rc == SQLITE_OK) rc = span_write_file_value(out, &reader, token, error);
    separator = ",";
  }
  sqlite3_str_appendchar(out, 1, '}');
  return rc;
}

/* The attributes of a span or an event are a list, in OpenTelemetry's form, or an object. */
static int span_attributes(const mlf_json *json, const mlf_json_node *holder, bool *is_list,
                           const mlf_json_node **attributes, mlf_error *error) {
  *attributes = mlf_json_member(holder, "attributes");
  mlf_json_kind kind = mlf_json_kind_of(json, *attributes);
  *is_list = kind == MLF_JSON_ARRAY;
  if (kind == MLF_JSON_NULL) *attributes = NULL;
  if (kind == MLF_JSON_ARRAY || kind == MLF_JSON_OBJECT || !*attributes) return SQLITE_OK;
  return mlf_json_misshapen(json, *attributes, "an object or an array", error);
}

/* Appends the attributes of a span. */
static int span_write_attributes(sqlite3_str *out, const mlf_json *json, mlf_error *error) {
  const mlf_json_node *attributes;
  bool is_list;
  int rc = span_attributes(json, mlf_json_root(json), &is_list, &attributes, error);
  if (rc != SQLITE_OK) return rc;
  if (is_list || !attributes) return mlf_otlp_write_list(out, json, attributes, error);
  return span_write_file_attributes(out, json, attributes, error);
}

/* Appends the value of an attribute of a file. */
static int span_write_file_member(sqlite3_str *out, const mlf_json *json, const mlf_json_node *node,
                                  mlf_error *error) {
  mlf_json_reader reader;
  mlf_json_token token;
  mlf_json_read_node(json, node, &reader);
  int rc = mlf_json_reader_next(&reader, &token, error);
  return rc == SQLITE_OK ? span_write_file_value(out, &reader, token, error) : rc;
}

/* An attribute of a span as JSON; NULL if it has none of this key. The client has None for one that
** is null and for one that is not there. */
static int span_attribute_json(const mlf_json *json, const char *key, mlf_value *value,
                               mlf_error *error) {
  const mlf_json_node *attributes, *node = NULL;
  bool is_list;
  *value = mlf_value_text(NULL);
  int rc = span_attributes(json, mlf_json_root(json), &is_list, &attributes, error);
  if (rc != SQLITE_OK) return rc;
  if (is_list) {
    rc = mlf_otlp_find(json, attributes, key, &node, error);
  } else {
    node = mlf_json_member(attributes, key);
  }
  if (rc != SQLITE_OK || !node) return rc;
  sqlite3_str *out = sqlite3_str_new(NULL);
  rc = is_list ? mlf_otlp_write_value(out, json, node, error)
               : span_write_file_member(out, json, node, error);
  rc = mlf_json_value_finish(out, rc, value, error);
  if (value->type == MLF_TEXT && strcmp(value->text, "null") == 0) mlf_value_clear(value);
  return rc;
}

/* A member of the JSON in `value`, or if `item` is NULL all of it, in place of that text. */
static int span_scalar(const char *item, mlf_value *value, mlf_error *error) {
  mlf_json *json;
  mlf_value text = *value;
  bool whole = text.type == MLF_NULL || (!item && (*text.text == '{' || *text.text == '['));
  if (whole) return SQLITE_OK;
  *value = mlf_value_text(NULL);
  int rc = mlf_json_parse(text.text, text.length, (mlf_json_options){.levels = 1}, &json, error);
  mlf_value_clear(&text);
  if (rc != SQLITE_OK) return rc;
  const mlf_json_node *node = mlf_json_root(json);
  rc = mlf_json_value_scalar(json, item ? mlf_json_member(node, item) : node, value, error);
  if (rc == SQLITE_OK && mlf_value_own(value) != SQLITE_OK) {
    *value = mlf_value_text(NULL);
    rc = mlf_error_nomem(error);
  }
  mlf_json_free(json);
  return rc;
}

/* An attribute, or a member of it, as an SQL value. Members are tokens and costs: numbers, as in
** the metadata of a trace, or nothing. */
static int span_attribute(const mlf_json *json, const mlf_column *column, mlf_value *value,
                          mlf_error *error) {
  int rc = span_attribute_json(json, column->path, value, error);
  if (rc == SQLITE_OK) rc = span_scalar(column->item, value, error);
  if (column->item && value->type == MLF_TEXT) mlf_value_clear(value);
  return rc;
}

/* The attributes of an event or a link: those of a file are plain JSON. */
static int span_plain_attributes(const mlf_json *json, const mlf_json_node *holder,
                                 mlf_value *value, mlf_error *error) {
  const mlf_json_node *attributes;
  bool is_list;
  int rc = span_attributes(json, holder, &is_list, &attributes, error);
  if (rc != SQLITE_OK) return rc;
  if (!is_list) return mlf_json_value_json(json, attributes, "{}", value, error);
  sqlite3_str *out = sqlite3_str_new(NULL);
  return mlf_json_value_finish(out, mlf_otlp_write_list(out, json, attributes, error), value,
                               error);
}

/* An attribute of the last event that is an exception. */
static int span_exception(const mlf_json *json, const char *key, mlf_value *value,
                          mlf_error *error) {
  const mlf_json_node *events, *last = NULL;
  *value = mlf_value_text(NULL);
  int rc = mlf_json_get_array(json, mlf_json_root(json), "events", &events, error);
  const mlf_json_node *each = mlf_json_first(events);
  for (; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
    const char *name;
    if (mlf_json_kind_of(json, each) == MLF_JSON_NULL) continue;
    rc = mlf_json_want_object(json, each, error);
    if (rc == SQLITE_OK) rc = mlf_json_get_text(json, each, "name", &name, error);
    if (rc == SQLITE_OK && name && strcmp(name, "exception") == 0) last = each;
  }
  if (rc != SQLITE_OK || !last) return rc;
  rc = span_plain_attributes(json, last, value, error);
  if (rc == SQLITE_OK && value->type == MLF_TEXT && !value->owned && mlf_value_own(value))
    rc = mlf_error_nomem(error);
  return rc == SQLITE_OK ? span_scalar(key, value, error) : rc;
}

static int span_write_plain_attributes(sqlite3_str *out, const mlf_json *json,
                                       const mlf_json_node *holder, mlf_error *error) {
  mlf_value value;
  int rc = span_plain_attributes(json, holder, &value, error);
  if (rc != SQLITE_OK) return rc;
  sqlite3_str_append(out, value.text, (int)value.length);
  mlf_value_clear(&value);
  return rc;
}

static int span_write_event(sqlite3_str *out, const mlf_json *json, const mlf_json_node *event,
                            mlf_error *error) {
  int64_t time_ns = 0;
  sqlite3_str_appendall(out, "{\"name\":");
  int rc = mlf_json_value_write_text(out, json, event, "name", error);
  if (rc == SQLITE_OK)
    rc = mlf_span_time(json, event, "time_unix_nano", "timestamp", &time_ns, error);
  sqlite3_str_appendf(out, ",\"timestamp\":%lld,\"attributes\":", (sqlite3_int64)time_ns);
  if (rc == SQLITE_OK) rc = span_write_plain_attributes(out, json, event, error);
  sqlite3_str_appendchar(out, 1, '}');
  return rc;
}

/* Appends an id of a link: base64 as hex after `prefix`, any other text as it is. */
static int span_write_link_id(sqlite3_str *out, const mlf_json *json, const mlf_json_node *link,
                              const char *name, size_t bytes, const char *prefix,
                              mlf_error *error) {
  const char *text;
  char hex[2 * MLF_TRACE_ID_BYTES + 1];
  int rc = mlf_json_get_text(json, link, name, &text, error);
  if (rc != SQLITE_OK) return rc;
  if (!text || !mlf_span_id_from_base64(text, bytes, hex))
    return mlf_json_value_write_text(out, json, link, name, error);
  sqlite3_str_appendf(out, "\"%s%s\"", prefix, hex);
  return rc;
}

static int span_write_link(sqlite3_str *out, const mlf_json *json, const mlf_json_node *link,
                           mlf_error *error) {
  sqlite3_str_appendall(out, "{\"trace_id\":");
  int rc = span_write_link_id(out, json, link, "trace_id", MLF_TRACE_ID_BYTES, "tr-", error);
  sqlite3_str_appendall(out, ",\"span_id\":");
  if (rc == SQLITE_OK)
    rc = span_write_link_id(out, json, link, "span_id", MLF_SPAN_ID_BYTES, "", error);
  sqlite3_str_appendall(out, ",\"attributes\":");
  if (rc == SQLITE_OK) rc = span_write_plain_attributes(out, json, link, error);
  sqlite3_str_appendchar(out, 1, '}');
  return rc;
}

/* The events or links of a span, as JSON. */
static int span_list(const mlf_json *json, const char *name,
                     int (*write)(sqlite3_str *, const mlf_json *, const mlf_json_node *,
                                  mlf_error *),
                     mlf_value *value, mlf_error *error) {
  const mlf_json_node *list;
  const char *separator = "[";
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = mlf_json_get_array(json, mlf_json_root(json), name, &list, error);
  const mlf_json_node *each = mlf_json_first(list);
  for (; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
    if (mlf_json_kind_of(json, each) == MLF_JSON_NULL) continue;
    sqlite3_str_appendall(out, separator);
    rc = mlf_json_want_object(json, each, error);
    if (rc == SQLITE_OK) rc = write(out, json, each, error);
    separator = ",";
  }
  sqlite3_str_appendall(out, *separator == '[' ? "[]" : "]");
  return mlf_json_value_finish(out, rc, value, error);
}

/* A member of the status, by its name there or in MLflow 2's form; NULL if there is none. */
static int span_status(const mlf_json *json, const char *name, const char *old_name,
                       const char **text, mlf_error *error) {
  const mlf_json_node *root = mlf_json_root(json), *status;
  int rc = mlf_json_get_object(json, root, "status", &status, error);
  if (rc != SQLITE_OK) return rc;
  return status ? mlf_json_get_text(json, status, name, text, error)
                : mlf_json_get_text(json, root, old_name, text, error);
}

/* OK, ERROR or UNSET. */
static int span_status_code(const mlf_json *json, mlf_value *value, mlf_error *error) {
  static const char prefix[] = "STATUS_CODE_";
  const char *code;
  int rc = span_status(json, "code", "status_code", &code, error);
  if (rc != SQLITE_OK) return rc;
  if (!code) code = "UNSET";
  if (strncmp(code, prefix, sizeof(prefix) - 1) == 0) code += sizeof(prefix) - 1;
  *value = mlf_value_text(code);
  return rc;
}

/* The client drops what others say of a span that did not fail. */
static int span_message(const mlf_json *json, mlf_value *value, mlf_error *error) {
  mlf_value code;
  const char *text = NULL;
  int rc = span_status_code(json, &code, error);
  if (rc == SQLITE_OK) rc = span_status(json, "message", "status_message", &text, error);
  bool said = rc == SQLITE_OK && text && *text && strcmp(code.text, "ERROR") == 0;
  *value = mlf_value_text(said ? text : NULL);
  return rc;
}

int mlf_span_value(const mlf_json *json, const mlf_column *column, mlf_value *value,
                   mlf_error *error) {
  const char *text = NULL;
  int rc = SQLITE_OK;
  *value = mlf_value_text(NULL);
  switch (column->source) {
  case MLF_SOURCE_SPAN_NAME:
    rc = mlf_json_get_text(json, mlf_json_root(json), "name", &text, error);
    *value = mlf_value_text(text ? text : ""); /* protobuf leaves an empty one out */
    break;
  case MLF_SOURCE_SPAN_STATUS: return span_status_code(json, value, error);
  case MLF_SOURCE_SPAN_MESSAGE: return span_message(json, value, error);
  case MLF_SOURCE_SPAN_EXCEPTION: return span_exception(json, column->path, value, error);
  case MLF_SOURCE_SPAN_JSON: return span_attribute_json(json, column->path, value, error);
  case MLF_SOURCE_SPAN_EVENTS: return span_list(json, "events", span_write_event, value, error);
  case MLF_SOURCE_SPAN_LINKS: return span_list(json, "links", span_write_link, value, error);
  case MLF_SOURCE_SPAN_ATTRIBUTE: return span_attribute(json, column, value, error);
  case MLF_SOURCE_SPAN_TYPE:
    rc = span_attribute(json, column, value, error);
    if (rc == SQLITE_OK && value->type == MLF_NULL) *value = mlf_value_text("UNKNOWN");
    break;
  default: {
    sqlite3_str *out = sqlite3_str_new(NULL);
    return mlf_json_value_finish(out, span_write_attributes(out, json, error), value, error);
  }
  }
  return rc;
}
