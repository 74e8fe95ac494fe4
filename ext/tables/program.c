#include "tables/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Into so many registers a value is followed, each once; one that goes further is only shown, for
** all that is known. */
#define PROGRAM_STEPS_MAX 512
/* The registers of a function that takes any number are taken for so many. */
#define PROGRAM_ARGUMENTS 4
#define PROGRAM_WIDTH_MAX 2000
/* Of so many functions in each other it is seen that two values are made in the same way. */
#define PROGRAM_DEPTH_MAX 16
/* P5 of a comparison: it jumps where an operand is NULL, too; two NULLs are equal. */
#define PROGRAM_JUMP_IF_NULL  0x10
#define PROGRAM_NULLS_ARE_ONE 0x80

/* What puts a row into a table of the statement's own: of register P2, by cursor P1. */
static const char *const program_puts[] = {"Insert", "IdxInsert", "SorterInsert", NULL};

/* What looks for a key, P4 registers from P3 on, by cursor P1. */
static const char *const program_sought[] = {"Found",  "NotFound", "SeekGE", "SeekGT",
                                             "SeekLE", "SeekLT",   "IdxGE",  "IdxGT",
                                             "IdxLE",  "IdxLT",    NULL};

/* What makes a value of registers P1 and P2, in P3. */
static const char *const program_computed[] = {"Concat", "Add",       "Subtract", "Multiply",
                                               "Divide", "Remainder", "BitAnd",   "BitOr",
                                               "And",    "Or",        NULL};

static const char *const program_compared[] = {"Eq", "Ne", "Lt", "Le", "Gt", "Ge", NULL};

/* A value that is followed. */
typedef struct program_flow {
  const mlf_program *program;
  int steps;
  struct {
    int at;
    int value;
    bool computed;
  } been[PROGRAM_STEPS_MAX];
  bool computed; /* it is no longer what was read, but made of it: NULL tells something */
} program_flow;

bool mlf_program_is(const mlf_program_op *op, const char *name) {
  return op->name[0] == name[0] && strcmp(op->name, name) == 0;
}

bool mlf_program_is_any(const mlf_program_op *op, const char *const *names) {
  for (; *names; names++) {
    if (mlf_program_is(op, *names)) return true;
  }
  return false;
}

static bool program_is_jump(const mlf_program_op *op) {
  static const char *const jumps[] = {
      "Goto",  "If",     "IfNot",     "IsNull",     "NotNull", "IfNullRow", "Once",  "NotExists",
      "IfPos", "Rewind", "SeekRowid", "SorterNext", "Next",    "Prev",      "VNext", NULL};
  return mlf_program_is_any(op, jumps) || mlf_program_is_any(op, program_compared) ||
         mlf_program_is_any(op, program_sought);
}

static int program_add(mlf_program *program, sqlite3_stmt *row) {
  static const char *const told[] = {"VOpen",    "VFilter",  "String8", "String",        "Int64",
                                     "Function", "PureFunc", "AggStep", "OpenEphemeral", NULL};
  mlf_program_op *ops =
      mlf_array_room(program->ops, (size_t)program->count, &program->capacity, 64, sizeof(*ops));
  if (!ops) return SQLITE_NOMEM;
  program->ops = ops;
  mlf_program_op *op = &ops[program->count];
  const char *name = (const char *)sqlite3_column_text(row, 1);
  *op = (mlf_program_op){.base = program->count - sqlite3_column_int(row, 0),
                         .p1 = sqlite3_column_int(row, 2),
                         .p2 = sqlite3_column_int(row, 3),
                         .p3 = sqlite3_column_int(row, 4),
                         .p5 = sqlite3_column_int(row, 6)};
  sqlite3_snprintf(sizeof(op->name), op->name, "%s", name ? name : "");
  if (op->base > 0 && program_is_jump(op)) op->p2 += op->base;
  program->count++;
  if (!mlf_program_is_any(op, told) && !mlf_program_is_any(op, program_sought)) return SQLITE_OK;
  op->text = sqlite3_mprintf("%s", sqlite3_column_text(row, 5));
  return op->text ? SQLITE_OK : SQLITE_NOMEM;
}

