/* status.h: what a reply that is no answer means, in one clear line: what was asked, what the
** server said, how often it was tried, what to do. */
#ifndef MLF_REMOTE_STATUS_H
#define MLF_REMOTE_STATUS_H

#include "base/error.h"
#include "model/server.h"
#include "remote/http.h"

/* The error for a reply whose status is not 200. Returns its code: SQLITE_NOTFOUND for MLflow's
** RESOURCE_DOES_NOT_EXIST and NOT_FOUND, else SQLITE_ERROR (or SQLITE_NOMEM). */
int mlf_status_error(const mlf_http *http, const char *method, const char *path,
                     const mlf_http_reply *reply, mlf_error *error);

/* The error for a reply with status 200 that is no JSON, such as the page of a login proxy. */
int mlf_status_not_json(const mlf_http *http, const char *method, const char *path,
                        const mlf_http_reply *reply, mlf_error *error);

/* Reads the reply of GET /version. Errors: it is no MLflow server, it is older than 3.2, or it has
** no workspaces and one is set. */
int mlf_status_version(const mlf_http *http, const mlf_http_reply *reply, mlf_server *server,
                       mlf_error *error);

#endif
