/* test_json_ways.c: what model/json.h promises of typed ways into a document, and of the paths that
** its errors name. */
#include "model/json.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "oom.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static mlf_json *json_of(const char *text, int levels) {
  mlf_json *json;
  mlf_error error = {0};
  assert_int_equal(
      mlf_json_parse(text, strlen(text), (mlf_json_options){.levels = levels}, &json, &error),
      SQLITE_OK);
  return json;
}

static void json_raw_equals(const mlf_json *json, const mlf_json_node *node, const char *raw) {
  size_t length;
  const char *bytes = mlf_json_raw(json, node, &length);
  if (!raw) assert_null(bytes);
  if (!raw) return;
  assert_int_equal(length, strlen(raw));
  assert_memory_equal(bytes, raw, length);
}

/* A member of each kind by its first letter, and what each way makes of it: its bytes, NULL for
** nothing, or an error that begins with '!'. */
static const char json_members[] = "{\"null\":null,\"true\":true,\"false\":false,\"integer\":7,"
                                   "\"real\":1.5,\"string\":\"x\\u0000\",\"empty\":\"\","
                                   "\"array\":[1],\"object\":{\"a\":1}}";

static const char *const json_names[] = {"absent", "null",   "true",  "false", "integer",
                                         "real",   "string", "empty", "array", "object"};

typedef int (*json_way)(const mlf_json *, const mlf_json_node *, const char *,
                        const mlf_json_node **, mlf_error *);

static void ways_to_containers_are_typed(void **state) {
  (void)state;
  static const json_way ways[] = {mlf_json_get_array, mlf_json_get_object};
  static const char *const wanted[] = {"an array", "an object"};
  static const char *const kinds[] = {NULL,       NULL,       "true",     "false",    "a number",
                                      "a number", "a string", "a string", "an array", "an object"};
  for (int levels = 1; levels <= 2; levels++) { /* of a leaf just as of what has a tree */
    mlf_json *json = json_of(json_members, levels);
    for (size_t way = 0; way < COUNT(ways); way++) {
      for (size_t i = 0; i < COUNT(json_names); i++) {
        const mlf_json_node *member = mlf_json_root(json);
        mlf_error error = {0};
        int rc = ways[way](json, mlf_json_root(json), json_names[i], &member, &error);
        const char *good = way == 0 ? "array" : "object";
        bool refused = kinds[i] && strcmp(json_names[i], good) != 0;
        assert_int_equal(rc, refused ? SQLITE_ERROR : SQLITE_OK);
        assert_int_equal(error.code, rc);
        if (refused) {
          char text[100];
          snprintf(text, sizeof(text), "%s is %s, where %s belongs", json_names[i], kinds[i],
                   wanted[way]);
          assert_string_equal(error.text, text);
        } else {
          json_raw_equals(json, member, !kinds[i] ? NULL : way == 0 ? "[1]" : "{\"a\":1}");
        }
        mlf_error_clear(&error);
      }
    }
    mlf_json_free(json);
  }
}

static void ways_to_texts_are_typed(void **state) {
  (void)state;
  static const char *const expected[] = {NULL,
                                         NULL,
                                         "!true is true, where a string belongs",
                                         "!false is false, where a string belongs",
                                         "!integer is a number, where a string belongs",
                                         "!real is a number, where a string belongs",
                                         "x\\u0000",
                                         "",
                                         "!array is an array, where a string belongs",
                                         "!object is an object, where a string belongs"};
  mlf_json *json = json_of(json_members, 0);
  for (size_t i = 0; i < COUNT(json_names); i++) {
    const char *text = "untouched";
    mlf_error error = {0};
    int rc = mlf_json_get_text(json, mlf_json_root(json), json_names[i], &text, &error);
    bool refused = expected[i] && *expected[i] == '!';
    assert_int_equal(rc, refused ? SQLITE_ERROR : SQLITE_OK);
    if (refused) {
      assert_null(text);
      assert_string_equal(error.text, expected[i] + 1);
    } else if (expected[i]) {
      assert_string_equal(text, expected[i]);
    } else {
      assert_null(text);
    }
    mlf_error_clear(&error);
  }
  mlf_json_free(json);
}

static void ways_to_booleans_are_typed(void **state) {
  (void)state;
  static const char *const wrong[] = {"integer", "real", "string", "empty", "array", "object"};
  mlf_json *json = json_of(json_members, 0);
  const mlf_json_node *root = mlf_json_root(json);
  mlf_error error = {0};
  for (size_t i = 0; i < 4; i++) {
    mlf_value value = mlf_value_real(7);
    assert_int_equal(mlf_json_get_boolean(json, root, json_names[i], &value, &error), SQLITE_OK);
    assert_int_equal(value.type, i < 2 ? MLF_NULL : MLF_INTEGER);
    if (i >= 2) assert_int_equal(value.integer, i == 2);
  }
  for (size_t i = 0; i < COUNT(wrong); i++) {
    mlf_value value = mlf_value_real(7);
    assert_int_equal(mlf_json_get_boolean(json, root, wrong[i], &value, &error), SQLITE_ERROR);
    assert_int_equal(value.type, MLF_NULL);
    assert_int_equal(strncmp(error.text, wrong[i], strlen(wrong[i])), 0);
    assert_non_null(strstr(error.text, ", where true or false belongs"));
    mlf_error_clear(&error);
  }
  mlf_json_free(json);
}

