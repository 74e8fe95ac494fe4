/* file_table.h: may a table that a database file holds be read?
**
** `CREATE VIRTUAL TABLE orders USING mlflow_traces` in a file looks like an ordinary table to who
** reads it. SQLite keeps views and triggers from our tables while trusted_schema is off, but not
** such a table itself, nor what reads it by its name, such as FTS5 for its external content. So it
** is refused here, when a scan of it opens: it can still be looked at and dropped. Tables of the
** temporary schema are the person's own, and those that exist at once are in no file.
*/
#ifndef MLF_TABLES_FILE_TABLE_H
#define MLF_TABLES_FILE_TABLE_H

#include <stdbool.h>

#include "base/error.h"

typedef struct mlf_file_table {
  sqlite3 *db; /* of the table; borrowed */
  bool in_file;
} mlf_file_table;

/* Says of a table where it is; `argc` and `argv` are those of xConnect: module, schema, table, then
** the arguments. A file's table that has its module's name and no arguments is as good as the one
** that exists at once. */
mlf_file_table mlf_file_table_of(sqlite3 *db, int argc, const char *const *argv);

/* SQLITE_OK if the table may be read now; else SQLITE_AUTH. */
int mlf_file_table_check(const mlf_file_table *table, mlf_error *error);

#endif
