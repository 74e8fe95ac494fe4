#include "model/json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/sqlite_api.h"
#include "model/json_reader.h"
#include "model/json_write.h"

/* No double and no midpoint between two has more significant digits (IEEE 754: 767). */
#define JSON_DIGITS_MAX 800

/* Far above any exponent that leaves a number finite, however many digits the text has. */
#define JSON_EXPONENT_MAX 1000000000000000

/* A node takes about 100 bytes. What MLflow sends has far fewer in its text; so a tree is at most
** some fourteen times as large as its text, and the limit of the text is the limit of all. */
#define JSON_NODES_LEAST     65536
#define JSON_BYTES_PER_VALUE 8

/* How many bytes of decoded text are kept before they are forgotten. */
#define JSON_TEXTS_BYTES 65536

typedef struct json_extent {
  size_t begin; /* offset of the value's first byte */
  size_t end;   /* offset after its last */
} json_extent;

struct mlf_json {
  const char *text;
  char *owned; /* the text, unless it is the parent's */
  size_t length;
  mlf_json_options options;
  mlf_json *parent;          /* held; NULL for a document that was not opened from another */
  const mlf_json_node *leaf; /* of the parent */
  json_extent *values;       /* in the document's order; a node's valueint is its index */
  size_t value_count;
  size_t value_capacity;
  cJSON *root;
  int64_t tag; /* of the caller */
  int holders; /* besides the owner */
};

static const cJSON *json_item(const mlf_json_node *node) {
  return (const cJSON *)node;
}

static const mlf_json_node *json_node(const cJSON *item) {
  return (const mlf_json_node *)item;
}

/* Records that a value begins. */
static int json_add_value(mlf_json *json, size_t begin, mlf_error *error) {
  if (json->value_count >= JSON_NODES_LEAST + json->length / JSON_BYTES_PER_VALUE)
    return mlf_error_set(error, SQLITE_TOOBIG, "JSON of %llu bytes has more than %llu values",
                         (sqlite3_uint64)json->length, (sqlite3_uint64)json->value_count);
  json_extent *values =
      mlf_array_room(json->values, json->value_count, &json->value_capacity, 64, sizeof(*values));
  if (!values) return mlf_error_nomem(error);
  json->values = values;
  json->values[json->value_count++].begin = begin;
  return SQLITE_OK;
}

/* A byte order mark, which may begin a file and nothing else. */
static size_t json_mark_bytes(const mlf_json *json) {
  bool marked =
      json->options.python && json->length >= 3 && memcmp(json->text, "\xef\xbb\xbf", 3) == 0;
  return marked ? 3 : 0;
}

/* Appends the decoded text of a name or string, with its NUL; `*at` is where. What was appended
** before is forgotten where there is much of it, so that the tree alone grows with the document;
** but for the name of a value. */
static int json_decode(sqlite3_str *texts, const mlf_json_reader *reader, bool named, int *at,
                       mlf_error *error) {
  if (!named && sqlite3_str_length(texts) > JSON_TEXTS_BYTES) sqlite3_str_reset(texts);
  *at = sqlite3_str_length(texts);
  int rc = mlf_json_write_text(texts, reader, error);
  sqlite3_str_appendchar(texts, 1, '\0');
  return rc;
}

/* The item of a value that begins; NULL if there is no memory. A number is read from the document
** when it is asked for. */
static cJSON *json_item_new(mlf_json_token token, const char *text) {
  switch (token) {
  case MLF_JSON_TOKEN_OBJECT: return cJSON_CreateObject();
  case MLF_JSON_TOKEN_ARRAY: return cJSON_CreateArray();
  case MLF_JSON_TOKEN_STRING: return cJSON_CreateString(text);
  case MLF_JSON_TOKEN_NUMBER: return cJSON_CreateNumber(0);
  case MLF_JSON_TOKEN_TRUE: return cJSON_CreateTrue();
  case MLF_JSON_TOKEN_FALSE: return cJSON_CreateFalse();
  default: return cJSON_CreateNull();
  }
}

