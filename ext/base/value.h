/* value.h: one SQL value as plain data, so that the layers below tables/ need no sqlite3_value. */
#ifndef MLF_BASE_VALUE_H
#define MLF_BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mlf_value_type { MLF_NULL, MLF_INTEGER, MLF_REAL, MLF_TEXT, MLF_BLOB } mlf_value_type;

typedef struct mlf_value {
  mlf_value_type type;
  int64_t integer;  /* of MLF_INTEGER */
  double real;      /* of MLF_REAL */
  const char *text; /* of MLF_TEXT, with a NUL after it, and MLF_BLOB: borrowed, unless */
  bool owned;       /* it is to be freed with mlf_value_clear */
  size_t length;    /* bytes of text; a NUL among them counts */
} mlf_value;

/* Borrowed text; NULL for NULL. */
mlf_value mlf_value_text(const char *text);
mlf_value mlf_value_integer(int64_t integer);
mlf_value mlf_value_real(double real);

/* Text that the value takes, of sqlite3_malloc64, with a byte more than `length`; NULL for NULL. */
mlf_value mlf_value_take(char *text, size_t length);

/* The number that an integer or a real is. */
double mlf_value_number(const mlf_value *value);

/* Whether it is a text that SQLite's affinities make no number of. */
bool mlf_value_is_word(const mlf_value *value);

/* Makes a borrowed text an owned one. SQLITE_OK or SQLITE_NOMEM. */
int mlf_value_own(mlf_value *value);

/* Frees an owned text, and makes the value NULL. */
void mlf_value_clear(mlf_value *value);

#endif
