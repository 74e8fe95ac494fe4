#include "analysis/edges.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/sqlite_api.h"

#define EDGES_NUMBER_MAX 64

typedef struct edges_reader {
  const char *text;
  size_t length;
  size_t at;
  mlf_edges *edges;
  mlf_error *error;
} edges_reader;

void mlf_edges_clear(mlf_edges *edges) {
  for (size_t i = 0; i < edges->count; i++) {
    sqlite3_free(edges->buckets[i].name);
    sqlite3_free(edges->buckets[i].json);
  }
  sqlite3_free(edges->buckets);
  memset(edges, 0, sizeof(*edges));
}

size_t mlf_edges_find(const mlf_edges *edges, double value) {
  size_t low = 0;
  size_t high = edges->count - 1;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (value < edges->buckets[middle].bound)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

static int edges_fail(edges_reader *reader, const char *what) {
  return mlf_error_set(reader->error, SQLITE_ERROR, "edges: %s at byte %lld", what,
                       (sqlite3_int64)reader->at);
}

/* The next byte behind white space, without moving past it; 0 at the end. */
static char edges_peek(edges_reader *reader) {
  while (reader->at < reader->length && memchr(" \t\n\r", reader->text[reader->at], 4))
    reader->at++;
  return reader->at < reader->length ? reader->text[reader->at] : 0;
}

static bool edges_accept(edges_reader *reader, char expected) {
  if (edges_peek(reader) != expected) return false;
  reader->at++;
  return true;
}

static bool edges_is_digit(const edges_reader *reader) {
  return reader->at < reader->length && reader->text[reader->at] >= '0' &&
         reader->text[reader->at] <= '9';
}

static int edges_read_digits(edges_reader *reader) {
  if (!edges_is_digit(reader)) return edges_fail(reader, "a digit is missing");
  while (edges_is_digit(reader))
    reader->at++;
  return SQLITE_OK;
}

/* Moves past a number of RFC 8259. */
static int edges_scan_number(edges_reader *reader) {
  const char *text = reader->text;
  if (text[reader->at] == '-') reader->at++;
  if (reader->at < reader->length && text[reader->at] == '0') {
    reader->at++;
    if (edges_is_digit(reader)) return edges_fail(reader, "a number begins with 0");
  } else {
    int rc = edges_read_digits(reader);
    if (rc != SQLITE_OK) return rc;
  }
  if (reader->at < reader->length && text[reader->at] == '.') {
    reader->at++;
    int rc = edges_read_digits(reader);
    if (rc != SQLITE_OK) return rc;
  }
  if (reader->at < reader->length && (text[reader->at] == 'e' || text[reader->at] == 'E')) {
    reader->at++;
    if (reader->at < reader->length && (text[reader->at] == '+' || text[reader->at] == '-'))
      reader->at++;
    return edges_read_digits(reader);
  }
  return SQLITE_OK;
}

/* strtod takes its decimal point from the locale, so it gets none: 12.5e3 as 125e2. */
static double edges_to_double(const char *number, size_t length) {
  char digits[EDGES_NUMBER_MAX + 32];
  size_t used = 0;
  long exponent = 0;
  bool is_fraction = false;
  size_t at = 0;
  for (; at < length && number[at] != 'e' && number[at] != 'E'; at++) {
    if (number[at] == '.') {
      is_fraction = true;
      continue;
    }
    digits[used++] = number[at];
    exponent -= is_fraction;
  }
  if (at < length) {
    /* Beyond what a double can hold the exponent's own size no longer matters. */
    long written = strtol(number + at + 1, NULL, 10);
    exponent += written > 100000 ? 100000 : written < -100000 ? -100000 : written;
  }
  sqlite3_snprintf((int)(sizeof(digits) - used), digits + used, "e%ld", exponent);
  return strtod(digits, NULL);
}

/* Reads a bound: a finite number above the one before. Its text is left in `number`. */
static int edges_read_bound(edges_reader *reader, char number[EDGES_NUMBER_MAX + 1],
                            double *bound) {
  char first = edges_peek(reader);
  size_t begin = reader->at;
  if (first != '-' && !edges_is_digit(reader)) return edges_fail(reader, "a number is expected");
  int rc = edges_scan_number(reader);
  if (rc != SQLITE_OK) return rc;
  size_t length = reader->at - begin;
  reader->at = begin; /* which is where an error lies */
  if (length > EDGES_NUMBER_MAX) return edges_fail(reader, "a number of more than 64 characters");
  memcpy(number, reader->text + begin, length);
  number[length] = 0;
  *bound = edges_to_double(number, length);
  if (!isfinite(*bound)) return edges_fail(reader, "a number beyond the range of a REAL");
  const mlf_edges *edges = reader->edges;
  if (edges->count && *bound <= edges->buckets[edges->count - 1].bound)
    return edges_fail(reader, "a bound that is not above the one before");
  reader->at = begin + length;
  return SQLITE_OK;
}

/* Adds a bucket and takes both texts, NULL if there was no memory for them; they are freed if this
** fails. */
static int edges_add(edges_reader *reader, double bound, char *name, char *json) {
  mlf_edges *edges = reader->edges;
  int rc = SQLITE_OK;
  if (!name || !json) rc = mlf_error_nomem(reader->error);
  if (rc == SQLITE_OK && edges->count == MLF_EDGES_MAX)
    rc = edges_fail(reader, "more than 1000 buckets (MLF_EDGES_MAX)");
  for (size_t i = 0; rc == SQLITE_OK && i < edges->count; i++)
    if (strcmp(edges->buckets[i].name, name) == 0)
      rc = edges_fail(reader, "a name that was used before");
  mlf_edge *buckets = NULL;
  if (rc == SQLITE_OK) {
    buckets = mlf_array_room(edges->buckets, edges->count, &edges->capacity, 4, sizeof(*buckets));
    if (!buckets) rc = mlf_error_nomem(reader->error);
  }
  if (rc == SQLITE_OK) {
    edges->buckets = buckets;
    buckets[edges->count++] = (mlf_edge){bound, name, json};
  } else {
    sqlite3_free(name);
    sqlite3_free(json);
  }
  return rc;
}

/* [100, 500]: each bound closes a bucket that is named after it and the bound before. */
static int edges_read_array(edges_reader *reader) {
  char number[EDGES_NUMBER_MAX + 1];
  char before[EDGES_NUMBER_MAX + 1] = "";
  do {
    double bound;
    int rc = edges_read_bound(reader, number, &bound);
    const char *format = *before ? "%s-%s" : "%s<%s";
    if (rc == SQLITE_OK) {
      char *name = sqlite3_mprintf(format, before, number);
      rc = edges_add(reader, bound, name, name ? sqlite3_mprintf("\"%s\"", name) : NULL);
    }
    if (rc != SQLITE_OK) return rc;
    memcpy(before, number, sizeof(before));
  } while (edges_accept(reader, ','));
  if (!edges_accept(reader, ']')) return edges_fail(reader, "',' or ']' is expected");
  return edges_add(reader, INFINITY, sqlite3_mprintf(">=%s", before),
                   sqlite3_mprintf("\">=%s\"", before));
}

/* Reads four hexadecimal digits; -1 if there are not four. */
static long edges_read_hex(edges_reader *reader) {
  long unit = 0;
  for (int i = 0; i < 4; i++) {
    static const char digits[] = "0123456789abcdefABCDEF";
    char byte = reader->at < reader->length ? reader->text[reader->at] : 0;
    const char *digit = byte ? strchr(digits, byte) : NULL;
    if (!digit) return -1;
    long value = digit - digits;
    unit = 16 * unit + (value < 16 ? value : value - 6);
    reader->at++;
  }
  return unit;
}

/* Decodes what follows \u into UTF-8 at `out`; returns its length, 0 if it is no character. */
static size_t edges_decode_unicode(edges_reader *reader, char *out) {
  long code = edges_read_hex(reader);
  if (code >= 0xd800 && code <= 0xdbff) {
    if (reader->length - reader->at < 2) return 0;
    if (memcmp(reader->text + reader->at, "\\u", 2) != 0) return 0;
    reader->at += 2;
    long low = edges_read_hex(reader);
    if (low < 0xdc00 || low > 0xdfff) return 0;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  } else if (code <= 0 || (code >= 0xdc00 && code <= 0xdfff)) {
    return 0;
  }
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--, code >>= 6)
    out[i] = (char)(0x80 | (code & 0x3f));
  out[0] = (char)(code | (length == 2 ? 0xc0 : length == 3 ? 0xe0 : 0xf0));
  return length;
}

