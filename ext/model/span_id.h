/* span_id.h: the ids of spans and traces, in the forms in which servers and files have them.
**
** OpenTelemetry's JSON has the bytes in base64; MLflow 3.5's files and the client have hex, older
** files hex that begins with 0x.
*/
#ifndef MLF_MODEL_SPAN_ID_H
#define MLF_MODEL_SPAN_ID_H

#include <stdbool.h>
#include <stddef.h>

#define MLF_SPAN_ID_BYTES  8
#define MLF_TRACE_ID_BYTES 16

/* Writes base64 of `bytes` bytes, a number that 3 does not divide, as lower-case hex, with a NUL.
** False if `sent` is something else; `hex` is then of no use. */
bool mlf_span_id_from_base64(const char *sent, size_t bytes, char *hex);

/* A span's id as the client writes it, 16 digits of lower-case hex: in `hex`, or `sent` itself if
** it is in no form that is known. NULL if there is none (NULL or empty). */
const char *mlf_span_id(const char *sent, char hex[2 * MLF_SPAN_ID_BYTES + 1]);

#endif
