#include "tables/planning.h"

#include <string.h>

#include "query/plan.h"

static mlf_op planning_op(unsigned char code) {
  switch (code) {
  case SQLITE_INDEX_CONSTRAINT_EQ: return MLF_OP_EQ;
  case SQLITE_INDEX_CONSTRAINT_NE: return MLF_OP_NE;
  case SQLITE_INDEX_CONSTRAINT_LT: return MLF_OP_LT;
  case SQLITE_INDEX_CONSTRAINT_LE: return MLF_OP_LE;
  case SQLITE_INDEX_CONSTRAINT_GT: return MLF_OP_GT;
  case SQLITE_INDEX_CONSTRAINT_GE: return MLF_OP_GE;
  case SQLITE_INDEX_CONSTRAINT_LIKE: return MLF_OP_LIKE;
  case SQLITE_INDEX_CONSTRAINT_GLOB: return MLF_OP_GLOB;
  case SQLITE_INDEX_CONSTRAINT_ISNULL: return MLF_OP_IS_NULL;
  case SQLITE_INDEX_CONSTRAINT_ISNOTNULL: return MLF_OP_IS_NOT_NULL;
  case SQLITE_INDEX_CONSTRAINT_IS: return MLF_OP_IS;
  default: return MLF_OP_COUNT;
  }
}

static bool planning_is_argument(const mlf_schema *schema, int column) {
  return mlf_key_is_argument(schema->columns[column].key_kind);
}

static mlf_constraint planning_constraint(const mlf_schema *schema, bool pushdown,
                                          sqlite3_index_info *info, int index) {
  const struct sqlite3_index_constraint *from = &info->aConstraint[index];
  mlf_constraint constraint = {.column = -1, .op = planning_op(from->op)};
  if (from->iColumn < 0 || from->iColumn >= schema->column_count) return constraint;
  if (!pushdown && !planning_is_argument(schema, from->iColumn)) return constraint;
  constraint.column = from->iColumn;
  constraint.usable = from->usable != 0;
  constraint.binary = sqlite3_stricmp(sqlite3_vtab_collation(info, index), "BINARY") == 0;
  constraint.list_at_once = sqlite3_vtab_in(info, index, -1) != 0;
  return constraint;
}

/* The order that the statement wants of timestamp_ms alone. */
static mlf_order planning_order(const mlf_schema *schema, const sqlite3_index_info *info) {
  if (info->nOrderBy != 1 || info->aOrderBy[0].iColumn < 0) return MLF_ORDER_ANY;
  if (schema->columns[info->aOrderBy[0].iColumn].key_kind != MLF_KEY_TIMESTAMP)
    return MLF_ORDER_ANY;
  return info->aOrderBy[0].desc ? MLF_ORDER_NEWEST_FIRST : MLF_ORDER_OLDEST_FIRST;
}

/* LIMIT and OFFSET are constraints too; their places, or -1. */
static void planning_find_limit(const sqlite3_index_info *info, int *limit, int *offset) {
  *limit = *offset = -1;
  for (int i = 0; i < info->nConstraint; i++) {
    const struct sqlite3_index_constraint *each = &info->aConstraint[i];
    if (each->op == SQLITE_INDEX_CONSTRAINT_LIMIT && each->usable) *limit = i;
    if (each->op == SQLITE_INDEX_CONSTRAINT_OFFSET && each->usable) *offset = i;
  }
}

/* The rows that LIMIT and OFFSET let through, if they are numbers in the text of the statement. */
static int64_t planning_rows(sqlite3_index_info *info, int limit, int offset) {
  int64_t rows = 0, each;
  for (int i = 0; i < 2; i++) {
    sqlite3_value *value;
    int index = i ? offset : limit;
    if (index < 0 && i > 0) break;
    if (index < 0 || sqlite3_vtab_rhs_value(info, index, &value) != SQLITE_OK) return -1;
    each = sqlite3_value_int64(value);
    if (sqlite3_value_type(value) != SQLITE_INTEGER || each < 0 || each > MLF_PAGE_ROWS_MAX)
      return -1;
    rows += each;
  }
  return rows;
}

static int planning_write(const mlf_schema *schema, const mlf_plan *plan, int limit, int offset,
                          sqlite3_index_info *info) {
  int argument = plan->argument_count;
  for (const mlf_plan_term *term = plan->terms; term < plan->terms + plan->term_count; term++) {
    if (term->argument < 0) continue;
    if (term->op == MLF_OP_IN) sqlite3_vtab_in(info, term->constraint, 1);
    info->aConstraintUsage[term->constraint].argvIndex = term->argument + 1;
  }
  if (plan->limit) info->aConstraintUsage[limit].argvIndex = ++argument;
  if (plan->offset) info->aConstraintUsage[offset].argvIndex = ++argument;
  info->idxStr = mlf_plan_text(schema, plan);
  if (!info->idxStr) return SQLITE_NOMEM;
  info->needToFreeIdxStr = 1;
  info->orderByConsumed = plan->order != MLF_ORDER_ANY;
  info->estimatedRows = (sqlite3_int64)plan->rows;
  info->estimatedCost = plan->cost;
  if (plan->one_row) info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
  return SQLITE_OK;
}

