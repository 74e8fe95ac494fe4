"""What the tests of sql/mirror share: a mirror file, what it says beside what the server says, and
an experiment whose traces are changed.
"""

import contextlib
import copy
import json
import pathlib
import random
import subprocess
import tempfile

import scenario
import seed
import seeded
import support

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ALSO = {  # hidden columns of the server's tables, plain ones of the mirror's views
    "traces": ["experiment", "request_time", "span_error", "state", "execution_duration"],
    "spans": ["timestamp_ms", "experiment"],
    "assessments": ["timestamp_ms", "trace_run_id", "experiment"]}


class Mirror:
    """A mirror file of one experiment, in a scratch folder."""

    def __init__(self, server, experiment, folder, **settings):
        self.server, self.experiment = server, experiment
        self.path = pathlib.Path(folder) / "mirror.db"
        self.offline(f".read {seeded.SQL}/mirror.sql")
        self.settings(**settings)

    def settings(self, **settings):
        for name, value in settings.items():
            self.offline(f"UPDATE mirror_settings SET {name} = {support.quoted(value)};")

    def offline(self, sql):
        """What the shell prints, without the extension."""
        ran = subprocess.run(
            ["sqlite3", "-batch", "-bail", "-cmd", ".timeout 5000", self.path], input=sql,
            check=False, text=True, capture_output=True, env=support.clean_environment())
        if ran.returncode or ran.stderr:
            raise RuntimeError(ran.stderr)
        return ran.stdout.rstrip("\n")

    def start(self, *options, **variables):
        variables.setdefault("MLFLOW_EXPERIMENT_NAME", self.experiment)
        return subprocess.Popen(
            [seeded.SQL / "mirror", self.path, *options], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
            env=support.clean_environment(self.server, SQLITE_MLFLOW=support.extension(),
                                          **variables))

    def sync(self, *options, **variables):
        """What sql/mirror says; that it fails raises."""
        process = self.start(*options, **variables)
        out, said = process.communicate(timeout=300)
        if process.returncode or out:
            raise RuntimeError(said.strip() or out)
        return said.strip()

    def status(self):
        return json.loads(self.offline(".mode json\nSELECT * FROM mirror_status;"))[0]

    def differences(self):
        """{table: ids of the traces of which mirror and server do not say the same}."""
        found = {}
        for table, also in ALSO.items():
            columns = support.shell(f"SELECT name FROM pragma_table_info('mlflow_{table}');")
            named = ", ".join(f'"{name}"' for name in [*columns.split("\n"), *also])
            sql = f"""ATTACH '{self.path}' AS mirror;
                CREATE TEMP TABLE remote AS SELECT {named} FROM mlflow_{table};
                CREATE TEMP TABLE here AS SELECT {named} FROM mirror.{table}
                  WHERE experiment = '{self.experiment}';
                SELECT trace_id FROM (SELECT * FROM remote EXCEPT SELECT * FROM here) UNION
                SELECT trace_id FROM (SELECT * FROM here EXCEPT SELECT * FROM remote) UNION
                SELECT trace_id FROM (SELECT trace_id, count(*) FROM here GROUP BY 1 EXCEPT
                                      SELECT trace_id, count(*) FROM remote GROUP BY 1);"""
            found[table] = set(support.shell(
                sql, self.server, MLFLOW_EXPERIMENT_NAME=self.experiment).split())
        return found

    def integrity(self):
        """Of the file, and of the full text index against what it is an index of."""
        return self.offline("PRAGMA integrity_check;\n"
                            "INSERT INTO search(search, rank) VALUES ('integrity-check', 1);")


@contextlib.contextmanager
def scratch_folder():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield folder


class Traffic:
    """An experiment whose traces are changed through MLflow's client in every way there is."""

    def __init__(self, server, name, count, at_ms):
        """Puts `count` traces before at_ms, a minute apart."""
        self.mlflow = seeded.use(server)
        self.server = server
        self.client = self.mlflow.MlflowClient()
        self.name = support.create_experiment(server, name)
        self.writer = seed.Writer(self.name)
        self.made = 0
        self.random = random.Random(name)
        self.traces = []
        self.add(count, at_ms)

    def add(self, count, at_ms, **changes):
        made = scenario.make_traces(400, 1, at_ms, f"{self.name} {self.made}")
        chosen = [t for t in made if t.state != "IN_PROGRESS" and not t.run][:count]
        self.made += 1
        for i, trace in enumerate(chosen):
            trace.start_ms = at_ms - 60_000 * (i + 1)
            for name, value in changes.items():
                setattr(trace, name, value)
            if trace.state == "IN_PROGRESS":
                trace.duration_ms = None
        self.writer.write(chosen)
        self.traces += chosen
        return chosen

    def info(self, trace):
        return self.client.get_trace(trace.id).info

    def judge(self, trace, name="concise", value="yes", **more):
        return self.mlflow.log_feedback(trace_id=trace.id, name=name, value=value, **more)

    def end(self, trace):
        trace.state, trace.duration_ms = "OK", 1234
        info = seed.client_info(trace, list(seed.client_spans(trace)), self.writer.experiment_id,
                                self.writer.runs)
        self.writer.tracing.start_trace(info)

    def late_span(self, trace):
        early = copy.deepcopy(trace)
        early.start_ms -= 2 * HOUR_MS
        for span in early.spans:
            span.name = "late " + span.name
        early.spans = early.spans[:1]
        [span] = seed.client_spans(early)
        content = json.loads(json.dumps(span.to_dict()))
        content["span_id"] = "bGF0ZXNwYW4="  # eight bytes of its own
        content["parent_span_id"] = None
        from mlflow.entities import Span
        self.writer.tracing.log_spans(self.writer.experiment_id, [Span.from_dict(content)])

    def delete(self, trace):
        support.delete_traces(self.server, self.name, [trace.id])
        self.traces.remove(trace)

    def update(self, trace, assessment, **changes):
        changed = copy.deepcopy(assessment)
        for name, value in changes.items():
            setattr(changed, name, value)
        self.mlflow.update_assessment(trace.id, assessment.assessment_id, changed)
