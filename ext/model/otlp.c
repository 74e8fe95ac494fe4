#include "model/otlp.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/json_write.h"

/* \uXXXX, the longest form of a character of ASCII. */
#define OTLP_ESCAPE_BYTES 6

/* What a token may be, by where it stands. */
typedef enum otlp_place {
  OTLP_VALUE,    /* {"string_value": …} */
  OTLP_STRING,   /* of string_value and bytes_value, and a key */
  OTLP_BOOLEAN,  /* of bool_value */
  OTLP_INTEGER,  /* of int_value: a number, or a text that holds one */
  OTLP_DOUBLE,   /* of double_value: a number, or "NaN", "Infinity", "-Infinity" */
  OTLP_ARRAY,    /* of array_value: {"values": […]} */
  OTLP_MAP,      /* of kvlist_value: likewise */
  OTLP_ELEMENTS, /* the values of an array */
  OTLP_PAIRS,    /* those of a map */
  OTLP_PAIR,     /* {"key": …, "value": …} */
  OTLP_WHOLE,    /* such a pair whose value was written */
  OTLP_SKIPPED   /* what is no part of the form, or comes a second time */
} otlp_place;

/* An open container: what it is, and whether anything of it was written. */
typedef struct otlp_level {
  unsigned char place;
  bool begun;
} otlp_level;

typedef struct otlp_writer {
  sqlite3_str *out;
  mlf_json_reader reader;
  mlf_json_token token;
  otlp_place next; /* what the next value is */
  int rc;          /* of what was written */
  mlf_error *error;
  otlp_level levels[MLF_JSON_DEPTH_MAX + 1];
} otlp_writer;

/* Whether the name or string that was read is this one, which is of ASCII. */
static bool otlp_is(const otlp_writer *writer, const char *text) {
  const mlf_json_reader *reader = &writer->reader;
  const size_t length = strlen(text);
  if (reader->end - reader->begin > OTLP_ESCAPE_BYTES * length + 2) return false;
  if (reader->plain)
    return reader->end - reader->begin == length + 2 &&
           memcmp(reader->text + reader->begin + 1, text, length) == 0;
  sqlite3_str *decoded = sqlite3_str_new(NULL);
  mlf_json_write_text(decoded, reader, writer->error);
  bool is = (size_t)sqlite3_str_length(decoded) == length &&
            memcmp(sqlite3_str_value(decoded), text, length) == 0;
  sqlite3_free(sqlite3_str_finish(decoded));
  return is;
}

static void otlp_append(otlp_writer *writer, const char *text) {
  sqlite3_str_appendall(writer->out, text);
}

/* The kind of a value that the name says; OTLP_SKIPPED for none that is known. */
static otlp_place otlp_kind(const otlp_writer *writer) {
  static const struct {
    const char *name;
    otlp_place place;
  } kinds[] = {{"string_value", OTLP_STRING}, {"bool_value", OTLP_BOOLEAN},
               {"int_value", OTLP_INTEGER},   {"double_value", OTLP_DOUBLE},
               {"kvlist_value", OTLP_MAP},    {"array_value", OTLP_ARRAY},
               {"bytes_value", OTLP_STRING}};
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    if (otlp_is(writer, kinds[i].name)) return kinds[i].place;
  }
  return OTLP_SKIPPED;
}

/* A member's name was read: decides what its value is. False if that cannot be. */
static bool otlp_take_name(otlp_writer *writer) {
  otlp_level *level = &writer->levels[writer->reader.depth];
  writer->next = OTLP_SKIPPED;
  switch ((otlp_place)level->place) {
  case OTLP_VALUE:
    if (level->begun) return true;
    writer->next = otlp_kind(writer);
    level->begun = true;
    return writer->next != OTLP_SKIPPED;
  case OTLP_ARRAY:
  case OTLP_MAP:
    if (level->begun || !otlp_is(writer, "values")) return true;
    writer->next = level->place == OTLP_MAP ? OTLP_PAIRS : OTLP_ELEMENTS;
    level->begun = true;
    return true;
  case OTLP_PAIR:
    if (otlp_is(writer, "key")) {
      writer->next = OTLP_STRING;
      return !level->begun;
    }
    if (!otlp_is(writer, "value")) return true;
    if (!level->begun) otlp_append(writer, "\"\":"); /* protobuf leaves out what is empty */
    writer->next = OTLP_VALUE;
    level->place = OTLP_WHOLE;
    return true;
  case OTLP_WHOLE: return !otlp_is(writer, "key"); /* which had to be written first */
  default: return true;
  }
}

