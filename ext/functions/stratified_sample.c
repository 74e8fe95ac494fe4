/* stratified_sample.c: the table function stratified_sample(strata [, allocation]).
**
**   SELECT s.stratum, s.weight, t.request
**   FROM stratified_sample((SELECT strata(trace_id, status, 50, 42) FROM traces)) AS s
**   JOIN traces AS t ON t.trace_id = s.key;
**
** (1) A row for each sampled key: key, stratum, population (N_h, rows of the stratum), sampled
**     (n_h, keys of it in the sample), weight (N_h / n_h), position (1, 2, ... through the whole
**     sample: strata in SQL's order, keys by their random place).
** (2) allocation is 'equal' (the default), 'proportional' or 'pattern6' (analysis/allocate.h).
** (3) NULL strata, which is what strata() makes of no rows, give no rows.
**
** Hidden columns carry the arguments. Plan: idxNum has bit 0 if strata is given, bit 1 if
** allocation is; they reach xFilter in that order. The rows' key is (strata, allocation,
** position), so that two states in one OR are not taken for one.
*/
#include <string.h>

#include "analysis/allocate.h"
#include "base/declare.h"
#include "base/sqlite_value.h"
#include "functions/families.h"
#include "functions/strata.h"

enum sample_column {
  SAMPLE_KEY,
  SAMPLE_STRATUM,
  SAMPLE_POPULATION,
  SAMPLE_SAMPLED,
  SAMPLE_WEIGHT,
  SAMPLE_POSITION,
  SAMPLE_STRATA,
  SAMPLE_ALLOCATION
};

#define SAMPLE_HAS_STRATA         1
#define SAMPLE_HAS_ALLOCATION     2
#define SAMPLE_ROWS               100 /* what the planner is told */
#define SAMPLE_COST_WITHOUT_STATE 1e50

typedef struct sample_cursor {
  sqlite3_vtab_cursor base;
  sqlite3_value *strata; /* the argument; NULL before xFilter */
  mlf_allocate_rule rule;
  mlf_stratify state;
  mlf_allocate_stratum *shares; /* owned; one a stratum */
  size_t stratum;               /* the row: a stratum, and one of its keys */
  size_t key;
  sqlite3_int64 position;
} sample_cursor;

static int sample_connect(sqlite3 *db, void *data, int count, const char *const *arguments,
                          sqlite3_vtab **out, char **error_text) {
  (void)data, (void)count, (void)arguments;
  mlf_error error = {0};
  int rc = mlf_declare_table(
      db, "stratified_sample",
      "CREATE TABLE x(key, stratum, population INTEGER, sampled INTEGER, weight REAL, "
      "position INTEGER, strata BLOB HIDDEN, allocation TEXT HIDDEN, "
      "PRIMARY KEY (strata, allocation, position)) WITHOUT ROWID",
      &error);
  *error_text = mlf_error_take(&error);
  if (rc != SQLITE_OK) return rc;
  sqlite3_vtab *table = sqlite3_malloc64(sizeof(*table));
  if (!table) return SQLITE_NOMEM;
  memset(table, 0, sizeof(*table));
  *out = table;
  return sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
}

static int sample_disconnect(sqlite3_vtab *table) {
  sqlite3_free(table);
  return SQLITE_OK;
}

/* A plan where the state comes from a table that is read later is refused, so that SQLite looks for
** another. One without it, as SQLite tries for a branch of an OR, costs so much that any other is
** taken; if there is no other, the scan ends with an error. */
static int sample_best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
  int found[2] = {-1, -1};
  int is_unusable = 0;
  for (int i = 0; i < info->nConstraint; i++) {
    const struct sqlite3_index_constraint *constraint = &info->aConstraint[i];
    if (constraint->op != SQLITE_INDEX_CONSTRAINT_EQ || constraint->iColumn < SAMPLE_STRATA)
      continue;
    if (constraint->usable)
      found[constraint->iColumn - SAMPLE_STRATA] = i;
    else
      is_unusable = 1;
  }
  if (is_unusable) return SQLITE_CONSTRAINT;
  (void)table;
  int argument = 0;
  for (int i = 0; i < 2; i++) {
    if (found[i] < 0) continue;
    info->aConstraintUsage[found[i]].argvIndex = ++argument;
    info->aConstraintUsage[found[i]].omit = 1;
    info->idxNum |= 1 << i;
  }
  info->estimatedCost = found[0] < 0 ? SAMPLE_COST_WITHOUT_STATE : SAMPLE_ROWS;
  info->estimatedRows = SAMPLE_ROWS;
  return SQLITE_OK;
}

static int sample_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out) {
  (void)table;
  sample_cursor *cursor = sqlite3_malloc64(sizeof(*cursor));
  if (!cursor) return SQLITE_NOMEM;
  memset(cursor, 0, sizeof(*cursor));
  *out = &cursor->base;
  return SQLITE_OK;
}

static void sample_clear(sample_cursor *cursor) {
  sqlite3_value_free(cursor->strata);
  mlf_stratify_clear(&cursor->state);
  sqlite3_free(cursor->shares);
  cursor->strata = NULL;
  cursor->shares = NULL;
  cursor->stratum = cursor->key = 0;
  cursor->position = 1;
}

static int sample_close(sqlite3_vtab_cursor *base) {
  sample_clear((sample_cursor *)base);
  sqlite3_free(base);
  return SQLITE_OK;
}

