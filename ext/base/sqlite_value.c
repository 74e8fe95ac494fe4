#include "base/sqlite_value.h"

#include <string.h>

int mlf_sqlite_value_read(sqlite3_value *from, mlf_value *to) {
  *to = (mlf_value){.type = MLF_NULL};
  switch (sqlite3_value_type(from)) {
  case SQLITE_INTEGER:
    to->type = MLF_INTEGER;
    to->integer = sqlite3_value_int64(from);
    return SQLITE_OK;
  case SQLITE_FLOAT:
    to->type = MLF_REAL;
    to->real = sqlite3_value_double(from);
    return SQLITE_OK;
  case SQLITE_TEXT:
    to->type = MLF_TEXT;
    to->text = (const char *)sqlite3_value_text(from);
    break;
  case SQLITE_BLOB:
    to->type = MLF_BLOB;
    to->text = sqlite3_value_blob(from);
    break;
  default: return SQLITE_OK;
  }
  /* After the text was asked for: only then is this its length in UTF-8. */
  to->length = (size_t)sqlite3_value_bytes(from);
  return to->text || (to->type == MLF_BLOB && to->length == 0) ? SQLITE_OK : SQLITE_NOMEM;
}

void mlf_sqlite_value_result(sqlite3_context *context, const mlf_value *value) {
  switch (value->type) {
  case MLF_NULL: sqlite3_result_null(context); break;
  case MLF_INTEGER: sqlite3_result_int64(context, value->integer); break;
  case MLF_REAL: sqlite3_result_double(context, value->real); break;
  case MLF_TEXT:
    sqlite3_result_text64(context, value->text, value->length, SQLITE_TRANSIENT, SQLITE_UTF8);
    break;
  case MLF_BLOB:
    if (value->length) {
      sqlite3_result_blob64(context, value->text, value->length, SQLITE_TRANSIENT);
    } else {
      sqlite3_result_zeroblob(context, 0);
    }
    break;
  }
}

void mlf_sqlite_value_give(sqlite3_context *context, mlf_value *value) {
  if (value->owned && value->type == MLF_TEXT) {
    char *text = (char *)(uintptr_t)value->text; /* ours, since it is owned */
    sqlite3_result_text64(context, text, value->length, sqlite3_free, SQLITE_UTF8);
    *value = (mlf_value){.type = MLF_NULL};
  } else {
    mlf_sqlite_value_result(context, value);
    mlf_value_clear(value);
  }
}

/* As the SQLite that runs writes it: its versions differ in how many digits that is. */
static char *sqlite_value_real_text(double real) {
  sqlite3 *db = NULL;
  sqlite3_stmt *cast = NULL;
  int rc = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL);
  if (rc == SQLITE_OK) sqlite3_set_authorizer(db, NULL, NULL); /* of an automatic extension */
  if (rc == SQLITE_OK) rc = sqlite3_prepare_v2(db, "SELECT CAST(?1 AS TEXT)", -1, &cast, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_bind_double(cast, 1, real);
  if (rc == SQLITE_OK) rc = sqlite3_step(cast);
  char *text = rc == SQLITE_ROW ? sqlite3_mprintf("%s", sqlite3_column_text(cast, 0)) : NULL;
  sqlite3_finalize(cast);
  sqlite3_close(db);
  return text;
}

int mlf_sqlite_value_as_text(mlf_value *value) {
  char *text = value->type == MLF_INTEGER ? sqlite3_mprintf("%lld", (sqlite3_int64)value->integer)
                                          : sqlite_value_real_text(value->real);
  if (!text) return SQLITE_NOMEM;
  *value = mlf_value_take(text, strlen(text));
  return SQLITE_OK;
}
