#include "query/plan.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "query/shippable.h"

static const char *const plan_op_texts[MLF_OP_COUNT] = {
    [MLF_OP_EQ] = "= ?",
    [MLF_OP_NE] = "!= ?",
    [MLF_OP_LT] = "< ?",
    [MLF_OP_LE] = "<= ?",
    [MLF_OP_GT] = "> ?",
    [MLF_OP_GE] = ">= ?",
    [MLF_OP_IN] = "IN (?)",
    [MLF_OP_LIKE] = "LIKE ?",
    [MLF_OP_GLOB] = "GLOB ?",
    [MLF_OP_IS_NULL] = "IS NULL",
    [MLF_OP_IS_NOT_NULL] = "IS NOT NULL",
    [MLF_OP_IS] = "IS ?",
};

#define PLAN_ALL    "(all)"
#define PLAN_AND    " AND "
#define PLAN_NEWEST " ORDER BY timestamp_ms DESC"
#define PLAN_OLDEST " ORDER BY timestamp_ms ASC"
#define PLAN_LIMIT  " LIMIT"
#define PLAN_OFFSET " OFFSET"
#define PLAN_COUNT  " COUNT"

/* The cost model, in units of one row handled locally (about a microsecond). Nothing is known of
** the server when a statement is planned, so what matters is the order of magnitude: a request is
** worth thousands of local rows, so that a small local table drives look-ups by id and a large
** one is joined to a single scan. */
#define PLAN_TRACES       100000.0
#define PLAN_REQUEST_COST 20000.0
#define PLAN_ROW_COST     200.0
#define PLAN_SPANS_COST   3000.0
#define PLAN_LIST_IDS     100.0

const char *mlf_op_name(mlf_op op, int *length) {
  const char *text = plan_op_texts[op];
  *length = (int)strcspn(text, "(?");
  if (text[*length]) --*length; /* the blank */
  return text;
}

bool mlf_op_has_argument(mlf_op op) {
  return op != MLF_OP_IS_NULL && op != MLF_OP_IS_NOT_NULL;
}

/* The share of rows that a term leaves, as in SQLite's own guesses for an index without ANALYZE:
** an equality leaves little, a range a quarter, a pattern or inequality most. */
static double plan_selectivity(mlf_op op) {
  switch (op) {
  case MLF_OP_EQ:
  case MLF_OP_IS: return 0.05;
  case MLF_OP_IN: return 0.1;
  case MLF_OP_LT:
  case MLF_OP_LE:
  case MLF_OP_GT:
  case MLF_OP_GE:
  case MLF_OP_LIKE:
  case MLF_OP_GLOB: return 0.25;
  case MLF_OP_IS_NULL: return 0.5;
  default: return 0.9;
  }
}

/* Whether a term on its own leaves out traces. Of an assessment it is the name that does. */
static bool plan_is_selective(mlf_key_kind kind) {
  return kind != MLF_KEY_ASSESSMENT_TYPE && kind != MLF_KEY_ASSESSMENT_VALUE &&
         kind != MLF_KEY_ASSESSMENT_VALID;
}

static void plan_estimate(const mlf_schema *schema, mlf_plan *plan) {
  double traces = PLAN_TRACES;
  bool by_id = false;
  for (int i = 0; i < plan->term_count; i++) {
    mlf_op op = plan->terms[i].op;
    mlf_key_kind kind = schema->columns[plan->terms[i].column].key_kind;
    if (kind == MLF_KEY_TRACE_ID && (op == MLF_OP_EQ || op == MLF_OP_IN || op == MLF_OP_IS)) {
      double ids = op == MLF_OP_IN ? PLAN_LIST_IDS : 1;
      if (!by_id || ids < traces) traces = ids;
      by_id = true;
      plan->one_row = plan->one_row || (op != MLF_OP_IN && schema->rows_per_trace == 1);
    }
  }
  for (int i = 0; i < plan->term_count && !by_id; i++) {
    if (plan_is_selective(schema->columns[plan->terms[i].column].key_kind))
      traces *= plan_selectivity(plan->terms[i].op);
  }
  if (traces < 1) traces = 1;
  double requests = 1 + traces / MLF_PAGE_ROWS_MAX;
  if (schema->needs_spans) requests += 1 + traces / MLF_PAYLOAD_TRACES_MAX;
  plan->rows = traces * schema->rows_per_trace;
  plan->cost = requests * PLAN_REQUEST_COST + plan->rows * PLAN_ROW_COST;
  if (schema->needs_spans) plan->cost += traces * PLAN_SPANS_COST;
}

