/* metric.h: what MLflow's trace metrics are: which can be asked for, how they are aggregated, what
** they are grouped and filtered by, and which SQL over our own tables asks the same.
**
** Source: VIEW_TYPE_CONFIGS in mlflow/store/tracking/utils/sql_trace_metrics_utils.py, MLflow
** 3.17.2.
*/
#ifndef MLF_MODEL_METRIC_H
#define MLF_MODEL_METRIC_H

#include <stdbool.h>

#include "base/error.h"

/* Columns of mlflow_metrics that a metric may be grouped by, in their order there. */
typedef enum mlf_dimension {
  MLF_DIMENSION_NAME,
  MLF_DIMENSION_STATUS,
  MLF_DIMENSION_SPAN_TYPE,
  MLF_DIMENSION_MODEL_NAME,
  MLF_DIMENSION_MODEL_PROVIDER,
  MLF_DIMENSION_ASSESSMENT_NAME,
  MLF_DIMENSION_ASSESSMENT_VALUE,
  MLF_DIMENSION_COUNT
} mlf_dimension;

/* Several of them: bit 1 << dimension. */
typedef unsigned mlf_dimensions;

typedef struct mlf_metric mlf_metric;

/* An aggregation as the server takes it. */
typedef struct mlf_aggregation {
  const char *type;    /* "AVG", "PERCENTILE" */
  char percentile[12]; /* "95.0", as Python writes the number; "" unless it is one */
  char key[16];        /* under which the answer has the value: "AVG", "P95.0" */
} mlf_aggregation;

/* The metric of a view. `view` or `name` may be NULL: it was not given. Errors list those there
** are. */
int mlf_metric_find(const char *view, const char *name, const mlf_metric **metric,
                    mlf_error *error);

const char *mlf_metric_name(const mlf_metric *metric);
const char *mlf_metric_view(const mlf_metric *metric); /* as the server writes it: "TRACES" */

/* The only aggregation that it has; NULL if it has several. */
const char *mlf_metric_sole_aggregation(const mlf_metric *metric);

/* Whether its values are whole numbers, but for averages and percentiles. */
bool mlf_metric_is_whole(const mlf_metric *metric, const mlf_aggregation *aggregation);

/* Reads 'count', 'sum', 'avg', 'min', 'max' or 'p0' to 'p100', of which fractions of up to four
** digits as in 'p99.9'. NULL: not given. Errors: no aggregation, or none of this metric, with those
** it has or with SQL that can. */
int mlf_metric_read_aggregation(const mlf_metric *metric, const char *text,
                                mlf_aggregation *aggregation, mlf_error *error);

/* Reads names of columns, as in 'name, status'; an empty text: none. Errors likewise. */
int mlf_metric_read_dimensions(const mlf_metric *metric, const char *text,
                               mlf_dimensions *dimensions, mlf_error *error);

/* The column in mlflow_metrics. */
const char *mlf_dimension_name(mlf_dimension dimension);

/* What the server calls it for this metric, and in a filter; NULL if the metric's view has no such
** column, or the server does not filter by it. */
const char *mlf_metric_dimension_key(const mlf_metric *metric, mlf_dimension dimension);
const char *mlf_metric_filter_key(const mlf_metric *metric, mlf_dimension dimension);

/* The error for a dimension that is compared or read, but not grouped by. If the view has no such
** column, SQLITE_OK: it is NULL in every row. Else SQLITE_ERROR: add it to the dimensions, or SQL
** that can. */
int mlf_metric_refuse_ungrouped(const mlf_metric *metric, mlf_dimension dimension,
                                mlf_error *error);

/* The error for `=` on a dimension that the server cannot filter by. */
int mlf_metric_refuse_filter(const mlf_metric *metric, mlf_dimension dimension, mlf_error *error);

/* SQL over our own tables that asks for this metric; the caller's (sqlite3_free). NULL: no
** memory. */
char *mlf_metric_sql(const mlf_metric *metric);

#endif
