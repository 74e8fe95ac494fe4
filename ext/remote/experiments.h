/* experiments.h: which experiments there are: by name or id, and all of them. */
#ifndef MLF_REMOTE_EXPERIMENTS_H
#define MLF_REMOTE_EXPERIMENTS_H

#include "base/error.h"
#include "model/json.h"
#include "remote/client.h"

/* One page of POST /api/2.0/mlflow/experiments/search, active and deleted ones or only active
** ones, newest first. `token` is NULL for the first page. The caller frees `*page`. */
int mlf_experiments_page(mlf_client *client, mlf_budget *budget, bool active_only,
                         const char *token, mlf_json **page, mlf_error *error);

/* The members of a page. */
const mlf_json_node *mlf_experiments_first(const mlf_json *page);
const char *mlf_experiments_token(const mlf_json *page); /* NULL on the last page */

/* The experiment with this name or, if there is none, with this id. `*id` and `*name` are the
** caller's (sqlite3_free). Error if there is neither. */
int mlf_experiment_find(mlf_client *client, mlf_budget *budget, const char *name_or_id, char **id,
                        char **name, mlf_error *error);

#endif
