/* clock.h: what time is it? */
#ifndef MLF_BASE_CLOCK_H
#define MLF_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of a clock that nobody sets: for waits and limits. */
int64_t mlf_clock_monotonic_ms(void);

/* Unix time in milliseconds. */
int64_t mlf_clock_unix_ms(void);

#endif
