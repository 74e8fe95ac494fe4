#include "tables/survey.h"

#include <string.h>

#include "base/array.h"
#include "tables/program_flow.h"

/* A scan, and what its plan does not tell. */
typedef struct survey_scan {
  const sqlite3_vtab *table;
  const char *plan;
  int at;          /* where it begins */
  bool experiment; /* that this is compared, */
  bool other;      /* or filter or in_run; */
  bool read;       /* that it reads a column whose value is not told, or begins again */
} survey_scan;

/* An experiment that a term of a scan's plan tells; no plan: not by one. */
typedef struct survey_experiment {
  const sqlite3_vtab *table;
  const char *plan;
  int term;
  bool by_id;
  char *text; /* "": known only while the statement runs */
} survey_experiment;

struct mlf_survey {
  mlf_survey *bound; /* of the statement with its values in place; NULL if it has none */
  mlf_program program;
  survey_scan *scans;
  int scan_count;
  size_t scan_capacity;
  int opened; /* cursors of our tables */
  bool begins_again;
  survey_experiment *experiments;
  int experiment_count;
  size_t experiment_capacity;
};

void mlf_survey_free(mlf_survey *survey) {
  if (!survey) return;
  mlf_survey_free(survey->bound);
  for (int i = 0; i < survey->experiment_count; i++)
    sqlite3_free(survey->experiments[i].text);
  mlf_program_clear(&survey->program);
  sqlite3_free(survey->scans);
  sqlite3_free(survey->experiments);
  sqlite3_free(survey);
}

