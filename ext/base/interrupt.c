#include "base/interrupt.h"

#include "base/clock.h"
#include "base/limits.h"

int mlf_interrupt_poll(mlf_interrupt *interrupt, mlf_error *error) {
  int64_t now_ms = mlf_clock_monotonic_ms();
  if (!interrupt || now_ms < interrupt->next_ms) return SQLITE_OK;
  int rc = interrupt->ask(interrupt->context);
  if (rc != SQLITE_OK) return mlf_error_set(error, rc, "stopped");
  interrupt->next_ms = now_ms + MLF_INTERRUPT_POLL_MS;
  return SQLITE_OK;
}
