#include "tables/experiment_list.h"

#include <string.h>

#include "base/limits.h"
#include "base/sqlite_api.h"

static int experiment_list_grow(mlf_experiment_list *list, mlf_error *error) {
  size_t bytes = (list->count + 1) * sizeof(*list->ids);
  if (list->count == MLF_EXPERIMENTS_MAX) {
    return mlf_error_set(error, SQLITE_ERROR,
                         "more than %d experiments in one statement; name those to read with "
                         "experiment = …",
                         MLF_EXPERIMENTS_MAX);
  }
  char **ids = sqlite3_realloc64(list->ids, bytes);
  if (ids) list->ids = ids;
  char **names = sqlite3_realloc64(list->names, bytes);
  if (names) list->names = names;
  return ids && names ? SQLITE_OK : mlf_error_nomem(error);
}

int mlf_experiment_list_take(mlf_experiment_list *list, char *id, char *name, mlf_error *error) {
  int rc = id && name ? SQLITE_OK : mlf_error_nomem(error);
  bool known = rc == SQLITE_OK && mlf_experiment_list_name(list, id);
  if (rc == SQLITE_OK && !known) rc = experiment_list_grow(list, error);
  if (rc == SQLITE_OK && !known) {
    list->ids[list->count] = id;
    list->names[list->count++] = name;
  } else {
    sqlite3_free(id);
    sqlite3_free(name);
  }
  return rc;
}

int mlf_experiment_list_add(mlf_experiment_list *list, const mlf_experiment_list *from,
                            mlf_error *error) {
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < from->count; i++) {
    rc = mlf_experiment_list_take(list, sqlite3_mprintf("%s", from->ids[i]),
                                  sqlite3_mprintf("%s", from->names[i]), error);
  }
  return rc;
}

void mlf_experiment_list_remove(mlf_experiment_list *list, size_t index) {
  sqlite3_free(list->ids[index]);
  sqlite3_free(list->names[index]);
  list->count--;
  list->ids[index] = list->ids[list->count];
  list->names[index] = list->names[list->count];
}

const char *mlf_experiment_list_name(const mlf_experiment_list *list, const char *id) {
  for (size_t i = 0; i < list->count; i++) {
    if (strcmp(list->ids[i], id) == 0) return list->names[i];
  }
  return NULL;
}

void mlf_experiment_list_clear(mlf_experiment_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    sqlite3_free(list->ids[i]);
    sqlite3_free(list->names[i]);
  }
  sqlite3_free(list->ids);
  sqlite3_free(list->names);
  memset(list, 0, sizeof(*list));
}
