#include "tables/program_flow.h"

#include <string.h>

/* Into so many registers a value is followed, each once, and so often it is asked where another one
** is from; one that goes further is taken for compared. */
#define FLOW_STEPS_MAX 512
#define FLOW_ASKED_MAX 20000
/* So far back it is asked. */
#define FLOW_DEPTH_MAX 24

/* A value that is followed. */
typedef struct program_flow {
  const mlf_program *program;
  int asked;
  int steps;
  struct {
    int at;
    int value;
    bool computed;
  } been[FLOW_STEPS_MAX];
  bool computed; /* it is no longer what was read, but made of it: NULL tells something */
} program_flow;

/* What puts a row into a table of the statement's own: of register P2, by cursor P1. */
static const char *const flow_puts[] = {"Insert", "IdxInsert", "SorterInsert", NULL};

/* Whether the key is one register, which holds a row. */
static bool flow_is_record(const mlf_program_op *op) {
  return strcmp(op->text, "0") == 0;
}

/* Whether a look-up is DISTINCT's, which looks among the rows that it has put there itself. */
static bool flow_is_distinct(const mlf_program_op *op) {
  return mlf_program_is(op, "Found") && mlf_program_is(op + 1, "MakeRecord") && op[1].p1 == op->p3;
}

/* Whether a jump where a register is not NULL is one over what coalesce() puts there instead. */
static bool flow_is_coalesce(const program_flow *flow, const mlf_program_op *op) {
  if (!mlf_program_is(op, "NotNull") || op->p2 < 1 || op->p2 > flow->program->count) return false;
  const mlf_program_op *last = &flow->program->ops[op->p2 - 1];
  return last > op && mlf_program_writes(last, op->p1);
}

/* The register that holds the one row which a cursor reads; -1: it reads a table. */
static int flow_pseudo(const mlf_program *program, int cursor) {
  for (int i = 0; i < program->count; i++) {
    const mlf_program_op *op = &program->ops[i];
    if (op->p1 == cursor && mlf_program_is(op, "OpenPseudo")) return op->p2;
  }
  return -1;
}

/* Whether the instruction puts a row that it has read whole into a register. */
static bool flow_reads_row(const mlf_program_op *op, int row) {
  return op->p2 == row && (mlf_program_is(op, "RowData") || mlf_program_is(op, "SorterData"));
}

/* Where a value is: in a register, or at a place of a row, which is in a register or read by a
** cursor. */
typedef enum flow_where { FLOW_REGISTER, FLOW_ROW, FLOW_CURSOR } flow_where;

static bool flow_is_ours(program_flow *flow, flow_where where, int of, int place, int at,
                         int depth);

/* Whether what an instruction puts there is no news. */
static bool flow_puts_ours(program_flow *flow, flow_where where, int of, int place, int at,
                           int depth) {
  const mlf_program_op *op = &flow->program->ops[at];
  if (where == FLOW_CURSOR) return flow_is_ours(flow, FLOW_ROW, op->p2, place, at, depth - 1);
  if (mlf_program_is(op, "MakeRecord"))
    return flow_is_ours(flow, FLOW_REGISTER, op->p1 + place, 0, at, depth - 1);
  if (where == FLOW_ROW) return flow_is_ours(flow, FLOW_CURSOR, op->root, place, at, depth - 1);
  if (mlf_program_is(op, "VColumn")) return op->no_news;
  if (mlf_program_is(op, "Column"))
    return flow_is_ours(flow, FLOW_CURSOR, op->root, op->p2, at, depth - 1);
  int source = mlf_program_source(op, of);
  return source >= 0 && flow_is_ours(flow, FLOW_REGISTER, source, 0, at, depth - 1);
}

/* Whether an instruction puts a value there. */
static bool flow_puts_there(const program_flow *flow, flow_where where, int of, int at) {
  const mlf_program_op *op = &flow->program->ops[at];
  if (where == FLOW_REGISTER) return mlf_program_writes(op, of);
  if (where == FLOW_ROW)
    return flow_reads_row(op, of) || (op->p3 == of && mlf_program_is(op, "MakeRecord"));
  return mlf_program_is_any(op, flow_puts) && op->root == of;
}

