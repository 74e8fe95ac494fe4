#include "remote/experiments.h"

#include <string.h>

#include "base/json_string.h"
#include "base/sqlite_api.h"
#include "remote/envelope.h"

#define EXPERIMENTS_SEARCH  "/api/2.0/mlflow/experiments/search"
#define EXPERIMENTS_BY_NAME "/api/2.0/mlflow/experiments/get-by-name"
#define EXPERIMENTS_BY_ID   "/api/2.0/mlflow/experiments/get"

/* So many that nearly every server sends all at once; it takes up to 50000. A token is a number of
** rows to leave out, and what is created or deleted between two pages shifts the rows. */
#define EXPERIMENTS_PAGE_ROWS 5000

/* Whether the reply asks to come again with the token that it answers. */
static bool experiments_is_circle(const char *token, const mlf_experiments *page) {
  return token && page->token && strcmp(token, page->token) == 0;
}

int mlf_experiments_page(mlf_client *client, mlf_budget *budget, bool active_only,
                         const char *token, mlf_experiments *page, mlf_error *error) {
  mlf_error cause = {0};
  int status;
  *page = (mlf_experiments){0};
  sqlite3_str *body = sqlite3_str_new(NULL);
  sqlite3_str_appendf(body, "{\"max_results\":%d,\"view_type\":\"%s\"", EXPERIMENTS_PAGE_ROWS,
                      active_only ? "ACTIVE_ONLY" : "ALL");
  if (token) {
    sqlite3_str_appendall(body, ",\"page_token\":");
    mlf_json_string_write(body, token, strlen(token));
  }
  sqlite3_str_appendchar(body, 1, '}');
  char *text = sqlite3_str_finish(body);
  if (!text) return mlf_error_nomem(error);
  mlf_request request = {.path = EXPERIMENTS_SEARCH,
                         .body = text,
                         .body_length = strlen(text),
                         .page_rows = EXPERIMENTS_PAGE_ROWS};
  int rc = mlf_client_fetch(client, budget, &request, &page->json, &status, error);
  sqlite3_free(text);
  if (rc != SQLITE_OK) return rc;
  const mlf_json_node *list;
  rc = mlf_envelope_list(page->json, "experiments", &list, &page->token, &cause);
  page->next = mlf_json_first(list);
  if (rc == SQLITE_OK && experiments_is_circle(token, page))
    rc = mlf_error_set(&cause, SQLITE_ERROR,
                       "the server gives the same page token again, so the list has no end");
  return rc == SQLITE_OK ? rc : mlf_error_wrap(error, "POST " EXPERIMENTS_SEARCH, &cause);
}

int mlf_experiment_name(const mlf_json *json, const mlf_json_node *experiment, const char **id,
                        const char **name, mlf_error *error) {
  int rc = mlf_json_get_text(json, experiment, "experiment_id", id, error);
  if (rc == SQLITE_OK) rc = mlf_json_get_text(json, experiment, "name", name, error);
  if (rc == SQLITE_OK && (!*id || !*name))
    rc = mlf_json_misshapen(json, experiment, "an experiment with an id and a name", error);
  return rc;
}

void mlf_experiments_clear(mlf_experiments *page) {
  mlf_json_free(page->json);
  *page = (mlf_experiments){0};
}

static bool experiment_is_number(const char *text) {
  return *text && strlen(text) <= 18 && text[strspn(text, "0123456789")] == 0;
}

/* Reads the reply that brings one experiment. */
static int experiment_read(const mlf_json *reply, char **id, char **name, mlf_error *error) {
  const mlf_json_node *found;
  const char *its_id, *its_name;
  int rc = mlf_envelope_object(reply, "experiment", &found, error);
  if (rc == SQLITE_OK) rc = mlf_experiment_name(reply, found, &its_id, &its_name, error);
  if (rc != SQLITE_OK) return rc;
  *id = sqlite3_mprintf("%s", its_id);
  *name = sqlite3_mprintf("%s", its_name);
  return *id && *name ? rc : mlf_error_nomem(error);
}

/* Asks for one experiment. `*id` stays NULL if the server has none such. */
static int experiment_get(mlf_client *client, mlf_budget *budget, const char *path,
                          const char *request_text, const char *parameter, const char *value,
                          char **id, char **name, mlf_error *error) {
  mlf_json *reply = NULL;
  mlf_error cause = {0};
  int status = 0;
  mlf_http_parameter parameters = {parameter, value};
  mlf_request request = {.path = path, .parameters = &parameters, .parameter_count = 1};
  int rc = mlf_client_fetch(client, budget, &request, &reply, &status, &cause);
  if (rc == SQLITE_NOTFOUND) {
    mlf_error_clear(&cause);
    return SQLITE_OK;
  }
  if (rc != SQLITE_OK) return mlf_error_move(error, &cause);
  rc = experiment_read(reply, id, name, &cause);
  if (rc != SQLITE_OK) mlf_json_refuse(reply, &cause);
  mlf_json_free(reply);
  return rc == SQLITE_OK ? rc : mlf_error_wrap(error, request_text, &cause);
}

int mlf_experiment_find(mlf_client *client, mlf_budget *budget, mlf_experiment_by by,
                        const char *asked, char **id, char **name, mlf_error *error) {
  int rc = SQLITE_OK;
  *id = *name = NULL;
  if (by == MLF_EXPERIMENT_BY_NAME)
    rc = experiment_get(client, budget, EXPERIMENTS_BY_NAME, "GET " EXPERIMENTS_BY_NAME,
                        "experiment_name", asked, id, name, error);
  if (rc == SQLITE_OK && !*id && experiment_is_number(asked))
    rc = experiment_get(client, budget, EXPERIMENTS_BY_ID, "GET " EXPERIMENTS_BY_ID,
                        "experiment_id", asked, id, name, error);
  if (rc != SQLITE_OK || *id) return rc;
  return mlf_error_set(error, SQLITE_NOTFOUND,
                       "no experiment has the %s '%s'; SELECT experiment_id, name FROM "
                       "mlflow_experiments lists those there are",
                       by == MLF_EXPERIMENT_BY_ID ? "id" : "name or id", asked);
}
