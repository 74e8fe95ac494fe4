# shellcheck shell=bash
# Whose traces, of which window: what sql/report and sql/check share. They read common.sh first.
#
# A window is half-open: from --since up to, and without, --until. Each is a date or a date and time
# of --zone ('2026-11-20', '2026-11-20 13:00'; with Z or +02:00 at its end, of that zone), or a
# length: '30 minutes', '6 hours', '2 days'; --until back from now, or from the end of a mirror, and
# --since back from the window's end.

failed=1 # the script's status where it has no answer
days='' since='' until='' zone=UTC file=''

take_scope() { # ARGUMENT...: whether the first is an option of these; the second is its value
  case $1 in
    --days | --since | --until | --zone | --experiment | --uri | --file | --filter) ;;
    *) return 1 ;;
  esac
  [ "${2:-}" ] || refuse "$1 needs a value"
  case $1 in
    --days) days=$2 ;;
    --since) since=$2 ;;
    --until) until=$2 ;;
    --zone) zone=$2 ;;
    --experiment) choose_experiment "$2" ;;
    --uri) export MLFLOW_TRACKING_URI=$2 ;;
    --file) file=$2 ;;
    --filter) export MLFLOW_SQL_FILTER=$2 ;;
  esac
}

is_number() { # TEXT MOST: 1 to MOST
  [[ $1 =~ ^[0-9]{1,9}$ ]] && [ "$1" -ge 1 ] && [ "$1" -le "$2" ]
}

plain_sqlite() { # ARGUMENT...: whatever ~/.sqliterc says
  sqlite3 -init /dev/null -batch -noheader -list "$@"
}

a_time='^[0-9]{4}(-[0-9]{2}){2}([ T][0-9]{2}(:[0-9]{2}){1,2}(Z|[-+][0-9]{2}:[0-9]{2})?)?$'

