# shellcheck shell=bash
# What sql/report, sql/check, sql/mirror and sql/demo share.

# Where they keep sqlite3's standard error to themselves, and are asked from a terminal, statements
# that wait still show there how far they are.
show_progress() {
  if [ -t 2 ]; then export MLFLOW_SQL_PROGRESS=${MLFLOW_SQL_PROGRESS-tty}; fi
}

# What follows the script's name, on one line of standard error: what was typed may hold anything.
say() { # TEXT
  printf 'sql/%s: %s\n' "$(basename "$0")" "${1//[[:cntrl:]]/?}" >&2
}

refuse() { # WHY
  say "$1"
  exit 2
}

# A path as it stands between the quotes of a dot-command's argument, whatever characters it has.
in_quotes() { # PATH
  local path=${1//\\/\\\\}
  path=${path//\"/\\\"}
  printf '%s' "${path//$'\n'/\\n}"
}

# The same with its quotes.
dot() { # PATH
  printf '"%s"' "$(in_quotes "$1")"
}

# Whose traces, whatever the environment says.
choose_experiment() { # NAME
  export MLFLOW_EXPERIMENT_NAME=$1
  unset MLFLOW_EXPERIMENT_ID # which would win
}

# Prints where the library is, without suffix: in the source tree, beside this folder, as in the
# archive, or where `cmake --install` put it. $here is this folder.
library() {
  local found
  # shellcheck disable=SC2154 # who reads this file sets it
  for found in "$here"/../{build,.}/mlflow0.* "$here"/../../../lib{,64,/*}/sqlite3/mlflow0.*; do
    if [ -e "$found" ]; then echo "${found%.*}" && return; fi
  done
  echo "$here/../build/mlflow0"
}

# Sets `extension`, as .load takes it: what SQLITE_MLFLOW names, or else the library.
find_extension() { # STATUS: the script's where it or the shell is missing
  command -v sqlite3 >/dev/null || {
    say "sqlite3 is missing, the shell of SQLite; Debian has it as the package sqlite3"
    exit "$1"
  }
  extension=${SQLITE_MLFLOW:-$(library)}
  [[ $extension == */* ]] || extension=./$extension # else .load looks where the system's are
  if [ ! -e "$extension.so" ] && [ ! -e "$extension.dylib" ]; then
    say "$extension.so is missing; cmake --workflow --preset release makes it"
    exit "$1"
  fi
}

# Sets `scratch`: a folder for temporary files, which the script removes.
make_scratch() { # STATUS: the script's where there can be none
  # shellcheck disable=SC2034 # who calls this uses it
  scratch=$(mktemp -d 2>/dev/null) || {
    say "no temporary folder can be made in ${TMPDIR:-/tmp}; set TMPDIR to a folder that can be \
written to"
    exit "$1"
  }
}

# What sqlite3 said went wrong, in FILE or on standard input: its first line, less where in its input
# that was and less the number of the error, which mean nothing to who ran the script.
reason() { # [FILE]
  sed -E '1!d; s/^[A-Za-z ]*[Ee]rror(:? near line [0-9]+( of [^:]*)?)?: //
    s/^(in prepare|stepping), //; s/ \([0-9]+\)$//' "$@"
}
