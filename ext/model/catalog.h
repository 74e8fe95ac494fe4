/* catalog.h: what columns our tables have, where each value comes from in a trace, a span or an
** assessment, and which key of MLflow's filter language, if any, speaks of it.
**
** A schema is the catalog's constant columns plus those that a CREATE VIRTUAL TABLE declares:
** tags.X, metadata.X and feedback.X.
*/
#ifndef MLF_MODEL_CATALOG_H
#define MLF_MODEL_CATALOG_H

#include <stdbool.h>

#include "base/error.h"

/* The key of metadata that holds the run which logged a trace, or made an assessment. */
#define MLF_TRACE_RUN      "mlflow.sourceRun"
#define MLF_ASSESSMENT_RUN "mlflow.assessment.sourceRunId"

typedef enum mlf_column_type {
  MLF_TYPE_TEXT,
  MLF_TYPE_INTEGER,
  MLF_TYPE_REAL,
  MLF_TYPE_ANY /* no affinity: the value's own type */
} mlf_column_type;

/* Where a value comes from. `path` and `item` of mlf_column say which. */
typedef enum mlf_source {
  MLF_SOURCE_TEXT,          /* member `path` of the trace, a string */
  MLF_SOURCE_JSON,          /* member `path`, an object or array; `item` if absent */
  MLF_SOURCE_STATUS,        /* member `path`; STATE_UNSPECIFIED if absent */
  MLF_SOURCE_EXPERIMENT_ID, /* of trace_location */
  MLF_SOURCE_TIMESTAMP,     /* request_time in ms */
  MLF_SOURCE_DURATION,      /* execution_duration in ms */
  MLF_SOURCE_END_TIME,      /* their sum */
  MLF_SOURCE_REQUEST_TIME,  /* request_time as SQLite's own text form */
  MLF_SOURCE_TAG,           /* tags[path] */
  MLF_SOURCE_METADATA,      /* trace_metadata[path] */
  MLF_SOURCE_METADATA_INTEGER,
  MLF_SOURCE_METADATA_ITEM, /* member `item` of the JSON object in trace_metadata[path] */
  MLF_SOURCE_FEEDBACK,      /* value of the latest valid feedback named `path` */
  MLF_SOURCE_ASKED,         /* what the statement asked: experiment, filter, in_run */
  MLF_SOURCE_SPAN_ERROR,    /* why the spans cannot be read */
  MLF_SOURCE_ROW_KEY,       /* with the trace's id the primary key, whatever was asked */
  /* Of a span: model/span_set.h. Those of mlflow_traces speak of the root span. */
  MLF_SOURCE_SPAN,
  MLF_SOURCE_SPAN_ID = MLF_SOURCE_SPAN,
  MLF_SOURCE_SPAN_PARENT,
  MLF_SOURCE_SPAN_NAME,
  MLF_SOURCE_SPAN_TYPE, /* attribute `path`; UNKNOWN if it has none */
  MLF_SOURCE_SPAN_STATUS,
  MLF_SOURCE_SPAN_MESSAGE,
  MLF_SOURCE_SPAN_START,
  MLF_SOURCE_SPAN_END,
  MLF_SOURCE_SPAN_DURATION,
  MLF_SOURCE_SPAN_DEPTH,
  MLF_SOURCE_SPAN_CHILDREN,
  MLF_SOURCE_SPAN_SELF,
  MLF_SOURCE_SPAN_CRITICAL,
  MLF_SOURCE_SPAN_ATTRIBUTE, /* attribute `path`, or member `item` of it */
  MLF_SOURCE_SPAN_JSON,      /* attribute `path` as JSON */
  MLF_SOURCE_SPAN_EXCEPTION, /* attribute `path` of the last event named exception */
  MLF_SOURCE_SPAN_ATTRIBUTES,
  MLF_SOURCE_SPAN_EVENTS,
  MLF_SOURCE_SPAN_LINKS,
  /* Of an assessment: model/decode_assessment.h. */
  MLF_SOURCE_ASSESSMENT,
  MLF_SOURCE_ASSESSMENT_TEXT = MLF_SOURCE_ASSESSMENT, /* member `path`, or `item` of it */
  MLF_SOURCE_ASSESSMENT_TYPE,
  MLF_SOURCE_ASSESSMENT_VALUE,
  MLF_SOURCE_ASSESSMENT_VALUE_JSON,
  MLF_SOURCE_ASSESSMENT_VALUE_NUMBER,
  MLF_SOURCE_ASSESSMENT_ERROR, /* member `path` of the feedback's error */
  MLF_SOURCE_ASSESSMENT_TIME,  /* member `path` in ms */
  MLF_SOURCE_ASSESSMENT_VALID,
  MLF_SOURCE_ASSESSMENT_METADATA
} mlf_source;

