/* stratify_state.h: how does a state of a sample travel as a BLOB?
**
** Version 1. Integers are little-endian; everything is in the order of mlf_stratify_finish, so that
** equal states are equal BLOBs:
**
**   head      4 bytes "MLFS", 4 bytes version, 4 bytes size, 8 bytes seed, 4 bytes number of strata
**   stratum   value, 8 bytes population, 4 bytes number of keys, a value each
**   value     1 byte type, and what it says:
**             'n' NULL, nothing; 'i' INTEGER, 8 bytes; 'r' REAL, the 8 bytes of IEEE 754;
**             't' TEXT and 'b' BLOB, 4 bytes length and the bytes
*/
#ifndef MLF_ANALYSIS_STRATIFY_STATE_H
#define MLF_ANALYSIS_STRATIFY_STATE_H

#include <stddef.h>

#include "analysis/stratify.h"
#include "base/buffer.h"

/* Appends a finished state. SQLITE_OK or the buffer's error. */
int mlf_stratify_state_write(const mlf_stratify *state, mlf_buffer *out);

/* Reads a state that is then finished; `state` is all zero before, and can be cleared after any
** result. Whatever the bytes, the result is a state that rows could have made, or SQLITE_ERROR with
** a text that says what is wrong; or SQLITE_NOMEM. */
int mlf_stratify_state_read(const void *bytes, size_t length, mlf_stratify *state,
                            mlf_error *error);

#endif
