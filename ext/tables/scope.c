#include "tables/scope.h"

#include <string.h>

#include "base/limits.h"
#include "remote/experiments.h"

/* Takes `id` and `name`. */
static int scope_add_take(mlf_scope *scope, char *id, char *name, mlf_error *error) {
  int rc = SQLITE_OK;
  char **ids = NULL, **names = NULL;
  size_t bytes = (scope->count + 1) * sizeof(*ids);
  if (!id || !name) rc = mlf_error_nomem(error);
  if (rc == SQLITE_OK && scope->count == MLF_EXPERIMENTS_MAX) {
    rc = mlf_error_set(error, SQLITE_ERROR,
                       "more than %d experiments in one statement; name those to read with "
                       "experiment = …",
                       MLF_EXPERIMENTS_MAX);
  }
  if (rc == SQLITE_OK) {
    ids = sqlite3_realloc64(scope->ids, bytes);
    if (ids) scope->ids = ids;
    names = sqlite3_realloc64(scope->names, bytes);
    if (names) scope->names = names;
    if (!ids || !names) rc = mlf_error_nomem(error);
  }
  if (rc != SQLITE_OK) {
    sqlite3_free(id);
    sqlite3_free(name);
    return rc;
  }
  scope->ids[scope->count] = id;
  scope->names[scope->count++] = name;
  return SQLITE_OK;
}

static bool scope_has(const mlf_scope *scope, const char *id) {
  return mlf_scope_name(scope, id) != NULL;
}

const char *mlf_scope_name(const mlf_scope *scope, const char *id) {
  for (size_t i = 0; i < scope->count; i++) {
    if (strcmp(scope->ids[i], id) == 0) return scope->names[i];
  }
  return NULL;
}

void mlf_scope_clear(mlf_scope *scope) {
  for (size_t i = 0; i < scope->count; i++) {
    sqlite3_free(scope->ids[i]);
    sqlite3_free(scope->names[i]);
  }
  sqlite3_free(scope->ids);
  sqlite3_free(scope->names);
  memset(scope, 0, sizeof(*scope));
}

/* Adds the experiment that `asked` names. `show_asked` says whether the column is to show that
** word, so that SQLite's own check of `experiment = 'word'` holds, or the experiment's name. */
static int scope_add_asked(mlf_connection *connection, mlf_budget *budget, const char *asked,
                           bool show_asked, mlf_scope *scope, mlf_error *error) {
  char *id, *name;
  int rc = mlf_connection_experiment(connection, budget, asked, &id, &name, error);
  if (rc != SQLITE_OK || scope_has(scope, id)) {
    sqlite3_free(id);
    sqlite3_free(name);
    return rc;
  }
  if (show_asked) {
    sqlite3_free(name);
    name = sqlite3_mprintf("%s", asked);
  }
  return scope_add_take(scope, id, name, error);
}

static int scope_add_active(mlf_connection *connection, mlf_budget *budget, mlf_scope *scope,
                            mlf_error *error) {
  mlf_json *page = NULL;
  int rc = SQLITE_OK;
  do {
    mlf_json *next = NULL;
    rc = mlf_experiments_page(mlf_connection_client(connection), budget, true,
                              page ? mlf_experiments_token(page) : NULL, &next, error);
    mlf_json_free(page);
    page = next;
    const mlf_json_node *each = rc == SQLITE_OK ? mlf_experiments_first(page) : NULL;
    for (; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
      const char *id = mlf_json_text(mlf_json_member(each, "experiment_id"));
      const char *name = mlf_json_text(mlf_json_member(each, "name"));
      if (!id || !name || scope_has(scope, id)) continue;
      rc = scope_add_take(scope, sqlite3_mprintf("%s", id), sqlite3_mprintf("%s", name), error);
    }
  } while (rc == SQLITE_OK && mlf_experiments_token(page));
  mlf_json_free(page);
  return rc;
}

/* A value as the text it is compared as; NULL for what no experiment is called. */
static const char *scope_text(const mlf_value *value, char scratch[24]) {
  if (value->type == MLF_TEXT) return strlen(value->text) == value->length ? value->text : NULL;
  if (value->type != MLF_INTEGER) return NULL;
  sqlite3_snprintf(24, scratch, "%lld", (sqlite3_int64)value->integer);
  return scratch;
}

