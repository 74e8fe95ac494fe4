/* find.h: single questions about a walk, each one request unless it says otherwise. */
#ifndef MLF_REMOTE_FIND_H
#define MLF_REMOTE_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "remote/client.h"
#include "remote/search.h"
#include "remote/walk.h"

/* Asks whether the trace with this id is among those of the walk, at this time. */
int mlf_find_trace(mlf_client *client, mlf_budget *budget, const mlf_walk *walk, const char *id,
                   int64_t ms, bool *found, mlf_error *error);

/* Asks which of the walk's ids, MLF_PAGE_ROWS_MAX at most, are of traces that have spans in the
** server's tables: `has` has a place for each. An answer that is refused tells nothing: all may. */
int mlf_find_with_spans(mlf_client *client, mlf_budget *budget, const mlf_walk *walk, bool *has,
                        mlf_error *error);

/* Asks whether some of the walk's traces have their spans elsewhere than in the server's tables,
** where conditions on spans do not find them: two requests. One that is refused tells nothing: some
** may. */
int mlf_find_elsewhere(mlf_client *client, mlf_budget *budget, const mlf_walk *walk,
                       bool *elsewhere, mlf_error *error);

/* Asks for the row at which the walk will end: the first in the opposite order. */
int mlf_find_end_start(mlf_client *client, mlf_budget *budget, const mlf_walk *walk,
                       mlf_call **call, mlf_error *error);

/* Takes the answer, and frees the call: `*any`, and the row's time in `*ms`. An answer that is
** refused (the server does not take our filter) tells nothing: `*known` is false. */
int mlf_find_end_finish(mlf_call **call, const mlf_walk *walk, bool *known, bool *any, int64_t *ms,
                        mlf_error *error);

#endif
