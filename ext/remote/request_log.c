#include "remote/request_log.h"

#include <string.h>

#include "base/sqlite_api.h"

static void request_log_drop(mlf_request_row *row) {
  sqlite3_free(row->filter);
  sqlite3_free(row->error);
  sqlite3_free(row->trace_id);
  sqlite3_free(row->note);
  memset(row, 0, sizeof(*row));
}

int64_t mlf_request_log_add(mlf_request_log *log, mlf_request_row row) {
  mlf_request_row *slot = &log->rows[log->count % MLF_REQUEST_LOG_ROWS];
  request_log_drop(slot);
  *slot = row;
  return log->count++;
}

int64_t mlf_request_log_oldest(const mlf_request_log *log) {
  return log->count > MLF_REQUEST_LOG_ROWS ? log->count - MLF_REQUEST_LOG_ROWS : 0;
}

mlf_request_row *mlf_request_log_find(mlf_request_log *log, int64_t number) {
  if (number >= log->count || number < mlf_request_log_oldest(log)) return NULL;
  return &log->rows[number % MLF_REQUEST_LOG_ROWS];
}

void mlf_request_log_clear(mlf_request_log *log) {
  for (int i = 0; i < MLF_REQUEST_LOG_ROWS; i++)
    request_log_drop(&log->rows[i]);
  log->count = 0;
}
