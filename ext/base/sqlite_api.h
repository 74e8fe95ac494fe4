/* sqlite_api.h: the one door to SQLite.
**
** In the loadable extension every sqlite3_* call goes through the table of functions that the
** host hands over at load (mlflow.c holds it); in the unit tests SQLITE_CORE is defined and the
** same calls go straight to the library.
*/
#ifndef MLF_BASE_SQLITE_API_H
#define MLF_BASE_SQLITE_API_H

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#endif