static int sample_read_rule(sqlite3_value *argument, mlf_allocate_rule *rule, mlf_error *error) {
  const char *name = (const char *)sqlite3_value_text(argument);
  if (name && mlf_allocate_read(name, rule)) return SQLITE_OK;
  if (!name && sqlite3_value_type(argument) != SQLITE_NULL) return mlf_error_nomem(error);
  return mlf_error_set(error, SQLITE_ERROR,
                       "allocation is 'equal', 'proportional' or 'pattern6', not %s%s%s",
                       name ? "'" : "", name ? name : "NULL", name ? "'" : "");
}

static int sample_allocate(sample_cursor *cursor, mlf_error *error) {
  const mlf_stratify *state = &cursor->state;
  if (state->count == 0) return SQLITE_OK;
  cursor->shares = sqlite3_malloc64(state->count * sizeof(*cursor->shares));
  if (!cursor->shares) return mlf_error_nomem(error);
  for (size_t i = 0; i < state->count; i++)
    cursor->shares[i] = (mlf_allocate_stratum){.population = state->strata[i].population,
                                               .capacity = (int64_t)state->strata[i].count};
  if (mlf_allocate_run(cursor->rule, state->size, cursor->shares, state->count) != SQLITE_OK)
    return mlf_error_nomem(error);
  return SQLITE_OK;
}

/* Moves on to a stratum of which a key is left. */
static void sample_skip(sample_cursor *cursor) {
  while (cursor->stratum < cursor->state.count &&
         (int64_t)cursor->key >= cursor->shares[cursor->stratum].given) {
    cursor->stratum++;
    cursor->key = 0;
  }
}

static int sample_read(sample_cursor *cursor, int plan, sqlite3_value **arguments,
                       mlf_error *error) {
  cursor->rule = MLF_ALLOCATE_EQUAL;
  int rc = SQLITE_OK;
  if (!(plan & SAMPLE_HAS_STRATA)) {
    return mlf_error_set(error, SQLITE_ERROR,
                         "the state of a sample is missing; "
                         "stratified_sample((SELECT strata(...) FROM ...))");
  }
  if (plan & SAMPLE_HAS_ALLOCATION) rc = sample_read_rule(arguments[1], &cursor->rule, error);
  if (rc != SQLITE_OK || sqlite3_value_type(arguments[0]) == SQLITE_NULL) return rc;
  cursor->strata = sqlite3_value_dup(arguments[0]);
  if (!cursor->strata) return mlf_error_nomem(error);
  rc = mlf_strata_read(cursor->strata, &cursor->state, error);
  return rc == SQLITE_OK ? sample_allocate(cursor, error) : rc;
}

static int sample_filter(sqlite3_vtab_cursor *base, int plan, const char *plan_text, int count,
                         sqlite3_value **arguments) {
  sample_cursor *cursor = (sample_cursor *)base;
  mlf_error error = {0};
  (void)plan_text, (void)count;
  sample_clear(cursor);
  int rc = sample_read(cursor, plan, arguments, &error);
  if (rc == SQLITE_OK) {
    sample_skip(cursor);
    return SQLITE_OK;
  }
  sample_clear(cursor);
  if (error.text) {
    sqlite3_free(base->pVtab->zErrMsg);
    base->pVtab->zErrMsg = sqlite3_mprintf("stratified_sample: %s", error.text);
  }
  mlf_error_clear(&error);
  return rc;
}

static int sample_next(sqlite3_vtab_cursor *base) {
  sample_cursor *cursor = (sample_cursor *)base;
  cursor->key++;
  cursor->position++;
  sample_skip(cursor);
  return SQLITE_OK;
}

static int sample_eof(sqlite3_vtab_cursor *base) {
  const sample_cursor *cursor = (const sample_cursor *)base;
  return cursor->stratum >= cursor->state.count;
}

static int sample_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column) {
  const sample_cursor *cursor = (const sample_cursor *)base;
  const mlf_stratum *stratum = &cursor->state.strata[cursor->stratum];
  int64_t sampled = cursor->shares[cursor->stratum].given;
  switch ((enum sample_column)column) {
  case SAMPLE_KEY: mlf_sqlite_value_result(context, &stratum->keys[cursor->key].key); break;
  case SAMPLE_STRATUM: mlf_sqlite_value_result(context, &stratum->value); break;
  case SAMPLE_POPULATION: sqlite3_result_int64(context, stratum->population); break;
  case SAMPLE_SAMPLED: sqlite3_result_int64(context, sampled); break;
  case SAMPLE_WEIGHT:
    sqlite3_result_double(context, (double)stratum->population / (double)sampled);
    break;
  case SAMPLE_POSITION: sqlite3_result_int64(context, cursor->position); break;
  case SAMPLE_STRATA: sqlite3_result_value(context, cursor->strata); break;
  case SAMPLE_ALLOCATION:
    sqlite3_result_text(context, mlf_allocate_name(cursor->rule), -1, SQLITE_STATIC);
    break;
  }
  return SQLITE_OK;
}

/* SQLite asks for no rowid of a table without. */
static const sqlite3_module sample_module = {
    .iVersion = 0,
    .xConnect = sample_connect,
    .xBestIndex = sample_best_index,
    .xDisconnect = sample_disconnect,
    .xOpen = sample_open,
    .xClose = sample_close,
    .xFilter = sample_filter,
    .xNext = sample_next,
    .xEof = sample_eof,
    .xColumn = sample_column,
};

int mlf_stratified_sample_register(mlf_registry *registry) {
  return sqlite3_create_module_v2(registry->db, "stratified_sample", &sample_module, NULL, NULL);
}
