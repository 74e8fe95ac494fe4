/* families.h: the families of functions, a file each.
**
** All of them are deterministic but time_bucket with a zone (the local zone is the machine's), and
** innocuous: they work in views and indexes of files that are not trusted.
*/
#ifndef MLF_FUNCTIONS_FAMILIES_H
#define MLF_FUNCTIONS_FAMILIES_H

#include <stdint.h>

#include "base/error.h"
#include "base/sqlite_api.h"

#define MLF_FAMILIES_PURE (SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS)

int mlf_percentile_register(sqlite3 *db);        /* percentile and its kin, median */
int mlf_latency_register(sqlite3 *db);           /* latency_bucket, latency_class */
int mlf_time_register(sqlite3 *db);              /* time_bucket */
int mlf_rate_register(sqlite3 *db);              /* wilson_low, wilson_high */
int mlf_agreement_register(sqlite3 *db);         /* agreement, krippendorff_alpha */
int mlf_differences_register(sqlite3 *db);       /* differences */
int mlf_picture_register(sqlite3 *db);           /* sparkline, bar */
int mlf_message_register(sqlite3 *db);           /* mask_message */
int mlf_strata_register(sqlite3 *db);            /* strata, strata_merge */
int mlf_stratified_sample_register(sqlite3 *db); /* the table function stratified_sample */

#endif
