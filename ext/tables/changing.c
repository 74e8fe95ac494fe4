#include "tables/changing.h"

#include <string.h>

#include "base/string_set.h"

/* If two values have one hash the term is taken for one that stays, and all that comes of it are
** more requests. */
static uint64_t changing_hash(const mlf_filter_term *term) {
  uint64_t hash = MLF_HASH_OF_NONE;
  for (size_t i = 0; i < term->value_count; i++) {
    const mlf_value *value = &term->values[i];
    hash = mlf_bytes_hash(hash, &value->type, sizeof(value->type));
    hash = mlf_bytes_hash(hash, &value->length, sizeof(value->length));
    switch (value->type) {
    case MLF_INTEGER: hash = mlf_bytes_hash(hash, &value->integer, sizeof(value->integer)); break;
    case MLF_REAL: hash = mlf_bytes_hash(hash, &value->real, sizeof(value->real)); break;
    case MLF_TEXT:
    case MLF_BLOB: hash = mlf_bytes_hash(hash, value->text, value->length); break;
    default: break;
    }
  }
  return hash;
}

const mlf_changing *mlf_changing_note(mlf_changing **list, const char *plan_text,
                                      const mlf_bound_terms *bound) {
  mlf_changing *it = *list;
  while (it && it->plan_text != plan_text)
    it = it->next;
  bool again = it && it->count == bound->count;
  if (!it) {
    it = sqlite3_malloc64(sizeof(*it));
    if (!it) return NULL;
    memset(it, 0, sizeof(*it));
    it->plan_text = plan_text;
    it->next = *list;
    *list = it;
  }
  it->count = bound->count;
  for (int i = 0; i < bound->count; i++) {
    uint64_t hash = changing_hash(&bound->terms[i]);
    it->changes[i] = again && (it->changes[i] || it->last[i] != hash);
    it->last[i] = hash;
  }
  return it;
}

void mlf_changing_clear(mlf_changing **list) {
  while (*list) {
    mlf_changing *first = *list;
    *list = first->next;
    sqlite3_free(first);
  }
}