/* The experiments that one term on `experiment` names. */
static int scope_add_term(mlf_connection *connection, mlf_budget *budget,
                          const mlf_filter_term *term, mlf_scope *scope, mlf_error *error) {
  char scratch[24];
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < term->value_count; i++) {
    const char *asked = scope_text(&term->values[i], scratch);
    if (asked) rc = scope_add_asked(connection, budget, asked, true, scope, error);
  }
  return rc;
}

/* Removes from `scope` what is not in `other`, and takes the names that `other` gives. */
static void scope_intersect(mlf_scope *scope, mlf_scope *other) {
  size_t kept = 0;
  for (size_t i = 0; i < scope->count; i++) {
    size_t found = 0;
    while (found < other->count && strcmp(other->ids[found], scope->ids[i]) != 0)
      found++;
    if (found < other->count) {
      char *name = scope->names[i];
      scope->names[i] = other->names[found];
      other->names[found] = name;
      name = scope->names[kept];
      char *id = scope->ids[kept];
      scope->names[kept] = scope->names[i];
      scope->ids[kept] = scope->ids[i];
      scope->names[i] = name;
      scope->ids[i] = id;
      kept++;
    }
  }
  for (size_t i = kept; i < scope->count; i++) {
    sqlite3_free(scope->ids[i]);
    sqlite3_free(scope->names[i]);
  }
  scope->count = kept;
}

/* Keeps the experiments whose id is among the term's values. */
static void scope_keep_ids(mlf_scope *scope, const mlf_filter_term *term) {
  size_t kept = 0;
  for (size_t i = 0; i < scope->count; i++) {
    bool found = false;
    char scratch[24];
    for (size_t j = 0; j < term->value_count && !found; j++) {
      const char *id = scope_text(&term->values[j], scratch);
      found = id && strcmp(id, scope->ids[i]) == 0;
    }
    if (found) {
      scope->ids[kept] = scope->ids[i];
      scope->names[kept++] = scope->names[i];
    } else {
      sqlite3_free(scope->ids[i]);
      sqlite3_free(scope->names[i]);
    }
  }
  scope->count = kept;
}

/* The widest scope, and which term on `experiment`, if any, made it. */
static int scope_add_widest(mlf_connection *connection, mlf_budget *budget,
                            const mlf_arguments *arguments, const mlf_bound_terms *bound,
                            mlf_scope *scope, const mlf_filter_term **used, mlf_error *error) {
  const mlf_settings *settings;
  int rc = mlf_client_settings(mlf_connection_client(connection), &settings, error);
  *used = NULL;
  if (rc != SQLITE_OK) return rc;
  for (int i = 0; rc == SQLITE_OK && i < arguments->experiment_count; i++) {
    rc = scope_add_asked(connection, budget, arguments->experiments[i], false, scope, error);
  }
  if (rc != SQLITE_OK || arguments->experiment_count > 0) return rc;
  for (int i = 0; i < bound->count && !*used; i++) {
    if (bound->terms[i].column->key_kind == MLF_KEY_EXPERIMENT) *used = &bound->terms[i];
  }
  if (*used) return scope_add_term(connection, budget, *used, scope, error);
  const char *preset =
      settings->experiment_id ? settings->experiment_id : settings->experiment_name;
  if (preset) return scope_add_asked(connection, budget, preset, false, scope, error);
  return scope_add_active(connection, budget, scope, error);
}

int mlf_scope_resolve(mlf_connection *connection, mlf_budget *budget,
                      const mlf_arguments *arguments, const mlf_bound_terms *bound,
                      mlf_scope *scope, mlf_error *error) {
  const mlf_filter_term *used;
  int rc = scope_add_widest(connection, budget, arguments, bound, scope, &used, error);
  for (int i = 0; rc == SQLITE_OK && i < bound->count; i++) {
    const mlf_filter_term *term = &bound->terms[i];
    if (term->column->key_kind == MLF_KEY_EXPERIMENT_ID) scope_keep_ids(scope, term);
    if (term->column->key_kind == MLF_KEY_EXPERIMENT && term != used) {
      mlf_scope other = {0};
      rc = scope_add_term(connection, budget, term, &other, error);
      if (rc == SQLITE_OK) scope_intersect(scope, &other);
      mlf_scope_clear(&other);
    }
  }
  return rc;
}
