/* program.h: the program that SQLite has made of a statement, and what its instructions do.
**
** EXPLAIN shows the program, an instruction a row. Which rows a scan drops, and where a register
** has its value from, is seen in the neighbourhood of an instruction; what becomes of a value is
** followed through all of the program (tables/program_flow.h).
*/
#ifndef MLF_TABLES_PROGRAM_H
#define MLF_TABLES_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/sqlite_api.h"

/* One instruction, as EXPLAIN shows it. */
typedef struct mlf_program_op {
  char name[16];
  int base; /* where its program begins: 0, or for that of a trigger, which stands behind, more */
  int p1;
  int root; /* if P1 is a cursor: the one that has opened its table */
  int p2;   /* of a jump among all instructions */
  int p3;
  int p5;
  char *text;   /* P4; owned; NULL if it says nothing here */
  bool no_news; /* said by who reads the program: compared with what this one reads, or handed to
                   the scan that it begins, the value that is followed tells nothing */
} mlf_program_op;

typedef struct mlf_program {
  mlf_program_op *ops;
  int count;
  size_t capacity;
} mlf_program;

/* Reads the program of a statement; the caller clears it. SQLITE_ERROR, or another one of SQLite's,
** if it does not show the program; SQLITE_NOMEM. */
int mlf_program_read(mlf_program *program, sqlite3 *db, const char *sql);
void mlf_program_clear(mlf_program *program);

bool mlf_program_is(const mlf_program_op *op, const char *name);
/* Whether it is one of the names, of which NULL is the last. */
bool mlf_program_is_any(const mlf_program_op *op, const char *const *names);

/* Whether it may jump to its P2. */
bool mlf_program_is_jump(const mlf_program_op *op);
extern const char *const mlf_program_compared[]; /* compares registers P1 and P3 */
extern const char *const mlf_program_computed[]; /* makes a value of registers P1 and P2, in P3 */
extern const char *const mlf_program_sought[];   /* looks for a key, by cursor P1: so many registers
                                                    from P3 on, or the row in it for P4 = 0 */

/* How many registers it takes, as its P4 tells: a function in brackets. */
int mlf_program_width(const mlf_program_op *op);
/* Whether it makes something of the register, with a function. */
bool mlf_program_is_function_of(const mlf_program_op *op, int value);
/* Where it copies the register from; -1: it does not write there, or is no copy. */
int mlf_program_source(const mlf_program_op *op, int value);
/* Whether it puts a value into the register, or changes what is there. */
bool mlf_program_writes(const mlf_program_op *op, int value);
/* Whether the program may come to `at` past the instruction at `writer`, as in CASE and coalesce(),
** and the register has another value then. */
bool mlf_program_passes(const mlf_program *program, int writer, int value, int at);

/* A term of the scan that the instruction at `at` begins. */
typedef struct mlf_program_term {
  int at;
  int column;
  const char *test;     /* what jumps if the term does not hold, or is NULL */
  const char *function; /* of what it tests the result, as P4 says it; NULL: the column's value */
  int argument;         /* the register that has the term's argument; -1 if it has none */
} mlf_program_term;

/* Whether the statement drops each row of a scan for which the term does not hold: each row comes
** to its test, with the same argument, and that jumps to the next row. One in the ON of an outer
** join does not. */
bool mlf_program_drops(const mlf_program *program, const mlf_program_term *term);

/* Whether what a register holds at `at` was read from the list of an IN. */
bool mlf_program_is_listed(const mlf_program *program, int at, int value);

/* Whether what a register holds at `at` is a column of a row, as it was read. No, if that is not
** seen. */
bool mlf_program_is_column(const mlf_program *program, int at, int value);

#endif
