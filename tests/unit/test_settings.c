/* What base/settings.h promises. Each test starts with none of our variables set and with an empty
** home directory. */
#include "unit/oom.h"

#include "unit/home.h"

#include "base/limits.h"
#include "base/settings.h"

/* An allocator that counts blocks given back with a secret in them. */
static sqlite3_mem_methods plain_memory;
static int secrets_freed;

static void *wary_malloc(int size) {
  void *memory = plain_memory.xMalloc(size);
  if (memory) memset(memory, 0, (size_t)plain_memory.xSize(memory));
  return memory;
}

static void wary_free(void *memory) {
  int size = memory ? plain_memory.xSize(memory) : 0;
  for (int i = 0; i + 6 <= size; i++) {
    if (memcmp((char *)memory + i, "CANARY", 6) == 0) secrets_freed++;
  }
  plain_memory.xFree(memory);
}

static void wary_install(void) {
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain_memory);
  sqlite3_mem_methods methods = plain_memory;
  methods.xMalloc = wary_malloc;
  methods.xFree = wary_free;
  sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

static int set_up(void **state) {
  (void)state;
  mlf_settings none = {0};
  mlf_error error = {0};
  for (int i = 0; i < mlf_settings_count(); i++) {
    mlf_setting_row row;
    mlf_settings_row(&none, i, &row, &error);
    sqlite3_free(row.value);
    unsetenv(row.name);
  }
  home_reset();
  secrets_freed = 0;
  return 0;
}

/* Reads the settings, which must work. */
static mlf_settings read_settings(void) {
  mlf_settings settings = {0};
  mlf_error error = {0};
  int rc = mlf_settings_read(&settings, &error);
  if (error.text) print_error("%s\n", error.text);
  assert_int_equal(rc, SQLITE_OK);
  return settings;
}

/* Reads the settings, which must fail with this text. */
static void assert_refused(const char *text) {
  mlf_settings settings = {0};
  mlf_error error = {0};
  assert_int_equal(mlf_settings_read(&settings, &error), SQLITE_ERROR);
  assert_string_equal(error.text, text);
  assert_null(strstr(error.text, "CANARY"));
  mlf_error_clear(&error);
  mlf_settings_clear(&settings);
}

static mlf_setting_row find_row(const mlf_settings *settings, const char *name) {
  mlf_error error = {0};
  for (int i = 0; i < mlf_settings_count(); i++) {
    mlf_setting_row row;
    assert_int_equal(mlf_settings_row(settings, i, &row, &error), SQLITE_OK);
    if (strcmp(row.name, name) == 0) return row;
    sqlite3_free(row.value);
  }
  fail_msg("no setting %s", name);
  return (mlf_setting_row){0};
}

static void assert_row(const mlf_settings *settings, const char *name, const char *value,
                       const char *source) {
  mlf_setting_row row = find_row(settings, name);
  if (value) {
    assert_non_null(row.value);
    assert_string_equal(row.value, value);
  } else {
    assert_null(row.value);
  }
  assert_string_equal(row.source, source);
  sqlite3_free(row.value);
}

static void test_defaults(void **state) {
  (void)state;
  mlf_settings settings = read_settings();
  assert_null(settings.tracking_uri);
  assert_null(settings.token);
  assert_null(settings.username);
  assert_null(settings.password);
  assert_null(settings.server_cert_path);
  assert_null(settings.client_cert_path);
  assert_null(settings.workspace);
  assert_null(settings.experiment_id);
  assert_null(settings.experiment_name);
  assert_null(settings.filter);
  assert_false(settings.insecure_tls);
  assert_false(settings.plain_http_secret);
  assert_false(settings.locked);
  assert_int_equal(settings.request_timeout_ms, MLF_REQUEST_TIMEOUT_MS);
  assert_int_equal(settings.connect_timeout_ms, MLF_CONNECT_TIMEOUT_MS);
  assert_int_equal(settings.retries_max, MLF_RETRIES_MAX);
  assert_true(settings.backoff_factor * 1000 == MLF_BACKOFF_FIRST_MS);
  assert_int_equal(settings.statement_timeout_ms, MLF_STATEMENT_TIMEOUT_MS);
  assert_int_equal(settings.statement_requests_max, MLF_STATEMENT_REQUESTS_MAX);
  assert_int_equal(settings.statement_rows_max, MLF_STATEMENT_ROWS_MAX);
  assert_int_equal(settings.statement_bytes_max, MLF_STATEMENT_BYTES_MAX);
  assert_false(settings.bad_traces_null);
  assert_int_equal(settings.reply_bytes_max, MLF_REPLY_BYTES_MAX);
  assert_int_equal(settings.spans_bytes_max, MLF_SPANS_BYTES_MAX);
  assert_int_equal(settings.streams, MLF_STREAMS);
  assert_int_equal(settings.page_rows, MLF_PAGE_ROWS_MAX);
  mlf_settings_clear(&settings);
}

