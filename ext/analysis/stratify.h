/* stratify.h: which rows of each stratum are in a random sample, in one pass and small memory?
**
** Every key has a place in an order that looks random: hash(seed, key), see below. Of each stratum
** the state keeps its population and the `size` keys with the smallest places. That is a simple
** random sample without replacement (bottom-k sampling: Cohen and Kaplan, Summarizing Data Using
** Bottom-k Sketches, PODC 2007), and so is each first part of it. The sample does not depend on the
** order of the rows, nor on the machine. A new row replaces one key at most. Two states over
** different rows can be merged into the state over all of these rows.
**
** Places: XXH64 (hash.h) of the key's bytes, seeded with XXH64 of one byte that names the type,
** itself seeded with `seed`:
**
**   'i'  INTEGER, and REAL with the value of a 64-bit integer: 8 bytes, little-endian
**   'r'  any other REAL: the 8 bytes of IEEE 754, little-endian
**   't'  TEXT: UTF-8       'b'  BLOB       'n'  NULL (strata only): no bytes
**
** Keys with equal places go by SQL's order. Keys and strata are equal as in SELECT DISTINCT with
** BINARY collation: 1 and 1.0 are equal, 1 and '1' are not. Of 1 and 1.0 the INTEGER is kept.
**
** (1) The population counts rows: a key that comes twice counts twice. The sample has it once.
** (2) A row whose key is NULL counts nowhere. NULL as a stratum is a stratum like any other.
** (3) A key with two strata is in both.
*/
#ifndef MLF_ANALYSIS_STRATIFY_H
#define MLF_ANALYSIS_STRATIFY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/value.h"

#define MLF_STRATIFY_SIZE_MAX   1000000
#define MLF_STRATIFY_STRATA_MAX 100000
#define MLF_STRATIFY_RECENT     16
/* Rows of all strata together. With this limit, size * rows fits into 64 bits. */
#define MLF_STRATIFY_ROWS_MAX ((int64_t)1 << 43)

typedef struct mlf_stratify_key {
  uint64_t place;
  mlf_value key; /* owns its text */
} mlf_stratify_key;

typedef struct mlf_stratum {
  mlf_value value; /* owns its text */
  uint64_t hash;
  int64_t population;
  uint64_t place_max;     /* a key with a place above it is not among the smallest */
  mlf_stratify_key *keys; /* owned */
  size_t count;
  size_t capacity;
} mlf_stratum;

typedef struct mlf_stratify {
  int64_t size;
  int64_t seed;
  uint64_t seeds[5]; /* by mlf_value_type */
  int64_t rows;
  mlf_stratum *strata; /* owned */
  size_t count;
  size_t capacity;
  uint32_t recent[MLF_STRATIFY_RECENT]; /* indexes of strata that came lately */
  uint32_t *slots; /* owned; a hash table of index + 1 into strata, 0 where empty */
  size_t slot_count;
} mlf_stratify;

/* An empty state. 0 <= size <= MLF_STRATIFY_SIZE_MAX. */
void mlf_stratify_init(mlf_stratify *state, int64_t size, int64_t seed);

void mlf_stratify_clear(mlf_stratify *state);

/* Adds a row; both values are copied if they are kept. SQLITE_OK, SQLITE_NOMEM, or SQLITE_ERROR
** for more than MLF_STRATIFY_STRATA_MAX strata. After a failure the caller may only clear the
** state. */
int mlf_stratify_add(mlf_stratify *state, const mlf_value *key, const mlf_value *stratum,
                     mlf_error *error);

/* Adds to a stratum's population rows whose keys are known not to be among the smallest. It fails
** as mlf_stratify_add does. */
int mlf_stratify_add_rows(mlf_stratify *state, const mlf_value *stratum, int64_t rows,
                          mlf_error *error);

/* Adds the rows of another state, which is finished and has the same size and seed. It fails as
** mlf_stratify_add does. */
int mlf_stratify_merge(mlf_stratify *state, const mlf_stratify *from, mlf_error *error);

/* Reduces the keys to the sample, and sorts: strata in SQL's order, keys by place. Nothing can be
** added afterwards. */
void mlf_stratify_finish(mlf_stratify *state);

/* The place of a key. */
uint64_t mlf_stratify_place(const mlf_stratify *state, const mlf_value *key);

/* SQL's order: NULL, numbers, text, blobs; text and blobs by bytes. Below, at or above 0. */
int mlf_stratify_compare(const mlf_value *a, const mlf_value *b);

#endif
