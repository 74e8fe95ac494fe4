"""The same question gives the same answer on every store and from the floor, MLflow 3.2, on.

What a server cannot say in its filter language SQLite says here; the rows do not tell. The stock
shell's SQLite and the newest one, through apsw, agree too.
"""

import json
import unittest

import support

START = 1_790_000_000_000
COLUMNS = ('tags.environment, tags."mlflow.traceName" AS app, metadata."odd ``key" AS odd, '
           "feedback.concise, feedback.score")

STATEMENTS = [
    "SELECT count(*) FROM t",
    "SELECT trace_id, name, status, timestamp_ms, execution_time_ms, end_time_ms, session_id, "
    "user_id, run_id, model_id, client_request_id, request_preview, response_preview, "
    "request_time, state, execution_duration FROM t ORDER BY trace_id",
    "SELECT trace_id, input_tokens, output_tokens, total_tokens, input_cost, total_cost, "
    "span_count, size_bytes FROM t ORDER BY trace_id",
    'SELECT trace_id, "tags.environment", app, "feedback.concise", typeof("feedback.score"), '
    '"feedback.score" FROM t ORDER BY trace_id',
    "SELECT trace_id, tags ->> 'environment', metadata ->> '$.\"mlflow.trace.user\"', "
    "json_array_length(assessments) FROM t ORDER BY trace_id",
    "SELECT trace_id FROM t WHERE status = 'OK' ORDER BY timestamp_ms DESC LIMIT 5",
    "SELECT trace_id FROM t WHERE status IN ('OK', 'ERROR') ORDER BY timestamp_ms LIMIT 7 OFFSET 2",
    "SELECT trace_id FROM t WHERE status != 'OK' ORDER BY 1",
    "SELECT trace_id FROM t WHERE execution_time_ms > 5000 ORDER BY 1",
    "SELECT trace_id FROM t WHERE execution_time_ms BETWEEN 1000 AND 2500.5 ORDER BY 1",
    f"SELECT trace_id FROM t WHERE timestamp_ms >= {START + 20_000} ORDER BY 1",
    f"SELECT trace_id FROM t WHERE end_time_ms < {START + 20_000} ORDER BY 1",
    f"SELECT trace_id FROM t WHERE end_time_ms >= {START + 5_000} ORDER BY 1",
    f"SELECT trace_id FROM t WHERE end_time_ms < {START + 22_000} ORDER BY timestamp_ms DESC LIMIT 4",
    "SELECT trace_id FROM t WHERE client_request_id = 'c7'",
    "SELECT trace_id FROM t WHERE client_request_id IN ('c7', 'c9', NULL) ORDER BY 1",
    "SELECT trace_id FROM t WHERE client_request_id LIKE 'C1%' ORDER BY 1",
    "SELECT trace_id FROM t WHERE client_request_id IS NULL ORDER BY 1",
    "SELECT trace_id FROM t WHERE name LIKE 'AGENT%' ORDER BY 1",
    "SELECT trace_id FROM t WHERE name GLOB 'agent*' ORDER BY 1",
    "SELECT trace_id FROM t WHERE name LIKE '%É%' ORDER BY 1",
    "SELECT trace_id FROM t WHERE name LIKE 'info' ORDER BY 1",
    "SELECT trace_id FROM t WHERE name GLOB 'I*' ORDER BY 1",
    "SELECT trace_id FROM t WHERE name LIKE 'x_y' ORDER BY 1",
    "SELECT trace_id FROM t WHERE name GLOB 'X?Y' ORDER BY 1",
    "SELECT trace_id FROM t WHERE name LIKE 'ΟΔΟΣ%' ORDER BY 1",
    "SELECT trace_id FROM t WHERE app LIKE '%Σ%' ORDER BY 1",
    "SELECT trace_id FROM t WHERE app = 'it''s' ORDER BY 1",
    "SELECT trace_id FROM t WHERE app != 'agent' ORDER BY 1",
    "SELECT trace_id FROM t WHERE app LIKE '%\\%' ORDER BY 1",
    "SELECT trace_id FROM t WHERE \"tags.environment\" = 'production' ORDER BY 1",
    'SELECT trace_id FROM t WHERE "tags.environment" IS NULL ORDER BY 1',
    'SELECT trace_id FROM t WHERE "tags.environment" IS NOT NULL ORDER BY 1',
    "SELECT trace_id FROM t WHERE user_id = 'u1' AND session_id IS NOT NULL ORDER BY 1",
    "SELECT trace_id FROM t WHERE user_id IN ('u1', 'u2') ORDER BY 1",
    "SELECT trace_id FROM t WHERE \"feedback.concise\" = 'no' ORDER BY 1",
    'SELECT trace_id FROM t WHERE "feedback.score" > 2 ORDER BY 1',
    "SELECT trace_id FROM t WHERE status = 'OK' OR user_id = 'u2' ORDER BY 1",
    "SELECT trace_id FROM t WHERE trace_id IN (SELECT trace_id FROM t WHERE status = 'ERROR') "
    "ORDER BY 1",
    "SELECT trace_id FROM t WHERE trace_id = 'tr-store-07'",
    "SELECT count(*) FROM t AS a JOIN t AS b USING (session_id) WHERE a.status = 'ERROR'",
    "SELECT status, count(*), sum(execution_time_ms), percentile(execution_time_ms, 95) FROM t "
    "GROUP BY status ORDER BY status",
]


