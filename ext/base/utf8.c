#include "base/utf8.h"

/* How many continuation bytes follow `lead`, and the range that the first of them must be in. */
static size_t utf8_continuations(unsigned char lead, unsigned char *low, unsigned char *high) {
  *low = 0x80;
  *high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) return 1;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (lead == 0xe0) *low = 0xa0;
    if (lead == 0xed) *high = 0x9f;
    return 2;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (lead == 0xf0) *low = 0x90;
    if (lead == 0xf4) *high = 0x8f;
    return 3;
  }
  return 0;
}

size_t mlf_utf8_next(const char *bytes, size_t length, bool *valid) {
  const unsigned char *at = (const unsigned char *)bytes;
  *valid = at[0] < 0x80;
  if (*valid) return 1;
  unsigned char low, high;
  size_t more = utf8_continuations(at[0], &low, &high);
  size_t step = 1;
  while (step <= more && step < length && at[step] >= low && at[step] <= high) {
    step++;
    low = 0x80;
    high = 0xbf;
  }
  *valid = more > 0 && step == more + 1;
  return step;
}

bool mlf_utf8_is_text(const char *text, size_t length) {
  bool valid = true;
  for (size_t at = 0; valid && at < length;) {
    if (text[at] == 0) return false;
    at += mlf_utf8_next(text + at, length - at, &valid);
  }
  return valid;
}
