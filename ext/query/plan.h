/* plan.h: what of a statement goes to the server, as plain data and as readable text.
**
** xBestIndex chooses a plan from the constraints SQLite offers; the plan travels to xFilter as
** idxStr, so EXPLAIN QUERY PLAN shows it in words:
**
**   SCAN t VIRTUAL TABLE INDEX 0:status = ? AND tags.environment = ?
**       ORDER BY timestamp_ms DESC LIMIT
**
** The grammar of the text: `(all)`, or terms joined by ` AND `; then, each if present,
** ` ORDER BY timestamp_ms DESC` or ` ASC`, ` LIMIT` (one argument), ` OFFSET` (one argument),
** ` COUNT`: nothing is read but what the terms tell, so the server may count instead. A
** term is a column name (bare if it is letters, digits, `_` and `.`, else in double quotes), an
** operator, and `?` for each that has an argument; `IN (?)` takes the whole list at once.
** Arguments are numbered in the order of the text.
**
** No value is in the plan: a prepared statement is planned once and run with many values.
** Nothing is taken off SQLite's hands but the order: it checks every row again (`omit` is never
** set), and a LIMIT is a hint how many rows to ask for first. So a term may be sent whenever the
** server's answer holds every row that SQL wants; too many cost time, never truth.
*/
#ifndef MLF_QUERY_PLAN_H
#define MLF_QUERY_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"
#include "model/catalog.h"

typedef enum mlf_op {
  MLF_OP_EQ,
  MLF_OP_NE,
  MLF_OP_LT,
  MLF_OP_LE,
  MLF_OP_GT,
  MLF_OP_GE,
  MLF_OP_IN,
  MLF_OP_LIKE,
  MLF_OP_GLOB,
  MLF_OP_IS_NULL,
  MLF_OP_IS_NOT_NULL,
  MLF_OP_IS, /* as =, but true of two NULLs */
  MLF_OP_COUNT
} mlf_op;

typedef enum mlf_order { MLF_ORDER_ANY, MLF_ORDER_NEWEST_FIRST, MLF_ORDER_OLDEST_FIRST } mlf_order;

/* One constraint as SQLite offers it. */
typedef struct mlf_constraint {
  int column; /* index in the schema; -1 for what is no column of ours */
  mlf_op op;  /* MLF_OP_COUNT for an operator that is never sent */
  bool usable;
  bool binary;       /* compared with BINARY collation */
  bool list_at_once; /* an IN whose whole list can be had in one call */
} mlf_constraint;

typedef struct mlf_plan_term {
  int column;
  mlf_op op;
  int argument;   /* index of its value among those that xFilter gets; -1: it has none */
  int constraint; /* index of the constraint it came from; -1 in a plan read from text */
} mlf_plan_term;

typedef struct mlf_plan {
  mlf_plan_term terms[MLF_FILTER_TERMS_MAX];
  int term_count;
  int argument_count; /* of the terms */
  mlf_order order;
  bool limit;   /* its value is the argument behind those of the terms, */
  bool offset;  /* and the offset's the one behind that */
  bool count;   /* nothing is read of a row but what the terms tell */
  bool exact;   /* every constraint is sent, and exactly (not in the text) */
  double rows;  /* estimate (not in the text) */
  double cost;  /* estimate, in the unit of one local row (not in the text) */
  bool one_row; /* at most one row (not in the text) */
} mlf_plan;

/* The operator as SQL writes it: `*length` bytes of the text. */
const char *mlf_op_name(mlf_op op, int *length);

/* Whether the term has an argument. */
bool mlf_op_has_argument(mlf_op op);

/* What the statement wants of the rows' order, and how many it wants. */
typedef struct mlf_wish {
  mlf_order order;  /* of timestamp_ms alone; MLF_ORDER_ANY if it wants none or another */
  bool other_order; /* it wants another */
  int64_t rows;     /* LIMIT and OFFSET together; -1: not known when it is planned, or all */
} mlf_wish;

/* Chooses the terms to send. The plan's order is set if the scan will give it. The oldest first are
** given where they fit into one page: what moves backward in time between two pages would be
** missed, so SQLite sorts a longer answer. Returns SQLITE_OK, or SQLITE_CONSTRAINT if no plan is
** possible with these usable constraints (a hidden argument depends on a table not yet read). */
int mlf_plan_choose(const mlf_schema *schema, const mlf_constraint *constraints, int count,
                    mlf_wish wish, mlf_plan *plan);

/* Whether one of the terms is on this column. */
bool mlf_plan_tells(const mlf_plan *plan, int column);

/* The plan as text; free with sqlite3_free. NULL: no memory. */
char *mlf_plan_text(const mlf_schema *schema, const mlf_plan *plan);

/* Reads the text back. SQLITE_OK, or SQLITE_CORRUPT for a text that mlf_plan_text did not make. */
int mlf_plan_parse(const mlf_schema *schema, const char *text, mlf_plan *plan);

#endif
