#include "base/string_set.h"

#include <assert.h>
#include <string.h>

#include "base/sqlite_api.h"

uint64_t mlf_bytes_hash(uint64_t hash, const void *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
  return hash;
}

uint64_t mlf_string_hash(const char *text) {
  return mlf_bytes_hash(MLF_HASH_OF_NONE, text, strlen(text));
}

/* The slot that holds `text`, or the empty one where it belongs. */
static char **string_set_slot(char **slots, size_t slot_count, const char *text) {
  assert(slot_count > 0 && (slot_count & (slot_count - 1)) == 0);
  size_t at = (size_t)mlf_string_hash(text) & (slot_count - 1);
  while (slots[at] && strcmp(slots[at], text) != 0)
    at = (at + 1) & (slot_count - 1);
  return &slots[at];
}

static int string_set_grow(mlf_string_set *set) {
  size_t slot_count = set->slot_count ? set->slot_count * 2 : 16;
  char **slots = sqlite3_malloc64(slot_count * sizeof(*slots));
  if (!slots) return SQLITE_NOMEM;
  memset(slots, 0, slot_count * sizeof(*slots));
  for (size_t i = 0; i < set->slot_count; i++) {
    if (set->slots[i]) *string_set_slot(slots, slot_count, set->slots[i]) = set->slots[i];
  }
  sqlite3_free(set->slots);
  set->slots = slots;
  set->slot_count = slot_count;
  return SQLITE_OK;
}

void mlf_string_set_init(mlf_string_set *set) {
  memset(set, 0, sizeof(*set));
}

void mlf_string_set_clear(mlf_string_set *set) {
  for (size_t i = 0; i < set->slot_count; i++)
    sqlite3_free(set->slots[i]);
  sqlite3_free(set->slots);
  mlf_string_set_init(set);
}

bool mlf_string_set_has(const mlf_string_set *set, const char *text) {
  return set->count && *string_set_slot(set->slots, set->slot_count, text);
}

int mlf_string_set_add(mlf_string_set *set, const char *text, bool *added) {
  *added = false;
  if (set->count * 2 >= set->slot_count) {
    int rc = string_set_grow(set);
    if (rc != SQLITE_OK) return rc;
  }
  assert(set->count < set->slot_count); /* or the search for an empty slot would not end */
  char **slot = string_set_slot(set->slots, set->slot_count, text);
  if (*slot) return SQLITE_OK;
  *slot = sqlite3_mprintf("%s", text);
  if (!*slot) return SQLITE_NOMEM;
  set->count++;
  *added = true;
  return SQLITE_OK;
}
