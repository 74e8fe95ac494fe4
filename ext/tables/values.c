#include "tables/values.h"

#include <string.h>

static int values_copy(sqlite3_value *from, mlf_value *to) {
  memset(to, 0, sizeof(*to));
  switch (sqlite3_value_type(from)) {
  case SQLITE_INTEGER:
    to->type = MLF_INTEGER;
    to->integer = sqlite3_value_int64(from);
    return SQLITE_OK;
  case SQLITE_FLOAT:
    to->type = MLF_REAL;
    to->real = sqlite3_value_double(from);
    return SQLITE_OK;
  case SQLITE_NULL: return SQLITE_OK;
  default: break;
  }
  bool is_text = sqlite3_value_type(from) == SQLITE_TEXT;
  const void *bytes = is_text ? (const void *)sqlite3_value_text(from) : sqlite3_value_blob(from);
  size_t length = (size_t)sqlite3_value_bytes(from);
  if (length > 0 && !bytes) return SQLITE_NOMEM;
  char *copy = sqlite3_malloc64(length + 1);
  if (!copy) return SQLITE_NOMEM;
  if (length) memcpy(copy, bytes, length);
  copy[length] = 0;
  *to = (mlf_value){.type = is_text ? MLF_TEXT : MLF_BLOB, .text = copy, .length = length};
  return SQLITE_OK;
}

static void values_free(mlf_value *values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    /* The texts were allocated here, by values_copy. */
    sqlite3_free((void *)(uintptr_t)values[i].text);
  }
  sqlite3_free(values);
}

/* Copies one value, or the values of a list, to the end of `*values`. */
static int values_append(mlf_value **values, size_t *count, size_t *capacity,
                         sqlite3_value *value) {
  if (*count == *capacity) {
    size_t grown_capacity = *capacity ? *capacity * 2 : 1;
    mlf_value *grown = sqlite3_realloc64(*values, grown_capacity * sizeof(*grown));
    if (!grown) return SQLITE_NOMEM;
    *values = grown;
    *capacity = grown_capacity;
  }
  int rc = values_copy(value, &(*values)[*count]);
  if (rc == SQLITE_OK) (*count)++;
  return rc;
}

static int values_bind_term(mlf_filter_term *term, sqlite3_value *argument) {
  mlf_value *values = NULL;
  size_t count = 0, capacity = 0;
  int rc;
  if (term->op == MLF_OP_IN) {
    sqlite3_value *each = NULL;
    rc = sqlite3_vtab_in_first(argument, &each);
    while (rc == SQLITE_OK && each) {
      rc = values_append(&values, &count, &capacity, each);
      if (rc == SQLITE_OK) rc = sqlite3_vtab_in_next(argument, &each);
    }
    if (rc == SQLITE_DONE) rc = SQLITE_OK;
  } else {
    rc = values_append(&values, &count, &capacity, argument);
  }
  if (rc != SQLITE_OK) {
    values_free(values, count);
    return rc;
  }
  term->values = values;
  term->value_count = count;
  return SQLITE_OK;
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

int mlf_values_bind(const mlf_schema *schema, const mlf_plan *plan, sqlite3_value **arguments,
                    mlf_bound_terms *bound) {
  int used = 0;
  memset(bound, 0, sizeof(*bound));
  for (int i = 0; i < plan->term_count; i++) {
    const mlf_plan_term *planned = &plan->terms[i];
    mlf_filter_term term = {.column = &schema->columns[planned->column], .op = planned->op};
    if (mlf_op_has_argument(term.op)) {
      int rc = values_bind_term(&term, arguments[used++]);
      if (rc != SQLITE_OK) {
        mlf_values_clear(bound);
        return rc;
      }
    }
    bound->terms[bound->count++] = term;
  }
  bound->rows_wanted = values_rows_wanted(plan, arguments + used);
  return SQLITE_OK;
}

static void values_free_term(mlf_filter_term *term) {
  values_free((mlf_value *)(uintptr_t)term->values, term->value_count);
}

void mlf_values_drop(mlf_bound_terms *bound, int index) {
  values_free_term(&bound->terms[index]);
  bound->count--;
  memmove(&bound->terms[index], &bound->terms[index + 1],
          (size_t)(bound->count - index) * sizeof(bound->terms[0]));
}

void mlf_values_clear(mlf_bound_terms *bound) {
  for (int i = 0; i < bound->count; i++)
    values_free_term(&bound->terms[i]);
  memset(bound, 0, sizeof(*bound));
}

void mlf_values_result(sqlite3_context *context, const mlf_value *value) {
  switch (value->type) {
  case MLF_NULL: sqlite3_result_null(context); break;
  case MLF_INTEGER: sqlite3_result_int64(context, value->integer); break;
  case MLF_REAL: sqlite3_result_double(context, value->real); break;
  case MLF_TEXT:
    sqlite3_result_text64(context, value->text, value->length, SQLITE_TRANSIENT, SQLITE_UTF8);
    break;
  case MLF_BLOB:
    sqlite3_result_blob64(context, value->text, value->length, SQLITE_TRANSIENT);
    break;
  }
}

int mlf_values_fail(sqlite3_context *context, const char *of, mlf_error *error) {
  int code = error->code;
  char *text = error->text ? sqlite3_mprintf("%s: %s", of, error->text) : NULL;
  if (text) sqlite3_result_error(context, text, -1);
  sqlite3_result_error_code(context, code);
  sqlite3_free(text);
  mlf_error_clear(error);
  return code;
}
