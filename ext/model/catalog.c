#include "model/catalog.h"

#include <string.h>

#include "base/sqlite_api.h"

#define TOKENS "mlflow.trace.tokenUsage"
#define COST   "mlflow.trace.cost"
#define SIZE   "mlflow.trace.sizeStats"

#define INPUTS      "mlflow.spanInputs"
#define OUTPUTS     "mlflow.spanOutputs"
#define SPAN_TOKENS "mlflow.chat.tokenUsage"
#define SPAN_COST   "mlflow.llm.cost"

#define VISIBLE false
#define HIDDEN  true

static const mlf_column catalog_traces[] = {
    {"trace_id", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "trace_id", NULL, MLF_KEY_TRACE_ID,
     "attributes.request_id", VISIBLE, "id of the trace", NULL},
    {"experiment_id", MLF_TYPE_TEXT, MLF_SOURCE_EXPERIMENT_ID, NULL, NULL, MLF_KEY_EXPERIMENT_ID,
     NULL, VISIBLE, "id of the experiment", NULL},
    {"name", MLF_TYPE_TEXT, MLF_SOURCE_TAG, "mlflow.traceName", NULL, MLF_KEY_NAME,
     "attributes.name", VISIBLE, "name of the trace, mostly that of its root span", NULL},
    {"status", MLF_TYPE_TEXT, MLF_SOURCE_STATUS, "state", NULL, MLF_KEY_STRING, "attributes.status",
     VISIBLE, "OK, ERROR, IN_PROGRESS or STATE_UNSPECIFIED",
     "SELECT status, count(*) FROM mlflow_traces GROUP BY status"},
    {"timestamp_ms", MLF_TYPE_INTEGER, MLF_SOURCE_TIMESTAMP, NULL, NULL, MLF_KEY_TIMESTAMP,
     "attributes.timestamp_ms", VISIBLE, "when the trace began, in Unix milliseconds",
     "SELECT trace_id FROM mlflow_traces ORDER BY timestamp_ms DESC LIMIT 5"},
    {"execution_time_ms", MLF_TYPE_INTEGER, MLF_SOURCE_DURATION, NULL, NULL, MLF_KEY_NUMBER,
     "attributes.execution_time_ms", VISIBLE, "how long it took, in milliseconds; NULL if unknown",
     NULL},
    {"end_time_ms", MLF_TYPE_INTEGER, MLF_SOURCE_END_TIME, NULL, NULL, MLF_KEY_END_TIME,
     "attributes.end_time_ms", VISIBLE, "when it ended, in Unix milliseconds; NULL if unknown",
     NULL},
    {"session_id", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, "mlflow.trace.session", NULL,
     MLF_KEY_METADATA, "mlflow.trace.session", VISIBLE, "the conversation that it belongs to",
     NULL},
    {"user_id", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, "mlflow.trace.user", NULL, MLF_KEY_METADATA,
     "mlflow.trace.user", VISIBLE, "the user whose request it was", NULL},
    {"run_id", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, MLF_TRACE_RUN, NULL, MLF_KEY_RUN,
     "attributes.run_id", VISIBLE, "the run that logged it; in_run finds linked traces, too", NULL},
    {"model_id", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, "mlflow.modelId", NULL, MLF_KEY_METADATA,
     "mlflow.modelId", VISIBLE, "the logged model that made it", NULL},
    {"client_request_id", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "client_request_id", NULL, MLF_KEY_STRING,
     "attributes.client_request_id", VISIBLE, "id that the application gave the request", NULL},
    {"input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, TOKENS, "input_tokens",
     MLF_KEY_NONE, NULL, VISIBLE, "tokens that went into models", NULL},
    {"output_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, TOKENS, "output_tokens",
     MLF_KEY_NONE, NULL, VISIBLE, "tokens that models wrote", NULL},
    {"total_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, TOKENS, "total_tokens",
     MLF_KEY_NONE, NULL, VISIBLE, "tokens of both kinds", NULL},
    {"cache_read_input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, TOKENS,
     "cache_read_input_tokens", MLF_KEY_NONE, NULL, VISIBLE, "input tokens that a cache gave",
     NULL},
    {"cache_creation_input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, TOKENS,
     "cache_creation_input_tokens", MLF_KEY_NONE, NULL, VISIBLE, "input tokens that a cache took",
     NULL},
    {"input_cost", MLF_TYPE_REAL, MLF_SOURCE_METADATA_ITEM, COST, "input_cost", MLF_KEY_NONE, NULL,
     VISIBLE, "US dollars for the input", NULL},
    {"output_cost", MLF_TYPE_REAL, MLF_SOURCE_METADATA_ITEM, COST, "output_cost", MLF_KEY_NONE,
     NULL, VISIBLE, "US dollars for the output", NULL},
    {"total_cost", MLF_TYPE_REAL, MLF_SOURCE_METADATA_ITEM, COST, "total_cost", MLF_KEY_NONE, NULL,
     VISIBLE, "US dollars in all", NULL},
    {"span_count", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, SIZE, "num_spans", MLF_KEY_NONE,
     NULL, VISIBLE, "how many spans it has", NULL},
    {"size_bytes", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_INTEGER, "mlflow.trace.sizeBytes", NULL,
     MLF_KEY_NONE, NULL, VISIBLE, "how large it is, in bytes", NULL},
    {"request_preview", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "request_preview", NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "the begin of the request: costs no request more", NULL},
    {"response_preview", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "response_preview", NULL, MLF_KEY_NONE,
     NULL, VISIBLE, "the begin of the response: costs no request more", NULL},
    {"request", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_JSON, INPUTS, NULL, MLF_KEY_NONE, NULL, VISIBLE,
     "inputs of the root span, whole, as JSON; read only where needed: spans are fetched for it",
     "SELECT substr(request, 1, 200) FROM mlflow_traces WHERE status = 'ERROR' ORDER BY "
     "timestamp_ms DESC LIMIT 2"},
    {"response", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_JSON, OUTPUTS, NULL, MLF_KEY_NONE, NULL, VISIBLE,
     "outputs of the root span, whole, as JSON; read only where needed: spans are fetched for it",
     NULL},
    {"tags", MLF_TYPE_TEXT, MLF_SOURCE_JSON, "tags", "{}", MLF_KEY_NONE, NULL, VISIBLE,
     "all tags, a JSON object: tags ->> 'environment'",
     "SELECT tags ->> 'environment' AS environment, count(*) FROM mlflow_traces GROUP BY 1"},
    {"metadata", MLF_TYPE_TEXT, MLF_SOURCE_JSON, "trace_metadata", "{}", MLF_KEY_NONE, NULL,
     VISIBLE, "all metadata, a JSON object", NULL},
    {"assessments", MLF_TYPE_TEXT, MLF_SOURCE_JSON, "assessments", "[]", MLF_KEY_NONE, NULL,
     VISIBLE, "all assessments, a JSON array; as rows in mlflow_assessments", NULL},
    {"experiment", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_EXPERIMENT, NULL, HIDDEN,
     "name of the experiment; with = or IN it says which to read",
     "SELECT count(*) FROM mlflow_traces WHERE experiment = 'Default'"},
    {"filter", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_FILTER, NULL, HIDDEN,
     "a filter in MLflow's own language, for what SQL cannot say; with = alone",
     "SELECT trace_id FROM mlflow_traces WHERE filter = 'span.type = ''TOOL''' LIMIT 5"},
    {"in_run", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_IN_RUN, NULL, HIDDEN,
     "id of a run: its traces, also those that were linked to it later; with = alone", NULL},
    {"request_time", MLF_TYPE_TEXT, MLF_SOURCE_REQUEST_TIME, NULL, NULL, MLF_KEY_REQUEST_TIME, NULL,
     HIDDEN, "when the trace began, as UTC text 'YYYY-MM-DD HH:MM:SS.SSS': compares with dates",
     "SELECT trace_id FROM mlflow_traces WHERE request_time >= datetime('now', '-1 day')"},
    {"span_error", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_ERROR, NULL, NULL, MLF_KEY_NONE, NULL, HIDDEN,
     "why its spans cannot be read; NULL if they can", NULL},
    {"state", MLF_TYPE_TEXT, MLF_SOURCE_STATUS, "state", NULL, MLF_KEY_STRING, "attributes.status",
     HIDDEN, "the same as status", NULL},
    {"execution_duration", MLF_TYPE_INTEGER, MLF_SOURCE_DURATION, NULL, NULL, MLF_KEY_NUMBER,
     "attributes.execution_time_ms", HIDDEN, "the same as execution_time_ms", NULL},
    {"row_key", MLF_TYPE_TEXT, MLF_SOURCE_ROW_KEY, NULL, NULL, MLF_KEY_NONE, NULL, HIDDEN,
     "tells rows of a trace apart, for SQLite's own use", NULL},
};

