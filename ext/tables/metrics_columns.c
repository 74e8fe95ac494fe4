#include "tables/metrics_columns.h"

#include <string.h>

#define METRICS_COLUMNS_AND   " AND "
#define METRICS_COLUMNS_IS    " = ?"
#define METRICS_COLUMNS_IN    " IN (?)"
#define METRICS_COLUMNS_NONE  "(none)"
#define METRICS_COLUMNS_READS " READS "
#define METRICS_COLUMNS_COMMA ", "

/* As of one request in query/plan.c, and about how many groups there are. */
#define METRICS_COLUMNS_COST 20000.0
#define METRICS_COLUMNS_ROWS 25
#define METRICS_COLUMNS_LAST 1e30 /* (5) */

const mlf_column mlf_metrics_columns[MLF_METRICS_COLUMN_COUNT] = {
    [MLF_METRICS_VIEW] = {.name = "view", .meaning = "traces, spans or assessments; needed"},
    [MLF_METRICS_METRIC] =
        {.name = "metric",
         .meaning = "what to measure: trace_count, latency, total_tokens, span_count, ...; needed"},
    [MLF_METRICS_AGGREGATION] = {.name = "aggregation",
                                 .meaning = "count, sum, avg, min, max or a percentile such as "
                                            "p95; needed where there are several"},
    [MLF_METRICS_VALUE] = {.name = "value", .type = MLF_TYPE_ANY, .meaning = "the figure"},
    [MLF_METRICS_BUCKET_MS] =
        {.name = "bucket_ms",
         .type = MLF_TYPE_INTEGER,
         .meaning = "when the bucket of time begins, in Unix milliseconds; NULL without buckets"},
    [MLF_METRICS_DIMENSION] = {.name = "name", .meaning = "dimension: name of the trace or span"},
    [MLF_METRICS_DIMENSION + 1] = {.name = "status",
                                   .meaning = "dimension: status of the trace or span"},
    [MLF_METRICS_DIMENSION + 2] = {.name = "span_type", .meaning = "dimension of spans"},
    [MLF_METRICS_DIMENSION + 3] = {.name = "model_name", .meaning = "dimension of spans"},
    [MLF_METRICS_DIMENSION + 4] = {.name = "model_provider", .meaning = "dimension of spans"},
    [MLF_METRICS_DIMENSION + 5] = {.name = "assessment_name",
                                   .meaning = "dimension of assessments"},
    [MLF_METRICS_DIMENSION + 6] = {.name = "assessment_value",
                                   .meaning = "dimension of assessments: the verdict as JSON"},
    [MLF_METRICS_DIMENSIONS] =
        {.name = "dimensions",
         .hidden = true,
         .meaning = "which dimensions to group by, with commas between: 'name, status'"},
    [MLF_METRICS_BUCKET] = {.name = "bucket",
                            .hidden = true,
                            .meaning = "width of the buckets of time: '1 hour'"},
    [MLF_METRICS_FROM_MS] = {.name = "from_ms",
                             .type = MLF_TYPE_INTEGER,
                             .hidden = true,
                             .meaning = "the first millisecond that counts"},
    [MLF_METRICS_UNTIL_MS] = {.name = "until_ms",
                              .type = MLF_TYPE_INTEGER,
                              .hidden = true,
                              .meaning = "the first millisecond that counts no more"},
    [MLF_METRICS_FILTER] = {.name = "filter",
                            .hidden = true,
                            .meaning = "more conditions, in the server's language"},
    [MLF_METRICS_EXPERIMENT] = {.name = "experiment",
                                .hidden = true,
                                .meaning = "name or id of the experiment to read"},
};

static bool metrics_column_is_dimension(int column) {
  return column >= MLF_METRICS_DIMENSION && column < MLF_METRICS_DIMENSIONS;
}

const char *mlf_metrics_column_name(int column) {
  return mlf_metrics_columns[column].name;
}

const char *mlf_metrics_pushed(int column) {
  if (column == MLF_METRICS_VALUE || column == MLF_METRICS_BUCKET_MS) return NULL;
  return column == MLF_METRICS_AGGREGATION ? "=, IN" : "=";
}

/* What a constraint says of its column. */
typedef enum metrics_says {
  METRICS_SAYS_NOTHING, /* that we could be told */
  METRICS_SAYS_VALUE,   /* it is this */
  METRICS_SAYS_LATER    /* it is what another table says, which is not read yet */
} metrics_says;

/* The column shows what was asked, which is equal to itself under any collation. But a dimension is
** compared by the server, as BINARY does. */
static metrics_says metrics_column_says(sqlite3_index_info *info, int index) {
  const struct sqlite3_index_constraint *constraint = &info->aConstraint[index];
  int column = constraint->iColumn;
  if (constraint->op != SQLITE_INDEX_CONSTRAINT_EQ || column < 0 || !mlf_metrics_pushed(column))
    return METRICS_SAYS_NOTHING;
  if (metrics_column_is_dimension(column) &&
      sqlite3_stricmp(sqlite3_vtab_collation(info, index), "BINARY") != 0)
    return METRICS_SAYS_NOTHING;
  return constraint->usable ? METRICS_SAYS_VALUE : METRICS_SAYS_LATER;
}

