/* json_check.h: is this text JSON, and where does each of its values begin and end?
**
** The grammar is RFC 8259's to the last byte, with the limits of limits.h; white space may
** surround the document, a byte order mark may not. Bytes that are not UTF-8 are allowed inside
** strings and nowhere else.
**
** Some documents that are JSON are lost on cJSON 1.7.15: \u0000 cuts a string, a lone surrogate
** loses the whole document, as does a number of 64 characters (unless the package mends that) or,
** under a locale whose decimal point is no single byte, any fraction. For these the check writes a
** plain form, which differs from the text in the offending places only and has the same values in
** the same order:
**
**   \u0000, lone surrogate    \ufffd
**   bytes that are not UTF-8  U+FFFD
**   a number with a fraction  0 (numbers are read from the text, never from cJSON)
**     or exponent, or long
*/
#ifndef MLF_MODEL_JSON_CHECK_H
#define MLF_MODEL_JSON_CHECK_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

typedef struct mlf_json_extent {
  size_t begin; /* offset of the value's first byte */
  size_t end;   /* offset after its last */
} mlf_json_extent;

typedef struct mlf_json_check {
  mlf_json_extent *values; /* owned; in the order in which they begin, the document's first */
  size_t value_count;
  mlf_buffer plain; /* the plain form; never appended to if the text itself is plain */
} mlf_json_check;

/* Checks `text`, `length` bytes. `check` is zero before, and can be cleared after any result.
** Errors as for mlf_json_parse_take. */
int mlf_json_check_run(const char *text, size_t length, mlf_json_check *check, mlf_error *error);

void mlf_json_check_clear(mlf_json_check *check);

#endif
