/* test_experiments.c: remote/experiments.h against a scripted server. */
#include "remote/experiments.h"

#include <stdio.h>

#include "hostile.h"
#include "oom.h"

#define BY_NAME "/mlflow/experiments/get-by-name"
#define BY_ID   "/mlflow/experiments/get"
#define NONE    "status 404 body='{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\",\"message\":\"none\"}'"
#define AGENT   "ok body='{\"experiment\":{\"experiment_id\":\"7\",\"name\":\"agent\"}}'"

static hostile server;

static int never(void *context) {
  (void)context;
  return SQLITE_OK;
}

typedef struct find_case {
  const char *by_name; /* what the server answers */
  const char *by_id;
  mlf_experiment_by by;
  const char *asked;
  const char *found; /* "id name", or part of the error's text */
  int code;
  int requests;
} find_case;

static int find(void *context) {
  const find_case *it = context;
  char *id = NULL, *name = NULL, shown[64];
  mlf_client *caller = NULL;
  mlf_budget budget;
  mlf_error error = {0};
  int rc = mlf_client_new((mlf_interrupt){.ask = never}, &caller);
  if (rc == SQLITE_OK) rc = mlf_client_budget(caller, &budget, &error);
  if (rc == SQLITE_OK)
    rc = mlf_experiment_find(caller, &budget, it->by, it->asked, &id, &name, &error);
  if (rc == SQLITE_OK) {
    snprintf(shown, sizeof(shown), "%s %s", id, name);
    assert_string_equal(shown, it->found);
  } else if (rc == it->code) {
    assert_contains(error.text, it->found);
  }
  if (rc == it->code) rc = SQLITE_OK;
  sqlite3_free(id);
  sqlite3_free(name);
  mlf_error_clear(&error);
  mlf_client_free(caller);
  return rc;
}