/* The bytes to the closing quote, or to the end. Decoded they are no more. */
static size_t edges_string_length(const edges_reader *reader) {
  size_t end = reader->at;
  while (end < reader->length && reader->text[end] != '"')
    end += reader->text[end] == '\\' && end + 1 < reader->length ? 2 : 1;
  return end - reader->at;
}

/* Decodes the string behind an opening quote into `name`, which has room for it. */
static int edges_decode_string(edges_reader *reader, char *name) {
  size_t used = 0;
  for (;;) {
    char byte = reader->at < reader->length ? reader->text[reader->at] : 0;
    if ((unsigned char)byte < 0x20)
      return edges_fail(reader, reader->at < reader->length ? "a control character in a name"
                                                            : "the closing quote is missing");
    reader->at++;
    if (byte == '"') break;
    if (byte != '\\') {
      name[used++] = byte;
      continue;
    }
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char escape = reader->at < reader->length ? reader->text[reader->at] : 0;
    const char *known = escape ? strchr(escapes, escape) : NULL;
    size_t length = 0;
    if (known) {
      name[used] = meanings[known - escapes];
      reader->at++;
      length = 1;
    } else if (escape == 'u') {
      reader->at++;
      length = edges_decode_unicode(reader, name + used);
    }
    if (length == 0) return edges_fail(reader, "an escape that is no character");
    used += length;
  }
  name[used] = 0;
  return SQLITE_OK;
}

