/* integer_bound.h: a comparison with any value, over columns that hold whole numbers.
**
** x < 1.5 is x <= 1, x >= '7' is x >= 7, and x = 1.5 is nothing that could be said.
*/
#ifndef MLF_QUERY_INTEGER_BOUND_H
#define MLF_QUERY_INTEGER_BOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/value.h"
#include "query/plan.h"

/* Makes the comparison `op value` one with a whole number, and `*op` what that needs; false if it
** has no such form. */
bool mlf_integer_bound(const mlf_value *value, mlf_op *op, int64_t *integer);

#endif
