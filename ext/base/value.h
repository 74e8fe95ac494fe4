/* value.h: one SQL value as plain data, so that the layers below tables/ need no sqlite3_value. */
#ifndef MLF_BASE_VALUE_H
#define MLF_BASE_VALUE_H

#include <stddef.h>
#include <stdint.h>

typedef enum mlf_value_type { MLF_NULL, MLF_INTEGER, MLF_REAL, MLF_TEXT, MLF_BLOB } mlf_value_type;

typedef struct mlf_value {
  mlf_value_type type;
  int64_t integer;  /* of MLF_INTEGER */
  double real;      /* of MLF_REAL */
  const char *text; /* of MLF_TEXT and MLF_BLOB: borrowed or owned, as the holder says */
  size_t length;    /* bytes of text */
} mlf_value;

/* Borrowed text; NULL for NULL. */
mlf_value mlf_value_text(const char *text);
mlf_value mlf_value_integer(int64_t integer);
mlf_value mlf_value_real(double real);

#endif
