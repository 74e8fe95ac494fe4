#include "model/json_reader.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "base/utf8.h"

/* What the grammar allows next. */
enum {
  READER_VALUE,        /* a value */
  READER_VALUE_OR_END, /* after '[' */
  READER_NAME,         /* after ',' in an object */
  READER_NAME_OR_END,  /* after '{' */
  READER_COMMA_OR_END, /* after a value in a container */
  READER_END_OF_TEXT
};

void mlf_json_reader_init(mlf_json_reader *reader, const char *text, size_t length) {
  memset(reader, 0, sizeof(*reader));
  reader->text = text;
  reader->length = length;
  reader->expects = READER_VALUE;
}

/* The next byte, or -1 at the end. */
static int reader_peek(const mlf_json_reader *reader) {
  return reader->at < reader->length ? (unsigned char)reader->text[reader->at] : -1;
}

static int reader_fail(const mlf_json_reader *reader, const char *what, mlf_error *error) {
  if (reader->at >= reader->length) what = "end of text";
  return mlf_error_set(error, SQLITE_ERROR, "not JSON: %s at byte %llu", what,
                       (sqlite3_uint64)reader->at);
}

static void reader_skip_space(mlf_json_reader *reader) {
  const char *at = reader->text + reader->at, *end = reader->text + reader->length;
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
    at++;
  reader->at = (size_t)(at - reader->text);
}

static bool reader_in_object(const mlf_json_reader *reader) {
  int level = reader->depth - 1;
  return (reader->objects[level / 8] >> (level % 8) & 1) != 0;
}

/* What may follow a value that has ended. */
static void reader_after_value(mlf_json_reader *reader) {
  reader->expects = reader->depth > 0 ? READER_COMMA_OR_END : READER_END_OF_TEXT;
}

static int reader_word(mlf_json_reader *reader, const char *word, mlf_error *error) {
  for (; *word; word++, reader->at++)
    if (reader_peek(reader) != *word) return reader_fail(reader, "unknown word", error);
  return SQLITE_OK;
}

/* Steps over digits; false if there is none. */
static bool reader_digits(mlf_json_reader *reader) {
  size_t begin = reader->at;
  int c = reader_peek(reader);
  while (c >= '0' && c <= '9') {
    reader->at++;
    c = reader_peek(reader);
  }
  return reader->at > begin;
}

static int reader_number(mlf_json_reader *reader, mlf_error *error) {
  if (reader_peek(reader) == '-') reader->at++;
  if (reader_peek(reader) == '0') {
    reader->at++;
  } else if (!reader_digits(reader)) {
    return reader_fail(reader, "expected a digit", error);
  }
  if (reader_peek(reader) == '.') {
    reader->at++;
    if (!reader_digits(reader)) return reader_fail(reader, "expected a digit", error);
  }
  if (reader_peek(reader) == 'e' || reader_peek(reader) == 'E') {
    reader->at++;
    if (reader_peek(reader) == '+' || reader_peek(reader) == '-') reader->at++;
    if (!reader_digits(reader)) return reader_fail(reader, "expected a digit", error);
  }
  return SQLITE_OK;
}

int mlf_json_code_unit(const char *text, size_t length) {
  if (length < 6 || text[0] != '\\' || text[1] != 'u') return -1;
  int unit = 0;
  for (size_t i = 2; i < 6; i++) {
    int c = (unsigned char)text[i];
    int letter = c | 0x20;
    if (c >= '0' && c <= '9') {
      unit = unit * 16 + c - '0';
    } else if (letter >= 'a' && letter <= 'f') {
      unit = unit * 16 + letter - 'a' + 10;
    } else {
      return -1;
    }
  }
  return unit;
}

