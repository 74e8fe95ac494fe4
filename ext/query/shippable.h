/* shippable.h: may this condition be sent at all: does the server give the same answer?
**
** Decided here by column and operator, as measured on MLflow 3.5.1 and 3.17.2 with the SQLite and
** PostgreSQL stores (docs/pushdown.md has the table); query/filter.c decides the rest by value,
** and by what the server's version knows.
*/
#ifndef MLF_QUERY_SHIPPABLE_H
#define MLF_QUERY_SHIPPABLE_H

#include <stdbool.h>

#include "model/catalog.h"
#include "query/plan.h"

typedef enum mlf_shippable {
  MLF_SHIP_NO,       /* the server may leave out rows that SQL wants, or refuse */
  MLF_SHIP_SUPERSET, /* every row that SQL wants, and maybe more */
  MLF_SHIP_EXACT     /* the same rows */
} mlf_shippable;

mlf_shippable mlf_shippable_decide(const mlf_column *column, mlf_op op);

/* The operators that may be sent, as in "=, !=, IN"; empty if there are none. Free with
** sqlite3_free. NULL: no memory. */
char *mlf_shippable_operators(const mlf_column *column);

#endif
