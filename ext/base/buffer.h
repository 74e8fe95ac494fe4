/* buffer.h: bytes that grow up to a stated cap. */
#ifndef MLF_BASE_BUFFER_H
#define MLF_BASE_BUFFER_H

#include <stddef.h>

typedef struct mlf_buffer {
  char *bytes;   /* owned; NUL-terminated once anything was appended */
  size_t length; /* without the NUL */
  size_t capacity;
  size_t bytes_max; /* appending beyond this length fails with SQLITE_TOOBIG */
} mlf_buffer;

void mlf_buffer_init(mlf_buffer *buffer, size_t bytes_max);
void mlf_buffer_clear(mlf_buffer *buffer);

/* SQLITE_OK, SQLITE_TOOBIG or SQLITE_NOMEM; on failure the buffer is as before. `bytes` may be
** NULL if `length` is 0, and must not point into the buffer. */
int mlf_buffer_append(mlf_buffer *buffer, const void *bytes, size_t length);

/* Moves the bytes out (caller frees with sqlite3_free); the buffer is empty afterwards. NULL if
** nothing was ever appended. */
char *mlf_buffer_take(mlf_buffer *buffer);

#endif
