/* decode_trace.h: reads one column's value out of a trace as the server sent it. */
#ifndef MLF_MODEL_DECODE_TRACE_H
#define MLF_MODEL_DECODE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/value.h"
#include "model/catalog.h"
#include "model/json.h"

/* The value of `column` in `trace`, a member of `page`. Absent and null give NULL, and so does an
** optional field of the wrong type. Texts are borrowed from `page`, or from `scratch` for
** MLF_SOURCE_REQUEST_TIME. What is asked, and what is of a span or an assessment, is not in a
** trace: NULL.
** SQLITE_OK or SQLITE_NOMEM. */
int mlf_trace_value(const mlf_json *page, const mlf_json_node *trace, const mlf_column *column,
                    char scratch[32], mlf_value *value);

/* The fields that a walk stands on; NULL or false if missing or of the wrong type. */
const char *mlf_trace_id(const mlf_json_node *trace);
const char *mlf_trace_experiment_id(const mlf_json_node *trace);
bool mlf_trace_timestamp(const mlf_json_node *trace, int64_t *ms);

#endif
