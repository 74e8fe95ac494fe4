/* decode_assessment.h: reads one column's value out of an assessment as the server sent it. */
#ifndef MLF_MODEL_DECODE_ASSESSMENT_H
#define MLF_MODEL_DECODE_ASSESSMENT_H

#include "base/value.h"
#include "model/catalog.h"
#include "model/json.h"

/* The value of `column` in `assessment`, a member of a trace in `page`; the column is one of the
** MLF_SOURCE_ASSESSMENT family. Absent and null give NULL. A text is owned by `value`, or borrowed
** from `page`. Errors: what has another type than belongs there, or is no time where one belongs,
** with its path; SQLITE_INTERRUPT; SQLITE_NOMEM. */
int mlf_assessment_value(const mlf_json *page, const mlf_json_node *assessment,
                         const mlf_column *column, mlf_value *value, mlf_error *error);

#endif
