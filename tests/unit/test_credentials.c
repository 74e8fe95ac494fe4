/* What base/credentials.h promises. Each test starts with an empty home directory. */
#include "unit/oom.h"

#include "unit/home.h"

#include "base/credentials.h"
#include "base/limits.h"

static int set_up(void **state) {
  (void)state;
  home_reset();
  return 0;
}

static void assert_same(const char *text, const char *expected) {
  if (expected) {
    assert_non_null(text);
    assert_string_equal(text, expected);
  } else {
    assert_null(text);
  }
}

static void assert_read(const char *username, const char *password, bool readable_by_others) {
  mlf_credentials credentials = {0};
  mlf_error error = {0};
  int rc = mlf_credentials_read(&credentials, &error);
  if (error.text) print_error("%s\n", error.text);
  assert_int_equal(rc, SQLITE_OK);
  assert_same(credentials.username, username);
  assert_same(credentials.password, password);
  assert_int_equal(credentials.readable_by_others, readable_by_others);
  mlf_credentials_wipe(credentials.username);
  mlf_credentials_wipe(credentials.password);
}

static void assert_refused(const char *text) {
  mlf_credentials credentials = {0};
  mlf_error error = {0};
  assert_int_equal(mlf_credentials_read(&credentials, &error), SQLITE_ERROR);
  assert_string_equal(error.text, text);
  assert_null(strstr(error.text, "CANARY"));
  mlf_error_clear(&error);
  mlf_credentials_wipe(credentials.username);
  mlf_credentials_wipe(credentials.password);
}

static void test_values(void **state) {
  (void)state;
  static const struct {
    const char *text, *username, *password;
  } cases[] = {
      {"[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = s3cret\n", "ann",
       "s3cret"},
      {"# note\n\n; note\n[other]\nMLFLOW_TRACKING_USERNAME=bob\n  nonsense\n[mlflow]\r\n"
       "MLflow_Tracking_Username:ann  \r\nmlflow_tracking_password\t=  a=b:c # d \r\nx = y",
       "ann", "a=b:c # d"},
      {"[mlflow]\n   mlflow_tracking_username = ann\n   mlflow_tracking_password = \"q\"\n", "ann",
       "\"q\""},
      {"[a]\nx = 1\n[mlflow]\n mlflow_tracking_username = ann", "ann", NULL},
      {"[mlflow]\nmlflow_tracking_password = 100%% sure %%\n", NULL, "100% sure %"},
      {"[mlflow]\nmlflow_tracking_username =\nmlflow_tracking_password =  \n", NULL, NULL},
      {"[mlflow]\nmlflow_tracking_usernames = x\nmlflow_tracking_token = x\n", NULL, NULL},
      {"[mlflow]\nother = x\n  continued\n  # note\nmlflow_tracking_username = ann\n", "ann", NULL},
      {"[MLFLOW]\nmlflow_tracking_username = x\n[ mlflow ]\nmlflow_tracking_username = y\n", NULL,
       NULL},
      {"[mlflow] ; note\nmlflow_tracking_username = ann", "ann", NULL},
      {"", NULL, NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    home_write(cases[i].text);
    assert_read(cases[i].username, cases[i].password, false);
  }
}

static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *error;
  } cases[] = {
      {"mlflow_tracking_password = CANARY\n",
       "~/.mlflow/credentials: line 1 comes before the first [section]"},
      {"[mlflow\n", "~/.mlflow/credentials: line 1 is no [section]"},
      {"[]\n", "~/.mlflow/credentials: line 1 is no [section]"},
      {"[mlflow]\n\nCANARY\n", "~/.mlflow/credentials: line 3 has neither = nor :"},
      {"[mlflow]\n[a]\n[mlflow]\n", "~/.mlflow/credentials: line 3 begins [mlflow] a second time"},
      {"[mlflow]\nmlflow_tracking_password=a\nMLFLOW_TRACKING_PASSWORD=CANARY\n",
       "~/.mlflow/credentials: line 3 gives a key a second time"},
      {"[mlflow]\nmlflow_tracking_password=CANARY%\n",
       "~/.mlflow/credentials: line 2 has a % that is not written as %%"},
      {"[mlflow]\nmlflow_tracking_password=%(CANARY)s\n",
       "~/.mlflow/credentials: line 2 has a % that is not written as %%"},
      {"[mlflow]\nmlflow_tracking_password=a\n # note\n  CANARY\n",
       "~/.mlflow/credentials: line 4 continues a value that must be one line"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    home_write(cases[i].text);
    assert_refused(cases[i].error);
  }
  home_write_bytes("[mlflow]\n\0", 10, 0600);
  assert_refused("~/.mlflow/credentials is not a text file");
}