/* "fast": 1000 or "slow": null; `*is_last` for the latter. */
static int edges_read_member(edges_reader *reader, bool *is_last) {
  if (!edges_accept(reader, '"')) return edges_fail(reader, "a name in quotes is expected");
  size_t begin = reader->at - 1;
  char *json = NULL;
  char *name = sqlite3_malloc64(edges_string_length(reader) + 1);
  int rc = name ? edges_decode_string(reader, name) : mlf_error_nomem(reader->error);
  if (rc == SQLITE_OK) {
    json = sqlite3_mprintf("%.*s", (int)(reader->at - begin), reader->text + begin);
    if (!json) rc = mlf_error_nomem(reader->error);
  }
  if (rc == SQLITE_OK && !edges_accept(reader, ':')) rc = edges_fail(reader, "':' is expected");
  double bound = INFINITY;
  if (rc == SQLITE_OK) {
    *is_last = edges_peek(reader) == 'n' && reader->length - reader->at >= 4 &&
               memcmp(reader->text + reader->at, "null", 4) == 0;
    char number[EDGES_NUMBER_MAX + 1];
    if (*is_last)
      reader->at += 4;
    else
      rc = edges_read_bound(reader, number, &bound);
  }
  if (rc == SQLITE_OK) return edges_add(reader, bound, name, json);
  sqlite3_free(name);
  sqlite3_free(json);
  return rc;
}

static int edges_read_object(edges_reader *reader) {
  bool is_last = false;
  do {
    if (is_last) return edges_fail(reader, "a bucket behind the one whose bound is null");
    int rc = edges_read_member(reader, &is_last);
    if (rc != SQLITE_OK) return rc;
  } while (edges_accept(reader, ','));
  if (!edges_accept(reader, '}')) return edges_fail(reader, "',' or '}' is expected");
  if (!is_last) return edges_fail(reader, "the object ends without a bucket whose bound is null");
  return SQLITE_OK;
}

int mlf_edges_read(const char *text, size_t length, mlf_edges *edges, mlf_error *error) {
  edges_reader reader = {text, length, 0, edges, error};
  int rc;
  if (edges_accept(&reader, '['))
    rc = edges_read_array(&reader);
  else if (edges_accept(&reader, '{'))
    rc = edges_read_object(&reader);
  else
    rc = edges_fail(&reader, "a JSON array or object is expected");
  if (rc != SQLITE_OK) return rc;
  edges_peek(&reader);
  return reader.at == length ? SQLITE_OK : edges_fail(&reader, "text after the end");
}
