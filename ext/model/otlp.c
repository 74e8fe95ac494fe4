#include "model/otlp.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/json_value.h"
#include "model/json_write.h"

const mlf_json_node *mlf_otlp_find(const mlf_json_node *list, const char *key) {
  const mlf_json_node *each = mlf_json_first(list);
  for (; each; each = mlf_json_next(each)) {
    const char *name = mlf_json_text(mlf_json_member(each, "key"));
    if (name && strcmp(name, key) == 0) return mlf_json_member(each, "value");
  }
  return NULL;
}

const mlf_json_node *mlf_otlp_map(const mlf_json_node *value) {
  return mlf_json_member(mlf_json_member(value, "kvlist_value"), "values");
}

bool mlf_otlp_int64(const mlf_json *json, const mlf_json_node *node, int64_t *integer) {
  if (mlf_json_int64(json, node, integer)) return true;
  const char *text = mlf_json_text(node);
  char *end;
  if (!text || !*text) return false;
  errno = 0;
  long long parsed = strtoll(text, &end, 10);
  *integer = parsed;
  return errno == 0 && *end == 0;
}

mlf_value mlf_otlp_scalar(const mlf_json *json, const mlf_json_node *value) {
  const mlf_json_node *each = mlf_json_first(value);
  const char *kind = mlf_json_name(each);
  int64_t integer;
  double real;
  if (!kind) return mlf_value_text(NULL);
  if (strcmp(kind, "int_value") == 0 && mlf_otlp_int64(json, each, &integer))
    return mlf_value_integer(integer);
  if (strcmp(kind, "double_value") == 0 && mlf_json_double(json, each, &real))
    return mlf_value_real(real);
  if (strcmp(kind, "string_value") == 0 || strcmp(kind, "bool_value") == 0)
    return mlf_json_value_scalar(json, each);
  return mlf_value_text(NULL);
}

static void otlp_write_raw(sqlite3_str *out, const mlf_json *json, const mlf_json_node *node) {
  size_t length;
  const char *raw = mlf_json_raw(json, node, &length);
  if (raw) sqlite3_str_append(out, raw, (int)length);
}

void mlf_otlp_write_list(sqlite3_str *out, const mlf_json *json, const mlf_json_node *list) {
  const char *separator = "";
  sqlite3_str_appendchar(out, 1, '{');
  for (const mlf_json_node *each = mlf_json_first(list); each; each = mlf_json_next(each)) {
    const mlf_json_node *key = mlf_json_member(each, "key");
    sqlite3_str_appendall(out, separator);
    if (mlf_json_text(key)) {
      otlp_write_raw(out, json, key);
    } else {
      sqlite3_str_appendall(out, "\"\"");
    }
    sqlite3_str_appendchar(out, 1, ':');
    mlf_otlp_write(out, json, mlf_json_member(each, "value"));
    separator = ",";
  }
  sqlite3_str_appendchar(out, 1, '}');
}

static void otlp_write_array(sqlite3_str *out, const mlf_json *json, const mlf_json_node *array) {
  const char *separator = "";
  const mlf_json_node *each = mlf_json_first(mlf_json_member(array, "values"));
  sqlite3_str_appendchar(out, 1, '[');
  for (; each; each = mlf_json_next(each)) {
    sqlite3_str_appendall(out, separator);
    mlf_otlp_write(out, json, each);
    separator = ",";
  }
  sqlite3_str_appendchar(out, 1, ']');
}

void mlf_otlp_write(sqlite3_str *out, const mlf_json *json, const mlf_json_node *value) {
  const mlf_json_node *each = mlf_json_first(value);
  const char *kind = mlf_json_name(each);
  int64_t integer;
  if (!kind) {
    sqlite3_str_appendall(out, "null");
  } else if (strcmp(kind, "kvlist_value") == 0) {
    mlf_otlp_write_list(out, json, mlf_json_member(each, "values"));
  } else if (strcmp(kind, "array_value") == 0) {
    otlp_write_array(out, json, each);
  } else if (strcmp(kind, "int_value") == 0 && mlf_otlp_int64(json, each, &integer)) {
    sqlite3_str_appendf(out, "%lld", (sqlite3_int64)integer);
  } else if (strcmp(kind, "double_value") == 0 && mlf_json_text(each)) {
    sqlite3_str_appendall(out, "null"); /* "NaN", "Infinity" */
  } else {
    otlp_write_raw(out, json, each);
  }
}
