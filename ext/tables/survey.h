/* survey.h: what the statement that is running says of our tables as a whole.
**
** A scan sees what SQLite hands to it, and no more. Some questions are about the statement: is
** there another scan that may ask for what this one is given? Which experiments do the other tables
** read? Does the statement compare `experiment` (or filter, in_run) although SQLite did not hand
** the comparison over, as with `+experiment = 'x'`, a COLLATE, or a join in which SQLite searches
** the other table? The answer is in the program that SQLite made of the statement: EXPLAIN shows
** it.
*/
#ifndef MLF_TABLES_SURVEY_H
#define MLF_TABLES_SURVEY_H

#include <stdbool.h>

#include "base/error.h"
#include "base/sqlite_api.h"
#include "model/catalog.h"
#include "query/arguments.h"
#include "query/plan.h"

/* A table of ours as a survey finds it: part of the table, in a list of the connection. */
typedef struct mlf_surveyed {
  const sqlite3_vtab *table;
  const mlf_schema *schema;
  const mlf_arguments *arguments;
  struct mlf_surveyed *next;
} mlf_surveyed;

typedef struct mlf_survey mlf_survey;

/* Surveys the statement. NULL in `*survey` if SQLite does not show its program: nothing is known
** then. SQLITE_OK or SQLITE_NOMEM. */
int mlf_survey_new(sqlite3_stmt *statement, const mlf_surveyed *tables, mlf_survey **survey);
void mlf_survey_free(mlf_survey *survey); /* NULL is allowed */

/* Whether traces may be asked for twice: by two scans, or by one that begins again. */
bool mlf_survey_repeats(const mlf_survey *survey);

/* Whether the statement has a scan of the table. */
bool mlf_survey_reads(const mlf_survey *survey, const sqlite3_vtab *table);

/* Whether a scan of the table with this plan is compared with something that the plan does not
** tell: what the column `experiment` shows, or what filter or in_run show. Where no scan is seen
** to have the plan, any scan of the table: SQLite may have planned the statement anew, with its
** values. */
bool mlf_survey_compares(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan,
                         bool experiment);

/* Whether the scans of the table with this plan begin once, and the statement reads no column of
** them but what is compared with `=` in the plan. */
bool mlf_survey_counts(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan);

/* Whether the statement drops each row of the scans of the table with this plan for which a term
** does not hold: !=, LIKE, GLOB or IS [NOT] NULL. SQLite hands over also what stands in the ON of
** an outer join and is about its left table, whose rows must stay: != and LIKE in 3.40, IS [NOT]
** NULL in 3.54, too. No, if that is not seen: the program has nothing of a join that it does
** without. */
bool mlf_survey_drops(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan,
                      const mlf_plan_term *term);

/* Whether the term's argument, in the scans of the table with this plan, comes from the list of an
** IN, value by value. */
bool mlf_survey_loops(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan,
                      const mlf_plan_term *term);

/* Whether it is a column of another table's row, in a join or an IN. */
bool mlf_survey_joins(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan,
                      const mlf_plan_term *term);

/* The experiment that the statement asks a table for, the index-th of them; NULL after the last.
** One that is known only while the statement runs is "". `*by_id`: it is an id, else a name. */
const char *mlf_survey_experiment(const mlf_survey *survey, int index, bool *by_id);

#endif
