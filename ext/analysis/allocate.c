#include "analysis/allocate.h"

#include <stdlib.h>

#include "base/sqlite_api.h"

static const char *const allocate_names[] = {[MLF_ALLOCATE_EQUAL] = "equal",
                                             [MLF_ALLOCATE_PROPORTIONAL] = "proportional",
                                             [MLF_ALLOCATE_PATTERN6] = "pattern6"};

/* A stratum that waits for its turn. */
typedef struct allocate_turn {
  mlf_allocate_stratum *stratum;
  int64_t rank; /* the higher, the earlier its turn */
} allocate_turn;

bool mlf_allocate_read(const char *name, mlf_allocate_rule *rule) {
  for (int i = MLF_ALLOCATE_EQUAL; i <= MLF_ALLOCATE_PATTERN6; i++) {
    *rule = (mlf_allocate_rule)i;
    if (sqlite3_stricmp(name, allocate_names[i]) == 0) return true;
  }
  return false;
}

const char *mlf_allocate_name(mlf_allocate_rule rule) {
  return allocate_names[rule];
}

static int allocate_compare_turns(const void *left, const void *right) {
  const allocate_turn *a = left;
  const allocate_turn *b = right;
  if (a->rank != b->rank) return a->rank > b->rank ? -1 : 1;
  if (a->stratum->population != b->stratum->population)
    return a->stratum->population > b->stratum->population ? -1 : 1;
  return (a->stratum > b->stratum) - (a->stratum < b->stratum);
}

static bool allocate_has_room(const mlf_allocate_stratum *stratum) {
  return stratum->given < stratum->capacity;
}

/* Collects the strata that have room, and sums up their populations. */
static size_t allocate_collect(mlf_allocate_stratum *strata, size_t count, allocate_turn *turns,
                               int64_t *population) {
  size_t open = 0;
  *population = 0;
  for (size_t i = 0; i < count; i++) {
    if (!allocate_has_room(&strata[i])) continue;
    turns[open++] = (allocate_turn){&strata[i], 0};
    *population += strata[i].population;
  }
  return open;
}

/* One each in order of rank, as far as it reaches. Returns what is left of `size`. */
static int64_t allocate_give_one(allocate_turn *turns, size_t count, int64_t size) {
  qsort(turns, count, sizeof(*turns), allocate_compare_turns);
  for (size_t i = 0; i < count && size > 0; i++) {
    if (!allocate_has_room(turns[i].stratum)) continue;
    turns[i].stratum->given++;
    size--;
  }
  return size;
}

static int64_t allocate_give(mlf_allocate_stratum *stratum, int64_t share) {
  int64_t room = stratum->capacity - stratum->given;
  int64_t given = share < room ? share : room;
  stratum->given += given;
  return given;
}

/* Round by round the same to all that have room, until less than one each is left. */
static void allocate_equal(mlf_allocate_stratum *strata, size_t count, int64_t size,
                           allocate_turn *turns) {
  int64_t population;
  size_t open;
  while ((open = allocate_collect(strata, count, turns, &population)) > 0 && size > 0) {
    int64_t share = size / (int64_t)open;
    if (share == 0) size = allocate_give_one(turns, open, size);
    for (size_t i = 0; i < open; i++)
      size -= allocate_give(turns[i].stratum, share);
  }
}

/* One for each stratum whose quota is below one; the quotas of the others shrink by that, so until
** there is no more of them. Returns what is left of `size`. */
static int64_t allocate_minimum(mlf_allocate_stratum *strata, size_t count, int64_t size) {
  int64_t population = 0;
  for (size_t i = 0; i < count; i++)
    population += strata[i].population;
  bool changed = true;
  while (changed) {
    int64_t size_then = size;
    int64_t population_then = population;
    changed = false;
    for (size_t i = 0; i < count; i++) {
      mlf_allocate_stratum *stratum = &strata[i];
      if (stratum->given > 0 || size_then * stratum->population >= population_then) continue;
      stratum->given = 1;
      size--;
      population -= stratum->population;
      changed = true;
    }
  }
  return size;
}

/* Quotas, rounded down, then one each by largest remainder. Returns what is left of `size`. */
static int64_t allocate_deal(allocate_turn *turns, size_t open, int64_t population, int64_t size) {
  int64_t left = size;
  for (size_t i = 0; i < open; i++) {
    int64_t product = size * turns[i].stratum->population;
    turns[i].rank = product % population;
    left -= allocate_give(turns[i].stratum, product / population);
  }
  return allocate_give_one(turns, open, left);
}

static void allocate_proportional(mlf_allocate_stratum *strata, size_t count, int64_t size,
                                  allocate_turn *turns) {
  int64_t population;
  size_t open = allocate_collect(strata, count, turns, &population);
  if (size <= (int64_t)open) {
    allocate_give_one(turns, open, size);
    return;
  }
  size = allocate_minimum(strata, count, size);
  open = 0;
  population = 0;
  for (size_t i = 0; i < count; i++) {
    if (strata[i].given > 0) continue;
    turns[open++] = (allocate_turn){&strata[i], 0};
    population += strata[i].population;
  }
  /* What a stratum has no room for, which happens only if keys came twice, is dealt again. */
  while (open > 0 && size > 0) {
    size = allocate_deal(turns, open, population, size);
    open = allocate_collect(strata, count, turns, &population);
  }
}

int mlf_allocate_run(mlf_allocate_rule rule, int64_t size, mlf_allocate_stratum *strata,
                     size_t count) {
  if (count == 0) return SQLITE_OK;
  allocate_turn *turns = sqlite3_malloc64(count * sizeof(*turns));
  if (!turns) return SQLITE_NOMEM;
  for (size_t i = 0; i < count; i++)
    strata[i].given = 0;
  switch (rule) {
  case MLF_ALLOCATE_EQUAL: allocate_equal(strata, count, size, turns); break;
  case MLF_ALLOCATE_PROPORTIONAL: allocate_proportional(strata, count, size, turns); break;
  case MLF_ALLOCATE_PATTERN6:
    for (size_t i = 0; i < count; i++)
      allocate_give(&strata[i], size / (int64_t)count);
    break;
  }
  sqlite3_free(turns);
  return SQLITE_OK;
}
