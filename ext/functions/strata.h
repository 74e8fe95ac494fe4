/* strata.h: reads what strata() made. */
#ifndef MLF_FUNCTIONS_STRATA_H
#define MLF_FUNCTIONS_STRATA_H

#include "analysis/stratify.h"
#include "base/sqlite_api.h"

/* Reads the state of a sample from an SQL value, as mlf_stratify_state_read does, with its errors.
** An SQL value that is not a BLOB is an error, too. */
int mlf_strata_read(sqlite3_value *argument, mlf_stratify *state, mlf_error *error);

#endif
