/* span_set.h: the spans of one trace, in whichever form the server gave them.
**
** (1) OpenTelemetry's JSON, from traces/batchGet: ids in base64, attributes a list of keys and
**     values (model/otlp.h); what is zero or empty is left out;
** (2) a trace's file, from get-trace-artifact: the same, but attributes are an object of texts that
**     hold JSON as Python writes it, and ids and status are as the writing version of MLflow had
**     them;
** (3) a file older than MLflow 3: `context`, `parent_id`, `start_time`, `status_code`.
**
** All give the same columns, which say what MLflow's Python client says of a span: ids in hex,
** times exact to the nanosecond, inputs, outputs and attributes as JSON in its canonical form
** (model/json_write.h). What the trace's time was spent on comes from model/span_tree.h.
**
** What is kept of a span is small: its ids, times and measures. Its own document is opened when one
** of its other columns is read, one span at a time.
*/
#ifndef MLF_MODEL_SPAN_SET_H
#define MLF_MODEL_SPAN_SET_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/value.h"
#include "model/catalog.h"
#include "model/json.h"

typedef struct mlf_span_set mlf_span_set;

/* Reads `spans`, an array in `json` whose elements are leaves, and holds `json`. Spans are put in
** the order of their starts; of those that start together, in the order sent. Times may be whole or
** real numbers or texts, and before 1970; an empty id is one of zeros, as for the client. Errors: a
** span without an id, or in a file without a start; what has another type than belongs there, with
** its path; SQLITE_INTERRUPT; SQLITE_NOMEM. */
int mlf_span_set_new(const mlf_json *json, const mlf_json_node *spans, mlf_span_set **out,
                     mlf_error *error);
void mlf_span_set_free(mlf_span_set *set); /* NULL is allowed */

size_t mlf_span_set_count(const mlf_span_set *set);

/* The span whose inputs and outputs are the trace's request and response: the first one sent that
** has no parent. SIZE_MAX if there is none. */
size_t mlf_span_set_root(const mlf_span_set *set);

/* Its place among the spans by their ids, those with one id by their starts: the same in whatever
** order they were sent, unless two with one id start together. */
size_t mlf_span_set_rank(const mlf_span_set *set, size_t index);

/* The value of a column of the MLF_SOURCE_SPAN family. A text is owned by `value`, or borrowed
** until the next call. Errors as of mlf_span_value (model/span_value.h). */
int mlf_span_set_value(mlf_span_set *set, size_t index, const mlf_column *column, mlf_value *value,
                       mlf_error *error);

#endif