/* Whether nobody but the server can tell which traces the argument finds. */
static bool plan_only_server_knows(mlf_key_kind kind) {
  return mlf_key_is_argument(kind) && kind != MLF_KEY_EXPERIMENT;
}

/* Whether the constraint is an argument of the table that nobody can check but the server. It has
** to be sent: where its value is not known yet another join order has to be tried. */
static bool plan_is_argument(const mlf_schema *schema, const mlf_constraint *constraint) {
  if (constraint->column < 0) return false;
  mlf_key_kind kind = schema->columns[constraint->column].key_kind;
  return plan_only_server_knows(kind) &&
         (constraint->op == MLF_OP_EQ || constraint->op == MLF_OP_IN ||
          constraint->op == MLF_OP_IS);
}

/* The operator as it would be sent: IN where the whole list can be had and the server's language
** has IN, else = (SQLite then asks once for each value). */
static mlf_op plan_sent_op(const mlf_column *column, const mlf_constraint *constraint) {
  if (constraint->op == MLF_OP_EQ && constraint->list_at_once &&
      mlf_shippable_decide(column, MLF_OP_IN) != MLF_SHIP_NO)
    return MLF_OP_IN;
  return constraint->op;
}

/* Whether the server compares as SQL wants it. What was asked is equal to itself under any
** collation; an experiment's name need not be. The values of a list that SQLite hands over one by
** one it compares without the affinity that they have in SQL: so a column without a type takes no
** list, and for one of texts tables/trace_scan.c looks at each value. */
static bool plan_has_collation(const mlf_column *column, const mlf_constraint *constraint) {
  if (constraint->list_at_once && column->type == MLF_TYPE_ANY) return false;
  return constraint->binary || plan_only_server_knows(column->key_kind);
}

/* Whether a scan can give the order without missing what moves. No lower bound of time is sent
** beside a raw filter, and that is how the oldest come first. */
static bool plan_can_order(const mlf_plan *plan, mlf_wish wish, bool raw) {
  if (wish.order != MLF_ORDER_OLDEST_FIRST) return true;
  return plan->exact && !raw && wish.rows >= 0 && wish.rows <= MLF_PAGE_ROWS_MAX;
}

static void plan_add(mlf_plan *plan, int column, mlf_op op, int constraint) {
  int argument = mlf_op_has_argument(op) ? plan->argument_count++ : -1;
  plan->terms[plan->term_count++] = (mlf_plan_term){column, op, argument, constraint};
}

int mlf_plan_choose(const mlf_schema *schema, const mlf_constraint *constraints, int count,
                    mlf_wish wish, mlf_plan *plan) {
  memset(plan, 0, sizeof(*plan));
  plan->exact = !wish.other_order;
  bool batched = false, raw = false;
  for (int i = 0; i < count; i++) {
    const mlf_constraint *constraint = &constraints[i];
    bool argument = plan_is_argument(schema, constraint);
    if (argument && !constraint->usable) return SQLITE_CONSTRAINT;
    mlf_shippable ship = MLF_SHIP_NO;
    mlf_op op = constraint->op;
    if (constraint->usable && constraint->column >= 0) {
      const mlf_column *column = &schema->columns[constraint->column];
      op = plan_sent_op(column, constraint);
      if (plan_has_collation(column, constraint)) ship = mlf_shippable_decide(column, op);
      if (ship != MLF_SHIP_NO && op == MLF_OP_IN && column->key_kind == MLF_KEY_TRACE_ID)
        batched = true;
      if (column->key_kind == MLF_KEY_FILTER) raw = true;
    }
    bool sent = ship != MLF_SHIP_NO && plan->term_count < MLF_FILTER_TERMS_MAX;
    if (argument && ship != MLF_SHIP_NO && !sent) return SQLITE_CONSTRAINT;
    if (ship != MLF_SHIP_EXACT || !sent) plan->exact = false;
    if (sent) plan_add(plan, constraint->column, op, i);
  }
  if (!batched && plan_can_order(plan, wish, raw)) plan->order = wish.order;
  if (wish.order != plan->order) plan->exact = false;
  plan_estimate(schema, plan);
  return SQLITE_OK;
}

