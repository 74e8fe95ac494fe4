#include "analysis/ordered.h"

#include <assert.h>
#include <string.h>

#include "base/array.h"
#include "base/sqlite_api.h"

void mlf_ordered_clear(mlf_ordered *ordered) {
  for (size_t i = 0; i < ordered->block_count; i++)
    sqlite3_free(ordered->blocks[i].keys);
  sqlite3_free(ordered->blocks);
  memset(ordered, 0, sizeof(*ordered));
}

/* The last block whose first key is not above `key`; the first block if all are. */
static size_t ordered_find_block(const mlf_ordered *ordered, uint64_t key) {
  size_t low = 0;
  size_t high = ordered->block_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (ordered->blocks[middle].keys[0] <= key)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* How many keys of the block are below `key`. */
static size_t ordered_find_key(const mlf_ordered_block *block, uint64_t key) {
  size_t low = 0;
  size_t high = block->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (block->keys[middle] < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Makes room in the list for a new empty block at `index`. */
static int ordered_add_block(mlf_ordered *ordered, size_t index) {
  mlf_ordered_block *blocks = mlf_array_room(ordered->blocks, ordered->block_count,
                                             &ordered->block_capacity, 4, sizeof(*blocks));
  if (!blocks) return SQLITE_NOMEM;
  ordered->blocks = blocks;
  uint64_t *keys = sqlite3_malloc64(MLF_ORDERED_BLOCK * sizeof(*keys));
  if (!keys) return SQLITE_NOMEM;
  mlf_ordered_block *block = &ordered->blocks[index];
  memmove(block + 1, block, (ordered->block_count - index) * sizeof(*block));
  *block = (mlf_ordered_block){.keys = keys};
  ordered->block_count++;
  return SQLITE_OK;
}

/* Moves the upper half of a full block into a new one behind it. */
static int ordered_split(mlf_ordered *ordered, size_t index) {
  const size_t half = MLF_ORDERED_BLOCK / 2;
  int rc = ordered_add_block(ordered, index + 1);
  if (rc != SQLITE_OK) return rc;
  mlf_ordered_block *lower = &ordered->blocks[index];
  mlf_ordered_block *upper = lower + 1;
  memcpy(upper->keys, lower->keys + half, (MLF_ORDERED_BLOCK - half) * sizeof(*upper->keys));
  upper->count = MLF_ORDERED_BLOCK - half;
  lower->count = half;
  /* Ahead of the split, the mark stands before the same keys, now one block further on. */
  if (ordered->near_block > index) ordered->near_block++;
  return SQLITE_OK;
}

int mlf_ordered_insert(mlf_ordered *ordered, uint64_t key) {
  int rc = SQLITE_OK;
  if (ordered->block_count == 0) rc = ordered_add_block(ordered, 0);
  if (rc != SQLITE_OK) return rc;
  size_t index = ordered_find_block(ordered, key);
  if (ordered->blocks[index].count == MLF_ORDERED_BLOCK) {
    rc = ordered_split(ordered, index);
    if (rc != SQLITE_OK) return rc;
    if (ordered->blocks[index + 1].keys[0] <= key) index++;
  }
  mlf_ordered_block *block = &ordered->blocks[index];
  size_t place = ordered_find_key(block, key);
  memmove(block->keys + place + 1, block->keys + place,
          (block->count - place) * sizeof(*block->keys));
  block->keys[place] = key;
  block->count++;
  ordered->count++;
  if (index < ordered->near_block) ordered->near_before++;
  return SQLITE_OK;
}

bool mlf_ordered_remove(mlf_ordered *ordered, uint64_t key) {
  if (ordered->count == 0) return false;
  size_t index = ordered_find_block(ordered, key);
  mlf_ordered_block *block = &ordered->blocks[index];
  size_t place = ordered_find_key(block, key);
  if (place == block->count || block->keys[place] != key) return false;
  block->count--;
  memmove(block->keys + place, block->keys + place + 1,
          (block->count - place) * sizeof(*block->keys));
  ordered->count--;
  if (index < ordered->near_block) ordered->near_before--;
  if (block->count > 0) return true;
  sqlite3_free(block->keys);
  ordered->block_count--;
  memmove(block, block + 1, (ordered->block_count - index) * sizeof(*block));
  if (index < ordered->near_block || ordered->near_block == ordered->block_count) {
    ordered->near_block = 0;
    ordered->near_before = 0;
  }
  return true;
}

uint64_t mlf_ordered_at(mlf_ordered *ordered, size_t rank) {
  assert(rank < ordered->count);
  size_t index = ordered->near_block;
  size_t before = ordered->near_before;
  while (rank < before)
    before -= ordered->blocks[--index].count;
  while (rank - before >= ordered->blocks[index].count)
    before += ordered->blocks[index++].count;
  ordered->near_block = index;
  ordered->near_before = before;
  return ordered->blocks[index].keys[rank - before];
}