static void test_values(void **state) {
  (void)state;
  setenv("MLFLOW_TRACKING_URI", "https://traces.example.com/mlflow/", 1);
  setenv("MLFLOW_TRACKING_TOKEN", "tok.en-1", 1);
  setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "/etc/ca dir/ca.pem", 1);
  setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", "client.pem", 1);
  setenv("MLFLOW_WORKSPACE", "team-a", 1);
  setenv("MLFLOW_EXPERIMENT_ID", "42", 1);
  setenv("MLFLOW_EXPERIMENT_NAME", "Zweite Prüfung", 1);
  setenv("MLFLOW_SQL_FILTER", "tags.`a b` = 'span'", 1);
  setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2.5", 1);
  setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "7", 1);
  setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "2", 1);
  setenv("MLFLOW_SQL_CONNECT_TIMEOUT", "0.125", 1);
  setenv("MLFLOW_SQL_STATEMENT_TIMEOUT", "604800", 1);
  setenv("MLFLOW_SQL_STATEMENT_REQUESTS_MAX", "1", 1);
  setenv("MLFLOW_SQL_REPLY_BYTES_MAX", "1073741824", 1);
  setenv("MLFLOW_SQL_SPANS_BYTES_MAX", "2147483647", 1);
  setenv("MLFLOW_SQL_BAD_TRACES", "null", 1);
  setenv("MLFLOW_SQL_STREAMS", "16", 1);
  setenv("MLFLOW_SQL_PAGE_ROWS", "500", 1);
  setenv("MLFLOW_SQL_ALLOW_PLAIN_HTTP_SECRET", "True", 1);
  setenv("MLFLOW_SQL_LOCK", "1", 1);
  mlf_settings settings = read_settings();
  assert_string_equal(settings.tracking_uri, "https://traces.example.com/mlflow");
  assert_string_equal(settings.token, "tok.en-1");
  assert_string_equal(settings.server_cert_path, "/etc/ca dir/ca.pem");
  assert_string_equal(settings.client_cert_path, "client.pem");
  assert_string_equal(settings.workspace, "team-a");
  assert_string_equal(settings.experiment_id, "42");
  assert_string_equal(settings.experiment_name, "Zweite Prüfung");
  assert_string_equal(settings.filter, "tags.`a b` = 'span'");
  assert_int_equal(settings.request_timeout_ms, 2500);
  assert_int_equal(settings.retries_max, 7);
  assert_true(settings.backoff_factor == 2);
  assert_int_equal(settings.connect_timeout_ms, 125);
  assert_int_equal(settings.statement_timeout_ms, 604800000);
  assert_int_equal(settings.statement_requests_max, 1);
  assert_int_equal(settings.reply_bytes_max, 1073741824);
  assert_int_equal(settings.spans_bytes_max, 2147483647);
  assert_true(settings.bad_traces_null);
  assert_int_equal(settings.streams, 16);
  assert_int_equal(settings.page_rows, 500);
  assert_true(settings.plain_http_secret);
  assert_true(settings.locked);
  mlf_settings_clear(&settings);
}

static void test_empty_is_unset(void **state) {
  (void)state;
  mlf_settings none = {0};
  mlf_error error = {0};
  for (int i = 0; i < mlf_settings_count(); i++) {
    mlf_setting_row row;
    mlf_settings_row(&none, i, &row, &error);
    sqlite3_free(row.value);
    setenv(row.name, "", 1);
  }
  mlf_settings settings = read_settings();
  assert_null(settings.tracking_uri);
  assert_null(settings.password);
  assert_int_equal(settings.streams, MLF_STREAMS);
  assert_row(&settings, "MLFLOW_SQL_STREAMS", "4", "default");
  mlf_settings_clear(&settings);
}

