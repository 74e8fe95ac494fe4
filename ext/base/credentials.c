#include "base/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sqlite_api.h"

#define CREDENTIALS_FILE   "~/.mlflow/credentials"
#define CREDENTIALS_BLANKS " \t\r\f\v"

char *mlf_credentials_copy(const char *secret) {
  size_t size = strlen(secret) + 1;
  char *copy = sqlite3_malloc64(size);
  if (copy) memcpy(copy, secret, size);
  return copy;
}

void mlf_credentials_wipe(char *secret) {
  if (secret) explicit_bzero(secret, strlen(secret));
  sqlite3_free(secret);
}

static int credentials_refuse(const char *why, mlf_error *error) {
  return mlf_error_set(error, SQLITE_ERROR, "%s %s", CREDENTIALS_FILE, why);
}

/* Opens the file for reading. *fd stays -1 if there is none for us. */
static int credentials_open(int *fd, mlf_error *error) {
  const char *home = getenv("HOME");
  if (!home || !*home) return SQLITE_OK;
  char *path = sqlite3_mprintf("%s/.mlflow/credentials", home);
  if (!path) return mlf_error_nomem(error);
  /* O_NONBLOCK: what turns out to be a named pipe must not stop us before fstat tells. */
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  int fault = *fd < 0 ? errno : 0;
  sqlite3_free(path);
  if (fault == 0 || fault == ENOENT || fault == ENOTDIR || fault == EACCES) return SQLITE_OK;
  return credentials_refuse("cannot be opened", error);
}

/* Reads all of `fd` into a NUL-terminated text, which the caller wipes. */
static int credentials_load(int fd, mlf_credentials *out, char **text, mlf_error *error) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    return credentials_refuse("is not a regular file", error);
  out->readable_by_others = (status.st_mode & (S_IRGRP | S_IROTH)) != 0;

  char *bytes = *text = sqlite3_malloc64(MLF_CREDENTIALS_BYTES_MAX + 1);
  if (!bytes) return mlf_error_nomem(error);
  size_t length = 0;
  ssize_t got;
  do {
    got = read(fd, bytes + length, MLF_CREDENTIALS_BYTES_MAX + 1 - length);
    if (got > 0) length += (size_t)got;
  } while (length <= MLF_CREDENTIALS_BYTES_MAX && (got > 0 || (got < 0 && errno == EINTR)));
  bytes[length <= MLF_CREDENTIALS_BYTES_MAX ? length : 0] = 0;
  if (got < 0) return credentials_refuse("cannot be read", error);
  if (length > MLF_CREDENTIALS_BYTES_MAX)
    return credentials_refuse("has more than MLF_CREDENTIALS_BYTES_MAX (65536) bytes", error);
  if (memchr(bytes, 0, length)) return credentials_refuse("is not a text file", error);
  return SQLITE_OK;
}

/* `%%` to `%`, in place. False for any other percent sign. */
static bool credentials_unescape(char *value) {
  char *to = value;
  for (const char *at = value; *at; at++) {
    if (*at == '%' && *++at != '%') return false;
    *to++ = *at;
  }
  *to = 0;
  return true;
}

typedef struct credentials_parser {
  mlf_credentials *out;
  bool in_section; /* a [section] was seen */
  bool in_mlflow;  /* it is [mlflow] */
  bool mlflow_seen;
  bool after_option; /* an indented line would continue the line before */
  size_t option_indent;
  char **target; /* where the option before goes; NULL if it is not ours */
} credentials_parser;

static const char *credentials_parse_section(credentials_parser *parser, char *line) {
  char *close = strrchr(line, ']');
  if (!close || close == line + 1) return "is no [section]";
  *close = 0;
  parser->in_section = true;
  parser->after_option = false;
  parser->in_mlflow = strcmp(line + 1, "mlflow") == 0;
  if (parser->in_mlflow && parser->mlflow_seen) return "begins [mlflow] a second time";
  if (parser->in_mlflow) parser->mlflow_seen = true;
  return NULL;
}

/* `key = value`; `line` is stripped. Returns NULL, what is wrong, or "" if memory is out. */
static const char *credentials_parse_option(credentials_parser *parser, char *line) {
  parser->after_option = true;
  parser->target = NULL;
  if (!parser->in_mlflow) return NULL;
  size_t key_length = strcspn(line, "=:");
  if (!line[key_length]) return "has neither = nor :";
  char *value = line + key_length + 1;
  value += strspn(value, CREDENTIALS_BLANKS);
  while (key_length > 0 && strchr(CREDENTIALS_BLANKS, line[key_length - 1]))
    key_length--;
  line[key_length] = 0;

  if (sqlite3_stricmp(line, "mlflow_tracking_username") == 0) {
    parser->target = &parser->out->username;
  } else if (sqlite3_stricmp(line, "mlflow_tracking_password") == 0) {
    parser->target = &parser->out->password;
  } else {
    return NULL;
  }
  if (*parser->target) return "gives a key a second time";
  if (!credentials_unescape(value)) return "has a % that is not written as %%";
  *parser->target = mlf_credentials_copy(value);
  return *parser->target ? NULL : "";
}

static const char *credentials_parse_line(credentials_parser *parser, char *line) {
  size_t indent = strspn(line, CREDENTIALS_BLANKS);
  line += indent;
  size_t length = strlen(line);
  while (length > 0 && strchr(CREDENTIALS_BLANKS, line[length - 1]))
    line[--length] = 0;
  if (length == 0 || *line == '#' || *line == ';') return NULL;
  if (parser->after_option && indent > parser->option_indent)
    return parser->target ? "continues a value that must be one line" : NULL;
  if (*line == '[') return credentials_parse_section(parser, line);
  if (!parser->in_section) return "comes before the first [section]";
  parser->option_indent = indent;
  return credentials_parse_option(parser, line);
}

static int credentials_parse(char *text, mlf_credentials *out, mlf_error *error) {
  credentials_parser parser = {.out = out};
  int number = 0;
  for (char *line = text, *next; line; line = next) {
    next = strchr(line, '\n');
    if (next) *next++ = 0;
    number++;
    const char *wrong = credentials_parse_line(&parser, line);
    if (wrong && !*wrong) return mlf_error_nomem(error);
    if (wrong)
      return mlf_error_set(error, SQLITE_ERROR, "%s: line %d %s", CREDENTIALS_FILE, number, wrong);
  }
  return SQLITE_OK;
}

/* An empty value counts as none, like an empty variable. */
static void credentials_drop_empty(char **value) {
  if (*value && !**value) {
    sqlite3_free(*value);
    *value = NULL;
  }
}

int mlf_credentials_read(mlf_credentials *out, mlf_error *error) {
  int fd = -1;
  char *text = NULL;
  int rc = credentials_open(&fd, error);
  if (rc != SQLITE_OK || fd < 0) return rc;
  rc = credentials_load(fd, out, &text, error);
  close(fd);
  if (rc == SQLITE_OK) rc = credentials_parse(text, out, error);
  /* All of it: the parser cut the text into lines. */
  if (text) explicit_bzero(text, MLF_CREDENTIALS_BYTES_MAX + 1);
  sqlite3_free(text);
  credentials_drop_empty(&out->username);
  credentials_drop_empty(&out->password);
  return rc;
}
