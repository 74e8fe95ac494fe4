/* connection.h: what the tables of one database connection share: the client, and the statements
** that are running. */
#ifndef MLF_TABLES_CONNECTION_H
#define MLF_TABLES_CONNECTION_H

#include <stdbool.h>

#include "base/error.h"
#include "base/registry.h"
#include "remote/client.h"
#include "remote/experiments.h"
#include "tables/statement.h"

typedef struct mlf_connection mlf_connection;

/* Made when the extension is loaded into a connection; each registered module and function holds
** one reference, and the last one to go frees it. Takes `registry->kept`. SQLITE_OK or
** SQLITE_NOMEM. */
int mlf_connection_new(mlf_registry *registry, mlf_connection **out);
void mlf_connection_hold(mlf_connection *connection);
void mlf_connection_release(void *context); /* void *, to serve as xDestroy */

mlf_client *mlf_connection_client(mlf_connection *connection);

/* The names of the functions that loading left alone, borrowed; NULL for none. */
const char *mlf_connection_kept(const mlf_connection *connection);

/* What the registry says of the functions; borrowed. */
const mlf_registry_help *mlf_connection_function_help(const mlf_connection *connection, int *count);

/* The statement that is running, joined by a scan of the table, NULL for one that is not surveyed;
** left with mlf_statement_leave. SQLITE_OK or SQLITE_NOMEM. */
int mlf_connection_join(mlf_connection *connection, const sqlite3_vtab *table,
                        mlf_statement **statement);

/* The tables of ours that are connected: a table puts itself in when it is made. */
void mlf_connection_add_table(mlf_connection *connection, mlf_surveyed *table);
void mlf_connection_remove_table(mlf_connection *connection, mlf_surveyed *table);

/* The experiment that is called so; `*id` and `*name` are the caller's (sqlite3_free). The
** answer is remembered for MLF_EXPERIMENT_AGE_MAX_MS. SQLITE_NOTFOUND, with a text, if there is no
** such experiment. */
int mlf_connection_experiment(mlf_connection *connection, mlf_budget *budget, mlf_experiment_by by,
                              const char *asked, char **id, char **name, mlf_error *error);

/* The server has just listed this experiment: who asks for it next need not ask the server.
** SQLITE_OK or SQLITE_NOMEM. */
int mlf_connection_note_experiment(mlf_connection *connection, const char *id, const char *name);

/* Whether LIKE and GLOB are SQLite's own here, as far as a few words tell. Another extension (ICU)
** or the host may have put its own in place, which finds what the server's ILIKE would not. */
bool mlf_connection_has_own_like(mlf_connection *connection);

/* Registers mlflow_version. */
int mlf_connection_register(mlf_registry *registry);

#endif
