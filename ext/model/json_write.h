/* json_write.h: writes JSON text in its one canonical form.
**
** One value has one text, wherever it came from: UTF-8, no escapes but those that JSON demands
** (\" \\ \b \f \n \r \t, \u00xx for the other control characters), no blanks between tokens,
** members in the order given, unless they are to be sorted, numbers as they were written. Of a name
** that comes several times in an object, the last value is written where the first one was, as
** Python has it. So texts can be compared, searched and grouped. What UTF-8 text cannot carry keeps
** an escape: \u0000, and half a surrogate pair (\ud83d). Bytes that are not UTF-8 are U+FFFD, and
** NaN, Infinity and -Infinity are null.
*/
#ifndef MLF_MODEL_JSON_WRITE_H
#define MLF_MODEL_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/sqlite_api.h"
#include "model/json_reader.h"

/* Appends the token that the reader has just read. SQLITE_INTERRUPT as of the reader; what was
** appended is of no use then. */
int mlf_json_write_token(sqlite3_str *out, const mlf_json_reader *reader, mlf_json_token token,
                         mlf_error *error);

/* Appends the text that the name or string which the reader has just read stands for, without
** quotes. What text cannot carry is the text of its escape. Errors as above. */
int mlf_json_write_text(sqlite3_str *out, const mlf_json_reader *reader, mlf_error *error);

/* Appends all that the reader will read, from its beginning on. If that is no JSON, an error as of
** mlf_json_reader_next, and what was appended is of no use. */
int mlf_json_write_value(sqlite3_str *out, mlf_json_reader *reader, mlf_error *error);

/* The same with the members of every object sorted by the bytes of their names: for what comes out
** of a map, which each process of the server sends in an order of its own. */
int mlf_json_write_sorted(sqlite3_str *out, mlf_json_reader *reader, mlf_error *error);

#endif
