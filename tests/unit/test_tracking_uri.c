/* What base/tracking_uri.h promises. */
#include <string.h>

#include "unit/oom.h"

#include "base/credentials.h"
#include "base/tracking_uri.h"

static void clear(mlf_tracking_uri *uri) {
  sqlite3_free(uri->address);
  mlf_credentials_wipe(uri->username);
  mlf_credentials_wipe(uri->password);
}

#define NOT_HTTP                                                                                   \
  "NAME: it must begin with http:// or https://, e.g. http://127.0.0.1:5000; for a store "         \
  "(./mlruns, sqlite:///mlflow.db), start `mlflow server --backend-store-uri STORE` and give its " \
  "address"
#define BLANKS "NAME: there is a blank or a line break before or after the address; leave it out"
#define QUOTES "NAME: the quotes around the address are part of the value; leave them out"
#define DATABRICKS                                                                                 \
  "NAME: Databricks' own service is not supported; give the http:// or https:// address of an "    \
  "MLflow server"
#define SAGEMAKER                                                                                  \
  "NAME: Amazon SageMaker's servers (arn:…) are not supported; give the http:// or https:// "    \
  "address of an MLflow server"
#define NO_SCHEME                                                                                  \
  "NAME: there is no scheme before the host and port; write http:// or https:// before them, "     \
  "e.g. http://127.0.0.1:5000"
#define BAD_HOST "NAME: the host has a character that no host name has"
#define BAD_PORT "NAME: the port must be a number from 1 to 65535"
#define BAD_USER "NAME: a user needs a password beside it, as in user:password@host"
#define NO_HOST  "NAME: there is no host"
#define NO_IPV6  "NAME: the brackets hold no IPv6 address"
#define HAS_QUERY                                                                                  \
  "NAME: it must have no query (?) and no fragment (#); give scheme, host and port alone"
#define BAD_BYTE "NAME: it has a character that must be written as % and two hexadecimal digits"
#define BAD_ESCAPE                                                                                 \
  "NAME: % must be followed by two hexadecimal digits that give no control "                       \
  "character"

static void test_addresses(void **state) {
  (void)state;
  static const struct {
    const char *text, *address, *username, *password;
  } cases[] = {
      {"http://127.0.0.1:5000", "http://127.0.0.1:5000", NULL, NULL},
      {"HTTPS://Traces.Example.COM/Some/Path//", "https://traces.example.com/Some/Path", NULL,
       NULL},
      {"http://h/", "http://h", NULL, NULL},
      {"http://my_service:1/a%20b", "http://my_service:1/a%20b", NULL, NULL},
      {"http://h:65535", "http://h:65535", NULL, NULL},
      {"http://h:00080", "http://h:80", NULL, NULL},
      {"http://[::1]:5000/x", "http://[::1]:5000/x", NULL, NULL},
      {"http://[2001:DB8::1]", "http://[2001:db8::1]", NULL, NULL},
      {"https://ann:s3cret@h:1", "https://h:1", "ann", "s3cret"},
      {"https://a%40b:p%3A%2F%25%3f@h", "https://h", "a@b", "p:/%?"},
      {"https://%C3%A4:a:b@H/p", "https://h/p", "ä", "a:b"},
      {"https://ann:@h", "https://h", "ann", ""},
      {"http://h/@b:c", "http://h/@b:c", NULL, NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    mlf_tracking_uri uri = {0};
    mlf_error error = {0};
    assert_int_equal(mlf_tracking_uri_parse(cases[i].text, "NAME", &uri, &error), SQLITE_OK);
    assert_string_equal(uri.address, cases[i].address);
    if (cases[i].username) {
      assert_string_equal(uri.username, cases[i].username);
      assert_string_equal(uri.password, cases[i].password);
    } else {
      assert_null(uri.username);
      assert_null(uri.password);
    }
    clear(&uri);
  }
}

static void test_addresses_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *error;
  } cases[] = {
      {"mlruns", NOT_HTTP},
      {"/home/ann/mlruns", NOT_HTTP},
      {"file:///home/ann/mlruns", NOT_HTTP},
      {"sqlite:///mlflow.db", NOT_HTTP},
      {"postgresql://u:CANARY@db/mlflow", NOT_HTTP},
      {"databricks", DATABRICKS},
      {"databricks://profile", DATABRICKS},
      {"arn:aws:sagemaker:eu-west-1:1:mlflow-tracking-server/x", SAGEMAKER},
      {"127.0.0.1:5000", NO_SCHEME},
      {"my_host:80/prefix", NO_SCHEME},
      {"h:80x", NOT_HTTP},
      {":80", NOT_HTTP},
      {"h:", NOT_HTTP},
      {"u:CANARY@h", NOT_HTTP},
      {"http:/h", NOT_HTTP},
      {"ftp://h", NOT_HTTP},
      {"", NOT_HTTP},
      {" http://h", BLANKS},
      {"http://h\r", BLANKS},
      {"\thttp://h\n", BLANKS},
      {" ", BLANKS},
      {"\"http://h\"", QUOTES},
      {"'http://h'", QUOTES},
      {"http://", NO_HOST},
      {"http:///path", NO_HOST},
      {"http://:5000", NO_HOST},
      {"http://u:CANARY@", NO_HOST},
      {"http://u@h", BAD_USER},
      {"http://:CANARY@h", BAD_USER},
      {"http://u:CANARY@h@evil", BAD_HOST},
      {"http://h%2e/", BAD_HOST},
      {"http://h!/", BAD_HOST},
      {"http://h:", BAD_PORT},
      {"http://h:0", BAD_PORT},
      {"http://h:65536", BAD_PORT},
      {"http://h:123456", BAD_PORT},
      {"http://h:4294967376", BAD_PORT},
      {"http://h:80x", BAD_PORT},
      {"http://h:-1", BAD_PORT},
      {"http://u:CANARY", BAD_PORT},
      {"http://[::1", NO_IPV6},
      {"http://[127.0.0.1]", NO_IPV6},
      {"http://[fe80::1%25eth0]", NO_IPV6},
      {"http://[]", NO_IPV6},
      {"http://[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]", NO_IPV6},
      {"http://[::1]x", BAD_HOST},
      {"http://[::1]:x", BAD_PORT},
      {"http://h?CANARY", HAS_QUERY},
      {"http://h/x?token=CANARY", HAS_QUERY},
      {"http://h#CANARY", HAS_QUERY},
      {"http://u:CAN?CANARY@h", HAS_QUERY},
      {"http://h/a b", BAD_BYTE},
      {"http://h/ä", BAD_BYTE},
      {"http://evil\\@h", BAD_BYTE},
      {"http://h\r\nX: y", BAD_BYTE},
      {"http://h/%", BAD_ESCAPE},
      {"http://h/%2", BAD_ESCAPE},
      {"http://h/%g0", BAD_ESCAPE},
      {"http://u:CANARY%00@h", BAD_ESCAPE},
      {"http://u:CANARY%0d%0a@h", BAD_ESCAPE},
      {"http://u:CANARY%7F@h", BAD_ESCAPE},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    mlf_tracking_uri uri = {0};
    mlf_error error = {0};
    assert_int_equal(mlf_tracking_uri_parse(cases[i].text, "NAME", &uri, &error), SQLITE_ERROR);
    assert_string_equal(error.text, cases[i].error);
    assert_null(strstr(error.text, "CANARY"));
    mlf_error_clear(&error);
    clear(&uri);
  }
}

