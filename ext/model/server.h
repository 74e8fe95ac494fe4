/* server.h: what an MLflow server of a given version knows. Read from the sources of every minor
** release from 3.1 to 3.17; the search came with 3.2. */
#ifndef MLF_MODEL_SERVER_H
#define MLF_MODEL_SERVER_H

#include <stdbool.h>

typedef struct mlf_server {
  int major;
  int minor;
} mlf_server;

typedef enum mlf_feature {
  MLF_FEATURE_SEARCH_V3,         /* 3.2: POST /api/3.0/mlflow/traces/search */
  MLF_FEATURE_LIKE,              /* 3.6: LIKE and ILIKE on attributes, tags and metadata */
  MLF_FEATURE_CLIENT_REQUEST_ID, /* 3.6: attributes.client_request_id and end_time_ms */
  MLF_FEATURE_BATCH_GET,         /* 3.6: GET /api/3.0/mlflow/traces/batchGet */
  MLF_FEATURE_FEEDBACK,          /* 3.10: feedback.X */
  MLF_FEATURE_IS_NULL,           /* 3.11: IS NULL and IS NOT NULL on tags and metadata */
  MLF_FEATURE_WORKSPACES,        /* 3.10: the header X-MLFLOW-WORKSPACE */
  MLF_FEATURE_METRICS            /* 3.17: POST /api/3.0/mlflow/traces/metrics as our tables count.
                                    From 3.9 on it is there, but buckets assessments by their own
                                    time, and groups that it drops use up max_results */
} mlf_feature;

/* Reads the answer of GET /version, e.g. "3.17.2" or "3.8.0rc1". False if it is no version. */
bool mlf_server_parse(const char *text, mlf_server *server);

bool mlf_server_knows(mlf_server server, mlf_feature feature);

#endif
