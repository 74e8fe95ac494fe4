#include "analysis/stratify_state.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/sqlite_api.h"

#define STATE_MAGIC   "MLFS"
#define STATE_VERSION 1

static const char state_types[] = {
    [MLF_NULL] = 'n', [MLF_INTEGER] = 'i', [MLF_REAL] = 'r', [MLF_TEXT] = 't', [MLF_BLOB] = 'b'};

static int state_write_integer(mlf_buffer *out, uint64_t integer, size_t length) {
  unsigned char bytes[8];
  for (size_t i = 0; i < length; i++)
    bytes[i] = (unsigned char)(integer >> (8 * i));
  return mlf_buffer_append(out, bytes, length);
}

static int state_write_value(mlf_buffer *out, const mlf_value *value) {
  uint64_t bits = (uint64_t)value->integer;
  int rc = mlf_buffer_append(out, &state_types[value->type], 1);
  if (rc != SQLITE_OK) return rc;
  switch (value->type) {
  case MLF_NULL: return SQLITE_OK;
  case MLF_REAL: memcpy(&bits, &value->real, sizeof(bits)); /* fall through */
  case MLF_INTEGER: return state_write_integer(out, bits, 8);
  default: /* SQLite's values are below 2 GiB */
    rc = state_write_integer(out, value->length, 4);
    return rc == SQLITE_OK ? mlf_buffer_append(out, value->text, value->length) : rc;
  }
}

int mlf_stratify_state_write(const mlf_stratify *state, mlf_buffer *out) {
  assert(!state->slots); /* finished */
  int rc = mlf_buffer_append(out, STATE_MAGIC, 4);
  if (rc == SQLITE_OK) rc = state_write_integer(out, STATE_VERSION, 4);
  if (rc == SQLITE_OK) rc = state_write_integer(out, (uint64_t)state->size, 4);
  if (rc == SQLITE_OK) rc = state_write_integer(out, (uint64_t)state->seed, 8);
  if (rc == SQLITE_OK) rc = state_write_integer(out, state->count, 4);
  for (size_t i = 0; rc == SQLITE_OK && i < state->count; i++) {
    const mlf_stratum *stratum = &state->strata[i];
    rc = state_write_value(out, &stratum->value);
    if (rc == SQLITE_OK) rc = state_write_integer(out, (uint64_t)stratum->population, 8);
    if (rc == SQLITE_OK) rc = state_write_integer(out, stratum->count, 4);
    for (size_t j = 0; rc == SQLITE_OK && j < stratum->count; j++)
      rc = state_write_value(out, &stratum->keys[j].key);
  }
  return rc;
}

typedef struct state_reader {
  const unsigned char *bytes;
  size_t length;
  size_t at;
  mlf_error *error;
} state_reader;

static int state_fail(state_reader *reader, const char *what) {
  return mlf_error_set(reader->error, SQLITE_ERROR,
                       "not a state that strata() made: %s at byte %lld", what,
                       (sqlite3_int64)reader->at);
}

static int state_read_integer(state_reader *reader, size_t length, uint64_t *integer) {
  *integer = 0;
  if (reader->length - reader->at < length) return state_fail(reader, "it is cut off");
  for (size_t i = 0; i < length; i++)
    *integer |= (uint64_t)reader->bytes[reader->at++] << (8 * i);
  return SQLITE_OK;
}

/* The text stays in the reader's bytes. */
static int state_read_value(state_reader *reader, mlf_value *value) {
  uint64_t type;
  uint64_t bits;
  *value = (mlf_value){.type = MLF_NULL};
  int rc = state_read_integer(reader, 1, &type);
  if (rc != SQLITE_OK) return rc;
  const char *known = memchr(state_types, (int)type, sizeof(state_types));
  if (!known) return state_fail(reader, "an unknown type");
  mlf_value_type known_type = (mlf_value_type)(known - state_types);
  if (known_type == MLF_NULL) return SQLITE_OK;
  bool is_number = known_type == MLF_INTEGER || known_type == MLF_REAL;
  rc = state_read_integer(reader, is_number ? 8 : 4, &bits);
  if (rc != SQLITE_OK) return rc;
  if (known_type == MLF_INTEGER) {
    value->integer = (int64_t)bits;
  } else if (known_type == MLF_REAL) {
    memcpy(&value->real, &bits, sizeof(bits));
    if (value->real != value->real) return state_fail(reader, "a REAL that is no number");
    if (value->real == 0 && bits != 0) return state_fail(reader, "a REAL that is -0.0");
  } else {
    if (bits > reader->length - reader->at) return state_fail(reader, "it is cut off");
    value->text = (const char *)reader->bytes + reader->at;
    value->length = (size_t)bits;
    reader->at += value->length;
  }
  value->type = known_type;
  return SQLITE_OK;
}

