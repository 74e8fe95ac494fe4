#include "tables/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "query/plan.h"

/* Of one instruction of the program, as EXPLAIN shows it. */
typedef struct survey_op {
  char name[16];
  int p1;
  int p2;
  int p3;
  int p4;     /* where it is a number, */
  char *text; /* and as text; owned; NULL if it says nothing here */
} survey_op;

/* A scan, and what its plan does not tell. */
typedef struct survey_scan {
  const sqlite3_vtab *table;
  const char *plan;
  bool experiment; /* that this is compared, */
  bool other;      /* or filter or in_run; */
  bool read;       /* that it reads a column whose value is not told, or begins again */
} survey_scan;

struct mlf_survey {
  survey_op *ops;
  int op_count;
  size_t op_capacity;
  survey_scan *scans;
  int scan_count;
  size_t scan_capacity;
  int opened; /* cursors of our tables */
  bool begins_again;
  char **experiments;
  int experiment_count;
  size_t experiment_capacity;
};

void mlf_survey_free(mlf_survey *survey) {
  if (!survey) return;
  for (int i = 0; i < survey->op_count; i++)
    sqlite3_free(survey->ops[i].text);
  for (int i = 0; i < survey->experiment_count; i++)
    sqlite3_free(survey->experiments[i]);
  sqlite3_free(survey->ops);
  sqlite3_free(survey->scans);
  sqlite3_free(survey->experiments);
  sqlite3_free(survey);
}

static bool survey_is(const survey_op *op, const char *name) {
  return strcmp(op->name, name) == 0;
}

static bool survey_is_any(const survey_op *op, const char *const *names) {
  for (; *names; names++) {
    if (survey_is(op, *names)) return true;
  }
  return false;
}

static int survey_read_op(mlf_survey *survey, sqlite3_stmt *row) {
  static const char *const told[] = {"VOpen",    "VFilter",  "String8", "String",
                                     "Function", "PureFunc", NULL};
  survey_op *ops =
      mlf_array_room(survey->ops, (size_t)survey->op_count, &survey->op_capacity, 64, sizeof(*ops));
  if (!ops) return SQLITE_NOMEM;
  survey->ops = ops;
  survey_op *op = &ops[survey->op_count];
  const char *name = (const char *)sqlite3_column_text(row, 1);
  *op = (survey_op){.p1 = sqlite3_column_int(row, 2),
                    .p2 = sqlite3_column_int(row, 3),
                    .p3 = sqlite3_column_int(row, 4),
                    .p4 = sqlite3_column_int(row, 5)};
  sqlite3_snprintf(sizeof(op->name), op->name, "%s", name ? name : "");
  survey->op_count++;
  if (!survey_is_any(op, told)) return SQLITE_OK;
  op->text = sqlite3_mprintf("%s", sqlite3_column_text(row, 5));
  return op->text ? SQLITE_OK : SQLITE_NOMEM;
}

/* Reads the program. SQLITE_ERROR if SQLite does not show it. */
static int survey_read(mlf_survey *survey, sqlite3_stmt *statement) {
  char *sql = sqlite3_expanded_sql(statement);
  if (!sql) return SQLITE_ERROR;
  char *explain = sqlite3_mprintf("EXPLAIN %s", sql);
  sqlite3_free(sql);
  if (!explain) return SQLITE_NOMEM;
  sqlite3_stmt *program = NULL;
  int rc = sqlite3_prepare_v2(sqlite3_db_handle(statement), explain, -1, &program, NULL);
  sqlite3_free(explain);
  while (rc == SQLITE_OK && sqlite3_step(program) == SQLITE_ROW)
    rc = survey_read_op(survey, program);
  int finalized = sqlite3_finalize(program);
  return rc == SQLITE_OK ? finalized : rc;
}