static const mlf_column catalog_spans[] = {
    {"trace_id", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "trace_id", NULL, MLF_KEY_TRACE_ID,
     "attributes.request_id", VISIBLE, "id of the trace; joins mlflow_traces",
     "SELECT s.name, s.status FROM mlflow_traces AS t JOIN mlflow_spans AS s USING (trace_id) "
     "WHERE t.status = 'ERROR' LIMIT 20"},
    {"span_id", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_ID, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE,
     "id of the span, unique within the trace", NULL},
    {"parent_span_id", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_PARENT, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "the span that called this one; NULL for a root", NULL},
    {"experiment_id", MLF_TYPE_TEXT, MLF_SOURCE_EXPERIMENT_ID, NULL, NULL, MLF_KEY_EXPERIMENT_ID,
     NULL, VISIBLE, "id of the experiment", NULL},
    {"name", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_NAME, NULL, NULL, MLF_KEY_SPAN, "span.name", VISIBLE,
     "name of the span", NULL},
    {"span_type", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_TYPE, "mlflow.spanType", NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "CHAT_MODEL, TOOL, RETRIEVER, AGENT, ...; UNKNOWN if nobody said", NULL},
    {"status", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_STATUS, NULL, NULL, MLF_KEY_SPAN, "span.status",
     VISIBLE, "OK, ERROR or UNSET", NULL},
    {"status_message", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_MESSAGE, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "what was said of an error", NULL},
    {"start_time_ns", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_START, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "when it began, in Unix nanoseconds", NULL},
    {"end_time_ns", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_END, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE,
     "when it ended, in Unix nanoseconds; NULL while in progress", NULL},
    {"duration_ms", MLF_TYPE_REAL, MLF_SOURCE_SPAN_DURATION, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "how long it took, in milliseconds", NULL},
    {"depth", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_DEPTH, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE,
     "0 for a root, 1 for its children, ...", NULL},
    {"child_count", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_CHILDREN, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "how many spans it called itself", NULL},
    {"self_time_ms", MLF_TYPE_REAL, MLF_SOURCE_SPAN_SELF, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE,
     "milliseconds in which none of its children ran", NULL},
    {"critical_path_ms", MLF_TYPE_REAL, MLF_SOURCE_SPAN_CRITICAL, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "milliseconds that the whole trace waited for this span itself",
     "SELECT span_type, round(sum(critical_path_ms)) AS ms FROM mlflow_spans GROUP BY span_type "
     "ORDER BY ms DESC"},
    {"model_name", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_ATTRIBUTE, "mlflow.llm.model", NULL, MLF_KEY_NONE,
     NULL, VISIBLE, "the model that was called", NULL},
    {"model_provider", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_ATTRIBUTE, "mlflow.llm.provider", NULL,
     MLF_KEY_NONE, NULL, VISIBLE, "who serves the model", NULL},
    {"input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_TOKENS, "input_tokens",
     MLF_KEY_NONE, NULL, VISIBLE, "tokens that went into models", NULL},
    {"output_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_TOKENS, "output_tokens",
     MLF_KEY_NONE, NULL, VISIBLE, "tokens that models wrote", NULL},
    {"total_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_TOKENS, "total_tokens",
     MLF_KEY_NONE, NULL, VISIBLE, "tokens of both kinds", NULL},
    {"cache_read_input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_TOKENS,
     "cache_read_input_tokens", MLF_KEY_NONE, NULL, VISIBLE, "input tokens that a cache gave",
     NULL},
    {"cache_creation_input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_TOKENS,
     "cache_creation_input_tokens", MLF_KEY_NONE, NULL, VISIBLE, "input tokens that a cache took",
     NULL},
    {"input_cost", MLF_TYPE_REAL, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_COST, "input_cost", MLF_KEY_NONE,
     NULL, VISIBLE, "US dollars for the input", NULL},
    {"output_cost", MLF_TYPE_REAL, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_COST, "output_cost",
     MLF_KEY_NONE, NULL, VISIBLE, "US dollars for the output", NULL},
    {"total_cost", MLF_TYPE_REAL, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_COST, "total_cost", MLF_KEY_NONE,
     NULL, VISIBLE, "US dollars in all", NULL},
    {"exception_type", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_EXCEPTION, "exception.type", NULL,
     MLF_KEY_NONE, NULL, VISIBLE, "class of the last exception", NULL},
    {"exception_message", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_EXCEPTION, "exception.message", NULL,
     MLF_KEY_NONE, NULL, VISIBLE, "text of the last exception", NULL},
    {"inputs", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_JSON, INPUTS, NULL, MLF_KEY_NONE, NULL, VISIBLE,
     "what went in, as JSON", NULL},
    {"outputs", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_JSON, OUTPUTS, NULL, MLF_KEY_NONE, NULL, VISIBLE,
     "what came out, as JSON", NULL},
    {"attributes", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_ATTRIBUTES, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "all attributes, a JSON object", NULL},
    {"events", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_EVENTS, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE,
     "events such as exceptions, a JSON array", NULL},
    {"links", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_LINKS, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE,
     "links to other spans, a JSON array", NULL},
    {"timestamp_ms", MLF_TYPE_INTEGER, MLF_SOURCE_TIMESTAMP, NULL, NULL, MLF_KEY_TIMESTAMP,
     "attributes.timestamp_ms", VISIBLE, "when the trace began, in Unix milliseconds", NULL},
    {"experiment", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_EXPERIMENT, NULL, HIDDEN,
     "name of the experiment; with = or IN it says which to read", NULL},
    {"filter", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_FILTER, NULL, HIDDEN,
     "a filter in MLflow's own language, for what SQL cannot say; with = alone", NULL},
    {"in_run", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_IN_RUN, NULL, HIDDEN,
     "id of a run: its traces, also those that were linked to it later; with = alone", NULL},
    {"request_time", MLF_TYPE_TEXT, MLF_SOURCE_REQUEST_TIME, NULL, NULL, MLF_KEY_REQUEST_TIME, NULL,
     HIDDEN, "when the trace began, as UTC text 'YYYY-MM-DD HH:MM:SS.SSS': compares with dates",
     NULL},
    {"row_key", MLF_TYPE_TEXT, MLF_SOURCE_ROW_KEY, NULL, NULL, MLF_KEY_NONE, NULL, HIDDEN,
     "tells rows of a trace apart, for SQLite's own use", NULL},
};

