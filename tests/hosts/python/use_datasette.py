"""Datasette, asked for pages; each of its processes loads twice, and ends what takes a second."""

import os
import subprocess
import sys
import urllib.parse

extension, uri, query, check = sys.argv[1:]


def ask(name, sql, **variables):
    path = "/_memory.csv?_header=off&" + urllib.parse.urlencode({"sql": sql, "_shape": "array"})
    ran = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "datasette"), "serve", "--memory",
         "--load-extension", extension, "--load-extension", extension,
         "--setting", "sql_time_limit_ms", "5000", "--get", path],
        env=os.environ | variables, capture_output=True, text=True, check=False)
    print("=", name)
    print(ran.stdout.replace(",", "\t"), ran.stderr)


ask("sqlite", "SELECT sqlite_version()")
ask("rows", query)
ask("again", check)
ask("interrupted", "SELECT count(*) FROM mlflow_traces", MLFLOW_TRACKING_URI=uri)
print("= closed")
