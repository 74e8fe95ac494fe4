#include "analysis/labels.h"

#include <string.h>

#include "analysis/stratify.h"
#include "base/array.h"
#include "base/sqlite_api.h"

void mlf_labels_clear(mlf_labels *labels) {
  for (size_t i = 0; i < labels->count; i++)
    mlf_value_clear(&labels->sorted[i].value);
  sqlite3_free(labels->sorted);
  *labels = (mlf_labels){0};
}

static int labels_grow(mlf_labels *labels) {
  mlf_label *sorted =
      mlf_array_room(labels->sorted, labels->count, &labels->capacity, 8, sizeof(*sorted));
  if (!sorted) return SQLITE_NOMEM;
  labels->sorted = sorted;
  return SQLITE_OK;
}

int mlf_labels_find(mlf_labels *labels, const mlf_value *value, size_t *number, mlf_error *error) {
  size_t low = 0;
  size_t high = labels->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = mlf_stratify_compare(value, &labels->sorted[middle].value);
    if (order == 0) {
      *number = labels->sorted[middle].number;
      return SQLITE_OK;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  *number = labels->count;
  if (labels->count == MLF_LABELS_MAX) return SQLITE_OK;
  mlf_value copy = *value;
  if (labels_grow(labels) != SQLITE_OK || mlf_value_own(&copy) != SQLITE_OK)
    return mlf_error_nomem(error);
  mlf_label *place = labels->sorted + low;
  memmove(place + 1, place, (labels->count - low) * sizeof(*place));
  *place = (mlf_label){copy, labels->count++};
  return SQLITE_OK;
}
