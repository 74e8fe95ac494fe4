/* asked.h: what SQLite itself says, for tests that ask it. */
#ifndef MLF_TESTS_ASKED_H
#define MLF_TESTS_ASKED_H

#include "oom.h"

/* The integer that a statement gives. */
static inline int asked_integer(sqlite3 *db, const char *sql) {
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  int value = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  return value;
}

#endif
