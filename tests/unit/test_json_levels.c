/* test_json_levels.c: what model/json.h promises of the levels of a document, of the leaves below
** them, and of limits. */
#include "model/json.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "oom.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static mlf_json *json_of(const char *text, mlf_json_options options) {
  mlf_json *json;
  mlf_error error = {0};
  if (mlf_json_parse(text, strlen(text), options, &json, &error) != SQLITE_OK)
    fail_msg("%s: %s", text, error.text);
  assert_int_equal(error.code, 0);
  return json;
}

static mlf_json *json_open(const mlf_json *json, const mlf_json_node *leaf, int levels) {
  mlf_json *opened;
  mlf_error error = {0};
  assert_int_equal(mlf_json_open(json, leaf, levels, &opened, &error), SQLITE_OK);
  return opened;
}

static void json_raw_equals(const mlf_json *json, const mlf_json_node *node, const char *raw) {
  size_t length;
  const char *bytes = mlf_json_raw(json, node, &length);
  assert_int_equal(length, strlen(raw));
  assert_memory_equal(bytes, raw, length);
}

/* A tree of so many levels has the containers below them as leaves: their kind, name and bytes are
** there, what is in them is not. */
static void trees_reach_as_far_as_asked(void **state) {
  (void)state;
  static const char text[] = "{\"a\":{\"a\":[[1,{\"a\":[] }],2],\"b\":\"x\"},\"c\":[3]}";
  static const char *const levels[] = {
      text,
      "{\"a\":[[1,{\"a\":[] }],2],\"b\":\"x\"}",
      "[[1,{\"a\":[] }],2]",
      "[1,{\"a\":[] }]",
      "{\"a\":[] }", /* after its brother 1 */
      "[]",
  };
  for (int reach = 1; reach <= 7; reach++) {
    mlf_json *json = json_of(text, (mlf_json_options){.levels = reach});
    const mlf_json_node *node = mlf_json_root(json);
    for (int level = 0; level < 6 && node; level++) {
      json_raw_equals(json, node, levels[level]);
      assert_int_equal(mlf_json_kind_of(json, node),
                       *levels[level] == '{' ? MLF_JSON_OBJECT : MLF_JSON_ARRAY);
      bool is_leaf = level + 1 > reach;
      assert_true((mlf_json_first(node) == NULL) == (is_leaf || level == 5));
      if (level == 0) json_raw_equals(json, mlf_json_member(node, "c"), "[3]");
      if (level == 1 && !is_leaf)
        assert_string_equal(mlf_json_text(mlf_json_member(node, "b")), "x");
      node = mlf_json_first(node);
      if (level == 3) node = mlf_json_next(node);
    }
    mlf_json_free(json);
  }
}

/* A scalar is no leaf, however deep the tree ends. */
static void scalars_are_in_the_last_level(void **state) {
  (void)state;
  mlf_json *json = json_of("[1,\"x\",true,{\"a\":2},null]", (mlf_json_options){.levels = 1});
  const mlf_json_node *node = mlf_json_first(mlf_json_root(json));
  static const mlf_json_kind kinds[] = {MLF_JSON_INTEGER, MLF_JSON_STRING, MLF_JSON_TRUE,
                                        MLF_JSON_OBJECT, MLF_JSON_NULL};
  for (size_t i = 0; i < COUNT(kinds); i++, node = mlf_json_next(node))
    assert_int_equal(mlf_json_kind_of(json, node), kinds[i]);
  assert_null(node);
  mlf_json_free(json);
}