/* A whole number in a text. JSON has none with zeros before it. */
static bool otlp_take_integer_text(otlp_writer *writer) {
  const mlf_json_reader *reader = &writer->reader;
  const char *text = reader->text + reader->begin + 1;
  size_t length = reader->end - reader->begin - 2, at = length && *text == '-';
  bool negative = at == 1;
  if (length == at) return false;
  for (size_t i = at; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  while (at + 1 < length && text[at] == '0')
    at++;
  if (negative && text[at] != '0') otlp_append(writer, "-");
  sqlite3_str_append(writer->out, text + at, (int)(length - at));
  return true;
}

/* A scalar of the kind that is next. */
static bool otlp_take_scalar(otlp_writer *writer) {
  mlf_json_token token = writer->token;
  bool no_number = token == MLF_JSON_TOKEN_NO_NUMBER || token == MLF_JSON_TOKEN_NULL;
  switch (writer->next) {
  case OTLP_INTEGER:
    if (token == MLF_JSON_TOKEN_STRING) return otlp_take_integer_text(writer);
    if (token != MLF_JSON_TOKEN_NUMBER) return false;
    break;
  case OTLP_DOUBLE:
    if (token == MLF_JSON_TOKEN_STRING)
      no_number =
          otlp_is(writer, "NaN") || otlp_is(writer, "Infinity") || otlp_is(writer, "-Infinity");
    if (no_number) otlp_append(writer, "null");
    if (no_number || token != MLF_JSON_TOKEN_NUMBER) return no_number;
    break;
  case OTLP_BOOLEAN:
    if (token != MLF_JSON_TOKEN_TRUE && token != MLF_JSON_TOKEN_FALSE) return false;
    break;
  default:
    if (token != MLF_JSON_TOKEN_STRING) return false;
  }
  writer->rc = mlf_json_write_token(writer->out, &writer->reader, token, writer->error);
  return true;
}

/* The container that begins is the one that is next, or null stands for it. */
static bool otlp_open(otlp_writer *writer, mlf_json_token wanted) {
  otlp_place place = writer->next;
  bool absent = writer->token == MLF_JSON_TOKEN_NULL && place != OTLP_PAIR;
  if (place == OTLP_VALUE && absent) otlp_append(writer, "null");
  if (place == OTLP_MAP) otlp_append(writer, absent ? "{}" : "{");
  if (place == OTLP_ARRAY) otlp_append(writer, absent ? "[]" : "[");
  if (absent) return true;
  if (writer->token != wanted) return false;
  writer->levels[writer->reader.depth] = (otlp_level){.place = (unsigned char)place};
  return true;
}

/* A container has ended. */
static void otlp_close(otlp_writer *writer) {
  const otlp_level *level = &writer->levels[writer->reader.depth + 1];
  switch ((otlp_place)level->place) {
  case OTLP_VALUE:
    if (!level->begun) otlp_append(writer, "null");
    break;
  case OTLP_ARRAY: otlp_append(writer, "]"); break;
  case OTLP_MAP: otlp_append(writer, "}"); break;
  case OTLP_PAIR: otlp_append(writer, level->begun ? "null" : "\"\":null"); break;
  default: break;
  }
}

/* A value begins; false if it is none that may stand here. */
static bool otlp_take_value(otlp_writer *writer) {
  bool opens = writer->token == MLF_JSON_TOKEN_OBJECT || writer->token == MLF_JSON_TOKEN_ARRAY;
  int depth = writer->reader.depth - opens;
  otlp_place around = depth > 0 ? (otlp_place)writer->levels[depth].place : OTLP_SKIPPED;
  if (around == OTLP_ELEMENTS || around == OTLP_PAIRS) {
    otlp_level *list = &writer->levels[depth];
    if (list->begun) otlp_append(writer, ",");
    list->begun = true;
    writer->next = around == OTLP_PAIRS ? OTLP_PAIR : OTLP_VALUE;
  }
  switch (writer->next) {
  case OTLP_VALUE:
  case OTLP_ARRAY:
  case OTLP_MAP:
  case OTLP_PAIR: return otlp_open(writer, MLF_JSON_TOKEN_OBJECT);
  case OTLP_ELEMENTS:
  case OTLP_PAIRS: return otlp_open(writer, MLF_JSON_TOKEN_ARRAY);
  case OTLP_SKIPPED: return true; /* the caller steps over it */
  default: break;
  }
  bool taken = otlp_take_scalar(writer);
  if (around == OTLP_PAIR) { /* the key */
    otlp_append(writer, ":");
    writer->levels[depth].begun = true;
  }
  return taken;
}

/* Reads to the end what the reader is at, a value or the pairs of a map. */
static int otlp_run(otlp_writer *writer, bool *wrong, mlf_error *error) {
  for (;;) {
    int rc = mlf_json_reader_next(&writer->reader, &writer->token, error);
    if (rc != SQLITE_OK || writer->token == MLF_JSON_TOKEN_END) return rc;
    switch (writer->token) {
    case MLF_JSON_TOKEN_NAME: *wrong = !otlp_take_name(writer); break;
    case MLF_JSON_TOKEN_OBJECT_END:
    case MLF_JSON_TOKEN_ARRAY_END: otlp_close(writer); break;
    default:
      *wrong = !otlp_take_value(writer);
      rc = writer->rc;
      if (rc == SQLITE_OK && writer->next == OTLP_SKIPPED)
        rc = mlf_json_reader_skip(&writer->reader, writer->token, error);
    }
    if (rc != SQLITE_OK || *wrong) return rc;
  }
}

static int otlp_write(sqlite3_str *out, const mlf_json *json, const mlf_json_node *node,
                      otlp_place place, const char *wanted, mlf_error *error) {
  bool wrong = false;
  otlp_writer *writer = sqlite3_malloc64(sizeof(*writer));
  if (!writer) return mlf_error_nomem(error);
  writer->out = out;
  writer->next = place;
  writer->rc = SQLITE_OK;
  writer->error = error;
  mlf_json_read_node(json, node, &writer->reader);
  int rc = otlp_run(writer, &wrong, error);
  sqlite3_free(writer);
  if (rc == SQLITE_OK && wrong) rc = mlf_json_misshapen(json, node, wanted, error);
  return rc;
}

int mlf_otlp_write_value(sqlite3_str *out, const mlf_json *json, const mlf_json_node *value,
                         mlf_error *error) {
  if (!value) {
    sqlite3_str_appendall(out, "null");
    return SQLITE_OK;
  }
  return otlp_write(out, json, value, OTLP_VALUE, "a value in OpenTelemetry's form", error);
}

int mlf_otlp_write_list(sqlite3_str *out, const mlf_json *json, const mlf_json_node *list,
                        mlf_error *error) {
  int rc = SQLITE_OK;
  sqlite3_str_appendchar(out, 1, '{');
  if (list)
    rc = otlp_write(out, json, list, OTLP_PAIRS,
                    "a list of keys and values in OpenTelemetry's form", error);
  sqlite3_str_appendchar(out, 1, '}');
  return rc;
}

int mlf_otlp_find(const mlf_json *json, const mlf_json_node *list, const char *key,
                  const mlf_json_node **value, mlf_error *error) {
  const mlf_json_node *each = mlf_json_first(list);
  *value = NULL;
  for (; each; each = mlf_json_next(each)) {
    const char *name;
    int rc = mlf_json_want_object(json, each, error);
    if (rc == SQLITE_OK) rc = mlf_json_get_text(json, each, "key", &name, error);
    if (rc != SQLITE_OK) return rc;
    if (!name || strcmp(name, key) != 0) continue;
    return mlf_json_get_object(json, each, "value", value, error);
  }
  return SQLITE_OK;
}

bool mlf_otlp_int64(const mlf_json *json, const mlf_json_node *node, int64_t *integer) {
  double real;
  if (mlf_json_int64(json, node, integer)) return true;
  if (mlf_json_double(json, node, &real)) {
    if (!(fabs(real) < 9.2e18)) return false;
    *integer = (int64_t)real;
    return true;
  }
  const char *text = mlf_json_text(node);
  char *end;
  if (!text || !*text) return false;
  errno = 0;
  long long parsed = strtoll(text, &end, 10);
  *integer = parsed;
  return errno == 0 && *end == 0;
}
