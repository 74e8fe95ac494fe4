/* proxy.h: which proxy does libcurl take on its way to the server, and which variable names it?
**
** Only for messages: libcurl does not tell. Its rules: https_proxy for an https address, http_proxy
** for an http address, else all_proxy; but for http_proxy, which a CGI script's caller could set as
** a header, also in capitals.
*/
#ifndef MLF_REMOTE_PROXY_H
#define MLF_REMOTE_PROXY_H

#include <stdbool.h>

#define MLF_PROXY_BYTES_MAX 160

/* Writes "the proxy 10.0.0.1:3128 (https_proxy)" into `text`, never a user or password.
** False if no variable names a proxy for this address, or if `port`, to which the connection was
** (0: none was tried), is not that proxy's: then no_proxy spares this host. */
bool mlf_proxy_describe(const char *address, int port, char text[MLF_PROXY_BYTES_MAX]);

#endif
