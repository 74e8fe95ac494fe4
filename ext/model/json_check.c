#include "model/json_check.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/sqlite_api.h"
#include "base/utf8.h"

/* cJSON as released reads a number through a buffer of 64 bytes (some packages mend that). */
#define JSON_CHECK_PLAIN_NUMBER_MAX 63

typedef struct json_scanner {
  const char *text;
  size_t length;
  size_t at;         /* the next byte to be read */
  size_t plain_from; /* text before this is in the plain form already */
  size_t value_capacity;
  mlf_json_check *check;
  mlf_error *error;
} json_scanner;

static int json_check_value(json_scanner *scanner, int depth);

/* The next byte, or -1 at the end. */
static int json_check_peek(const json_scanner *scanner) {
  return scanner->at < scanner->length ? (unsigned char)scanner->text[scanner->at] : -1;
}

static int json_check_fail(json_scanner *scanner, const char *what) {
  if (scanner->at == scanner->length) what = "end of text";
  return mlf_error_set(scanner->error, SQLITE_ERROR, "not JSON: %s at byte %llu", what,
                       (sqlite3_uint64)scanner->at);
}

/* Puts `with` in the place of the text from `begin` to here, in the plain form. */
static int json_check_replace(json_scanner *scanner, size_t begin, const char *with) {
  mlf_buffer *plain = &scanner->check->plain;
  const char *from = scanner->text + scanner->plain_from;
  int rc = mlf_buffer_append(plain, from, begin - scanner->plain_from);
  if (rc == SQLITE_OK) rc = mlf_buffer_append(plain, with, strlen(with));
  scanner->plain_from = scanner->at;
  return rc == SQLITE_OK ? SQLITE_OK : mlf_error_nomem(scanner->error);
}

static void json_check_space(json_scanner *scanner) {
  int c = json_check_peek(scanner);
  while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
    scanner->at++;
    c = json_check_peek(scanner);
  }
}

static int json_check_word(json_scanner *scanner, const char *word) {
  for (; *word; word++, scanner->at++)
    if (json_check_peek(scanner) != *word) return json_check_fail(scanner, "unknown word");
  return SQLITE_OK;
}

/* Steps over digits; false if there is none. */
static bool json_check_digits(json_scanner *scanner) {
  size_t begin = scanner->at;
  int c = json_check_peek(scanner);
  while (c >= '0' && c <= '9') {
    scanner->at++;
    c = json_check_peek(scanner);
  }
  return scanner->at > begin;
}

static int json_check_number(json_scanner *scanner) {
  size_t begin = scanner->at;
  bool integer = true;
  if (json_check_peek(scanner) == '-') scanner->at++;
  if (json_check_peek(scanner) == '0') {
    scanner->at++;
  } else if (!json_check_digits(scanner)) {
    return json_check_fail(scanner, "expected a digit");
  }
  if (json_check_peek(scanner) == '.') {
    integer = false;
    scanner->at++;
    if (!json_check_digits(scanner)) return json_check_fail(scanner, "expected a digit");
  }
  if (json_check_peek(scanner) == 'e' || json_check_peek(scanner) == 'E') {
    integer = false;
    scanner->at++;
    if (json_check_peek(scanner) == '+' || json_check_peek(scanner) == '-') scanner->at++;
    if (!json_check_digits(scanner)) return json_check_fail(scanner, "expected a digit");
  }
  if (integer && scanner->at - begin <= JSON_CHECK_PLAIN_NUMBER_MAX) return SQLITE_OK;
  return json_check_replace(scanner, begin, "0");
}

