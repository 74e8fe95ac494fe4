#include "remote/slices.h"

#include <assert.h>
#include <string.h>

#ifndef NDEBUG
/* The chain is as long as it says, and no list of ids is turned round. */
static bool slices_are_sound(const mlf_slices *slices) {
  size_t count = 0;
  for (const mlf_slice *each = slices->head; each; each = each->next) {
    if (++count > slices->count || each->ids_begin > each->ids_end) return false;
  }
  return count == slices->count && slices->count <= slices->used;
}
#endif

mlf_slice *mlf_slices_insert(mlf_slices *slices, mlf_slice *after) {
  mlf_slice *slice = slices->unused;
  if (slice) {
    slices->unused = slice->next;
  } else if (slices->used < MLF_SLICES_MAX) {
    slice = &slices->places[slices->used++];
  } else {
    return NULL;
  }
  mlf_slice **link = after ? &after->next : &slices->head;
  *slice = (mlf_slice){.next = *link};
  *link = slice;
  slices->count++;
  assert(slices_are_sound(slices));
  return slice;
}

void mlf_slices_pop(mlf_slices *slices) {
  mlf_slice *head = slices->head;
  assert(head && !head->call);
  slices->head = head->next;
  head->next = slices->unused;
  slices->unused = head;
  slices->count--;
  assert(slices_are_sound(slices));
}

void mlf_slices_rotate(mlf_slices *slices) {
  mlf_slice *head = slices->head;
  if (!head->next) return;
  mlf_slices_tail(slices)->next = head;
  slices->head = head->next;
  head->next = NULL;
}

void mlf_slices_cut(mlf_slices *slices, mlf_slice *slice, mlf_slice_key end) {
  if (end >= slice->end) return;
  mlf_slice *rest = mlf_slices_insert(slices, slice);
  if (!rest) return;
  rest->begin = end + 1;
  rest->end = slice->end;
  slice->end = end;
  assert(slice->begin <= slice->end && slice->end < rest->begin && rest->begin <= rest->end);
}

void mlf_slices_cut_ids(mlf_slices *slices, mlf_slice *slice, size_t id_count) {
  assert(id_count > 0);
  if (slice->ids_end - slice->ids_begin <= id_count) return;
  mlf_slice *rest = mlf_slices_insert(slices, slice);
  if (!rest) return;
  rest->begin = slice->begin;
  rest->end = slice->end;
  rest->ids_begin = slice->ids_begin + id_count;
  rest->ids_end = slice->ids_end;
  slice->ids_end = rest->ids_begin;
}

double mlf_slice_pages_left(const mlf_slice *slice) {
  if (slice->last || slice->tied || slice->width <= 0) return 0;
  return ((double)slice->end - (double)slice->begin + 1) / slice->width;
}

double mlf_slices_pages_left(const mlf_slices *slices) {
  double pages = 0;
  double width = 0; /* of a page, in the slice before where the slice itself has none yet */
  for (const mlf_slice *each = slices->head; each; each = each->next) {
    if (each->end == INT64_MAX) return 0;
    if (each->width > 0) width = each->width;
    if (!each->last && width > 0) pages += ((double)each->end - (double)each->begin + 1) / width;
  }
  return pages;
}

mlf_slice *mlf_slices_halve(mlf_slices *slices, double pages_min) {
  mlf_slice *most = slices->head;
  for (mlf_slice *each = slices->head; each; each = each->next) {
    if (mlf_slice_pages_left(each) > mlf_slice_pages_left(most)) most = each;
  }
  if (!most || mlf_slice_pages_left(most) < pages_min) return NULL;
  mlf_slice *before = most->next;
  uint64_t half =
      ((uint64_t)most->end - (uint64_t)most->begin) / 2; /* in 64 bits, unlike a whole */
  mlf_slices_cut(slices, most, most->begin + (mlf_slice_key)half);
  if (most->next == before) return NULL;
  most->next->width = most->width;
  return most->next;
}

void mlf_slices_end(mlf_slices *slices, mlf_slice_key end) {
  mlf_slice *tail = mlf_slices_tail(slices);
  if (!tail || end >= tail->end) return;
  if (tail->open) {
    tail->end = end > tail->begin ? end : tail->begin;
  } else {
    tail->end = end;
    tail->open = tail->last = end < tail->begin;
  }
}

mlf_slice *mlf_slices_tail(mlf_slices *slices) {
  mlf_slice *tail = slices->head;
  while (tail && tail->next)
    tail = tail->next;
  return tail;
}

size_t mlf_slices_under_way(const mlf_slices *slices) {
  size_t waiting = 0;
  for (const mlf_slice *each = slices->head; each; each = each->next)
    waiting += each->call && !mlf_call_done(each->call);
  return waiting;
}
