/* declare.h: declares a virtual table to SQLite, and says why where SQLite refuses.
**
** SQLite itself says "vtable constructor failed: mlflow_traces" of a table that gives no reason.
*/
#ifndef MLF_BASE_DECLARE_H
#define MLF_BASE_DECLARE_H

#include "base/error.h"

/* Called from xConnect. `declaration` is a CREATE TABLE; NULL: there was no memory for it. Errors:
** SQLite's code, with a text that begins with `table`, the module's name. */
int mlf_declare_table(sqlite3 *db, const char *table, const char *declaration, mlf_error *error);

#endif