/* Each number at both ends of its range and one step beyond. */
static void test_ranges(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const char *below, *least, *most, *above;
    const char *range;
  } cases[] = {
      {"MLFLOW_HTTP_REQUEST_TIMEOUT", "0.099", "0.1", "86400", "86400.001",
       "a number of seconds from 0.1 to 86400 with at most three decimals"},
      {"MLFLOW_HTTP_REQUEST_MAX_RETRIES", "-1", "0", "10", "11", "a whole number from 0 to 10"},
      {"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "-0.5", "0", "120", "120.001",
       "a number from 0 to 120 with at most three decimals"},
      {"MLFLOW_SQL_CONNECT_TIMEOUT", "0", "0.1", "3600", "3601",
       "a number of seconds from 0.1 to 3600 with at most three decimals"},
      {"MLFLOW_SQL_STATEMENT_TIMEOUT", "0.09", "0.100", "604800.000", "604800.001",
       "a number of seconds from 0.1 to 604800 with at most three decimals"},
      {"MLFLOW_SQL_STATEMENT_REQUESTS_MAX", "0", "1", "10000000", "10000001",
       "a whole number from 1 to 10000000"},
      {"MLFLOW_SQL_STATEMENT_ROWS_MAX", "-1", "0", "2147483647", "2147483648",
       "a whole number from 0 to 2147483647"},
      {"MLFLOW_SQL_STATEMENT_BYTES_MAX", "-1", "0", "2147483647", "2147483648",
       "a whole number from 0 to 2147483647"},
      {"MLFLOW_SQL_REPLY_BYTES_MAX", "1023", "1024", "1073741824", "1073741825",
       "a whole number from 1024 to 1073741824"},
      {"MLFLOW_SQL_SPANS_BYTES_MAX", "1023", "1024", "2147483647", "2147483648",
       "a whole number from 1024 to 2147483647"},
      {"MLFLOW_SQL_STREAMS", "0", "1", "16", "17", "a whole number from 1 to 16"},
      {"MLFLOW_SQL_PAGE_ROWS", "0", "1", "500", "501", "a whole number from 1 to 500"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *outside[] = {cases[i].below, cases[i].above};
    const char *inside[] = {cases[i].least, cases[i].most};
    for (int end = 0; end < 2; end++) {
      char text[200];
      snprintf(text, sizeof(text), "%s is '%s'; it must be %s", cases[i].name, outside[end],
               cases[i].range);
      setenv(cases[i].name, outside[end], 1);
      assert_refused(text);
      setenv(cases[i].name, inside[end], 1);
      mlf_settings settings = read_settings();
      mlf_settings_clear(&settings);
    }
    unsetenv(cases[i].name);
  }
}

static void test_numbers_are_strict(void **state) {
  (void)state;
  static const char *const integers[] = {"1.0", " 4",   "4 ",  "+4", "0x4",
                                         "4e0", "four", "1_0", "4;", "18446744073709551620"};
  static const char *const decimals[] = {"1,5", "1.",  ".5",  "1.5.1", "1.2345",           "1e1",
                                         "inf", "nan", "0x1", "-1",    "18446744073709552"};
  char text[200];
  for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
    setenv("MLFLOW_SQL_STREAMS", integers[i], 1);
    snprintf(text, sizeof(text),
             "MLFLOW_SQL_STREAMS is '%s'; it must be a whole number from 1 to 16", integers[i]);
    assert_refused(text);
  }
  unsetenv("MLFLOW_SQL_STREAMS");
  for (size_t i = 0; i < sizeof(decimals) / sizeof(decimals[0]); i++) {
    setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", decimals[i], 1);
    snprintf(text, sizeof(text),
             "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR is '%s'; it must be a number from 0 to 120 with "
             "at most three decimals",
             decimals[i]);
    assert_refused(text);
  }
  setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0004.2", 1);
  mlf_settings settings = read_settings();
  assert_true(settings.backoff_factor == 4.2);
  assert_row(&settings, "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "4.2", "environment");
  mlf_settings_clear(&settings);
}

