/* envelope.h: what is around the things that a reply brings: a list by its name, and the token of
** the page after it.
**
**   {"traces": [{…}, {…}], "next_page_token": "…"}
**
** MLflow leaves out a list that is empty, so `{}` has no traces. What is not of this form is never
** taken for an empty list: a gateway that answers `{"message": "please log in"}` with status 200 is
** an error, and so is a token that is a number.
*/
#ifndef MLF_REMOTE_ENVELOPE_H
#define MLF_REMOTE_ENVELOPE_H

#include "base/error.h"
#include "model/json.h"

/* The list's array, NULL if it is left out, and the token, NULL on the last page (token may be NULL
** where there are no pages). Its elements are objects. Errors: another form, with its path or with
** what the reply holds instead. */
int mlf_envelope_list(const mlf_json *json, const char *name, const mlf_json_node **list,
                      const char **token, mlf_error *error);

/* The one object that a reply brings. Errors likewise, and one if it is not there. */
int mlf_envelope_object(const mlf_json *json, const char *name, const mlf_json_node **object,
                        mlf_error *error);

#endif
