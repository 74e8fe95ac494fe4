/* test_payload_reply.c: what remote/payload_reply.h promises of an archive; the rest is in
** test_payloads.c. */
#include "remote/payload_reply.h"

#include <string.h>

#include "oom.h"

static mlf_json *document(const char *text) {
  mlf_json *json;
  mlf_error error = {0};
  assert_int_equal(mlf_json_parse(text, strlen(text), (mlf_json_options){0}, &json, &error),
                   SQLITE_OK);
  return json;
}

#define TRACE(place, stats)                                                                        \
  "{\"trace_id\":\"t1\",\"tags\":{\"mlflow.trace.spansLocation\":\"" place                         \
  "\"},\"trace_metadata\":{\"mlflow.trace.sizeStats\":\"" stats "\"}}"
#define SAYS(count) "{\\\"num_spans\\\":" count "}"
#define REPLY(id)                                                                                  \
  "{\"traces\":[{\"trace_info\":{\"trace_id\":\"t0\"}},"                                           \
  "{\"trace_info\":{\"trace_id\":\"" id "\"}}]}"

/* A server that does not reach its archive leaves the spans out, and says nothing. */
static void an_archive_out_of_reach_is_the_traces_fault(void **state) {
  static const struct {
    const char *trace, *reply, *error;
  } cases[] = {
      {TRACE("ARCHIVE_REPO", SAYS("3")), REPLY("t1"), "the server sends none of its 3 spans: "},
      {TRACE("ARCHIVE_REPO", SAYS("0")), REPLY("t1"), NULL},
      {TRACE("ARCHIVE_REPO", SAYS("null")), REPLY("t1"), NULL},
      {TRACE("ARCHIVE_REPO", "what?"), REPLY("t1"), NULL},
      {TRACE("ARCHIVE_REPO", SAYS("3")), REPLY("t2"), NULL}, /* it is not there at all */
      {TRACE("TRACKING_STORE", SAYS("3")), REPLY("t1"), NULL},
      {"{\"trace_id\":\"t1\"}", REPLY("t1"), NULL},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    mlf_error error = {0};
    mlf_json *trace = document(cases[i].trace), *reply = document(cases[i].reply);
    int rc = mlf_payload_reply_check(reply, mlf_json_root(trace), &error);
    assert_int_equal(rc, cases[i].error ? SQLITE_CORRUPT : SQLITE_OK);
    if (cases[i].error) assert_memory_equal(error.text, cases[i].error, strlen(cases[i].error));
    mlf_error_clear(&error);
    mlf_json_free(reply);
    mlf_json_free(trace);
  }
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_archive_out_of_reach_is_the_traces_fault),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