static void a_leaf_opens_as_a_document(void **state) {
  (void)state;
  mlf_json *json =
      json_of("{\"spans\":[ {\"a\\u0000\": [1, {\"b\":2}]} ,{}]}", (mlf_json_options){.levels = 2});
  const mlf_json_node *leaf = mlf_json_first(mlf_json_member(mlf_json_root(json), "spans"));
  json_raw_equals(json, leaf, "{\"a\\u0000\": [1, {\"b\":2}]}");
  assert_null(mlf_json_first(leaf));
  mlf_json *span = json_open(json, leaf, 1);
  json_raw_equals(span, mlf_json_root(span), "{\"a\\u0000\": [1, {\"b\":2}]}");
  size_t length;
  assert_ptr_equal(mlf_json_raw(span, mlf_json_root(span), &length),
                   mlf_json_raw(json, leaf, &length)); /* the text is there once */
  const mlf_json_node *list = mlf_json_member(mlf_json_root(span), "a\\u0000");
  json_raw_equals(span, list, "[1, {\"b\":2}]");
  assert_null(mlf_json_first(list));
  assert_null(mlf_json_name(mlf_json_root(span)));

  /* Each holds the one it was opened from, whoever is freed first. */
  mlf_json *opened = json_open(span, list, 0);
  long held = oom.outstanding;
  mlf_json_free(json);
  mlf_json_free(span);
  assert_int_equal(oom.outstanding, held);
  const mlf_json_node *second = mlf_json_next(mlf_json_first(mlf_json_root(opened)));
  json_raw_equals(opened, mlf_json_member(second, "b"), "2");
  mlf_json_free(opened);
}

static void who_holds_a_document_keeps_it(void **state) {
  (void)state;
  long before = oom.outstanding;
  mlf_json *json = json_of("[[1]]", (mlf_json_options){0});
  assert_ptr_equal(mlf_json_hold(json), json);
  mlf_json *opened = json_open(json, mlf_json_first(mlf_json_root(json)), 1);
  assert_null(mlf_json_hold(NULL));
  mlf_json_free(json);
  mlf_json_free(opened);
  json_raw_equals(json, mlf_json_root(json), "[[1]]");
  assert_true(oom.outstanding > before);
  mlf_json_free(json);
  assert_int_equal(oom.outstanding, before);
}

static void a_tag_is_inherited(void **state) {
  (void)state;
  mlf_json *json = json_of("[[[1]]]", (mlf_json_options){.levels = 1});
  const mlf_json_node *leaf = mlf_json_first(mlf_json_root(json));
  mlf_json *before = json_open(json, leaf, 1);
  assert_int_equal(mlf_json_tag(json), -1);
  mlf_json_set_tag(json, INT64_MAX);
  mlf_json *after = json_open(json, leaf, 1);
  mlf_json *inner = json_open(after, mlf_json_first(mlf_json_root(after)), 1);
  assert_int_equal(mlf_json_tag(json), INT64_MAX);
  assert_int_equal(mlf_json_tag(before), -1);
  assert_int_equal(mlf_json_tag(after), INT64_MAX);
  assert_int_equal(mlf_json_tag(inner), INT64_MAX);
  mlf_json_free(inner);
  mlf_json_free(after);
  mlf_json_free(before);
  mlf_json_free(json);
}

static void text_may_be_taken(void **state) {
  (void)state;
  static const char *const texts[] = {"[1]", "[1"};
  for (size_t i = 0; i < COUNT(texts); i++) {
    long before = oom.outstanding;
    mlf_json *json;
    mlf_error error = {0};
    char *text = sqlite3_mprintf("%s", texts[i]);
    int rc = mlf_json_parse_take(text, strlen(text), (mlf_json_options){0}, &json, &error);
    assert_int_equal(rc, i == 0 ? SQLITE_OK : SQLITE_ERROR);
    size_t length;
    if (json) assert_ptr_equal(mlf_json_raw(json, mlf_json_root(json), &length), text);
    mlf_json_free(json);
    mlf_error_clear(&error);
    assert_int_equal(oom.outstanding, before);
  }
}