/* The table whose cursor this is; NULL if it is none of ours. A cursor's number may be used again:
** the last time before `at` counts. */
static const mlf_surveyed *survey_table(const mlf_survey *survey, const mlf_surveyed *tables,
                                        int cursor, int at) {
  for (int i = at; i >= 0; i--) {
    const survey_op *op = &survey->ops[i];
    if (op->p1 != cursor || !survey_is(op, "VOpen")) continue;
    const mlf_surveyed *each = tables;
    for (; each; each = each->next) {
      char shown[48];
      sqlite3_snprintf(sizeof(shown), shown, "vtab:%p", (const void *)each->table);
      if (strcmp(op->text, shown) == 0) break;
    }
    return each;
  }
  return NULL;
}

/* Whether what stands at `at` is run again after something behind it. */
static bool survey_is_in_loop(const mlf_survey *survey, int at) {
  static const char *const jumps[] = {"Next", "Prev", "VNext", "SorterNext", "Goto", NULL};
  for (int i = at + 1; i < survey->op_count; i++) {
    const survey_op *op = &survey->ops[i];
    if (op->p2 > 1 && op->p2 <= at && survey_is_any(op, jumps)) return true;
  }
  return false;
}

static int survey_add_experiment(mlf_survey *survey, const char *text) {
  char **all = mlf_array_room(survey->experiments, (size_t)survey->experiment_count,
                              &survey->experiment_capacity, 4, sizeof(*all));
  if (!all) return SQLITE_NOMEM;
  survey->experiments = all;
  char *added = sqlite3_mprintf("%s", text);
  if (!added) return SQLITE_NOMEM;
  all[survey->experiment_count++] = added;
  return SQLITE_OK;
}

/* Whether a register holds a column of one of our tables that says of which experiment a trace is,
** or what was asked, read before `at`. */
static bool survey_is_ours(const mlf_survey *survey, const mlf_surveyed *tables, int index,
                           int at) {
  for (int i = at - 1; i >= 0; i--) {
    const survey_op *op = &survey->ops[i];
    if (!survey_is(op, "VColumn") || op->p3 != index) continue;
    const mlf_surveyed *table = survey_table(survey, tables, op->p1, i);
    if (!table || op->p2 >= table->schema->column_count) return false;
    mlf_key_kind kind = table->schema->columns[op->p2].key_kind;
    return mlf_key_is_argument(kind) || mlf_key_is_experiment(kind);
  }
  return false;
}

/* Adds the constant that is put into a register, anywhere in the program: "" if it is none. What
** comes from a table of ours is what that table reads. */
static int survey_add_register(mlf_survey *survey, const mlf_surveyed *tables, int index, int at) {
  if (survey_is_ours(survey, tables, index, at)) return SQLITE_OK;
  for (int i = survey->op_count - 1; i >= 0; i--) {
    const survey_op *op = &survey->ops[i];
    bool copied = (survey_is(op, "Copy") || survey_is(op, "SCopy")) && op->p2 == index;
    if (copied && op->p1 != index) return survey_add_register(survey, tables, op->p1, i);
    if (op->p2 != index) continue;
    if (survey_is(op, "String8") || survey_is(op, "String"))
      return survey_add_experiment(survey, op->text);
    if (survey_is(op, "Integer")) {
      char number[24];
      sqlite3_snprintf(sizeof(number), number, "%d", op->p1);
      return survey_add_experiment(survey, number);
    }
  }
  return survey_add_experiment(survey, "");
}

/* Notes which experiments a scan is told to read. Its arguments stand behind idxNum and argc. */
static int survey_note_told(mlf_survey *survey, const mlf_surveyed *tables,
                            const mlf_surveyed *table, int at, const mlf_plan *plan) {
  int rc = SQLITE_OK, argument = survey->ops[at].p3 + 2;
  for (int i = 0; rc == SQLITE_OK && i < table->arguments->experiment_count; i++)
    rc = survey_add_experiment(survey, table->arguments->experiments[i]);
  for (int i = 0; rc == SQLITE_OK && i < plan->term_count; i++) {
    mlf_key_kind kind = table->schema->columns[plan->terms[i].column].key_kind;
    if (mlf_key_is_experiment(kind) && table->arguments->experiment_count == 0)
      rc = plan->terms[i].op == MLF_OP_IN ? survey_add_experiment(survey, "")
                                          : survey_add_register(survey, tables, argument, at);
    argument += mlf_op_has_argument(plan->terms[i].op);
  }
  return rc;
}

