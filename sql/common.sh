# What sql/report, sql/demo and sql/mirror share.

# What sqlite3 said went wrong, in FILE: its first line, less where in its input that was and less
# the number of the error, which mean nothing to who ran the script.
reason() { # FILE
  sed -E '1!d; s/^([A-Za-z ]*[Ee]rror(:? near line [0-9]+( of [^:]*)?)?: )//; s/ \([0-9]+\)$//' "$1"
}
