#include "query/filter.h"

#include <assert.h>
#include <string.h>

#include "base/filter_words.h"
#include "base/gregorian.h"
#include "base/limits.h"
#include "base/sqlite_api.h"
#include "base/utf8.h"
#include "query/integer_bound.h"
#include "query/shippable.h"
#include "query/time_bound.h"

/* SQLite refuses longer patterns itself, at 50,000 bytes; nobody writes one this long. */
#define FILTER_PATTERN_BYTES_MAX 1000

/* The server compares tags and metadata whole, but shows no more than so many characters of them,
** and of their keys. */
#define FILTER_KEY_SHOWN      250
#define FILTER_TAG_SHOWN      4096
#define FILTER_METADATA_SHOWN 250

typedef struct filter_writer {
  sqlite3_str *text;
  sqlite3_str *spans;
  mlf_server server;
  mlf_filter *filter;
  int terms;
  int key_terms;         /* those for which the server joins a table */
  size_t listed;         /* values in IN lists, those of ids not among them */
  bool raw;              /* a filter of the server's own language is sent, too */
  bool run;              /* that of in_run is */
  const mlf_value *name; /* what is asked of an assessment; NULL for nothing */
  const mlf_value *type;
  const mlf_value *value;
  const mlf_value *valid;
} filter_writer;

static const char *const filter_operators[MLF_OP_COUNT] = {
    [MLF_OP_EQ] = "=",
    [MLF_OP_NE] = "!=",
    [MLF_OP_LT] = "<",
    [MLF_OP_LE] = "<=",
    [MLF_OP_GT] = ">",
    [MLF_OP_GE] = ">=",
    [MLF_OP_IN] = "IN",
    [MLF_OP_LIKE] = "ILIKE",
    [MLF_OP_GLOB] = "ILIKE",
    [MLF_OP_IS_NULL] = "IS NULL",
    [MLF_OP_IS_NOT_NULL] = "IS NOT NULL",
};

/* Whether what stands here may be shown for something else, which the server compares with: U+FFFD
** for what JSON cannot carry, and the escapes of a NUL and of half a surrogate pair. */
static bool filter_is_stand_in(const char *text, size_t length) {
  if (length >= 3 && memcmp(text, "\xef\xbf\xbd", 3) == 0) return true;
  if (length < 6 || text[0] != '\\' || text[1] != 'u') return false;
  return sqlite3_strnicmp(text + 2, "0000", 4) == 0 ||
         (sqlite3_strnicmp(text + 2, "d", 1) == 0 && strchr("89abcdefABCDEF", text[3]));
}

static bool filter_has_stand_in(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (filter_is_stand_in(text + i, length - i)) return true;
  }
  return false;
}

bool mlf_filter_quote(const char *text, size_t length, char *quote) {
  if (!mlf_utf8_is_text(text, length) || filter_has_stand_in(text, length)) return false;
  /* The server's tokenizer takes a backslash before a quote for an escape. */
  if (length && text[length - 1] == '\\') return false;
  *quote = memchr(text, '\'', length) ? '"' : '\'';
  return !memchr(text, *quote, length);
}

/* Lists are read as Python literals, where a backslash and a line break do have a meaning. */
static bool filter_quote_in_list(const mlf_value *value, char *quote) {
  for (size_t i = 0; i < value->length; i++) {
    if ((unsigned char)value->text[i] < 0x20 || value->text[i] == '\\') return false;
  }
  return mlf_filter_quote(value->text, value->length, quote);
}

bool mlf_filter_can_list(const mlf_value *values, size_t count) {
  char quote;
  for (size_t i = 0; i < count; i++) {
    if (values[i].type != MLF_TEXT || !filter_quote_in_list(&values[i], &quote)) return false;
  }
  return true;
}