bool mlf_plan_tells(const mlf_plan *plan, int column) {
  for (int i = 0; i < plan->term_count; i++) {
    if (plan->terms[i].column == column) return true;
  }
  return false;
}

static bool plan_is_bare(const char *name) {
  static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  return *name && name[strspn(name, bare)] == 0;
}

char *mlf_plan_text(const mlf_schema *schema, const mlf_plan *plan) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  if (plan->term_count == 0) sqlite3_str_appendall(text, PLAN_ALL);
  for (int i = 0; i < plan->term_count; i++) {
    const char *name = schema->columns[plan->terms[i].column].name;
    if (i > 0) sqlite3_str_appendall(text, PLAN_AND);
    sqlite3_str_appendf(text, plan_is_bare(name) ? "%s %s" : "\"%w\" %s", name,
                        plan_op_texts[plan->terms[i].op]);
  }
  if (plan->order == MLF_ORDER_NEWEST_FIRST) sqlite3_str_appendall(text, PLAN_NEWEST);
  if (plan->order == MLF_ORDER_OLDEST_FIRST) sqlite3_str_appendall(text, PLAN_OLDEST);
  if (plan->limit) sqlite3_str_appendall(text, PLAN_LIMIT);
  if (plan->offset) sqlite3_str_appendall(text, PLAN_OFFSET);
  if (plan->count) sqlite3_str_appendall(text, PLAN_COUNT);
  return sqlite3_str_finish(text);
}

/* Moves `*at` past `word` if it stands there. */
static bool plan_skip(const char **at, const char *word) {
  size_t length = strlen(word);
  if (strncmp(*at, word, length) != 0) return false;
  *at += length;
  return true;
}

/* Whether the name at `at`, as mlf_plan_text writes it, is `name`; moves past it if so. */
static bool plan_skip_name(const char **at, const char *name) {
  const char *from = *at;
  if (plan_is_bare(name)) {
    if (!plan_skip(&from, name) || *from != ' ') return false;
  } else {
    if (*from++ != '"') return false;
    for (; *name; name++) {
      if (*from++ != *name) return false;
      if (*name == '"' && *from++ != '"') return false;
    }
    if (*from++ != '"' || *from != ' ') return false;
  }
  *at = from + 1;
  return true;
}

static bool plan_parse_term(const mlf_schema *schema, const char **at, mlf_plan *plan) {
  int column = 0, op = 0;
  while (column < schema->column_count && !plan_skip_name(at, schema->columns[column].name))
    column++;
  if (column == schema->column_count) return false;
  while (op < MLF_OP_COUNT && !plan_skip(at, plan_op_texts[op]))
    op++;
  if (op == MLF_OP_COUNT) return false;
  plan_add(plan, column, (mlf_op)op, -1);
  return true;
}

int mlf_plan_parse(const mlf_schema *schema, const char *text, mlf_plan *plan) {
  memset(plan, 0, sizeof(*plan));
  const char *at = text;
  if (!plan_skip(&at, PLAN_ALL)) {
    do {
      if (plan->term_count == MLF_FILTER_TERMS_MAX) return SQLITE_CORRUPT;
      if (!plan_parse_term(schema, &at, plan)) return SQLITE_CORRUPT;
    } while (plan_skip(&at, PLAN_AND));
  }
  if (plan_skip(&at, PLAN_NEWEST)) plan->order = MLF_ORDER_NEWEST_FIRST;
  if (plan_skip(&at, PLAN_OLDEST)) plan->order = MLF_ORDER_OLDEST_FIRST;
  plan->limit = plan_skip(&at, PLAN_LIMIT);
  plan->offset = plan_skip(&at, PLAN_OFFSET);
  plan->count = plan_skip(&at, PLAN_COUNT);
  return *at ? SQLITE_CORRUPT : SQLITE_OK;
}
