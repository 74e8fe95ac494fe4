/* json_python.h: JSON as Python writes it.
**
** Python's json.dumps writes numbers that JSON does not have, NaN, Infinity and -Infinity, and so
** they are in the files that MLflow keeps of traces. Its server does not let them through where
** it writes protobuf's JSON, so this is for files alone.
*/
#ifndef MLF_MODEL_JSON_PYTHON_H
#define MLF_MODEL_JSON_PYTHON_H

#include <stddef.h>

/* `text` with null in place of these words where they are not part of a string; the rest is not
** looked at. NUL-terminated, free with sqlite3_free. NULL: no memory. */
char *mlf_json_python_plain(const char *text, size_t length, size_t *plain_length);

#endif
