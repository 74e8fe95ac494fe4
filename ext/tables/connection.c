#include "tables/connection.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"

/* What an experiment was found to be, lately. */
typedef struct connection_experiment {
  mlf_experiment_by by;
  char *asked;
  char *id;
  char *name;
  int64_t found_ms;
  int generation;
} connection_experiment;

struct mlf_connection {
  sqlite3 *db;
  int references;
  const mlf_registry_help *help; /* of the functions */
  int help_count;
  char *kept; /* the functions that loading left alone; NULL for none */
  mlf_client *client;
  mlf_statement *statements; /* that have scans open */
  mlf_surveyed *tables;
  connection_experiment experiments[MLF_EXPERIMENTS_MAX];
  int next_experiment; /* the place to be used again next */
};

/* Asks SQLite whether the statement was interrupted. There is no function for it before 3.41, but
** a statement that is run inside ours ends with SQLITE_INTERRUPT if ours is to end. This one takes
** some thousands of steps (well under a millisecond), so that a progress handler of the host,
** which counts steps, is asked as well. It needs no more of an authorizer than SQLITE_SELECT, which
** no statement of the host runs without either. */
static int connection_interrupted(void *context) {
  static const char *const sql =
      "WITH n(i) AS (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11)) "
      "SELECT 1 FROM n AS a, n AS b, n AS c WHERE a.i + b.i + c.i < 0";
  mlf_connection *connection = context;
  int rc = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
  return rc == SQLITE_INTERRUPT || rc == SQLITE_NOMEM ? rc : SQLITE_OK;
}

int mlf_connection_new(mlf_registry *registry, mlf_connection **out) {
  mlf_connection *connection = sqlite3_malloc64(sizeof(*connection));
  *out = NULL;
  if (!connection) return SQLITE_NOMEM;
  memset(connection, 0, sizeof(*connection));
  connection->db = registry->db;
  connection->references = 1;
  int rc = mlf_client_new((mlf_interrupt){.ask = connection_interrupted, .context = connection},
                          &connection->client);
  if (rc != SQLITE_OK) {
    sqlite3_free(connection);
    return rc;
  }
  connection->help = registry->help;
  connection->help_count = registry->help_count;
  connection->kept = registry->kept;
  registry->kept = NULL;
  *out = connection;
  return SQLITE_OK;
}

void mlf_connection_hold(mlf_connection *connection) {
  connection->references++;
}

static void connection_forget(connection_experiment *experiment) {
  sqlite3_free(experiment->asked);
  sqlite3_free(experiment->id);
  sqlite3_free(experiment->name);
  memset(experiment, 0, sizeof(*experiment));
}

void mlf_connection_release(void *context) {
  mlf_connection *connection = context;
  if (--connection->references > 0) return;
  for (int i = 0; i < MLF_EXPERIMENTS_MAX; i++)
    connection_forget(&connection->experiments[i]);
  mlf_client_free(connection->client);
  sqlite3_free(connection->kept);
  sqlite3_free(connection);
}

mlf_client *mlf_connection_client(mlf_connection *connection) {
  return connection->client;
}

const char *mlf_connection_kept(const mlf_connection *connection) {
  return connection->kept;
}

const mlf_registry_help *mlf_connection_function_help(const mlf_connection *connection,
                                                      int *count) {
  *count = connection->help_count;
  return connection->help;
}

int mlf_connection_join(mlf_connection *connection, const sqlite3_vtab *table,
                        mlf_statement **statement) {
  return mlf_statement_join(connection->db, connection->client, &connection->statements,
                            &connection->tables, table, statement);
}

void mlf_connection_add_table(mlf_connection *connection, mlf_surveyed *table) {
  table->next = connection->tables;
  connection->tables = table;
}

void mlf_connection_remove_table(mlf_connection *connection, mlf_surveyed *table) {
  mlf_surveyed **each = &connection->tables;
  while (*each && *each != table)
    each = &(*each)->next;
  if (*each) *each = table->next;
}

static int connection_take_integer(void *integer, int count, char **values, char **names) {
  (void)count;
  (void)names;
  *(int *)integer = values[0] && values[0][0] == '1';
  return 0;
}