static void test_bad_traces(void **state) {
  (void)state;
  static const struct {
    const char *text, *shown;
  } cases[] = {{"error", "error"}, {"Error", "error"}, {"null", "null"}, {"NULL", "null"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    setenv("MLFLOW_SQL_BAD_TRACES", cases[i].text, 1);
    mlf_settings settings = read_settings();
    assert_int_equal(settings.bad_traces_null, strcmp(cases[i].shown, "null") == 0);
    assert_row(&settings, "MLFLOW_SQL_BAD_TRACES", cases[i].shown, "environment");
    mlf_settings_clear(&settings);
  }
  static const char *const wrong[] = {"true", "1", "nul", "nulls", "error null", " null"};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    char text[100];
    setenv("MLFLOW_SQL_BAD_TRACES", wrong[i], 1);
    snprintf(text, sizeof(text), "MLFLOW_SQL_BAD_TRACES is '%s'; it must be error or null",
             wrong[i]);
    assert_refused(text);
  }
  setenv("MLFLOW_SQL_BAD_TRACES", "", 1); /* counts as unset */
  mlf_settings settings = read_settings();
  assert_row(&settings, "MLFLOW_SQL_BAD_TRACES", "error", "default");
  mlf_settings_clear(&settings);
}

static void test_progress(void **state) {
  (void)state;
  static const struct {
    const char *text, *shown;
    mlf_setting_progress progress;
  } cases[] = {{"true", "true", MLF_PROGRESS_STDERR}, {"1", "true", MLF_PROGRESS_STDERR},
               {"FALSE", "false", MLF_PROGRESS_OFF},  {"0", "false", MLF_PROGRESS_OFF},
               {"tty", "tty", MLF_PROGRESS_TTY},      {"TTY", "tty", MLF_PROGRESS_TTY}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    setenv("MLFLOW_SQL_PROGRESS", cases[i].text, 1);
    mlf_settings settings = read_settings();
    assert_int_equal(settings.progress, cases[i].progress);
    assert_row(&settings, "MLFLOW_SQL_PROGRESS", cases[i].shown, "environment");
    mlf_settings_clear(&settings);
  }
  setenv("MLFLOW_SQL_PROGRESS", "2", 1);
  assert_refused("MLFLOW_SQL_PROGRESS is '2'; it must be true, false, 1, 0 or tty");
}

static void test_booleans(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool value;
  } cases[] = {{"true", true},   {"TRUE", true},   {"1", true},
               {"false", false}, {"False", false}, {"0", false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    setenv("MLFLOW_TRACKING_INSECURE_TLS", cases[i].text, 1);
    mlf_settings settings = read_settings();
    assert_int_equal(settings.insecure_tls, cases[i].value);
    assert_row(&settings, "MLFLOW_TRACKING_INSECURE_TLS", cases[i].value ? "true" : "false",
               "environment");
    mlf_settings_clear(&settings);
  }
  setenv("MLFLOW_TRACKING_INSECURE_TLS", "yes", 1);
  assert_refused("MLFLOW_TRACKING_INSECURE_TLS is 'yes'; it must be true, false, 1 or 0");
  setenv("MLFLOW_TRACKING_INSECURE_TLS", "1", 1);
  setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "ca.pem", 1);
  assert_refused("MLFLOW_TRACKING_INSECURE_TLS and MLFLOW_TRACKING_SERVER_CERT_PATH contradict "
                 "each other; unset one");
}

static void test_characters(void **state) {
  (void)state;
  static const char *const tokens[] = {"CANARY\n",   "CANARY\r\nHost: x", "CAN ARY CANARY",
                                       "CANARY\x7f", "CANARYé",           "\tCANARY"};
  for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
    setenv("MLFLOW_TRACKING_TOKEN", tokens[i], 1);
    assert_refused("MLFLOW_TRACKING_TOKEN (environment) has a blank, line break or other "
                   "character that is not visible ASCII");
  }
  setenv("MLFLOW_TRACKING_TOKEN", "!~", 1);
  setenv("MLFLOW_TRACKING_USERNAME", "ann\x1b", 1);
  assert_refused(
      "MLFLOW_TRACKING_USERNAME (environment) has a line break or other control character");
  setenv("MLFLOW_TRACKING_USERNAME", "änn b", 1);
  setenv("MLFLOW_TRACKING_PASSWORD", "CANARY\r\n", 1);
  assert_refused(
      "MLFLOW_TRACKING_PASSWORD (environment) has a line break or other control character");
  setenv("MLFLOW_TRACKING_PASSWORD", "päss wörd", 1);
  setenv("MLFLOW_WORKSPACE", "a\r\nX: y", 1);
  assert_refused("MLFLOW_WORKSPACE (environment) has a blank, line break or other character that "
                 "is not visible ASCII");
  setenv("MLFLOW_WORKSPACE", "a", 1);
  mlf_settings settings = read_settings();
  assert_string_equal(settings.token, "!~");
  assert_string_equal(settings.username, "änn b");
  assert_string_equal(settings.password, "päss wörd");
  mlf_settings_clear(&settings);
}