static int reader_escape(mlf_json_reader *reader, mlf_error *error) {
  if (mlf_json_code_unit(reader->text + reader->at, reader->length - reader->at) >= 0) {
    reader->at += 6;
    return SQLITE_OK;
  }
  reader->at++;
  int c = reader_peek(reader);
  if (c == 'u') return reader_fail(reader, "expected four hexadecimal digits", error);
  if (!memchr("\"\\/bfnrt", c, 8)) return reader_fail(reader, "unknown escape", error);
  reader->at++;
  return SQLITE_OK;
}

/* Asks whether to go on, once in MLF_JSON_POLL_BYTES. */
static int reader_poll(mlf_json_reader *reader, mlf_error *error) {
  if (reader->at < reader->poll_at) return SQLITE_OK;
  reader->poll_at = reader->at + MLF_JSON_POLL_BYTES;
  return mlf_interrupt_poll(reader->interrupt, error);
}

/* Steps over what needs no look, visible ASCII and blanks without quote and backslash, but not
** beyond where to ask whether to go on. */
static void reader_skip_ascii(mlf_json_reader *reader) {
  size_t until = reader->length < reader->poll_at ? reader->length : reader->poll_at;
  const unsigned char *at = (const unsigned char *)reader->text + reader->at;
  const unsigned char *end = (const unsigned char *)reader->text + until;
  while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
    at++;
  reader->at = (size_t)((const char *)at - reader->text);
}

static int reader_string(mlf_json_reader *reader, mlf_error *error) {
  reader->at++;
  reader->plain = true;
  for (;;) {
    int rc = reader_poll(reader, error);
    if (rc != SQLITE_OK) return rc;
    reader_skip_ascii(reader);
    int c = reader_peek(reader);
    if (c == '"') break;
    if (c < 0x20) return reader_fail(reader, "control character in a string", error);
    bool valid = true;
    if (c == '\\') {
      rc = reader_escape(reader, error);
      valid = false;
    } else {
      reader->at += mlf_utf8_next(reader->text + reader->at, reader->length - reader->at, &valid);
    }
    if (rc != SQLITE_OK) return rc;
    reader->plain = reader->plain && valid;
  }
  reader->at++;
  return SQLITE_OK;
}

static int reader_open(mlf_json_reader *reader, bool object, mlf_error *error) {
  if (reader->depth == MLF_JSON_DEPTH_MAX)
    return mlf_error_set(error, SQLITE_TOOBIG, "JSON has more than %d levels (MLF_JSON_DEPTH_MAX)",
                         MLF_JSON_DEPTH_MAX);
  int level = reader->depth++;
  unsigned char bit = (unsigned char)(1u << (level % 8));
  unsigned char *byte = &reader->objects[level / 8];
  *byte = (unsigned char)(object ? *byte | bit : *byte & ~bit);
  reader->at++;
  reader->expects = object ? READER_NAME_OR_END : READER_VALUE_OR_END;
  return SQLITE_OK;
}

static void reader_close(mlf_json_reader *reader) {
  reader->at++;
  reader->depth--;
  reader_after_value(reader);
}

static int reader_name(mlf_json_reader *reader, mlf_error *error) {
  if (reader_peek(reader) != '"') return reader_fail(reader, "expected a name", error);
  int rc = reader_string(reader, error);
  if (rc != SQLITE_OK) return rc;
  reader->end = reader->at;
  reader_skip_space(reader);
  if (reader_peek(reader) != ':') return reader_fail(reader, "expected ':'", error);
  reader->at++;
  reader->expects = READER_VALUE;
  return SQLITE_OK;
}

/* A word that stands for a value. */
static int reader_constant(mlf_json_reader *reader, mlf_json_token *token, mlf_error *error) {
  static const struct {
    const char *word;
    mlf_json_token token;
  } words[] = {{"true", MLF_JSON_TOKEN_TRUE},          {"false", MLF_JSON_TOKEN_FALSE},
               {"null", MLF_JSON_TOKEN_NULL},          {"NaN", MLF_JSON_TOKEN_NO_NUMBER},
               {"Infinity", MLF_JSON_TOKEN_NO_NUMBER}, {"-Infinity", MLF_JSON_TOKEN_NO_NUMBER}};
  size_t count = reader->python ? 6 : 3;
  for (size_t i = 0; i < count; i++) {
    if (words[i].word[0] != reader_peek(reader)) continue;
    *token = words[i].token;
    return reader_word(reader, words[i].word, error);
  }
  return reader_fail(reader, "expected a value", error);
}

