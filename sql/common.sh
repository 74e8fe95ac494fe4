# shellcheck shell=bash
# What sql/report, sql/demo and sql/mirror share.

# Where they keep sqlite3's standard error to themselves, and are asked from a terminal, statements
# that wait still show there how far they are.
show_progress() {
  if [ -t 2 ]; then export MLFLOW_SQL_PROGRESS=${MLFLOW_SQL_PROGRESS-tty}; fi
}

# Prints where the library is, without suffix: in the source tree, beside this folder, as in the
# archive, or where `cmake --install` put it. $here is this folder.
library() {
  local found
  for found in "$here"/../{build,.}/mlflow0.* "$here"/../../../lib{,64,/*}/sqlite3/mlflow0.*; do
    if [ -e "$found" ]; then echo "${found%.*}" && return; fi
  done
  echo "$here/../build/mlflow0"
}

# What sqlite3 said went wrong, in FILE: its first line, less where in its input that was and less
# the number of the error, which mean nothing to who ran the script.
reason() { # FILE
  sed -E '1!d; s/^([A-Za-z ]*[Ee]rror(:? near line [0-9]+( of [^:]*)?)?: )//; s/ \([0-9]+\)$//' "$1"
}
