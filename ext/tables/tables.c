#include "tables/tables.h"

#include "tables/connect.h"
#include "tables/connection.h"
#include "tables/listing.h"
#include "tables/metrics_table.h"
#include "tables/trace_table.h"

int mlf_tables_are_registered(sqlite3 *db, bool *are) {
  return mlf_connect_is_registered(db, are);
}

int mlf_tables_register(mlf_registry *registry) {
  sqlite3 *db = registry->db;
  mlf_connection *connection;
  int rc = mlf_connection_register(registry);
  if (rc == SQLITE_OK) rc = mlf_connection_new(registry, &connection);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_listing_register(db, connection, &mlf_listing_experiments);
  if (rc == SQLITE_OK) rc = mlf_listing_register(db, connection, &mlf_listing_requests);
  if (rc == SQLITE_OK) rc = mlf_listing_register(db, connection, &mlf_listing_settings);
  if (rc == SQLITE_OK) rc = mlf_listing_register(db, connection, &mlf_listing_help);
  if (rc == SQLITE_OK) rc = mlf_trace_table_register(db, connection, &mlf_trace_rows_traces);
  if (rc == SQLITE_OK) rc = mlf_trace_table_register(db, connection, &mlf_trace_rows_spans);
  if (rc == SQLITE_OK) rc = mlf_trace_table_register(db, connection, &mlf_trace_rows_assessments);
  if (rc == SQLITE_OK) rc = mlf_metrics_table_register(db, connection);
  /* Last, as the mark of a whole load. After one that failed, the next load makes each table anew,
  ** for one connection with this function. */
  if (rc == SQLITE_OK) rc = mlf_connect_register(registry, connection);
  mlf_connection_release(connection);
  return rc;
}
