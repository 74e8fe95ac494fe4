/* json_write.h: writes JSON text. */
#ifndef MLF_MODEL_JSON_WRITE_H
#define MLF_MODEL_JSON_WRITE_H

#include <stddef.h>

#include "base/sqlite_api.h"

/* Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void mlf_json_write_text(sqlite3_str *out, const char *text, size_t length);

#endif