static void test_credentials_file(void **state) {
  (void)state;
  static const char text[] = "[mlflow]\nmlflow_tracking_username = ann\n";
  home_write_bytes(text, sizeof(text) - 1, 0640);
  mlf_settings settings = read_settings();
  assert_row(&settings, "MLFLOW_TRACKING_USERNAME", "set",
             "credentials file (others can read it: chmod 600)");
  assert_row(&settings, "MLFLOW_TRACKING_PASSWORD", "unset", "default");
  mlf_settings_clear(&settings);
  home_write("[mlflow]\nmlflow_tracking_password = CANARY\x01\n");
  assert_refused(
      "MLFLOW_TRACKING_PASSWORD (credentials file) has a line break or other control character");
}

/* The address before the variable before the file; the two of them each for itself. */
static void test_precedence(void **state) {
  (void)state;
  home_write("[mlflow]\nmlflow_tracking_username = filed\nmlflow_tracking_password = f\n");
  setenv("MLFLOW_TRACKING_USERNAME", "environed", 1);
  mlf_settings settings = read_settings();
  assert_string_equal(settings.username, "environed");
  assert_string_equal(settings.password, "f");
  assert_row(&settings, "MLFLOW_TRACKING_USERNAME", "set", "environment");
  assert_row(&settings, "MLFLOW_TRACKING_PASSWORD", "set", "credentials file");
  mlf_settings_clear(&settings);

  setenv("MLFLOW_TRACKING_URI", "http://addressed:a@h", 1);
  settings = read_settings();
  assert_string_equal(settings.username, "addressed");
  assert_string_equal(settings.password, "a");
  mlf_settings_clear(&settings);

  /* Nothing is left to learn from the file, so it is not read. */
  setenv("MLFLOW_TRACKING_PASSWORD", "e", 1);
  home_write("nonsense");
  settings = read_settings();
  mlf_settings_clear(&settings);
}

static void test_set_uri(void **state) {
  (void)state;
  mlf_error error = {0};
  setenv("MLFLOW_TRACKING_URI", "http://ann:s3cret@one", 1);
  setenv("MLFLOW_TRACKING_TOKEN", "token", 1);
  setenv("MLFLOW_SQL_STREAMS", "2", 1);
  mlf_settings settings = read_settings();
  assert_int_equal(mlf_settings_set_uri(&settings, "https://two/x/", &error), SQLITE_OK);
  assert_row(&settings, "MLFLOW_TRACKING_URI", "https://two/x", "mlflow_connect");
  assert_row(&settings, "MLFLOW_TRACKING_USERNAME", "unset", "default");
  assert_row(&settings, "MLFLOW_SQL_STREAMS", "2", "environment");
  assert_null(settings.username);
  assert_null(settings.password);

  assert_int_equal(mlf_settings_set_uri(&settings, "http://bob:pw@three", &error), SQLITE_OK);
  assert_string_equal(settings.username, "bob");
  assert_string_equal(settings.password, "pw");
  assert_row(&settings, "MLFLOW_TRACKING_PASSWORD", "set", "mlflow_connect");

  assert_int_equal(mlf_settings_set_uri(&settings, "http://u:CANARY", &error), SQLITE_ERROR);
  assert_string_equal(error.text, "the address: the port must be a number from 1 to 65535");
  mlf_error_clear(&error);
  assert_int_equal(mlf_settings_set_uri(&settings, "", &error), SQLITE_ERROR);
  mlf_error_clear(&error);
  assert_row(&settings, "MLFLOW_TRACKING_URI", "http://three", "mlflow_connect");
  assert_string_equal(settings.username, "bob");
  mlf_settings_clear(&settings);

  /* An address that cannot be used in the environment is no obstacle. */
  setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db", 1);
  assert_int_equal(mlf_settings_set_uri(&settings, "http://four", &error), SQLITE_OK);
  assert_string_equal(settings.tracking_uri, "http://four");
  mlf_settings_clear(&settings);
}

