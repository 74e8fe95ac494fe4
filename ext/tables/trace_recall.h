/* trace_recall.h: how a scan spares the server what the statement has asked before. Part of
** tables/trace_scan.h, whose contract says when. */
#ifndef MLF_TABLES_TRACE_RECALL_H
#define MLF_TABLES_TRACE_RECALL_H

#include "tables/trace_scan.h"

/* Finds the question that the scan asks; before any of what follows. */
int mlf_recall_ask(mlf_trace_scan *scan, mlf_error *error);

/* The server was asked, and took `took_ms` to the first trace, if there is one. */
void mlf_recall_tried(mlf_trace_scan *scan, int64_t took_ms);

/* Looks up the one id that the scan asks for: SQLITE_ROW, with the scan at the trace; SQLITE_DONE,
** there is none; SQLITE_NOTFOUND, ask the server, and then mlf_recall_learn what it said. */
int mlf_recall_look_up(mlf_trace_scan *scan, mlf_error *error);
int mlf_recall_learn(mlf_trace_scan *scan, mlf_error *error);

/* Begins a scan that asks for no id, or for several: SQLITE_ROW or SQLITE_DONE if it is a replay;
** SQLITE_NOTFOUND: walk, hand each trace to mlf_recall_record, and the end to mlf_recall_end. */
int mlf_recall_scan(mlf_trace_scan *scan, mlf_order order, mlf_error *error);
int mlf_recall_record(mlf_trace_scan *scan, mlf_error *error);
void mlf_recall_end(mlf_trace_scan *scan);

/* The next trace of a replay: SQLITE_ROW or SQLITE_DONE. */
int mlf_recall_next(mlf_trace_scan *scan, mlf_error *error);

/* Puts behind the trace that the scan is at, if it came from the memo and its spans are still to be
** fetched, those that were asked for with it, so that theirs can be fetched, too. */
int mlf_recall_neighbours(mlf_trace_scan *scan, mlf_payloads *payloads, mlf_error *error);

/* Forgets the question; a recording that did not come to its end is void. */
void mlf_recall_reset(mlf_trace_scan *scan);

#endif
