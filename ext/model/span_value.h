/* span_value.h: reads one column's value out of a span as a server or file gave it.
**
** The span is the root of a document of its own, whose tree reaches MLF_SPAN_LEVELS down: to the
** keys of its attributes, whose values are leaves, and to the members of its events and links.
*/
#ifndef MLF_MODEL_SPAN_VALUE_H
#define MLF_MODEL_SPAN_VALUE_H

#include <stdint.h>

#include "base/error.h"
#include "base/value.h"
#include "model/catalog.h"
#include "model/json.h"

#define MLF_SPAN_LEVELS 3

/* The value of a column of the MLF_SOURCE_SPAN family that is not measured (model/span_set.h). A
** text is owned by `value`, or borrowed from the document. Errors: what has another type than
** belongs there, with its path; SQLITE_INTERRUPT; SQLITE_NOMEM. */
int mlf_span_value(const mlf_json *json, const mlf_column *column, mlf_value *value,
                   mlf_error *error);

/* A time of a span or an event, by its name in OpenTelemetry's form or in MLflow 2's: a whole
** number, a real one, or a text that holds one; 0 where there is none. */
int mlf_span_time(const mlf_json *json, const mlf_json_node *holder, const char *name,
                  const char *old_name, int64_t *ns, mlf_error *error);

#endif
