/* functions.h: registers the analysis functions, which need no server: percentile,
** percentile_cont, percentile_disc, median, latency_bucket, latency_class, time_bucket,
** wilson_low, wilson_high, agreement, krippendorff_alpha, differences, sparkline, bar,
** mask_message, strata, and the table function stratified_sample. */
#ifndef MLF_FUNCTIONS_FUNCTIONS_H
#define MLF_FUNCTIONS_FUNCTIONS_H

#include "base/registry.h"

/* SQLITE_OK, SQLITE_NOMEM or SQLITE_INTERRUPT. A function whose name is in use stays. The registry
** gets what mlflow_help says of them. */
int mlf_functions_register(mlf_registry *registry);

#endif