/* Whether a cursor searches what is none of our own: another table, or an index or a list that was
** made of one, or of constants, before `at`. `column` is that of the index. What SQLite has copied
** from a scan or a view of ours, as for DISTINCT, is our own. */
static bool survey_searches_others(const mlf_survey *survey, const mlf_surveyed *tables, int cursor,
                                   int column, int at) {
  static const char *const constants[] = {"String8", "String", "Variable", "Integer", NULL};
  int record = -1, value = -1; /* the registers whose origin is looked for */
  for (int i = at - 1; i >= 0; i--) {
    const survey_op *op = &survey->ops[i];
    if (op->p2 == value && survey_is_any(op, constants)) return true;
    if (op->p3 == value && survey_is(op, "VColumn"))
      return !survey_is_ours(survey, tables, value, i + 1);
    if (op->p3 == value && survey_is(op, "Column")) {
      cursor = op->p1;
      value = -1;
    } else if (op->p3 == record && survey_is(op, "MakeRecord")) {
      value = op->p1 + column;
      record = -1;
    } else if (op->p1 == cursor && survey_is(op, "OpenRead")) {
      return true;
    } else if (op->p1 == cursor && survey_is(op, "IdxInsert")) {
      record = op->p2;
    }
  }
  return value >= 0; /* SQLite may compute what is constant at the program's end */
}

/* Whether the value that is put into a register at `at` is compared: with =, <> or another
** operator, by LIKE and the like, or by a search in an index or a list. That one of our tables has
** the same as another tells nothing. */
static bool survey_is_compared(const mlf_survey *survey, const mlf_surveyed *tables, int value,
                               int at) {
  static const char *const compared[] = {"Eq", "Ne", "Lt", "Le", "Gt", "Ge", NULL};
  static const char *const functions[] = {"Function", "PureFunc", NULL};
  /* These look for values, p4 of them from register p3 on, where the cursor p1 reads. */
  static const char *const searches[] = {"SeekLT", "SeekLE", "SeekGE", "SeekGT",   "IdxLT", "IdxLE",
                                         "IdxGE",  "IdxGT",  "Found",  "NotFound", NULL};
  for (int i = at + 1; i < survey->op_count; i++) {
    const survey_op *op = &survey->ops[i];
    if (survey_is_any(op, compared) && (op->p1 == value || op->p3 == value)) {
      int other = op->p1 == value ? op->p3 : op->p1;
      return !survey_is_ours(survey, tables, other, i);
    }
    if (survey_is_any(op, functions) && value >= op->p2 && value < op->p2 + 3 &&
        (strncmp(op->text, "like(", 5) == 0 || strncmp(op->text, "glob(", 5) == 0))
      return true;
    if (survey_is_any(op, searches) && value >= op->p3 && value < op->p3 + op->p4 &&
        survey_searches_others(survey, tables, op->p1, value - op->p3, i))
      return true;
    if ((survey_is(op, "Copy") || survey_is(op, "SCopy")) && op->p1 == value &&
        survey_is_compared(survey, tables, op->p2, i))
      return true;
    if (survey_is(op, "VColumn") && op->p3 == value) return false; /* the register has a new use */
  }
  return false;
}