#define WITHHELD "withheld: SQL named the server, and MLFLOW_SQL_HOSTS does not"

/* A secret goes where the environment says, and never where SQL alone does. */
static void test_secrets_have_one_origin(void **state) {
  (void)state;
  mlf_error error = {0};
  mlf_settings settings = {0};
  setenv("MLFLOW_TRACKING_TOKEN", "token", 1);
  setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", "/cert.pem", 1);
  home_write("[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = p\n");

  /* No server is set: the secret stays. */
  assert_int_equal(mlf_settings_set_uri(&settings, "http://two", &error), SQLITE_OK);
  assert_row(&settings, "MLFLOW_TRACKING_TOKEN", "unset", WITHHELD);
  assert_true(settings.withheld);

  setenv("MLFLOW_TRACKING_URI", "http://one:80/prefix", 1);
  assert_int_equal(mlf_settings_set_uri(&settings, "http://ONE/other", &error), SQLITE_OK);
  assert_string_equal(settings.token, "token");
  assert_string_equal(settings.username, "ann");
  assert_false(settings.withheld);

  static const char *const others[] = {"http://two", "https://one", "http://one:81"};
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    assert_int_equal(mlf_settings_set_uri(&settings, others[i], &error), SQLITE_OK);
    assert_true(settings.withheld);
    assert_null(settings.token);
    assert_row(&settings, "MLFLOW_TRACKING_TOKEN", "unset", WITHHELD);
    assert_row(&settings, "MLFLOW_TRACKING_USERNAME", "unset", WITHHELD);
    assert_row(&settings, "MLFLOW_TRACKING_PASSWORD", "unset", WITHHELD);
    assert_row(&settings, "MLFLOW_TRACKING_CLIENT_CERT_PATH", NULL, WITHHELD);
  }

  /* A list of ours may name more. */
  setenv("MLFLOW_SQL_HOSTS", "https://three, http://TWO:80", 1);
  assert_int_equal(mlf_settings_set_uri(&settings, "http://two/prefix", &error), SQLITE_OK);
  assert_string_equal(settings.token, "token");
  assert_int_equal(mlf_settings_set_uri(&settings, "https://two", &error), SQLITE_OK);
  assert_null(settings.token);
  unsetenv("MLFLOW_SQL_HOSTS");

  /* What the address itself brings is for its server. */
  assert_int_equal(mlf_settings_set_uri(&settings, "http://bob:pw@two", &error), SQLITE_OK);
  assert_string_equal(settings.username, "bob");
  assert_string_equal(settings.password, "pw");
  assert_null(settings.token);

  /* An address that cannot be used is that of no server, whose secret nobody gets. */
  setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db", 1);
  assert_int_equal(mlf_settings_set_uri(&settings, "http://two", &error), SQLITE_OK);
  assert_null(settings.token);
  mlf_settings_clear(&settings);
}

static void assert_locked(mlf_settings *settings) {
  mlf_error error = {0};
  assert_int_equal(mlf_settings_set_uri(settings, "http://two", &error), SQLITE_ERROR);
  assert_string_equal(error.text, "refused, because MLFLOW_SQL_LOCK is set");
  mlf_error_clear(&error);
}

static void test_lock(void **state) {
  (void)state;
  setenv("MLFLOW_TRACKING_URI", "http://one", 1);
  setenv("MLFLOW_SQL_LOCK", "1", 1);
  mlf_settings unread = {0};
  assert_locked(&unread);
  mlf_settings settings = read_settings();
  assert_locked(&settings);
  /* Once locked, a connection stays so. */
  unsetenv("MLFLOW_SQL_LOCK");
  assert_locked(&settings);
  assert_row(&settings, "MLFLOW_TRACKING_URI", "http://one", "environment");
  mlf_settings_clear(&settings);
}

static void test_loopback(void **state) {
  (void)state;
  assert_true(mlf_settings_is_loopback("http://127.0.0.1:5000"));
  assert_false(mlf_settings_is_loopback("http://127.example.com"));
}