/* Whether a dimension is compared in a way that we are not told of. */
static bool metrics_column_is_compared(const sqlite3_index_info *info, int column) {
  for (int i = 0; i < info->nConstraint; i++) {
    int op = info->aConstraint[i].op;
    if (info->aConstraint[i].iColumn == column && op != SQLITE_INDEX_CONSTRAINT_LIMIT &&
        op != SQLITE_INDEX_CONSTRAINT_OFFSET)
      return true;
  }
  return false;
}

/* (3) */
static mlf_dimensions metrics_column_reads(const sqlite3_index_info *info,
                                           const mlf_metrics_plan *plan) {
  mlf_dimensions all = (1U << MLF_DIMENSION_COUNT) - 1;
  mlf_dimensions used = (mlf_dimensions)(info->colUsed >> MLF_METRICS_DIMENSION) & all;
  mlf_dimensions reads = used == all ? 0 : used;
  for (int i = 0; i < MLF_DIMENSION_COUNT; i++) {
    if (metrics_column_is_compared(info, MLF_METRICS_DIMENSION + i)) reads |= 1U << i;
    if (plan->told[MLF_METRICS_DIMENSION + i]) reads &= ~(1U << i);
  }
  return reads;
}

static char *metrics_plan_text(const mlf_metrics_plan *plan) {
  const char *separator = "";
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (int i = 0; i < MLF_METRICS_COLUMN_COUNT; i++) {
    bool list = i == MLF_METRICS_AGGREGATION && plan->list;
    if (!plan->told[i]) continue;
    sqlite3_str_appendf(text, "%s%s%s", separator, mlf_metrics_column_name(i),
                        list ? METRICS_COLUMNS_IN : METRICS_COLUMNS_IS);
    separator = METRICS_COLUMNS_AND;
  }
  if (!*separator) sqlite3_str_appendall(text, METRICS_COLUMNS_NONE);
  separator = METRICS_COLUMNS_READS;
  for (int i = 0; i < MLF_DIMENSION_COUNT; i++) {
    if (!(plan->reads >> i & 1)) continue;
    sqlite3_str_appendf(text, "%s%s", separator, mlf_dimension_name((mlf_dimension)i));
    separator = METRICS_COLUMNS_COMMA;
  }
  return sqlite3_str_finish(text);
}

int mlf_metrics_best_index(sqlite3_index_info *info) {
  mlf_metrics_plan plan = {0};
  int argument = 0;
  bool groups = false; /* by a dimension that another table says later */
  for (int column = 0; column < MLF_METRICS_COLUMN_COUNT; column++) {
    bool later = false;
    for (int i = 0; i < info->nConstraint && !plan.told[column]; i++) {
      metrics_says says = METRICS_SAYS_NOTHING;
      if (info->aConstraint[i].iColumn == column) says = metrics_column_says(info, i);
      later = later || says == METRICS_SAYS_LATER;
      if (says != METRICS_SAYS_VALUE) continue;
      plan.told[column] = true;
      info->aConstraintUsage[i].argvIndex = ++argument;
      if (column == MLF_METRICS_AGGREGATION) plan.list = sqlite3_vtab_in(info, i, 1) != 0;
    }
    if (!later || plan.told[column]) continue;
    if (!metrics_column_is_dimension(column)) return SQLITE_CONSTRAINT;
    groups = true;
  }
  plan.reads = metrics_column_reads(info, &plan);
  info->idxStr = metrics_plan_text(&plan);
  if (!info->idxStr) return SQLITE_NOMEM;
  info->needToFreeIdxStr = 1;
  info->estimatedRows = METRICS_COLUMNS_ROWS;
  info->estimatedCost = groups ? METRICS_COLUMNS_LAST : METRICS_COLUMNS_COST;
  return SQLITE_OK;
}

/* Moves `*at` past `word` if it stands there. */
static bool metrics_plan_skip(const char **at, const char *word) {
  size_t length = strlen(word);
  if (strncmp(*at, word, length) != 0) return false;
  *at += length;
  return true;
}

/* The same for the name of a column and what follows it. */
static bool metrics_plan_skip_term(const char **at, int column, const char *after) {
  const char *from = *at;
  if (!metrics_plan_skip(&from, mlf_metrics_column_name(column))) return false;
  if (!metrics_plan_skip(&from, after)) return false;
  *at = from;
  return true;
}

void mlf_metrics_plan_read(const char *text, mlf_metrics_plan *plan) {
  memset(plan, 0, sizeof(*plan));
  for (int i = 0; i < MLF_METRICS_COLUMN_COUNT; i++) {
    bool list = metrics_plan_skip_term(&text, i, METRICS_COLUMNS_IN);
    plan->told[i] = list || metrics_plan_skip_term(&text, i, METRICS_COLUMNS_IS);
    plan->list = plan->list || list;
    if (plan->told[i]) metrics_plan_skip(&text, METRICS_COLUMNS_AND);
  }
  metrics_plan_skip(&text, METRICS_COLUMNS_NONE);
  if (!metrics_plan_skip(&text, METRICS_COLUMNS_READS)) return;
  for (int i = 0; i < MLF_DIMENSION_COUNT; i++) {
    if (!metrics_plan_skip_term(&text, MLF_METRICS_DIMENSION + i, "")) continue;
    plan->reads |= 1U << i;
    metrics_plan_skip(&text, METRICS_COLUMNS_COMMA);
  }
}
