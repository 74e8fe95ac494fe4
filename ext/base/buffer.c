#include "base/buffer.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/sqlite_api.h"

#ifndef NDEBUG
static bool buffer_is_sound(const mlf_buffer *buffer) {
  if (!buffer->bytes) return buffer->length == 0 && buffer->capacity == 0;
  return buffer->length < buffer->capacity && buffer->length <= buffer->bytes_max &&
         buffer->bytes[buffer->length] == 0;
}
#endif

void mlf_buffer_init(mlf_buffer *buffer, size_t bytes_max) {
  memset(buffer, 0, sizeof(*buffer));
  buffer->bytes_max = bytes_max < SIZE_MAX ? bytes_max : SIZE_MAX - 1; /* leaves room for a NUL */
}

void mlf_buffer_clear(mlf_buffer *buffer) {
  sqlite3_free(buffer->bytes);
  mlf_buffer_init(buffer, buffer->bytes_max);
}

int mlf_buffer_append(mlf_buffer *buffer, const void *bytes, size_t length) {
  assert(buffer_is_sound(buffer));
  assert(bytes || length == 0);
  if (length > buffer->bytes_max - buffer->length) return SQLITE_TOOBIG;
  size_t needed = buffer->length + length + 1;
  if (needed > buffer->capacity) {
    size_t capacity = buffer->capacity < 2048 ? 4096 : buffer->capacity * 2;
    if (capacity > buffer->bytes_max) capacity = buffer->bytes_max + 1;
    if (capacity < needed) capacity = needed;
    char *grown = sqlite3_realloc64(buffer->bytes, capacity);
    if (!grown) return SQLITE_NOMEM;
    buffer->bytes = grown;
    buffer->capacity = capacity;
  }
  if (length) memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
  buffer->bytes[buffer->length] = 0;
  assert(buffer_is_sound(buffer));
  return SQLITE_OK;
}

char *mlf_buffer_take(mlf_buffer *buffer) {
  char *bytes = buffer->bytes;
  mlf_buffer_init(buffer, buffer->bytes_max);
  return bytes;
}
