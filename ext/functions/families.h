/* families.h: registers the families of functions; each has a file.
**
** All are innocuous: they work in views and indexes of files that are not trusted. All are
** deterministic, except time_bucket with a zone, because the local zone depends on the machine.
*/
#ifndef MLF_FUNCTIONS_FAMILIES_H
#define MLF_FUNCTIONS_FAMILIES_H

#include <stdint.h>

#include "base/error.h"
#include "base/registry.h"
#include "base/sqlite_api.h"

#define MLF_FAMILIES_PURE (SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS)

int mlf_percentile_register(mlf_registry *registry);  /* percentile and its kin, median */
int mlf_latency_register(mlf_registry *registry);     /* latency_bucket, latency_class */
int mlf_time_register(mlf_registry *registry);        /* time_bucket */
int mlf_rate_register(mlf_registry *registry);        /* wilson_low, wilson_high */
int mlf_agreement_register(mlf_registry *registry);   /* agreement, krippendorff_alpha */
int mlf_differences_register(mlf_registry *registry); /* differences */
int mlf_picture_register(mlf_registry *registry);     /* sparkline, bar */
int mlf_message_register(mlf_registry *registry);     /* mask_message */
int mlf_strata_register(mlf_registry *registry);      /* strata, strata_merge */
int mlf_stratified_sample_register(
    mlf_registry *registry); /* the table function stratified_sample */

#endif