static void python_has_words_and_a_mark(void **state) {
  (void)state;
  const mlf_json_options python = {.levels = 1, .python = true};
  mlf_json *json = json_of("\xef\xbb\xbf {\"a\":NaN,\"b\":[-Infinity, 1],\"c\":1} ", python);
  const mlf_json_node *root = mlf_json_root(json);
  json_raw_equals(json, root, "{\"a\":NaN,\"b\":[-Infinity, 1],\"c\":1}");
  assert_int_equal(mlf_json_kind_of(json, mlf_json_member(root, "a")), MLF_JSON_NULL);
  json_raw_equals(json, mlf_json_member(root, "a"), "NaN");
  json_raw_equals(json, mlf_json_member(root, "c"), "1");
  /* A leaf reads on as its document did. */
  mlf_json *list = json_open(json, mlf_json_member(root, "b"), 1);
  assert_int_equal(mlf_json_kind_of(list, mlf_json_first(mlf_json_root(list))), MLF_JSON_NULL);
  mlf_json_free(list);
  mlf_json_free(json);

  static const struct {
    const char *text;
    bool python;
    const char *message;
  } refused[] = {
      {"\xef\xbb\xbf{}", false, "not JSON: expected a value at byte 0"},
      {"[NaN]", false, "not JSON: expected a value at byte 1"},
      {"\xef\xbb\xbf", true, "not JSON: end of text at byte 3"},
      {"\xef\xbb", true, "not JSON: expected a value at byte 0"},
      {"\xef\xbb\xbf\xef\xbb\xbf{}", true, "not JSON: expected a value at byte 3"},
      {"\xef\xbb\xbf[nan]", true, "not JSON: unknown word at byte 5"},
      {" \xef\xbb\xbf[]", true, "not JSON: expected a value at byte 1"},
      {"[] \xef\xbb\xbf", true, "not JSON: text after the document at byte 3"},
  };
  for (size_t i = 0; i < COUNT(refused); i++) {
    mlf_error error = {0};
    const mlf_json_options options = {.python = refused[i].python};
    assert_int_equal(
        mlf_json_parse(refused[i].text, strlen(refused[i].text), options, &json, &error),
        SQLITE_ERROR);
    assert_string_equal(error.text, refused[i].message);
    assert_null(json);
    mlf_error_clear(&error);
  }
}

static int json_ask(void *context) {
  int *left = context;
  return (*left)-- > 0 ? SQLITE_OK : SQLITE_INTERRUPT;
}

static void reading_can_be_interrupted(void **state) {
  (void)state;
  int left = 0;
  long before = oom.outstanding;
  mlf_interrupt interrupt = {.ask = json_ask, .context = &left};
  mlf_json_options options = {.levels = 1, .interrupt = &interrupt};
  mlf_json *json, *opened;
  mlf_error error = {0};
  assert_int_equal(mlf_json_parse("[[1]]", 5, options, &json, &error), SQLITE_INTERRUPT);
  assert_int_equal(error.code, SQLITE_INTERRUPT);
  assert_null(error.text);
  assert_null(json);
  assert_int_equal(oom.outstanding, before);

  left = 1; /* a leaf that is opened asks, too, and so does a reader of it */
  error.code = 0;
  json = json_of("[[1]]", options);
  const mlf_json_node *leaf = mlf_json_first(mlf_json_root(json));
  interrupt.next_ms = 0;
  assert_int_equal(mlf_json_open(json, leaf, 1, &opened, &error), SQLITE_INTERRUPT);
  assert_null(opened);
  mlf_json_reader reader;
  mlf_json_token token;
  error.code = 0;
  mlf_json_read_node(json, leaf, &reader);
  assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_INTERRUPT);
  mlf_json_free(json);
  assert_int_equal(oom.outstanding, before);
}

