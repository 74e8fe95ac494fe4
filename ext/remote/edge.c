#include "remote/edge.h"

#include <string.h>

#include "model/decode_trace.h"

const char *mlf_edge_of(const mlf_page *page) {
  const mlf_json_node *last = page->next;
  for (const mlf_json_node *each = last; each; each = mlf_json_next(each))
    last = each;
  return mlf_trace_id(last);
}

bool mlf_edge_is_met(const mlf_page *page, const char *id, int64_t ms) {
  for (const mlf_json_node *each = page->next; each; each = mlf_json_next(each)) {
    int64_t own_ms = 0;
    mlf_trace_timestamp(each, &own_ms);
    if (own_ms != ms) return false;
    if (strcmp(mlf_trace_id(each), id) == 0) return true;
  }
  return false;
}
