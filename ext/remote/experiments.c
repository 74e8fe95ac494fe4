#include "remote/experiments.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "model/json_write.h"

#define EXPERIMENTS_SEARCH  "/api/2.0/mlflow/experiments/search"
#define EXPERIMENTS_BY_NAME "/api/2.0/mlflow/experiments/get-by-name"
#define EXPERIMENTS_BY_ID   "/api/2.0/mlflow/experiments/get"

#define EXPERIMENTS_PAGE_ROWS 1000

int mlf_experiments_page(mlf_client *client, mlf_budget *budget, bool active_only,
                         const char *token, mlf_json **page, mlf_error *error) {
  int status;
  *page = NULL;
  sqlite3_str *body = sqlite3_str_new(NULL);
  sqlite3_str_appendf(body, "{\"max_results\":%d,\"view_type\":\"%s\"", EXPERIMENTS_PAGE_ROWS,
                      active_only ? "ACTIVE_ONLY" : "ALL");
  if (token) {
    sqlite3_str_appendall(body, ",\"page_token\":");
    mlf_json_write_text(body, token, strlen(token));
  }
  sqlite3_str_appendchar(body, 1, '}');
  char *text = sqlite3_str_finish(body);
  if (!text) return mlf_error_nomem(error);
  mlf_request request = {.path = EXPERIMENTS_SEARCH,
                         .body = text,
                         .body_length = strlen(text),
                         .page_rows = EXPERIMENTS_PAGE_ROWS};
  int rc = mlf_client_fetch(client, budget, &request, page, &status, error);
  sqlite3_free(text);
  return rc;
}

const mlf_json_node *mlf_experiments_first(const mlf_json *page) {
  return mlf_json_first(mlf_json_member(mlf_json_root(page), "experiments"));
}

const char *mlf_experiments_token(const mlf_json *page) {
  const char *token = mlf_json_text(mlf_json_member(mlf_json_root(page), "next_page_token"));
  return token && *token ? token : NULL;
}

static bool experiment_is_number(const char *text) {
  return *text && strlen(text) <= 18 && text[strspn(text, "0123456789")] == 0;
}

/* Asks for one experiment. `*id` stays NULL if the server has none such. */
static int experiment_get(mlf_client *client, mlf_budget *budget, const char *path,
                          const char *parameter, const char *value, char **id, char **name,
                          mlf_error *error) {
  mlf_json *reply = NULL;
  mlf_error refused = {0};
  int status = 0;
  mlf_http_parameter parameters = {parameter, value};
  mlf_request request = {.path = path, .parameters = &parameters, .parameter_count = 1};
  int rc = mlf_client_fetch(client, budget, &request, &reply, &status, &refused);
  if (rc == SQLITE_NOTFOUND) {
    rc = SQLITE_OK;
  } else if (rc != SQLITE_OK) {
    mlf_error_set(error, rc, "%s", refused.text ? refused.text : "");
  } else {
    const mlf_json_node *found = mlf_json_member(mlf_json_root(reply), "experiment");
    const char *its_id = mlf_json_text(mlf_json_member(found, "experiment_id"));
    const char *its_name = mlf_json_text(mlf_json_member(found, "name"));
    if (!its_id || !its_name) {
      rc = mlf_error_set(error, SQLITE_ERROR, "GET %s: the reply holds no experiment", path);
    } else {
      *id = sqlite3_mprintf("%s", its_id);
      *name = sqlite3_mprintf("%s", its_name);
      if (!*id || !*name) rc = mlf_error_nomem(error);
    }
  }
  mlf_error_clear(&refused);
  mlf_json_free(reply);
  return rc;
}

int mlf_experiment_find(mlf_client *client, mlf_budget *budget, const char *name_or_id, char **id,
                        char **name, mlf_error *error) {
  *id = *name = NULL;
  int rc = experiment_get(client, budget, EXPERIMENTS_BY_NAME, "experiment_name", name_or_id, id,
                          name, error);
  if (rc == SQLITE_OK && !*id && experiment_is_number(name_or_id)) {
    rc = experiment_get(client, budget, EXPERIMENTS_BY_ID, "experiment_id", name_or_id, id, name,
                        error);
  }
  if (rc == SQLITE_OK && !*id) {
    rc = mlf_error_set(error, SQLITE_ERROR,
                       "no experiment has the name or id '%s'; SELECT name FROM "
                       "mlflow_experiments lists those there are",
                       name_or_id);
  }
  return rc;
}