static void test_size(void **state) {
  (void)state;
  static char text[MLF_CREDENTIALS_BYTES_MAX + 2];
  static const char start[] = "[mlflow]\nmlflow_tracking_username = ann\n";
  memset(text, '\n', sizeof(text));
  memcpy(text, start, sizeof(start) - 1);
  home_write_bytes(text, MLF_CREDENTIALS_BYTES_MAX, 0600);
  assert_read("ann", NULL, false);
  home_write_bytes(text, MLF_CREDENTIALS_BYTES_MAX + 1, 0600);
  assert_refused("~/.mlflow/credentials has more than MLF_CREDENTIALS_BYTES_MAX (65536) bytes");
}

static void test_kinds(void **state) {
  (void)state;
  static const char text[] = "[mlflow]\nmlflow_tracking_username = ann\n";
  static const mode_t open_modes[] = {0640, 0604};
  for (int i = 0; i < 2; i++) {
    home_write_bytes(text, sizeof(text) - 1, open_modes[i]);
    assert_read("ann", NULL, true);
  }
  unlink(home.file);
  assert_int_equal(mkfifo(home.file, 0600), 0);
  assert_refused("~/.mlflow/credentials is not a regular file");
  unlink(home.file);
  assert_int_equal(mkdir(home.file, 0700), 0);
  assert_refused("~/.mlflow/credentials is not a regular file");
  rmdir(home.file);
  assert_int_equal(symlink(home.file, home.file), 0);
  assert_refused("~/.mlflow/credentials cannot be opened");
  unlink(home.file);

  home_write_bytes(text, sizeof(text) - 1, 0600);
  static const char *const homes[] = {"", "/nonexistent", "/dev/null"};
  for (int i = 0; i < 3; i++) {
    setenv("HOME", homes[i], 1);
    assert_read(NULL, NULL, false);
  }
  unsetenv("HOME");
  assert_read(NULL, NULL, false);
}

/* Passed over, as MLflow's client does. Root may read anything, so it steps down. */
static void test_not_ours_to_read(void **state) {
  (void)state;
  home_write("[mlflow]\nmlflow_tracking_username = ann\n");
  uid_t user = geteuid();
  assert_int_equal(chmod(home.folder, 0), 0);
  if (user == 0) assert_int_equal(seteuid(65534), 0);
  assert_read(NULL, NULL, false);
  if (user == 0) assert_int_equal(seteuid(user), 0);
  assert_int_equal(chmod(home.folder, 0700), 0);
}

static int scenario(void *context) {
  (void)context;
  mlf_credentials credentials = {0};
  mlf_error error = {0};
  int rc = mlf_credentials_read(&credentials, &error);
  if (rc == SQLITE_OK) assert_string_equal(credentials.password, "p");
  mlf_error_clear(&error);
  mlf_credentials_wipe(credentials.username);
  mlf_credentials_wipe(credentials.password);
  return rc;
}

static void test_without_memory(void **state) {
  (void)state;
  home_write("[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = p\n");
  assert_int_equal(oom_loop(scenario, NULL), 0);
}

int main(void) {
  oom_install();
  if (!home_make()) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_values, set_up),
      cmocka_unit_test_setup(test_refused, set_up),
      cmocka_unit_test_setup(test_size, set_up),
      cmocka_unit_test_setup(test_kinds, set_up),
      cmocka_unit_test_setup(test_not_ours_to_read, set_up),
      cmocka_unit_test_setup(test_without_memory, set_up),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  home_remove();
  return failed;
}
