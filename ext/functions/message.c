/* message.c: mask_message(text).
**
** The text with what differs from case to case masked (analysis/mask.h): quoted text, paths, ids,
** numbers. NULL of NULL; numbers and blobs are taken as text.
*/
#include "analysis/mask.h"
#include "functions/families.h"

static void message_mask(sqlite3_context *context, int count, sqlite3_value **arguments) {
  (void)count;
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;
  const char *text = (const char *)sqlite3_value_text(arguments[0]);
  size_t length = (size_t)sqlite3_value_bytes(arguments[0]);
  mlf_buffer masked;
  mlf_buffer_init(
      &masked, (size_t)sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1));
  int rc = text ? mlf_mask_message(&masked, text, length) : SQLITE_NOMEM;
  if (rc == SQLITE_TOOBIG) {
    sqlite3_result_error_toobig(context);
  } else if (rc != SQLITE_OK) {
    sqlite3_result_error_nomem(context);
  } else if (masked.length == 0) {
    sqlite3_result_text(context, "", 0, SQLITE_STATIC);
  } else {
    size_t bytes = masked.length;
    sqlite3_result_text64(context, mlf_buffer_take(&masked), bytes, sqlite3_free, SQLITE_UTF8);
  }
  mlf_buffer_clear(&masked);
}

int mlf_message_register(mlf_registry *registry) {
  return mlf_registry_add(registry, &(mlf_registry_function){.name = "mask_message",
                                                             .arguments = 1,
                                                             .flags = MLF_FAMILIES_PURE,
                                                             .call = message_mask});
}
