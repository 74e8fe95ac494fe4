#include "model/json_write.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json_string.h"
#include "base/utf8.h"

/* The character of the escape at `at`, which may be a pair of surrogates: -1 for one that text
** cannot carry. `*step` is how many bytes it takes. */
static long write_escaped(const char *at, const char *end, size_t *step) {
  static const char letters[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
  long unit = mlf_json_code_unit(at, (size_t)(end - at));
  if (unit < 0) {
    *step = 2;
    return characters[strchr(letters, at[1]) - letters];
  }
  *step = 6;
  if (unit >= 0xd800 && unit <= 0xdbff) {
    long low = mlf_json_code_unit(at + 6, (size_t)(end - at - 6));
    if (low < 0xdc00 || low > 0xdfff) return -1;
    *step = 12;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  return unit == 0 || (unit >= 0xdc00 && unit <= 0xdfff) ? -1 : unit;
}

/* Writes a character as UTF-8; returns how many bytes it took. */
static size_t write_utf8(long character, char utf8[4]) {
  unsigned long c = (unsigned long)character;
  if (c < 0x80) {
    utf8[0] = (char)c;
    return 1;
  }
  size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
  utf8[0] = (char)(leads[more] | c >> (6 * more));
  for (size_t i = 1; i <= more; i++)
    utf8[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
  return more + 1;
}

/* Appends the inside of a JSON string that is not plain, decoded or as JSON. */
static int write_string(sqlite3_str *out, const mlf_json_reader *reader, bool decoded,
                        mlf_error *error) {
  const char *at = reader->text + reader->begin + 1, *end = reader->text + reader->end - 1;
  size_t poll_at = reader->begin + MLF_JSON_POLL_BYTES;
  while (at < end) {
    if ((size_t)(at - reader->text) >= poll_at) {
      poll_at += MLF_JSON_POLL_BYTES;
      int rc = mlf_interrupt_poll(reader->interrupt, error);
      if (rc != SQLITE_OK) return rc;
    }
    size_t step = mlf_json_string_plain_length(at, end);
    if (step > 0) {
      sqlite3_str_append(out, at, (int)step);
    } else if (*at != '\\') {
      bool valid;
      step = mlf_utf8_next(at, (size_t)(end - at), &valid);
      sqlite3_str_appendall(out, "\xef\xbf\xbd");
    } else {
      char utf8[4];
      long character = write_escaped(at, end, &step);
      if (character < 0) {
        sqlite3_str_appendf(out, "\\u%04x", mlf_json_code_unit(at, 6));
      } else if (character < 0x80 && !decoded) {
        mlf_json_string_write_ascii(out, (unsigned char)character);
      } else {
        sqlite3_str_append(out, utf8, (int)write_utf8(character, utf8));
      }
    }
    at += step;
  }
  return SQLITE_OK;
}

int mlf_json_write_text(sqlite3_str *out, const mlf_json_reader *reader, mlf_error *error) {
  if (!reader->plain) return write_string(out, reader, true, error);
  const char *begin = reader->text + reader->begin + 1, *end = reader->text + reader->end - 1;
  sqlite3_str_append(out, begin, (int)(end - begin));
  return SQLITE_OK;
}

int mlf_json_write_token(sqlite3_str *out, const mlf_json_reader *reader, mlf_json_token token,
                         mlf_error *error) {
  const char *begin = reader->text + reader->begin, *end = reader->text + reader->end;
  bool quoted = token == MLF_JSON_TOKEN_NAME || token == MLF_JSON_TOKEN_STRING;
  int rc = SQLITE_OK;
  if (token == MLF_JSON_TOKEN_NO_NUMBER) {
    sqlite3_str_appendall(out, "null");
  } else if (!quoted || reader->plain) {
    sqlite3_str_append(out, begin, (int)(end - begin));
  } else {
    sqlite3_str_appendchar(out, 1, '"');
    rc = write_string(out, reader, false, error);
    sqlite3_str_appendchar(out, 1, '"');
  }
  return rc;
}

/* Fills what was written and is left out again. It is no byte of UTF-8, so of no JSON. */
#define WRITE_HOLE '\xff'

/* So many members are compared each with each. */
#define WRITE_FEW 12

/* A member that was written, or, as a mark, an object that is open. */
typedef struct write_member {
  int begin; /* -1: an object */
  int end;
  int name_length;  /* with its quotes */
  int place;        /* where the first of its name began */
  const char *text; /* that all lie in, while they are sorted */
} write_member;

/* The members of the objects that are open, the innermost last. */
typedef struct write_members {
  write_member *all;
  size_t count;
  size_t capacity;
  bool sorted; /* by name, where it is not in the order given */
  bool holes;  /* something was left out */
} write_members;

/* Notes what was written from `begin` to `end`, if it is a name or opens an object. */
static int write_note(write_members *members, mlf_json_token token, int begin, int end,
                      mlf_error *error) {
  bool opens = token == MLF_JSON_TOKEN_OBJECT;
  if (!opens && token != MLF_JSON_TOKEN_NAME) return SQLITE_OK;
  write_member *all =
      mlf_array_room(members->all, members->count, &members->capacity, 16, sizeof(*all));
  if (!all) return mlf_error_nomem(error);
  members->all = all;
  all[members->count++] = (write_member){.begin = opens ? -1 : begin, .name_length = end - begin};
  return SQLITE_OK;
}

static int write_compare_names(const write_member *a, const write_member *b) {
  int shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
  int order = memcmp(a->text + a->begin + 1, b->text + b->begin + 1, (size_t)shorter - 2);
  return order != 0 ? order : a->name_length - b->name_length;
}

/* By name; of one name as they came. */
static int write_compare(const void *one, const void *other) {
  const write_member *a = one, *b = other;
  int order = write_compare_names(a, b);
  return order != 0 ? order : a->begin - b->begin;
}

static int write_compare_places(const void *one, const void *other) {
  const write_member *a = one, *b = other;
  return a->place - b->place;
}

/* Leaves of the sorted members the last of each name, which takes the place of the first. */
static size_t write_keep_last(write_member *sorted, size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    bool again = kept > 0 && write_compare_names(&sorted[kept - 1], &sorted[i]) == 0;
    int place = again ? sorted[kept - 1].place : sorted[i].begin;
    if (!again) kept++;
    sorted[kept - 1] = sorted[i];
    sorted[kept - 1].place = place;
  }
  return kept;
}

/* Whether no member of few comes twice, so that the order given is good. */
static bool write_are_distinct(const write_member *members, size_t count) {
  if (count > WRITE_FEW) return false;
  for (size_t i = 1; i < count; i++) {
    for (size_t j = 0; j < i; j++) {
      if (members[i].name_length == members[j].name_length &&
          write_compare_names(&members[i], &members[j]) == 0)
        return false;
    }
  }
  return true;
}

/* Writes the members anew from `begin` to `end`, in the order in which they are now. */
static int write_again(char *text, int begin, int end, const write_member *members, size_t count,
                       mlf_error *error) {
  char *copy = sqlite3_malloc(end - begin), *at = text + begin;
  if (!copy) return mlf_error_nomem(error);
  memcpy(copy, at, (size_t)(end - begin));
  for (size_t i = 0; i < count; i++) {
    size_t length = (size_t)(members[i].end - members[i].begin);
    if (i > 0) *at++ = ',';
    memcpy(at, copy + members[i].begin - begin, length);
    at += length;
  }
  memset(at, WRITE_HOLE, (size_t)(text + end - at));
  sqlite3_free(copy);
  return SQLITE_OK;
}

/* Settles the members of the object that ends where `out` does, and forgets them: of a name that
** comes several times the last one counts, and stands where the first one did. So has Python it. */
static int write_settle(sqlite3_str *out, write_members *members, mlf_error *error) {
  size_t first = members->count;
  assert(members->all); /* only what is open ends */
  while (members->all[first - 1].begin >= 0)
    first--;
  size_t count = members->count - first;
  write_member *all = members->all + first;
  members->count = first - 1;
  if (count < 2 || sqlite3_str_errcode(out) != SQLITE_OK) return SQLITE_OK;
  char *text = sqlite3_str_value(out);
  int begin = all->begin, end = sqlite3_str_length(out);
  for (size_t i = 0; i < count; i++) {
    all[i].text = text;
    all[i].end = i + 1 < count ? all[i + 1].begin - 1 : end;
  }
  if (!members->sorted && write_are_distinct(all, count)) return SQLITE_OK;
  qsort(all, count, sizeof(*all), write_compare);
  size_t kept = write_keep_last(all, count);
  if (!members->sorted && kept == count) return SQLITE_OK;
  if (!members->sorted) qsort(all, kept, sizeof(*all), write_compare_places);
  members->holes = members->holes || kept < count;
  return write_again(text, begin, end, all, kept, error);
}

static int write_tokens(sqlite3_str *out, mlf_json_reader *reader, write_members *members,
                        mlf_error *error) {
  mlf_json_token token = MLF_JSON_TOKEN_NULL;
  bool first = true; /* of its container, or the value of a name */
  for (;;) {
    int rc = mlf_json_reader_next(reader, &token, error);
    if (rc != SQLITE_OK || token == MLF_JSON_TOKEN_END) return rc;
    bool closes = token == MLF_JSON_TOKEN_OBJECT_END || token == MLF_JSON_TOKEN_ARRAY_END;
    if (token == MLF_JSON_TOKEN_OBJECT_END) rc = write_settle(out, members, error);
    if (!first && !closes) sqlite3_str_appendchar(out, 1, ',');
    int begin = sqlite3_str_length(out);
    if (rc == SQLITE_OK) rc = mlf_json_write_token(out, reader, token, error);
    if (rc == SQLITE_OK) rc = write_note(members, token, begin, sqlite3_str_length(out), error);
    if (rc != SQLITE_OK) return rc;
    if (token == MLF_JSON_TOKEN_NAME) sqlite3_str_appendchar(out, 1, ':');
    first = token == MLF_JSON_TOKEN_OBJECT || token == MLF_JSON_TOKEN_ARRAY ||
            token == MLF_JSON_TOKEN_NAME;
  }
}

/* Takes the holes out of what was written from `begin` on. */
static int write_close_holes(sqlite3_str *out, size_t begin, mlf_error *error) {
  size_t length = (size_t)sqlite3_str_length(out);
  char *copy = sqlite3_malloc64(length);
  if (!copy) return mlf_error_nomem(error);
  memcpy(copy, sqlite3_str_value(out), length);
  sqlite3_str_reset(out);
  sqlite3_str_append(out, copy, (int)begin);
  for (const char *at = copy + begin, *end = copy + length; at < end;) {
    const char *hole = memchr(at, WRITE_HOLE, (size_t)(end - at));
    sqlite3_str_append(out, at, (int)((hole ? hole : end) - at));
    for (at = hole ? hole : end; at < end && *at == WRITE_HOLE;)
      at++;
  }
  sqlite3_free(copy);
  return SQLITE_OK;
}

static int write_all(sqlite3_str *out, mlf_json_reader *reader, bool sorted, mlf_error *error) {
  write_members members = {.sorted = sorted};
  size_t begin = (size_t)sqlite3_str_length(out);
  int rc = write_tokens(out, reader, &members, error);
  sqlite3_free(members.all);
  bool whole = rc == SQLITE_OK && sqlite3_str_errcode(out) == SQLITE_OK;
  return whole && members.holes ? write_close_holes(out, begin, error) : rc;
}

int mlf_json_write_value(sqlite3_str *out, mlf_json_reader *reader, mlf_error *error) {
  return write_all(out, reader, false, error);
}

int mlf_json_write_sorted(sqlite3_str *out, mlf_json_reader *reader, mlf_error *error) {
  return write_all(out, reader, true, error);
}