/* Whether a register may have at `at` what was put there before the instruction at `i`: the program
** may have come past that, or another part of a co-routine has handed it over. */
static bool flow_is_by_another_way(const mlf_program *program, int i, int value, int at) {
  for (int j = i + 1; j < at; j++) {
    if (mlf_program_is(&program->ops[j], "Yield")) return true;
  }
  return mlf_program_passes(program, i, value, at);
}

/* Whether all that the value there may be at `at` is no news: it was read from ours, put aside or
** not. NULL, which a sub-select without a row has, is none. A register has what was put there last,
** or, where the program may have come by another way, as in CASE, before. */
static bool flow_is_ours(program_flow *flow, flow_where where, int of, int place, int at,
                         int depth) {
  const mlf_program *program = flow->program;
  bool found = false;
  if (depth == 0 || flow->asked++ > FLOW_ASKED_MAX) return false;
  if (where == FLOW_CURSOR) {
    int row = flow_pseudo(program, of);
    if (row >= 0) return flow_is_ours(flow, FLOW_ROW, row, place, at, depth - 1);
    at = program->count;
  }
  for (int i = at - 1; i >= 0; i--) {
    if (!flow_puts_there(flow, where, of, i)) continue;
    if (!mlf_program_is(&program->ops[i], "Null")) {
      if (!flow_puts_ours(flow, where, of, place, i, depth)) return false;
      found = true;
    }
    if (where != FLOW_CURSOR && !flow_is_by_another_way(program, i, of, at)) break;
  }
  return found;
}

static bool flow_has_register(program_flow *flow, int value, int at) {
  return flow_is_ours(flow, FLOW_REGISTER, value, 0, at, FLOW_DEPTH_MAX);
}

static bool flow_has_place(program_flow *flow, int cursor, int place, int at) {
  return flow_is_ours(flow, FLOW_CURSOR, cursor, place, at, FLOW_DEPTH_MAX);
}

static bool flow_follow(program_flow *flow, int at, int value);

/* Whether an instruction looks among rows for one like this, by a key of so many registers. */
static bool flow_seeks(const mlf_program_op *op, int place) {
  if (!mlf_program_is_any(op, mlf_program_sought) || flow_is_distinct(op)) return false;
  return flow_is_record(op) || place < mlf_program_width(op);
}

/* Whether another value is looked for at this place in rows by this cursor. */
static bool flow_is_sought(program_flow *flow, int at, int cursor, int place) {
  const mlf_program_op *op = &flow->program->ops[at];
  if (op->root != cursor) return false;
  if (mlf_program_is(op, "IdxDelete")) return !flow_has_register(flow, op->p2 + place, at);
  if (!flow_seeks(op, place)) return false;
  if (!flow_is_record(op)) return !flow_has_register(flow, op->p3 + place, at);
  return !flow_is_ours(flow, FLOW_ROW, op->p3, place, at, FLOW_DEPTH_MAX);
}

/* Whether a row that the instruction at `at` reads whole is looked for among others, or comes to a
** comparison from where it is put. */
static bool flow_seeks_row(program_flow *flow, int at, int place);

/* Follows a value at a place of a cursor's rows: to where others are looked for among them, and to
** where that is read. */
static bool flow_follow_cursor(program_flow *flow, int cursor, int place) {
  const mlf_program *program = flow->program;
  for (int i = 0; i < program->count; i++) {
    const mlf_program_op *op = &program->ops[i];
    bool column = mlf_program_is(op, "Column") && op->p2 == place;
    bool whole = mlf_program_is(op, "RowData") || mlf_program_is(op, "SorterData");
    if (flow_is_sought(flow, i, cursor, place)) return true;
    if ((!column && !whole) || op->root != cursor) continue;
    if (whole ? flow_seeks_row(flow, i, place) : flow_follow(flow, i, op->p3)) return true;
  }
  return false;
}

