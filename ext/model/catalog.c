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
     "attributes.request_id", VISIBLE},
    {"experiment_id", MLF_TYPE_TEXT, MLF_SOURCE_EXPERIMENT_ID, NULL, NULL, MLF_KEY_EXPERIMENT_ID,
     NULL, VISIBLE},
    {"name", MLF_TYPE_TEXT, MLF_SOURCE_TAG, "mlflow.traceName", NULL, MLF_KEY_NAME,
     "attributes.name", VISIBLE},
    {"status", MLF_TYPE_TEXT, MLF_SOURCE_STATUS, "state", NULL, MLF_KEY_STRING, "attributes.status",
     VISIBLE},
    {"timestamp_ms", MLF_TYPE_INTEGER, MLF_SOURCE_TIMESTAMP, NULL, NULL, MLF_KEY_TIMESTAMP,
     "attributes.timestamp_ms", VISIBLE},
    {"execution_time_ms", MLF_TYPE_INTEGER, MLF_SOURCE_DURATION, NULL, NULL, MLF_KEY_NUMBER,
     "attributes.execution_time_ms", VISIBLE},
    {"end_time_ms", MLF_TYPE_INTEGER, MLF_SOURCE_END_TIME, NULL, NULL, MLF_KEY_END_TIME,
     "attributes.end_time_ms", VISIBLE},
    {"session_id", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, "mlflow.trace.session", NULL,
     MLF_KEY_METADATA, "mlflow.trace.session", VISIBLE},
    {"user_id", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, "mlflow.trace.user", NULL, MLF_KEY_METADATA,
     "mlflow.trace.user", VISIBLE},
    {"run_id", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, MLF_TRACE_RUN, NULL, MLF_KEY_RUN,
     "attributes.run_id", VISIBLE},
    {"model_id", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, "mlflow.modelId", NULL, MLF_KEY_METADATA,
     "mlflow.modelId", VISIBLE},
    {"client_request_id", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "client_request_id", NULL, MLF_KEY_STRING,
     "attributes.client_request_id", VISIBLE},
    {"input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, TOKENS, "input_tokens",
     MLF_KEY_NONE, NULL, VISIBLE},
    {"output_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, TOKENS, "output_tokens",
     MLF_KEY_NONE, NULL, VISIBLE},
    {"total_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, TOKENS, "total_tokens",
     MLF_KEY_NONE, NULL, VISIBLE},
    {"cache_read_input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, TOKENS,
     "cache_read_input_tokens", MLF_KEY_NONE, NULL, VISIBLE},
    {"cache_creation_input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, TOKENS,
     "cache_creation_input_tokens", MLF_KEY_NONE, NULL, VISIBLE},
    {"input_cost", MLF_TYPE_REAL, MLF_SOURCE_METADATA_ITEM, COST, "input_cost", MLF_KEY_NONE, NULL,
     VISIBLE},
    {"output_cost", MLF_TYPE_REAL, MLF_SOURCE_METADATA_ITEM, COST, "output_cost", MLF_KEY_NONE,
     NULL, VISIBLE},
    {"total_cost", MLF_TYPE_REAL, MLF_SOURCE_METADATA_ITEM, COST, "total_cost", MLF_KEY_NONE, NULL,
     VISIBLE},
    {"span_count", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_ITEM, SIZE, "num_spans", MLF_KEY_NONE,
     NULL, VISIBLE},
    {"size_bytes", MLF_TYPE_INTEGER, MLF_SOURCE_METADATA_INTEGER, "mlflow.trace.sizeBytes", NULL,
     MLF_KEY_NONE, NULL, VISIBLE},
    {"request_preview", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "request_preview", NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"response_preview", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "response_preview", NULL, MLF_KEY_NONE,
     NULL, VISIBLE},
    {"request", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_JSON, INPUTS, NULL, MLF_KEY_NONE, NULL, VISIBLE},
    {"response", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_JSON, OUTPUTS, NULL, MLF_KEY_NONE, NULL, VISIBLE},
    {"tags", MLF_TYPE_TEXT, MLF_SOURCE_JSON, "tags", "{}", MLF_KEY_NONE, NULL, VISIBLE},
    {"metadata", MLF_TYPE_TEXT, MLF_SOURCE_JSON, "trace_metadata", "{}", MLF_KEY_NONE, NULL,
     VISIBLE},
    {"assessments", MLF_TYPE_TEXT, MLF_SOURCE_JSON, "assessments", "[]", MLF_KEY_NONE, NULL,
     VISIBLE},
    {"experiment", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_EXPERIMENT, NULL, HIDDEN},
    {"filter", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_FILTER, NULL, HIDDEN},
    {"in_run", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_IN_RUN, NULL, HIDDEN},
    {"request_time", MLF_TYPE_TEXT, MLF_SOURCE_REQUEST_TIME, NULL, NULL, MLF_KEY_REQUEST_TIME, NULL,
     HIDDEN},
    {"span_error", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_ERROR, NULL, NULL, MLF_KEY_NONE, NULL, HIDDEN},
    {"state", MLF_TYPE_TEXT, MLF_SOURCE_STATUS, "state", NULL, MLF_KEY_STRING, "attributes.status",
     HIDDEN},
    {"execution_duration", MLF_TYPE_INTEGER, MLF_SOURCE_DURATION, NULL, NULL, MLF_KEY_NUMBER,
     "attributes.execution_time_ms", HIDDEN},
};

