/* connect.h: mlflow_connect(uri), with which a person names the server in SQL.
**
**   SELECT mlflow_connect('http://127.0.0.1:5000');
**
** It decides where requests go, so it must be the person who calls it, and never a database file.
** SQLITE_DIRECTONLY keeps it out of views and triggers. That is not enough. FTS4 splices the names
** given as compress= and uncompress= into SQL that it prepares itself, which SQLite takes for the
** person's (up to 3.51), and the CHECK constraint of a file is let through to this day (3.54.1).
** So a call acts only if
**
**   (1) the statement that calls it is the only one that runs on the connection: what a virtual
**       table or another function runs is inside a statement that runs as well;
**   (2) the text of that statement is `SELECT mlflow_connect(VALUE)`, VALUE a literal or a
**       parameter, with a name for the column if wished. No text that a virtual table of SQLite's
**       makes is of this form, not even one that is run while a statement is prepared, when (1)
**       does not see the outer one.
*/
#ifndef MLF_TABLES_CONNECT_H
#define MLF_TABLES_CONNECT_H

#include "tables/connection.h"

/* Registers the function. Returns an SQLite result code. */
int mlf_connect_register(mlf_registry *registry, mlf_connection *connection);

/* Whether the connection has the function, even if an authorizer lets nobody call it. SQLITE_OK,
** SQLITE_NOMEM or SQLITE_INTERRUPT. */
int mlf_connect_is_registered(sqlite3 *db, bool *is);

/* Whether a statement of this text does nothing but to call mlflow_connect once (2). */
bool mlf_connect_is_whole(const char *sql);

#endif