static void test_loopback(void **state) {
  (void)state;
  static const char *const yes[] = {"http://localhost",         "http://LOCALHOST:5000/x",
                                    "http://127.0.0.1:5000",    "http://127.255.255.254",
                                    "http://[::1]:5000",        "http://[0:0:0:0:0:0:0:1]",
                                    "http://u:p@localhost:5000"};
  static const char *const no[] = {"http://localhost.example.com",
                                   "http://localhos",
                                   "http://127.example.com",
                                   "http://127.0.0.1.example.com",
                                   "http://127.0.0",
                                   "http://128.0.0.1",
                                   "http://10.0.0.1",
                                   "http://0.0.0.0",
                                   "http://[::]",
                                   "http://[::2]",
                                   "http://localhost:x@evil.example.com",
                                   "http://evil.example.com/localhost",
                                   "file://localhost/x",
                                   "localhost",
                                   ""};
  for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
    assert_true(mlf_tracking_uri_is_loopback(yes[i]));
  for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
    assert_false(mlf_tracking_uri_is_loopback(no[i]));
}

static void test_origins(void **state) {
  (void)state;
  static const char *const same[][2] = {
      {"http://h", "http://h/"},
      {"http://h", "HTTP://H:80/prefix"},
      {"https://h:443", "https://ann:s3cret@h"},
      {"http://[::1]:5000/a", "http://[::1]:5000/b"},
  };
  static const char *const other[][2] = {
      {"http://h", "https://h"},
      {"http://h:80", "https://h:80"},
      {"http://h", "http://h:5000"},
      {"http://h", "http://h.example.com"},
      {"http://h.example.com", "http://h"},
      {"http://h", "http://h@evil.example.com"},
      {"http://h:x@evil.example.com", "http://h"},
      {"sqlite:///h", "sqlite:///h"},
      {"", "http://h"},
      {"http://h:99999", "http://h:99999"},
  };
  for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
    assert_true(mlf_tracking_uri_same_origin(same[i][0], same[i][1]));
  for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
    assert_false(mlf_tracking_uri_same_origin(other[i][0], other[i][1]));
}

static int scenario(void *context) {
  mlf_tracking_uri uri = {0};
  mlf_error error = {0};
  int rc = mlf_tracking_uri_parse(context, "NAME", &uri, &error);
  if (rc == SQLITE_OK) assert_string_equal(uri.password, "p w");
  mlf_error_clear(&error);
  clear(&uri);
  return rc;
}

static void test_without_memory(void **state) {
  (void)state;
  char text[] = "http://ann:p%20w@h:5000/x";
  assert_int_equal(oom_loop(scenario, text), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_addresses),      cmocka_unit_test(test_addresses_refused),
      cmocka_unit_test(test_loopback),       cmocka_unit_test(test_origins),
      cmocka_unit_test(test_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
