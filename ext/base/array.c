#include "base/array.h"

#include "base/sqlite_api.h"

void *mlf_array_room(void *items, size_t count, size_t *capacity, size_t first, size_t item_bytes) {
  if (count < *capacity) return items;
  size_t grown_capacity = *capacity ? 2 * *capacity : first;
  void *grown = sqlite3_realloc64(items, (sqlite3_uint64)grown_capacity * item_bytes);
  if (grown) *capacity = grown_capacity;
  return grown;
}