/* Of duplicates the last one counts, for its type, too. */
static void the_last_duplicate_counts(void **state) {
  (void)state;
  static const char *const texts[] = {"{\"a\":[1],\"a\":null}", "{\"a\":5,\"a\":[2]}",
                                      "{\"a\":[1],\"a\":5}"};
  for (size_t i = 0; i < COUNT(texts); i++) {
    mlf_json *json = json_of(texts[i], 0);
    const mlf_json_node *array;
    mlf_error error = {0};
    int rc = mlf_json_get_array(json, mlf_json_root(json), "a", &array, &error);
    assert_int_equal(rc, i == 2 ? SQLITE_ERROR : SQLITE_OK);
    if (rc == SQLITE_OK) json_raw_equals(json, array, i == 0 ? NULL : "[2]");
    mlf_error_clear(&error);
    mlf_json_free(json);
  }
}

static void nothing_is_in_what_is_not_there(void **state) {
  (void)state;
  mlf_json *json = json_of("[7]", 0);
  const mlf_json_node *nowhere[] = {NULL, mlf_json_root(json), mlf_json_first(mlf_json_root(json))};
  for (size_t i = 0; i < COUNT(nowhere); i++) {
    const mlf_json_node *member = mlf_json_root(json);
    const char *text = "untouched";
    mlf_value value = mlf_value_real(7);
    mlf_error error = {0};
    assert_int_equal(mlf_json_get_array(json, nowhere[i], "a", &member, &error), SQLITE_OK);
    assert_null(member);
    assert_int_equal(mlf_json_get_text(json, nowhere[i], "a", &text, &error), SQLITE_OK);
    assert_null(text);
    assert_int_equal(mlf_json_get_boolean(json, nowhere[i], "a", &value, &error), SQLITE_OK);
    assert_int_equal(value.type, MLF_NULL);
  }
  mlf_json_free(json);
}

static void objects_can_be_required(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"{}", NULL},
      {"{\"a\":1}", NULL},
      {"[]", "the document is an array, where an object belongs"},
      {"null", "the document is null, where an object belongs"},
      {"\"{}\"", "the document is a string, where an object belongs"},
      {"7", "the document is a number, where an object belongs"},
      {"true", "the document is true, where an object belongs"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_json *json = json_of(cases[i][0], 0);
    mlf_error error = {0};
    assert_int_equal(mlf_json_want_object(json, mlf_json_root(json), &error),
                     cases[i][1] ? SQLITE_ERROR : SQLITE_OK);
    if (cases[i][1]) assert_string_equal(error.text, cases[i][1]);
    mlf_error_clear(&error);
    mlf_json_free(json);
  }
}

/* Expects that the error about a node names this path. */
static void json_path_is(const mlf_json *json, const mlf_json_node *node, const char *path) {
  char expected[200];
  mlf_error error = {0};
  assert_int_equal(mlf_json_misshapen(json, node, "a fish", &error), SQLITE_ERROR);
  assert_int_equal(error.code, SQLITE_ERROR);
  size_t length = (size_t)snprintf(expected, sizeof(expected), "%s is ", path);
  if (strncmp(error.text, expected, length) != 0) fail_msg("%s, not %s", error.text, path);
  assert_non_null(strstr(error.text + length, ", where a fish belongs"));
  mlf_error_clear(&error);
}

static const char json_tree[] = "{\"a\":[10,[20,{\"b\":30,\"c\":[]}],{\"d\":{},\"e\":40}],\"f\":"
                                "{\"g\":{\"h\":50}},\"i j\":60,\"f\":[{\"k\":70}]}";

/* Every node of a document has its own path, in the order of the document. */
static void paths_lead_to_each_node(void **state) {
  (void)state;
  static const char *const paths[] = {
      "the document", "a",         "a[0]", "a[1]",   "a[1][0]", "a[1][1]",
      "a[1][1].b",    "a[1][1].c", "a[2]", "a[2].d", "a[2].e",  "f",
      "f.g",          "f.g.h",     "i j",  "f",      "f[0]",    "f[0].k"};
  mlf_json *json = json_of(json_tree, 0);
  const mlf_json_node *stack[10];
  int depth = 0;
  stack[0] = mlf_json_root(json);
  size_t seen = 0;
  while (depth >= 0) {
    const mlf_json_node *node = stack[depth];
    assert_true(seen < COUNT(paths));
    json_path_is(json, node, paths[seen++]);
    if (mlf_json_first(node)) {
      stack[++depth] = mlf_json_first(node);
      continue;
    }
    while (depth > 0 && !mlf_json_next(stack[depth]))
      depth--;
    if (depth == 0) break;
    stack[depth] = mlf_json_next(stack[depth]);
  }
  assert_int_equal(seen, COUNT(paths));
  mlf_json_free(json);
}

