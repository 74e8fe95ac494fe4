#include "query/integer_bound.h"

#include <math.h>

/* A whole number written in a text, as SQLite's affinity would read it. */
static bool integer_parse(const char *text, size_t length, int64_t *integer) {
  size_t at = length && (text[0] == '-' || text[0] == '+');
  if (at == length || length - at > 18) return false;
  int64_t sum = 0;
  for (; at < length; at++) {
    if (text[at] < '0' || text[at] > '9') return false;
    sum = sum * 10 + (text[at] - '0');
  }
  *integer = text[0] == '-' ? -sum : sum;
  return true;
}

bool mlf_integer_bound(const mlf_value *value, mlf_op *op, int64_t *integer) {
  if (value->type == MLF_TEXT) return integer_parse(value->text, value->length, integer);
  if (value->type == MLF_INTEGER) {
    *integer = value->integer;
    return true;
  }
  if (value->type != MLF_REAL || !(fabs(value->real) < 9.2e18)) return false;
  double whole = floor(value->real);
  *integer = (int64_t)whole;
  if (whole == value->real) return true;
  if (*op == MLF_OP_EQ || *op == MLF_OP_NE) return false;
  /* Between two whole numbers: x < 1.5 is x <= 1, x > 1.5 is x >= 2. */
  if (*op == MLF_OP_LT) *op = MLF_OP_LE;
  if (*op == MLF_OP_GT || *op == MLF_OP_GE) {
    *op = MLF_OP_GE;
    *integer += 1;
  }
  return true;
}
