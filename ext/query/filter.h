/* filter.h: writes MLflow's filter string from a plan's terms and their values.
**
**   SQL:    status = 'OK' AND "tags.environment" = 'prod' AND name LIKE 'ab%' AND timestamp_ms > 5
**   filter: attributes.status = 'OK' AND tags.`environment` = 'prod' AND
**           attributes.name ILIKE 'ab%'                                 (and low_ms = 6)
**
** A term may turn out not to be expressible once its value is known (a text with both kinds of
** quote, a pattern with a backslash, a fraction where MLflow wants a whole number) or not known to
** this server: it is left out, which SQLite's own check of every row makes good.
**
** Values are quoted with ' or ", whichever the value does not hold: MLflow takes what is between
** literally, with no doubling and no escape.
*/
#ifndef MLF_QUERY_FILTER_H
#define MLF_QUERY_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/value.h"
#include "model/catalog.h"
#include "model/server.h"
#include "query/plan.h"

typedef struct mlf_filter_term {
  const mlf_column *column;
  mlf_op op;
  const mlf_value *values; /* one, or those of an IN list; borrowed */
  size_t value_count;
} mlf_filter_term;

/* What to ask. All pointers are borrowed from the terms but `text`. */
typedef struct mlf_filter {
  char *text;           /* conditions joined by AND; owned; NULL if there are none */
  char *spans;          /* conditions on spans, likewise: they find only traces whose spans the
                           server keeps itself */
  const mlf_value *raw; /* the raw filter, ANDed; NULL if none */
  const mlf_value *run; /* of which run all traces are; NULL if none is asked for */
  int64_t low_ms;       /* timestamp_ms is in low_ms..high_ms */
  int64_t high_ms;
  const mlf_value *ids; /* only traces with these ids, if id_count > 0 */
  size_t id_count;
  bool empty;    /* no row can satisfy the terms: nothing need be asked */
  bool complete; /* every term is in, exactly */
} mlf_filter;

/* Writes the filter for a server. Terms on experiments are not looked at: they are no conditions.
** Errors: an argument (filter, in_run) that is no text, or that cannot be sent; SQLITE_NOMEM. The
** filter can be cleared after any result. */
int mlf_filter_write(const mlf_filter_term *terms, int count, mlf_server server, mlf_filter *filter,
                     mlf_error *error);
void mlf_filter_clear(mlf_filter *filter);

/* Whether `text` can stand between quotes; `*quote` is then the one to use. */
bool mlf_filter_quote(const char *text, size_t length, char *quote);

/* Whether all values can stand in a list. */
bool mlf_filter_can_list(const mlf_value *values, size_t count);

#endif
