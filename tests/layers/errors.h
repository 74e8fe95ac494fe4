/* errors.h: tells clang's analyser, which sees one file at a time, that what these return is never
** SQLITE_OK. Without it each error looks as if it could be a success. */
#include "base/error.h"

#define mlf_error_nomem(error)          (mlf_error_nomem(error), SQLITE_NOMEM)
#define mlf_error_set(error, code, ...) (mlf_error_set(error, code, __VA_ARGS__), SQLITE_ERROR)