int mlf_program_read(mlf_program *program, sqlite3 *db, const char *sql) {
  sqlite3_stmt *shown = NULL;
  char *explain = sqlite3_mprintf("EXPLAIN %s", sql);
  int rc = explain ? sqlite3_prepare_v2(db, explain, -1, &shown, NULL) : SQLITE_NOMEM;
  sqlite3_free(explain);
  while (rc == SQLITE_OK && sqlite3_step(shown) == SQLITE_ROW)
    rc = program_add(program, shown);
  int finalized = sqlite3_finalize(shown);
  return rc == SQLITE_OK ? finalized : rc;
}

void mlf_program_clear(mlf_program *program) {
  for (int i = 0; i < program->count; i++)
    sqlite3_free(program->ops[i].text);
  sqlite3_free(program->ops);
  *program = (mlf_program){0};
}

/* How many registers an instruction takes, as its P4 tells: a function in brackets. */
static int program_width(const mlf_program_op *op) {
  const char *bracket = strchr(op->text, '(');
  long width = strtol(bracket ? bracket + 1 : op->text, NULL, 10);
  return width < 0 || width > PROGRAM_WIDTH_MAX ? PROGRAM_ARGUMENTS : width == 0 ? 1 : (int)width;
}

/* Whether it makes something of the register, with a function. */
static bool program_is_function_of(const mlf_program_op *op, int value) {
  bool function = mlf_program_is(op, "Function") || mlf_program_is(op, "PureFunc");
  return function && value >= op->p2 && value < op->p2 + program_width(op);
}

/* Whether the key is one register, which holds a row. */
static bool program_is_record(const mlf_program_op *op) {
  return strcmp(op->text, "0") == 0;
}

/* Whether a look-up is DISTINCT's, which looks among the rows that it has put there itself. */
static bool program_is_distinct(const mlf_program_op *op) {
  return mlf_program_is(op, "Found") && mlf_program_is(op + 1, "MakeRecord") && op[1].p1 == op->p3;
}

/* Whether a jump where a register is not NULL is one over what coalesce() puts there instead. */
static bool program_is_coalesce(const program_flow *flow, const mlf_program_op *op) {
  if (!mlf_program_is(op, "NotNull") || op->p2 < 1 || op->p2 > flow->program->count) return false;
  const mlf_program_op *last = &flow->program->ops[op->p2 - 1];
  return last > op && (last->p2 == op->p1 || last->p3 == op->p1);
}

/* Where the instruction copies the register from; -1: it does not write there, or is no copy. */
static int program_source(const mlf_program_op *op, int value) {
  if (mlf_program_is(op, "SCopy") && op->p2 == value) return op->p1;
  bool copies = mlf_program_is(op, "Copy") || mlf_program_is(op, "Move");
  return copies && value >= op->p2 && value <= op->p2 + op->p3 ? op->p1 + value - op->p2 : -1;
}

/* Whose rows a cursor reads: a sorter's, those that another cursor put into a table, its own. */
static int program_root(const mlf_program *program, int cursor) {
  for (int i = 0; i < program->count; i++) {
    const mlf_program_op *op = &program->ops[i];
    if (op->p1 == cursor && mlf_program_is(op, "OpenDup")) return op->p2;
    if (op->p3 == cursor && mlf_program_is(op, "SorterData")) return op->p1;
  }
  return cursor;
}

/* Whether coalesce() falls back to what the instruction at `at` reads: then the register may have
** something else already. */
static bool program_is_fallback(const program_flow *flow, int at) {
  const mlf_program_op *ops = flow->program->ops;
  for (int i = at - 1; i >= 0; i--) {
    if (mlf_program_is(&ops[i], "NotNull") && ops[i].p1 == ops[at].p3) return ops[i].p2 > at;
    if (mlf_program_is(&ops[i], "VColumn") && ops[i].p3 == ops[at].p3) return false;
  }
  return false;
}

