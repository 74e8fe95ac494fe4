#include "analysis/krippendorff.h"

#include <math.h>
#include <stdlib.h>

#include "analysis/stratify.h"
#include "base/array.h"
#include "base/sqlite_api.h"

static void krippendorff_clear_rating(mlf_krippendorff_rating *rating) {
  mlf_value_clear(&rating->unit);
  mlf_value_clear(&rating->value);
}

void mlf_krippendorff_clear(mlf_krippendorff *state) {
  for (size_t i = 0; i < state->count; i++)
    krippendorff_clear_rating(&state->ratings[i]);
  sqlite3_free(state->ratings);
  *state = (mlf_krippendorff){0};
}

int mlf_krippendorff_add(mlf_krippendorff *state, const mlf_value *unit, const mlf_value *value,
                         mlf_error *error) {
  mlf_krippendorff_rating *ratings =
      mlf_array_room(state->ratings, state->count, &state->capacity, 16, sizeof(*ratings));
  if (!ratings) return mlf_error_nomem(error);
  state->ratings = ratings;
  mlf_krippendorff_rating *rating = &state->ratings[state->count++];
  *rating = (mlf_krippendorff_rating){*unit, *value};
  /* Both, so that neither borrows when it is cleared. */
  int of_unit = mlf_value_own(&rating->unit);
  int of_value = mlf_value_own(&rating->value);
  return of_unit == SQLITE_OK && of_value == SQLITE_OK ? SQLITE_OK : mlf_error_nomem(error);
}

static int krippendorff_by_value(const void *a, const void *b) {
  const mlf_krippendorff_rating *one = a;
  const mlf_krippendorff_rating *other = b;
  return mlf_stratify_compare(&one->value, &other->value);
}

static int krippendorff_by_unit(const void *a, const void *b) {
  const mlf_krippendorff_rating *one = a;
  const mlf_krippendorff_rating *other = b;
  int order = mlf_stratify_compare(&one->unit, &other->unit);
  return order ? order : krippendorff_by_value(a, b);
}

/* How many ratings from `first` on have its unit. */
static size_t krippendorff_unit_size(const mlf_krippendorff *state, size_t first) {
  size_t end = first + 1;
  while (end < state->count &&
         mlf_stratify_compare(&state->ratings[first].unit, &state->ratings[end].unit) == 0)
    end++;
  return end - first;
}

/* Leaves out the units with one value, of ratings in order of their units. */
static void krippendorff_reduce(mlf_krippendorff *state) {
  size_t kept = 0;
  for (size_t first = 0, size; first < state->count; first += size) {
    size = krippendorff_unit_size(state, first);
    if (size == 1) krippendorff_clear_rating(&state->ratings[first]);
    for (size_t i = 0; size > 1 && i < size; i++)
      state->ratings[kept++] = state->ratings[first + i];
  }
  state->count = kept;
}

/* The ordered pairs of ratings, in order of their values, whose values differ. */
static double krippendorff_unequal(const mlf_krippendorff_rating *ratings, size_t count) {
  double pairs = (double)count * (double)count;
  for (size_t first = 0, end; first < count; first = end) {
    for (end = first + 1; end < count; end++)
      if (krippendorff_by_value(&ratings[first], &ratings[end]) != 0) break;
    pairs -= (double)(end - first) * (double)(end - first);
  }
  return pairs;
}

/* The sum of (x - y)^2 over the ordered pairs: 2 m times the sum of squares around the mean. In
** units of `scale`, so that no square overflows. */
static double krippendorff_squares(const mlf_krippendorff_rating *ratings, size_t count,
                                   double scale) {
  double mean = 0;
  double squares = 0;
  for (size_t i = 0; i < count; i++)
    mean += (mlf_value_number(&ratings[i].value) / scale - mean) / (double)(i + 1);
  for (size_t i = 0; i < count; i++) {
    double away = mlf_value_number(&ratings[i].value) / scale - mean;
    squares += away * away;
  }
  return 2 * (double)count * squares;
}

static double krippendorff_sum(const mlf_krippendorff_rating *ratings, size_t count,
                               bool is_interval, double scale) {
  return is_interval ? krippendorff_squares(ratings, count, scale)
                     : krippendorff_unequal(ratings, count);
}

bool mlf_krippendorff_alpha(mlf_krippendorff *state, bool is_interval, double *alpha) {
  if (state->count == 0) return false;
  qsort(state->ratings, state->count, sizeof(*state->ratings), krippendorff_by_unit);
  krippendorff_reduce(state);
  double scale = 0;
  if (is_interval)
    for (size_t i = 0; i < state->count; i++)
      scale = fmax(scale, fabs(mlf_value_number(&state->ratings[i].value)));
  double observed = 0;
  for (size_t first = 0, size; first < state->count; first += size) {
    size = krippendorff_unit_size(state, first);
    observed +=
        krippendorff_sum(state->ratings + first, size, is_interval, scale) / (double)(size - 1);
  }
  qsort(state->ratings, state->count, sizeof(*state->ratings), krippendorff_by_value);
  /* Without two different values there is no disagreement to expect. */
  if (krippendorff_unequal(state->ratings, state->count) == 0) return false;
  double expected = krippendorff_sum(state->ratings, state->count, is_interval, scale);
  *alpha = 1 - (double)(state->count - 1) * observed / expected;
  return expected > 0; /* integers may differ and be one double */
}
