/* bucket.h: how many values fall into each bucket, while values come and go? */
#ifndef MLF_ANALYSIS_BUCKET_H
#define MLF_ANALYSIS_BUCKET_H

#include <stdint.h>

#include "analysis/edges.h"
#include "base/buffer.h"

typedef struct mlf_bucket {
  mlf_edges edges; /* owned */
  int64_t *counts; /* owned; one a bucket */
} mlf_bucket;

/* Empty buckets between the edges that `text` describes (edges.h, with its errors). `bucket` is all
** zero before, and can be cleared after any result. */
int mlf_bucket_init(mlf_bucket *bucket, const char *text, size_t length, mlf_error *error);

void mlf_bucket_clear(mlf_bucket *bucket);

/* Adds `change`, 1 or -1, to the count of the bucket that holds `value`, which is no NaN. */
void mlf_bucket_count(mlf_bucket *bucket, double value, int change);

/* Appends {"NAME":COUNT,...} in the order of the edges. SQLITE_OK or the buffer's error. */
int mlf_bucket_write(const mlf_bucket *bucket, mlf_buffer *out);

#endif
