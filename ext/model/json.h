/* json.h: JSON documents as trees, and the one door to cJSON.
**
** model/json_reader.h reads a document once, to its last byte; each value that it comes to becomes
** an item of a cJSON tree at once, and where it began and ended is noted. So what cJSON's own
** parser would lose is kept:
**
**   (1) integers are exact to 64 bits (they are read from the source text);
**   (2) a value's own bytes can be had as they were sent (mlf_json_raw);
**   (3) in decoded text, \u0000 and lone surrogates, which text cannot carry, stay the escapes that
**       they are, and bytes that are not UTF-8 become U+FFFD; neither loses the document;
**   (4) member names are compared exactly; of duplicates the last one counts (as in Python, whose
**       client this extension agrees with);
**   (5) text after the end of the document is an error.
**
** The tree reaches down to the level that the caller asks for. An array or object below that is a
** leaf: it has bytes and no children, and can be opened as a document of its own. So a reply of
** many megabytes costs its text and little more, and values may be as deep as they like.
**
** Ownership: a document owns its text and tree, and holds the one it was opened from; nodes, names
** and texts are borrowed from it. Who wants to keep them longer than the document's owner does
** holds the document.
*/
#ifndef MLF_MODEL_JSON_H
#define MLF_MODEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/value.h"
#include "model/json_reader.h"

typedef struct mlf_json mlf_json;           /* a document */
typedef struct mlf_json_node mlf_json_node; /* a value in it */

typedef enum mlf_json_kind {
  MLF_JSON_ABSENT, /* of a NULL node; it and null stand first */
  MLF_JSON_NULL,
  MLF_JSON_FALSE,
  MLF_JSON_TRUE,
  MLF_JSON_INTEGER, /* a number without fraction and exponent that fits int64 */
  MLF_JSON_REAL,    /* any other number */
  MLF_JSON_STRING,
  MLF_JSON_ARRAY,
  MLF_JSON_OBJECT
} mlf_json_kind;

/* Who has sent a document, as far as errors about it are concerned. */
typedef struct mlf_json_sender {
  /* What it says, to be shown: a copy, as one line of at most `bytes_max` bytes; NULL: no memory */
  char *(*quote)(void *context, const char *text, size_t bytes_max);
  /* Takes notice that the document with this tag is not what was asked for, and why */
  void (*refused)(void *context, int64_t tag, const char *why);
  void *context;
} mlf_json_sender;

/* How to read a document. All zero: JSON, a tree of all that most documents have. */
typedef struct mlf_json_options {
  int levels;  /* how far down the tree reaches; 1: the root's members are its leaves; 0:
                  MLF_JSON_LEVELS_MAX */
  bool python; /* take NaN, Infinity and -Infinity, as Python writes them, for null, and a byte
                  order mark at the beginning */
  mlf_interrupt *interrupt;      /* borrowed; must outlive the document */
  const mlf_json_sender *sender; /* NULL: nobody who knows a secret; borrowed as well */
} mlf_json_options;

/* Parses `text`, `length` bytes, and takes it: it is freed (sqlite3_free) with the document, or
** at once if this fails. Errors: SQLITE_NOMEM; SQLITE_INTERRUPT; SQLITE_TOOBIG for a limit, with a
** text that names it; SQLITE_ERROR "not JSON: WHAT at byte N", counted from 0. The texts have no
** prefix; the caller says what was asked. */
int mlf_json_parse_take(char *text, size_t length, mlf_json_options options, mlf_json **out,
                        mlf_error *error);

/* The same over a copy of borrowed text, e.g. JSON inside a JSON string. */
int mlf_json_parse(const char *text, size_t length, mlf_json_options options, mlf_json **out,
                   mlf_error *error);

/* A leaf as a document of its own, which holds this one and reads on as this one does. */
int mlf_json_open(const mlf_json *json, const mlf_json_node *leaf, int levels, mlf_json **out,
                  mlf_error *error);

/* Every hold needs a free of its own; the last free ends the document. */
mlf_json *mlf_json_hold(const mlf_json *json); /* returns `json`; NULL is allowed */
void mlf_json_free(mlf_json *json);            /* NULL is allowed */

const mlf_json_node *mlf_json_root(const mlf_json *json);

/* A text of the document, to be shown in an error: a copy without our secrets, as one line of at
** most `bytes_max` bytes. Free with sqlite3_free. NULL: no memory. */
char *mlf_json_quote(const mlf_json *json, const char *text, size_t bytes_max);

/* Tells its sender that the document is not what was asked for; not an error without text. */
void mlf_json_refuse(const mlf_json *json, const mlf_error *why);

/* A number of the caller's own, which opened documents inherit; -1 unless set. */
void mlf_json_set_tag(mlf_json *json, int64_t tag);
int64_t mlf_json_tag(const mlf_json *json);

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

/* A reader over the bytes of a node that is there; it reads as the document was read. */
void mlf_json_read_node(const mlf_json *json, const mlf_json_node *node, mlf_json_reader *reader);

/* Typed ways into a document that somebody else has written: a member that is absent or null gives
** NULL; one of another type than wanted is SQLITE_ERROR with its path, as in "traces[3].spans is a
** number, where an array belongs". So nothing of a wrong shape passes for nothing at all. */
int mlf_json_get_array(const mlf_json *json, const mlf_json_node *object, const char *name,
                       const mlf_json_node **array, mlf_error *error);
int mlf_json_get_object(const mlf_json *json, const mlf_json_node *object, const char *name,
                        const mlf_json_node **member, mlf_error *error);
int mlf_json_get_text(const mlf_json *json, const mlf_json_node *object, const char *name,
                      const char **text, mlf_error *error);
int mlf_json_get_boolean(const mlf_json *json, const mlf_json_node *object, const char *name,
                         mlf_value *value, mlf_error *error);

/* Requires a node that is there to be an object. */
int mlf_json_want_object(const mlf_json *json, const mlf_json_node *node, mlf_error *error);

/* Records "PATH is a KIND, where WANTED belongs" for a node of the document; returns the code. */
int mlf_json_misshapen(const mlf_json *json, const mlf_json_node *node, const char *wanted,
                       mlf_error *error);

#endif
