# RSQLite has no way to interrupt a statement, and ends an open one when the next begins.
arguments <- commandArgs(trailingOnly = TRUE)
load <- sprintf("SELECT load_extension('%s')", arguments[1])
query <- arguments[3]
check <- arguments[4]

step <- function(name, rows = NULL) {
  cat("=", name, "\n")
  if (!is.null(rows)) {
    numbers <- sapply(rows, is.double)
    rows[numbers] <- lapply(rows[numbers], format, digits = 17, trim = TRUE)
    write.table(rows, sep = "\t", quote = FALSE, row.names = FALSE, col.names = FALSE)
  }
}

connect <- function() {
  DBI::dbConnect(RSQLite::SQLite(), ":memory:", loadable.extensions = TRUE, bigint = "character")
}

connection <- connect()
step("sqlite", DBI::dbGetQuery(connection, "SELECT sqlite_version()"))
invisible(DBI::dbGetQuery(connection, load))
step("rows", DBI::dbGetQuery(connection, query))
invisible(DBI::dbGetQuery(connection, load))
step("again", DBI::dbGetQuery(connection, check))
DBI::dbDisconnect(connection)

# Its own functions first, median among them.
connection <- connect()
RSQLite::initExtension(connection, "math")
invisible(DBI::dbGetQuery(connection, load))
step("own", DBI::dbGetQuery(connection, check))
DBI::dbDisconnect(connection)
step("closed")
