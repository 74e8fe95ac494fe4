#include "model/json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"
#include "model/json_check.h"

/* No double and no midpoint between two has more significant digits (IEEE 754: 767). */
#define JSON_DIGITS_MAX 800

/* Far above any exponent that leaves a number finite, however many digits the text has. */
#define JSON_EXPONENT_MAX 1000000000000000

struct mlf_json {
  char *text;
  mlf_json_extent *values; /* in the document's order; a node's valueint is its index */
  cJSON *root;
  int holders; /* besides the owner */
};

static const cJSON *json_item(const mlf_json_node *node) {
  return (const cJSON *)node;
}

static const mlf_json_node *json_node(const cJSON *item) {
  return (const mlf_json_node *)item;
}

/* Numbers `item`, what is in it and what follows it in document order, from `index`. Returns the
** next index. Recursion is bounded by MLF_JSON_DEPTH_MAX. */
static int json_number_items(cJSON *item, int index) {
  for (; item; item = item->next) {
    item->valueint = index++;
    index = json_number_items(item->child, index);
  }
  return index;
}

int mlf_json_parse_take(char *text, size_t length, mlf_json **out, mlf_error *error) {
  mlf_json_check check = {0};
  mlf_json *json = NULL;
  *out = NULL;
  int rc = mlf_json_check_run(text, length, &check, error);
  if (rc != SQLITE_OK) goto cleanup;

  json = sqlite3_malloc64(sizeof(*json));
  if (!json) {
    rc = mlf_error_nomem(error);
    goto cleanup;
  }
  const mlf_buffer *plain = &check.plain;
  *json = (mlf_json){.text = text, .values = check.values};
  text = NULL;
  check.values = NULL;
  json->root = plain->length ? cJSON_ParseWithLength(plain->bytes, plain->length)
                             : cJSON_ParseWithLength(json->text, length);
  if (!json->root) {
    /* The text is known to be JSON that cJSON reads. */
    rc = mlf_error_nomem(error);
    goto cleanup;
  }
  int count = json_number_items(json->root, 0);
  assert((size_t)count == check.value_count);
  (void)count;
  *out = json;
  json = NULL;

cleanup:
  mlf_json_free(json);
  mlf_json_check_clear(&check);
  sqlite3_free(text);
  return rc;
}

int mlf_json_parse(const char *text, size_t length, mlf_json **out, mlf_error *error) {
  *out = NULL;
  char *copy = sqlite3_malloc64((sqlite3_uint64)length + 1);
  if (!copy) return mlf_error_nomem(error);
  if (length) memcpy(copy, text, length);
  return mlf_json_parse_take(copy, length, out, error);
}

mlf_json *mlf_json_hold(const mlf_json *json) {
  mlf_json *held = (mlf_json *)(uintptr_t)json; /* made here; only its count changes */
  if (held) held->holders++;
  return held;
}

void mlf_json_free(mlf_json *json) {
  if (!json || json->holders-- > 0) return;
  cJSON_Delete(json->root);
  sqlite3_free(json->values);
  sqlite3_free(json->text);
  sqlite3_free(json);
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
  const mlf_json_extent *extent = &json->values[json_item(node)->valueint];
  *length = extent->end - extent->begin;
  return json->text + extent->begin;
}
