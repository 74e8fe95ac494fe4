/* home.h: a home directory of this test process's own, with a credentials file or without. */
#ifndef MLF_TESTS_HOME_H
#define MLF_TESTS_HOME_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
  char directory[32];
  char folder[48]; /* .mlflow in it */
  char file[64];   /* credentials in that */
} home = {.directory = "/tmp/mlflow-home-XXXXXX"};

/* Makes the directories. To be called once, in main; false if it cannot be done. */
static inline bool home_make(void) {
  if (!mkdtemp(home.directory)) return false;
  snprintf(home.folder, sizeof(home.folder), "%s/.mlflow", home.directory);
  snprintf(home.file, sizeof(home.file), "%s/.mlflow/credentials", home.directory);
  return mkdir(home.folder, 0700) == 0;
}

/* Points HOME to it and removes the credentials file, whatever it is. */
static inline void home_reset(void) {
  setenv("HOME", home.directory, 1);
  if (unlink(home.file) != 0) rmdir(home.file);
}

/* Writes the credentials file anew. */
static inline void home_write_bytes(const char *text, size_t length, mode_t mode) {
  unlink(home.file);
  int fd = open(home.file, O_WRONLY | O_CREAT | O_EXCL, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, length), (ssize_t)length);
  assert_int_equal(fchmod(fd, mode), 0);
  close(fd);
}

static inline void home_write(const char *text) {
  home_write_bytes(text, strlen(text), 0600);
}

static inline void home_remove(void) {
  home_reset();
  rmdir(home.folder);
  rmdir(home.directory);
}

#endif
