/* statement.h: what the scans of one running SQL statement share: what it may still spend, the
** pages they hold, the spans that were fetched.
**
** SQLite does not tell a virtual table which statement is running. Where exactly one statement of
** the connection is under way it must be that one; else every scan has a statement of its own, and
** shares nothing. A run of a statement is known by a mark: its counter SQLITE_STMTSTATUS_RUN is set
** back to 0, which every other run has left behind, of the same statement or of another one at the
** same address. So what was remembered is never taken for an answer to another statement, and yet
** outlives the scans of a sub-select that SQLite opens anew for each row.
*/
#ifndef MLF_TABLES_STATEMENT_H
#define MLF_TABLES_STATEMENT_H

#include "base/error.h"
#include "base/sqlite_api.h"
#include "model/json.h"
#include "remote/client.h"
#include "remote/payloads.h"
#include "tables/experiment_list.h"
#include "tables/memo.h"

typedef struct mlf_statement mlf_statement;

/* A page that a scan holds: every trace in it is a truth of this statement. Part of the scan. */
typedef struct mlf_held_page {
  const mlf_json *json;       /* NULL while there is none */
  const mlf_json_node *trace; /* the one that the scan is at */
  struct mlf_held_page *next; /* of another scan of the statement */
} mlf_held_page;

/* The one statement that is running in `db`; NULL if there are several, or none. */
sqlite3_stmt *mlf_statement_sole(sqlite3 *db);

/* Joins the statement that is running in `db`, whose latest is `*latest`, or a new one, which is
** `*latest` from then on if others may join it. */
int mlf_statement_join(sqlite3 *db, mlf_client *client, mlf_statement **latest, mlf_held_page *page,
                       mlf_statement **out, mlf_error *error);

/* Says that a scan of the statement walks over traces. With the last scan of such a statement all
** that is under way ends; one of look-ups alone may be a sub-select, which goes on. */
void mlf_statement_walk(mlf_statement *statement);

/* Leaves it. The latest stays, for scans that are still to come, until there is another. */
void mlf_statement_leave(mlf_statement *statement, mlf_held_page *page);

/* Lets no more scans join the latest, which ends unless a scan is in it. */
void mlf_statement_forget(mlf_statement **latest);

mlf_budget *mlf_statement_budget(mlf_statement *statement);

/* Looks for the trace with this id in the pages that the other scans hold; NULL if none has it. */
const mlf_json_node *mlf_statement_find(const mlf_statement *statement, const mlf_held_page *own,
                                        const char *id, const mlf_json **json);

/* What the statement remembers of traces that were asked for more than once. */
int mlf_statement_memo(mlf_statement *statement, mlf_memo **memo, mlf_error *error);

/* The active experiments, once `*known`; whoever needs them first reads them. */
mlf_experiment_list *mlf_statement_active(mlf_statement *statement, bool **known);

/* What fetches spans for all scans of the statement. */
int mlf_statement_payloads(mlf_statement *statement, mlf_payloads **payloads, mlf_error *error);

#endif