static void test_rows(void **state) {
  (void)state;
  setenv("MLFLOW_TRACKING_URI", "http://CANARY-user:CANARY-password@h", 1);
  setenv("MLFLOW_TRACKING_TOKEN", "CANARY-token", 1);
  setenv("MLFLOW_EXPERIMENT_NAME", "caf\xe9", 1);
  mlf_settings settings = read_settings();
  mlf_error error = {0};
  assert_int_equal(mlf_settings_count(), MLF_SETTINGS_COUNT);
  for (int i = 0; i < mlf_settings_count(); i++) {
    mlf_setting_row row;
    assert_int_equal(mlf_settings_row(&settings, i, &row, &error), SQLITE_OK);
    assert_memory_equal(row.name, "MLFLOW_", 7);
    assert_true(strlen(row.about) > 10);
    assert_true(!row.value || !strstr(row.value, "CANARY"));
    sqlite3_free(row.value);
  }
  assert_row(&settings, "MLFLOW_TRACKING_TOKEN", "set", "environment");
  assert_row(&settings, "MLFLOW_TRACKING_URI", "http://h", "environment");
  assert_row(&settings, "MLFLOW_EXPERIMENT_NAME", "caf?", "environment");
  assert_row(&settings, "MLFLOW_EXPERIMENT_ID", NULL, "default");
  assert_row(&settings, "MLFLOW_SQL_LOCK", "false", "default");
  assert_row(&settings, "MLFLOW_HTTP_REQUEST_TIMEOUT", "120", "default");
  assert_row(&settings, "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0.5", "default");
  mlf_settings_clear(&settings);
}

static void test_secrets_are_wiped(void **state) {
  (void)state;
  char *careless = sqlite3_mprintf("CANARY");
  sqlite3_free(careless);
  assert_int_equal(secrets_freed, 1); /* so the allocator sees what it is there for */

  mlf_error error = {0};
  home_write("[mlflow]\n# CANARY\nmlflow_tracking_password = CANARY-filed\n");
  setenv("MLFLOW_TRACKING_TOKEN", "CANARY-token", 1);
  setenv("MLFLOW_TRACKING_USERNAME", "CANARY-user", 1);
  mlf_settings settings = read_settings();
  assert_string_equal(settings.password, "CANARY-filed");
  mlf_settings_clear(&settings);
  setenv("MLFLOW_TRACKING_URI", "http://u:CANARY-password@h", 1);
  settings = read_settings();
  assert_int_equal(mlf_settings_set_uri(&settings, "http://u:CANARY2@h", &error), SQLITE_OK);
  mlf_settings_clear(&settings);
  unsetenv("MLFLOW_TRACKING_URI");
  home_write("[mlflow]\nmlflow_tracking_username = CANARY\nCANARY\n");
  assert_refused("~/.mlflow/credentials: line 3 has neither = nor :");
  assert_int_equal(secrets_freed, 1);
}

/* A filter is of traces: what names spans is refused, and a value or a longer word names none. */
static void test_filters(void **state) {
  (void)state;
  static const char *const refused[] = {"span.name = 'x'",
                                        "SPAN.name = 'x'",
                                        "tags.a = '' AND span.b='x'",
                                        "`span`.name = 'x'",
                                        "trace.text LIKE '%x%'",
                                        "attributes.\"text\" LIKE '%'",
                                        "tags.'span' = 'x'",
                                        "tags.a = 'it' AND text = \"'\"",
                                        "\"run_id\" = 'x'",
                                        "tags.a = 'b' AND \"text\" LIKE '%x%'",
                                        "tags.a != 'q\\'z' AND run_id = 'x'",
                                        "tags.a != 'q\\',' AND run_id = 'x'",
                                        "tags.a = \"it\"\"s\" AND run_id = 'x'"};
  static const char *const taken[] = {"tags.spans = 'x'",
                                      "tags.a = 'span'",
                                      "tags.a = \"a text\"",
                                      "tags.my_text = 'span' AND tags.b = 'text'",
                                      "tags.a = 'open",
                                      "tags.a IN ('span', \"text\")",
                                      "tags.a ilike  '%text%' AND tags.b>='span'"};
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    setenv("MLFLOW_SQL_FILTER", refused[i], 1);
    assert_refused(
        "MLFLOW_SQL_FILTER speaks of spans or of a run; it must be of traces alone, such as "
        "tags.environment = 'production'");
  }
  for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
    setenv("MLFLOW_SQL_FILTER", taken[i], 1);
    mlf_settings settings = read_settings();
    assert_string_equal(settings.filter, taken[i]);
    mlf_settings_clear(&settings);
  }
}

