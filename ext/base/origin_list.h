/* origin_list.h: a list of origins in one text, as MLFLOW_SQL_HOSTS has it:
**
**   https://traces.example.com, http://127.0.0.1:5000
**
** Commas or blanks stand between. Each is scheme, host and port alone.
*/
#ifndef MLF_BASE_ORIGIN_LIST_H
#define MLF_BASE_ORIGIN_LIST_H

#include <stdbool.h>

#include "base/error.h"

/* SQLITE_OK, SQLITE_NOMEM, or SQLITE_ERROR with a text that begins with `name` for a list with a
** member that is no origin. */
int mlf_origin_list_check(const char *list, const char *name, mlf_error *error);

/* Whether the origin of an address is in the list; NULL is the empty list. SQLITE_OK or
** SQLITE_NOMEM. */
int mlf_origin_list_has(const char *list, const char *address, bool *has);

#endif
