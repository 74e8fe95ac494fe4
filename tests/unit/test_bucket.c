/* test_bucket.c: what analysis/edges.h and analysis/bucket.h promise. */
#include "analysis/bucket.h"

#include <math.h>
#include <string.h>

#include "oom.h"

static char *histogram_of(const char *edges, const double *values, size_t count) {
  mlf_bucket bucket = {0};
  mlf_error error = {0};
  mlf_buffer json;
  mlf_buffer_init(&json, 100000);
  assert_int_equal(mlf_bucket_init(&bucket, edges, strlen(edges), &error), SQLITE_OK);
  for (size_t i = 0; i < count; i++)
    mlf_bucket_count(&bucket, values[i], 1);
  assert_int_equal(mlf_bucket_write(&bucket, &json), SQLITE_OK);
  mlf_bucket_clear(&bucket);
  return mlf_buffer_take(&json);
}

static void bucket_counts_half_open(void **state) {
  (void)state;
  const double values[] = {-INFINITY, -1, 0, 999.999, 1000, 4999.5, 5000, 5000.5, 1e300, INFINITY};
  char *json = histogram_of(MLF_EDGES_DEFAULT, values, 10);
  assert_string_equal(json, "{\"fast\":4,\"medium\":2,\"slow\":4}");
  sqlite3_free(json);
  json = histogram_of(" [ -1.5 , 0 ,5e3 ] ", values, 10);
  assert_string_equal(json, "{\"<-1.5\":1,\"-1.5-0\":1,\"0-5e3\":4,\">=5e3\":4}");
  sqlite3_free(json);
  json = histogram_of("{\"all\":null}", values, 10);
  assert_string_equal(json, "{\"all\":10}");
  sqlite3_free(json);
  json = histogram_of("[7]", values, 0);
  assert_string_equal(json, "{\"<7\":0,\">=7\":0}");
  sqlite3_free(json);
}

static void bucket_takes_values_out(void **state) {
  (void)state;
  mlf_bucket bucket = {0};
  mlf_error error = {0};
  assert_int_equal(mlf_bucket_init(&bucket, "[10,20]", 7, &error), SQLITE_OK);
  for (int i = 0; i < 30; i++)
    mlf_bucket_count(&bucket, i, 1);
  for (int i = 0; i < 15; i++)
    mlf_bucket_count(&bucket, i, -1);
  assert_int_equal(bucket.counts[0], 0);
  assert_int_equal(bucket.counts[1], 5);
  assert_int_equal(bucket.counts[2], 10);
  mlf_bucket_clear(&bucket);
}

static void edges_find_among_many(void **state) {
  (void)state;
  char text[MLF_EDGES_MAX * 5] = "[";
  for (int i = 0; i < MLF_EDGES_MAX - 1; i++)
    sqlite3_snprintf(8, text + strlen(text), "%s%d", i ? "," : "", i);
  strcat(text, "]");
  mlf_edges edges = {0};
  mlf_error error = {0};
  assert_int_equal(mlf_edges_read(text, strlen(text), &edges, &error), SQLITE_OK);
  assert_int_equal(edges.count, MLF_EDGES_MAX);
  for (size_t i = 0; i < MLF_EDGES_MAX; i++) {
    assert_int_equal(mlf_edges_find(&edges, (double)i - 1), i);
    assert_int_equal(mlf_edges_find(&edges, (double)i - 0.5), i);
  }
  mlf_edges_clear(&edges);
  strcpy(text + strlen(text) - 1, ",999]");
  assert_int_equal(mlf_edges_read(text, strlen(text), &edges, &error), SQLITE_ERROR);
  assert_string_equal(error.text, "edges: more than 1000 buckets (MLF_EDGES_MAX) at byte 3891");
  mlf_error_clear(&error);
  mlf_edges_clear(&edges);
}

static void edges_decode_names(void **state) {
  (void)state;
  const char *text = "{\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\":1,\"\\u00e9\\u20AC\\ud83d\\uDE39\\u0041\":2,"
                     "\"\xc3\xbc\":3,\"\":null}";
  mlf_edges edges = {0};
  mlf_error error = {0};
  assert_int_equal(mlf_edges_read(text, strlen(text), &edges, &error), SQLITE_OK);
  assert_string_equal(edges.buckets[0].name, "a\"\\/\b\f\n\r\t");
  assert_string_equal(edges.buckets[0].json, "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"");
  assert_string_equal(edges.buckets[1].name, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9"
                                             "A");
  assert_string_equal(edges.buckets[2].name, "\xc3\xbc");
  assert_string_equal(edges.buckets[3].name, "");
  mlf_edges_clear(&edges);
}

static void edges_read_numbers_exactly(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double value;
  } cases[] = {
      {"[0]", 0},
      {"[-0.0]", 0},
      {"[0.1]", 0.1},
      {"[12.5e3]", 12500},
      {"[1E+2]", 100},
      {"[125e-2]", 1.25},
      {"[1.7976931348623157e308]", 1.7976931348623157e308},
      {"[-5e-324]", -5e-324},
      {"[0.000000000000000000000000000001e30]", 1},
      {"[1e-999999999999999999999]", 0},
      {"[9007199254740993]", 9007199254740992.0},
      {"[0.299999999999999988897769753748434595763683319091796875]", 0.3},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    mlf_edges edges = {0};
    mlf_error error = {0};
    assert_int_equal(mlf_edges_read(cases[i].text, strlen(cases[i].text), &edges, &error), 0);
    assert_true(edges.buckets[0].bound == cases[i].value);
    mlf_edges_clear(&edges);
  }
}

