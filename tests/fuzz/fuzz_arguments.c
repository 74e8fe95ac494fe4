/* fuzz_arguments.c: the reader of arguments against SQLite's own reading of names and texts.
**
** The input is arguments, one a line.
**
**   (1) It is taken, or refused with one line of text; the limits hold.
**   (2) Experiments are not empty, and several have no blanks around them; an error is UTF-8 if
**       the input is.
**   (3) SQLite takes the declaration of the columns, and its names are theirs.
**   (4) What was read can be written, quoted as SQL does, and read again: the same comes back.
*/
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/sqlite_api.h"
#include "base/utf8.h"
#include "query/arguments.h"

#define ARGUMENTS_MAX 250

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void arguments_require(bool truth) {
  if (!truth) abort();
}

typedef struct arguments_result {
  mlf_schema schema;
  mlf_arguments arguments;
  int first; /* index of the first declared column */
  int rc;
} arguments_result;

static void arguments_read_all(char *const *texts, int count, bool valid,
                               arguments_result *result) {
  mlf_error error = {0};
  arguments_require(mlf_schema_init_traces(&result->schema) == SQLITE_OK);
  result->first = result->schema.column_count;
  result->rc = mlf_arguments_read((const char *const *)texts, count, &result->schema,
                                  &result->arguments, &error);
  arguments_require(result->rc == SQLITE_OK || result->rc == SQLITE_ERROR);
  arguments_require(result->rc == error.code && (error.text != NULL) == (result->rc != SQLITE_OK));
  if (error.text) {
    arguments_require(!strchr(error.text, '\n') && strlen(error.text) <= MLF_ERROR_BYTES_MAX);
    if (valid) arguments_require(mlf_utf8_is_text(error.text, strlen(error.text)));
  }
  arguments_require(result->arguments.experiment_count <= MLF_EXPERIMENTS_MAX);
  arguments_require(result->schema.column_count <= result->first + MLF_DECLARED_COLUMNS_MAX);
  mlf_error_clear(&error);
}

static void arguments_clear_result(arguments_result *result) {
  mlf_arguments_clear(&result->arguments);
  mlf_schema_clear(&result->schema);
}

static void arguments_check_declaration(const mlf_schema *schema) {
  sqlite3 *db;
  sqlite3_stmt *statement;
  char *text = mlf_schema_declaration(schema);
  arguments_require(sqlite3_open(":memory:", &db) == SQLITE_OK);
  arguments_require(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
  arguments_require(sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_info('x') ORDER BY cid",
                                       -1, &statement, NULL) == SQLITE_OK);
  for (int i = 0; i < schema->column_count; i++) {
    arguments_require(sqlite3_step(statement) == SQLITE_ROW);
    arguments_require(
        strcmp((const char *)sqlite3_column_text(statement, 0), schema->columns[i].name) == 0);
  }
  arguments_require(sqlite3_step(statement) == SQLITE_DONE);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  sqlite3_free(text);
}

/* The arguments that make this result, as one would write them. Returns how many. */
static int arguments_write(const arguments_result *result, char **texts) {
  int count = 0;
  const mlf_arguments *arguments = &result->arguments;
  for (int i = result->first; i < result->schema.column_count; i++) {
    static const char *const prefixes[] = {
        [MLF_KEY_TAG] = "tags", [MLF_KEY_METADATA] = "metadata", [MLF_KEY_FEEDBACK] = "feedback"};
    const mlf_column *column = &result->schema.columns[i];
    texts[count++] =
        sqlite3_mprintf("%s.\"%w\"AS\"%w\"", prefixes[column->key_kind], column->key, column->name);
  }
  if (!arguments->pushdown) texts[count++] = sqlite3_mprintf("PUSHDOWN=OFF");
  sqlite3_str *list = sqlite3_str_new(NULL);
  for (int i = 0; i < arguments->experiment_count; i++)
    sqlite3_str_appendf(list, "%s%q", i ? " , " : "", arguments->experiments[i]);
  if (arguments->experiment_count == 1)
    texts[count++] = sqlite3_mprintf("experiment='%s'", sqlite3_str_value(list));
  else if (arguments->experiment_count > 1)
    texts[count++] = sqlite3_mprintf("experiments='%s'", sqlite3_str_value(list));
  sqlite3_free(sqlite3_str_finish(list));
  return count;
}

static void arguments_check(const arguments_result *result) {
  char *texts[MLF_DECLARED_COLUMNS_MAX + 2];
  arguments_result again;
  for (int i = 0; i < result->arguments.experiment_count; i++) {
    const char *name = result->arguments.experiments[i];
    arguments_require(*name != 0);
    if (result->arguments.experiment_count == 1) continue;
    arguments_require(!strchr(" \t\n\v\f\r", *name));
    arguments_require(!strchr(" \t\n\v\f\r", name[strlen(name) - 1]));
  }
  arguments_check_declaration(&result->schema);
  int count = arguments_write(result, texts);
  arguments_read_all(texts, count, false, &again);
  arguments_require(again.rc == SQLITE_OK);
  arguments_require(again.arguments.pushdown == result->arguments.pushdown);
  arguments_require(again.arguments.experiment_count == result->arguments.experiment_count);
  for (int i = 0; i < result->arguments.experiment_count; i++)
    arguments_require(strcmp(again.arguments.experiments[i], result->arguments.experiments[i]) ==
                      0);
  arguments_require(again.schema.column_count == result->schema.column_count);
  for (int i = result->first; i < result->schema.column_count; i++) {
    const mlf_column *a = &result->schema.columns[i], *b = &again.schema.columns[i];
    arguments_require(strcmp(a->name, b->name) == 0 && strcmp(a->key, b->key) == 0);
    arguments_require(a->key_kind == b->key_kind && a->source == b->source && a->type == b->type);
  }
  arguments_clear_result(&again);
  for (int i = 0; i < count; i++)
    sqlite3_free(texts[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *texts[ARGUMENTS_MAX];
  int count = 0;
  char *input = sqlite3_mprintf("%.*s", (int)size, (const char *)data);
  for (char *at = input; at && count < ARGUMENTS_MAX;) {
    texts[count++] = at;
    at = strchr(at, '\n');
    if (at) *at++ = 0;
  }
  arguments_result result;
  arguments_read_all(texts, count, mlf_utf8_is_text((const char *)data, size), &result);
  if (result.rc == SQLITE_OK) arguments_check(&result);
  arguments_clear_result(&result);
  sqlite3_free(input);
  return 0;
}