/* Narrows the range of timestamps; false for an operator that makes none. */
static bool filter_narrow(mlf_filter *filter, mlf_op op, int64_t value) {
  int64_t low = INT64_MIN;
  int64_t high = INT64_MAX;
  switch (op) {
  case MLF_OP_EQ: low = high = value; break;
  case MLF_OP_GE: low = value; break;
  case MLF_OP_LE: high = value; break;
  case MLF_OP_GT:
    if (value == INT64_MAX)
      filter->empty = true;
    else
      low = value + 1;
    break;
  case MLF_OP_LT:
    if (value == INT64_MIN)
      filter->empty = true;
    else
      high = value - 1;
    break;
  default: return false;
  }
  if (low > filter->low_ms) filter->low_ms = low;
  if (high < filter->high_ms) filter->high_ms = high;
  if (filter->low_ms > filter->high_ms) filter->empty = true;
  return true;
}

/* A condition on request_time narrows the range, too. */
static bool filter_narrow_by_text(mlf_filter *filter, const mlf_filter_term *term) {
  const mlf_value *value = &term->values[0];
  if (value->type != MLF_TEXT) return false;
  int64_t from = mlf_time_bound(value->text, value->length, false);
  int64_t behind = mlf_time_bound(value->text, value->length, true);
  filter_narrow(filter, MLF_OP_GE, MLF_GREGORIAN_MIN_MS);
  filter_narrow(filter, MLF_OP_LE, MLF_GREGORIAN_MAX_MS);
  switch (term->op) {
  case MLF_OP_EQ:
    return filter_narrow(filter, MLF_OP_GE, from) && filter_narrow(filter, MLF_OP_LT, behind);
  case MLF_OP_LT: return filter_narrow(filter, MLF_OP_LT, from);
  case MLF_OP_LE: return filter_narrow(filter, MLF_OP_LT, behind);
  case MLF_OP_GT: return filter_narrow(filter, MLF_OP_GE, behind);
  case MLF_OP_GE: return filter_narrow(filter, MLF_OP_GE, from);
  default: return false;
  }
}

static void filter_begin_condition(filter_writer *writer) {
  writer->terms++;
  if (sqlite3_str_length(writer->text) > 0) sqlite3_str_appendall(writer->text, " AND ");
}

/* Whether the key can stand between backticks. */
static bool filter_can_write_key(const mlf_column *column) {
  const char *key = column->key;
  size_t length = strlen(key);
  if (length == 0 || length >= FILTER_KEY_SHOWN || !mlf_utf8_is_text(key, length)) return false;
  for (; *key; key++) {
    if ((unsigned char)*key < 0x20 || strchr("`'\"\\", *key)) return false;
  }
  return true;
}

/* What a key of a person's own belongs to; NULL for the server's own names. */
static const char *filter_entity(const mlf_column *column) {
  switch (column->key_kind) {
  case MLF_KEY_TAG: return "tags";
  case MLF_KEY_METADATA: return "metadata";
  case MLF_KEY_FEEDBACK: return "feedback";
  case MLF_KEY_EXPECTATION: return "expectation";
  default: return NULL;
  }
}

static bool filter_is_assessment(const mlf_column *column) {
  return column->key_kind == MLF_KEY_FEEDBACK || column->key_kind == MLF_KEY_EXPECTATION;
}

/* Whether the column is the run that logged the trace. Of several runs that a filter says with =,
** the server looks at the last one alone. */
static bool filter_is_run(const mlf_column *column) {
  return column->key_kind == MLF_KEY_RUN ||
         (column->key_kind == MLF_KEY_METADATA && strcmp(column->key, MLF_TRACE_RUN) == 0);
}

/* The server keeps tags, metadata and assessments in tables of their own, names and runs among
** them. */
static bool filter_is_joined(const mlf_column *column) {
  return filter_entity(column) || column->key_kind == MLF_KEY_NAME ||
         column->key_kind == MLF_KEY_RUN;
}

