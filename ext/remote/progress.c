#include "remote/progress.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sqlite_api.h"

char *mlf_progress_words(const mlf_progress_count *count) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  sqlite3_str_appendf(text, "%,lld trace%s in %,lld request%s", (sqlite3_int64)count->traces,
                      count->traces == 1 ? "" : "s", (sqlite3_int64)count->requests,
                      count->requests == 1 ? "" : "s");
  if (count->traces_left > 0)
    sqlite3_str_appendf(text, ", about %,lld to go", (sqlite3_int64)count->traces_left);
  return sqlite3_str_finish(text);
}

/* A terminal that can take a line away; -1 if there is none. */
static int progress_terminal(mlf_setting_progress where) {
  const char *kind = getenv("TERM");
  if (!kind || strcmp(kind, "dumb") == 0) return -1;
  if (where == MLF_PROGRESS_TTY) return open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC);
  return isatty(STDERR_FILENO) ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
}

/* A terminal that takes nothing more shows nothing more. */
static void progress_write(mlf_progress *progress, const char *text) {
  if (write(progress->fd, text, strlen(text)) >= 0) return;
  close(progress->fd);
  progress->fd = -1;
}

void mlf_progress_show(mlf_progress *progress, mlf_setting_progress where,
                       const mlf_progress_count *count) {
  if (where == MLF_PROGRESS_OFF) return;
  if (!progress->looked) progress->fd = progress_terminal(where);
  progress->looked = true;
  if (progress->fd < 0) return;
  char *words = mlf_progress_words(count);
  if (!words || (progress->shown && strcmp(words, progress->shown) == 0)) {
    sqlite3_free(words);
    return;
  }
  /* Without line wrap, so that there is one line to take away. */
  char *line = sqlite3_mprintf("\r\033[?7lmlflow: %s\033[K\033[?7h", words);
  if (line) progress_write(progress, line);
  sqlite3_free(line);
  sqlite3_free(progress->shown);
  progress->shown = words;
}

void mlf_progress_hide(mlf_progress *progress) {
  if (!progress->shown) return;
  if (progress->fd >= 0) progress_write(progress, "\r\033[K");
  sqlite3_free(progress->shown);
  progress->shown = NULL;
}

void mlf_progress_clear(mlf_progress *progress) {
  mlf_progress_hide(progress);
  if (progress->looked && progress->fd >= 0) close(progress->fd);
  *progress = (mlf_progress){0};
}
