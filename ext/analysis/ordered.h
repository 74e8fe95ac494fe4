/* ordered.h: which value has rank r, while values come and go?
**
** A multiset of 64-bit keys in order: a list of sorted blocks, none of more than
** MLF_ORDERED_BLOCK keys. To add or remove a key, its block is searched for, and keys move within
** that block only. To find a rank, the walk begins at the block that had the rank of the call
** before: in a window that slides by one row this is the same block or its neighbour. So a step
** over a frame of K rows costs O(log K) comparisons, and moves the keys of at most one block; one
** sorted array would move O(K).
*/
#ifndef MLF_ANALYSIS_ORDERED_H
#define MLF_ANALYSIS_ORDERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MLF_ORDERED_BLOCK 512

typedef struct mlf_ordered_block {
  uint64_t *keys; /* owned; MLF_ORDERED_BLOCK places */
  size_t count;   /* at least 1 */
} mlf_ordered_block;

typedef struct mlf_ordered {
  mlf_ordered_block *blocks; /* owned */
  size_t block_count;
  size_t block_capacity;
  size_t count;       /* keys in all blocks */
  size_t near_block;  /* where the walk to a rank begins */
  size_t near_before; /* keys in the blocks before it */
} mlf_ordered;

/* A multiset that is all zero is empty. */
void mlf_ordered_clear(mlf_ordered *ordered);

/* SQLITE_OK, or SQLITE_NOMEM and the multiset is as before. */
int mlf_ordered_insert(mlf_ordered *ordered, uint64_t key);

/* Takes one key of this value out; false if there is none. */
bool mlf_ordered_remove(mlf_ordered *ordered, uint64_t key);

/* The key of this rank. Ranks count from 0; `rank` is less than ordered->count. */
uint64_t mlf_ordered_at(mlf_ordered *ordered, size_t rank);

#endif