/* The keys of the stratum that was added last, with what they must fulfil. */
static int state_read_keys(state_reader *reader, mlf_stratify *state, const mlf_value *stratum,
                           uint64_t population, uint64_t count) {
  mlf_value before = {.type = MLF_NULL};
  uint64_t place_before = 0;
  if (population == 0 || population > (uint64_t)MLF_STRATIFY_ROWS_MAX)
    return state_fail(reader, "a population that cannot be");
  if (count > population || count > (uint64_t)state->size || (count == 0 && state->size > 0))
    return state_fail(reader, "a number of keys that cannot be");
  for (uint64_t i = 0; i < count; i++) {
    mlf_value key;
    int rc = state_read_value(reader, &key);
    if (rc != SQLITE_OK) return rc;
    if (key.type == MLF_NULL) return state_fail(reader, "a key that is NULL");
    uint64_t place = mlf_stratify_place(state, &key);
    if (i > 0 && (place < place_before ||
                  (place == place_before && mlf_stratify_compare(&before, &key) >= 0)))
      return state_fail(reader, "a key out of order");
    rc = mlf_stratify_add(state, &key, stratum, reader->error);
    if (rc != SQLITE_OK) return rc;
    before = key;
    place_before = place;
  }
  return mlf_stratify_add_rows(state, stratum, (int64_t)(population - count), reader->error);
}

static int state_read_strata(state_reader *reader, mlf_stratify *state, uint64_t count) {
  mlf_value before = {.type = MLF_NULL};
  for (uint64_t i = 0; i < count; i++) {
    mlf_value stratum;
    uint64_t population;
    uint64_t keys;
    int rc = state_read_value(reader, &stratum);
    if (rc == SQLITE_OK && i > 0 && mlf_stratify_compare(&before, &stratum) >= 0)
      rc = state_fail(reader, "a stratum out of order");
    if (rc == SQLITE_OK) rc = state_read_integer(reader, 8, &population);
    if (rc == SQLITE_OK) rc = state_read_integer(reader, 4, &keys);
    if (rc == SQLITE_OK) rc = state_read_keys(reader, state, &stratum, population, keys);
    if (rc != SQLITE_OK) return rc;
    before = stratum;
  }
  return SQLITE_OK;
}

int mlf_stratify_state_read(const void *bytes, size_t length, mlf_stratify *state,
                            mlf_error *error) {
  state_reader reader = {bytes, length, 0, error};
  uint64_t version;
  uint64_t size;
  uint64_t seed;
  uint64_t count;
  if (length < 4 || memcmp(bytes, STATE_MAGIC, 4) != 0)
    return state_fail(&reader, "it does not begin with " STATE_MAGIC);
  reader.at = 4;
  int rc = state_read_integer(&reader, 4, &version);
  if (rc == SQLITE_OK && version != STATE_VERSION)
    return mlf_error_set(error, SQLITE_ERROR,
                         "a state of version %lld; this sqlite-mlflow reads version %d",
                         (sqlite3_int64)version, STATE_VERSION);
  if (rc == SQLITE_OK) rc = state_read_integer(&reader, 4, &size);
  if (rc == SQLITE_OK && size > MLF_STRATIFY_SIZE_MAX)
    rc = state_fail(&reader, "a size that cannot be");
  if (rc == SQLITE_OK) rc = state_read_integer(&reader, 8, &seed);
  if (rc == SQLITE_OK) rc = state_read_integer(&reader, 4, &count);
  if (rc != SQLITE_OK) return rc;
  mlf_stratify_init(state, (int64_t)size, (int64_t)seed);
  rc = state_read_strata(&reader, state, count);
  if (rc == SQLITE_OK && reader.at != length) rc = state_fail(&reader, "bytes after the end");
  mlf_stratify_finish(state);
  return rc;
}
