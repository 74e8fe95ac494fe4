/* walk.h: what a walk over traces is about, and the filter that asks for one part of it. */
#ifndef MLF_REMOTE_WALK_H
#define MLF_REMOTE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/value.h"

typedef struct mlf_walk {
  const char *const *experiment_ids;
  size_t experiment_count;
  const char *filter; /* our own conditions: a help, may be left out; NULL or empty if none */
  const char *raw;    /* the user's filter: must be sent; NULL if none */
  const char *preset; /* MLFLOW_SQL_FILTER, which must be sent, too; NULL if none */
  const char *run_id; /* all traces of this run, which must be sent, too; NULL if none */
  bool spans;         /* a filter speaks of spans: then no lower bound of time can be sent */
  int64_t low_ms;     /* only traces with timestamps in low_ms..high_ms */
  int64_t high_ms;
  const mlf_value *ids; /* only traces with these ids, if id_count > 0; rows come in any order */
  size_t id_count;
  bool oldest_first;
  bool any_order;      /* the order does not matter, but the first page's */
  int64_t rows_wanted; /* the statement will stop after so many rows; 0: it may read all */
  void *copy;          /* of a copy: what its texts stand in */
} mlf_walk;

/* Copies a walk, but for the preset, which is borrowed; an empty filter is none. The copy lives
** until sqlite3_free(copy->copy). SQLITE_OK or SQLITE_NOMEM. */
int mlf_walk_copy(const mlf_walk *walk, mlf_walk *copy);

/* A part of a walk. */
typedef struct mlf_walk_part {
  size_t ids_begin; /* with walk.ids[ids_begin..ids_end-1] alone, if there are any */
  size_t ids_end;
  int64_t low_ms;  /* no bound at or below -INT64_MAX */
  int64_t high_ms; /* no bound at INT64_MAX */
} mlf_walk_part;

/* Whether conditions on spans are sent, which a raw filter may hold. Beside them the server
** applies a lower bound of time to the spans as well, and so loses traces whose spans began
** earlier: none is sent then, and the walk ends at the bound by itself. */
bool mlf_walk_has_spans(const mlf_walk *walk);

/* Whether this MLFLOW_SQL_FILTER, NULL if none, has a time, and so no conditions on spans may
** stand beside it: see above. */
bool mlf_walk_bars_spans(const char *preset);

/* An error if it has, and the walk's raw filter has conditions on spans. */
int mlf_walk_check_preset(const mlf_walk *walk, const char *preset, mlf_error *error);

/* A filter, NULL for none, and one more condition; free with sqlite3_free. NULL: no memory. */
char *mlf_walk_and(const char *filter, const char *condition);

/* The filter of a part, NULL for none; free with sqlite3_free. SQLITE_OK or SQLITE_NOMEM. */
int mlf_walk_filter(const mlf_walk *walk, const mlf_walk_part *part, char **filter);

#endif
