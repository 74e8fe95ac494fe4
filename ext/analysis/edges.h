/* edges.h: where does one bucket end and the next begin, and what are they called?
**
** Edges are JSON, given by the user:
**
**   [100, 500]                                  "<100", "100-500", ">=500"
**   {"fast": 1000, "medium": 5000, "slow": null}  each name with the bound it stays below
**
** (1) Buckets are half-open: a value that equals a bound is in the bucket above it.
** (2) Bounds are finite numbers that increase. Names made of them use the number's own text.
** (3) Every value has a bucket: the last member of an object is null, and no other is.
** (4) Names are different, and have no \u0000 and no lone surrogate.
** (5) At least one bound in an array, one member in an object; at most MLF_EDGES_MAX buckets.
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