/* Whether what a register holds at `at` is no news: it was read from ours, or put aside from there
** into a table of the statement's own and read again. The register is -1 for a place in the rows of
** a cursor; of one that holds a row the place is asked for. */
static bool program_is_ours(const program_flow *flow, int value, int cursor, int place, int at) {
  static const char *const constants[] = {"String8", "String", "Variable", "Integer", NULL};
  int record = -1;
  if (value < 0) cursor = program_root(flow->program, cursor);
  for (int i = at - 1; i >= 0; i--) {
    const mlf_program_op *op = &flow->program->ops[i];
    bool row = mlf_program_is(op, "RowData") && op->p2 == value;
    if (value >= 0) {
      if (op->p3 == value && mlf_program_is(op, "VColumn")) {
        if (!op->no_news || !program_is_fallback(flow, i)) return op->no_news;
        continue;
      }
      if (op->p2 == value && mlf_program_is_any(op, constants)) return false;
      int source = program_source(op, value);
      if (source >= 0) value = source;
      if (op->p3 == value && mlf_program_is(op, "MakeRecord")) value = op->p1 + place;
      if (!row && (op->p3 != value || !mlf_program_is(op, "Column"))) continue;
      cursor = program_root(flow->program, op->p1);
      if (!row) place = op->p2;
      value = -1;
    } else if (record >= 0) {
      if (op->p3 != record || !mlf_program_is(op, "MakeRecord")) continue;
      value = op->p1 + place;
      record = -1;
    } else if (mlf_program_is_any(op, program_puts) &&
               program_root(flow->program, op->p1) == cursor) {
      record = op->p2;
    }
  }
  return false;
}

static bool program_follow(program_flow *flow, int at, int value);

/* Whether an instruction looks among rows for one like this, by a key of so many registers. */
static bool program_seeks(const mlf_program_op *op, int place) {
  if (!mlf_program_is_any(op, program_sought) || program_is_distinct(op)) return false;
  return program_is_record(op) || place < program_width(op);
}

/* Whether another value is looked for at this place in rows by this cursor. */
static bool program_is_sought(const program_flow *flow, int at, int cursor, int place) {
  const mlf_program_op *op = &flow->program->ops[at];
  if (mlf_program_is(op, "IdxDelete"))
    return op->p1 == cursor && !program_is_ours(flow, op->p2 + place, -1, 0, at);
  if (op->p1 != cursor || !program_seeks(op, place)) return false;
  return !program_is_ours(flow, op->p3 + (program_is_record(op) ? 0 : place), -1, place, at);
}

/* Whether a row that the instruction at `at` reads whole is looked for among others. */
static bool program_seeks_row(const program_flow *flow, int at, int place) {
  const mlf_program_op *ops = flow->program->ops;
  for (int i = at + 1; i < flow->program->count; i++) {
    bool sought = ops[i].p3 == ops[at].p2 && mlf_program_is_any(&ops[i], program_sought) &&
                  program_is_record(&ops[i]);
    if (sought && !program_is_ours(flow, -1, ops[i].p1, place, i)) return true;
  }
  return false;
}

/* Follows a value into the rows that the instruction at `at` makes of registers: to where they are
** put, to where others are looked for among them, and to where that is read. */
static bool program_follow_row(program_flow *flow, int at, int place) {
  const mlf_program_op *ops = flow->program->ops;
  int cursor = -1;
  for (int i = at + 1; cursor < 0 && i < flow->program->count; i++) {
    if (mlf_program_is_any(&ops[i], program_puts) && ops[i].p2 == ops[at].p3)
      cursor = program_root(flow->program, ops[i].p1);
  }
  for (int i = 0; cursor >= 0 && i < flow->program->count; i++) {
    bool column = mlf_program_is(&ops[i], "Column") && ops[i].p2 == place;
    bool whole = mlf_program_is(&ops[i], "RowData");
    if (program_is_sought(flow, i, cursor, place)) return true;
    if ((!column && !whole) || program_root(flow->program, ops[i].p1) != cursor) continue;
    if (whole ? program_seeks_row(flow, i, place) : program_follow(flow, i, ops[i].p3)) return true;
  }
  return false;
}