static const mlf_column catalog_assessments[] = {
    {"assessment_id", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "assessment_id", NULL,
     MLF_KEY_NONE, NULL, VISIBLE, "id of the assessment", NULL},
    {"trace_id", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "trace_id", NULL, MLF_KEY_TRACE_ID,
     "attributes.request_id", VISIBLE, "id of the trace; joins mlflow_traces", NULL},
    {"span_id", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "span_id", NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "the span that it is about; NULL for the whole trace", NULL},
    {"experiment_id", MLF_TYPE_TEXT, MLF_SOURCE_EXPERIMENT_ID, NULL, NULL, MLF_KEY_EXPERIMENT_ID,
     NULL, VISIBLE, "id of the experiment", NULL},
    {"name", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "assessment_name", NULL,
     MLF_KEY_ASSESSMENT_NAME, NULL, VISIBLE,
     "name of the scorer or question; sent together with assessment_type and valid = 1",
     "SELECT trace_id, value, rationale FROM mlflow_assessments WHERE name = 'correctness' AND "
     "assessment_type = 'feedback' AND valid = 1"},
    {"assessment_type", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TYPE, NULL, NULL,
     MLF_KEY_ASSESSMENT_TYPE, NULL, VISIBLE,
     "feedback, expectation or issue; sent together with name and valid = 1", NULL},
    {"value", MLF_TYPE_ANY, MLF_SOURCE_ASSESSMENT_VALUE, NULL, NULL, MLF_KEY_ASSESSMENT_VALUE, NULL,
     VISIBLE,
     "the verdict: text, number, 1 or 0 for true or false, or JSON; a text is sent beside name",
     NULL},
    {"value_json", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_VALUE_JSON, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "the verdict as JSON, which tells true, 1 and \"1\" apart", NULL},
    {"value_num", MLF_TYPE_ANY, MLF_SOURCE_ASSESSMENT_VALUE_NUMBER, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "the verdict as a number; NULL if it is none", NULL},
    {"rationale", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "rationale", NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "why, in the rater's words", NULL},
    {"error_code", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_ERROR, "error_code", NULL, MLF_KEY_NONE,
     NULL, VISIBLE, "of a scorer that crashed", NULL},
    {"error_message", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_ERROR, "error_message", NULL,
     MLF_KEY_NONE, NULL, VISIBLE, "of a scorer that crashed", NULL},
    {"source_type", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "source", "source_type",
     MLF_KEY_NONE, NULL, VISIBLE, "HUMAN, LLM_JUDGE or CODE", NULL},
    {"source_id", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "source", "source_id", MLF_KEY_NONE,
     NULL, VISIBLE, "who: a person, a judge, a function", NULL},
    {"run_id", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "metadata", MLF_ASSESSMENT_RUN,
     MLF_KEY_NONE, NULL, VISIBLE, "the evaluation run that made it", NULL},
    {"create_time_ms", MLF_TYPE_INTEGER, MLF_SOURCE_ASSESSMENT_TIME, "create_time", NULL,
     MLF_KEY_NONE, NULL, VISIBLE, "when it was made, in Unix milliseconds", NULL},
    {"last_update_time_ms", MLF_TYPE_INTEGER, MLF_SOURCE_ASSESSMENT_TIME, "last_update_time", NULL,
     MLF_KEY_NONE, NULL, VISIBLE, "when it was last changed, in Unix milliseconds", NULL},
    {"valid", MLF_TYPE_INTEGER, MLF_SOURCE_ASSESSMENT_VALID, NULL, NULL, MLF_KEY_ASSESSMENT_VALID,
     NULL, VISIBLE,
     "1; 0 once another has overridden it; sent together with name and assessment_type", NULL},
    {"overrides", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "overrides", NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "id of the assessment that this one overrides", NULL},
    {"metadata", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_METADATA, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE, "its metadata, a JSON object", NULL},
    {"timestamp_ms", MLF_TYPE_INTEGER, MLF_SOURCE_TIMESTAMP, NULL, NULL, MLF_KEY_TIMESTAMP,
     "attributes.timestamp_ms", VISIBLE, "when the trace began, in Unix milliseconds", NULL},
    {"trace_run_id", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, MLF_TRACE_RUN, NULL, MLF_KEY_RUN,
     "attributes.run_id", HIDDEN, "the run that logged the trace", NULL},
    {"experiment", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_EXPERIMENT, NULL, HIDDEN,
     "name of the experiment; with = or IN it says which to read", NULL},
    {"filter", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_FILTER, NULL, HIDDEN,
     "a filter in MLflow's own language, for what SQL cannot say; with = alone", NULL},
    {"in_run", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_IN_RUN, NULL, HIDDEN,
     "id of a run: its traces, also those that were linked to it later; with = alone", NULL},
    {"request_time", MLF_TYPE_TEXT, MLF_SOURCE_REQUEST_TIME, NULL, NULL, MLF_KEY_REQUEST_TIME, NULL,
     HIDDEN, "when the trace began, as UTC text 'YYYY-MM-DD HH:MM:SS.SSS': compares with dates",
     NULL},
    {"row_key", MLF_TYPE_TEXT, MLF_SOURCE_ROW_KEY, NULL, NULL, MLF_KEY_NONE, NULL, HIDDEN,
     "tells rows of a trace apart, for SQLite's own use", NULL},
};