static const mlf_column catalog_spans[] = {
    {"trace_id", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "trace_id", NULL, MLF_KEY_TRACE_ID,
     "attributes.request_id", VISIBLE},
    {"span_id", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_ID, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE},
    {"parent_span_id", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_PARENT, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"experiment_id", MLF_TYPE_TEXT, MLF_SOURCE_EXPERIMENT_ID, NULL, NULL, MLF_KEY_EXPERIMENT_ID,
     NULL, VISIBLE},
    {"name", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_NAME, NULL, NULL, MLF_KEY_SPAN, "span.name", VISIBLE},
    {"span_type", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_TYPE, "mlflow.spanType", NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"status", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_STATUS, NULL, NULL, MLF_KEY_SPAN, "span.status",
     VISIBLE},
    {"status_message", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_MESSAGE, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"start_time_ns", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_START, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"end_time_ns", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_END, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE},
    {"duration_ms", MLF_TYPE_REAL, MLF_SOURCE_SPAN_DURATION, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"depth", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_DEPTH, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE},
    {"child_count", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_CHILDREN, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"self_time_ms", MLF_TYPE_REAL, MLF_SOURCE_SPAN_SELF, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE},
    {"critical_path_ms", MLF_TYPE_REAL, MLF_SOURCE_SPAN_CRITICAL, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"model_name", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_ATTRIBUTE, "mlflow.llm.model", NULL, MLF_KEY_NONE,
     NULL, VISIBLE},
    {"model_provider", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_ATTRIBUTE, "mlflow.llm.provider", NULL,
     MLF_KEY_NONE, NULL, VISIBLE},
    {"input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_TOKENS, "input_tokens",
     MLF_KEY_NONE, NULL, VISIBLE},
    {"output_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_TOKENS, "output_tokens",
     MLF_KEY_NONE, NULL, VISIBLE},
    {"total_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_TOKENS, "total_tokens",
     MLF_KEY_NONE, NULL, VISIBLE},
    {"cache_read_input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_TOKENS,
     "cache_read_input_tokens", MLF_KEY_NONE, NULL, VISIBLE},
    {"cache_creation_input_tokens", MLF_TYPE_INTEGER, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_TOKENS,
     "cache_creation_input_tokens", MLF_KEY_NONE, NULL, VISIBLE},
    {"input_cost", MLF_TYPE_REAL, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_COST, "input_cost", MLF_KEY_NONE,
     NULL, VISIBLE},
    {"output_cost", MLF_TYPE_REAL, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_COST, "output_cost",
     MLF_KEY_NONE, NULL, VISIBLE},
    {"total_cost", MLF_TYPE_REAL, MLF_SOURCE_SPAN_ATTRIBUTE, SPAN_COST, "total_cost", MLF_KEY_NONE,
     NULL, VISIBLE},
    {"exception_type", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_EXCEPTION, "exception.type", NULL,
     MLF_KEY_NONE, NULL, VISIBLE},
    {"exception_message", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_EXCEPTION, "exception.message", NULL,
     MLF_KEY_NONE, NULL, VISIBLE},
    {"inputs", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_JSON, INPUTS, NULL, MLF_KEY_NONE, NULL, VISIBLE},
    {"outputs", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_JSON, OUTPUTS, NULL, MLF_KEY_NONE, NULL, VISIBLE},
    {"attributes", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_ATTRIBUTES, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"events", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_EVENTS, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE},
    {"links", MLF_TYPE_TEXT, MLF_SOURCE_SPAN_LINKS, NULL, NULL, MLF_KEY_NONE, NULL, VISIBLE},
    {"timestamp_ms", MLF_TYPE_INTEGER, MLF_SOURCE_TIMESTAMP, NULL, NULL, MLF_KEY_TIMESTAMP,
     "attributes.timestamp_ms", VISIBLE},
    {"experiment", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_EXPERIMENT, NULL, HIDDEN},
    {"filter", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_FILTER, NULL, HIDDEN},
    {"in_run", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_IN_RUN, NULL, HIDDEN},
    {"request_time", MLF_TYPE_TEXT, MLF_SOURCE_REQUEST_TIME, NULL, NULL, MLF_KEY_REQUEST_TIME, NULL,
     HIDDEN},
};

