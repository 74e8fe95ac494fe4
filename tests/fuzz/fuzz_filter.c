/* fuzz_filter.c: what is written for the server against a reader of MLflow's filter language.
**
** The input makes a schema with columns under odd keys, and terms of any kind and value, as plans
** let through. The reader takes texts literally between quotes, as MLflow's does.
**
**   (1) A filter is conditions joined by AND, and each is one of the terms: its key, its operator
**       and its values are that term's, and what is quoted is UTF-8.
**   (2) Each term is in the filter, in the range of times, among the ids, or makes it incomplete.
**   (3) A server knows every operator and key that is written for it.
**   (4) The plan's text is read back as the plan.
*/
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/sqlite_api.h"
#include "base/utf8.h"
#include "query/filter.h"
#include "query/shippable.h"

#define FILTER_TERMS  12
#define FILTER_VALUES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void filter_require(bool truth) {
  if (!truth) abort();
}

typedef struct filter_input {
  const uint8_t *data;
  size_t size;
  mlf_schema schema;
  mlf_filter_term terms[FILTER_TERMS];
  mlf_value values[FILTER_TERMS][FILTER_VALUES];
  int term_count;
  mlf_server server;
} filter_input;

static unsigned filter_byte(filter_input *input) {
  if (input->size == 0) return 0;
  input->size--;
  return *input->data++;
}

/* The next few bytes, in the input itself. */
static const char *filter_bytes(filter_input *input, size_t *length) {
  *length = filter_byte(input) % 24;
  if (*length > input->size) *length = input->size;
  const char *bytes = (const char *)input->data;
  input->data += *length;
  input->size -= *length;
  return bytes;
}

