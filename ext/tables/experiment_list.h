/* experiment_list.h: experiments, by id and name. */
#ifndef MLF_TABLES_EXPERIMENT_LIST_H
#define MLF_TABLES_EXPERIMENT_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* All zero: empty. */
typedef struct mlf_experiment_list {
  char **ids;   /* owned */
  char **names; /* of each; owned */
  size_t count;
} mlf_experiment_list;

/* Takes `id` and `name`, which are freed if this fails; NULL stands for no memory. Error if there
** are MLF_EXPERIMENTS_MAX already. One that is in the list is not added again. */
int mlf_experiment_list_take(mlf_experiment_list *list, char *id, char *name, mlf_error *error);

/* Adds what is in `from`. */
int mlf_experiment_list_add(mlf_experiment_list *list, const mlf_experiment_list *from,
                            mlf_error *error);

/* Removes the index-th. The order of the others changes. */
void mlf_experiment_list_remove(mlf_experiment_list *list, size_t index);

/* The name of the experiment with this id; NULL if it is not in the list. */
const char *mlf_experiment_list_name(const mlf_experiment_list *list, const char *id);

void mlf_experiment_list_clear(mlf_experiment_list *list);

#endif
