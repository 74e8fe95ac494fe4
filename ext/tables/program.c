#include "tables/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* The registers of a function that takes any number are taken for so many. */
#define PROGRAM_ARGUMENTS 4
#define PROGRAM_WIDTH_MAX 2000
/* Of so many functions in each other it is seen that two values are made in the same way. */
#define PROGRAM_DEPTH_MAX 16
/* P5 of a comparison: it jumps where an operand is NULL, too; two NULLs are equal. */
#define PROGRAM_JUMP_IF_NULL  0x10
#define PROGRAM_NULLS_ARE_ONE 0x80

const char *const mlf_program_sought[] = {"Found",  "NotFound", "SeekGE", "SeekGT",
                                          "SeekLE", "SeekLT",   "IdxGE",  "IdxGT",
                                          "IdxLE",  "IdxLT",    NULL};

const char *const mlf_program_computed[] = {
    "Concat", "Add", "Subtract",  "Multiply",   "Divide", "Remainder", "BitAnd",
    "BitOr",  "And", "ShiftLeft", "ShiftRight", "Or",     NULL};

const char *const mlf_program_compared[] = {"Eq", "Ne", "Lt", "Le", "Gt", "Ge", NULL};

bool mlf_program_is(const mlf_program_op *op, const char *name) {
  return op->name[0] == name[0] && strcmp(op->name, name) == 0;
}

bool mlf_program_is_any(const mlf_program_op *op, const char *const *names) {
  for (; *names; names++) {
    if (mlf_program_is(op, *names)) return true;
  }
  return false;
}

bool mlf_program_is_jump(const mlf_program_op *op) {
  static const char *const jumps[] = {
      "Goto",  "If",     "IfNot",     "IsNull",     "NotNull", "IfNullRow", "Once",  "NotExists",
      "IfPos", "Rewind", "SeekRowid", "SorterNext", "Next",    "Prev",      "VNext", NULL};
  return mlf_program_is_any(op, jumps) || mlf_program_is_any(op, mlf_program_compared) ||
         mlf_program_is_any(op, mlf_program_sought);
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
                         .root = sqlite3_column_int(row, 2),
                         .p2 = sqlite3_column_int(row, 3),
                         .p3 = sqlite3_column_int(row, 4),
                         .p5 = sqlite3_column_int(row, 6)};
  sqlite3_snprintf(sizeof(op->name), op->name, "%s", name ? name : "");
  if (op->base > 0 && mlf_program_is_jump(op)) op->p2 += op->base;
  program->count++;
  if (!mlf_program_is_any(op, told) && !mlf_program_is_any(op, mlf_program_sought))
    return SQLITE_OK;
  op->text = sqlite3_mprintf("%s", sqlite3_column_text(row, 5));
  return op->text ? SQLITE_OK : SQLITE_NOMEM;
}

/* Says of cursors that share a table which one has opened it. */
static void program_share(mlf_program *program) {
  for (int i = 0; i < program->count; i++) {
    const mlf_program_op *opened = &program->ops[i];
    if (!mlf_program_is(opened, "OpenDup")) continue;
    for (mlf_program_op *op = program->ops; op < program->ops + program->count; op++) {
      if (op->p1 == opened->p1) op->root = opened->p2;
    }
  }
}

int mlf_program_read(mlf_program *program, sqlite3 *db, const char *sql) {
  sqlite3_stmt *shown = NULL;
  char *explain = sqlite3_mprintf("EXPLAIN %s", sql);
  int rc = explain ? sqlite3_prepare_v2(db, explain, -1, &shown, NULL) : SQLITE_NOMEM;
  sqlite3_free(explain);
  if (rc == SQLITE_OK && sqlite3_stmt_isexplain(shown) != 1) rc = SQLITE_ERROR;
  while (rc == SQLITE_OK && sqlite3_step(shown) == SQLITE_ROW)
    rc = program_add(program, shown);
  program_share(program);
  int finalized = sqlite3_finalize(shown);
  return rc == SQLITE_OK ? finalized : rc;
}

void mlf_program_clear(mlf_program *program) {
  for (int i = 0; i < program->count; i++)
    sqlite3_free(program->ops[i].text);
  sqlite3_free(program->ops);
  *program = (mlf_program){0};
}

int mlf_program_width(const mlf_program_op *op) {
  const char *bracket = strchr(op->text, '(');
  long width = strtol(bracket ? bracket + 1 : op->text, NULL, 10);
  return width < 0 || width > PROGRAM_WIDTH_MAX ? PROGRAM_ARGUMENTS : width == 0 ? 1 : (int)width;
}

bool mlf_program_is_function_of(const mlf_program_op *op, int value) {
  bool function = mlf_program_is(op, "Function") || mlf_program_is(op, "PureFunc");
  return function && value >= op->p2 && value < op->p2 + mlf_program_width(op);
}

int mlf_program_source(const mlf_program_op *op, int value) {
  if (mlf_program_is(op, "SCopy") && op->p2 == value) return op->p1;
  bool copies = mlf_program_is(op, "Copy") || mlf_program_is(op, "Move");
  return copies && value >= op->p2 && value <= op->p2 + op->p3 ? op->p1 + value - op->p2 : -1;
}

