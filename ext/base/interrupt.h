/* interrupt.h: has the person pressed Ctrl-C? Whoever waits or works for long asks. */
#ifndef MLF_BASE_INTERRUPT_H
#define MLF_BASE_INTERRUPT_H

#include <stdint.h>

#include "base/error.h"

typedef struct mlf_interrupt {
  /* SQLITE_OK to go on, or SQLITE_INTERRUPT (or another code) to stop. */
  int (*ask)(void *context);
  void *context;
  int64_t next_ms; /* when to ask again, on the monotonic clock; 0 at first */
} mlf_interrupt;

/* Asks, unless it was asked within the last MLF_INTERRUPT_POLL_MS. NULL is never interrupted. */
int mlf_interrupt_poll(mlf_interrupt *interrupt, mlf_error *error);

#endif