/* The manual's page names every setting. */
static void test_manual(void **state) {
  (void)state;
  static char manual[100000];
  FILE *page = fopen("../docs/reference/mlflow_settings.md", "r");
  assert_non_null(page);
  size_t length = fread(manual, 1, sizeof(manual) - 1, page);
  fclose(page);
  manual[length] = 0;
  mlf_settings settings = read_settings();
  mlf_error error = {0};
  for (int i = 0; i < mlf_settings_count(); i++) {
    mlf_setting_row row;
    char line[300];
    assert_int_equal(mlf_settings_row(&settings, i, &row, &error), SQLITE_OK);
    snprintf(line, sizeof(line), "\n| `%s` | %s | ", row.name, row.value ? row.value : "unset");
    if (!strstr(manual, line)) fail_msg("the manual has no line%s", line);
    sqlite3_free(row.value);
  }
  mlf_settings_clear(&settings);
}

static int scenario(void *context) {
  (void)context;
  mlf_settings settings = {0};
  mlf_error error = {0};
  mlf_setting_row row = {0};
  int rc = mlf_settings_read(&settings, &error);
  if (rc == SQLITE_OK) rc = mlf_settings_set_uri(&settings, "http://u:p@h", &error);
  for (int i = 0; rc == SQLITE_OK && i < mlf_settings_count(); i++) {
    rc = mlf_settings_row(&settings, i, &row, &error);
    sqlite3_free(row.value);
  }
  assert_null(rc == SQLITE_OK ? NULL : error.text);
  mlf_error_clear(&error);
  mlf_settings_clear(&settings);
  return rc;
}

static int refused_scenario(void *context) {
  (void)context;
  mlf_settings settings = {0};
  mlf_error error = {0};
  int rc = mlf_settings_read(&settings, &error);
  assert_int_not_equal(rc, SQLITE_OK);
  mlf_error_clear(&error);
  mlf_settings_clear(&settings);
  return rc == SQLITE_ERROR ? SQLITE_OK : rc;
}

static void test_without_memory(void **state) {
  (void)state;
  home_write("[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = p\n");
  setenv("MLFLOW_TRACKING_URI", "http://one", 1);
  setenv("MLFLOW_TRACKING_TOKEN", "token", 1);
  setenv("MLFLOW_EXPERIMENT_NAME", "name", 1);
  assert_int_equal(oom_loop(scenario, NULL), 0);
  setenv("MLFLOW_TRACKING_URI", "http://ann:p@one", 1);
  assert_int_equal(oom_loop(scenario, NULL), 0);
  setenv("MLFLOW_SQL_STREAMS", "0", 1);
  assert_int_equal(oom_loop(refused_scenario, NULL), 0);
}

int main(void) {
  wary_install();
  oom_install();
  if (!home_make()) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_defaults, set_up),
      cmocka_unit_test_setup(test_values, set_up),
      cmocka_unit_test_setup(test_empty_is_unset, set_up),
      cmocka_unit_test_setup(test_filters, set_up),
      cmocka_unit_test_setup(test_ranges, set_up),
      cmocka_unit_test_setup(test_numbers_are_strict, set_up),
      cmocka_unit_test_setup(test_bad_traces, set_up),
      cmocka_unit_test_setup(test_progress, set_up),
      cmocka_unit_test_setup(test_booleans, set_up),
      cmocka_unit_test_setup(test_characters, set_up),
      cmocka_unit_test_setup(test_credentials_file, set_up),
      cmocka_unit_test_setup(test_precedence, set_up),
      cmocka_unit_test_setup(test_set_uri, set_up),
      cmocka_unit_test_setup(test_secrets_have_one_origin, set_up),
      cmocka_unit_test_setup(test_lock, set_up),
      cmocka_unit_test_setup(test_loopback, set_up),
      cmocka_unit_test_setup(test_rows, set_up),
      cmocka_unit_test_setup(test_secrets_are_wiped, set_up),
      cmocka_unit_test_setup(test_manual, set_up),
      cmocka_unit_test_setup(test_without_memory, set_up),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  home_remove();
  return failed;
}