def traces():
    names = ["agent", "Agent two", "it's", "back\\", "été", "100%", "INFO", "XİY", "ΟΔΟΣΑ", "e ΟΔΟΣ"]
    made = []
    for i in range(30):
        unfinished = i % 10 == 9
        metadata = {"mlflow.trace.user": f"u{i % 4}"}
        if i % 5:
            metadata["mlflow.trace.session"] = f"s{i // 6}"
        if i % 2:
            metadata |= {
                "mlflow.trace.tokenUsage": json.dumps(
                    {"input_tokens": 10 * i, "output_tokens": i, "total_tokens": 11 * i}),
                "mlflow.trace.sizeStats": json.dumps({"num_spans": i, "total_size_bytes": 100 * i}),
                "mlflow.trace.sizeBytes": str(100 * i)}
        tags = {"mlflow.traceName": names[i % len(names)]}
        if i % 3:
            tags["environment"] = "production" if i % 4 else "staging"
        made.append({
            "trace_id": f"tr-store-{i:02d}", "timestamp_ms": START + 1000 * i,
            "status": "IN_PROGRESS" if unfinished else "ERROR" if i % 4 == 1 else "OK",
            "execution_time_ms": None if unfinished else 250 * i,
            "client_request_id": f"c{i}" if i % 6 else None,
            "response_preview": "None",  # MLflow 3.2 shows '' where none was given
            "request_preview": f"What of order {i}?\n\"Quoted\"\t\U0001f642",
            "tags": tags, "metadata": metadata,
            "assessments": ([("concise", "no" if i % 4 else "yes")] if i % 2 else [])
            + ([("score", i / 4)] if i % 3 == 0 else [])
            + ([("about", {"z": True, "é": "2", "m": {"y": [{"b": "", "a": 0.5}], "": None}})]
               if i % 7 == 3 else [])})
    return made


class Stores(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tables, cls.answers, cls.experiments = {}, {}, {}
        for name in [*support.servers(), support.SQLITE_FLOOR]:
            server = support.start(name)
            cls.experiments[server] = experiment = support.create_experiment(server, "stores")
            support.insert_traces(server, experiment, traces())
            cls.tables[server] = (f"CREATE VIRTUAL TABLE temp.t USING mlflow_traces("
                                  f"experiment = '{experiment}', {COLUMNS})")
            cls.answers[server] = cls.ask(server)

    @classmethod
    def ask(cls, server, **variables):
        """The answers of Debian's SQLite, as texts."""
        script = "\n".join(f".print === {i}\n{sql};" for i, sql in enumerate(STATEMENTS))
        shown = support.shell(f"{cls.tables[server]};\n.mode quote\n{script}", server,
                              **variables)
        return [part.partition("\n")[2] for part in ("\n" + shown).split("\n=== ")[1:]]

    def compare(self, server, answers, expected):
        self.assertEqual(len(answers), len(STATEMENTS))
        for sql, got, wanted in zip(STATEMENTS, answers, expected):
            with self.subTest(server=server.name, sql=sql):
                self.assertEqual(got, wanted)

    def test_each_statement_finds_something(self):
        for answers in self.answers.values():
            self.assertEqual([sql for sql, rows in zip(STATEMENTS, answers) if not rows],
                             [sql for sql in STATEMENTS if "É" in sql])  # LIKE folds ASCII alone

    def test_stores_and_versions_agree(self):
        first, *others = self.answers
        for server in others:
            self.compare(server, self.answers[server], self.answers[first])

    def test_maps_have_one_order(self):
        """Each process of a server sends them in its own."""
        def check(members):
            names = [name for name, _ in members]
            self.assertEqual(names, sorted(names))
            return dict(members)

        for server, table in self.tables.items():
            shown = support.shell(
                f"{table};\nSELECT tags FROM t UNION ALL SELECT metadata FROM t UNION ALL "
                "SELECT assessments FROM t UNION ALL SELECT metadata FROM mlflow_assessments;\n"
                "SELECT DISTINCT value FROM mlflow_assessments WHERE name = 'about';", server,
                MLFLOW_EXPERIMENT_NAME=self.experiments[server])
            *texts, about = shown.splitlines()
            for text in texts:
                json.loads(text, object_pairs_hook=check)
            self.assertGreater(len(texts), 90)
            self.assertEqual(about, '{"m":{"":null,"y":[{"a":0.5,"b":""}]},"z":true,"é":"2"}',
                             server.name)

    def test_pages_and_streams_do_not_matter(self):
        for server, expected in self.answers.items():
            self.compare(server, self.ask(server, MLFLOW_SQL_PAGE_ROWS="4",
                                          MLFLOW_SQL_STREAMS="3"), expected)

    def test_no_server_is_sent_what_it_does_not_know(self):
        script = ";\n".join(STATEMENTS)
        refused = "SELECT filter, error FROM mlflow_requests WHERE status IS NOT 200;"
        for server, table in self.tables.items():
            shown = support.shell(f".output /dev/null\n{table};\n{script};\n.output stdout\n"
                                  f"{refused}\nSELECT count(*) > 30 FROM mlflow_requests;", server)
            self.assertEqual(shown, "1", server.name)

    def test_the_newest_sqlite_agrees(self):
        for server, expected in self.answers.items():
            connection = support.apsw_connection(server)
            connection.execute(self.tables[server])
            answers = ["\n".join(",".join(map(support.quoted, row))
                                 for row in connection.execute(sql)) for sql in STATEMENTS]
            connection.close()
            self.compare(server, answers, expected)