static void filter_write_key(filter_writer *writer, const mlf_column *column) {
  const char *entity = filter_entity(column);
  if (entity)
    sqlite3_str_appendf(writer->text, "%s.`%s`", entity, column->key);
  else
    sqlite3_str_appendall(writer->text, column->key);
  writer->key_terms += filter_is_joined(column);
}

/* Whether SQL wants a number that is at or behind a text, and there is none. */
static bool filter_is_below(const mlf_filter_term *term) {
  if (term->column->key_kind == MLF_KEY_NUMBER) return false;
  if (term->op != MLF_OP_EQ && term->op != MLF_OP_GT && term->op != MLF_OP_GE) return false;
  return mlf_value_is_word(&term->values[0]);
}

static bool filter_write_number(filter_writer *writer, const mlf_filter_term *term) {
  mlf_op op = term->op;
  int64_t integer;
  if (filter_is_below(term)) {
    writer->filter->empty = true;
    return true;
  }
  if (!mlf_integer_bound(&term->values[0], &op, &integer)) return false;
  if (term->column->key_kind == MLF_KEY_TIMESTAMP && filter_narrow(writer->filter, op, integer))
    return true;
  filter_begin_condition(writer);
  filter_write_key(writer, term->column);
  sqlite3_str_appendf(writer->text, " %s %lld", filter_operators[op], (sqlite3_int64)integer);
  return true;
}

static void filter_write_quoted(filter_writer *writer, const char *text, size_t length,
                                char quote) {
  sqlite3_str_appendchar(writer->text, 1, quote);
  sqlite3_str_append(writer->text, text, (int)length);
  sqlite3_str_appendchar(writer->text, 1, quote);
}

/* How many characters of the column's texts are shown; SIZE_MAX: all. */
static size_t filter_characters_shown(const mlf_column *column) {
  switch (column->source) {
  case MLF_SOURCE_TAG: return FILTER_TAG_SHOWN;
  case MLF_SOURCE_METADATA: return FILTER_METADATA_SHOWN;
  default: return SIZE_MAX;
  }
}

/* What of a pattern is as good as any text, and how long it is; 0: nothing here. A store compares
** in small letters, which it makes by rules of a language: in Turkish I is not that of i, a sigma
** at the end of a word has another than one within, a dot above may go or come, and where a letter
** has two, `_` is only one of them. */
static size_t filter_any(const char *at, bool glob) {
  if (strchr(glob ? "*?_%iI" : "_%iI", *at)) return 1;
  return strncmp(at, "\xCE\xA3", 2) == 0 || strncmp(at, "\xCC\x87", 2) == 0 ? 2 : 0;
}

/* LIKE and GLOB become ILIKE, which finds more: it ignores case where SQLite's LIKE ignores that
** of ASCII letters and its GLOB none. A `%` or `_` that GLOB takes literally finds more, too. A
** backslash is an escape on some stores, and a `[` begins a class in GLOB and on SQL Server. What
** is shown may be only the beginning of what the server compares. */
static bool filter_write_pattern(filter_writer *writer, const mlf_filter_term *term) {
  const mlf_value *value = &term->values[0];
  char pattern[FILTER_PATTERN_BYTES_MAX + 1];
  size_t length = 0, any = 0;
  char quote;
  if (value->type != MLF_TEXT || value->length > FILTER_PATTERN_BYTES_MAX) return false;
  if (memchr(value->text, '\\', value->length)) return false;
  if (memchr(value->text, '[', value->length)) return false;
  if (!mlf_filter_quote(value->text, value->length, &quote)) return false;
  for (size_t i = 0; i < value->length; i += any ? any : 1) {
    any = filter_any(value->text + i, term->op == MLF_OP_GLOB);
    if (!any || length == 0 || pattern[length - 1] != '%')
      pattern[length++] = any ? '%' : value->text[i];
  }
  bool whole = filter_characters_shown(term->column) == SIZE_MAX;
  if (!whole && (length == 0 || pattern[length - 1] != '%')) pattern[length++] = '%';
  filter_begin_condition(writer);
  filter_write_key(writer, term->column);
  sqlite3_str_appendall(writer->text, " ILIKE ");
  filter_write_quoted(writer, pattern, length, quote);
  return true;
}

