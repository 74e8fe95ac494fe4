#include "tables/values.h"

#include <string.h>

#include "base/array.h"
#include "base/sqlite_value.h"

void mlf_values_free(mlf_value *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    mlf_value_clear(&values[i]);
  sqlite3_free(values);
}

/* Copies one value to the end of `*values`. */
static int values_append(mlf_value **values, size_t *count, size_t *capacity,
                         sqlite3_value *value) {
  mlf_value *grown = mlf_array_room(*values, *count, capacity, 1, sizeof(*grown));
  if (!grown) return SQLITE_NOMEM;
  *values = grown;
  int rc = mlf_sqlite_value_read(value, &grown[*count]);
  if (rc == SQLITE_OK) rc = mlf_value_own(&grown[*count]);
  if (rc == SQLITE_OK) (*count)++;
  return rc;
}

int mlf_values_list(sqlite3_value *list, mlf_value **values, size_t *count) {
  size_t capacity = 0;
  sqlite3_value *each = NULL;
  *values = NULL;
  *count = 0;
  int rc = sqlite3_vtab_in_first(list, &each);
  while (rc == SQLITE_OK && each) {
    if (sqlite3_value_type(each) != SQLITE_NULL) rc = values_append(values, count, &capacity, each);
    if (rc == SQLITE_OK) rc = sqlite3_vtab_in_next(list, &each);
  }
  if (rc == SQLITE_DONE || rc == SQLITE_OK) return SQLITE_OK;
  mlf_values_free(*values, *count);
  *values = NULL;
  *count = 0;
  return rc;
}

static int values_bind_term(mlf_filter_term *term, sqlite3_value *argument) {
  mlf_value *values = NULL;
  size_t count = 0, capacity = 0;
  int rc = term->op == MLF_OP_IN ? mlf_values_list(argument, &values, &count)
                                 : values_append(&values, &count, &capacity, argument);
  if (rc != SQLITE_OK) {
    mlf_values_free(values, count);
    return rc;
  }
  term->values = values;
  term->value_count = count;
  return SQLITE_OK;
}

/* Whether the plan asks for one id. */
static bool values_has_id(const mlf_schema *schema, const mlf_plan *plan) {
  for (int i = 0; i < plan->term_count; i++) {
    const mlf_plan_term *term = &plan->terms[i];
    if (schema->columns[term->column].key_kind == MLF_KEY_TRACE_ID &&
        (term->op == MLF_OP_EQ || term->op == MLF_OP_IS))
      return true;
  }
  return false;
}

/* The rows that LIMIT and OFFSET let through together; 0 if there is no limit. */
static int64_t values_rows_wanted(const mlf_plan *plan, sqlite3_value **arguments) {
  if (!plan->limit) return 0;
  int64_t limit = sqlite3_value_int64(arguments[0]);
  int64_t offset = plan->offset ? sqlite3_value_int64(arguments[1]) : 0;
  int64_t wanted;
  if (limit < 0) return 0;
  if (offset < 0) offset = 0;
  if (__builtin_add_overflow(limit, offset, &wanted)) return 0;
  return wanted;
}

int mlf_values_bind(const mlf_schema *schema, const mlf_plan *plan, const bool *left_out,
                    sqlite3_value **arguments, mlf_bound_terms *bound) {
  bool has_id = values_has_id(schema, plan);
  memset(bound, 0, sizeof(*bound));
  for (int i = 0; i < plan->term_count; i++) {
    const mlf_plan_term *planned = &plan->terms[i];
    mlf_filter_term term = {.column = &schema->columns[planned->column], .op = planned->op};
    if (has_id && term.op == MLF_OP_IN && term.column->key_kind == MLF_KEY_TRACE_ID) {
      bound->hint = arguments[planned->argument];
      continue;
    }
    if (left_out[i]) {
      bound->left_out = true;
      continue;
    }
    if (planned->argument >= 0) {
      int rc = values_bind_term(&term, arguments[planned->argument]);
      if (rc != SQLITE_OK) {
        mlf_values_clear(bound);
        return rc;
      }
    }
    bound->terms[bound->count++] = term;
  }
  bound->rows_wanted = values_rows_wanted(plan, arguments + plan->argument_count);
  return SQLITE_OK;
}

static void values_free_term(mlf_filter_term *term) {
  mlf_values_free((mlf_value *)(uintptr_t)term->values, term->value_count);
}

void mlf_values_clear(mlf_bound_terms *bound) {
  for (int i = 0; i < bound->count; i++)
    values_free_term(&bound->terms[i]);
  memset(bound, 0, sizeof(*bound));
}
