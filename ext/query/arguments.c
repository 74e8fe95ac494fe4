#include "query/arguments.h"

#include <string.h>

#include "base/limits.h"
#include "base/sqlite_api.h"

#define ARGUMENTS_EXPECTED                                                                         \
  "expected experiment = '…', experiments = '…, …', pushdown = off, or a column as "         \
  "tags.key, metadata.\"key\" or feedback.key, each with AS name if wished"

static const char *arguments_expected(const mlf_schema *schema) {
  return schema->experiments_only ? "the table takes experiment = '…' or experiments = '…, …' alone"
                                  : ARGUMENTS_EXPECTED;
}

/* One word of an argument. */
typedef struct arguments_word {
  char *text;  /* owned; without quotes */
  char quote;  /* ', ", ` or [; 0 if bare */
  bool symbol; /* = or . */
} arguments_word;

#define ARGUMENTS_WORDS_MAX 6

typedef struct arguments_words {
  arguments_word words[ARGUMENTS_WORDS_MAX];
  int count;
} arguments_words;

static void arguments_clear_words(arguments_words *words) {
  for (int i = 0; i < words->count; i++)
    sqlite3_free(words->words[i].text);
  memset(words, 0, sizeof(*words));
}

/* Not <ctype.h>: in some locales its blanks are parts of UTF-8 characters. */
static bool arguments_is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool arguments_is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || c == '-' || (unsigned char)c >= 0x80;
}

/* Copies a quoted word, a doubled closing quote standing for itself. NULL in `*text` and
** SQLITE_ERROR if it does not end. */
static int arguments_quoted(const char **at, char **text) {
  char close = **at == '[' ? ']' : **at;
  sqlite3_str *out = sqlite3_str_new(NULL);
  for (++*at; **at; ++*at) {
    if (**at == close) {
      ++*at;
      if (close == ']' || **at != close) {
        int rc = sqlite3_str_errcode(out);
        *text = sqlite3_str_finish(out);
        if (rc == SQLITE_OK && !*text) *text = sqlite3_mprintf("");
        return *text ? SQLITE_OK : SQLITE_NOMEM;
      }
    }
    sqlite3_str_appendchar(out, 1, **at);
  }
  sqlite3_free(sqlite3_str_finish(out));
  return SQLITE_ERROR;
}

/* Reads the next word. SQLITE_DONE at the end, SQLITE_ERROR for what is no word. */
static int arguments_next_word(const char **at, arguments_word *word) {
  memset(word, 0, sizeof(*word));
  while (arguments_is_blank(**at))
    ++*at;
  if (!**at) return SQLITE_DONE;
  if (strchr("'\"`[", **at)) {
    word->quote = **at;
    return arguments_quoted(at, &word->text);
  }
  size_t length = 0;
  if (**at == '=' || **at == '.') {
    word->symbol = true;
    length = 1;
  }
  while (!word->symbol && arguments_is_bare((*at)[length]))
    length++;
  if (length == 0) return SQLITE_ERROR;
  word->text = sqlite3_mprintf("%.*s", (int)length, *at);
  *at += length;
  return word->text ? SQLITE_OK : SQLITE_NOMEM;
}

static int arguments_split(const char *text, arguments_words *words) {
  memset(words, 0, sizeof(*words));
  for (;;) {
    arguments_word word;
    int rc = arguments_next_word(&text, &word);
    if (rc == SQLITE_DONE) return SQLITE_OK;
    if (rc == SQLITE_OK && words->count == ARGUMENTS_WORDS_MAX) {
      sqlite3_free(word.text);
      rc = SQLITE_ERROR;
    }
    if (rc != SQLITE_OK) return rc;
    words->words[words->count++] = word;
  }
}

static bool arguments_is_symbol(const arguments_word *word, char symbol) {
  return word->symbol && word->text[0] == symbol;
}

static bool arguments_is_keyword(const arguments_word *word, const char *keyword) {
  return !word->quote && !word->symbol && sqlite3_stricmp(word->text, keyword) == 0;
}

/* Adds an experiment; an empty one is an error. */
static int arguments_add(mlf_arguments *arguments, const char *text, size_t length,
                         const char *table, mlf_error *error) {
  if (length == 0)
    return mlf_error_set(error, SQLITE_ERROR, "%s: an experiment's name is empty", table);
  if (arguments->experiment_count == MLF_EXPERIMENTS_MAX) {
    return mlf_error_set(error, SQLITE_ERROR, "%s: more than %d experiments", table,
                         MLF_EXPERIMENTS_MAX);
  }
  sqlite3_uint64 count = (sqlite3_uint64)arguments->experiment_count + 1;
  char **grown = sqlite3_realloc64(arguments->experiments, count * sizeof(*grown));
  if (!grown) return mlf_error_nomem(error);
  arguments->experiments = grown;
  grown[arguments->experiment_count] = sqlite3_mprintf("%.*s", (int)length, text);
  if (!grown[arguments->experiment_count]) return mlf_error_nomem(error);
  arguments->experiment_count++;
  return SQLITE_OK;
}

/* Adds those in a list, without the blanks around them. */
static int arguments_add_list(mlf_arguments *arguments, const char *text, const char *table,
                              mlf_error *error) {
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK) {
    while (arguments_is_blank(*text))
      text++;
    const char *end = text + strcspn(text, ",");
    size_t length = (size_t)(end - text);
    while (length && arguments_is_blank(text[length - 1]))
      length--;
    rc = arguments_add(arguments, text, length, table, error);
    if (!*end) break;
    text = end + 1;
  }
  return rc;
}