/* Puts a value that begins into its container, or makes it the root. */
static int json_add_item(mlf_json *json, cJSON *container, const char *name, cJSON *item,
                         mlf_error *error) {
  bool added = item != NULL;
  if (added) item->valueint = (int)json->value_count - 1;
  if (!container) {
    json->root = item;
  } else if (added) {
    added = cJSON_IsArray(container) ? cJSON_AddItemToArray(container, item)
                                     : cJSON_AddItemToObject(container, name, item);
    if (!added) cJSON_Delete(item);
  }
  return added ? SQLITE_OK : mlf_error_nomem(error);
}

/* Reads the document: checks it, records its values, and makes the tree. */
static int json_read(mlf_json *json, sqlite3_str *texts, mlf_error *error) {
  cJSON *open[MLF_JSON_LEVELS_MAX + 1] = {NULL}; /* the containers that are open, from [1] on */
  mlf_json_reader reader;
  mlf_json_token token = MLF_JSON_TOKEN_NULL;
  int name = 0, text = 0;
  mlf_json_reader_init(&reader, json->text, json->length);
  reader.at = json_mark_bytes(json);
  reader.python = json->options.python;
  reader.interrupt = json->options.interrupt;
  for (;;) {
    int level = reader.depth;
    int rc = mlf_json_reader_next(&reader, &token, error);
    if (rc != SQLITE_OK || token == MLF_JSON_TOKEN_END) return rc;
    cJSON *container = open[level];
    if (token == MLF_JSON_TOKEN_OBJECT_END || token == MLF_JSON_TOKEN_ARRAY_END) {
      assert(container && json->values); /* only what is open ends */
      json->values[container->valueint].end = reader.end;
      continue;
    }
    if (token == MLF_JSON_TOKEN_NAME) {
      rc = json_decode(texts, &reader, false, &name, error);
      if (rc != SQLITE_OK) return rc;
      continue;
    }
    if (token == MLF_JSON_TOKEN_STRING)
      rc = json_decode(texts, &reader, container && cJSON_IsObject(container), &text, error);
    if (rc == SQLITE_OK) rc = json_add_value(json, reader.begin, error);
    if (rc != SQLITE_OK) return rc;
    const char *decoded = sqlite3_str_value(texts);
    cJSON *item = json_item_new(token, decoded ? decoded + text : NULL);
    rc = json_add_item(json, container, decoded ? decoded + name : NULL, item, error);
    if (rc == SQLITE_OK && reader.depth > level && level < json->options.levels)
      open[reader.depth] = item;
    else if (rc == SQLITE_OK)
      rc = mlf_json_reader_skip(&reader, token, error);
    if (rc != SQLITE_OK) return rc;
    json->values[item->valueint].end = reader.end;
  }
}

/* Makes a document of borrowed text; `owned` is what to free with it. */
static int json_new(const char *text, size_t length, char *owned, mlf_json_options options,
                    mlf_json **out, mlf_error *error) {
  *out = NULL;
  mlf_json *json = sqlite3_malloc64(sizeof(*json));
  if (!json) {
    sqlite3_free(owned);
    return mlf_error_nomem(error);
  }
  *json = (mlf_json){.text = text, .length = length, .owned = owned, .options = options, .tag = -1};
  if (options.levels == 0) json->options.levels = MLF_JSON_LEVELS_MAX;
  assert(json->options.levels <= MLF_JSON_LEVELS_MAX);
  sqlite3_str *texts = sqlite3_str_new(NULL);
  int rc = json_read(json, texts, error);
  if (rc == SQLITE_OK && sqlite3_str_errcode(texts) != SQLITE_OK) rc = mlf_error_nomem(error);
  sqlite3_free(sqlite3_str_finish(texts));
  if (rc == SQLITE_OK) {
    *out = json;
  } else {
    mlf_json_free(json);
  }
  return rc;
}

