#include "model/span_id.h"

#include <string.h>

static const char id_hex_digits[] = "0123456789abcdef";

/* The value of a base64 digit, or -1. */
static int id_base64_digit(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *found = c ? strchr(digits, c) : NULL;
  return found ? (int)(found - digits) : -1;
}

bool mlf_span_id_from_base64(const char *sent, size_t bytes, char *hex) {
  size_t length = (bytes + 2) / 3 * 4;
  unsigned bits = 0, bit_count = 0;
  size_t written = 0;
  if (strlen(sent) != length || sent[length - 1] != '=') return false;
  for (size_t i = 0; written < 2 * bytes; i++) {
    int digit = id_base64_digit(sent[i]);
    if (digit < 0) return false;
    bits = (bits << 6) | (unsigned)digit;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    hex[written++] = id_hex_digits[(bits >> (bit_count + 4)) & 15];
    hex[written++] = id_hex_digits[(bits >> bit_count) & 15];
  }
  hex[written] = 0;
  return true;
}

/* The same from hex of up to that many bytes. */
static bool id_from_hex(const char *sent, size_t bytes, char *hex) {
  const char *digits = strncmp(sent, "0x", 2) == 0 ? sent + 2 : sent;
  size_t length = strlen(digits);
  if (length == 0 || length > 2 * bytes) return false;
  if (strspn(digits, "0123456789abcdefABCDEF") != length) return false;
  memset(hex, '0', 2 * bytes - length);
  hex += 2 * bytes - length;
  for (size_t i = 0; i <= length; i++)
    hex[i] = digits[i] >= 'A' && digits[i] <= 'F' ? (char)(digits[i] - 'A' + 'a') : digits[i];
  return true;
}

const char *mlf_span_id(const char *sent, char hex[2 * MLF_SPAN_ID_BYTES + 1]) {
  if (!sent || !*sent) return NULL;
  if (mlf_span_id_from_base64(sent, MLF_SPAN_ID_BYTES, hex)) return hex;
  return id_from_hex(sent, MLF_SPAN_ID_BYTES, hex) ? hex : sent;
}