/* The code unit of an escape \uXXXX at `begin`, or -1 if there is none. */
static int json_check_code_unit(const json_scanner *scanner, size_t begin) {
  if (scanner->length - begin < 6 || memcmp(scanner->text + begin, "\\u", 2) != 0) return -1;
  int unit = 0;
  for (size_t i = begin + 2; i < begin + 6; i++) {
    int c = (unsigned char)scanner->text[i];
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

/* One escape, or the two of a surrogate pair. */
static int json_check_escape(json_scanner *scanner) {
  size_t begin = scanner->at;
  int unit = json_check_code_unit(scanner, begin);
  if (unit < 0) {
    scanner->at++;
    int c = json_check_peek(scanner);
    if (c == 'u') return json_check_fail(scanner, "expected four hexadecimal digits");
    if (!memchr("\"\\/bfnrt", c, 8)) return json_check_fail(scanner, "unknown escape");
    scanner->at++;
    return SQLITE_OK;
  }
  scanner->at += 6;
  bool surrogate = unit >= 0xd800 && unit <= 0xdfff;
  if (surrogate && unit <= 0xdbff) {
    int low = json_check_code_unit(scanner, scanner->at);
    if (low >= 0xdc00 && low <= 0xdfff) {
      scanner->at += 6;
      return SQLITE_OK;
    }
  }
  return surrogate || unit == 0 ? json_check_replace(scanner, begin, "\\ufffd") : SQLITE_OK;
}

/* A character outside ASCII, or bytes that are none. */
static int json_check_character(json_scanner *scanner) {
  size_t begin = scanner->at;
  bool valid;
  scanner->at += mlf_utf8_next(scanner->text + begin, scanner->length - begin, &valid);
  return valid ? SQLITE_OK : json_check_replace(scanner, begin, "\xef\xbf\xbd");
}

static int json_check_string(json_scanner *scanner) {
  size_t begin = ++scanner->at;
  int c = json_check_peek(scanner);
  while (c != '"') {
    int rc = SQLITE_OK;
    if (c < 0x20) {
      rc = json_check_fail(scanner, "control character in a string");
    } else if (c == '\\') {
      rc = json_check_escape(scanner);
    } else if (c >= 0x80) {
      rc = json_check_character(scanner);
    } else {
      scanner->at++;
    }
    if (rc != SQLITE_OK) return rc;
    c = json_check_peek(scanner);
  }
  if (scanner->at - begin > MLF_JSON_STRING_BYTES_MAX)
    return mlf_error_set(scanner->error, SQLITE_TOOBIG,
                         "a JSON string has more than %d bytes (MLF_JSON_STRING_BYTES_MAX)",
                         MLF_JSON_STRING_BYTES_MAX);
  scanner->at++;
  return SQLITE_OK;
}

static int json_check_name(json_scanner *scanner) {
  if (json_check_peek(scanner) != '"') return json_check_fail(scanner, "expected a name");
  int rc = json_check_string(scanner);
  if (rc != SQLITE_OK) return rc;
  json_check_space(scanner);
  if (json_check_peek(scanner) != ':') return json_check_fail(scanner, "expected ':'");
  scanner->at++;
  json_check_space(scanner);
  return SQLITE_OK;
}

/* An array or object, which are alike but for the names. */
static int json_check_container(json_scanner *scanner, bool named, int depth) {
  if (depth > MLF_JSON_DEPTH_MAX)
    return mlf_error_set(scanner->error, SQLITE_TOOBIG,
                         "JSON has more than %d levels (MLF_JSON_DEPTH_MAX)", MLF_JSON_DEPTH_MAX);
  int close = named ? '}' : ']';
  scanner->at++;
  json_check_space(scanner);
  if (json_check_peek(scanner) == close) {
    scanner->at++;
    return SQLITE_OK;
  }
  for (;;) {
    int rc = named ? json_check_name(scanner) : SQLITE_OK;
    if (rc == SQLITE_OK) rc = json_check_value(scanner, depth);
    if (rc != SQLITE_OK) return rc;
    json_check_space(scanner);
    int c = json_check_peek(scanner);
    if (c != ',' && c != close)
      return json_check_fail(scanner, named ? "expected ',' or '}'" : "expected ',' or ']'");
    scanner->at++;
    if (c == close) return SQLITE_OK;
    json_check_space(scanner);
  }
}

/* Makes room for the record of one more value. */
static int json_check_reserve(json_scanner *scanner) {
  mlf_json_check *check = scanner->check;
  if (check->value_count == MLF_JSON_NODES_MAX)
    return mlf_error_set(scanner->error, SQLITE_TOOBIG,
                         "JSON has more than %d values (MLF_JSON_NODES_MAX)", MLF_JSON_NODES_MAX);
  if (check->value_count < scanner->value_capacity) return SQLITE_OK;
  size_t capacity = scanner->value_capacity ? scanner->value_capacity * 2 : 64;
  mlf_json_extent *grown = sqlite3_realloc64(check->values, capacity * sizeof(*grown));
  if (!grown) return mlf_error_nomem(scanner->error);
  check->values = grown;
  scanner->value_capacity = capacity;
  return SQLITE_OK;
}

static int json_check_value(json_scanner *scanner, int depth) {
  int rc = json_check_reserve(scanner);
  if (rc != SQLITE_OK) return rc;
  size_t index = scanner->check->value_count++;
  size_t begin = scanner->at;
  int c = json_check_peek(scanner);
  switch (c) {
  case '{': rc = json_check_container(scanner, true, depth + 1); break;
  case '[': rc = json_check_container(scanner, false, depth + 1); break;
  case '"': rc = json_check_string(scanner); break;
  case 't': rc = json_check_word(scanner, "true"); break;
  case 'f': rc = json_check_word(scanner, "false"); break;
  case 'n': rc = json_check_word(scanner, "null"); break;
  default:
    rc = c == '-' || (c >= '0' && c <= '9') ? json_check_number(scanner)
                                            : json_check_fail(scanner, "expected a value");
  }
  scanner->check->values[index] = (mlf_json_extent){.begin = begin, .end = scanner->at};
  return rc;
}

int mlf_json_check_run(const char *text, size_t length, mlf_json_check *check, mlf_error *error) {
  json_scanner scanner = {.text = text, .length = length, .check = check, .error = error};
  /* A replacement is at most three times as long as what it replaces. */
  mlf_buffer_init(&check->plain, length * 3);
  json_check_space(&scanner);
  int rc = json_check_value(&scanner, 0);
  if (rc != SQLITE_OK) return rc;
  json_check_space(&scanner);
  if (scanner.at < length) return json_check_fail(&scanner, "text after the document");
  return check->plain.length ? json_check_replace(&scanner, length, "") : SQLITE_OK;
}

void mlf_json_check_clear(mlf_json_check *check) {
  sqlite3_free(check->values);
  mlf_buffer_clear(&check->plain);
  memset(check, 0, sizeof(*check));
}
