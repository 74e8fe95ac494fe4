/* array.h: room for one item more in an array that grows. */
#ifndef MLF_BASE_ARRAY_H
#define MLF_BASE_ARRAY_H

#include <stddef.h>

/* Gives the array with room for an item at `count`. It is as it was, or, where `count` has reached
** `*capacity`, it has moved into twice the room (`first` items at first). NULL without memory: the
** array is as before, still the caller's. `items` is NULL before the first; the caller frees the
** array with sqlite3_free. */
void *mlf_array_room(void *items, size_t count, size_t *capacity, size_t first, size_t item_bytes);

#endif
