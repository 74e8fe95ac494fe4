#include "analysis/stratify.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/hash.h"
#include "base/array.h"
#include "base/sqlite_api.h"

#define STRATIFY_KEYS_MIN  16
#define STRATIFY_SLOTS_MIN 64

void mlf_stratify_init(mlf_stratify *state, int64_t size, int64_t seed) {
  static const char types[] = {
      [MLF_NULL] = 'n', [MLF_INTEGER] = 'i', [MLF_REAL] = 'r', [MLF_TEXT] = 't', [MLF_BLOB] = 'b'};
  assert(0 <= size && size <= MLF_STRATIFY_SIZE_MAX);
  memset(state, 0, sizeof(*state));
  state->size = size;
  state->seed = seed;
  for (size_t i = 0; i < sizeof(types); i++)
    state->seeds[i] = mlf_hash_bytes(&types[i], 1, (uint64_t)seed);
}

static void stratify_clear_value(mlf_value *value) {
  if (value->type == MLF_TEXT || value->type == MLF_BLOB)
    sqlite3_free((void *)(uintptr_t)value->text);
  value->type = MLF_NULL;
}

void mlf_stratify_clear(mlf_stratify *state) {
  for (size_t i = 0; i < state->count; i++) {
    mlf_stratum *stratum = &state->strata[i];
    for (size_t j = 0; j < stratum->count; j++)
      stratify_clear_value(&stratum->keys[j].key);
    sqlite3_free(stratum->keys);
    stratify_clear_value(&stratum->value);
  }
  sqlite3_free(state->strata);
  sqlite3_free(state->slots);
  memset(state, 0, sizeof(*state));
}

/* Whether a REAL has the value of a 64-bit integer, and which. */
static bool stratify_is_integral(double real, int64_t *integer) {
  if (!(real >= -9223372036854775808.0 && real < 9223372036854775808.0)) return false;
  *integer = (int64_t)real;
  return (double)*integer == real;
}

uint64_t mlf_stratify_place(const mlf_stratify *state, const mlf_value *key) {
  mlf_value_type type = key->type;
  if (type == MLF_NULL) return mlf_hash_bytes(NULL, 0, state->seeds[MLF_NULL]);
  if (type == MLF_TEXT || type == MLF_BLOB)
    return mlf_hash_bytes(key->text, key->length, state->seeds[type]);
  uint64_t bits;
  int64_t integer = key->integer;
  if (type == MLF_REAL && stratify_is_integral(key->real, &integer)) type = MLF_INTEGER;
  if (type == MLF_REAL)
    memcpy(&bits, &key->real, sizeof(bits));
  else
    bits = (uint64_t)integer;
  unsigned char bytes[8];
  for (int i = 0; i < 8; i++)
    bytes[i] = (unsigned char)(bits >> (8 * i));
  return mlf_hash_bytes(bytes, sizeof(bytes), state->seeds[type]);
}

/* INTEGER and REAL as SQLite compares them: exactly. */
static int stratify_compare_mixed(int64_t integer, double real) {
  if (real < -9223372036854775808.0) return 1;
  if (real >= 9223372036854775808.0) return -1;
  int64_t whole = (int64_t)real; /* towards 0, and exact: doubles with a fraction are small */
  if (integer != whole) return integer < whole ? -1 : 1;
  double part = real - (double)whole;
  return (part < 0) - (part > 0);
}

static int stratify_compare_numbers(const mlf_value *a, const mlf_value *b) {
  if (a->type == MLF_INTEGER && b->type == MLF_INTEGER)
    return (a->integer > b->integer) - (a->integer < b->integer);
  if (a->type == MLF_REAL && b->type == MLF_REAL) return (a->real > b->real) - (a->real < b->real);
  if (a->type == MLF_INTEGER) return stratify_compare_mixed(a->integer, b->real);
  return -stratify_compare_mixed(b->integer, a->real);
}

int mlf_stratify_compare(const mlf_value *a, const mlf_value *b) {
  static const int classes[] = {
      [MLF_NULL] = 0, [MLF_INTEGER] = 1, [MLF_REAL] = 1, [MLF_TEXT] = 2, [MLF_BLOB] = 3};
  int order = classes[a->type] - classes[b->type];
  if (order != 0 || a->type == MLF_NULL) return order;
  if (classes[a->type] == 1) return stratify_compare_numbers(a, b);
  size_t length = a->length < b->length ? a->length : b->length;
  order = length ? memcmp(a->text, b->text, length) : 0;
  if (order != 0) return order;
  return (a->length > b->length) - (a->length < b->length);
}

static int stratify_copy(mlf_value *to, const mlf_value *from) {
  *to = *from;
  if (from->type == MLF_REAL) to->real += 0.0; /* -0.0 is 0.0 */
  if (from->type != MLF_TEXT && from->type != MLF_BLOB) return SQLITE_OK;
  char *text = sqlite3_malloc64(from->length + 1);
  if (!text) {
    to->type = MLF_NULL;
    return SQLITE_NOMEM;
  }
  if (from->length) memcpy(text, from->text, from->length);
  text[from->length] = 0;
  to->text = text;
  return SQLITE_OK;
}

