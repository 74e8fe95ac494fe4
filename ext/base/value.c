#include "base/value.h"

#include <string.h>

mlf_value mlf_value_text(const char *text) {
  if (!text) return (mlf_value){.type = MLF_NULL};
  return (mlf_value){.type = MLF_TEXT, .text = text, .length = strlen(text)};
}

mlf_value mlf_value_integer(int64_t integer) {
  return (mlf_value){.type = MLF_INTEGER, .integer = integer};
}

mlf_value mlf_value_real(double real) {
  return (mlf_value){.type = MLF_REAL, .real = real};
}