bool mlf_source_is_span(mlf_source source) {
  return source >= MLF_SOURCE_SPAN && source < MLF_SOURCE_ASSESSMENT;
}

bool mlf_key_is_argument(mlf_key_kind kind) {
  return kind == MLF_KEY_EXPERIMENT || kind == MLF_KEY_FILTER || kind == MLF_KEY_IN_RUN;
}

bool mlf_key_is_experiment(mlf_key_kind kind) {
  return kind == MLF_KEY_EXPERIMENT || kind == MLF_KEY_EXPERIMENT_ID;
}

static int catalog_init(mlf_schema *schema, const mlf_column *columns, size_t bytes) {
  schema->columns = sqlite3_malloc64(bytes);
  if (!schema->columns) return SQLITE_NOMEM;
  memcpy(schema->columns, columns, bytes);
  schema->column_count = (int)(bytes / sizeof(*columns));
  return SQLITE_OK;
}

int mlf_schema_init_traces(mlf_schema *schema) {
  *schema = (mlf_schema){.table = "mlflow_traces", .rows_per_trace = 1};
  return catalog_init(schema, catalog_traces, sizeof(catalog_traces));
}

int mlf_schema_init_spans(mlf_schema *schema) {
  *schema = (mlf_schema){.table = "mlflow_spans", .rows_per_trace = 10, .needs_spans = true};
  return catalog_init(schema, catalog_spans, sizeof(catalog_spans));
}