bool mlf_connection_has_own_like(mlf_connection *connection) {
  int own = 0;
  /* SQLite's own LIKE ignores the case of ASCII letters alone, its GLOB none; both compare all. */
  int rc = sqlite3_exec(connection->db,
                        "SELECT NOT ('É' LIKE 'é' OR 'K' LIKE char(8490) OR 'xab' LIKE 'AB' "
                        "OR 'xab' GLOB 'ab' OR 'abx' LIKE 'AB' OR 'abx' GLOB 'ab') "
                        "AND 'abx' LIKE 'a_%' AND 'abx' GLOB 'a?*'",
                        connection_take_integer, &own, NULL);
  return rc == SQLITE_OK && own;
}

static connection_experiment *connection_recall(mlf_connection *connection, mlf_experiment_by by,
                                                const char *asked) {
  int64_t oldest_ms = mlf_clock_monotonic_ms() - MLF_EXPERIMENT_AGE_MAX_MS;
  for (int i = 0; i < MLF_EXPERIMENTS_MAX; i++) {
    connection_experiment *each = &connection->experiments[i];
    if (!each->asked || each->found_ms < oldest_ms ||
        each->generation != mlf_client_generation(connection->client))
      continue;
    if (each->by == by && strcmp(each->asked, asked) == 0) return each;
    /* However it was found: no other experiment has its name. */
    if (by == MLF_EXPERIMENT_BY_NAME && strcmp(each->name, asked) == 0) return each;
  }
  return NULL;
}

/* Remembers what was found, which is taken, in the place of what was remembered longest ago. */
static connection_experiment *connection_remember(mlf_connection *connection,
                                                  const connection_experiment *found) {
  connection_experiment *place = &connection->experiments[connection->next_experiment];
  connection->next_experiment = (connection->next_experiment + 1) % MLF_EXPERIMENTS_MAX;
  connection_forget(place);
  *place = *found;
  return place;
}

static connection_experiment connection_now(mlf_connection *connection, mlf_experiment_by by,
                                            const char *asked) {
  return (connection_experiment){.by = by,
                                 .asked = sqlite3_mprintf("%s", asked),
                                 .found_ms = mlf_clock_monotonic_ms(),
                                 .generation = mlf_client_generation(connection->client)};
}

int mlf_connection_experiment(mlf_connection *connection, mlf_budget *budget, mlf_experiment_by by,
                              const char *asked, char **id, char **name, mlf_error *error) {
  *id = *name = NULL;
  connection_experiment *known = connection_recall(connection, by, asked);
  if (!known) {
    connection_experiment found = connection_now(connection, by, asked);
    int rc =
        mlf_experiment_find(connection->client, budget, by, asked, &found.id, &found.name, error);
    if (rc != SQLITE_OK || !found.asked) {
      connection_forget(&found);
      return rc != SQLITE_OK ? rc : mlf_error_nomem(error);
    }
    known = connection_remember(connection, &found);
  }
  *id = sqlite3_mprintf("%s", known->id);
  *name = sqlite3_mprintf("%s", known->name);
  if (*id && *name) return SQLITE_OK;
  sqlite3_free(*id);
  sqlite3_free(*name);
  *id = *name = NULL;
  return mlf_error_nomem(error);
}

int mlf_connection_note_experiment(mlf_connection *connection, const char *id, const char *name) {
  connection_experiment found = connection_now(connection, MLF_EXPERIMENT_BY_ID, id);
  found.id = sqlite3_mprintf("%s", id);
  found.name = sqlite3_mprintf("%s", name);
  if (found.asked && found.id && found.name) {
    connection_remember(connection, &found);
    return SQLITE_OK;
  }
  connection_forget(&found);
  return SQLITE_NOMEM;
}

/* mlflow_version(): the version of this extension. */
static void connection_version(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)count;
  (void)values;
  sqlite3_result_text(context, MLF_VERSION, -1, SQLITE_STATIC);
}

int mlf_connection_register(mlf_registry *registry) {
  return mlf_registry_add(
      registry,
      &(mlf_registry_function){.name = "mlflow_version",
                               .flags = SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC,
                               .call = connection_version});
}