# When that is, in Unix milliseconds.
moment() { # OPTION TEXT END_MS
  local modifier=+00:00 minutes found=''
  if [[ $2 =~ ^([1-9][0-9]{0,6})\ (minute|hour|day)s?$ ]]; then
    minutes=${BASH_REMATCH[1]}
    case ${BASH_REMATCH[2]} in
      hour) minutes=$((minutes * 60)) ;;
      day) minutes=$((minutes * 1440)) ;;
    esac
    found=$(($3 - minutes * 60000))
  elif [[ $2 =~ $a_time ]]; then
    case ${BASH_REMATCH[4]}$zone in # what leads from the zone's time to UTC
      UTC | Z* | [-+]??:???*) ;;
      localtime) modifier=utc ;;
      +*) modifier=-${zone#+} ;;
      *) modifier=+${zone#-} ;;
    esac
    found=$(plain_sqlite :memory: "SELECT 1000 * strftime('%s', '$2', '$modifier')
      WHERE date(substr('$2', 1, 10), '+0 days') = substr('$2', 1, 10)") # no 30 February
  fi
  [ "$found" ] || refuse "$1 is '$2'; it must be like 2026-11-20, '2026-11-20 13:00' or '6 hours'"
  echo "$found"
}

# Sets `window`, as settings of report_settings; $synced is when a mirror ends, and $kept since when
# it has all traces.
set_window() {
  local end_ms until_ms from_ms
  window="days = ${days:-7}"
  if [ ! "$since$until$synced" ]; then return; fi
  end_ms=${synced:-$(plain_sqlite :memory: \
    "SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) + 1")}
  until_ms=$end_ms
  if [ "$until" ]; then until_ms=$(moment --until "$until" "$end_ms"); fi
  if [ "$until_ms" -gt "$end_ms" ]; then
    [ ! "$synced" ] ||
      refuse "--until is '$until', and '$file' ends before; sql/mirror brings it up to date"
    refuse "--until is '$until', which is yet to come; leave it out for a window that ends now"
  fi
  from_ms=$((until_ms - ${days:-7} * 86400000))
  if [ "$since" ]; then from_ms=$(moment --since "$since" "$until_ms"); fi
  [ "$from_ms" -lt "$until_ms" ] || refuse "--since is '$since', not before the window's end"
  [ $((until_ms - from_ms)) -le $((3660 * 86400000)) ] || refuse "the window has over 3660 days"
  if [ "$synced" ] && [ "$from_ms" -lt "$kept" ]; then
    kept=$(plain_sqlite :memory: "SELECT strftime('%Y-%m-%d %H:%M', $kept / 1000, 'unixepoch')")
    refuse "--file: '$file' keeps traces since $kept UTC; take a shorter window, or raise \
mirror_settings.days and run sql/mirror"
  fi
  window="days = ($until_ms - $from_ms) / 86400000.0, until_ms = $until_ms"
}

# A condition of a filter that a mirror can answer: a tag or an entry of the metadata is equal.
a_condition="^ *(trace\\.name|(tags?|metadata)\\.(\`([^\`]+)\`|([A-Za-z0-9_]+))) *= *"
a_condition+="('([^']*)'|\"([^\"]*)\") *(AND (.+))?\$"

# Some keys mean another thing to MLflow than they say.
an_alias='^(name|prompt|run_id|text|timestamp|execution_time|end_time)$'

# Sets `conditions`, the filter as rows of SQL: column, key, value.
set_conditions() {
  local rest=${MLFLOW_SQL_FILTER:-} column key value
  conditions=''
  while [ "$rest" ]; do
    [[ $rest =~ $a_condition ]] ||
      refuse "--filter: a mirror knows trace.name, tags.KEY and metadata.KEY, = 'value', AND alone"
    column=${BASH_REMATCH[2]:-tags} key=${BASH_REMATCH[4]:-${BASH_REMATCH[5]}}
    value=${BASH_REMATCH[7]}${BASH_REMATCH[8]} rest=${BASH_REMATCH[10]}
    [[ ! $(tr '[:upper:]' '[:lower:]' <<<"$key") =~ $an_alias ]] ||
      refuse "--filter: only a server knows what it makes of the key $key"
    key=${key:-mlflow.traceName}
    conditions+="${conditions:+, }('$column', '${key//\'/\'\'}', '${value//\'/\'\'}')"
  done
}

# Asks the mirror whose traces are meant, as a server is asked: an id, or a name, or what is no name
# there but an id; else all. Sets `chosen`, their ids in SQL, and $synced and $kept of set_window.
choose_from_mirror() {
  local id=${MLFLOW_EXPERIMENT_ID:-} name=${MLFLOW_EXPERIMENT_NAME:-} asked said
  asked=${id:-$name} id=${id//\'/\'\'} name=${name//\'/\'\'}
  said=$([ -f "$file" ] && plain_sqlite -cmd '.timeout 5000' "$file" \
    "SELECT min(coalesce(synced_at_ms, 0)), max((SELECT coalesce(min(from_ms), 0)
       FROM mirror_slice AS s WHERE s.experiment_id = m.experiment_id)),
       group_concat(quote(experiment_id))
     FROM mirror_status AS m
     WHERE CASE WHEN '$id' <> '' THEN experiment_id = '$id' WHEN '$name' = '' THEN true
       WHEN '$name' IN (SELECT name FROM mirror_experiment) THEN experiment = '$name'
       ELSE experiment_id = '$name' END" 2>&1) || {
    said=$(printf '%s\n' "$said" | reason)
    case $said in
      '' | *'no such table: mirror_'* | *'file is not a database'*)
        refuse "--file: '$file' is no mirror; sql/mirror makes one"
        ;;
      *'database is locked'*) said+=", by another program; try again when that has ended" ;;
    esac
    refuse "--file: '$file' cannot be read: $said"
  }
  synced=${said%%|*} said=${said#*|}
  kept=${said%%|*} chosen=${said#*|}
  [ "$synced" ] || refuse "--file: '$file' has no experiment '$asked'; sql/mirror adds it"
  [ "$synced" != 0 ] || refuse "--file: '$file' is not complete yet; sql/mirror goes on with it"
}

# Checks the options, once all are taken; sets `extension`, `scratch`, a folder that goes with the
# script, and `window`.
begin_scope() {
  local synced='' kept=''
  [ ! "$days" ] || is_number "$days" 3660 ||
    refuse "--days is '$days'; it must be a number from 1 to 3660"
  [ ! "$days" ] || days=$((10#$days)) # 08 is no octal number
  [ ! "$days" ] || [ ! "$since" ] || refuse "--days and --since: one of them says when it begins"
  [[ $zone =~ ^(UTC|localtime|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)$ ]] ||
    refuse "--zone is '$zone'; it must be UTC, localtime or like +02:00; for a city set TZ"
  find_extension "$failed"
  if [ "$file" ]; then
    case $file in :* | file:*) file=./$file ;; esac # else a name of SQLite's own
    choose_from_mirror
    set_conditions
  fi
  set_window
  show_progress
  make_scratch "$failed"
  trap leave EXIT
}

# However the script ends, by a signal, too, what it started ends with it: a sqlite3 that waits for
# a server would go on until MLFLOW_SQL_STATEMENT_TIMEOUT.
page='' # of sql/report, before it is in its place
leave() {
  local running=''
  # shellcheck disable=SC2154 # make_scratch sets it
  [ ! -s "$scratch/running" ] || running=$(<"$scratch/running")
  rm -rf "$scratch" ${page:+"$page"}
  [ ! "$running" ] || kill "$running" 2>/dev/null || true
}

# Runs SQL on the script's database. An error ends the script with the status $failed: no answer is
# better than half an answer. Newer shells trust no file, this one neither; and have a percentile of
# their own (3.53), which no view of such a file may call.
# Nothing of it but the database is in a file: what sqlite3 prints into one on a full disk is lost
# without a word.
run() {
  local errors why
  # shellcheck disable=SC2154 # find_extension sets it
  { errors=$({
    printf '.bail on\n.load %s\nPRAGMA trusted_schema = ON;\n' "$(dot "$extension")" && cat
  } | {
    echo "$BASHPID" 2>/dev/null >"$scratch/running"
    exec sqlite3 -init /dev/null -batch -noheader -list "$scratch/own.db" 2>&1 >&3
  }); } 3>&1 || {
    [ -d "$scratch" ] || exit "$failed" # the script has ended, and sqlite3 with it
    why=$(printf '%s\n' "$errors" | reason)
    case $why in
      *'database or disk is full'*)
        why="no room is left in ${TMPDIR:-/tmp}; make some, or set TMPDIR"
        ;;
    esac
    say "${why:-sqlite3 ended without a word}"
    exit "$failed"
  }
  rm -f "$scratch/running"
}

# What a terminal takes for text, and no control characters that came from the server.
printable() {
  LC_ALL=C tr -d '\000-\010\013-\037\177' | LC_ALL=C sed $'s/\xc2[\x80-\x9f]//g'
}

# Prints the SQL that names what to copy from, the server or a mirror whose copy is complete:
# source_traces, source_spans and source_assessments; and sets the window. After views.sql.
collect() {
  if [ "$file" ]; then
    printf ".timeout 5000\nATTACH '%s' AS mirror;\n" "${file//\'/\'\'}"
    echo "CREATE TABLE chosen AS SELECT * FROM mirror.mirror_status WHERE experiment_id IN ($chosen);"
    echo "CREATE TABLE restriction(part, key, value);"
    if [ "$conditions" ]; then echo "INSERT INTO restriction VALUES $conditions;"; fi
    # shellcheck disable=SC2154 # who reads this file sets it
    echo ".read $(dot "$here/scope.d/collect_mirror.sql")"
  else
    echo ".read $(dot "$here/scope.d/collect.sql")"
    echo ".read $(dot "$here/scope.d/source.sql")"
  fi
  echo "UPDATE report_settings SET zone = '$zone', $window;"
}