static void experiments_are_found_by_name_or_id(void **state) {
  (void)state;
  find_case cases[] = {
      {AGENT, NONE, MLF_EXPERIMENT_BY_NAME, "agent", "7 agent", SQLITE_OK, 1},
      {NONE, AGENT, MLF_EXPERIMENT_BY_NAME, "7", "7 agent", SQLITE_OK, 2},
      {AGENT, AGENT, MLF_EXPERIMENT_BY_ID, "7", "7 agent", SQLITE_OK, 1},
      {NONE, NONE, MLF_EXPERIMENT_BY_NAME, "7", "no experiment has the name or id '7'",
       SQLITE_NOTFOUND, 2},
      {NONE, AGENT, MLF_EXPERIMENT_BY_NAME, "agent", "the name or id 'agent'", SQLITE_NOTFOUND, 1},
      {AGENT, NONE, MLF_EXPERIMENT_BY_ID, "7", "no experiment has the id '7'", SQLITE_NOTFOUND, 1},
      {AGENT, AGENT, MLF_EXPERIMENT_BY_ID, "agent", "the id 'agent'", SQLITE_NOTFOUND, 0},
      {AGENT, AGENT, MLF_EXPERIMENT_BY_ID, "", "the id ''", SQLITE_NOTFOUND, 0},
      {AGENT, AGENT, MLF_EXPERIMENT_BY_ID, "7a", "the id '7a'", SQLITE_NOTFOUND, 0},
      {AGENT, AGENT, MLF_EXPERIMENT_BY_ID, "123456789012345678", "7 agent", SQLITE_OK, 1},
      {AGENT, AGENT, MLF_EXPERIMENT_BY_ID, "1234567890123456789", "the id '1", SQLITE_NOTFOUND, 0},
      {"status 403", AGENT, MLF_EXPERIMENT_BY_NAME, "7", "GET ", SQLITE_ERROR, 1},
      {"ok body='{\"experiment\":{\"experiment_id\":\"7\"}}'", NONE, MLF_EXPERIMENT_BY_NAME, "a",
       "an experiment with an id and a name", SQLITE_ERROR, 1},
      {"ok body='{\"experiment\":{\"name\":\"a\"}}'", NONE, MLF_EXPERIMENT_BY_NAME, "a",
       "an experiment with an id and a name", SQLITE_ERROR, 1},
      {"ok body='{\"experiment\":{\"experiment_id\":7,\"name\":\"a\"}}'", NONE,
       MLF_EXPERIMENT_BY_NAME, "a", "experiment_id is a number", SQLITE_ERROR, 1},
      {"ok body='{\"experiment\":[]}'", NONE, MLF_EXPERIMENT_BY_NAME, "a", "experiment is an array",
       SQLITE_ERROR, 1},
      {"ok", NONE, MLF_EXPERIMENT_BY_NAME, "a", "GET /api/2.0" BY_NAME, SQLITE_ERROR, 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    hostile_play(&server, "status 500");
    hostile_tell(&server, "route " BY_NAME " %s", cases[i].by_name);
    hostile_tell(&server, "route " BY_ID " %s", cases[i].by_id);
    if (find(&cases[i]) != SQLITE_OK) fail_msg("case %d", (int)i);
    assert_int_equal(hostile_count(&server, "requests"), cases[i].requests);
  }
  hostile_play(&server, AGENT);
  oom_loop(find, &cases[0]);
}

static void pages_of_experiments_are_read(void **state) {
  mlf_client *caller;
  mlf_budget budget;
  mlf_experiments page;
  mlf_error error = {0};
  const char *id, *name;
  (void)state;
  hostile_play(&server,
               "ok body='{\"experiments\":[{\"experiment_id\":\"7\",\"name\":\"agent\"}],"
               "\"next_page_token\":\"x\"}' ; ok body='{}' ; ok body='{\"experiments\":7}' ; "
               "ok body='{\"next_page_token\":\"x\"}'");
  assert_int_equal(mlf_client_new((mlf_interrupt){.ask = never}, &caller), SQLITE_OK);
  assert_int_equal(mlf_client_budget(caller, &budget, &error), SQLITE_OK);
  assert_int_equal(mlf_experiments_page(caller, &budget, true, NULL, &page, &error), SQLITE_OK);
  assert_int_equal(mlf_experiment_name(page.json, page.next, &id, &name, &error), SQLITE_OK);
  assert_string_equal(id, "7");
  assert_string_equal(name, "agent");
  assert_null(mlf_json_next(page.next));
  assert_string_equal(page.token, "x");
  mlf_experiments second;
  assert_int_equal(mlf_experiments_page(caller, &budget, false, page.token, &second, &error),
                   SQLITE_OK);
  assert_null(second.next);
  assert_null(second.token);
  mlf_experiments_clear(&second);
  mlf_experiments_clear(&page);
  assert_int_equal(mlf_experiments_page(caller, &budget, true, NULL, &page, &error), SQLITE_ERROR);
  assert_contains(error.text, "experiments is a number");
  mlf_experiments_clear(&page);
  mlf_error_clear(&error);
  assert_int_equal(mlf_experiments_page(caller, &budget, true, "x", &page, &error), SQLITE_ERROR);
  assert_contains(error.text, "experiments/search: the server gives the same page token again");
  mlf_experiments_clear(&page);
  mlf_error_clear(&error);
  assert_contains(hostile_tell(&server, "request 0"), "\"ACTIVE_ONLY\"");
  assert_null(strstr(server.answer, "page_token"));
  assert_contains(hostile_tell(&server, "request 1"), "\"page_token\":\"x\"");
  assert_contains(server.answer, "\"ALL\"");
  mlf_client_free(caller);
}

static int start_server(void **state) {
  (void)state;
  hostile_start_mlflow(&server);
  setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0", 1);
  return 0;
}

static int stop_server(void **state) {
  (void)state;
  hostile_stop(&server);
  return 0;
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(experiments_are_found_by_name_or_id),
      cmocka_unit_test(pages_of_experiments_are_read),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
