/* program_flow.h: what becomes of a value in SQLite's program of a statement.
**
** A column that SQLite has read stands in a register. From there it is copied, put into the
** statement's own tables, handed over by a co-routine, or to functions and operators. Followed
** forward, by each way that the program may take, it comes to a comparison or it does not.
**
** Assumes that a value is used behind the place where it is read, as SQLite writes programs.
** To sort, to count or to group by a value is no comparison.
*/
#ifndef MLF_TABLES_PROGRAM_FLOW_H
#define MLF_TABLES_PROGRAM_FLOW_H

#include "tables/program.h"

/* Whether the value that the instruction at `at` reads into its register P3, or what is computed of
** it, is compared, looked for in a list or an index, or decides a jump. */
bool mlf_program_compares(const mlf_program *program, int at);

#endif