static int arguments_unknown(const mlf_schema *schema, const char *text, mlf_error *error) {
  return mlf_error_set(error, SQLITE_ERROR, "%s: unknown argument \"%s\"; %s", schema->table, text,
                       arguments_expected(schema));
}

static int arguments_read_pushdown(const arguments_word *value, const char *table,
                                   mlf_arguments *arguments, mlf_error *error) {
  bool on = sqlite3_stricmp(value->text, "on") == 0;
  if (!on && sqlite3_stricmp(value->text, "off") != 0) {
    return mlf_error_set(error, SQLITE_ERROR, "%s: pushdown is '%s'; expected on or off", table,
                         value->text);
  }
  arguments->pushdown = on;
  return SQLITE_OK;
}

/* NAME = VALUE. */
static int arguments_read_setting(const arguments_words *words, const char *text,
                                  const mlf_schema *schema, mlf_arguments *arguments,
                                  mlf_error *error) {
  const arguments_word *name = &words->words[0];
  const arguments_word *value = &words->words[2];
  bool one = arguments_is_keyword(name, "experiment");
  if (one || arguments_is_keyword(name, "experiments")) {
    if (arguments->experiment_count > 0) {
      return mlf_error_set(error, SQLITE_ERROR,
                           "%s: the experiments are given twice; use experiments = '…, …'",
                           schema->table);
    }
    if (one)
      return arguments_add(arguments, value->text, strlen(value->text), schema->table, error);
    return arguments_add_list(arguments, value->text, schema->table, error);
  }
  if (arguments_is_keyword(name, "pushdown") && !schema->experiments_only)
    return arguments_read_pushdown(value, schema->table, arguments, error);
  static const char *const servers[] = {"uri",
                                        "url",
                                        "host",
                                        "port",
                                        "server",
                                        "token",
                                        "api_key",
                                        "password",
                                        "username",
                                        "tracking_uri",
                                        "tracking_token",
                                        "MLFLOW_TRACKING_URI",
                                        "MLFLOW_TRACKING_TOKEN"};
  for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
    if (arguments_is_keyword(name, servers[i])) {
      return mlf_error_set(error, SQLITE_ERROR,
                           "%s: no argument names a server or a secret: set MLFLOW_TRACKING_URI "
                           "and MLFLOW_TRACKING_TOKEN in the environment",
                           schema->table);
    }
  }
  return arguments_unknown(schema, text, error);
}

/* PREFIX . KEY [AS NAME]. */
static int arguments_read_column(arguments_words *words, const char *text, mlf_schema *schema,
                                 mlf_error *error) {
  static const char *const prefixes[] = {"tags", "metadata", "feedback"};
  const char *prefix = NULL;
  for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
    if (arguments_is_keyword(&words->words[0], prefixes[i])) prefix = prefixes[i];
  }
  const arguments_word *key = &words->words[2];
  const arguments_word *name = &words->words[4];
  bool renamed = words->count == 5 && arguments_is_keyword(&words->words[3], "AS") &&
                 !name->symbol && *name->text;
  if (!prefix || schema->experiments_only || key->symbol || !*key->text ||
      (words->count != 3 && !renamed)) {
    return arguments_unknown(schema, text, error);
  }
  if (schema->string_count / 2 >= MLF_DECLARED_COLUMNS_MAX) {
    return mlf_error_set(error, SQLITE_ERROR, "%s: more than %d columns", schema->table,
                         MLF_DECLARED_COLUMNS_MAX);
  }
  return mlf_schema_declare(schema, prefix, key->text, renamed ? name->text : NULL, error);
}

static int arguments_read_one(const char *text, mlf_schema *schema, mlf_arguments *arguments,
                              mlf_error *error) {
  arguments_words words;
  int rc = arguments_split(text, &words);
  if (rc == SQLITE_NOMEM) {
    mlf_error_nomem(error);
  } else if (rc == SQLITE_OK && words.count == 3 && arguments_is_symbol(&words.words[1], '=') &&
             !words.words[2].symbol) {
    rc = arguments_read_setting(&words, text, schema, arguments, error);
  } else if (rc == SQLITE_OK && words.count >= 3 && arguments_is_symbol(&words.words[1], '.')) {
    rc = arguments_read_column(&words, text, schema, error);
  } else {
    rc = mlf_error_set(error, SQLITE_ERROR, "%s: cannot read the argument \"%s\"; %s",
                       schema->table, text, arguments_expected(schema));
  }
  arguments_clear_words(&words);
  return rc;
}

int mlf_arguments_read(const char *const *texts, int count, mlf_schema *schema,
                       mlf_arguments *arguments, mlf_error *error) {
  int rc = SQLITE_OK;
  memset(arguments, 0, sizeof(*arguments));
  arguments->pushdown = true;
  for (int i = 0; rc == SQLITE_OK && i < count; i++)
    rc = arguments_read_one(texts[i], schema, arguments, error);
  return rc;
}

void mlf_arguments_clear(mlf_arguments *arguments) {
  for (int i = 0; i < arguments->experiment_count; i++)
    sqlite3_free(arguments->experiments[i]);
  sqlite3_free(arguments->experiments);
  memset(arguments, 0, sizeof(*arguments));
}
