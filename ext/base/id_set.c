#include "base/id_set.h"

#include <assert.h>
#include <string.h>

#include "base/sqlite_api.h"

#define ID_SET_PREFIX "tr-"
#define ID_SET_DIGITS 16 /* of each half */

/* Reads one half; false unless it is written in small digits, so that equal halves are equal
** texts. */
static bool id_set_parse(const char *text, uint64_t *half) {
  *half = 0;
  for (int i = 0; i < ID_SET_DIGITS; i++) {
    char c = text[i];
    bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) return false;
    *half = *half << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
  }
  return true;
}

/* False for what has another form, and for the id that stands for an empty slot. */
static bool id_set_pack(const char *id, mlf_packed_id *packed) {
  size_t prefix = strlen(ID_SET_PREFIX);
  if (strncmp(id, ID_SET_PREFIX, prefix) != 0) return false;
  if (strlen(id) != prefix + 2 * ID_SET_DIGITS) return false;
  return id_set_parse(id + prefix, &packed->high) &&
         id_set_parse(id + prefix + ID_SET_DIGITS, &packed->low) && (packed->high || packed->low);
}

/* The slot that holds the id, or the empty one where it belongs. Who makes ids may count them up,
** so the bits are mixed (splitmix64's constants, Steele, Lea and Flood 2014). */
static mlf_packed_id *id_set_slot(mlf_packed_id *slots, size_t slot_count, mlf_packed_id id) {
  assert(slot_count > 0 && (slot_count & (slot_count - 1)) == 0);
  uint64_t hash = id.high * 0xbf58476d1ce4e5b9u ^ id.low;
  hash = (hash ^ hash >> 31) * 0x94d049bb133111ebu;
  size_t at = (size_t)(hash ^ hash >> 29) & (slot_count - 1);
  while ((slots[at].high || slots[at].low) &&
         (slots[at].high != id.high || slots[at].low != id.low))
    at = (at + 1) & (slot_count - 1);
  return &slots[at];
}

static int id_set_grow(mlf_id_set *set) {
  size_t slot_count = set->slot_count ? set->slot_count * 2 : 64;
  mlf_packed_id *slots = sqlite3_malloc64(slot_count * sizeof(*slots));
  if (!slots) return SQLITE_NOMEM;
  memset(slots, 0, slot_count * sizeof(*slots));
  for (size_t i = 0; i < set->slot_count; i++) {
    mlf_packed_id each = set->slots[i];
    if (each.high || each.low) *id_set_slot(slots, slot_count, each) = each;
  }
  sqlite3_free(set->slots);
  set->slots = slots;
  set->slot_count = slot_count;
  return SQLITE_OK;
}

void mlf_id_set_clear(mlf_id_set *set) {
  sqlite3_free(set->slots);
  mlf_string_set_clear(&set->others);
  memset(set, 0, sizeof(*set));
}

int mlf_id_set_add(mlf_id_set *set, const char *id, bool *added) {
  mlf_packed_id packed;
  *added = false;
  if (!id_set_pack(id, &packed)) return mlf_string_set_add(&set->others, id, added);
  if (set->count * 5 >= set->slot_count * 4) {
    int rc = id_set_grow(set);
    if (rc != SQLITE_OK) return rc;
  }
  assert(set->count < set->slot_count); /* or the search for an empty slot would not end */
  mlf_packed_id *slot = id_set_slot(set->slots, set->slot_count, packed);
  if (slot->high || slot->low) return SQLITE_OK;
  *slot = packed;
  set->count++;
  *added = true;
  return SQLITE_OK;
}