static const mlf_column catalog_assessments[] = {
    {"assessment_id", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "assessment_id", NULL,
     MLF_KEY_NONE, NULL, VISIBLE},
    {"trace_id", MLF_TYPE_TEXT, MLF_SOURCE_TEXT, "trace_id", NULL, MLF_KEY_TRACE_ID,
     "attributes.request_id", VISIBLE},
    {"span_id", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "span_id", NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"experiment_id", MLF_TYPE_TEXT, MLF_SOURCE_EXPERIMENT_ID, NULL, NULL, MLF_KEY_EXPERIMENT_ID,
     NULL, VISIBLE},
    {"name", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "assessment_name", NULL,
     MLF_KEY_ASSESSMENT_NAME, NULL, VISIBLE},
    {"assessment_type", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TYPE, NULL, NULL,
     MLF_KEY_ASSESSMENT_TYPE, NULL, VISIBLE},
    {"value", MLF_TYPE_ANY, MLF_SOURCE_ASSESSMENT_VALUE, NULL, NULL, MLF_KEY_ASSESSMENT_VALUE, NULL,
     VISIBLE},
    {"value_json", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_VALUE_JSON, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"value_num", MLF_TYPE_ANY, MLF_SOURCE_ASSESSMENT_VALUE_NUMBER, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"rationale", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "rationale", NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"error_code", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_ERROR, "error_code", NULL, MLF_KEY_NONE,
     NULL, VISIBLE},
    {"error_message", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_ERROR, "error_message", NULL,
     MLF_KEY_NONE, NULL, VISIBLE},
    {"source_type", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "source", "source_type",
     MLF_KEY_NONE, NULL, VISIBLE},
    {"source_id", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "source", "source_id", MLF_KEY_NONE,
     NULL, VISIBLE},
    {"run_id", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "metadata", MLF_ASSESSMENT_RUN,
     MLF_KEY_NONE, NULL, VISIBLE},
    {"create_time_ms", MLF_TYPE_INTEGER, MLF_SOURCE_ASSESSMENT_TIME, "create_time", NULL,
     MLF_KEY_NONE, NULL, VISIBLE},
    {"last_update_time_ms", MLF_TYPE_INTEGER, MLF_SOURCE_ASSESSMENT_TIME, "last_update_time", NULL,
     MLF_KEY_NONE, NULL, VISIBLE},
    {"valid", MLF_TYPE_INTEGER, MLF_SOURCE_ASSESSMENT_VALID, NULL, NULL, MLF_KEY_ASSESSMENT_VALID,
     NULL, VISIBLE},
    {"overrides", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_TEXT, "overrides", NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"metadata", MLF_TYPE_TEXT, MLF_SOURCE_ASSESSMENT_METADATA, NULL, NULL, MLF_KEY_NONE, NULL,
     VISIBLE},
    {"timestamp_ms", MLF_TYPE_INTEGER, MLF_SOURCE_TIMESTAMP, NULL, NULL, MLF_KEY_TIMESTAMP,
     "attributes.timestamp_ms", VISIBLE},
    {"trace_run_id", MLF_TYPE_TEXT, MLF_SOURCE_METADATA, MLF_TRACE_RUN, NULL, MLF_KEY_RUN,
     "attributes.run_id", HIDDEN},
    {"experiment", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_EXPERIMENT, NULL, HIDDEN},
    {"filter", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_FILTER, NULL, HIDDEN},
    {"in_run", MLF_TYPE_TEXT, MLF_SOURCE_ASKED, NULL, NULL, MLF_KEY_IN_RUN, NULL, HIDDEN},
    {"request_time", MLF_TYPE_TEXT, MLF_SOURCE_REQUEST_TIME, NULL, NULL, MLF_KEY_REQUEST_TIME, NULL,
     HIDDEN},
};

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
  *schema = (mlf_schema){.table = "mlflow_traces", .key_count = 1, .rows_per_trace = 1};
  return catalog_init(schema, catalog_traces, sizeof(catalog_traces));
}

int mlf_schema_init_spans(mlf_schema *schema) {
  *schema = (mlf_schema){
      .table = "mlflow_spans", .key_count = 2, .rows_per_trace = 10, .needs_spans = true};
  return catalog_init(schema, catalog_spans, sizeof(catalog_spans));
}

int mlf_schema_init_assessments(mlf_schema *schema) {
  *schema = (mlf_schema){.table = "mlflow_assessments", .key_count = 2, .rows_per_trace = 2};
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

char *mlf_schema_declaration(const mlf_schema *schema) {
  static const char *const types[] = {" TEXT", " INTEGER", " REAL", ""};
  sqlite3_str *text = sqlite3_str_new(NULL);
  sqlite3_str_appendall(text, "CREATE TABLE x(");
  for (int i = 0; i < schema->column_count; i++) {
    const mlf_column *column = &schema->columns[i];
    sqlite3_str_appendf(text, "\"%w\"%s%s%s, ", column->name, types[column->type],
                        i < schema->key_count ? " NOT NULL" : "", column->hidden ? " HIDDEN" : "");
  }
  for (int i = 0; i < schema->key_count; i++)
    sqlite3_str_appendf(text, "%s\"%w\"", i ? ", " : "PRIMARY KEY(", schema->columns[i].name);
  sqlite3_str_appendall(text, ")) WITHOUT ROWID");
  return sqlite3_str_finish(text);
}