/* Follows what the instruction at `at` computes of a value, into its register P3. */
static bool program_follow_computed(program_flow *flow, int at) {
  bool before = flow->computed;
  flow->computed = true;
  bool found = program_follow(flow, at, flow->program->ops[at].p3);
  flow->computed = before;
  return found;
}

/* Whether one register is to hold the former value of the other, as where rows are grouped. */
static bool program_is_former(const program_flow *flow, int former, int value) {
  for (int i = 0; i < flow->program->count; i++) {
    if (program_source(&flow->program->ops[i], former) == value) return true;
  }
  return false;
}

/* Whether a Compare of two runs of registers compares the value with another one. */
static bool program_compares_with(const program_flow *flow, int at, int value) {
  const mlf_program_op *op = &flow->program->ops[at];
  int first = value - op->p1, second = value - op->p2, other = -1;
  if (first >= 0 && first < op->p3) other = op->p2 + first;
  if (second >= 0 && second < op->p3) other = op->p1 + second;
  return other >= 0 && !program_is_former(flow, other, value) &&
         !program_is_former(flow, value, other) && !program_is_ours(flow, other, -1, 0, at);
}

/* Whether the instruction at `at` compares the value, or what it makes of it comes to that. */
static bool program_uses(program_flow *flow, int at, int value) {
  static const char *const copied[] = {"Copy", "SCopy", "Move", NULL};
  const mlf_program_op *op = &flow->program->ops[at];
  if (mlf_program_is_any(op, program_compared)) {
    if (op->p1 != value && op->p3 != value) return false;
    return !program_is_ours(flow, op->p1 == value ? op->p3 : op->p1, -1, 0, at);
  }
  if (mlf_program_is(op, "If") || mlf_program_is(op, "IfNot")) return op->p1 == value;
  if (mlf_program_is(op, "IsNull") || mlf_program_is(op, "NotNull"))
    return flow->computed && op->p1 == value && !program_is_coalesce(flow, op);
  if (mlf_program_is_any(op, program_sought))
    return value >= op->p3 && value < op->p3 + program_width(op) && !program_is_distinct(op) &&
           !program_is_ours(flow, -1, op->p1, value - op->p3, at);
  if (mlf_program_is(op, "Compare")) return program_compares_with(flow, at, value);
  if (mlf_program_is(op, "IdxDelete"))
    return value >= op->p2 && value < op->p2 + op->p3 &&
           !program_is_ours(flow, -1, op->p1, value - op->p2, at);
  if (mlf_program_is(op, "AggStep"))
    return value >= op->p2 && value < op->p2 + program_width(op) && op->p3 != value &&
           strncmp(op->text, "count(", 6) != 0 && program_follow_computed(flow, at);
  if (mlf_program_is(op, "AggValue"))
    return op->p1 == value && op->p3 != value && program_follow_computed(flow, at);
  if (program_is_function_of(op, value))
    return op->p3 != value && program_follow_computed(flow, at);
  if (mlf_program_is_any(op, program_computed))
    return (op->p1 == value || op->p2 == value) && op->p3 != value &&
           program_follow_computed(flow, at);
  if (mlf_program_is_any(op, copied))
    return value >= op->p1 && value <= op->p1 + op->p3 &&
           program_follow(flow, at, op->p2 + value - op->p1);
  if (mlf_program_is(op, "MakeRecord"))
    return value >= op->p1 && value < op->p1 + op->p2 &&
           program_follow_row(flow, at, value - op->p1);
  return false;
}

/* Whether the register has a new use. A constant put there may be what coalesce() falls back to. */
static bool program_ends(const mlf_program_op *op, int value) {
  static const char *const reads[] = {"VColumn", "Column", NULL};
  return mlf_program_is_any(op, reads) && op->p3 == value;
}

