/* error.h: how a failure travels from where it happens to the SQL user.
**
** A function that can fail returns an SQLite result code and takes `mlf_error *` last. The first
** error wins: a later one on the same object changes nothing, so clean-up code may fail freely.
** SQLITE_NOMEM and SQLITE_INTERRUPT pass through without text.
**
** The text is one line of at most MLF_ERROR_BYTES_MAX bytes of valid UTF-8 without control
** characters, whatever went into it: what a server sent may be quoted in an error as it is.
*/
#ifndef MLF_BASE_ERROR_H
#define MLF_BASE_ERROR_H

#include <stddef.h>

#include "base/sqlite_api.h"

typedef struct mlf_error {
  int code;   /* SQLite result code; 0 while nothing failed */
  char *text; /* owned; NULL for SQLITE_NOMEM and SQLITE_INTERRUPT */
} mlf_error;

/* Records a failure unless one is recorded already. Returns the code now recorded: `code`, the
** earlier one, or SQLITE_NOMEM if the text found no memory. `format` is sqlite3_mprintf's; it is
** not looked at if `code` is SQLITE_NOMEM or SQLITE_INTERRUPT. */
int mlf_error_set(mlf_error *error, int code, const char *format, ...);

/* Records SQLITE_NOMEM; returns it (or the earlier code). */
int mlf_error_nomem(mlf_error *error);

/* Records what `from` holds, unless a failure is recorded already, and clears `from`. Returns the
** code now recorded; SQLITE_OK if there is none. */
int mlf_error_move(mlf_error *error, mlf_error *from);

/* The same with "OF: " before the text: what it was that failed. */
int mlf_error_wrap(mlf_error *error, const char *of, mlf_error *from);

/* Frees the text and makes the object ready for another use. */
void mlf_error_clear(mlf_error *error);

/* Moves the text out, for zErrMsg; the caller frees it with sqlite3_free. May return NULL. */
char *mlf_error_take(mlf_error *error);

/* Makes it the result of an SQL function or column, "OF: TEXT", and clears it. Returns its code. */
int mlf_error_result(sqlite3_context *context, const char *of, mlf_error *error);

/* Makes `text` one printable line in place: each byte of a control character, of a line or
** paragraph separator, of what turns the direction of text round (U+202E and the like), or of what
** is not UTF-8 becomes '?', and it is cut at a character border to
** at most `bytes_max` bytes. */
void mlf_error_clean(char *text, size_t bytes_max);

#endif
