"""What goes wrong is one clear line: what was asked, what happened, how often, what to do.

Golden texts as the sqlite3 shell shows them. A scripted server makes the faults that a real one does
not; a real one makes the rest.
"""

import json
import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest

import support
from hostile_server import HostileServer

COUNT = "SELECT count(*) FROM mlflow_traces;"
SEARCH = "/api/3.0/mlflow/traces/search"
CANARY = "CANARY-8b1f"


def trace(number, ms=1_790_000_000_000):
    return {"trace_id": f"tr-{number}", "request_time": support.timestamp(ms - number),
            "trace_location": {"type": "MLFLOW_EXPERIMENT",
                               "mlflow_experiment": {"experiment_id": "1"}}, "state": "OK"}


class Errors(unittest.TestCase):
    def setUp(self):
        self.hostile = HostileServer()
        self.addCleanup(self.hostile.stop)
        self.uri = self.hostile.uri
        self.hostile.play("ok body='{}'")
        self.hostile.answer_first_questions()

    def error(self, sql=COUNT, server=None, **variables):
        run = support.run_shell(sql, server or self.uri, MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR="0.01",
                                **variables)
        self.assertNotEqual(run.returncode, 0, run.stdout)
        self.assertNotIn(CANARY, run.stdout + run.stderr)
        line = run.stderr.strip().splitlines()
        self.assertEqual(len(line), 1, run.stderr)
        self.assertLess(len(line[0]), 600)
        return line[0].split(": ", 1)[1].replace(self.uri, "URI")

    def check(self, expected, *arguments, **more):
        self.assertEqual(self.error(*arguments, **more), expected)

    def test_no_server_set(self):
        self.check("mlflow_traces: no server is set; set MLFLOW_TRACKING_URI, e.g. to "
                   "http://127.0.0.1:5000; a store without one (./mlruns, sqlite:///mlflow.db) needs "
                   "one: `mlflow server --backend-store-uri STORE --port 5000`",
                   MLFLOW_TRACKING_URI="")

    def test_what_is_no_address(self):
        for uri, said in (
                ("sqlite:///mlflow.db", "it must begin with http:// or https://, e.g. "
                 "http://127.0.0.1:5000; for a store (./mlruns, sqlite:///mlflow.db), start `mlflow "
                 "server --backend-store-uri STORE` and give its address"),
                ("databricks", "Databricks' own service is not supported; give the http:// or "
                 "https:// address of an MLflow server"),
                ("arn:aws:sagemaker:eu:1:x/y", "Amazon SageMaker's servers (arn:…) are not "
                 "supported; give the http:// or https:// address of an MLflow server"),
                ("127.0.0.1:5000", "there is no scheme before the host and port; write http:// or "
                 "https:// before them, e.g. http://127.0.0.1:5000"),
                (f"{self.uri} ", "there is a blank or a line break before or after the address; "
                 "leave it out"),
                (f"'{self.uri}'", "the quotes around the address are part of the value; leave them "
                 "out")):
            self.check(f"mlflow_traces: MLFLOW_TRACKING_URI: {said}", MLFLOW_TRACKING_URI=uri)
        self.assertEqual(self.hostile.connects, 0)

    def test_a_dead_proxy(self):
        with HostileServer() as other:
            dead = other.uri.removeprefix("http://")
        for scheme, variable in (("http", "http_proxy"), ("http", "ALL_PROXY"),
                                 ("https", "HTTPS_PROXY")):
            uri = self.uri.replace("http", scheme)
            variables = {"MLFLOW_TRACKING_URI": uri, variable: f"http://ann:{CANARY}@{dead}/",
                         "no_proxy": "", "NO_PROXY": ""}
            self.assertRegex(
                self.error(**variables),
                rf"^mlflow_traces: GET /version: cannot connect to the proxy {dead} \({variable}\) "
                r"\(4 tries in \d+\.\d s\); correct that variable, or name the server's host in "
                r"no_proxy$")
        # Libcurl ends the host at the first of these; a password that has one is not shown.
        for sign in "/?#":
            self.assertIn(f"cannot resolve the host of the proxy {dead} (http_proxy)",
                          self.error(http_proxy=f"http://ann:{CANARY}{sign}@{dead}", no_proxy="",
                                     NO_PROXY=""))
        # A host that no_proxy spares, and a variable that libcurl does not read.
        self.hostile.stop()
        for variables in ({"http_proxy": f"http://{dead}", "no_proxy": "127.0.0.1"},
                          {"HTTP_PROXY": f"http://{dead}"}):
            self.assertIn("cannot connect to URI (4 tries", self.error(**variables))

    def test_workspace_on_a_server_without(self):
        server = support.start()
        for table in ("mlflow_traces", "mlflow_experiments"):
            self.assertRegex(
                self.error(f"SELECT count(*) FROM {table};", server, MLFLOW_WORKSPACE="team"),
                rf"^{table}: GET /version: 500 FEATURE_DISABLED: Workspace APIs are not available: "
                r"workspaces are not enabled on this server \(2 tries in \d+\.\d s\); unset "
                r"MLFLOW_WORKSPACE, or start the server with --enable-workspaces$")
        # Older ones do not read the header, and would show all.
        self.hostile.route("/version", "ok body=3.9.0 type=text/plain")
        self.check("mlflow_traces: GET /version: URI is MLflow 3.9, and workspaces come with 3.10; "
                   "unset MLFLOW_WORKSPACE", MLFLOW_WORKSPACE="team")

    def test_too_large_for_a_proxy(self):
        self.hostile.route(SEARCH, "status 413 body='<html>' type=text/html")
        self.check(f"mlflow_traces: POST {SEARCH}: 413; a proxy before the server takes only smaller "
                   "requests: raise its limit (nginx: client_max_body_size, "
                   "large_client_header_buffers), or give IN fewer values, or "
                   "MLFLOW_SQL_PAGE_ROWS less")
        self.hostile.route(SEARCH, "status 504 body='<html>' type=text/html")
        self.assertIn("; a proxy before the server gave up waiting: less is asked for with a smaller "
                      "MLFLOW_SQL_PAGE_ROWS", self.error(MLFLOW_HTTP_REQUEST_MAX_RETRIES="0"))

    def test_a_wrong_path_prefix(self):
        uri = support.start().uri
        for more in ({}, {"MLFLOW_EXPERIMENT_NAME": "Default"}):
            self.check(
                'mlflow_traces: GET /version: 404 "<!doctype html>?<html lang=en>?<title>404 Not '
                f'Found</title>?": {uri}/wrong is no MLflow server; MLFLOW_TRACKING_URI is what a '
                "browser shows MLflow under, up to the #, e.g. http://127.0.0.1:5000 or "
                "https://example.com/mlflow", server=f"{uri}/wrong", **more)

    def test_a_path_that_a_proxy_keeps_back(self):
        self.hostile.route(SEARCH, "status 404 body='<html>' type=text/html")
        self.check(f"mlflow_traces: POST {SEARCH}: 404; /version is MLflow's, this is not: does a "
                   "proxy before the server let only some paths through?")

    def test_an_old_libcurl(self):
        with tempfile.TemporaryDirectory() as folder:
            old = pathlib.Path(folder) / "old.so"
            subprocess.run(
                ["gcc", "-shared", "-fPIC", "-o", old, "-x", "c", "-"], check=True, text=True,
                input="#include <curl/curl.h>\n"
                      "curl_version_info_data *curl_version_info(CURLversion age) {\n"
                      "  static curl_version_info_data data = {CURLVERSION_NOW, \"7.76.1\", 0x074c01};\n"
                      "  return &data;\n}\n")
            self.check("mlflow_traces: this machine's libcurl is 7.76.1; 7.88.0 or newer is needed",
                       LD_PRELOAD=f"{os.environ.get('LD_PRELOAD', '')} {old}".strip())

    def test_unreachable(self):
        self.hostile.stop()
        self.assertRegex(
            self.error(),
            r"^mlflow_traces: GET /version: cannot connect to URI \(4 tries in \d+\.\d s\); is the "
            r"server running, and is MLFLOW_TRACKING_URI right\?$")

    def test_not_mlflow(self):
        self.hostile.route("/version", "status 404 body='<html>no</html>' type=text/html")
        self.check('mlflow_traces: GET /version: 404 "<html>no</html>": URI is no MLflow server; '
                   "MLFLOW_TRACKING_URI is what a browser shows MLflow under, up to the #, e.g. "
                   "http://127.0.0.1:5000 or https://example.com/mlflow")
        self.hostile.route("/version", "ok body='<html>no</html>' type=text/html")
        self.check('mlflow_traces: GET /version: 200 "<html>no</html>": URI is no MLflow server; '
                   "is MLFLOW_TRACKING_URI right, or does a login page stand before the server?")

    def test_a_workspace_that_there_is_not(self):
        body = json.dumps({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Workspace 'x' not found"})
        self.hostile.route("/version", f"status 404 body={shlex.quote(body)}")
        self.check("mlflow_traces: GET /version: 404 RESOURCE_DOES_NOT_EXIST: Workspace 'x' not found; "
                   "is MLFLOW_WORKSPACE right?", MLFLOW_WORKSPACE="x")

    def test_too_old(self):
        for version, shown in (("2.22.0", "2.22"), ("3.1.4", "3.1")):
            self.hostile.route("/version", f"ok body={version} type=text/plain")
            for table, condition in (
                    ("mlflow_traces", ""), ("mlflow_experiments", ""),
                    ("mlflow_metrics", "WHERE view = 'traces' AND metric = 'trace_count'")):
                self.check(f"{table}: GET /version: URI is MLflow {shown}; version 3.2 or newer is "
                           "needed", f"SELECT * FROM {table} {condition};")

    def test_login_page(self):
        self.hostile.route("/search", "html")
        self.assertIn("the server answered with text/html, not JSON: \"<!DOCTYPE html>",
                      self.error())

    def test_unauthorized(self):
        token, user, password = (f"MLFLOW_TRACKING_{name}"
                                 for name in ("TOKEN", "USERNAME", "PASSWORD"))
        self.hostile.route(SEARCH, "echo 401")
        for variables, said in (
                ({}, f"set {token}, or {user} and {password}, to an account that may read this"),
                ({token: CANARY}, "the server does not take the token that is set: has it expired, "
                 f"is it another server's, or is {user} with {password} wanted?"),
                ({user: "ann", password: CANARY}, "the server does not take the user and password "
                 "that are set; SELECT name, source FROM mlflow_settings tells where they come from"),
                ({user: "ann"}, f"of {user} and {password} only one is set, so neither was sent")):
            text = self.error(**variables)
            self.assertTrue(text.startswith(f"mlflow_traces: POST {SEARCH}: 401 "), text)
            self.assertTrue(text.endswith(f"; {said}"), text)

    def test_a_secret_that_the_server_repeats(self):
        message = json.dumps({"message": CANARY.upper()})
        for steps in (f"status 302 Location=http://{CANARY}/x", f"ok body=x type=text/{CANARY}",
                      f"status 403 body='{message}'", f"ok body='{message}'",
                      f"ok body='{json.dumps({CANARY: 1})}'"):
            self.hostile.route(SEARCH, steps)
            text = self.error(MLFLOW_TRACKING_TOKEN=CANARY)
            self.assertNotIn(CANARY.lower(), text.lower())
            self.assertIn("****", text)

    def test_ids_without_end(self):
        for length, fits in ((1024, True), (1025, False)):
            body = json.dumps({"traces": [trace(1) | {"trace_id": "x" * length}]})
            self.hostile.route(SEARCH, f"ok body='{body}'")
            if fits:
                self.assertEqual(support.shell(COUNT, self.uri), "1")
            else:
                self.assertIn("traces[0] has an id of more than 1024 bytes (MLF_TRACE_ID_BYTES_MAX)",
                              self.error())

    def test_a_secret_does_not_follow_sql_to_another_server(self):
        self.hostile.route(SEARCH, "echo 401")
        elsewhere = f"SELECT mlflow_connect('{self.uri}'); {COUNT}"
        text = self.error(elsewhere, "http://127.0.0.1:9", MLFLOW_TRACKING_TOKEN=CANARY)
        self.assertIn("goes to servers that the environment names", text)
        self.assertGreater(len(self.hostile.requests), 2)
        for request in self.hostile.requests:
            self.assertIsNone(request.header("Authorization"))
            self.assertNotIn(CANARY.encode(), request.raw)

    def test_an_encrypted_key_is_not_asked_for_on_the_terminal(self):
        with tempfile.TemporaryDirectory() as directory:
            plain, key, pem = (f"{directory}/{name}.pem" for name in ("plain", "key", "both"))
            for command in (["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                             "-subj", "/CN=a", "-keyout", plain, "-out", pem],
                            ["rsa", "-aes128", "-in", plain, "-out", key, "-passout", "pass:x"]):
                subprocess.run(["openssl", *command], check=True, capture_output=True)
            server = HostileServer(certificate=pem, key=plain)
            self.addCleanup(server.stop)
            with open(pem, "a", encoding="utf-8") as both:
                both.write(pathlib.Path(key).read_text(encoding="utf-8"))
            environment = support.clean_environment(server.uri, MLFLOW_TRACKING_INSECURE_TLS="true",
                                                    MLFLOW_TRACKING_CLIENT_CERT_PATH=pem)
            # Where there is no terminal, its input is asked.
            shell = subprocess.Popen(
                ["sqlite3", "-batch", "-cmd", f".load {support.extension()}", ":memory:", COUNT],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                start_new_session=True, env=environment)
            with shell:
                try:
                    shell.wait(timeout=20)
                finally:
                    shell.kill()
                said = shell.stderr.read()
        self.assertRegex(said, "cannot use the client certificate .*not encrypted$")

    def test_forbidden(self):
        body = json.dumps({"error_code": "PERMISSION_DENIED", "message": "not yours"})
        self.hostile.route(SEARCH, f"status 403 body='{body}'")
        self.check(f"mlflow_traces: POST {SEARCH}: 403 PERMISSION_DENIED: not yours; set "
                   "MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and "
                   "MLFLOW_TRACKING_PASSWORD, to an account that may read this")
        self.check(f"mlflow_traces: POST {SEARCH}: 403 PERMISSION_DENIED: not yours; the account that "
                   "is set may not read this", MLFLOW_TRACKING_TOKEN=CANARY)

    def test_redirect_is_not_followed(self):
        with HostileServer() as other:
            self.hostile.route(SEARCH, f"status 307 Location={other.uri}/x")
            text = self.error(MLFLOW_TRACKING_TOKEN=CANARY)
            self.assertIn(f"307, redirected to {other.uri}, which is not followed", text)
            self.assertEqual(other.connects, 0)
        self.hostile.route(SEARCH, f"status 302 Location={self.hostile.uri}/login?next=/")
        self.assertIn("302, redirected to URI, which is not followed; does a login page "
                      "stand before the server, or does a proxy change paths?", self.error())

    def test_a_secret_is_starred_however_it_is_written(self):
        body = json.dumps({"error_code": "X", "message": "s%2fcret%3D%21 S%2FCRET%3d%21 "
                                                         "s/cr\r\n et=! s/cret="})
        self.hostile.route(SEARCH, f"status 400 body='{body}'")
        text = self.error(MLFLOW_TRACKING_TOKEN="s/cret=!")
        self.assertIn(f"400 X: {'*' * 14} {'*' * 14} {'*' * 11} s/cret=", text)

    def test_a_message_cannot_turn_the_line_round(self):
        body = json.dumps({"error_code": "X", "message": "a\u202eb\u2066c\u061c"},
                          ensure_ascii=False)
        self.hostile.route(SEARCH, f"status 400 body='{body}'")
        self.check(f"mlflow_traces: POST {SEARCH}: 400 X: a???b???c??")

    def test_not_modified_is_no_answer(self):
        self.hostile.route(SEARCH, "status 304")
        self.check(f"mlflow_traces: POST {SEARCH}: 304, which is no answer and names no other "
                   "address; is MLFLOW_TRACKING_URI the server's own address?")

    def test_a_full_page_that_breaks_off(self):
        self.hostile.route(SEARCH, "cut 60 end=close")
        self.assertIn("4 tries", self.error())

    def test_the_second_page_fails(self):
        page = json.dumps({"traces": [trace(i) for i in range(2)], "next_page_token": "x"})
        self.hostile.route(SEARCH, f"ok body='{page}' ; status 500 body='{{}}'")
        run = support.run_shell("SELECT trace_id FROM mlflow_traces;", self.uri,
                                MLFLOW_SQL_PAGE_ROWS="2", MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR="0.01")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn(f"POST {SEARCH}: 500", run.stderr)

    def test_a_server_that_walks_in_circles(self):
        page = json.dumps({"traces": [trace(i) for i in range(2)], "next_page_token": "x"})
        self.hostile.route(SEARCH, f"ok body='{page}'")
        said = "the server sent traces from outside the range of time asked for"
        narrow = {"MLFLOW_SQL_PAGE_ROWS": "2", "MLFLOW_SQL_STREAMS": "1"}
        self.check(f"mlflow_traces: {said}", **narrow)
        run = support.run_shell("SELECT trace_id FROM mlflow_traces;\n"
                                "SELECT error FROM mlflow_requests WHERE error IS NOT NULL;",
                                self.uri, options=(), **narrow)
        self.assertIn(said, run.stdout)  # and the log says which reply it was

    def test_groups_that_are_one_value(self):
        """MLflow writes a map in an order of its own, another in each process."""
        def ask(*values, count=1):
            points = [{"metric_name": "assessment_count", "values": {"COUNT": count},
                       "dimensions": {"assessment_value": value}} for value in values]
            self.hostile.route("/api/3.0/mlflow/traces/metrics",
                               f"ok body='{json.dumps({'data_points': points})}'")
            return support.run_shell(
                "SELECT assessment_value, value FROM mlflow_metrics WHERE view = 'assessments' AND "
                "metric = 'assessment_count' AND dimensions = 'assessment_value';", self.uri)

        apart = ask('{"a": 1}', '{"a": 2}', '"a"')
        self.assertEqual((apart.stdout, apart.stderr), ('{"a":1}|1\n{"a":2}|1\n"a"|1\n', ""))
        maps = ['{"a": 1, "b": 2}', '"a"', '{"b": 2, "a": 1}']
        added = ask(*maps)
        self.assertEqual((added.stdout, added.stderr), ('{"a":1,"b":2}|2\n"a"|1\n', ""))
        self.assertIn("the server has several groups for one value", ask(*maps, count=1.5).stderr)

    def test_an_empty_page_that_says_more(self):
        self.hostile.route(SEARCH, 'ok body=\'{"next_page_token":"x"}\'')
        self.check(f"mlflow_traces: POST {SEARCH}: an empty page that says there are more")

    def test_a_trace_without_id(self):
        self.hostile.route(SEARCH, 'ok body=\'{"traces":[{"a":1}]}\'')
        self.check(f"mlflow_traces: POST {SEARCH}: traces[0] is an object, where a trace with "
                   "trace_id, experiment_id and request_time belongs")

    def test_what_cannot_be_read_is_null_where_that_is_wanted(self):
        """And nothing that would stand there if it were absent."""
        page = json.dumps({"traces": [trace(1) | {
            "state": 5, "assessments": [{"feedback": True}]}]})
        self.hostile.route(SEARCH, f"ok body='{page}'")
        self.assertIn("state is a number", self.error("SELECT status FROM mlflow_traces;"))
        for column, table in (("status", "traces"), ("assessment_type", "assessments")):
            self.assertEqual(support.shell(
                f"SELECT {column} IS NULL, trace_id FROM mlflow_{table} WHERE coalesce({column}, '') = '';",
                self.uri, MLFLOW_SQL_BAD_TRACES="null"), "1|tr-1")

    def test_a_whole_number_is_an_integer(self):
        """However it was logged: as SQLite keeps it in a table with the column's type."""
        shown = []
        for number in ("4.0", "4", "4.5", "1e300", "-2e0"):
            page = json.dumps({"traces": [trace(1) | {
                "trace_metadata": {"mlflow.trace.sizeStats": f'{{"num_spans": {number}}}'}}]})
            self.hostile.route(SEARCH, f"ok body='{page}'")
            shown.append(support.shell("SELECT span_count FROM mlflow_traces;", self.uri))
        self.assertEqual(shown, ["4", "4", "4.5", "1.0e+300", "-2"])

    def test_the_log_says_what_is_wrong_with_a_reply(self):
        self.hostile.route(SEARCH, "ok body='{\"message\":\"log in\"}'")
        run = support.run_shell(f"{COUNT}\nSELECT error FROM mlflow_requests WHERE error <> '';",
                                self.uri, options=())
        self.assertEqual(run.stdout, f'POST {SEARCH}: the reply has no "traces" but "message" (log in)'
                                     "; is this MLflow, or does a gateway answer for it?\n")

    def test_json_that_is_too_deep(self):
        with tempfile.NamedTemporaryFile("w", encoding="ascii") as body:
            body.write('{"traces":' + "[" * 6000 + "]" * 6000 + "}")
            body.flush()
            self.hostile.route(SEARCH, f"ok file={body.name}")
            self.assertRegex(self.error(), f"POST {SEARCH}: the reply is too much: JSON has more than ")

    def test_not_json(self):
        self.hostile.route(SEARCH, "ok body='{\"traces\":[}'")
        self.assertIn("the reply is not JSON: ", self.error())

    def test_a_refused_filter_of_ours_is_left_out(self):
        body = json.dumps({"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid clause"})
        page = json.dumps({"traces": [trace(1)]})
        self.hostile.route(SEARCH, f"status 400 body='{body}' ; ok body='{page}'")
        shown = support.shell("SELECT count(*) FROM mlflow_traces WHERE status = 'OK';\n"
                              "SELECT filter, status FROM mlflow_requests WHERE rows_kept "
                              "OR error NOTNULL;", self.uri)
        self.assertEqual(shown, "1\nattributes.status = 'OK'|400\n|200")

    def test_the_scripts_say_no_more_than_the_message(self):
        with tempfile.TemporaryDirectory() as folder:
            for script, name, *arguments in (("report", "report"), ("demo.d/tour", "demo"),
                                             ("mirror", "mirror", "a.db", "--experiment", "a")):
                ran = subprocess.run(
                    [support.ROOT / "sql" / script, *arguments], cwd=folder, text=True, check=False,
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                    env=support.clean_environment(SQLITE_MLFLOW=support.extension()))
                self.assertEqual(ran.returncode, 1)
                self.assertRegex(ran.stderr, rf"^sql/{name}: mlflow_\w+: no server is set; .*\n$")

    def test_budget_of_requests(self):
        self.assertIn("the statement has sent 3 requests, the most that "
                      "MLFLOW_SQL_STATEMENT_REQUESTS_MAX allows",
                      self.error("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                                 "LIMIT 9) SELECT count(*) FROM n CROSS JOIN mlflow_traces AS t "
                                 "WHERE t.execution_time_ms >= n.i;",
                                 MLFLOW_SQL_STATEMENT_REQUESTS_MAX="3"))

    def test_wrong_arguments(self):
        create = "CREATE VIRTUAL TABLE t USING mlflow_traces({});"
        for argument, said in (
                ("colour = red", 'unknown argument "colour = red"; expected experiment = '),
                ("uri = 'http://x'", "no argument names a server or a secret: set "
                                     "MLFLOW_TRACKING_URI"),
                ("pushdown = maybe", "pushdown is 'maybe'; expected on or off"),
                ("experiment = ''", "an experiment's name is empty"),
                ("experiment = 'a', experiment = 'b'", "the experiments are given twice"),
                ("tags.status AS status", 'there is a column "status" already'),
                ("tags.(x)", 'cannot read the argument "tags.(x)"; expected')):
            self.assertIn(f"mlflow_traces: {said}", self.error(create.format(argument)), argument)
        self.assertEqual(self.hostile.connects, 0)

    def test_unknown_experiment_on_a_real_server(self):
        self.check("mlflow_traces: no experiment has the name or id 'nope'; SELECT experiment_id, "
                   "name FROM mlflow_experiments lists those there are",
                   "SELECT count(*) FROM mlflow_traces WHERE experiment = 'nope';",
                   server=support.start())

    def test_bad_raw_filter_on_a_real_server(self):
        self.check(f"mlflow_traces: POST {SEARCH}: 400 INVALID_PARAMETER_VALUE: Invalid clause(s) "
                   "in filter string: 'OR'; a filter is conditions joined by AND, in MLflow's "
                   "language: write OR in SQL",
                   "SELECT count(*) FROM mlflow_traces WHERE filter = 'tags.a = ''1'' OR 2 = 2';",
                   server=support.start())