/* Which conditions MLflow's filter language can say of a column; query/shippable.h decides. */
typedef enum mlf_key_kind {
  MLF_KEY_NONE,
  MLF_KEY_EXPERIMENT,    /* the name: becomes a location, not a condition */
  MLF_KEY_EXPERIMENT_ID, /* likewise */
  MLF_KEY_FILTER,        /* a raw filter, passed on */
  MLF_KEY_IN_RUN,        /* attributes.run_id, for all that the server says is of the run */
  MLF_KEY_TRACE_ID,
  MLF_KEY_STRING,       /* a string attribute */
  MLF_KEY_NAME,         /* attributes.name, which the server keeps as a tag */
  MLF_KEY_RUN,          /* attributes.run_id, which finds linked traces too */
  MLF_KEY_TIMESTAMP,    /* timestamp_ms: also what pages are walked by */
  MLF_KEY_REQUEST_TIME, /* the same as text: query/time_bound.h */
  MLF_KEY_NUMBER,
  MLF_KEY_END_TIME,
  MLF_KEY_TAG,
  MLF_KEY_METADATA,
  MLF_KEY_FEEDBACK,
  MLF_KEY_EXPECTATION,     /* of no column: what some of the four below add up to */
  MLF_KEY_SPAN,            /* finds traces that have such a span */
  MLF_KEY_ASSESSMENT_NAME, /* these four together find traces that have such an assessment */
  MLF_KEY_ASSESSMENT_TYPE,
  MLF_KEY_ASSESSMENT_VALUE,
  MLF_KEY_ASSESSMENT_VALID
} mlf_key_kind;

typedef struct mlf_column {
  const char *name;
  mlf_column_type type;
  mlf_source source;
  const char *path;
  const char *item;
  mlf_key_kind key_kind;
  const char *key; /* of the filter language, e.g. "attributes.status"; the bare key for tags,
                      metadata and feedback */
  bool hidden;
  const char *meaning; /* for mlflow_help: one sentence that says what a person wants to know */
  const char *example; /* a statement that runs; NULL where the name says it all */
} mlf_column;

typedef struct mlf_schema {
  const char *table;   /* module name, e.g. "mlflow_traces" */
  mlf_column *columns; /* owned; their strings are constant or owned by the schema */
  int column_count;
  bool experiments_only; /* CREATE VIRTUAL TABLE takes no argument but experiments */
  /* For estimates: how many rows a trace has, and whether its spans must be fetched for them. */
  double rows_per_trace;
  bool needs_spans;
  char **strings; /* owned strings of declared columns */
  int string_count;
} mlf_schema;

/* Whether model/span_set.h has the value. */
bool mlf_source_is_span(mlf_source source);

/* Whether a column of this kind is an argument: a condition on it says what the table holds, and
** the column shows what was asked. */
bool mlf_key_is_argument(mlf_key_kind kind);

/* Whether a condition on a column of this kind tells which experiments to read. */
bool mlf_key_is_experiment(mlf_key_kind kind);

/* Make the schemas of our tables without declared columns. SQLITE_OK or SQLITE_NOMEM. */
int mlf_schema_init_traces(mlf_schema *schema);
int mlf_schema_init_spans(mlf_schema *schema);
int mlf_schema_init_assessments(mlf_schema *schema);
void mlf_schema_clear(mlf_schema *schema);

/* Adds a declared column. `prefix` is tags, metadata or feedback; `key` the key within it; `name`
** the column's name or NULL for "prefix.key". All are copied. Errors: a name used twice. */
int mlf_schema_declare(mlf_schema *schema, const char *prefix, const char *key, const char *name,
                       mlf_error *error);

/* Index of the column with this name (ASCII case ignored, as in SQL), or -1. */
int mlf_schema_find(const mlf_schema *schema, const char *name);

/* Whether the column is part of the primary key. SQLite takes that for a fact: it leaves out
** DISTINCT, and drops a row of an OR whose key it has had. The ids of traces and spans are none: of
** two runs that are asked for, each has a trace of its own, and spans may have lost their ids. So
** beside the trace's id there is what tells its rows apart. */
bool mlf_column_is_key(const mlf_column *column);

/* The CREATE TABLE text for sqlite3_declare_vtab; free with sqlite3_free. NULL: no memory. Without
** a primary key, rows have a rowid. */
char *mlf_columns_declaration(const mlf_column *columns, int count);
char *mlf_schema_declaration(const mlf_schema *schema);

/* The name of a type as a declaration has it: TEXT, INTEGER, REAL or nothing. */
const char *mlf_column_type_name(mlf_column_type type);

#endif