int mlf_json_parse_take(char *text, size_t length, mlf_json_options options, mlf_json **out,
                        mlf_error *error) {
  return json_new(text, length, text, options, out, error);
}

int mlf_json_parse(const char *text, size_t length, mlf_json_options options, mlf_json **out,
                   mlf_error *error) {
  *out = NULL;
  char *copy = sqlite3_malloc64((sqlite3_uint64)length + 1);
  if (!copy) return mlf_error_nomem(error);
  if (length) memcpy(copy, text, length);
  return json_new(copy, length, copy, options, out, error);
}

int mlf_json_open(const mlf_json *json, const mlf_json_node *leaf, int levels, mlf_json **out,
                  mlf_error *error) {
  size_t length;
  const char *raw = mlf_json_raw(json, leaf, &length);
  mlf_json_options options = json->options;
  options.levels = levels;
  int rc = json_new(raw, length, NULL, options, out, error);
  if (rc != SQLITE_OK) return rc;
  (*out)->parent = mlf_json_hold(json);
  (*out)->leaf = leaf;
  (*out)->tag = json->tag;
  return rc;
}

mlf_json *mlf_json_hold(const mlf_json *json) {
  mlf_json *held = (mlf_json *)(uintptr_t)json; /* made here; only its count changes */
  if (held) held->holders++;
  return held;
}

void mlf_json_free(mlf_json *json) {
  if (!json || json->holders-- > 0) return;
  cJSON_Delete(json->root);
  mlf_json_free(json->parent);
  sqlite3_free(json->values);
  sqlite3_free(json->owned);
  sqlite3_free(json);
}

char *mlf_json_quote(const mlf_json *json, const char *text, size_t bytes_max) {
  const mlf_json_sender *sender = json->options.sender;
  if (sender) return sender->quote(sender->context, text, bytes_max);
  char *quote = sqlite3_mprintf("%s", text);
  if (quote) mlf_error_clean(quote, bytes_max);
  return quote;
}

void mlf_json_refuse(const mlf_json *json, const mlf_error *why) {
  const mlf_json_sender *sender = json->options.sender;
  if (sender && why->text) sender->refused(sender->context, json->tag, why->text);
}

void mlf_json_set_tag(mlf_json *json, int64_t tag) {
  json->tag = tag;
}

int64_t mlf_json_tag(const mlf_json *json) {
  return json->tag;
}

const mlf_json_node *mlf_json_root(const mlf_json *json) {
  return json_node(json->root);
}

/* The exact integer at `text`; false if it has a fraction or exponent or does not fit. */
static bool json_read_int64(const char *text, size_t length, int64_t *value) {
  bool negative = text[0] == '-';
  int64_t sum = 0; /* negative, for that side reaches one further */
  for (size_t i = negative; i < length; i++) {
    int digit = text[i] - '0';
    if (digit < 0 || digit > 9) return false;
    if (sum < (INT64_MIN + digit) / 10) return false;
    sum = sum * 10 - digit;
  }
  if (!negative && sum == INT64_MIN) return false;
  *value = negative ? sum : -sum;
  return true;
}

/* The exponent of a number, from after its 'e' to its end. */
static int64_t json_read_exponent(const char *at, const char *end) {
  bool negative = *at == '-';
  if (*at == '-' || *at == '+') at++;
  int64_t exponent = 0;
  for (; at < end && exponent < JSON_EXPONENT_MAX; at++)
    exponent = exponent * 10 + (*at - '0');
  return negative ? -exponent : exponent;
}

