/* slices.h: the queue of slices that a walk is cut into.
**
** A slice is a range of time, or a part of the walk's list of ids; slices are disjoint. The head is
** being handed out. A slice is open once its first page was asked for; until then it is a range of
** which pieces can be cut.
*/
#ifndef MLF_REMOTE_SLICES_H
#define MLF_REMOTE_SLICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "remote/client.h"
#include "remote/search.h"

/* Times in the order of the walk: a key is the timestamp, or its negative when the newest come
** first, so that keys always grow. INT64_MAX, and what is below -INT64_MAX + 1, is no bound. */
typedef int64_t mlf_slice_key;

typedef struct mlf_slice {
  struct mlf_slice *next;
  bool open;
  mlf_slice_key begin; /* keys begin..end; begin moves on as pages arrive */
  mlf_slice_key end;
  size_t ids_begin; /* of the walk's list */
  size_t ids_end;
  mlf_call *call;          /* the next page, under way */
  int asked;               /* rows asked in that call, */
  mlf_slice_key asked_end; /* and up to here */
  bool helped;             /* it was sent with our own filter */
  mlf_page page;           /* in hand */
  int64_t kept;            /* rows handed out of it */
  bool last;               /* no page comes after it */
  bool tied;               /* one millisecond, `begin`, fills a page: it is walked by tokens */
  bool tie_walking;    /* the page in hand is of such a walk, not the one that showed the need */
  int64_t tie_added;   /* rows that this walk has brought, */
  uint64_t tie_print;  /* what it has met: a sum of hashes, the same in another order of rows */
  uint64_t tie_before; /* the same of the walk before it */
  char *edge;          /* id of the last row of the page before the next: it has to come again;
                          owned; NULL if none has */
  bool asked_again;    /* because it did not */
  double width;        /* keys that a page spans, by the last one; 0: not known */
} mlf_slice;

/* Twice as many as streams, the one in hand, and what is left. */
#define MLF_SLICES_MAX (2 * MLF_STREAMS_MAX + 2)

/* All zero: empty. The slices do not move. */
typedef struct mlf_slices {
  mlf_slice *head;
  mlf_slice *unused;
  mlf_slice places[MLF_SLICES_MAX];
  size_t used; /* of places, unused ones among them */
  size_t count;
} mlf_slices;

/* Puts an empty slice behind `after`, or at the head if that is NULL. NULL if there are
** MLF_SLICES_MAX. */
mlf_slice *mlf_slices_insert(mlf_slices *slices, mlf_slice *after);

/* Takes the head away, whose call, page and ids the caller has freed. */
void mlf_slices_pop(mlf_slices *slices);

/* Moves the head to the end. */
void mlf_slices_rotate(mlf_slices *slices);

/* Shortens a range of time to begin..end, or one of ids to `id_count`; what is left of it comes
** behind. Nothing happens if nothing is left, or there is no place. */
void mlf_slices_cut(mlf_slices *slices, mlf_slice *slice, mlf_slice_key end);
void mlf_slices_cut_ids(mlf_slices *slices, mlf_slice *slice, size_t id_count);

/* About how many pages are left of a slice; 0 if nothing is known. */
double mlf_slice_pages_left(const mlf_slice *slice);

/* The same of all together. */
double mlf_slices_pages_left(const mlf_slices *slices);

/* Cuts off the second half of the slice with the most pages left, if these are `pages_min`: the new
** slice. NULL if there is none. */
mlf_slice *mlf_slices_halve(mlf_slices *slices, double pages_min);

/* Says that no row has a key beyond `end`: shortens the last slice, whose page in hand stays. */
void mlf_slices_end(mlf_slices *slices, mlf_slice_key end);

/* The last one; NULL if there is none. */
mlf_slice *mlf_slices_tail(mlf_slices *slices);

/* How many wait for the server. */
size_t mlf_slices_under_way(const mlf_slices *slices);

#endif
