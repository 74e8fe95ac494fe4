/* id_set.h: a set of trace ids: which traces have been seen.
**
** MLflow's ids are `tr-` and 32 hexadecimal digits: 16 bytes, which is what such an id costs here
** (40 with the free places). Any other text can be in the set, too, and costs its bytes. */
#ifndef MLF_BASE_ID_SET_H
#define MLF_BASE_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/string_set.h"

typedef struct mlf_packed_id {
  uint64_t high;
  uint64_t low;
} mlf_packed_id;

/* All zero: empty. */
typedef struct mlf_id_set {
  mlf_packed_id *slots; /* open addressing; both 0 where empty */
  size_t slot_count;
  size_t count;
  mlf_string_set others; /* what cannot be packed */
} mlf_id_set;

void mlf_id_set_clear(mlf_id_set *set);

/* Adds an id. `*added` says whether it was new. SQLITE_OK or SQLITE_NOMEM. */
int mlf_id_set_add(mlf_id_set *set, const char *id, bool *added);

#endif