/* Whether the value has been followed from there already, or may not be: -1 then. */
static int flow_step(program_flow *flow, int at, int value) {
  for (int i = 0; i < flow->steps; i++) {
    if (flow->been[i].at == at && flow->been[i].value == value &&
        flow->been[i].computed == flow->computed)
      return 0;
  }
  if (flow->steps == FLOW_STEPS_MAX) return -1;
  flow->been[flow->steps].at = at;
  flow->been[flow->steps].value = value;
  flow->been[flow->steps++].computed = flow->computed;
  return 1;
}

static bool flow_seeks_row(program_flow *flow, int at, int place) {
  const mlf_program *program = flow->program;
  int row = program->ops[at].p2;
  int step = flow_step(flow, at, -1 - place);
  if (step <= 0) return step < 0;
  for (int i = 0; i < program->count; i++) {
    const mlf_program_op *op = &program->ops[i];
    bool sought =
        i > at && op->p3 == row && mlf_program_is_any(op, mlf_program_sought) && flow_is_record(op);
    if (sought && !flow_has_place(flow, op->root, place, i)) return true;
    bool pseudo = op->p2 == row && mlf_program_is(op, "OpenPseudo");
    bool put = i > at && op->p2 == row && mlf_program_is_any(op, flow_puts);
    if ((pseudo || put) && flow_follow_cursor(flow, op->root, place)) return true;
  }
  return false;
}

/* Follows a value into the rows that the instruction at `at` makes of registers. */
static bool flow_follow_row(program_flow *flow, int at, int place) {
  const mlf_program_op *ops = flow->program->ops;
  for (int i = at + 1; i < flow->program->count; i++) {
    if (mlf_program_is_any(&ops[i], flow_puts) && ops[i].p2 == ops[at].p3)
      return flow_follow_cursor(flow, ops[i].root, place);
  }
  return false;
}

/* Follows what the instruction at `at` computes of a value. */
static bool flow_follow_computed(program_flow *flow, int at, int made) {
  bool before = flow->computed;
  flow->computed = true;
  bool found = flow_follow(flow, at, made);
  flow->computed = before;
  return found;
}

/* Whether one register is to hold the former value of the other, as where rows are grouped. */
static bool flow_is_former(const program_flow *flow, int former, int value) {
  for (int i = 0; i < flow->program->count; i++) {
    if (mlf_program_source(&flow->program->ops[i], former) == value) return true;
  }
  return false;
}

/* Whether a Compare of two runs of registers compares the value with another one. */
static bool flow_compares_with(program_flow *flow, int at, int value) {
  const mlf_program_op *op = &flow->program->ops[at];
  int first = value - op->p1, second = value - op->p2, other = -1;
  if (first >= 0 && first < op->p3) other = op->p2 + first;
  if (second >= 0 && second < op->p3) other = op->p1 + second;
  return other >= 0 && !flow_is_former(flow, other, value) && !flow_is_former(flow, value, other) &&
         !flow_has_register(flow, other, at);
}

/* Whether the instruction at `at` hands the value to a table that is none of ours, as json_each.
** The arguments stand behind idxNum and their count. */
static bool flow_is_argument(const program_flow *flow, int at, int value) {
  const mlf_program_op *op = &flow->program->ops[at];
  if (op->no_news || !mlf_program_is(op, "VFilter") || value < op->p3 + 2) return false;
  for (int i = at - 1; i >= 0; i--) {
    const mlf_program_op *count = &flow->program->ops[i];
    if (count->p2 == op->p3 + 1 && mlf_program_is(count, "Integer"))
      return value < op->p3 + 2 + count->p1;
  }
  return false;
}

