/* pager.h: walks all traces that a search finds, each exactly once, whatever is inserted or deleted
** meanwhile, in 16 bytes a trace and a few pages. Of those that move see below.
**
** The server's page token is a bare offset: rows move under it. So pages are walked by key, the
** timestamp: the next page is asked for from the last timestamp seen on, and what was handed out
** before is dropped by trace id. Only inside one millisecond that fills a whole page are tokens
** used, again and again until two walks meet the same rows.
**
** A trace may move: an earlier span lowers its time. Newest first it moves ahead of the walk, where
** it is met, or is met again and dropped. Oldest first it may move behind the walk and be missed:
** that order is for what fits into one page. So may one that moves from one slice to another while
** both are read side by side, which is why that is done only where 16 pages or more are left.
**
** The first request is for one page with no more bounds than the statement has. If the statement
** goes on reading, the next page is asked for before it is wanted; and if much is left, it is
** fetched side by side, as a queue of slices (remote/slices.h):
**
** (1) Where any order will do, the time that is left is halved, and halved again, until there are
**     as many slices as streams. Each is walked by key, and they take turns, a page each; when one
**     comes to its end, the one with the most left is halved. So all pages but the last ones are
**     full, and all streams busy.
** (2) In order of time, ranges are cut off that are each thought to hold about one page, by the
**     density seen so far; one that holds more is walked by key when its turn comes.
** (3) A search by ids is a queue of batches.
**
** At most `streams` requests are under way, and at most twice as many replies in memory. The rows
** of the first page are always the first of the order asked for.
*/
#ifndef MLF_REMOTE_PAGER_H
#define MLF_REMOTE_PAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/json.h"
#include "remote/client.h"
#include "remote/walk.h"

typedef struct mlf_pager mlf_pager;

/* Sends nothing yet. The walk is copied. */
int mlf_pager_new(mlf_client *client, mlf_budget *budget, const mlf_walk *walk, mlf_pager **out,
                  mlf_error *error);

/* The next trace: SQLITE_ROW, SQLITE_DONE, or an error, after which the walk is over. `*trace` and
** `*page` are borrowed until the next call. */
int mlf_pager_next(mlf_pager *pager, const mlf_json **page, const mlf_json_node **trace,
                   mlf_error *error);

/* The first trace of the page that comes after the one in hand, if that page is here already; it
** may be handed out later, or be a repetition. `*trace` is NULL if it is not here, and borrowed
** until the next call. Errors as in mlf_pager_next. */
int mlf_pager_peek(mlf_pager *pager, const mlf_json_node **trace, mlf_error *error);

/* Cancels what is under way. NULL is allowed. */
void mlf_pager_free(mlf_pager *pager);

#endif
