/* json_string.h: a text as a string in JSON.
**
** One text has one form: UTF-8, no escapes but those that JSON demands (\" \\ \b \f \n \r \t,
** \u00xx for the other control characters). Bytes that are not UTF-8 are U+FFFD.
*/
#ifndef MLF_BASE_JSON_STRING_H
#define MLF_BASE_JSON_STRING_H

#include <stddef.h>

#include "base/sqlite_api.h"

/* Appends `text` with its quotes. */
void mlf_json_string_write(sqlite3_str *out, const char *text, size_t length);

/* Appends an ASCII character as it stands between the quotes. */
void mlf_json_string_write_ascii(sqlite3_str *out, unsigned char c);

/* How many bytes from `at` on stand between the quotes as they are; at most MLF_JSON_POLL_BYTES,
** and the rest of a character, at a time. */
size_t mlf_json_string_plain_length(const char *at, const char *end);

#endif
