/* fuzz_retry_after.c: any header value and any body that a server may send with a failure. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "remote/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the status, the rest is both header and body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int statuses[] = {429, 500, 503, 404};
  static const int64_t now_ms = 1795000000000;
  if (size == 0) return 0;
  char *text = malloc(size);
  if (!text) return 0;
  memcpy(text, data + 1, size - 1);
  text[size - 1] = 0;

  int64_t wait_ms = 0;
  if (mlf_retry_after_parse(text, now_ms, &wait_ms) && wait_ms < 0) abort();
  mlf_retry_attempt attempt = {.fault = MLF_RETRY_REPLY,
                               .attempts = 1 + data[0] / 4 % 4,
                               .status = statuses[data[0] % 4],
                               .retry_after = text,
                               .body = text,
                               .body_length = size - 1};
  mlf_retry_verdict verdict = mlf_retry_decide(&attempt, 3, 0.5, now_ms, UINT32_MAX, &wait_ms);
  if (verdict == MLF_RETRY_STOP && wait_ms != 0) abort();
  if (verdict == MLF_RETRY_AGAIN && (wait_ms < 0 || wait_ms > MLF_RETRY_AFTER_MAX_MS)) abort();
  if (verdict == MLF_RETRY_TOO_LONG && wait_ms <= MLF_RETRY_AFTER_MAX_MS) abort();
  free(text);
  return 0;
}