/* In a leaf that was opened the path goes on from where the leaf is. */
static void paths_go_on_in_what_was_opened(void **state) {
  (void)state;
  mlf_error error = {0};
  mlf_json *json = json_of("{\"traces\":[{},{\"spans\":[{},{\"a\":[1,{\"b\":2}]}]}]}", 4);
  const mlf_json_node *trace =
      mlf_json_next(mlf_json_first(mlf_json_member(mlf_json_root(json), "traces")));
  const mlf_json_node *leaf = mlf_json_next(mlf_json_first(mlf_json_member(trace, "spans")));
  json_path_is(json, leaf, "traces[1].spans[1]");
  mlf_json *span, *list;
  assert_int_equal(mlf_json_open(json, leaf, 1, &span, &error), SQLITE_OK);
  const mlf_json_node *a = mlf_json_member(mlf_json_root(span), "a");
  assert_int_equal(mlf_json_open(span, a, 3, &list, &error), SQLITE_OK);
  mlf_json_free(json);
  mlf_json_free(span);
  json_path_is(list, mlf_json_root(list), "traces[1].spans[1].a");
  const mlf_json_node *object = mlf_json_next(mlf_json_first(mlf_json_root(list)));
  json_path_is(list, object, "traces[1].spans[1].a[1]");
  json_path_is(list, mlf_json_member(object, "b"), "traces[1].spans[1].a[1].b");
  mlf_json_free(list);

  json = json_of("[[{}],[{\"a\":1}]]", 2); /* nothing before the first bracket */
  leaf = mlf_json_first(mlf_json_next(mlf_json_first(mlf_json_root(json))));
  assert_int_equal(mlf_json_open(json, leaf, 1, &span, &error), SQLITE_OK);
  json_path_is(span, mlf_json_root(span), "[1][0]");
  json_path_is(span, mlf_json_member(mlf_json_root(span), "a"), "[1][0].a");
  mlf_json_free(span);
  mlf_json_free(json);
}

/* A name may be anything: an error stays one line. */
static void odd_names_are_in_one_line(void **state) {
  (void)state;
  mlf_json *json = json_of("{\"a\\nb\":1,\"\\u0000\":2,\"\xff\":3}", 0);
  const mlf_json_node *node = mlf_json_first(mlf_json_root(json));
  json_path_is(json, node, "a?b");
  json_path_is(json, mlf_json_next(node), "\\u0000");
  json_path_is(json, mlf_json_next(mlf_json_next(node)), "\xef\xbf\xbd");
  mlf_json_free(json);

  char text[MLF_ERROR_BYTES_MAX + 100];
  memset(text, 'x', sizeof(text));
  memcpy(text, "{\"", 2);
  strcpy(text + sizeof(text) - 5, "\":7}");
  mlf_error error = {0};
  json = json_of(text, 0);
  assert_int_equal(mlf_json_misshapen(json, mlf_json_first(mlf_json_root(json)), "a fish", &error),
                   SQLITE_ERROR);
  assert_int_equal(strlen(error.text), MLF_ERROR_BYTES_MAX);
  mlf_error_clear(&error);
  mlf_json_free(json);
}

static void the_first_error_wins(void **state) {
  (void)state;
  mlf_error error = {0};
  const mlf_json_node *array;
  mlf_json *json = json_of("{\"a\":7}", 0);
  mlf_error_set(&error, SQLITE_TOOBIG, "earlier");
  assert_int_equal(mlf_json_get_array(json, mlf_json_root(json), "a", &array, &error),
                   SQLITE_TOOBIG);
  assert_string_equal(error.text, "earlier");
  mlf_error_clear(&error);
  mlf_json_free(json);
}

static int json_misshapen_without_memory(void *context) {
  const mlf_json *json = context;
  mlf_error error = {0};
  const mlf_json_node *node = mlf_json_next(mlf_json_first(mlf_json_root(json))), *array;
  int rc = mlf_json_get_array(json, node, "b", &array, &error);
  assert_int_equal(rc, error.code);
  assert_true((rc == SQLITE_NOMEM) == (error.text == NULL));
  if (rc == SQLITE_ERROR)
    assert_string_equal(error.text, "f.b is a number, where an array belongs");
  mlf_error_clear(&error);
  return rc == SQLITE_ERROR ? SQLITE_OK : rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  mlf_json *json = json_of("{\"a\":[],\"f\":{\"b\":1}}", 0);
  assert_int_equal(oom_loop(json_misshapen_without_memory, json), 0);
  mlf_json_free(json);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ways_to_containers_are_typed),
      cmocka_unit_test(ways_to_texts_are_typed),
      cmocka_unit_test(ways_to_booleans_are_typed),
      cmocka_unit_test(the_last_duplicate_counts),
      cmocka_unit_test(nothing_is_in_what_is_not_there),
      cmocka_unit_test(objects_can_be_required),
      cmocka_unit_test(paths_lead_to_each_node),
      cmocka_unit_test(paths_go_on_in_what_was_opened),
      cmocka_unit_test(odd_names_are_in_one_line),
      cmocka_unit_test(the_first_error_wins),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