/* Whether the instruction at `at` compares the value. */
static bool flow_compares(program_flow *flow, int at, int value) {
  const mlf_program_op *op = &flow->program->ops[at];
  if (mlf_program_is_any(op, mlf_program_compared)) {
    if (op->p1 != value && op->p3 != value) return false;
    return !flow_has_register(flow, op->p1 == value ? op->p3 : op->p1, at);
  }
  if (mlf_program_is(op, "If") || mlf_program_is(op, "IfNot")) return op->p1 == value;
  if (mlf_program_is(op, "IsNull") || mlf_program_is(op, "NotNull"))
    return flow->computed && op->p1 == value && !flow_is_coalesce(flow, op);
  if (mlf_program_is_any(op, mlf_program_sought))
    return value >= op->p3 && value < op->p3 + mlf_program_width(op) && !flow_is_distinct(op) &&
           !flow_has_place(flow, op->root, value - op->p3, at);
  if (mlf_program_is(op, "SeekRowid") || mlf_program_is(op, "NotExists")) return op->p3 == value;
  if (mlf_program_is(op, "IdxDelete"))
    return value >= op->p2 && value < op->p2 + op->p3 &&
           !flow_has_place(flow, op->root, value - op->p2, at);
  if (mlf_program_is(op, "Compare")) return flow_compares_with(flow, at, value);
  return flow_is_argument(flow, at, value);
}

/* Whether what the instruction at `at` makes of the value, or copies of it, is compared. */
static bool flow_passes_on(program_flow *flow, int at, int value) {
  static const char *const copied[] = {"Copy", "SCopy", "Move", NULL};
  static const char *const changed[] = {"Not", "BitNot", "IsTrue", NULL};
  const mlf_program_op *op = &flow->program->ops[at];
  int made = mlf_program_is_any(op, changed) ? op->p2 : op->p3;
  bool computes = mlf_program_is_function_of(op, value);
  if (mlf_program_is_any(op, changed) || mlf_program_is(op, "AggValue"))
    computes = op->p1 == value;
  else if (mlf_program_is_any(op, mlf_program_computed))
    computes = op->p1 == value || op->p2 == value;
  else if (mlf_program_is(op, "AggStep"))
    computes = value >= op->p2 && value < op->p2 + mlf_program_width(op) &&
               strncmp(op->text, "count(", 6) != 0;
  if (computes) return made != value && flow_follow_computed(flow, at, made);
  if (mlf_program_is_any(op, copied))
    return value >= op->p1 && value <= op->p1 + op->p3 &&
           flow_follow(flow, at, op->p2 + value - op->p1);
  return mlf_program_is(op, "MakeRecord") && value >= op->p1 && value < op->p1 + op->p2 &&
         flow_follow_row(flow, at, value - op->p1);
}

/* Whether the register has a new use. A constant put there may be what coalesce() falls back to. */
static bool flow_ends(const mlf_program_op *op, int value) {
  static const char *const reads[] = {"VColumn", "Column", NULL};
  return mlf_program_is_any(op, reads) && op->p3 == value;
}

/* Where the value that was put into a register at `at` is still there, though the instruction at
** `end` puts another one there: to where a jump passes that, as in CASE and coalesce(). A jump to
** the next row takes nothing along. The end of the program, if nowhere. */
static int flow_survives(const mlf_program *program, int at, int end) {
  static const char *const nexts[] = {"VNext", "Next", "Prev", "SorterNext", NULL};
  int to = program->count;
  for (int i = at + 1; i < end; i++) {
    const mlf_program_op *op = &program->ops[i];
    bool past = op->p2 > end && op->p2 < to && mlf_program_is_jump(op);
    if (past && !mlf_program_is_any(&program->ops[op->p2], nexts)) to = op->p2;
  }
  return to;
}

/* Follows the value that the instruction at `at` puts into a register. What a co-routine has handed
** over is used behind, though the next part of the co-routine puts another one there. */
static bool flow_follow(program_flow *flow, int at, int value) {
  bool handed = false;
  int step = flow_step(flow, at, value);
  if (step <= 0) return step < 0;
  for (int i = at + 1; i < flow->program->count; i++) {
    if (flow_compares(flow, i, value) || flow_passes_on(flow, i, value)) return true;
    handed = handed || mlf_program_is(&flow->program->ops[i], "Yield");
    if (!handed && flow_ends(&flow->program->ops[i], value))
      i = flow_survives(flow->program, at, i) - 1;
  }
  return false;
}

bool mlf_program_compares(const mlf_program *program, int at) {
  program_flow flow = {.program = program};
  return flow_follow(&flow, at, program->ops[at].p3);
}