static void a_reader_reads_one_node(void **state) {
  (void)state;
  for (int python = 0; python <= 1; python++) {
    mlf_json *json =
        json_of(" {\"a\": [1, \"]\"] ,\"b\":2} ", (mlf_json_options){.python = python != 0});
    mlf_json_reader reader;
    mlf_json_token token;
    mlf_error error = {0};
    mlf_json_read_node(json, mlf_json_member(mlf_json_root(json), "a"), &reader);
    assert_int_equal(reader.python, python);
    static const mlf_json_token tokens[] = {MLF_JSON_TOKEN_ARRAY, MLF_JSON_TOKEN_NUMBER,
                                            MLF_JSON_TOKEN_STRING, MLF_JSON_TOKEN_ARRAY_END,
                                            MLF_JSON_TOKEN_END};
    for (size_t i = 0; i < COUNT(tokens); i++) {
      assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_OK);
      assert_int_equal(token, tokens[i]);
    }
    mlf_json_free(json);
  }
}

/* `count` times `open`, then `inner`, then `count` times `close`. */
static char *json_nest(int count, const char *open, const char *inner, const char *close) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (int i = 0; i < count; i++)
    sqlite3_str_appendall(text, open);
  sqlite3_str_appendall(text, inner);
  for (int i = 0; i < count; i++)
    sqlite3_str_appendall(text, close);
  return sqlite3_str_finish(text);
}

static void json_takes_text(char *text, size_t length, const char *refusal) {
  mlf_json *json;
  mlf_error error = {0};
  int rc = mlf_json_parse_take(text, length, (mlf_json_options){0}, &json, &error);
  assert_int_equal(rc, refusal ? SQLITE_TOOBIG : SQLITE_OK);
  if (refusal) assert_string_equal(error.text, refusal);
  mlf_json_free(json);
  mlf_error_clear(&error);
}

static void text_has_so_many_levels(void **state) {
  (void)state;
  static const char refusal[] = "JSON has more than 5000 levels (MLF_JSON_DEPTH_MAX)";
  for (int depth = MLF_JSON_DEPTH_MAX; depth <= MLF_JSON_DEPTH_MAX + 1; depth++) {
    bool over = depth > MLF_JSON_DEPTH_MAX;
    char *text = json_nest(depth, "[", "", "]");
    json_takes_text(text, strlen(text), over ? refusal : NULL);
    text = json_nest(depth, "[0,[], ", "\"deep\"", "]"); /* the empty array is a level more */
    json_takes_text(text, strlen(text), refusal);
    text = json_nest(depth - 1, "[0,[], ", "\"deep\"", "]");
    json_takes_text(text, strlen(text), over ? refusal : NULL);
    text = json_nest(depth, "{\"a\":", "1", "}");
    json_takes_text(text, strlen(text), over ? refusal : NULL);
  }
}

/* An array of so many values, itself among them, in two bytes each but for one. */
static char *json_zeros(size_t count, size_t *length) {
  *length = count * 2 - 1;
  char *text = sqlite3_malloc64(*length);
  memset(text, '0', *length);
  for (size_t i = 2; i < *length; i += 2)
    text[i] = ',';
  text[0] = '[';
  text[*length - 1] = ']';
  return text;
}

/* 65536 values, and one more for every 8 bytes of text. */
static void trees_have_so_many_values(void **state) {
  (void)state;
  size_t length, most = 65536;
  while (most + 1 <= 65536 + ((most + 1) * 2 - 1) / 8)
    most++;
  char *text = json_zeros(most, &length);
  json_takes_text(text, length, NULL);
  char refusal[100];
  text = json_zeros(most + 1, &length);
  snprintf(refusal, sizeof(refusal), "JSON of %zu bytes has more than %zu values", length, most);
  json_takes_text(text, length, refusal);

  /* More text has room for more values, and what is in a leaf is none. */
  text = json_zeros(most + 1, &length);
  text = sqlite3_realloc64(text, length + 8);
  memset(text + length, ' ', 8);
  json_takes_text(text, length + 8, NULL);
  text = json_nest(MLF_JSON_LEVELS_MAX, "[", "@", "]");
  char *zeros = json_zeros(2 * most, &length);
  char *at = strchr(text, '@');
  char *deep = sqlite3_mprintf("%.*s%.*s%s", (int)(at - text), text, (int)length, zeros, at + 1);
  json_takes_text(deep, strlen(deep), NULL);
  sqlite3_free(text);
  sqlite3_free(zeros);
}

