#include "remote/envelope.h"

#include <string.h>

#define ENVELOPE_TOKEN "next_page_token"

/* Of what a reply says that is not MLflow's, so much is quoted. */
#define ENVELOPE_NAME_BYTES_MAX    40
#define ENVELOPE_MESSAGE_BYTES_MAX 100

/* The reply holds something else. */
static int envelope_refuse(const mlf_json *json, const char *name, const mlf_json_node *other,
                           mlf_error *error) {
  const char *text = mlf_json_text(mlf_json_member(mlf_json_root(json), "message"));
  char *other_name = mlf_json_quote(json, mlf_json_name(other), ENVELOPE_NAME_BYTES_MAX);
  char *message = mlf_json_quote(json, text ? text : "", ENVELOPE_MESSAGE_BYTES_MAX);
  if (other_name && message)
    mlf_error_set(error, SQLITE_ERROR,
                  "the reply has no \"%s\" but \"%s\"%s%s%s; is this MLflow, or does a gateway "
                  "answer for it?",
                  name, other_name, text ? " (" : "", message, text ? ")" : "");
  else
    mlf_error_nomem(error);
  sqlite3_free(other_name);
  sqlite3_free(message);
  return error->code;
}

/* A member of the reply that has another name than this; NULL if there is none. */
static const mlf_json_node *envelope_other(const mlf_json *json, const char *name) {
  const mlf_json_node *each = mlf_json_first(mlf_json_root(json));
  while (each && strcmp(mlf_json_name(each), name) == 0)
    each = mlf_json_next(each);
  return each;
}

static int envelope_list(const mlf_json *json, const char *name, const mlf_json_node **list,
                         const char **token, mlf_error *error) {
  const mlf_json_node *root = mlf_json_root(json);
  const char *next = NULL;
  *list = NULL;
  if (token) *token = NULL;
  int rc = mlf_json_want_object(json, root, error);
  if (rc == SQLITE_OK) rc = mlf_json_get_array(json, root, name, list, error);
  if (rc == SQLITE_OK && token) rc = mlf_json_get_text(json, root, ENVELOPE_TOKEN, &next, error);
  if (rc == SQLITE_OK && mlf_json_member(root, "error_code"))
    return envelope_refuse(json, name, mlf_json_member(root, "error_code"), error);
  if (rc == SQLITE_OK && !mlf_json_member(root, name) && envelope_other(json, ENVELOPE_TOKEN))
    return envelope_refuse(json, name, envelope_other(json, ENVELOPE_TOKEN), error);
  const mlf_json_node *each = mlf_json_first(*list);
  for (; rc == SQLITE_OK && each; each = mlf_json_next(each))
    rc = mlf_json_want_object(json, each, error);
  if (token) *token = next && *next ? next : NULL;
  return rc;
}

int mlf_envelope_list(const mlf_json *json, const char *name, const mlf_json_node **list,
                      const char **token, mlf_error *error) {
  int rc = envelope_list(json, name, list, token, error);
  if (rc != SQLITE_OK) mlf_json_refuse(json, error);
  return rc;
}

static int envelope_object(const mlf_json *json, const char *name, const mlf_json_node **object,
                           mlf_error *error) {
  const mlf_json_node *root = mlf_json_root(json);
  *object = NULL;
  int rc = mlf_json_want_object(json, root, error);
  if (rc == SQLITE_OK) rc = mlf_json_get_object(json, root, name, object, error);
  if (rc != SQLITE_OK || *object) return rc;
  if (envelope_other(json, name))
    return envelope_refuse(json, name, envelope_other(json, name), error);
  return mlf_error_set(error, SQLITE_ERROR, "the reply has no \"%s\"", name);
}

int mlf_envelope_object(const mlf_json *json, const char *name, const mlf_json_node **object,
                        mlf_error *error) {
  int rc = envelope_object(json, name, object, error);
  if (rc != SQLITE_OK) mlf_json_refuse(json, error);
  return rc;
}
