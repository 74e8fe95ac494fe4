#include "tables/scope.h"

#include <string.h>

#include "remote/experiments.h"

/* Adds the experiment with this name or id. The column `experiment` shows its name, so where the
** statement compares it, an id finds none. */
static int scope_add_asked(mlf_connection *connection, mlf_budget *budget, const char *asked,
                           bool by_name, mlf_experiment_list *scope, mlf_error *error) {
  char *id, *name;
  int rc = mlf_connection_experiment(connection, budget, asked, &id, &name, error);
  if (rc == SQLITE_OK && by_name && strcmp(name, asked) != 0) {
    rc = mlf_error_set(error, SQLITE_ERROR,
                       "no experiment has the name '%s'; the one with this id is called '%s'",
                       asked, name);
    sqlite3_free(id);
    sqlite3_free(name);
    return rc;
  }
  return rc == SQLITE_OK ? mlf_experiment_list_take(scope, id, name, error) : rc;
}

/* Reads which experiments are active. */
static int scope_read_active(mlf_connection *connection, mlf_budget *budget,
                             mlf_experiment_list *active, mlf_error *error) {
  mlf_experiments page = {0};
  int rc = SQLITE_OK;
  do {
    mlf_experiments next;
    rc = mlf_experiments_page(mlf_connection_client(connection), budget, true, page.token, &next,
                              error);
    mlf_experiments_clear(&page);
    page = next;
    const mlf_json_node *each = rc == SQLITE_OK ? page.next : NULL;
    for (; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
      const char *id, *name;
      rc = mlf_experiment_name(page.json, each, &id, &name, error);
      if (rc == SQLITE_OK)
        rc = mlf_experiment_list_take(active, sqlite3_mprintf("%s", id),
                                      sqlite3_mprintf("%s", name), error);
    }
  } while (rc == SQLITE_OK && page.token);
  mlf_experiments_clear(&page);
  return rc;
}

/* Adds the active experiments, which a statement reads once. */
static int scope_add_active(mlf_connection *connection, mlf_statement *statement,
                            mlf_experiment_list *scope, mlf_error *error) {
  bool *known;
  mlf_experiment_list *active = mlf_statement_active(statement, &known);
  int rc = SQLITE_OK;
  if (!*known) {
    mlf_experiment_list_clear(active);
    rc = scope_read_active(connection, mlf_statement_budget(statement), active, error);
    *known = rc == SQLITE_OK;
  }
  return rc == SQLITE_OK ? mlf_experiment_list_add(scope, active, error) : rc;
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
                          const mlf_filter_term *term, mlf_experiment_list *scope,
                          mlf_error *error) {
  char scratch[24];
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < term->value_count; i++) {
    const char *asked = scope_text(&term->values[i], scratch);
    if (asked) rc = scope_add_asked(connection, budget, asked, true, scope, error);
  }
  return rc;
}

/* Removes from `scope` what is not in `other`. */
static void scope_intersect(mlf_experiment_list *scope, const mlf_experiment_list *other) {
  for (size_t i = scope->count; i-- > 0;) {
    if (!mlf_experiment_list_name(other, scope->ids[i])) mlf_experiment_list_remove(scope, i);
  }
}

static bool scope_term_has(const mlf_filter_term *term, const char *id) {
  char scratch[24];
  for (size_t i = 0; i < term->value_count; i++) {
    const char *asked = scope_text(&term->values[i], scratch);
    if (asked && strcmp(asked, id) == 0) return true;
  }
  return false;
}

/* Keeps the experiments whose id is among the term's values. SQL compares a number with a fraction
** as a number, whatever the id's text is. */
static void scope_keep_ids(mlf_experiment_list *scope, const mlf_filter_term *term) {
  for (size_t i = 0; i < term->value_count; i++) {
    if (term->values[i].type == MLF_REAL) return;
  }
  for (size_t i = scope->count; i-- > 0;) {
    if (!scope_term_has(term, scope->ids[i])) mlf_experiment_list_remove(scope, i);
  }
}

/* The widest scope, and which term on `experiment`, if any, made it. */
static int scope_add_widest(mlf_connection *connection, mlf_statement *statement,
                            const mlf_arguments *arguments, const mlf_bound_terms *bound,
                            bool untold, mlf_experiment_list *scope, const mlf_filter_term **used,
                            mlf_error *error) {
  const mlf_settings *settings;
  mlf_budget *budget = mlf_statement_budget(statement);
  int rc = mlf_client_settings(mlf_connection_client(connection), &settings, error);
  *used = NULL;
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
  if (preset && untold) {
    return mlf_error_set(error, SQLITE_ERROR,
                         "SQLite does not say here which experiment the statement asks for; give "
                         "it as a literal or a parameter, or unset MLFLOW_EXPERIMENT_NAME and _ID");
  }
  if (preset) return scope_add_asked(connection, budget, preset, false, scope, error);
  return scope_add_active(connection, statement, scope, error);
}

int mlf_scope_resolve(mlf_connection *connection, mlf_statement *statement,
                      const mlf_arguments *arguments, const mlf_bound_terms *bound, bool untold,
                      mlf_experiment_list *scope, mlf_error *error) {
  const mlf_filter_term *used;
  int rc = scope_add_widest(connection, statement, arguments, bound, untold, scope, &used, error);
  for (int i = 0; rc == SQLITE_OK && i < bound->count; i++) {
    const mlf_filter_term *term = &bound->terms[i];
    if (term->column->key_kind == MLF_KEY_EXPERIMENT_ID) scope_keep_ids(scope, term);
    if (term->column->key_kind == MLF_KEY_EXPERIMENT && term != used) {
      mlf_experiment_list other = {0};
      rc = scope_add_term(connection, mlf_statement_budget(statement), term, &other, error);
      if (rc == SQLITE_OK) scope_intersect(scope, &other);
      mlf_experiment_list_clear(&other);
    }
  }
  return rc;
}
