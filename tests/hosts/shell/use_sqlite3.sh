#!/bin/bash
# The sqlite3 shell; it heeds Ctrl-C when it is interactive, and then shows what is typed, too.
set -e
extension=$1 uri=$2 query=$3 check=$4

sqlite3 -batch -bail -tabs :memory: <<END
.print = sqlite
SELECT sqlite_version();
.load $extension
.print = rows
$query;
SELECT load_extension('$extension');
.print = again
$check;
END

coproc shell { sqlite3 -interactive -init /dev/null -tabs :memory: 2>&1; }
cat >&"${shell[1]}" <<END
.load $extension
SELECT mlflow_connect('$uri');
.print = interrupted
SELECT count(*) FROM mlflow_traces;
END
sleep 1.5
# shellcheck disable=SC2154 # coproc sets it
kill -INT "$(pgrep -P "$shell_PID" || echo "$shell_PID")"
cat >&"${shell[1]}" <<END
.print = after
$check;
.print = closed
END
# shellcheck disable=SC1083,SC2093 # bash closes what the variable names, and goes on
exec {shell[1]}>&-
grep -vE '^(sqlite> |SQLite version|Enter ".help"|\.|SELECT|http:|$)' <&"${shell[0]}"
