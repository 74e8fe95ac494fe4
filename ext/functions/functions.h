/* functions.h: registers the analysis functions, which need no server: percentile,
** percentile_cont, percentile_disc, median, latency_bucket, latency_class, time_bucket,
** wilson_low, wilson_high, agreement, krippendorff_alpha, differences, sparkline, bar,
** mask_message, strata, and the table function stratified_sample. */
#ifndef MLF_FUNCTIONS_FUNCTIONS_H
#define MLF_FUNCTIONS_FUNCTIONS_H

#include "base/sqlite_api.h"

/* Returns an SQLite result code. */
int mlf_functions_register(sqlite3 *db);

#endif
