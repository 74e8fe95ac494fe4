#include "analysis/quantile.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/sqlite_api.h"

#define QUANTILE_BUCKETS   2048
#define QUANTILE_SORT_MAX  32
#define QUANTILE_BYTES_MAX 0x7fffff00 /* the largest block that sqlite3_realloc64 gives */
#define QUANTILE_COUNT_MAX (QUANTILE_BYTES_MAX / sizeof(uint64_t))
#define QUANTILE_SIGN      ((uint64_t)1 << 63)

/* IEEE 754 numbers of one sign are ordered as their bits are. */
static uint64_t quantile_key(double value) {
  uint64_t bits;
  value += 0.0; /* -0.0 becomes 0.0, its equal */
  memcpy(&bits, &value, sizeof(bits));
  return bits & QUANTILE_SIGN ? ~bits : bits | QUANTILE_SIGN;
}

static double quantile_value(uint64_t key) {
  double value;
  uint64_t bits = key & QUANTILE_SIGN ? key ^ QUANTILE_SIGN : ~key;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

void mlf_quantile_clear(mlf_quantile *quantile) {
  sqlite3_free(quantile->keys);
  mlf_ordered_clear(&quantile->ordered);
  memset(quantile, 0, sizeof(*quantile));
}

size_t mlf_quantile_count(const mlf_quantile *quantile) {
  return quantile->is_ordered ? quantile->ordered.count : quantile->count;
}

/* Memory that was asked for but not yet written is address space only, so doubling keeps to 8
** bytes a value. */
static int quantile_grow(mlf_quantile *quantile) {
  size_t capacity = quantile->capacity ? 2 * quantile->capacity : QUANTILE_SORT_MAX;
  if (capacity > QUANTILE_COUNT_MAX) capacity = QUANTILE_COUNT_MAX;
  if (capacity == quantile->capacity) return SQLITE_NOMEM;
  uint64_t *grown = sqlite3_realloc64(quantile->keys, capacity * sizeof(*grown));
  if (!grown) return SQLITE_NOMEM;
  quantile->keys = grown;
  quantile->capacity = capacity;
  return SQLITE_OK;
}

int mlf_quantile_add(mlf_quantile *quantile, double value) {
  if (quantile->is_ordered) return mlf_ordered_insert(&quantile->ordered, quantile_key(value));
  if (quantile->count == quantile->capacity) {
    int rc = quantile_grow(quantile);
    if (rc != SQLITE_OK) return rc;
  }
  quantile->keys[quantile->count++] = quantile_key(value);
  return SQLITE_OK;
}

static int quantile_order(mlf_quantile *quantile) {
  if (quantile->is_ordered) return SQLITE_OK;
  for (size_t i = 0; i < quantile->count; i++) {
    int rc = mlf_ordered_insert(&quantile->ordered, quantile->keys[i]);
    if (rc != SQLITE_OK) {
      mlf_ordered_clear(&quantile->ordered);
      return rc;
    }
  }
  sqlite3_free(quantile->keys);
  quantile->keys = NULL;
  quantile->count = quantile->capacity = 0;
  quantile->is_ordered = true;
  return SQLITE_OK;
}

int mlf_quantile_remove(mlf_quantile *quantile, double value) {
  int rc = quantile_order(quantile);
  if (rc == SQLITE_OK) mlf_ordered_remove(&quantile->ordered, quantile_key(value));
  return rc;
}

static void quantile_sort(uint64_t *keys, size_t count) {
  for (size_t i = 1; i < count; i++) {
    uint64_t key = keys[i];
    size_t place = i;
    for (; place > 0 && keys[place - 1] > key; place--)
      keys[place] = keys[place - 1];
    keys[place] = key;
  }
}

/* Divides the keys by the first 11 bits in which they differ, counted down from bit `shift` + 10,
** and keeps those that share a bucket with the key of rank `*rank`, which becomes the rank among
** them. `*next` is lowered to the least key above the bucket. Returns how many are kept. */
static size_t quantile_narrow(uint64_t *keys, size_t count, uint64_t low, int shift, size_t *rank,
                              uint64_t *next) {
  uint32_t sizes[QUANTILE_BUCKETS] = {0};
  const uint64_t base = low >> shift;
  for (size_t i = 0; i < count; i++)
    sizes[(keys[i] >> shift) - base]++;
  uint64_t bucket = 0;
  for (; *rank >= sizes[bucket]; bucket++)
    *rank -= sizes[bucket];
  bucket += base;
  size_t kept = 0;
  uint64_t least = *next;
  for (size_t i = 0; i < count; i++) {
    uint64_t key = keys[i];
    uint64_t digits = key >> shift;
    keys[kept] = key; /* kept <= i: it is overwritten unless it counts */
    kept += digits == bucket;
    least = digits > bucket && key < least ? key : least;
  }
  *next = least;
  return kept;
}

/* The key of rank `rank`, and the one of the next rank if there is one. */
static void quantile_select(uint64_t *keys, size_t count, size_t rank, uint64_t found[2]) {
  uint64_t next = UINT64_MAX;
  while (count > QUANTILE_SORT_MAX) {
    uint64_t low = keys[0];
    uint64_t high = keys[0];
    for (size_t i = 1; i < count; i++) {
      low = keys[i] < low ? keys[i] : low;
      high = keys[i] > high ? keys[i] : high;
    }
    if (low == high) break;
    int shift = 0;
    while ((high >> shift) - (low >> shift) >= QUANTILE_BUCKETS)
      shift++;
    count = quantile_narrow(keys, count, low, shift, &rank, &next);
  }
  if (count <= QUANTILE_SORT_MAX) quantile_sort(keys, count);
  found[0] = keys[rank];
  found[1] = rank + 1 < count ? keys[rank + 1] : next;
}

static double quantile_interpolate(double low, double high, double part) {
  double value = low + (high - low) * part;
  /* The difference of two finite numbers may be beyond a double, what is between them is not. */
  return isfinite(value) ? value : low * (1 - part) + high * part;
}

double mlf_quantile_take(mlf_quantile *quantile, double fraction, mlf_quantile_kind kind) {
  assert(mlf_quantile_count(quantile) > 0);
  size_t last = mlf_quantile_count(quantile) - 1;
  double place = fraction * (double)last;
  size_t rank = (size_t)place;
  uint64_t found[2];
  if (!quantile->is_ordered) {
    quantile_select(quantile->keys, quantile->count, rank, found);
  } else {
    found[0] = mlf_ordered_at(&quantile->ordered, rank);
    found[1] = rank < last ? mlf_ordered_at(&quantile->ordered, rank + 1) : 0;
  }
  double part = place - (double)rank;
  double low = quantile_value(found[0]);
  if (kind == MLF_QUANTILE_LOWER || part == 0) return low;
  return quantile_interpolate(low, quantile_value(found[1]), part);
}

int mlf_quantile_peek(mlf_quantile *quantile, double fraction, mlf_quantile_kind kind,
                      double *result) {
  int rc = quantile_order(quantile);
  if (rc == SQLITE_OK) *result = mlf_quantile_take(quantile, fraction, kind);
  return rc;
}
