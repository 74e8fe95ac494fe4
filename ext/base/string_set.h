/* string_set.h: a set of strings: which ids have been seen. */
#ifndef MLF_BASE_STRING_SET_H
#define MLF_BASE_STRING_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mlf_string_set {
  char **slots; /* open addressing; owned strings, NULL where empty */
  size_t slot_count;
  size_t count;
} mlf_string_set;

/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/. Of bytes behind others, whose hash
** is given: that of none is MLF_HASH_OF_NONE. */
#define MLF_HASH_OF_NONE 14695981039346656037u
uint64_t mlf_bytes_hash(uint64_t hash, const void *bytes, size_t length);
uint64_t mlf_string_hash(const char *text);

void mlf_string_set_init(mlf_string_set *set);
void mlf_string_set_clear(mlf_string_set *set);
bool mlf_string_set_has(const mlf_string_set *set, const char *text);

/* Adds a copy. `*added` says whether it was new. SQLITE_OK or SQLITE_NOMEM. */
int mlf_string_set_add(mlf_string_set *set, const char *text, bool *added);

#endif