static void filter_make_value(filter_input *input, mlf_value *value) {
  static const int64_t integers[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
  unsigned kind = filter_byte(input);
  *value = (mlf_value){.type = (mlf_value_type)(kind % 5)};
  if (value->type == MLF_INTEGER) {
    value->integer = kind & 0x80 ? (int64_t)filter_byte(input) : integers[(kind >> 3) % 7];
  } else if (value->type == MLF_REAL) {
    size_t length;
    const char *bytes = filter_bytes(input, &length);
    memcpy(&value->real, bytes, length < sizeof(double) ? length : sizeof(double));
  } else if (value->type != MLF_NULL) {
    value->text = filter_bytes(input, &value->length);
    filter_require(mlf_value_own(value) == SQLITE_OK); /* with a NUL after its last byte */
  }
}

/* Declares columns and makes terms that mlf_plan_choose would have let through. */
static void filter_make(filter_input *input) {
  static const char *const prefixes[] = {"tags", "metadata", "feedback"};
  filter_require(mlf_schema_init_traces(&input->schema) == SQLITE_OK);
  input->server = (mlf_server){3, 1 + (int)(filter_byte(input) % 20)};
  for (unsigned i = filter_byte(input) % 4; i > 0; i--) {
    size_t length;
    mlf_error error = {0};
    const char *bytes = filter_bytes(input, &length);
    char *key = sqlite3_mprintf("%.*s", (int)length, bytes);
    mlf_schema_declare(&input->schema, prefixes[length % 3], key ? key : "", NULL, &error);
    mlf_error_clear(&error);
    sqlite3_free(key);
  }
  while (input->size > 0 && input->term_count < FILTER_TERMS) {
    mlf_filter_term *term = &input->terms[input->term_count];
    mlf_value *values = input->values[input->term_count];
    term->column =
        &input->schema.columns[filter_byte(input) % (unsigned)input->schema.column_count];
    term->op = (mlf_op)(filter_byte(input) % MLF_OP_COUNT);
    if (mlf_shippable_decide(term->column, term->op) == MLF_SHIP_NO) continue;
    term->values = values;
    term->value_count = term->op == MLF_OP_IN ? filter_byte(input) % (FILTER_VALUES + 1)
                                              : mlf_op_has_argument(term->op);
    for (size_t i = 0; i < term->value_count; i++)
      filter_make_value(input, &values[i]);
    input->term_count++;
  }
}

static bool filter_skip(const char **at, const char *word) {
  size_t length = strlen(word);
  if (strncmp(*at, word, length) != 0) return false;
  *at += length;
  return true;
}

/* Reads a quoted text: literal up to the same quote, but for a backslash before it, which MLflow's
** tokenizer takes for an escape. */
static bool filter_read_text(const char **at, const char **text, size_t *length) {
  char quote = **at;
  if (quote != '\'' && quote != '"') return false;
  const char *end = strchr(*at + 1, quote);
  if (!end || end[-1] == '\\' || end[1] == quote) return false;
  *text = *at + 1;
  *length = (size_t)(end - *text);
  *at = end + 1;
  return true;
}

static bool filter_same_text(const mlf_value *value, const char *text, size_t length) {
  return value->type == MLF_TEXT && value->length == length &&
         memcmp(value->text, text, length) == 0 && mlf_utf8_is_text(text, length);
}

static bool filter_read_key(const char **at, const mlf_column *column) {
  const char *prefix = column->key_kind == MLF_KEY_TAG        ? "tags.`"
                       : column->key_kind == MLF_KEY_METADATA ? "metadata.`"
                       : column->key_kind == MLF_KEY_FEEDBACK ? "feedback.`"
                                                              : NULL;
  if (!prefix) return filter_skip(at, column->key) && filter_skip(at, " ");
  if (strpbrk(column->key, "`'\"\\")) return false;
  return filter_skip(at, prefix) && filter_skip(at, column->key) && filter_skip(at, "` ");
}

static bool filter_read_list(const char **at, const mlf_filter_term *term) {
  const char *text;
  size_t length;
  const char *separator = "IN (";
  for (size_t i = 0; i < term->value_count; i++) {
    if (!filter_skip(at, separator) || !filter_read_text(at, &text, &length)) return false;
    if (!filter_same_text(&term->values[i], text, length)) return false;
    /* A list is read as Python would. */
    for (size_t j = 0; j < length; j++)
      if ((unsigned char)text[j] < 0x20 || text[j] == '\\') return false;
    separator = ", ";
  }
  return filter_skip(at, ")");
}

/* How many bytes from here on a store may fold in its own way, or stand for any text; 0: none. */
static size_t filter_any(const char *at, size_t length, bool glob) {
  if (length == 0) return 0;
  if (*at == '%' || *at == '_' || *at == 'i' || *at == 'I') return 1;
  if (glob && (*at == '*' || *at == '?')) return 1;
  return length > 1 && (!memcmp(at, "\xCE\xA3", 2) || !memcmp(at, "\xCC\x87", 2)) ? 2 : 0;
}

static bool filter_read_pattern(const char **at, const mlf_filter_term *term) {
  const char *text;
  size_t length;
  const mlf_value *value = &term->values[0];
  if (!filter_skip(at, "ILIKE ") || !filter_read_text(at, &text, &length)) return false;
  if (value->type != MLF_TEXT || memchr(text, '\\', length) || !mlf_utf8_is_text(text, length))
    return false;
  /* What is shown of a tag or metadata may be only its beginning. */
  bool cut = term->column->source == MLF_SOURCE_TAG || term->column->source == MLF_SOURCE_METADATA;
  if (cut && (length == 0 || text[length - 1] != '%')) return false;
  size_t from = 0, any;
  for (size_t i = 0; i < length; i++) {
    size_t begin = from;
    while ((any = filter_any(value->text + from, value->length - from, term->op == MLF_OP_GLOB)))
      from += any;
    if (text[i] == '%') {
      if (from == begin && !(cut && i == length - 1)) return false;
    } else if (from != begin || from == value->length || value->text[from++] != text[i]) {
      return false;
    }
  }
  return from == value->length;
}

/* A comparison with a whole number that says what the term says. */
static bool filter_read_number(const char **at, const mlf_filter_term *term) {
  static const char *const operators[] = {"= ", "!= ", "< ", "<= ", "> ", ">= "};
  const mlf_value *value = &term->values[0];
  char *end;
  for (int op = MLF_OP_EQ; op <= MLF_OP_GE; op++) {
    const char *from = *at;
    if (!filter_skip(&from, operators[op])) continue;
    long long number = strtoll(from, &end, 10);
    if (end == from || (*end && *end != ' ')) return false;
    *at = end;
    double real = value->real;
    switch (value->type) {
    case MLF_INTEGER: return op == (int)term->op && number == value->integer;
    case MLF_TEXT: return op == (int)term->op; /* its digits are checked by the unit test */
    case MLF_REAL:
      if ((double)number == real) return op == (int)term->op;
      if (op == MLF_OP_LE)
        return (term->op == MLF_OP_LT || term->op == MLF_OP_LE) && (double)number < real &&
               real < (double)number + 1;
      return op == MLF_OP_GE && (term->op == MLF_OP_GT || term->op == MLF_OP_GE) &&
             (double)number > real && real > (double)number - 1;
    default: return false;
    }
  }
  return false;
}

/* Whether the condition at `at` is this term, IS written as =; moves past it if so. */
static bool filter_read_term(const char **at, const mlf_filter_term *asked) {
  static const char *const plain[MLF_OP_COUNT] = {[MLF_OP_EQ] = "= ", [MLF_OP_NE] = "!= "};
  const char *from = *at, *text;
  mlf_filter_term equal = *asked;
  if (equal.op == MLF_OP_IS) equal.op = MLF_OP_EQ;
  const mlf_filter_term *term = &equal;
  size_t length;
  bool read;
  if (!term->column->key || !filter_read_key(&from, term->column)) return false;
  switch (term->column->key_kind) {
  case MLF_KEY_TIMESTAMP:
  case MLF_KEY_NUMBER:
  case MLF_KEY_END_TIME: read = filter_read_number(&from, term); break;
  default:
    switch (term->op) {
    case MLF_OP_IS_NULL: read = filter_skip(&from, "IS NULL"); break;
    case MLF_OP_IS_NOT_NULL: read = filter_skip(&from, "IS NOT NULL"); break;
    case MLF_OP_LIKE:
    case MLF_OP_GLOB: read = filter_read_pattern(&from, term); break;
    case MLF_OP_IN: read = filter_read_list(&from, term); break;
    default:
      read = plain[term->op] && filter_skip(&from, plain[term->op]) &&
             filter_read_text(&from, &text, &length) &&
             filter_same_text(&term->values[0], text, length);
    }
  }
  if (read) *at = from;
  return read;
}

static void filter_check_known(const filter_input *input, const mlf_filter_term *term) {
  int minor = input->server.minor;
  if (term->op == MLF_OP_LIKE || term->op == MLF_OP_GLOB) filter_require(minor >= 6);
  if (term->op == MLF_OP_IS_NULL || term->op == MLF_OP_IS_NOT_NULL) filter_require(minor >= 11);
  if (term->column->key_kind == MLF_KEY_FEEDBACK) filter_require(minor >= 10);
  if (term->column->key_kind == MLF_KEY_END_TIME) filter_require(minor >= 6);
}

/* Reads the whole text; returns how many conditions it has. Terms come in their order. */
static int filter_read(const filter_input *input, const char *text) {
  int conditions = 0, next = 0;
  if (!text) return 0;
  do {
    while (next < input->term_count && !filter_read_term(&text, &input->terms[next]))
      next++;
    filter_require(next < input->term_count);
    filter_check_known(input, &input->terms[next++]);
    conditions++;
  } while (filter_skip(&text, " AND "));
  filter_require(*text == 0);
  return conditions;
}

static void filter_check(const filter_input *input, const mlf_filter *filter) {
  int conditions = filter_read(input, filter->text);
  int elsewhere = 0;
  bool times = false;
  for (int i = 0; i < input->term_count; i++) {
    const mlf_filter_term *term = &input->terms[i];
    switch (term->column->key_kind) {
    case MLF_KEY_EXPERIMENT:
    case MLF_KEY_EXPERIMENT_ID:
    case MLF_KEY_FILTER:
    case MLF_KEY_IN_RUN: elsewhere++; break;
    case MLF_KEY_TRACE_ID:
      elsewhere += term->op == MLF_OP_EQ || term->op == MLF_OP_IN || term->op == MLF_OP_IS;
      break;
    case MLF_KEY_REQUEST_TIME:
    case MLF_KEY_TIMESTAMP:
      elsewhere += term->op != MLF_OP_NE;
      times = true;
      break;
    default: break;
    }
  }
  if (filter->complete && !filter->empty)
    filter_require(conditions + elsewhere == input->term_count);
  if (!times) filter_require(filter->low_ms == INT64_MIN && filter->high_ms == INT64_MAX);
  if (!filter->empty) filter_require(filter->low_ms <= filter->high_ms);
  for (size_t i = 0; i < filter->id_count; i++) {
    char quote;
    const mlf_value *id = &filter->ids[i];
    filter_require(id->type == MLF_TEXT && mlf_filter_quote(id->text, id->length, &quote));
  }
}

static void filter_check_plan(const filter_input *input) {
  mlf_plan plan, parsed;
  memset(&plan, 0, sizeof(plan));
  for (int i = 0; i < input->term_count; i++) {
    const mlf_filter_term *term = &input->terms[i];
    int column = (int)(term->column - input->schema.columns);
    plan.terms[plan.term_count++] = (mlf_plan_term){column, term->op, -1, -1};
  }
  char *text = mlf_plan_text(&input->schema, &plan);
  filter_require(mlf_plan_parse(&input->schema, text, &parsed) == SQLITE_OK);
  filter_require(parsed.term_count == plan.term_count);
  for (int i = 0; i < plan.term_count; i++)
    filter_require(parsed.terms[i].column == plan.terms[i].column &&
                   parsed.terms[i].op == plan.terms[i].op);
  sqlite3_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static filter_input input;
  mlf_filter filter;
  memset(&input, 0, sizeof(input));
  input.data = data;
  input.size = size;
  filter_make(&input);
  mlf_error error = {0};
  int rc = mlf_filter_write(input.terms, input.term_count, input.server, &filter, &error);
  filter_require(rc == SQLITE_OK || (rc == SQLITE_ERROR && error.text));
  mlf_error_clear(&error);
  if (rc == SQLITE_OK) filter_check(&input, &filter);
  filter_check_plan(&input);
  mlf_filter_clear(&filter);
  for (int i = 0; i < FILTER_TERMS; i++)
    for (int j = 0; j < FILTER_VALUES; j++)
      mlf_value_clear(&input.values[i][j]);
  mlf_schema_clear(&input.schema);
  return 0;
}