/* Whether the statement reads this column. */
static bool planning_uses(const sqlite3_index_info *info, int column) {
  return (info->colUsed >> (column < 63 ? column : 63) & 1) != 0;
}

/* Whether the server can count the rows in which the column is equal to something. Not by a tag:
** on MySQL the metrics compare those in any case of letters. */
static bool planning_is_countable(const mlf_schema *schema, int column) {
  const mlf_column *its = &schema->columns[column];
  return mlf_key_is_experiment(its->key_kind) || its->source == MLF_SOURCE_STATUS;
}

/* Which arguments the statement reads that the plan does not tell. */
static int planning_untold(const mlf_schema *schema, const mlf_plan *plan,
                           const sqlite3_index_info *info) {
  int untold = 0;
  for (int i = 0; i < schema->column_count; i++) {
    mlf_key_kind kind = schema->columns[i].key_kind;
    if (!planning_uses(info, i) || mlf_plan_tells(plan, i)) continue;
    if (kind == MLF_KEY_EXPERIMENT_ID) untold |= MLF_PLANNING_UNTOLD_ID;
    if (planning_is_argument(schema, i))
      untold |=
          kind == MLF_KEY_EXPERIMENT ? MLF_PLANNING_UNTOLD_EXPERIMENT : MLF_PLANNING_UNTOLD_OTHER;
  }
  return untold;
}

/* Whether the statement reads nothing of a row but what the plan's terms tell. SQLite says of the
** key that it is read by count(*), too. */
static bool planning_counts(const mlf_schema *schema, const mlf_plan *plan,
                            const sqlite3_index_info *info) {
  if (!plan->exact || info->nOrderBy > 0) return false;
  for (int i = 0; i < plan->term_count; i++) {
    if (plan->terms[i].op != MLF_OP_EQ || !planning_is_countable(schema, plan->terms[i].column))
      return false;
  }
  for (int i = 0; i < schema->column_count; i++) {
    bool key = mlf_column_is_key(&schema->columns[i]);
    if (planning_uses(info, i) && !key && !mlf_plan_tells(plan, i)) return false;
  }
  return true;
}

/* Which terms on a text take an IN value by value. */
static int planning_loops(const mlf_schema *schema, const mlf_plan *plan,
                          const mlf_constraint *constraints) {
  int loops = 0;
  for (int i = 0; i < plan->term_count; i++) {
    const mlf_plan_term *term = &plan->terms[i];
    bool one_by_one = term->op == MLF_OP_EQ && constraints[term->constraint].list_at_once;
    if (one_by_one && schema->columns[term->column].type == MLF_TYPE_TEXT)
      loops |= MLF_PLANNING_LOOPS(i);
  }
  return loops;
}

int mlf_planning_best_index(const mlf_schema *schema, mlf_planning_ways ways,
                            sqlite3_index_info *info) {
  mlf_plan plan;
  int limit, offset, count = 0;
  planning_find_limit(info, &limit, &offset);
  sqlite3_uint64 bytes = ((sqlite3_uint64)info->nConstraint + 1) * sizeof(mlf_constraint);
  mlf_constraint *constraints = sqlite3_malloc64(bytes);
  if (!constraints) return SQLITE_NOMEM;
  for (int i = 0; i < info->nConstraint; i++) {
    bool counted = info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_LIMIT &&
                   info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_OFFSET;
    if (counted) count = i + 1;
    constraints[i] = counted ? planning_constraint(schema, ways.pushdown, info, i)
                             : (mlf_constraint){.column = -1, .op = MLF_OP_COUNT};
  }
  mlf_wish wish = {.order = ways.pushdown ? planning_order(schema, info) : MLF_ORDER_ANY,
                   .rows = planning_rows(info, limit, offset)};
  wish.other_order = info->nOrderBy > 0 && wish.order == MLF_ORDER_ANY;
  int rc = mlf_plan_choose(schema, constraints, count, wish, &plan);
  int loops = rc == SQLITE_OK ? planning_loops(schema, &plan, constraints) : 0;
  sqlite3_free(constraints);
  if (rc != SQLITE_OK) return rc;
  info->idxNum = planning_untold(schema, &plan, info) | loops;
  plan.limit = plan.exact && limit >= 0;
  plan.offset = plan.limit && offset >= 0;
  plan.count = ways.pushdown && ways.count && limit < 0 && planning_counts(schema, &plan, info);
  return planning_write(schema, &plan, limit, offset, info);
}