/* strtod takes the decimal point from the locale, so it is given none: 12.5e3 as 125e2. Of more
** digits than can matter one stands for the rest, whether they are zero or not. */
static double json_read_double(const char *text, size_t length) {
  char decimal[JSON_DIGITS_MAX + 32];
  const char *end = text + length;
  size_t used = 0;
  size_t digits = 0;
  int64_t exponent = 0;
  bool fraction = false;
  bool rest = false;
  const char *at = text;
  if (*at == '-') decimal[used++] = *at++;
  for (; at < end && *at != 'e' && *at != 'E'; at++) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    if (digits == JSON_DIGITS_MAX) {
      rest = rest || *at != '0';
      exponent += !fraction;
      continue;
    }
    exponent -= fraction;
    if (digits == 0 && *at == '0') continue;
    decimal[used++] = *at;
    digits++;
  }
  if (at < end) exponent += json_read_exponent(at + 1, end);
  if (digits == 0) decimal[used++] = '0';
  if (rest) {
    decimal[used++] = '1';
    exponent--;
  }
  sqlite3_snprintf((int)(sizeof(decimal) - used), decimal + used, "e%lld", (sqlite3_int64)exponent);
  return strtod(decimal, NULL);
}

mlf_json_kind mlf_json_kind_of(const mlf_json *json, const mlf_json_node *node) {
  int64_t value;
  if (!node) return MLF_JSON_ABSENT;
  switch (json_item(node)->type) {
  case cJSON_NULL: return MLF_JSON_NULL;
  case cJSON_False: return MLF_JSON_FALSE;
  case cJSON_True: return MLF_JSON_TRUE;
  case cJSON_String: return MLF_JSON_STRING;
  case cJSON_Array: return MLF_JSON_ARRAY;
  case cJSON_Object: return MLF_JSON_OBJECT;
  default: return mlf_json_int64(json, node, &value) ? MLF_JSON_INTEGER : MLF_JSON_REAL;
  }
}

const mlf_json_node *mlf_json_member(const mlf_json_node *node, const char *name) {
  if (!node || json_item(node)->type != cJSON_Object) return NULL;
  const cJSON *first = json_item(node)->child;
  if (!first) return NULL;
  /* From the last, which is the first one's `prev`, so that of duplicates it is found. */
  const cJSON *item = first->prev;
  while (strcmp(item->string, name) != 0) {
    if (item == first) return NULL;
    item = item->prev;
  }
  return json_node(item);
}

const mlf_json_node *mlf_json_first(const mlf_json_node *node) {
  return node ? json_node(json_item(node)->child) : NULL;
}

const mlf_json_node *mlf_json_next(const mlf_json_node *node) {
  return node ? json_node(json_item(node)->next) : NULL;
}

const char *mlf_json_name(const mlf_json_node *node) {
  return node ? json_item(node)->string : NULL;
}

const char *mlf_json_text(const mlf_json_node *node) {
  return node ? json_item(node)->valuestring : NULL;
}

bool mlf_json_int64(const mlf_json *json, const mlf_json_node *node, int64_t *value) {
  if (!node || json_item(node)->type != cJSON_Number) return false;
  size_t length;
  const char *raw = mlf_json_raw(json, node, &length);
  return json_read_int64(raw, length, value);
}

bool mlf_json_double(const mlf_json *json, const mlf_json_node *node, double *value) {
  if (!node || json_item(node)->type != cJSON_Number) return false;
  size_t length;
  const char *raw = mlf_json_raw(json, node, &length);
  int64_t integer;
  *value = json_read_int64(raw, length, &integer) ? (double)integer : json_read_double(raw, length);
  return true;
}

const char *mlf_json_raw(const mlf_json *json, const mlf_json_node *node, size_t *length) {
  *length = 0;
  if (!node) return NULL;
  const json_extent *extent = &json->values[json_item(node)->valueint];
  *length = extent->end - extent->begin;
  return json->text + extent->begin;
}

void mlf_json_read_node(const mlf_json *json, const mlf_json_node *node, mlf_json_reader *reader) {
  size_t length;
  const char *raw = mlf_json_raw(json, node, &length);
  mlf_json_reader_init(reader, raw, length);
  reader->python = json->options.python;
  reader->interrupt = json->options.interrupt;
}