static bool filter_write_list(filter_writer *writer, const mlf_filter_term *term) {
  char quote;
  if (term->value_count > MLF_FILTER_IDS_MAX - writer->listed) return false;
  if (!mlf_filter_can_list(term->values, term->value_count)) return false;
  writer->listed += term->value_count;
  filter_begin_condition(writer);
  filter_write_key(writer, term->column);
  const char *separator = " IN (";
  for (size_t i = 0; i < term->value_count; i++) {
    const mlf_value *value = &term->values[i];
    bool quotable = filter_quote_in_list(value, &quote);
    assert(quotable);
    (void)quotable;
    sqlite3_str_appendall(writer->text, separator);
    filter_write_quoted(writer, value->text, value->length, quote);
    separator = ", ";
  }
  sqlite3_str_appendchar(writer->text, 1, ')');
  return true;
}

/* Only texts are sent. Whether SQL compares a number with a text as numbers ('07' = 7) or as texts
** hangs on where the number comes from, which is not known here. */
static bool filter_write_text(filter_writer *writer, const mlf_filter_term *term) {
  if (term->op == MLF_OP_LIKE || term->op == MLF_OP_GLOB) return filter_write_pattern(writer, term);
  if (term->op == MLF_OP_IN) return filter_write_list(writer, term);
  char quote;
  const mlf_value *value = &term->values[0];
  if (value->type != MLF_TEXT) return false;
  if (value->length >= filter_characters_shown(term->column)) return false;
  if (!mlf_filter_quote(value->text, value->length, &quote)) return false;
  /* JSON as a value of an assessment has other blanks there. */
  if (filter_is_assessment(term->column) && value->length && strchr("{[", value->text[0]))
    return false;
  filter_begin_condition(writer);
  filter_write_key(writer, term->column);
  sqlite3_str_appendf(writer->text, " %s ", filter_operators[term->op]);
  filter_write_quoted(writer, value->text, value->length, quote);
  return true;
}

/* Ids are not written here: a long list is asked in batches. Of several the shortest is. */
static bool filter_take_ids(filter_writer *writer, const mlf_filter_term *term) {
  mlf_filter *filter = writer->filter;
  if (!mlf_filter_can_list(term->values, term->value_count)) return false;
  if (filter->id_count) filter->complete = false;
  if (filter->id_count && filter->id_count <= term->value_count) return true;
  filter->ids = term->values;
  filter->id_count = term->value_count;
  return true;
}

/* Whether the server's version knows the operator on this key. */
static bool filter_is_known(mlf_server server, const mlf_column *column, mlf_op op) {
  if (op == MLF_OP_LIKE || op == MLF_OP_GLOB) {
    if (!mlf_server_knows(server, MLF_FEATURE_LIKE)) return false;
  }
  if (op == MLF_OP_IS_NULL || op == MLF_OP_IS_NOT_NULL)
    return mlf_server_knows(server, MLF_FEATURE_IS_NULL);
  if (column->key_kind == MLF_KEY_END_TIME ||
      (column->key && strcmp(column->key, "attributes.client_request_id") == 0))
    return mlf_server_knows(server, MLF_FEATURE_CLIENT_REQUEST_ID);
  if (filter_is_assessment(column)) return mlf_server_knows(server, MLF_FEATURE_FEEDBACK);
  return true;
}

/* IS is = but for NULL, which SQLite's own check alone can find. */
static bool filter_is_null(const mlf_filter_term *term) {
  return term->op == MLF_OP_IS && term->values[0].type == MLF_NULL;
}

