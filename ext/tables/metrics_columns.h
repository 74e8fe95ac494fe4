/* metrics_columns.h: the columns of mlflow_metrics, and which of them a plan was told.
**
** The table has no rows of its own: what is asked with `=` says what there is. So a plan is a list
** of columns whose values it is told, as text, which EXPLAIN QUERY PLAN shows:
**
**   view = ? AND metric = ? AND aggregation IN (?) AND dimensions = ? READS name
**
** (1) Terms stand in the order of the columns, each at most once: a second condition on the same
**     column is left to SQLite.
** (2) `aggregation IN (?)` is the whole list; any other list SQLite asks for one by one.
** (3) After READS stand the dimensions that the statement reads without having told them: it must
**     group by them. Where it reads all dimensions, as SELECT * does, only those that it compares.
** (4) Every plan costs the same. So SQLite never takes an OR apart, where it would not tell us the
**     conditions beside it.
** (5) But for one: a plan that groups by a dimension which another table says, and could be told it
**     if that one were read first. It costs more than all else, and is taken where there is no such
**     order: of two of these tables that are joined on a dimension, one comes first.
*/
#ifndef MLF_TABLES_METRICS_COLUMNS_H
#define MLF_TABLES_METRICS_COLUMNS_H

#include <stdbool.h>

#include "base/sqlite_api.h"
#include "model/catalog.h"
#include "model/metric.h"

typedef enum mlf_metrics_column {
  MLF_METRICS_VIEW,
  MLF_METRICS_METRIC,
  MLF_METRICS_AGGREGATION,
  MLF_METRICS_VALUE,
  MLF_METRICS_BUCKET_MS,
  MLF_METRICS_DIMENSION, /* the first of MLF_DIMENSION_COUNT */
  MLF_METRICS_DIMENSIONS = MLF_METRICS_DIMENSION + MLF_DIMENSION_COUNT, /* hidden, from here on */
  MLF_METRICS_BUCKET,
  MLF_METRICS_FROM_MS,
  MLF_METRICS_UNTIL_MS,
  MLF_METRICS_FILTER,
  MLF_METRICS_EXPERIMENT,
  MLF_METRICS_COLUMN_COUNT
} mlf_metrics_column;

extern const mlf_column mlf_metrics_columns[MLF_METRICS_COLUMN_COUNT];

typedef struct mlf_metrics_plan {
  bool told[MLF_METRICS_COLUMN_COUNT]; /* in this order, the arguments of xFilter */
  bool list;                           /* that of aggregation is a list */
  mlf_dimensions reads;                /* (3) */
} mlf_metrics_plan;

const char *mlf_metrics_column_name(int column);

/* The operators by which a plan is told the column's value, as in "=, IN"; NULL if there are
** none. */
const char *mlf_metrics_pushed(int column);

/* Does xBestIndex's work. SQLITE_OK, SQLITE_CONSTRAINT (try another plan) or SQLITE_NOMEM. */
int mlf_metrics_best_index(sqlite3_index_info *info);

/* Reads the plan that mlf_metrics_best_index wrote. */
void mlf_metrics_plan_read(const char *text, mlf_metrics_plan *plan);

#endif