/* Notes by which plan a scan reads, and what it reads that the plan does not tell; of its arguments,
** what is compared. */
static int survey_note_scan(mlf_survey *survey, const mlf_surveyed *tables,
                            const mlf_surveyed *table, int at, const mlf_plan *plan) {
  survey_scan scan = {
      .table = table->table, .plan = survey->ops[at].text, .read = survey_is_in_loop(survey, at)};
  for (int i = 0; i < survey->op_count; i++) {
    const survey_op *op = &survey->ops[i];
    if (!survey_is(op, "VColumn") || op->p1 != survey->ops[at].p1) continue;
    if (op->p2 >= table->schema->column_count) continue;
    mlf_key_kind kind = table->schema->columns[op->p2].key_kind;
    bool told = false;
    for (int j = 0; j < plan->term_count; j++)
      told = told || plan->terms[j].column == op->p2;
    scan.read = scan.read || !told;
    if (told || !mlf_key_is_argument(kind)) continue;
    if (!survey_is_compared(survey, tables, op->p3, i)) continue;
    *(kind == MLF_KEY_EXPERIMENT ? &scan.experiment : &scan.other) = true;
  }
  survey_scan *scans = mlf_array_room(survey->scans, (size_t)survey->scan_count,
                                      &survey->scan_capacity, 4, sizeof(*scans));
  if (!scans) return SQLITE_NOMEM;
  survey->scans = scans;
  scans[survey->scan_count++] = scan;
  return SQLITE_OK;
}

/* Notes that a scan reads all experiments, because the statement compares them and told it none. */
static int survey_note_all(mlf_survey *survey, const mlf_surveyed *table, const mlf_plan *plan) {
  bool told = table->arguments->experiment_count > 0;
  for (int i = 0; i < plan->term_count; i++) {
    mlf_key_kind kind = table->schema->columns[plan->terms[i].column].key_kind;
    told = told || mlf_key_is_experiment(kind);
  }
  bool all = !told && survey->scans[survey->scan_count - 1].experiment;
  return all ? survey_add_experiment(survey, "") : SQLITE_OK;
}

static int survey_note(mlf_survey *survey, const mlf_surveyed *tables, int at) {
  const survey_op *op = &survey->ops[at];
  bool filter = survey_is(op, "VFilter");
  if (!filter && !survey_is(op, "VOpen")) return SQLITE_OK;
  const mlf_surveyed *table = survey_table(survey, tables, op->p1, at);
  if (!table) return SQLITE_OK;
  survey->opened += !filter;
  survey->begins_again = survey->begins_again || survey_is_in_loop(survey, at);
  if (!filter) return SQLITE_OK;
  mlf_plan *plan = sqlite3_malloc64(sizeof(*plan));
  if (!plan) return SQLITE_NOMEM;
  int rc = mlf_plan_parse(table->schema, op->text, plan);
  if (rc == SQLITE_OK) rc = survey_note_told(survey, tables, table, at, plan);
  if (rc == SQLITE_OK) rc = survey_note_scan(survey, tables, table, at, plan);
  if (rc == SQLITE_OK) rc = survey_note_all(survey, table, plan);
  sqlite3_free(plan);
  return rc;
}

int mlf_survey_new(sqlite3_stmt *statement, const mlf_surveyed *tables, mlf_survey **survey) {
  *survey = NULL;
  mlf_survey *made = sqlite3_malloc64(sizeof(*made));
  if (!made) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  int rc = survey_read(made, statement);
  for (int i = 0; rc == SQLITE_OK && i < made->op_count; i++)
    rc = survey_note(made, tables, i);
  if (rc == SQLITE_OK) {
    *survey = made;
  } else {
    mlf_survey_free(made);
  }
  return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
}

bool mlf_survey_repeats(const mlf_survey *survey) {
  return survey->opened > 1 || survey->begins_again;
}

bool mlf_survey_compares(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan,
                         bool experiment) {
  for (int i = 0; i < survey->scan_count; i++) {
    const survey_scan *each = &survey->scans[i];
    if (each->table == table && strcmp(each->plan, plan) == 0 &&
        (experiment ? each->experiment : each->other))
      return true;
  }
  return false;
}

bool mlf_survey_counts(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan) {
  bool found = false;
  for (int i = 0; i < survey->scan_count; i++) {
    const survey_scan *each = &survey->scans[i];
    if (each->table != table || strcmp(each->plan, plan) != 0) continue;
    if (each->read) return false;
    found = true;
  }
  return found;
}

const char *mlf_survey_experiment(const mlf_survey *survey, int index) {
  return index < survey->experiment_count ? survey->experiments[index] : NULL;
}
