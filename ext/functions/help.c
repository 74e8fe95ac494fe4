/* The statements stand here as a person would write them; a test runs each. */
#include "functions/help.h"

const mlf_registry_help mlf_functions_help[] = {
    {"percentile", "value, p", "REAL",
     "the value below which p percent of the rows lie, p from 0 to 100; aggregate, window",
     "SELECT percentile(execution_time_ms, 95) FROM mlflow_traces"},
    {"percentile_cont", "value, fraction", "REAL",
     "the same with a fraction from 0 to 1; aggregate, window",
     "SELECT percentile_cont(execution_time_ms, 0.95) FROM mlflow_traces"},
    {"percentile_disc", "value, fraction", "REAL",
     "the same, but always a value of the rows; aggregate, window",
     "SELECT percentile_disc(execution_time_ms, 0.95) FROM mlflow_traces"},
    {"median", "value", "REAL", "percentile(value, 50); aggregate, window",
     "SELECT name, median(execution_time_ms) FROM mlflow_traces GROUP BY name"},
    {"latency_bucket", "ms [, edges]", "TEXT, JSON",
     "how many values fall into each bucket; aggregate, window",
     "SELECT latency_bucket(execution_time_ms, '[100, 1000, 10000]') FROM mlflow_traces"},
    {"latency_class", "ms [, edges]", "TEXT",
     "the bucket that a value falls into: fast below 1000, medium below 5000, else slow",
     "SELECT latency_class(execution_time_ms), count(*) FROM mlflow_traces GROUP BY 1"},
    {"time_bucket", "width, ms [, zone]", "INTEGER",
     "when the hour, day, ... of an instant begins, in Unix milliseconds",
     "SELECT time_bucket('1 day', timestamp_ms) AS day_ms, count(*) FROM mlflow_traces GROUP BY 1"},
    {"wilson_low", "successes, trials [, z]", "REAL",
     "lower bound of a rate, at 95 % unless z says otherwise",
     "SELECT wilson_low(sum(status = 'OK'), count(*)) FROM mlflow_traces"},
    {"wilson_high", "successes, trials [, z]", "REAL", "upper bound of a rate",
     "SELECT wilson_high(sum(status = 'OK'), count(*)) FROM mlflow_traces"},
    {"agreement", "a, b [, weights]", "TEXT, JSON",
     "how far two raters say the same beyond chance (Cohen's kappa); weights: 'linear' or "
     "'quadratic'; aggregate",
     "SELECT agreement(a, b) FROM (SELECT 'yes' AS a, 'no' AS b UNION ALL SELECT 'yes', 'yes')"},
    {"krippendorff_alpha", "unit, value [, metric]", "REAL",
     "the same for any number of raters (Krippendorff's alpha); aggregate",
     "SELECT krippendorff_alpha(trace_id, value_json) FROM mlflow_assessments "
     "WHERE valid = 1 AND name = 'correctness'"},
    {"differences", "selected, value", "TEXT, JSON",
     "which values come more often where selected is true than where it is not; aggregate",
     "SELECT differences(status = 'ERROR', name) FROM mlflow_traces"},
    {"sparkline", "value", "TEXT",
     "a series as a line of text, a character for each row; aggregate",
     "SELECT sparkline(n) FROM (SELECT count(*) AS n FROM mlflow_traces GROUP BY time_bucket('1 "
     "day', timestamp_ms) ORDER BY min(timestamp_ms))"},
    {"bar", "value, max [, width]", "TEXT", "a number as a bar of text",
     "SELECT status, bar(count(*), 100) FROM mlflow_traces GROUP BY status"},
    {"mask_message", "text", "TEXT",
     "a message without its numbers, ids, paths and quoted parts: to group errors by",
     "SELECT mask_message(exception_message), count(*) FROM mlflow_spans WHERE status = 'ERROR' "
     "GROUP BY 1"},
    {"strata", "key, stratum, size [, seed]", "BLOB",
     "state of a random sample of each stratum, for stratified_sample; aggregate",
     "SELECT length(strata(trace_id, status, 10)) FROM mlflow_traces"},
    {"strata_merge", "state", "BLOB",
     "merges states of strata with the same size and seed; aggregate",
     "SELECT length(strata_merge(state)) FROM (SELECT strata(trace_id, status, 10) AS state FROM "
     "mlflow_traces GROUP BY name)"},
    {"stratified_sample", "strata [, allocation]", "table: key, stratum, ...",
     "the rows of a stratified sample with their weights; allocation: 'equal', 'proportional' or "
     "'pattern6'",
     "SELECT key, stratum, weight FROM stratified_sample((SELECT strata(trace_id, status, 10) FROM "
     "mlflow_traces))"},
};

const int mlf_functions_help_count = sizeof(mlf_functions_help) / sizeof(mlf_functions_help[0]);
