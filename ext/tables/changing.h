/* changing.h: which of the values of a scan change from one time that it begins to the next.
**
** SQLite begins the scan of an inner loop again for each row, and opens that of a correlated
** sub-select anew: what the scan itself remembers is gone then. So the statement remembers, by the
** text of the plan, which is one text for each scan that SQLite has compiled.
*/
#ifndef MLF_TABLES_CHANGING_H
#define MLF_TABLES_CHANGING_H

#include <stdbool.h>
#include <stdint.h>

#include "tables/values.h"

typedef struct mlf_changing {
  const char *plan_text; /* borrowed: it lives as long as the statement */
  int count;
  uint64_t last[MLF_FILTER_TERMS_MAX]; /* of each term, a hash of the values it had */
  bool changes[MLF_FILTER_TERMS_MAX];  /* of each term: it has not always had the same */
  struct mlf_changing *next;
} mlf_changing;

/* Notes the values with which a scan of this plan begins; what is known of it, which `*list` keeps.
** NULL: no memory. */
const mlf_changing *mlf_changing_note(mlf_changing **list, const char *plan_text,
                                      const mlf_bound_terms *bound);

void mlf_changing_clear(mlf_changing **list);

#endif
