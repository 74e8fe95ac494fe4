#include "model/json_value.h"

#include "model/json_write.h"

int mlf_json_value_finish(sqlite3_str *text, int rc, mlf_value *value, mlf_error *error) {
  *value = mlf_value_text(NULL);
  int text_rc = sqlite3_str_errcode(text);
  size_t length = (size_t)sqlite3_str_length(text);
  char *bytes = sqlite3_str_finish(text);
  if (rc == SQLITE_OK && text_rc == SQLITE_TOOBIG)
    rc = mlf_error_set(error, text_rc, "a value is larger than SQLite's limit of a text");
  else if (rc == SQLITE_OK && text_rc != SQLITE_OK)
    rc = mlf_error_nomem(error);
  if (rc == SQLITE_OK) {
    *value = mlf_value_take(bytes, length);
  } else {
    sqlite3_free(bytes);
  }
  return rc;
}

typedef int json_value_writer(sqlite3_str *out, mlf_json_reader *reader, mlf_error *error);

static int json_value_write(const mlf_json *json, const mlf_json_node *node, const char *absent,
                            json_value_writer *write, mlf_value *value, mlf_error *error) {
  mlf_json_kind kind = mlf_json_kind_of(json, node);
  *value = mlf_value_text(absent);
  if (kind == MLF_JSON_ABSENT || kind == MLF_JSON_NULL) return SQLITE_OK;
  mlf_json_reader reader;
  mlf_json_read_node(json, node, &reader);
  sqlite3_str *text = sqlite3_str_new(NULL);
  return mlf_json_value_finish(text, write(text, &reader, error), value, error);
}

int mlf_json_value_json(const mlf_json *json, const mlf_json_node *node, const char *absent,
                        mlf_value *value, mlf_error *error) {
  return json_value_write(json, node, absent, mlf_json_write_value, value, error);
}

int mlf_json_value_sorted(const mlf_json *json, const mlf_json_node *node, const char *absent,
                          mlf_value *value, mlf_error *error) {
  return json_value_write(json, node, absent, mlf_json_write_sorted, value, error);
}

int mlf_json_value_write_text(sqlite3_str *out, const mlf_json *json, const mlf_json_node *object,
                              const char *name, mlf_error *error) {
  const char *text;
  mlf_value value;
  int rc = mlf_json_get_text(json, object, name, &text, error);
  if (rc == SQLITE_OK)
    rc = mlf_json_value_json(json, mlf_json_member(object, name), "\"\"", &value, error);
  if (rc != SQLITE_OK) return rc;
  sqlite3_str_append(out, value.text, (int)value.length);
  mlf_value_clear(&value);
  return rc;
}

int mlf_json_value_scalar(const mlf_json *json, const mlf_json_node *node, mlf_value *value,
                          mlf_error *error) {
  int64_t integer;
  double real;
  *value = mlf_value_text(NULL);
  switch (mlf_json_kind_of(json, node)) {
  case MLF_JSON_FALSE: *value = mlf_value_integer(0); break;
  case MLF_JSON_TRUE: *value = mlf_value_integer(1); break;
  case MLF_JSON_STRING: *value = mlf_value_text(mlf_json_text(node)); break;
  case MLF_JSON_INTEGER:
    if (mlf_json_int64(json, node, &integer)) *value = mlf_value_integer(integer);
    break;
  case MLF_JSON_REAL:
    if (mlf_json_double(json, node, &real)) *value = mlf_value_real(real);
    break;
  case MLF_JSON_ARRAY:
  case MLF_JSON_OBJECT: return mlf_json_value_sorted(json, node, NULL, value, error);
  default: break;
  }
  return SQLITE_OK;
}