static void edges_refuse_everything_else(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *error;
  } cases[] = {
      {"", "a JSON array or object is expected at byte 0"},
      {"100", "a JSON array or object is expected at byte 0"},
      {"null", "a JSON array or object is expected at byte 0"},
      {"[]", "a number is expected at byte 1"},
      {"{}", "a name in quotes is expected at byte 1"},
      {"[1,]", "a number is expected at byte 3"},
      {"[1 2]", "',' or ']' is expected at byte 3"},
      {"[1", "',' or ']' is expected at byte 2"},
      {"[1]x", "text after the end at byte 3"},
      {"[1] \n]", "text after the end at byte 5"},
      {"[01]", "a number begins with 0 at byte 2"},
      {"[-]", "a digit is missing at byte 2"},
      {"[1.]", "a digit is missing at byte 3"},
      {"[1e]", "a digit is missing at byte 3"},
      {"[1e+", "a digit is missing at byte 4"},
      {"[+1]", "a number is expected at byte 1"},
      {"[.5]", "a number is expected at byte 1"},
      {"[\"1\"]", "a number is expected at byte 1"},
      {"[null]", "a number is expected at byte 1"},
      {"[1e309]", "a number beyond the range of a REAL at byte 1"},
      {"[1,1]", "a bound that is not above the one before at byte 3"},
      {"[2, 1]", "a bound that is not above the one before at byte 4"},
      {"[0,-0.0]", "a bound that is not above the one before at byte 3"},
      {"[11111111111111111111111111111111111111111111111111111111111111111]",
       "a number of more than 64 characters at byte 1"},
      {"{\"a\":1}", "the object ends without a bucket whose bound is null at byte 7"},
      {"{\"a\":null,\"b\":1}", "a bucket behind the one whose bound is null at byte 10"},
      {"{\"a\":null,\"b\":null}", "a bucket behind the one whose bound is null at byte 10"},
      {"{\"a\":1,\"\\u0061\":null}", "a name that was used before at byte 20"},
      {"{\"a\" 1}", "':' is expected at byte 5"},
      {"{\"a\":1,}", "a name in quotes is expected at byte 7"},
      {"{\"a\":nul", "a number is expected at byte 5"},
      {"{\"a\":null", "',' or '}' is expected at byte 9"},
      {"{\"a", "the closing quote is missing at byte 3"},
      {"{\"a\\\"", "the closing quote is missing at byte 5"},
      {"{\"a\\", "an escape that is no character at byte 4"},
      {"{\"a\nb\":null}", "a control character in a name at byte 3"},
      {"{\"\\x\":null}", "an escape that is no character at byte 3"},
      {"{\"\\u0000\":null}", "an escape that is no character at byte 8"},
      {"{\"\\u12g4\":null}", "an escape that is no character at byte 6"},
      {"{\"\\ud83d\":null}", "an escape that is no character at byte 8"},
      {"{\"\\ud83d\\u0041\":null}", "an escape that is no character at byte 14"},
      {"{\"\\ude39\":null}", "an escape that is no character at byte 8"},
      {"{a:null}", "a name in quotes is expected at byte 1"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    mlf_edges edges = {0};
    mlf_error error = {0};
    /* At the end of a block of its own, so that reading on is seen by a sanitizer. */
    size_t length = strlen(cases[i].text);
    char *text = malloc(length + 1);
    memcpy(text, cases[i].text, length);
    long before = oom.outstanding;
    assert_int_equal(mlf_edges_read(text, length, &edges, &error), SQLITE_ERROR);
    assert_string_equal(error.text + strlen("edges: "), cases[i].error);
    free(text);
    mlf_error_clear(&error);
    mlf_edges_clear(&edges);
    assert_int_equal(oom.outstanding, before);
  }
}

static int bucket_make(void *context) {
  static const char text[] = "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":null}";
  mlf_bucket bucket = {0};
  mlf_error error = {0};
  mlf_buffer json;
  mlf_buffer_init(&json, 1000);
  (void)context;
  int rc = mlf_bucket_init(&bucket, text, strlen(text), &error);
  assert_int_equal(rc, error.code);
  if (rc == SQLITE_OK) rc = mlf_bucket_write(&bucket, &json);
  mlf_bucket_clear(&bucket);
  mlf_buffer_clear(&json);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_bucket_init(&bucket, "[1,2,3,4,5]", 11, &error);
  mlf_bucket_clear(&bucket);
  return rc;
}

static void bucket_without_memory_is_nomem(void **state) {
  (void)state;
  assert_int_equal(oom_loop(bucket_make, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bucket_counts_half_open),
      cmocka_unit_test(bucket_takes_values_out),
      cmocka_unit_test(edges_find_among_many),
      cmocka_unit_test(edges_decode_names),
      cmocka_unit_test(edges_read_numbers_exactly),
      cmocka_unit_test(edges_refuse_everything_else),
      cmocka_unit_test(bucket_without_memory_is_nomem),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