/* Follows the value that the instruction at `at` puts into a register. */
static bool program_follow(program_flow *flow, int at, int value) {
  for (int i = 0; i < flow->steps; i++) {
    if (flow->been[i].at == at && flow->been[i].value == value &&
        flow->been[i].computed == flow->computed)
      return false;
  }
  if (flow->steps == PROGRAM_STEPS_MAX) return false;
  flow->been[flow->steps].at = at;
  flow->been[flow->steps].value = value;
  flow->been[flow->steps++].computed = flow->computed;
  for (int i = at + 1; i < flow->program->count; i++) {
    if (program_uses(flow, i, value)) return true;
    if (program_ends(&flow->program->ops[i], value)) return false;
  }
  return false;
}

bool mlf_program_compares(const mlf_program *program, int at) {
  program_flow flow = {.program = program};
  return program_follow(&flow, at, program->ops[at].p3);
}

/* Whether an instruction puts a value into the register, or changes what is there. */
static bool program_writes(const mlf_program_op *op, int value) {
  static const char *const second[] = {"String8",  "Variable", "Integer", "Int64", "Real",
                                       "Null",     "Not",      "BitNot",  "Blob",  "ZeroOrNull",
                                       "SoftNull", "Rowid",    NULL};
  static const char *const third[] = {"VColumn", "Column", "Function", "PureFunc", NULL};
  static const char *const changed[] = {"Cast", "RealAffinity", "AggFinal", NULL};
  return (op->p1 == value && mlf_program_is_any(op, changed)) ||
         (op->p2 == value && mlf_program_is_any(op, second)) ||
         (op->p3 == value &&
          (mlf_program_is_any(op, third) || mlf_program_is_any(op, program_computed))) ||
         program_source(op, value) >= 0;
}

/* Which instruction has put into the register what it holds at `at`; -1: not known, as where it is
** not always run. A program begins at its end, with constants. */
static int program_writer(const mlf_program *program, int at, int value) {
  const mlf_program_op *ops = program->ops;
  int base = ops[at].base, writer = at - 1;
  while (writer >= base && !program_writes(&ops[writer], value))
    writer--;
  if (writer < base) {
    for (int i = at + 1; i < program->count && ops[i].base == base; i++) {
      if (program_writes(&ops[i], value)) writer = i;
    }
  }
  for (int i = base; i < writer && writer < at; i++) {
    bool jumps_over = ops[i].p2 > writer && ops[i].p2 <= at;
    if (jumps_over && program_is_jump(&ops[i]) && !mlf_program_is(&ops[i], "Once")) return -1;
  }
  return writer < base ? -1 : writer;
}

/* Whether two registers hold the same, each at its place: the same constant, parameter or column of
** a row, or what the same function makes of such. */
static bool program_is_same(const mlf_program *program, int at, int value, int other_at, int other,
                            int depth) {
  static const char *const constants[] = {"String8", "Integer", "Int64", "Variable", NULL};
  int one = program_writer(program, at, value), two = program_writer(program, other_at, other);
  if (one < 0 || two < 0 || depth == 0) return false;
  const mlf_program_op *a = &program->ops[one], *b = &program->ops[two];
  int source = program_source(a, value), other_source = program_source(b, other);
  if (source >= 0) return program_is_same(program, one, source, other_at, other, depth - 1);
  if (other_source >= 0) return program_is_same(program, at, value, two, other_source, depth - 1);
  if (strcmp(a->name, b->name) != 0 || (a->text && strcmp(a->text, b->text) != 0)) return false;
  if (mlf_program_is_any(a, constants)) return a->p1 == b->p1;
  if (mlf_program_is(a, "Column") || mlf_program_is(a, "VColumn"))
    return a->p1 == b->p1 && a->p2 == b->p2;
  if (mlf_program_is_any(a, program_computed))
    return program_is_same(program, one, a->p1, two, b->p1, depth - 1) &&
           program_is_same(program, one, a->p2, two, b->p2, depth - 1);
  bool same = a->text && (mlf_program_is(a, "Function") || mlf_program_is(a, "PureFunc"));
  for (int i = 0; same && i < program_width(a); i++)
    same = program_is_same(program, one, a->p2 + i, two, b->p2 + i, depth - 1);
  return same;
}

