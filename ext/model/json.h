/* json.h: the one door to cJSON.
**
** A document is checked as a whole before a tree is made of it: RFC 8259 grammar to the last
** byte, at most MLF_JSON_DEPTH_MAX levels, MLF_JSON_NODES_MAX values, MLF_JSON_STRING_BYTES_MAX a
** string. Then cJSON builds the tree, and the check's record of where each value began and ended
** is tied to it. So what cJSON alone would lose is kept:
**
**   (1) integers are exact to 64 bits (they are read from the source text);
**   (2) a value's own bytes can be had as they were sent (mlf_json_raw);
**   (3) \u0000 and lone surrogates become U+FFFD in decoded text, and never lose the document;
**       bytes that are not UTF-8 likewise;
**   (4) member names are compared exactly; of duplicates the last one counts (as in Python,
**       whose client this extension agrees with);
**   (5) text after the end of the document is an error.
**
** Ownership: a document owns its text and tree; nodes, names and texts are borrowed from it. Who
** wants to keep them longer than the document's owner does holds the document.
*/
#ifndef MLF_MODEL_JSON_H
#define MLF_MODEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct mlf_json mlf_json;           /* a document */
typedef struct mlf_json_node mlf_json_node; /* a value in it */

typedef enum mlf_json_kind {
  MLF_JSON_ABSENT, /* of a NULL node */
  MLF_JSON_NULL,
  MLF_JSON_FALSE,
  MLF_JSON_TRUE,
  MLF_JSON_INTEGER, /* a number without fraction and exponent that fits int64 */
  MLF_JSON_REAL,    /* any other number */
  MLF_JSON_STRING,
  MLF_JSON_ARRAY,
  MLF_JSON_OBJECT
} mlf_json_kind;

/* Parses `text`, `length` bytes, and takes it: it is freed (sqlite3_free) with the document, or
** at once if this fails. Errors: SQLITE_NOMEM; SQLITE_TOOBIG for a limit, with a text that names
** it; SQLITE_ERROR "not JSON: WHAT at byte N", counted from 0. The texts have no prefix; the
** caller says what was asked. */
int mlf_json_parse_take(char *text, size_t length, mlf_json **out, mlf_error *error);

/* The same over a copy of borrowed text, e.g. JSON inside a JSON string. */
int mlf_json_parse(const char *text, size_t length, mlf_json **out, mlf_error *error);

/* Every hold needs a free of its own; the last free ends the document. */
mlf_json *mlf_json_hold(const mlf_json *json); /* returns `json`; NULL is allowed */
void mlf_json_free(mlf_json *json);            /* NULL is allowed */

const mlf_json_node *mlf_json_root(const mlf_json *json);

/* What follows takes NULL for "absent" and gives absent for it, so that paths can be chained. */

mlf_json_kind mlf_json_kind_of(const mlf_json *json, const mlf_json_node *node);

/* A member of an object by its exact name; NULL if there is none or `node` is no object. */
const mlf_json_node *mlf_json_member(const mlf_json_node *node, const char *name);

/* Children of an array or object in the order sent; NULL at the end, or if it has none. */
const mlf_json_node *mlf_json_first(const mlf_json_node *node);
const mlf_json_node *mlf_json_next(const mlf_json_node *node);

/* The decoded name of a member; NULL for a value that is not a member. */
const char *mlf_json_name(const mlf_json_node *node);

/* The decoded text of a string, NUL-terminated valid UTF-8; NULL if it is no string. */
const char *mlf_json_text(const mlf_json_node *node);

/* The exact integer; false if the node is not MLF_JSON_INTEGER. */
bool mlf_json_int64(const mlf_json *json, const mlf_json_node *node, int64_t *value);

/* The number as a double, correctly rounded, whatever the locale; beyond a double's range it is
** an infinity, as in Python. False if it is no number. */
bool mlf_json_double(const mlf_json *json, const mlf_json_node *node, double *value);

/* The value's bytes as they were sent, without surrounding white space. The pointer stays good as
** long as the document. NULL and length 0 for an absent node. */
const char *mlf_json_raw(const mlf_json *json, const mlf_json_node *node, size_t *length);

#endif