int mlf_schema_init_assessments(mlf_schema *schema) {
  *schema = (mlf_schema){.table = "mlflow_assessments", .rows_per_trace = 2};
  return catalog_init(schema, catalog_assessments, sizeof(catalog_assessments));
}

void mlf_schema_clear(mlf_schema *schema) {
  for (int i = 0; i < schema->string_count; i++)
    sqlite3_free(schema->strings[i]);
  sqlite3_free(schema->strings);
  sqlite3_free(schema->columns);
  memset(schema, 0, sizeof(*schema));
}

int mlf_schema_find(const mlf_schema *schema, const char *name) {
  for (int i = 0; i < schema->column_count; i++) {
    if (sqlite3_stricmp(schema->columns[i].name, name) == 0) return i;
  }
  return -1;
}

/* Makes room for one column and two strings more. */
static int catalog_reserve(mlf_schema *schema) {
  sqlite3_uint64 columns = (sqlite3_uint64)schema->column_count + 1;
  sqlite3_uint64 strings = (sqlite3_uint64)schema->string_count + 2;
  mlf_column *grown = sqlite3_realloc64(schema->columns, columns * sizeof(*grown));
  if (!grown) return SQLITE_NOMEM;
  schema->columns = grown;
  char **grown_strings = sqlite3_realloc64(schema->strings, strings * sizeof(*grown_strings));
  if (!grown_strings) return SQLITE_NOMEM;
  schema->strings = grown_strings;
  return SQLITE_OK;
}

