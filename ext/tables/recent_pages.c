#include "tables/recent_pages.h"

#include <string.h>

#include "model/decode_trace.h"

bool mlf_recent_pages_has(const mlf_recent_pages *recent, const mlf_json *page) {
  for (size_t i = 0; i < MLF_RECENT_PAGES; i++) {
    if (recent->pages[i] == page) return true;
  }
  return false;
}

void mlf_recent_pages_put(mlf_recent_pages *recent, const mlf_json *page,
                          const mlf_json_node *from) {
  size_t place = recent->next;
  recent->next = (place + 1) % MLF_RECENT_PAGES;
  mlf_json_free(recent->pages[place]);
  recent->pages[place] = mlf_json_hold(page);
  recent->found[place] = from;
}

/* Whether this is the trace with the id. */
static bool recent_is(const mlf_json_node *trace, const char *id) {
  return trace && strcmp(mlf_trace_id(trace), id) == 0;
}

/* Looks first where the last search in each page ended and right behind it. */
static const mlf_json_node *recent_search(const mlf_recent_pages *recent, const char *id,
                                          size_t *place) {
  for (*place = 0; *place < MLF_RECENT_PAGES; ++*place) {
    const mlf_json_node *last = recent->found[*place], *next = last ? mlf_json_next(last) : NULL;
    if (recent_is(last, id)) return last;
    if (recent_is(next, id)) return next;
  }
  for (*place = 0; *place < MLF_RECENT_PAGES; ++*place) {
    if (!recent->pages[*place]) continue;
    const mlf_json_node *root = mlf_json_root(recent->pages[*place]),
                        *each = mlf_json_first(mlf_json_member(root, "traces"));
    while (each && !recent_is(each, id))
      each = mlf_json_next(each);
    if (each) return each;
  }
  return NULL;
}

const mlf_json_node *mlf_recent_pages_find(mlf_recent_pages *recent, const char *id,
                                           mlf_json **page) {
  size_t place;
  const mlf_json_node *found = recent_search(recent, id, &place);
  if (!found) return NULL;
  recent->found[place] = found;
  *page = mlf_json_hold(recent->pages[place]);
  return found;
}

void mlf_recent_pages_clear(mlf_recent_pages *recent) {
  for (size_t i = 0; i < MLF_RECENT_PAGES; i++)
    mlf_json_free(recent->pages[i]);
}
