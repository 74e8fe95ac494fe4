/* allocate.h: how many of the sample's rows does each stratum get?
**
**   equal         All strata get the same number. If a stratum has too few keys, the other strata
**                 get the rest.
**   proportional  A stratum gets the quota size * N_h / N, rounded by largest remainders
**                 (Hamilton's method). A stratum whose quota is below one gets one; the others
**                 share the rest.
**   pattern6      Each stratum gets size / number of strata, rounded down. What is left over,
**                 and what a stratum has no keys for, goes to no other stratum.
**
** The first two rules hand out exactly min(size, sum of the capacities). If there are more strata
** than that, the strata with the largest populations get one each. A tie goes to the larger
** population, then to the earlier stratum. (Proportional: W. G. Cochran, Sampling Techniques, 3rd
** edition, 5.5.)
*/
#ifndef MLF_ANALYSIS_ALLOCATE_H
#define MLF_ANALYSIS_ALLOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mlf_allocate_rule {
  MLF_ALLOCATE_EQUAL,
  MLF_ALLOCATE_PROPORTIONAL,
  MLF_ALLOCATE_PATTERN6
} mlf_allocate_rule;

/* Finds a rule by its name, in any case of letters. False if no rule has this name. */
bool mlf_allocate_read(const char *name, mlf_allocate_rule *rule);

/* The name of a rule. */
const char *mlf_allocate_name(mlf_allocate_rule rule);

typedef struct mlf_allocate_stratum {
  int64_t population; /* above 0; all together at most 2^43 */
  int64_t capacity;   /* how many keys it can give: at most the population, at most 1,000,000 */
  int64_t given;      /* the answer */
} mlf_allocate_stratum;

/* Hands out `size`, at most 1,000,000. SQLITE_OK or SQLITE_NOMEM. */
int mlf_allocate_run(mlf_allocate_rule rule, int64_t size, mlf_allocate_stratum *strata,
                     size_t count);

#endif
