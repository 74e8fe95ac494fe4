/* metrics.h: POST /api/3.0/mlflow/traces/metrics, with which the server counts and averages itself.
**
**   {"experiment_ids": ["1"], "view_type": "TRACES", "metric_name": "latency",
**    "aggregations": [{"aggregation_type": "AVG"},
**                     {"aggregation_type": "PERCENTILE", "percentile_value": 95.0}],
**    "dimensions": ["trace_name"], "filters": ["trace.status = 'OK'"], "max_results": 50000}
**
**   {"data_points": [{"metric_name": "latency", "dimensions": {"trace_name": "agent"},
**                     "values": {"AVG": 812.5, "P95.0": 2210.0}}]}
**
** The answer has no pages, and the server cuts it without a word. So more points are asked for than
** we take, and as many as that are an error.
*/
#ifndef MLF_REMOTE_METRICS_H
#define MLF_REMOTE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/value.h"
#include "model/json.h"
#include "model/metric.h"
#include "remote/client.h"

typedef struct mlf_metrics_question {
  const mlf_metric *metric;
  const char *const *experiment_ids;
  size_t experiment_count;
  const mlf_aggregation *aggregations;
  size_t aggregation_count;
  mlf_dimensions dimensions;
  const char *const *filters; /* each one condition in the server's language, ANDed */
  size_t filter_count;
  int64_t bucket_s; /* width of the buckets in seconds; 0: none */
  int64_t first_ms; /* the times asked for, both included; INT64_MIN: from the beginning */
  int64_t last_ms;  /* INT64_MAX: to the end */
} mlf_metrics_question;

/* A point that is of the same group as another. */
typedef struct mlf_metrics_twin {
  const mlf_json_node *point;
  int64_t count; /* of the whole group, at its first point; -1 at the others */
} mlf_metrics_twin;

typedef struct mlf_metrics {
  mlf_json *json;
  const mlf_json_node *point; /* the current one; NULL after the last */
  mlf_metrics_twin *twins;    /* in the order of the answer */
  size_t twin_count;
  size_t next_twin; /* the first that is not before the current point */
} mlf_metrics;

/* Asks. Errors: the server's; an answer of another form, cut, or with a group twice whose figures
** cannot be added up. Clear `metrics` whatever the result. */
int mlf_metrics_ask(mlf_client *client, mlf_budget *budget, const mlf_metrics_question *question,
                    mlf_metrics *metrics, mlf_error *error);
void mlf_metrics_clear(mlf_metrics *metrics);

/* Reads an answer: goes to its first point. Errors: it is of another form ("data_points[3] is a
** number, where an object belongs"), or cut. */
int mlf_metrics_read(mlf_metrics *metrics, mlf_error *error);

/* Of an answer that was read: makes one group of those that show the same. The server groups by how
** a value is written, and each of its processes writes a map in an order of its own. Errors: a
** group is there twice, and is not of whole counts by value. */
int mlf_metrics_merge(mlf_metrics *metrics, const mlf_metrics_question *question, mlf_error *error);

/* Goes to the next group. */
void mlf_metrics_next(mlf_metrics *metrics);

/* Of the current point: the value of an aggregation, a REAL, or an INTEGER if it is whole and below
** 2^53; NULL if it has none. Without a point what SQL makes of nothing: a count is 0, the rest
** NULL. */
int mlf_metrics_value(const mlf_metrics *metrics, const mlf_metric *metric,
                      const mlf_aggregation *aggregation, mlf_value *value, mlf_error *error);

/* The value of a dimension that was asked for: a text. An assessment's value is JSON in its
** canonical form, owned by `value`, and NULL if it is null. */
int mlf_metrics_dimension(const mlf_metrics *metrics, const mlf_metric *metric,
                          mlf_dimension dimension, mlf_value *value, mlf_error *error);

/* When the bucket begins, in Unix milliseconds. */
int mlf_metrics_bucket(const mlf_metrics *metrics, mlf_value *value, mlf_error *error);

#endif
