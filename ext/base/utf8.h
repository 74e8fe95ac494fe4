/* utf8.h: is this text UTF-8? */
#ifndef MLF_BASE_UTF8_H
#define MLF_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length of what starts at `bytes`, of which there are `length` > 0: a well-formed character (RFC
** 3629: no overlong form, no surrogate, nothing over U+10FFFF), 1 to 4 bytes and `*valid`; or else
** the bytes, 1 to 3, that one U+FFFD stands for (the maximal subpart of an ill-formed sequence, as
** in the Unicode standard, section 3.9, and in Python). */
size_t mlf_utf8_next(const char *bytes, size_t length, bool *valid);

/* Whether all of `text` is well-formed UTF-8 without NUL. */
bool mlf_utf8_is_text(const char *text, size_t length);

#endif
