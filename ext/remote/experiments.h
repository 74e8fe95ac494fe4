/* experiments.h: which experiments there are: by name or id, and all of them. */
#ifndef MLF_REMOTE_EXPERIMENTS_H
#define MLF_REMOTE_EXPERIMENTS_H

#include "base/error.h"
#include "model/json.h"
#include "remote/client.h"

typedef struct mlf_experiments {
  mlf_json *json;
  const mlf_json_node *next; /* the first experiment; NULL if there is none */
  const char *token;         /* of the page after this one, borrowed; NULL on the last */
} mlf_experiments;

/* One page of POST /api/2.0/mlflow/experiments/search, active and deleted ones or only active
** ones, newest first. `token` is NULL for the first page, and a reply that gives it again is an
** error. Clear `page` whatever the result. */
int mlf_experiments_page(mlf_client *client, mlf_budget *budget, bool active_only,
                         const char *token, mlf_experiments *page, mlf_error *error);
void mlf_experiments_clear(mlf_experiments *page);

/* The id and the name of an experiment, which it must have; borrowed. */
int mlf_experiment_name(const mlf_json *json, const mlf_json_node *experiment, const char **id,
                        const char **name, mlf_error *error);

/* What an experiment is called by. A name may look like an id: what is meant as an id must not
** find it. */
typedef enum mlf_experiment_by {
  MLF_EXPERIMENT_BY_NAME, /* or, if none has the name, an id */
  MLF_EXPERIMENT_BY_ID
} mlf_experiment_by;

/* The experiment that is called so. `*id` and `*name` are the caller's (sqlite3_free).
** SQLITE_NOTFOUND, with a text, if there is none. */
int mlf_experiment_find(mlf_client *client, mlf_budget *budget, mlf_experiment_by by,
                        const char *asked, char **id, char **name, mlf_error *error);

#endif