/* By place, then by key; of equal keys the INTEGER first. */
static int stratify_compare_keys(const void *left, const void *right) {
  const mlf_stratify_key *a = left;
  const mlf_stratify_key *b = right;
  if (a->place != b->place) return a->place < b->place ? -1 : 1;
  int order = mlf_stratify_compare(&a->key, &b->key);
  return order ? order : (int)a->key.type - (int)b->key.type;
}

/* Reduces the keys to the `size` smallest different ones, in order. */
static void stratify_reduce(mlf_stratum *stratum, size_t size) {
  qsort(stratum->keys, stratum->count, sizeof(*stratum->keys), stratify_compare_keys);
  size_t kept = 0;
  for (size_t i = 0; i < stratum->count; i++) {
    mlf_stratify_key *key = &stratum->keys[i];
    if (kept < size && (kept == 0 || stratum->keys[kept - 1].place != key->place ||
                        mlf_stratify_compare(&stratum->keys[kept - 1].key, &key->key) != 0)) {
      stratum->keys[kept++] = *key;
    } else {
      stratify_clear_value(&key->key);
    }
  }
  stratum->count = kept;
  if (kept == size) stratum->place_max = kept ? stratum->keys[kept - 1].place : 0;
}

/* Room for one more key: the keys wait in a heap of up to twice the sample's size before they are
** sorted and reduced, so that a key costs O(log size), whatever the order of the rows. */
static int stratify_make_room(mlf_stratum *stratum, size_t size) {
  if (stratum->count < stratum->capacity) return SQLITE_OK;
  if (stratum->count >= 2 * size && stratum->count >= STRATIFY_KEYS_MIN) {
    stratify_reduce(stratum, size);
    return SQLITE_OK;
  }
  size_t capacity = stratum->capacity ? 2 * stratum->capacity : STRATIFY_KEYS_MIN;
  if (capacity > STRATIFY_KEYS_MIN && capacity > 2 * size) capacity = 2 * size;
  mlf_stratify_key *grown = sqlite3_realloc64(stratum->keys, capacity * sizeof(*grown));
  if (!grown) return SQLITE_NOMEM;
  stratum->keys = grown;
  stratum->capacity = capacity;
  return SQLITE_OK;
}

static int stratify_add_key(mlf_stratify *state, mlf_stratum *stratum, const mlf_value *key,
                            mlf_error *error) {
  uint64_t place = mlf_stratify_place(state, key);
  if (place > stratum->place_max || state->size == 0) return SQLITE_OK;
  if (stratify_make_room(stratum, (size_t)state->size) != SQLITE_OK) return mlf_error_nomem(error);
  mlf_stratify_key *added = &stratum->keys[stratum->count];
  if (stratify_copy(&added->key, key) != SQLITE_OK) return mlf_error_nomem(error);
  added->place = place;
  stratum->count++;
  return SQLITE_OK;
}

/* The slot that holds the stratum, or the empty one where it belongs. */
static uint32_t *stratify_find_slot(const mlf_stratify *state, const mlf_value *value,
                                    uint64_t hash) {
  size_t slot = hash & (state->slot_count - 1);
  for (;; slot = (slot + 1) & (state->slot_count - 1)) {
    uint32_t index = state->slots[slot];
    if (index == 0) break;
    const mlf_stratum *stratum = &state->strata[index - 1];
    if (stratum->hash == hash && mlf_stratify_compare(&stratum->value, value) == 0) break;
  }
  return &state->slots[slot];
}

/* Keeps the table at most half full. */
static int stratify_grow_slots(mlf_stratify *state) {
  if (2 * (state->count + 1) <= state->slot_count) return SQLITE_OK;
  size_t slot_count = state->slot_count ? 2 * state->slot_count : STRATIFY_SLOTS_MIN;
  uint32_t *slots = sqlite3_malloc64(slot_count * sizeof(*slots));
  if (!slots) return SQLITE_NOMEM;
  memset(slots, 0, slot_count * sizeof(*slots));
  for (size_t i = 0; i < state->count; i++) {
    size_t slot = state->strata[i].hash & (slot_count - 1);
    while (slots[slot])
      slot = (slot + 1) & (slot_count - 1);
    slots[slot] = (uint32_t)i + 1;
  }
  sqlite3_free(state->slots);
  state->slots = slots;
  state->slot_count = slot_count;
  return SQLITE_OK;
}