/* As long as the text that they are in. */
static void strings_may_be_long(void **state) {
  (void)state;
  const size_t bytes = 20 * 1000 * 1000;
  for (int name = 0; name <= 1; name++) {
    size_t length = bytes + (name ? 6 : 2);
    char *text = sqlite3_malloc64(length);
    memset(text, 'x', length);
    text[name] = '"';
    if (name) text[0] = '{';
    memcpy(text + name + 1 + bytes, name ? "\":0}" : "\"", name ? 4 : 1);
    mlf_json *json;
    mlf_error error = {0};
    assert_int_equal(mlf_json_parse_take(text, length, (mlf_json_options){0}, &json, &error),
                     SQLITE_OK);
    const mlf_json_node *root = mlf_json_root(json);
    const char *string = name ? mlf_json_name(mlf_json_first(root)) : mlf_json_text(root);
    assert_int_equal(strlen(string), bytes);
    mlf_json_free(json);
  }
}

/* The tree is no deeper than this, and what is below opens level by level. */
static void trees_are_as_deep_as_can_be(void **state) {
  (void)state;
  char *text = json_nest(MLF_JSON_DEPTH_MAX, "[", "", "]");
  mlf_json *json = json_of(text, (mlf_json_options){0});
  int depth = 0;
  for (int documents = 1; documents <= 3; documents++) {
    const mlf_json_node *node = mlf_json_root(json);
    for (int level = 1; level <= MLF_JSON_LEVELS_MAX; level++, depth++)
      node = mlf_json_first(node);
    assert_null(mlf_json_first(node));
    size_t length;
    mlf_json_raw(json, node, &length);
    assert_int_equal(length, 2 * (MLF_JSON_DEPTH_MAX - depth));
    mlf_json *opened = json_open(json, node, 0);
    mlf_json_free(json);
    json = opened;
  }
  mlf_json_free(json);
  sqlite3_free(text);
}

static int json_open_without_memory(void *context) {
  static const char text[] = "\xef\xbb\xbf{\"a\\u0000\":[{\"b\":[NaN,\"\\ud800\"]}],\"c\":{}}";
  mlf_json *json, *opened = NULL;
  mlf_error error = {0};
  (void)context;
  int rc = mlf_json_parse(text, sizeof(text) - 1, (mlf_json_options){.levels = 1, .python = true},
                          &json, &error);
  if (rc == SQLITE_OK) {
    rc = mlf_json_open(json, mlf_json_first(mlf_json_root(json)), 2, &opened, &error);
    assert_true((opened == NULL) == (rc != SQLITE_OK));
  }
  assert_int_equal(rc, error.code);
  assert_null(error.text);
  mlf_json_free(json);
  if (opened) json_raw_equals(opened, mlf_json_root(opened), "[{\"b\":[NaN,\"\\ud800\"]}]");
  mlf_json_free(opened);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  assert_int_equal(oom_loop(json_open_without_memory, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trees_reach_as_far_as_asked),
      cmocka_unit_test(scalars_are_in_the_last_level),
      cmocka_unit_test(a_leaf_opens_as_a_document),
      cmocka_unit_test(who_holds_a_document_keeps_it),
      cmocka_unit_test(a_tag_is_inherited),
      cmocka_unit_test(text_may_be_taken),
      cmocka_unit_test(python_has_words_and_a_mark),
      cmocka_unit_test(reading_can_be_interrupted),
      cmocka_unit_test(a_reader_reads_one_node),
      cmocka_unit_test(text_has_so_many_levels),
      cmocka_unit_test(trees_have_so_many_values),
      cmocka_unit_test(strings_may_be_long),
      cmocka_unit_test(trees_are_as_deep_as_can_be),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
