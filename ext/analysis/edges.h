/* edges.h: where does one bucket end and the next begin, and what are they called?
**
** Edges are JSON, given by the user:
**
**   [100, 500]                                  "<100", "100-500", ">=500"
**   {"fast": 1000, "medium": 5000, "slow": null}  each name with the bound it stays below
**
** (1) Buckets are half-open: a value that equals a bound is in the bucket above it.
** (2) Bounds are finite numbers that increase. A name that is made of bounds has them as they were
**     written.
** (3) Every value has a bucket: in an object the last member is null, and only that one.
** (4) Names are different, and have no \u0000 and no lone surrogate.
** (5) An array has at least one bound, an object at least one member. There are at most
**     MLF_EDGES_MAX buckets.
*/
#ifndef MLF_ANALYSIS_EDGES_H
#define MLF_ANALYSIS_EDGES_H

#include <stddef.h>

#include "base/error.h"

#define MLF_EDGES_MAX     1000
#define MLF_EDGES_DEFAULT "{\"fast\":1000,\"medium\":5000,\"slow\":null}"

typedef struct mlf_edge {
  double bound; /* the bucket's values are below it; infinite for the last */
  char *name;   /* owned; decoded, UTF-8 if the JSON was */
  char *json;   /* owned; the name as a JSON string */
} mlf_edge;

typedef struct mlf_edges {
  mlf_edge *buckets; /* owned */
  size_t count;
  size_t capacity;
} mlf_edges;

/* Reads `text`, `length` bytes. `edges` is all zero before, and can be cleared after any result.
** SQLITE_NOMEM, or SQLITE_ERROR with a text that says what is wrong and at which byte, from 0. */
int mlf_edges_read(const char *text, size_t length, mlf_edges *edges, mlf_error *error);

void mlf_edges_clear(mlf_edges *edges);

/* The index of the bucket that holds `value`, which is no NaN. */
size_t mlf_edges_find(const mlf_edges *edges, double value);

#endif