/* Whether no row can satisfy the term: a comparison with NULL, or a list of nothing else. */
static bool filter_is_never(const mlf_filter_term *term) {
  if (!mlf_op_has_argument(term->op)) return false;
  for (size_t i = 0; i < term->value_count; i++) {
    if (term->values[i].type != MLF_NULL) return false;
  }
  return true;
}

/* A condition on spans is kept apart. All that one filter says of spans the server looks for in one
** span, and what a raw filter says may be of another one. */
static bool filter_write_span(filter_writer *writer, const mlf_filter_term *term) {
  sqlite3_str *text = writer->text;
  writer->text = writer->spans;
  bool sent = filter_write_text(writer, term);
  writer->text = text;
  return sent;
}

/* The kind of key that an assessment of this type has in the filter language. */
static mlf_key_kind filter_assessment_kind(const mlf_value *type) {
  if (!type || type->type != MLF_TEXT) return MLF_KEY_NONE;
  if (strcmp(type->text, "feedback") == 0) return MLF_KEY_FEEDBACK;
  return strcmp(type->text, "expectation") == 0 ? MLF_KEY_EXPECTATION : MLF_KEY_NONE;
}

/* Writes what finds the traces that have an assessment of this type and name, and if it can be
** said with this value. The server looks at valid ones alone. */
static void filter_write_assessment(filter_writer *writer) {
  const mlf_value *name = writer->name, *valid = writer->valid;
  if (!name || name->type != MLF_TEXT || strlen(name->text) != name->length) return;
  if (!valid || valid->type != MLF_INTEGER || valid->integer != 1) return;
  mlf_column column = {.key_kind = filter_assessment_kind(writer->type), .key = name->text};
  mlf_filter_term equal = {&column, MLF_OP_EQ, writer->value, 1};
  if (!filter_is_known(writer->server, &column, MLF_OP_EQ) || !filter_can_write_key(&column) ||
      mlf_shippable_decide(&column, MLF_OP_EQ) == MLF_SHIP_NO)
    return;
  if (writer->value && filter_write_text(writer, &equal)) return;
  filter_begin_condition(writer);
  filter_write_key(writer, &column);
  sqlite3_str_appendall(writer->text, " IS NOT NULL");
}

/* Writes one term; false if it is left out. */
static bool filter_write_term(filter_writer *writer, const mlf_filter_term *term) {
  const mlf_column *column = term->column;
  if (!filter_is_known(writer->server, column, term->op)) return false;
  if (writer->terms >= MLF_FILTER_TERMS_MAX) return false;
  if (filter_is_joined(column) && writer->key_terms >= MLF_FILTER_KEY_TERMS_MAX) return false;
  if (filter_is_run(column) && term->op == MLF_OP_EQ && (writer->raw || writer->run)) return false;
  switch (column->key_kind) {
  case MLF_KEY_REQUEST_TIME: return filter_narrow_by_text(writer->filter, term);
  case MLF_KEY_TIMESTAMP:
  case MLF_KEY_NUMBER:
  case MLF_KEY_END_TIME: return filter_write_number(writer, term);
  case MLF_KEY_TRACE_ID:
    if (term->op == MLF_OP_EQ || term->op == MLF_OP_IN) return filter_take_ids(writer, term);
    return filter_write_text(writer, term);
  case MLF_KEY_TAG:
  case MLF_KEY_METADATA:
  case MLF_KEY_FEEDBACK:
    if (!filter_can_write_key(column)) return false;
    if (mlf_op_has_argument(term->op)) return filter_write_text(writer, term);
    filter_begin_condition(writer);
    filter_write_key(writer, column);
    sqlite3_str_appendf(writer->text, " %s", filter_operators[term->op]);
    return true;
  case MLF_KEY_SPAN: return !writer->raw && filter_write_span(writer, term);
  case MLF_KEY_ASSESSMENT_NAME: writer->name = term->values; return true;
  case MLF_KEY_ASSESSMENT_TYPE: writer->type = term->values; return true;
  case MLF_KEY_ASSESSMENT_VALUE: writer->value = term->values; return true;
  case MLF_KEY_ASSESSMENT_VALID: writer->valid = term->values; return true;
  default: return filter_write_text(writer, term);
  }
}

