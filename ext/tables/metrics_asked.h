/* metrics_asked.h: what a scan of mlflow_metrics asks for, read from the values that it is told. */
#ifndef MLF_TABLES_METRICS_ASKED_H
#define MLF_TABLES_METRICS_ASKED_H

#include "base/limits.h"
#include "remote/metrics.h"
#include "tables/metrics_columns.h"

/* All zero: nothing was read yet. */
typedef struct mlf_metrics_asked {
  sqlite3_value *told[MLF_METRICS_COLUMN_COUNT]; /* copies, but of aggregation; NULL: not told */
  const char *texts[MLF_METRICS_COLUMN_COUNT];   /* theirs; NULL: not told, or a number */
  char *names[MLF_METRICS_AGGREGATIONS_MAX];     /* of the aggregations, as they were asked for */
  mlf_aggregation aggregations[MLF_METRICS_AGGREGATIONS_MAX];
  char *filters[MLF_METRICS_FILTERS_MAX];
  mlf_metrics_question question; /* of all but the experiments; borrows from the rest */
  bool nothing;                  /* no row can hold what is asked: a NULL, a blob, an empty list */
} mlf_metrics_asked;

/* Reads the arguments of xFilter. Errors: one that is needed is not told, or of no use. `asked` is
** all zero before, and can be cleared after any result. It must not move. */
int mlf_metrics_asked_read(const mlf_metrics_plan *plan, sqlite3_value **arguments,
                           mlf_metrics_asked *asked, mlf_error *error);
void mlf_metrics_asked_clear(mlf_metrics_asked *asked);

#endif
