/* sqlite_value.h: between SQLite's values and plain data. */
#ifndef MLF_BASE_SQLITE_VALUE_H
#define MLF_BASE_SQLITE_VALUE_H

#include "base/sqlite_api.h"
#include "base/value.h"

/* The value as plain data; text and blob are borrowed from it. SQLITE_NOMEM if the text had to be
** converted to UTF-8 and found no memory. */
int mlf_sqlite_value_read(sqlite3_value *from, mlf_value *to);

/* Makes plain data the result of a function or column, by copy. */
void mlf_sqlite_value_result(sqlite3_context *context, const mlf_value *value);

/* The same, but an owned text is handed over; `value` is NULL afterwards. */
void mlf_sqlite_value_give(sqlite3_context *context, mlf_value *value);

/* Makes a text of a number, as SQLite does in a column of texts. SQLITE_OK or SQLITE_NOMEM. */
int mlf_sqlite_value_as_text(mlf_value *value);

#endif