/* Keeps a string as long as the schema; NULL in, NULL out. */
static char *catalog_keep(mlf_schema *schema, char *text) {
  if (text) schema->strings[schema->string_count++] = text;
  return text;
}

int mlf_schema_declare(mlf_schema *schema, const char *prefix, const char *key, const char *name,
                       mlf_error *error) {
  if (catalog_reserve(schema) != SQLITE_OK) return mlf_error_nomem(error);
  char *own_key = catalog_keep(schema, sqlite3_mprintf("%s", key));
  char *own_name = catalog_keep(schema, name ? sqlite3_mprintf("%s", name)
                                             : sqlite3_mprintf("%s.%s", prefix, key));
  if (!own_key || !own_name) return mlf_error_nomem(error);
  if (mlf_schema_find(schema, own_name) >= 0) {
    return mlf_error_set(error, SQLITE_ERROR,
                         "%s: there is a column \"%s\" already; give this one another name with AS",
                         schema->table, own_name);
  }
  mlf_column column = {.name = own_name, .path = own_key, .key = own_key};
  if (strcmp(prefix, "tags") == 0) {
    column.source = MLF_SOURCE_TAG;
    column.key_kind = MLF_KEY_TAG;
  } else if (strcmp(prefix, "metadata") == 0) {
    column.source = MLF_SOURCE_METADATA;
    column.key_kind = MLF_KEY_METADATA;
  } else {
    column.source = MLF_SOURCE_FEEDBACK;
    column.key_kind = MLF_KEY_FEEDBACK;
    column.type = MLF_TYPE_ANY;
  }
  schema->columns[schema->column_count++] = column;
  return SQLITE_OK;
}

const char *mlf_column_type_name(mlf_column_type type) {
  static const char *const names[] = {"TEXT", "INTEGER", "REAL", ""};
  return names[type];
}

bool mlf_column_is_key(const mlf_column *column) {
  return column->key_kind == MLF_KEY_TRACE_ID || column->source == MLF_SOURCE_ROW_KEY;
}

char *mlf_columns_declaration(const mlf_column *columns, int count) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  sqlite3_str_appendall(text, "CREATE TABLE x(");
  for (int i = 0; i < count; i++)
    sqlite3_str_appendf(text, "%s\"%w\" %s%s%s", i ? ", " : "", columns[i].name,
                        mlf_column_type_name(columns[i].type), columns[i].hidden ? " HIDDEN" : "",
                        mlf_column_is_key(&columns[i]) ? " NOT NULL" : "");
  bool keyed = false;
  for (int i = 0; i < count; i++) {
    if (!mlf_column_is_key(&columns[i])) continue;
    sqlite3_str_appendf(text, "%s\"%w\"", keyed ? ", " : ", PRIMARY KEY(", columns[i].name);
    keyed = true;
  }
  sqlite3_str_appendall(text, keyed ? ")) WITHOUT ROWID" : ")");
  return sqlite3_str_finish(text);
}

char *mlf_schema_declaration(const mlf_schema *schema) {
  return mlf_columns_declaration(schema->columns, schema->column_count);
}