/* The table whose cursor this is; NULL if it is none of ours. A cursor's number may be used again:
** the last time before `at` counts. */
static const mlf_surveyed *survey_table(const mlf_survey *survey, const mlf_surveyed *tables,
                                        int cursor, int at) {
  for (int i = at; i >= 0; i--) {
    const mlf_program_op *op = &survey->program.ops[i];
    if (op->p1 != cursor || !mlf_program_is(op, "VOpen")) continue;
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
  if (survey->program.ops[at].base > 0) return true; /* a trigger's is begun for each row */
  for (int i = at + 1; i < survey->program.count; i++) {
    const mlf_program_op *op = &survey->program.ops[i];
    if (op->p2 > 1 && op->p2 <= at && mlf_program_is_any(op, jumps)) return true;
  }
  return false;
}

static int survey_add_experiment(mlf_survey *survey, survey_experiment told, const char *text) {
  survey_experiment *all = mlf_array_room(survey->experiments, (size_t)survey->experiment_count,
                                          &survey->experiment_capacity, 4, sizeof(*all));
  if (!all) return SQLITE_NOMEM;
  survey->experiments = all;
  told.text = sqlite3_mprintf("%s", text);
  if (!told.text) return SQLITE_NOMEM;
  all[survey->experiment_count++] = told;
  return SQLITE_OK;
}

/* Whether a column of ours says of which experiment a trace is, or what was asked. */
static bool survey_is_scope(const mlf_surveyed *table, int column) {
  if (column >= table->schema->column_count) return false;
  mlf_key_kind kind = table->schema->columns[column].key_kind;
  return mlf_key_is_argument(kind) || mlf_key_is_experiment(kind);
}

/* Marks what reads such a column, or begins a scan of ours: that one of our tables has the same as
** another tells nothing. */
static void survey_mark(mlf_survey *survey, const mlf_surveyed *tables) {
  for (int i = 0; i < survey->program.count; i++) {
    mlf_program_op *op = &survey->program.ops[i];
    bool read = mlf_program_is(op, "VColumn");
    if (!read && !mlf_program_is(op, "VFilter")) continue;
    const mlf_surveyed *table = survey_table(survey, tables, op->p1, i);
    op->no_news = table && (!read || survey_is_scope(table, op->p2));
  }
}

/* Whether a register holds such a column of one of our tables, read before `at`. */
static bool survey_is_ours(const mlf_survey *survey, int index, int at) {
  const mlf_program_op *op = &survey->program.ops[at];
  while (op-- > survey->program.ops) {
    if (op->p3 == index && mlf_program_is(op, "VColumn")) return op->no_news;
  }
  return false;
}

/* The constant that is put into a register, anywhere in the program, a number written into
** `number`: "" if it is none. NULL: it comes from a table of ours, and is what that table reads. */
static const char *survey_register(const mlf_survey *survey, int index, int at, char number[24]) {
  if (survey_is_ours(survey, index, at)) return NULL;
  for (int i = survey->program.count - 1; i >= 0; i--) {
    const mlf_program_op *op = &survey->program.ops[i];
    bool copied = (mlf_program_is(op, "Copy") || mlf_program_is(op, "SCopy")) && op->p2 == index;
    if (copied && op->p1 != index) return survey_register(survey, op->p1, i, number);
    if (op->p2 != index) continue;
    if (mlf_program_is(op, "String8") || mlf_program_is(op, "String")) return op->text;
    if (mlf_program_is(op, "Integer")) return sqlite3_snprintf(24, number, "%d", op->p1);
  }
  return "";
}

/* Adds what a term tells where the statement has its values in place; "" if that is not known. Of
** several scans with one plan it does not show which is which: what each of them tells. */
static int survey_add_bound(mlf_survey *survey, survey_experiment told) {
  const mlf_survey *bound = survey->bound;
  bool found = false;
  int rc = SQLITE_OK;
  for (int i = 0; rc == SQLITE_OK && bound && i < bound->experiment_count; i++) {
    const survey_experiment *each = &bound->experiments[i];
    if (each->table != told.table || each->term != told.term || !each->plan ||
        strcmp(each->plan, told.plan) != 0)
      continue;
    rc = survey_add_experiment(survey, told, each->text);
    found = true;
  }
  return found ? rc : survey_add_experiment(survey, told, "");
}

/* The register that has the term's argument in the scan that begins at `at`: behind idxNum and
** argc. */
static int survey_argument(const mlf_survey *survey, int at, const mlf_plan_term *term) {
  return survey->program.ops[at].p3 + 2 + term->argument;
}

/* Notes which experiment a term of the scan that begins at `at` tells. */
static int survey_note_term(mlf_survey *survey, survey_experiment told, int at,
                            const mlf_plan_term *term) {
  char number[24];
  int value = survey_argument(survey, at, term);
  const char *text = term->op == MLF_OP_IN ? "" : survey_register(survey, value, at, number);
  if (!text) return SQLITE_OK;
  return *text ? survey_add_experiment(survey, told, text) : survey_add_bound(survey, told);
}

/* Notes which experiments a scan is told to read. */
static int survey_note_told(mlf_survey *survey, const mlf_surveyed *table, int at,
                            const mlf_plan *plan) {
  survey_experiment told = {0};
  int rc = SQLITE_OK, arguments = table->arguments->experiment_count;
  for (int i = 0; rc == SQLITE_OK && i < arguments; i++)
    rc = survey_add_experiment(survey, told, table->arguments->experiments[i]);
  told = (survey_experiment){.table = table->table, .plan = survey->program.ops[at].text};
  for (; rc == SQLITE_OK && arguments == 0 && told.term < plan->term_count; told.term++) {
    const mlf_plan_term *term = &plan->terms[told.term];
    mlf_key_kind kind = table->schema->columns[term->column].key_kind;
    told.by_id = kind == MLF_KEY_EXPERIMENT_ID;
    if (mlf_key_is_experiment(kind)) rc = survey_note_term(survey, told, at, term);
  }
  return rc;
}

/* Notes by which plan a scan reads, and what it reads that the plan does not tell; of what says
** which experiment a trace is of, and of arguments, what is compared. */
static int survey_note_scan(mlf_survey *survey, const mlf_surveyed *table, int at,
                            const mlf_plan *plan) {
  survey_scan scan = {.table = table->table,
                      .plan = survey->program.ops[at].text,
                      .at = at,
                      .read = survey_is_in_loop(survey, at)};
  for (int i = 0; i < survey->program.count; i++) {
    const mlf_program_op *op = &survey->program.ops[i];
    if (!mlf_program_is(op, "VColumn") || op->p1 != survey->program.ops[at].p1) continue;
    bool told = mlf_plan_tells(plan, op->p2);
    scan.read = scan.read || !told;
    if (told || !survey_is_scope(table, op->p2)) continue;
    if (!mlf_program_compares(&survey->program, i)) continue;
    mlf_key_kind kind = table->schema->columns[op->p2].key_kind;
    *(mlf_key_is_experiment(kind) ? &scan.experiment : &scan.other) = true;
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
  return all ? survey_add_experiment(survey, (survey_experiment){0}, "") : SQLITE_OK;
}

static int survey_note(mlf_survey *survey, const mlf_surveyed *tables, int at) {
  const mlf_program_op *op = &survey->program.ops[at];
  bool filter = mlf_program_is(op, "VFilter");
  if (!filter && !mlf_program_is(op, "VOpen")) return SQLITE_OK;
  const mlf_surveyed *table = survey_table(survey, tables, op->p1, at);
  if (!table) return SQLITE_OK;
  survey->opened += !filter;
  survey->begins_again = survey->begins_again || survey_is_in_loop(survey, at);
  if (!filter) return SQLITE_OK;
  mlf_plan *plan = sqlite3_malloc64(sizeof(*plan));
  if (!plan) return SQLITE_NOMEM;
  int rc = mlf_plan_parse(table->schema, op->text, plan);
  if (rc == SQLITE_OK) rc = survey_note_told(survey, table, at, plan);
  if (rc == SQLITE_OK) rc = survey_note_scan(survey, table, at, plan);
  if (rc == SQLITE_OK) rc = survey_note_all(survey, table, plan);
  sqlite3_free(plan);
  return rc;
}

/* Surveys the statement that this text is; NULL in `*survey` if SQLite does not show its program.
** Takes `bound`. */
static int survey_make(sqlite3 *db, const char *sql, const mlf_surveyed *tables, mlf_survey *bound,
                       mlf_survey **survey) {
  *survey = NULL;
  mlf_survey *made = sqlite3_malloc64(sizeof(*made));
  if (!made) {
    mlf_survey_free(bound);
    return SQLITE_NOMEM;
  }
  memset(made, 0, sizeof(*made));
  made->bound = bound;
  int rc = mlf_program_read(&made->program, db, sql);
  if (rc == SQLITE_OK) survey_mark(made, tables);
  for (int i = 0; rc == SQLITE_OK && i < made->program.count; i++)
    rc = survey_note(made, tables, i);
  if (rc == SQLITE_OK) {
    *survey = made;
  } else {
    mlf_survey_free(made);
  }
  return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
}

/* What runs was planned before its values were known: with them in place SQLite may leave
** conditions out, and so they say no more than which experiments are asked for. Of some there is no
** text: an infinite number, one that is too long. */
int mlf_survey_new(sqlite3_stmt *statement, const mlf_surveyed *tables, mlf_survey **survey) {
  sqlite3 *db = sqlite3_db_handle(statement);
  mlf_survey *bound = NULL;
  char *sql = sqlite3_bind_parameter_count(statement) ? sqlite3_expanded_sql(statement) : NULL;
  int rc = sql ? survey_make(db, sql, tables, NULL, &bound) : SQLITE_OK;
  sqlite3_free(sql);
  *survey = NULL;
  return rc == SQLITE_OK ? survey_make(db, sqlite3_sql(statement), tables, bound, survey) : rc;
}

bool mlf_survey_repeats(const mlf_survey *survey) {
  return survey->opened > 1 || survey->begins_again;
}

bool mlf_survey_reads(const mlf_survey *survey, const sqlite3_vtab *table) {
  for (int i = 0; i < survey->scan_count; i++) {
    if (survey->scans[i].table == table) return true;
  }
  return false;
}

bool mlf_survey_compares(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan,
                         bool experiment) {
  bool found = false, compared = false;
  for (int i = 0; i < survey->scan_count; i++) {
    const survey_scan *each = &survey->scans[i];
    if (each->table != table) continue;
    bool here = experiment ? each->experiment : each->other;
    bool same = strcmp(each->plan, plan) == 0;
    if (same && here) return true;
    found = found || same;
    compared = compared || here;
  }
  if (found) return false;
  return compared || (survey->bound && mlf_survey_compares(survey->bound, table, plan, experiment));
}

/* Whether this is a scan of the table with this plan. */
static bool survey_is(const survey_scan *scan, const sqlite3_vtab *table, const char *plan) {
  return scan->table == table && strcmp(scan->plan, plan) == 0;
}

bool mlf_survey_counts(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan) {
  bool found = false;
  for (int i = 0; i < survey->scan_count; i++) {
    const survey_scan *each = &survey->scans[i];
    if (!survey_is(each, table, plan)) continue;
    if (each->read) return false;
    found = true;
  }
  return found;
}

bool mlf_survey_drops(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan,
                      const mlf_plan_term *term) {
  static const struct {
    const char *test, *function;
  } ways[MLF_OP_COUNT] = {[MLF_OP_NE] = {"Eq", NULL},
                          [MLF_OP_LIKE] = {"IfNot", "like(2)"},
                          [MLF_OP_GLOB] = {"IfNot", "glob(2)"},
                          [MLF_OP_IS_NULL] = {"NotNull", NULL},
                          [MLF_OP_IS_NOT_NULL] = {"IsNull", NULL}};
  bool found = false;
  for (int i = 0; i < survey->scan_count; i++) {
    const survey_scan *each = &survey->scans[i];
    if (!survey_is(each, table, plan)) continue;
    mlf_program_term tested = {.at = each->at,
                               .column = term->column,
                               .test = ways[term->op].test,
                               .function = ways[term->op].function,
                               .argument = survey_argument(survey, each->at, term)};
    if (!mlf_program_drops(&survey->program, &tested)) return false;
    found = true;
  }
  return found;
}

/* Whether the program says so of the term's argument in such a scan. */
static bool survey_says(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan,
                        const mlf_plan_term *term,
                        bool (*says)(const mlf_program *program, int at, int value)) {
  for (int i = 0; i < survey->scan_count; i++) {
    const survey_scan *each = &survey->scans[i];
    if (!survey_is(each, table, plan)) continue;
    if (says(&survey->program, each->at, survey_argument(survey, each->at, term))) return true;
  }
  return false;
}

bool mlf_survey_loops(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan,
                      const mlf_plan_term *term) {
  return survey_says(survey, table, plan, term, mlf_program_is_listed);
}

bool mlf_survey_joins(const mlf_survey *survey, const sqlite3_vtab *table, const char *plan,
                      const mlf_plan_term *term) {
  return survey_says(survey, table, plan, term, mlf_program_is_column);
}

const char *mlf_survey_experiment(const mlf_survey *survey, int index, bool *by_id) {
  if (index >= survey->experiment_count) return NULL;
  *by_id = survey->experiments[index].by_id;
  return survey->experiments[index].text;
}
