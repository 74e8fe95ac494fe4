/* json_reader.h: reads JSON text token by token, and tells where each token begins and ends.
**
**   {"a": [1, "x"]}   OBJECT, NAME "a", ARRAY, NUMBER 1, STRING "x", ARRAY_END, OBJECT_END, END
**
** All of JSON goes through here: documents (model/json.h), and values that are written anew
** (model/json_write.h, model/otlp.h) without a tree. The grammar is RFC 8259's to the last byte.
** White space may surround the document, a byte order mark may not. Bytes that are not UTF-8 are
** allowed inside strings and nowhere else. There is no recursion: the memory that a
** reader needs does not hang on the text.
*/
#ifndef MLF_MODEL_JSON_READER_H
#define MLF_MODEL_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/limits.h"

typedef enum mlf_json_token {
  MLF_JSON_TOKEN_END, /* of the text */
  MLF_JSON_TOKEN_OBJECT,
  MLF_JSON_TOKEN_OBJECT_END,
  MLF_JSON_TOKEN_ARRAY,
  MLF_JSON_TOKEN_ARRAY_END,
  MLF_JSON_TOKEN_NAME, /* of a member; its value is the next token */
  MLF_JSON_TOKEN_STRING,
  MLF_JSON_TOKEN_NUMBER,
  MLF_JSON_TOKEN_NO_NUMBER, /* NaN, Infinity or -Infinity, which Python writes and JSON lacks */
  MLF_JSON_TOKEN_TRUE,
  MLF_JSON_TOKEN_FALSE,
  MLF_JSON_TOKEN_NULL
} mlf_json_token;

typedef struct mlf_json_reader {
  const char *text; /* borrowed */
  size_t length;
  bool python;              /* take NaN, Infinity and -Infinity; false unless set */
  mlf_interrupt *interrupt; /* borrowed; NULL unless set */
  size_t begin; /* offsets of the token that was read; of a name and a string, with the quotes */
  size_t end;
  bool plain; /* of a name or string: it is valid UTF-8 and has no escapes */
  int depth;  /* containers open after the token */
  /* The reader's own. */
  size_t at;
  size_t poll_at; /* where to ask next whether to go on */
  int expects;
  unsigned char objects[MLF_JSON_DEPTH_MAX / 8 + 1]; /* which of the open containers are objects */
} mlf_json_reader;

/* Puts a reader at the beginning of a text. */
void mlf_json_reader_init(mlf_json_reader *reader, const char *text, size_t length);

/* Reads the next token. Errors: SQLITE_ERROR "not JSON: WHAT at byte N", counted from 0;
** SQLITE_TOOBIG for more than MLF_JSON_DEPTH_MAX levels; SQLITE_INTERRUPT; SQLITE_NOMEM. */
int mlf_json_reader_next(mlf_json_reader *reader, mlf_json_token *token, mlf_error *error);

/* Reads on to the end of the value that the latest token began; a scalar has ended already. */
int mlf_json_reader_skip(mlf_json_reader *reader, mlf_json_token token, mlf_error *error);

/* The code unit of an escape \uXXXX at `text`; -1 if there is none. */
int mlf_json_code_unit(const char *text, size_t length);

#endif
