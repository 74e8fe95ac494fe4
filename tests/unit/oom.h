/* oom.h: makes allocations of this test process fail, and counts what is not given back.
**
** SQLite's allocator (and with it all of ours) and cJSON's are hooked. A test hands a scenario to
** oom_loop, which runs it again and again with the first, second, third ... allocation failing,
** once or from there on, until it comes through without a failure:
**
**   static int load(void *context) {
**     ... allocate, use, check the result, free everything ...
**     return rc;
**   }
**   int main(void) {
**     oom_install();
**     ...
**   }
**   assert_int_equal(oom_loop(load, &context), 0);
**
** One thread only.
*/
#ifndef MLF_TESTS_OOM_H
#define MLF_TESTS_OOM_H

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/sqlite_api.h"

static struct {
  sqlite3_mem_methods sqlite; /* SQLite's own allocator */
  long outstanding;           /* allocations that were not freed */
  long countdown;             /* allocations until one fails; 0 for never */
  bool forever;               /* all after it fail, too */
  long failures;              /* allocations refused since oom_arm */
  long stride;                /* oom_loop takes every so many; 0 for each */
} oom;

/* Whether the allocation that is asked for now is to fail. */
static inline bool oom_refuses(void) {
  if (oom.countdown == 0 || --oom.countdown > 0) return false;
  if (oom.forever) oom.countdown = 1;
  oom.failures++;
  return true;
}

static inline void *oom_sqlite_malloc(int size) {
  void *memory = oom_refuses() ? NULL : oom.sqlite.xMalloc(size);
  oom.outstanding += memory != NULL;
  return memory;
}

static inline void *oom_sqlite_realloc(void *memory, int size) {
  return oom_refuses() ? NULL : oom.sqlite.xRealloc(memory, size);
}

static inline void oom_sqlite_free(void *memory) {
  oom.outstanding -= memory != NULL;
  oom.sqlite.xFree(memory);
}

static inline void *oom_malloc(size_t size) {
  void *memory = oom_refuses() ? NULL : malloc(size);
  oom.outstanding += memory != NULL;
  return memory;
}

static inline void oom_free(void *memory) {
  oom.outstanding -= memory != NULL;
  free(memory);
}

/* Sets the hooks. To be called first thing in main, before anything is allocated. */
static inline void oom_install(void) {
  sqlite3_shutdown();
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &oom.sqlite);
  sqlite3_mem_methods methods = oom.sqlite;
  methods.xMalloc = oom_sqlite_malloc;
  methods.xRealloc = oom_sqlite_realloc;
  methods.xFree = oom_sqlite_free;
  sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
  sqlite3_initialize();
  cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = oom_malloc, .free_fn = oom_free});
}

/* Lets the `countdown`-th allocation from now on fail, and with `forever` all after it. */
static inline void oom_arm(long countdown, bool forever) {
  oom.countdown = countdown;
  oom.forever = forever;
  oom.failures = 0;
}

/* Ends that; returns how many allocations failed. */
static inline long oom_disarm(void) {
  oom.countdown = 0;
  return oom.failures;
}

/* Runs `scenario`, which returns an SQLite result code, with each of its allocations failing.
** Fails the test if it leaks, or gives anything but SQLITE_NOMEM, or SQLITE_OK: this is for the
** failures that it survives (SQLite does without some allocations), when it must have checked its
** result. Returns how many runs survived a failure. */
static inline long oom_loop(int (*scenario)(void *context), void *context) {
  long survived = 0;
  for (int forever = 0; forever <= 1; forever++) {
    bool failed = true;
    for (long countdown = 1; failed; countdown += oom.stride > 0 ? oom.stride : 1) {
      long before = oom.outstanding;
      oom_arm(countdown, forever);
      int rc = scenario(context);
      failed = oom_disarm() > 0;
      assert_int_equal(oom.outstanding, before);
      if (rc != SQLITE_NOMEM || !failed) assert_int_equal(rc, SQLITE_OK);
      survived += failed && rc == SQLITE_OK;
    }
  }
  return survived;
}

#endif