bool mlf_program_writes(const mlf_program_op *op, int value) {
  static const char *const second[] = {"String8",    "String",   "Variable", "Integer",  "Int64",
                                       "Real",       "Null",     "Not",      "BitNot",   "Blob",
                                       "ZeroOrNull", "SoftNull", "Rowid",    "NewRowid", "Count",
                                       "IsTrue",     NULL};
  static const char *const third[] = {"VColumn", "Column",   "Function",   "PureFunc",
                                      "Offset",  "AggValue", "RowSetRead", NULL};
  static const char *const changed[] = {"Cast", "RealAffinity", "AggFinal", NULL};
  return (op->p1 == value && mlf_program_is_any(op, changed)) ||
         (op->p2 == value && mlf_program_is_any(op, second)) ||
         (value > op->p2 && value <= op->p3 && mlf_program_is(op, "Null")) ||
         (op->p3 == value &&
          (mlf_program_is_any(op, third) || mlf_program_is_any(op, mlf_program_computed))) ||
         mlf_program_source(op, value) >= 0;
}

bool mlf_program_passes(const mlf_program *program, int writer, int value, int at) {
  for (int i = program->ops[at].base; i < writer && writer < at; i++) {
    const mlf_program_op *op = &program->ops[i];
    bool over = op->p2 > writer && op->p2 <= at && mlf_program_is_jump(op);
    bool null = mlf_program_is(op, "IfNullRow") && op->p3 == value;
    if (over && !null && !mlf_program_is(op, "Once")) return true;
  }
  return false;
}

/* Which instruction has put into the register what it holds at `at`; -1: not known, as where it is
** not always run. A program begins at its end, with constants. */
static int program_writer(const mlf_program *program, int at, int value) {
  const mlf_program_op *ops = program->ops;
  int base = ops[at].base, writer = at - 1;
  while (writer >= base && !mlf_program_writes(&ops[writer], value))
    writer--;
  if (writer < base) {
    for (int i = at + 1; i < program->count && ops[i].base == base; i++) {
      if (mlf_program_writes(&ops[i], value)) writer = i;
    }
  }
  return writer < base || mlf_program_passes(program, writer, value, at) ? -1 : writer;
}

/* Whether two registers hold the same, each at its place: the same constant, parameter or column of
** a row, or what the same function makes of such. */
static bool program_is_same(const mlf_program *program, int at, int value, int other_at, int other,
                            int depth) {
  static const char *const constants[] = {"String8", "Integer", "Int64", "Variable", NULL};
  int one = program_writer(program, at, value), two = program_writer(program, other_at, other);
  if (one < 0 || two < 0 || depth == 0) return false;
  const mlf_program_op *a = &program->ops[one], *b = &program->ops[two];
  int source = mlf_program_source(a, value), other_source = mlf_program_source(b, other);
  if (source >= 0) return program_is_same(program, one, source, other_at, other, depth - 1);
  if (other_source >= 0) return program_is_same(program, at, value, two, other_source, depth - 1);
  if (strcmp(a->name, b->name) != 0 || (a->text && strcmp(a->text, b->text) != 0)) return false;
  if (mlf_program_is_any(a, constants)) return a->p1 == b->p1;
  if (mlf_program_is(a, "Column") || mlf_program_is(a, "VColumn"))
    return a->p1 == b->p1 && a->p2 == b->p2;
  if (mlf_program_is_any(a, mlf_program_computed))
    return program_is_same(program, one, a->p1, two, b->p1, depth - 1) &&
           program_is_same(program, one, a->p2, two, b->p2, depth - 1);
  bool same = a->text && (mlf_program_is(a, "Function") || mlf_program_is(a, "PureFunc"));
  for (int i = 0; same && i < mlf_program_width(a); i++)
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
    if (mlf_program_is_jump(op) && op->p2 > (i < read ? read : test) && op->p2 < end) return true;
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
    if (mlf_program_is_any(op, mlf_program_compared) || mlf_program_is_any(op, tests)) {
      int other = op->p3 == value ? op->p1 : op->p3;
      if (!mlf_program_is(op, term->test) || called != (term->function != NULL)) return false;
      if ((op->p1 != value && op->p3 != value) || op->p2 != end) return false;
      if (!program_jumps_if_null(op) || program_is_passed(program, term->at, read, i, end))
        return false;
      return !mlf_program_is(op, "Eq") ||
             program_is_same(program, i, other, term->at, term->argument, PROGRAM_DEPTH_MAX);
    }
    if (mlf_program_is_function_of(op, value)) {
      called = !called && term->function && value == op->p2 + 1 &&
               strcmp(op->text, term->function) == 0 &&
               program_is_same(program, i, op->p2, term->at, term->argument, PROGRAM_DEPTH_MAX);
      if (!called) return false;
      value = op->p3;
    } else if (mlf_program_writes(op, value)) {
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

/* Which instruction has put into the register what another register, or one before it, was copied
** from; -1: not known. */
static int program_origin(const mlf_program *program, int at, int value) {
  for (int depth = 0; depth < PROGRAM_DEPTH_MAX; depth++) {
    int writer = program_writer(program, at, value);
    int source = writer < 0 ? -1 : mlf_program_source(&program->ops[writer], value);
    if (source < 0) return writer;
    at = writer;
    value = source;
  }
  return -1;
}

/* A NULL in the list of an IN is passed over, which is seen of no other column that is handed on
** as it was read. */
bool mlf_program_is_listed(const mlf_program *program, int at, int value) {
  static const char *const reads[] = {"Column", "Rowid", NULL};
  int origin = program_origin(program, at, value);
  if (origin < 0) return false;
  const mlf_program_op *op = &program->ops[origin];
  int read = mlf_program_is(op, "Rowid") ? op->p2 : op->p3;
  return mlf_program_is_any(op, reads) && mlf_program_is(op + 1, "IsNull") && op[1].p1 == read;
}

bool mlf_program_is_column(const mlf_program *program, int at, int value) {
  int origin = program_origin(program, at, value);
  return origin >= 0 && (mlf_program_is(&program->ops[origin], "Column") ||
                         mlf_program_is(&program->ops[origin], "VColumn"));
}
