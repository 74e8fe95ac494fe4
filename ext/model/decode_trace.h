/* decode_trace.h: reads one column's value out of a trace as the server sent it. */
#ifndef MLF_MODEL_DECODE_TRACE_H
#define MLF_MODEL_DECODE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/value.h"
#include "model/catalog.h"
#include "model/json.h"

/* How far down the tree of a trace reaches, and of a page {"traces": […]} of them: to what an
** assessment is made of. */
#define MLF_TRACE_LEVELS  5
#define MLF_TRACES_LEVELS (MLF_TRACE_LEVELS + 2)

/* The value of `column` in `trace`, a member of `page`. Absent and null give NULL. A text is owned
** by `value`, or borrowed from `page`. What is asked, and what is of a span or an assessment, is
** not in a trace: NULL. Errors: what has another type than belongs there, or is no time where one
** belongs, with its path; SQLITE_INTERRUPT; SQLITE_NOMEM. */
int mlf_trace_value(const mlf_json *page, const mlf_json_node *trace, const mlf_column *column,
                    mlf_value *value, mlf_error *error);

/* Checks the fields that a walk stands on: the id, the experiment and the time, which is put into
** `*ms`. Errors as above, and one for each that is missing. */
int mlf_trace_check(const mlf_json *page, const mlf_json_node *trace, int64_t *ms,
                    mlf_error *error);

/* These fields of a trace that was checked; NULL or false of any other. */
const char *mlf_trace_id(const mlf_json_node *trace);
const char *mlf_trace_experiment_id(const mlf_json_node *trace);
bool mlf_trace_timestamp(const mlf_json_node *trace, int64_t *ms);

/* Where the server says that its spans are; NULL if it does not. */
const char *mlf_trace_spans_location(const mlf_json_node *trace);

/* The number that a member of the JSON object is, in the place of the text that holds it; NULL of
** any other text, for whoever logged the trace wrote it. SQLITE_OK, SQLITE_INTERRUPT or
** SQLITE_NOMEM. */
int mlf_trace_item(const char *item, mlf_value *value, mlf_error *error);

/* The member `name` of `object` as a time in milliseconds, which RFC 3339 text is; NULL if absent.
** Errors as above. */
int mlf_trace_time_of(const mlf_json *page, const mlf_json_node *object, const char *name,
                      mlf_value *value, mlf_error *error);

#endif