/* Takes an argument of the table, which has to be sent. */
static int filter_take_argument(filter_writer *writer, const mlf_filter_term *term,
                                mlf_error *error) {
  const mlf_value *value = &term->values[0];
  bool raw = term->column->key_kind == MLF_KEY_FILTER;
  char quote;
  *(raw ? &writer->filter->raw : &writer->filter->run) = value;
  if (value->type != MLF_TEXT || memchr(value->text, 0, value->length)) {
    return mlf_error_set(error, SQLITE_ERROR, "%s = … wants %s as a text without NUL",
                         term->column->name, raw ? "a filter of MLflow's" : "the id of a run");
  }
  if (!raw && !mlf_filter_quote(value->text, value->length, &quote))
    return mlf_error_set(error, SQLITE_ERROR, "in_run = … wants the id of a run; no run has this");
  if (!raw && value->length == 0)
    writer->filter->empty = true; /* the server would take it for all */
  const mlf_filter *filter = writer->filter;
  if (filter->raw && filter->run && mlf_filter_topics(filter->raw->text) & MLF_FILTER_RUN)
    return mlf_error_set(error, SQLITE_ERROR,
                         "filter = … asks for a run, and so does in_run = …; the "
                         "server looks at one of them alone: say the run once");
  return SQLITE_OK;
}

int mlf_filter_write(const mlf_filter_term *terms, int count, mlf_server server, mlf_filter *filter,
                     mlf_error *error) {
  *filter = (mlf_filter){.low_ms = INT64_MIN, .high_ms = INT64_MAX, .complete = true};
  filter_writer writer = {.text = sqlite3_str_new(NULL),
                          .spans = sqlite3_str_new(NULL),
                          .server = server,
                          .filter = filter};
  int rc = SQLITE_OK;
  for (int i = 0; i < count; i++) {
    mlf_key_kind kind = terms[i].column->key_kind;
    writer.raw = writer.raw || kind == MLF_KEY_FILTER;
    writer.run = writer.run || kind == MLF_KEY_IN_RUN;
  }
  for (int i = 0; rc == SQLITE_OK && i < count; i++) {
    mlf_key_kind kind = terms[i].column->key_kind;
    bool sent;
    mlf_filter_term term = terms[i];
    bool never = !filter_is_null(&term) && filter_is_never(&term);
    if (mlf_key_is_experiment(kind) && !never) continue;
    if (filter_is_null(&term)) {
      filter->complete = false;
      continue;
    }
    if (term.op == MLF_OP_IS) term.op = MLF_OP_EQ;
    if (never) {
      filter->empty = sent = true;
    } else if (kind == MLF_KEY_FILTER || kind == MLF_KEY_IN_RUN) {
      sent = true;
      rc = filter_take_argument(&writer, &term, error);
    } else {
      sent = filter_write_term(&writer, &term);
    }
    if (!sent || mlf_shippable_decide(term.column, term.op) != MLF_SHIP_EXACT)
      filter->complete = false;
  }
  filter_write_assessment(&writer);
  int memory = sqlite3_str_errcode(writer.text);
  if (memory == SQLITE_OK) memory = sqlite3_str_errcode(writer.spans);
  filter->text = sqlite3_str_finish(writer.text);
  filter->spans = sqlite3_str_finish(writer.spans);
  return memory == SQLITE_OK ? rc : mlf_error_nomem(error);
}

void mlf_filter_clear(mlf_filter *filter) {
  sqlite3_free(filter->text);
  sqlite3_free(filter->spans);
  memset(filter, 0, sizeof(*filter));
}