static int reader_value(mlf_json_reader *reader, mlf_json_token *token, mlf_error *error) {
  int c = reader_peek(reader), rc = SQLITE_OK;
  bool minus_infinity = reader->python && c == '-' && reader->at + 1 < reader->length &&
                        reader->text[reader->at + 1] == 'I';
  switch (c) {
  case '{': *token = MLF_JSON_TOKEN_OBJECT; return reader_open(reader, true, error);
  case '[': *token = MLF_JSON_TOKEN_ARRAY; return reader_open(reader, false, error);
  case '"':
    *token = MLF_JSON_TOKEN_STRING;
    rc = reader_string(reader, error);
    break;
  default:
    if ((c >= '0' && c <= '9') || (c == '-' && !minus_infinity)) {
      *token = MLF_JSON_TOKEN_NUMBER;
      rc = reader_number(reader, error);
    } else {
      rc = reader_constant(reader, token, error);
    }
  }
  reader_after_value(reader);
  return rc;
}

/* Steps over the comma between two values of a container, or to its end. */
static int reader_comma(mlf_json_reader *reader, mlf_error *error) {
  bool object = reader_in_object(reader);
  int c = reader_peek(reader);
  if (c == (object ? '}' : ']')) return SQLITE_OK;
  if (c != ',')
    return reader_fail(reader, object ? "expected ',' or '}'" : "expected ',' or ']'", error);
  reader->at++;
  reader_skip_space(reader);
  reader->expects = object ? READER_NAME : READER_VALUE;
  return SQLITE_OK;
}

/* Whether the innermost container ends here. */
static bool reader_is_at_close(const mlf_json_reader *reader) {
  if (reader->expects != READER_COMMA_OR_END && reader->expects != READER_NAME_OR_END &&
      reader->expects != READER_VALUE_OR_END)
    return false;
  return reader_peek(reader) == (reader_in_object(reader) ? '}' : ']');
}

int mlf_json_reader_next(mlf_json_reader *reader, mlf_json_token *token, mlf_error *error) {
  int rc = reader_poll(reader, error);
  if (rc != SQLITE_OK) return rc;
  reader_skip_space(reader);
  if (reader->expects == READER_COMMA_OR_END) rc = reader_comma(reader, error);
  if (rc != SQLITE_OK) return rc;
  reader->begin = reader->at;
  if (reader->expects == READER_END_OF_TEXT) {
    *token = MLF_JSON_TOKEN_END;
    if (reader->at < reader->length) rc = reader_fail(reader, "text after the document", error);
  } else if (reader_is_at_close(reader)) {
    *token = reader_in_object(reader) ? MLF_JSON_TOKEN_OBJECT_END : MLF_JSON_TOKEN_ARRAY_END;
    reader_close(reader);
  } else if (reader->expects == READER_NAME || reader->expects == READER_NAME_OR_END) {
    *token = MLF_JSON_TOKEN_NAME;
    return reader_name(reader, error);
  } else {
    rc = reader_value(reader, token, error);
  }
  reader->end = reader->at;
  return rc;
}

int mlf_json_reader_skip(mlf_json_reader *reader, mlf_json_token token, mlf_error *error) {
  int rc = SQLITE_OK;
  if (token != MLF_JSON_TOKEN_OBJECT && token != MLF_JSON_TOKEN_ARRAY) return rc;
  int depth = reader->depth - 1;
  while (rc == SQLITE_OK && reader->depth > depth)
    rc = mlf_json_reader_next(reader, &token, error);
  return rc;
}