/* A new stratum with no rows. */
static int stratify_add_stratum(mlf_stratify *state, const mlf_value *value, uint64_t hash,
                                mlf_error *error) {
  if (state->count == MLF_STRATIFY_STRATA_MAX)
    return mlf_error_set(error, SQLITE_ERROR, "more than %d different strata",
                         MLF_STRATIFY_STRATA_MAX);
  if (stratify_grow_slots(state) != SQLITE_OK) return mlf_error_nomem(error);
  mlf_stratum *strata =
      mlf_array_room(state->strata, state->count, &state->capacity, 8, sizeof(*strata));
  if (!strata) return mlf_error_nomem(error);
  state->strata = strata;
  mlf_stratum *stratum = &state->strata[state->count];
  *stratum = (mlf_stratum){.hash = hash, .place_max = UINT64_MAX};
  if (stratify_copy(&stratum->value, value) != SQLITE_OK) return mlf_error_nomem(error);
  state->count++;
  *stratify_find_slot(state, value, hash) = (uint32_t)state->count;
  return SQLITE_OK;
}

/* A place among the recent strata, without reading all of a text: a hash costs more than the rest
** of a row. */
static size_t stratify_guess(const mlf_value *value) {
  size_t mix = (size_t)value->integer;
  if (value->length > 0)
    mix = value->length + 7 * (unsigned char)value->text[0] +
          31 * (unsigned char)value->text[value->length - 1];
  return mix % MLF_STRATIFY_RECENT;
}

/* The stratum of this value, new if need be; NULL is a failure. */
static mlf_stratum *stratify_find(mlf_stratify *state, const mlf_value *value, mlf_error *error) {
  uint32_t *recent = &state->recent[stratify_guess(value)];
  if (*recent < state->count) {
    const mlf_value *known = &state->strata[*recent].value;
    if (known->type == value->type && mlf_stratify_compare(known, value) == 0)
      return &state->strata[*recent];
  }
  uint64_t hash = mlf_stratify_place(state, value);
  uint32_t index = state->slot_count ? *stratify_find_slot(state, value, hash) : 0;
  if (index == 0) {
    if (stratify_add_stratum(state, value, hash, error) != SQLITE_OK) return NULL;
    index = (uint32_t)state->count;
  }
  *recent = index - 1;
  mlf_stratum *stratum = &state->strata[index - 1];
  /* Of 1 and 1.0 the INTEGER, whichever came first. */
  if (stratum->value.type == MLF_REAL && value->type == MLF_INTEGER) stratum->value = *value;
  return stratum;
}

static int stratify_count_rows(mlf_stratify *state, mlf_stratum *stratum, int64_t rows,
                               mlf_error *error) {
  if (rows > MLF_STRATIFY_ROWS_MAX - state->rows)
    return mlf_error_set(error, SQLITE_ERROR, "more than %lld rows",
                         (sqlite3_int64)MLF_STRATIFY_ROWS_MAX);
  state->rows += rows;
  stratum->population += rows;
  return SQLITE_OK;
}

int mlf_stratify_add_rows(mlf_stratify *state, const mlf_value *stratum, int64_t rows,
                          mlf_error *error) {
  mlf_stratum *found = stratify_find(state, stratum, error);
  return found ? stratify_count_rows(state, found, rows, error) : error->code;
}

int mlf_stratify_add(mlf_stratify *state, const mlf_value *key, const mlf_value *stratum,
                     mlf_error *error) {
  if (key->type == MLF_NULL) return SQLITE_OK;
  mlf_stratum *found = stratify_find(state, stratum, error);
  if (!found) return error->code;
  int rc = stratify_count_rows(state, found, 1, error);
  return rc == SQLITE_OK ? stratify_add_key(state, found, key, error) : rc;
}

int mlf_stratify_merge(mlf_stratify *state, const mlf_stratify *from, mlf_error *error) {
  assert(state->size == from->size && state->seed == from->seed);
  for (size_t i = 0; i < from->count; i++) {
    const mlf_stratum *stratum = &from->strata[i];
    mlf_stratum *found = stratify_find(state, &stratum->value, error);
    if (!found) return error->code;
    int rc = stratify_count_rows(state, found, stratum->population, error);
    for (size_t j = 0; rc == SQLITE_OK && j < stratum->count; j++)
      rc = stratify_add_key(state, found, &stratum->keys[j].key, error);
    if (rc != SQLITE_OK) return rc;
  }
  return SQLITE_OK;
}

static int stratify_compare_strata(const void *left, const void *right) {
  return mlf_stratify_compare(&((const mlf_stratum *)left)->value,
                              &((const mlf_stratum *)right)->value);
}

void mlf_stratify_finish(mlf_stratify *state) {
  for (size_t i = 0; i < state->count; i++) {
    if (state->strata[i].count) stratify_reduce(&state->strata[i], (size_t)state->size);
  }
  if (state->count)
    qsort(state->strata, state->count, sizeof(*state->strata), stratify_compare_strata);
  sqlite3_free(state->slots); /* their indexes no longer hold */
  state->slots = NULL;
  state->slot_count = 0;
}
