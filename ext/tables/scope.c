#include "tables/scope.h"

#include <string.h>

#include "base/limits.h"
#include "query/integer_bound.h"
#include "remote/experiments.h"

/* Adds the experiment that is called so. The column `experiment` shows its name, so where the
** statement compares it (`shown`), an id finds none. */
static int scope_add_asked(const mlf_scope_ask *ask, mlf_experiment_by by, const char *asked,
                           bool shown, mlf_experiment_list *scope, mlf_error *error) {
  char *id, *name;
  int rc = mlf_connection_experiment(ask->connection, &ask->statement->budget, by, asked, &id,
                                     &name, error);
  if (rc == SQLITE_OK && shown && strcmp(name, asked) != 0) {
    rc = mlf_error_set(error, SQLITE_NOTFOUND,
                       "no experiment has the name '%s'; the one with this id is called '%s'",
                       asked, name);
    sqlite3_free(id);
    sqlite3_free(name);
    return rc;
  }
  return rc == SQLITE_OK ? mlf_experiment_list_take(scope, id, name, error) : rc;
}

/* Reads which experiments are active. */
static int scope_read_active(mlf_statement *statement, mlf_error *error) {
  mlf_experiments page = {0};
  int rc = SQLITE_OK;
  do {
    mlf_experiments next;
    rc =
        mlf_experiments_page(statement->client, &statement->budget, true, page.token, &next, error);
    mlf_experiments_clear(&page);
    page = next;
    const mlf_json_node *each = rc == SQLITE_OK ? page.next : NULL;
    for (; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
      const char *id, *name;
      rc = mlf_experiment_name(page.json, each, &id, &name, error);
      if (rc == SQLITE_OK)
        rc = mlf_experiment_list_take(&statement->active, sqlite3_mprintf("%s", id),
                                      sqlite3_mprintf("%s", name), error);
    }
  } while (rc == SQLITE_OK && page.token);
  mlf_experiments_clear(&page);
  return rc;
}

/* Adds the active experiments, which a statement reads once. */
static int scope_add_active(const mlf_scope_ask *ask, mlf_experiment_list *scope,
                            mlf_error *error) {
  mlf_statement *statement = ask->statement;
  int rc = SQLITE_OK;
  if (!statement->active_known) {
    mlf_experiment_list_clear(&statement->active);
    rc = scope_read_active(statement, error);
    statement->active_known = rc == SQLITE_OK;
  }
  return rc == SQLITE_OK ? mlf_experiment_list_add(scope, &statement->active, error) : rc;
}

/* Adds the active experiments whose names may be numbers: SQL compares one with a number of another
** table by value, so '02' is 2. */
static int scope_add_numbers(const mlf_scope_ask *ask, mlf_experiment_list *scope,
                             mlf_error *error) {
  mlf_experiment_list numbers = {0};
  int rc = scope_add_active(ask, &numbers, error);
  for (size_t i = numbers.count; i-- > 0;) {
    mlf_value name = mlf_value_text(numbers.names[i]);
    if (mlf_value_is_word(&name)) mlf_experiment_list_remove(&numbers, i);
  }
  if (rc == SQLITE_OK) rc = mlf_experiment_list_add(scope, &numbers, error);
  mlf_experiment_list_clear(&numbers);
  return rc;
}

/* A value as the text it is compared as; NULL for what no experiment is called. SQL compares a real
** number with an id by value: 2.0 is 2. */
static const char *scope_text(const mlf_value *value, char scratch[24]) {
  if (value->type == MLF_TEXT) return strlen(value->text) == value->length ? value->text : NULL;
  mlf_op op = MLF_OP_EQ;
  int64_t integer;
  if (!mlf_integer_bound(value, &op, &integer)) return NULL;
  sqlite3_snprintf(24, scratch, "%lld", (sqlite3_int64)integer);
  return scratch;
}

/* Notes, as far as there is room, that no experiment has this name or id. */
static int scope_note_absent(mlf_string_set *absent, const char *asked, mlf_error *error) {
  bool added;
  if (absent->count >= MLF_EXPERIMENTS_MAX) return SQLITE_OK;
  return mlf_string_set_add(absent, asked, &added) == SQLITE_OK ? SQLITE_OK
                                                                : mlf_error_nomem(error);
}