/* Appends where a node is, as in traces[3].spans. */
static void json_write_path(sqlite3_str *path, const mlf_json *json, const mlf_json_node *node) {
  if (json->parent) json_write_path(path, json->parent, json->leaf);
  const cJSON *at = json->root, *target = json_item(node);
  while (at != target) {
    int place = 0;
    const bool is_array = at->type == cJSON_Array;
    /* The last child that begins no later than the node is, or holds, the node. */
    for (at = at->child; at->next && at->next->valueint <= target->valueint; at = at->next)
      place++;
    if (is_array) {
      sqlite3_str_appendf(path, "[%d]", place);
    } else {
      sqlite3_str_appendf(path, "%s%s", sqlite3_str_length(path) ? "." : "", at->string);
    }
  }
}

int mlf_json_misshapen(const mlf_json *json, const mlf_json_node *node, const char *wanted,
                       mlf_error *error) {
  static const char *const kinds[] = {"absent",   "null",     "false",    "true",     "a number",
                                      "a number", "a string", "an array", "an object"};
  sqlite3_str *path = sqlite3_str_new(NULL);
  json_write_path(path, json, node);
  if (sqlite3_str_length(path) == 0) sqlite3_str_appendall(path, "the document");
  char *text = sqlite3_str_finish(path);
  int rc = text ? mlf_error_set(error, SQLITE_ERROR, "%s is %s, where %s belongs", text,
                                kinds[mlf_json_kind_of(json, node)], wanted)
                : mlf_error_nomem(error);
  sqlite3_free(text);
  return rc;
}

/* A member that has the kind, or NULL for one that is absent or null. */
static int json_get(const mlf_json *json, const mlf_json_node *object, const char *name,
                    mlf_json_kind kind, const char *wanted, const mlf_json_node **member,
                    mlf_error *error) {
  *member = mlf_json_member(object, name);
  mlf_json_kind found = mlf_json_kind_of(json, *member);
  if (found == MLF_JSON_NULL) *member = NULL;
  if (found == MLF_JSON_NULL || found == MLF_JSON_ABSENT || found == kind) return SQLITE_OK;
  return mlf_json_misshapen(json, *member, wanted, error);
}

int mlf_json_get_array(const mlf_json *json, const mlf_json_node *object, const char *name,
                       const mlf_json_node **array, mlf_error *error) {
  return json_get(json, object, name, MLF_JSON_ARRAY, "an array", array, error);
}

int mlf_json_get_object(const mlf_json *json, const mlf_json_node *object, const char *name,
                        const mlf_json_node **member, mlf_error *error) {
  return json_get(json, object, name, MLF_JSON_OBJECT, "an object", member, error);
}

int mlf_json_get_text(const mlf_json *json, const mlf_json_node *object, const char *name,
                      const char **text, mlf_error *error) {
  const mlf_json_node *member;
  int rc = json_get(json, object, name, MLF_JSON_STRING, "a string", &member, error);
  *text = rc == SQLITE_OK ? mlf_json_text(member) : NULL;
  return rc;
}

int mlf_json_get_boolean(const mlf_json *json, const mlf_json_node *object, const char *name,
                         mlf_value *value, mlf_error *error) {
  const mlf_json_node *member = mlf_json_member(object, name);
  *value = mlf_value_text(NULL);
  switch (mlf_json_kind_of(json, member)) {
  case MLF_JSON_ABSENT:
  case MLF_JSON_NULL: return SQLITE_OK;
  case MLF_JSON_TRUE: *value = mlf_value_integer(1); return SQLITE_OK;
  case MLF_JSON_FALSE: *value = mlf_value_integer(0); return SQLITE_OK;
  default: return mlf_json_misshapen(json, member, "true or false", error);
  }
}

int mlf_json_want_object(const mlf_json *json, const mlf_json_node *node, mlf_error *error) {
  if (mlf_json_kind_of(json, node) == MLF_JSON_OBJECT) return SQLITE_OK;
  return mlf_json_misshapen(json, node, "an object", error);
}