/* Whether a test jumps where its value is NULL, too, as in WHERE, and not as in IS NOT FALSE. */
static bool program_jumps_if_null(const mlf_program_op *op) {
  if (mlf_program_is(op, "Eq"))
    return (op->p5 & PROGRAM_JUMP_IF_NULL) && !(op->p5 & PROGRAM_NULLS_ARE_ONE);
  return !mlf_program_is(op, "IfNot") || op->p3 != 0;
}

/* Whether a row of the scan that begins at `at` may come to `end`, its VNext, past what reads a
** column and the test of that, as in the branch of an OR or a CASE. */
static bool program_is_passed(const mlf_program *program, int at, int read, int test, int end) {
  for (int i = at; i < test; i++) {
    const mlf_program_op *op = &program->ops[i];
    if (program_is_jump(op) && op->p2 > (i < read ? read : test) && op->p2 < end) return true;
  }
  return false;
}

/* Whether the column that the instruction at `read` reads is tested for the term, and each row for
** which that does not hold goes to `end`, where the scan goes to its next one. */
static bool program_drops(const mlf_program *program, int read, int end,
                          const mlf_program_term *term) {
  static const char *const tests[] = {"If", "IfNot", "IsNull", "NotNull", NULL};
  bool called = false;
  int value = program->ops[read].p3;
  for (int i = read + 1; i < end; i++) {
    const mlf_program_op *op = &program->ops[i];
    if (mlf_program_is_any(op, program_compared) || mlf_program_is_any(op, tests)) {
      int other = op->p3 == value ? op->p1 : op->p3;
      if (!mlf_program_is(op, term->test) || called != (term->function != NULL)) return false;
      if ((op->p1 != value && op->p3 != value) || op->p2 != end) return false;
      if (!program_jumps_if_null(op) || program_is_passed(program, term->at, read, i, end))
        return false;
      return !mlf_program_is(op, "Eq") ||
             program_is_same(program, i, other, term->at, term->argument, PROGRAM_DEPTH_MAX);
    }
    if (program_is_function_of(op, value)) {
      called = !called && term->function && value == op->p2 + 1 &&
               strcmp(op->text, term->function) == 0 &&
               program_is_same(program, i, op->p2, term->at, term->argument, PROGRAM_DEPTH_MAX);
      if (!called) return false;
      value = op->p3;
    } else if (program_writes(op, value)) {
      return false; /* another value now */
    }
  }
  return false;
}

bool mlf_program_drops(const mlf_program *program, const mlf_program_term *term) {
  int cursor = program->ops[term->at].p1, end = term->at + 1;
  while (end < program->count &&
         !(program->ops[end].p1 == cursor && mlf_program_is(&program->ops[end], "VNext")))
    end++;
  for (int i = term->at + 1; i < end; i++) {
    const mlf_program_op *op = &program->ops[i];
    bool read = mlf_program_is(op, "VColumn") && op->p1 == cursor && op->p2 == term->column;
    if (read && program_drops(program, i, end, term)) return true;
  }
  return false;
}

bool mlf_program_is_listed(const mlf_program *program, int at, int value) {
  for (int i = at - 1; i >= 0; i--) {
    const mlf_program_op *op = &program->ops[i];
    int source = program_source(op, value);
    if (source >= 0) value = source;
    if (op->p3 != value || !mlf_program_is(op, "Column")) continue;
    int cursor = program_root(program, op->p1);
    while (i-- > 0) {
      const mlf_program_op *opened = &program->ops[i];
      if (opened->p1 == cursor && mlf_program_is(opened, "OpenEphemeral"))
        return strncmp(opened->text, "k(", 2) == 0;
    }
  }
  return false;
}

bool mlf_program_is_column(const mlf_program *program, int at, int value) {
  for (int depth = 0; depth < PROGRAM_DEPTH_MAX; depth++) {
    int writer = program_writer(program, at, value);
    if (writer < 0) return false;
    const mlf_program_op *op = &program->ops[writer];
    if (mlf_program_is(op, "Column") || mlf_program_is(op, "VColumn")) return true;
    at = writer;
    value = program_source(op, value);
    if (value < 0) return false;
  }
  return false;
}