/* The experiments that one term on `experiment` or `experiment_id` names. In a list one that there
** is not is no error, nor in another table: these have others, and none is equal to it. Nor has a
** wrong id a name to be misspelt. Each is asked for once. */
static int scope_add_term(const mlf_scope_ask *ask, const mlf_filter_term *term,
                          mlf_experiment_list *scope, mlf_error *error) {
  char scratch[24];
  bool shown = term->column->key_kind == MLF_KEY_EXPERIMENT;
  mlf_experiment_by by = shown ? MLF_EXPERIMENT_BY_NAME : MLF_EXPERIMENT_BY_ID;
  bool may_miss = term->op == MLF_OP_IN || ask->joined || !shown;
  mlf_string_set *absent = &ask->statement->absent[shown];
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < term->value_count; i++) {
    mlf_error none = {0};
    const char *asked = scope_text(&term->values[i], scratch);
    if (shown && (term->values[i].type == MLF_INTEGER || term->values[i].type == MLF_REAL)) {
      rc = scope_add_numbers(ask, scope, error);
      if (rc != SQLITE_OK) return rc;
      may_miss = may_miss || scope->count > 0;
    }
    if (!asked || (may_miss && (!*asked || mlf_string_set_has(absent, asked)))) continue;
    if (!*asked) return mlf_error_set(error, SQLITE_ERROR, "no experiment has an empty name");
    rc = scope_add_asked(ask, by, asked, shown, scope, &none);
    if (rc == SQLITE_NOTFOUND && may_miss) {
      rc = scope_note_absent(absent, asked, error);
    } else if (rc != SQLITE_OK) {
      mlf_error_move(error, &none);
    }
    mlf_error_clear(&none);
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

/* Keeps the experiments whose id is among the term's values. */
static void scope_keep_ids(mlf_experiment_list *scope, const mlf_filter_term *term) {
  for (size_t i = scope->count; i-- > 0;) {
    if (!scope_term_has(term, scope->ids[i])) mlf_experiment_list_remove(scope, i);
  }
}

/* A scan that is told nothing would read the one experiment in `scope`: an error if the statement
** asks other tables for another. */
static int scope_check_others(const mlf_scope_ask *ask, const mlf_experiment_list *scope,
                              mlf_error *error) {
  const mlf_survey *survey = ask->statement->survey;
  const char *other;
  bool by_id;
  for (int i = 0; survey && (other = mlf_survey_experiment(survey, i, &by_id)); i++) {
    if (strcmp(other, by_id ? scope->ids[0] : scope->names[0]) == 0) continue;
    return mlf_error_set(
        error, SQLITE_ERROR,
        "the environment says to read experiment '%.80s' here, and the statement "
        "asks another table for %s%.80s%s; say experiment = '…' for this table, too",
        scope->names[0], *other ? "'" : "another", other, *other ? "'" : "");
  }
  return SQLITE_OK;
}

/* The scope of a scan that is told nothing. */
static int scope_add_default(const mlf_scope_ask *ask, mlf_experiment_list *scope,
                             mlf_error *error) {
  const mlf_settings *settings;
  int rc = mlf_client_settings(mlf_connection_client(ask->connection), &settings, error);
  if (rc != SQLITE_OK) return rc;
  mlf_experiment_by by = settings->experiment_id ? MLF_EXPERIMENT_BY_ID : MLF_EXPERIMENT_BY_NAME;
  const char *preset =
      settings->experiment_id ? settings->experiment_id : settings->experiment_name;
  if (!preset || ask->compared) return scope_add_active(ask, scope, error);
  rc = scope_add_asked(ask, by, preset, false, scope, error);
  return rc == SQLITE_OK ? scope_check_others(ask, scope, error) : rc;
}

/* The term on `experiment`, or else on `experiment_id`, that says the most; NULL if there is
** none. */
static const mlf_filter_term *scope_find_term(const mlf_bound_terms *bound) {
  const mlf_filter_term *found = NULL;
  for (int i = 0; i < bound->count; i++) {
    mlf_key_kind kind = bound->terms[i].column->key_kind;
    if (kind == MLF_KEY_EXPERIMENT) return &bound->terms[i];
    if (kind == MLF_KEY_EXPERIMENT_ID && !found) found = &bound->terms[i];
  }
  return found;
}

/* The widest scope, and which term, if any, made it. */
static int scope_add_widest(const mlf_scope_ask *ask, mlf_experiment_list *scope,
                            const mlf_filter_term **used, mlf_error *error) {
  int rc = SQLITE_OK;
  *used = NULL;
  for (int i = 0; rc == SQLITE_OK && i < ask->arguments->experiment_count; i++)
    rc = scope_add_asked(ask, MLF_EXPERIMENT_BY_NAME, ask->arguments->experiments[i], false, scope,
                         error);
  if (rc != SQLITE_OK || ask->arguments->experiment_count > 0) return rc;
  *used = scope_find_term(ask->bound);
  return *used ? scope_add_term(ask, *used, scope, error) : scope_add_default(ask, scope, error);
}

int mlf_scope_resolve(const mlf_scope_ask *ask, mlf_experiment_list *scope, mlf_error *error) {
  const mlf_filter_term *used;
  int rc = scope_add_widest(ask, scope, &used, error);
  for (int i = 0; rc == SQLITE_OK && i < ask->bound->count; i++) {
    const mlf_filter_term *term = &ask->bound->terms[i];
    if (term->column->key_kind == MLF_KEY_EXPERIMENT_ID) scope_keep_ids(scope, term);
    if (term->column->key_kind == MLF_KEY_EXPERIMENT && term != used) {
      mlf_experiment_list other = {0};
      rc = scope_add_term(ask, term, &other, error);
      if (rc == SQLITE_OK) scope_intersect(scope, &other);
      mlf_experiment_list_clear(&other);
    }
  }
  if (rc != SQLITE_OK) return rc;
  return mlf_experiment_list_add(&ask->statement->names, scope, error);
}
