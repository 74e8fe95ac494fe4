#!/usr/bin/env python3
"""Asks random statements of the server and of a local copy, and prints where they differ.

    MLFLOW_TRACKING_URI=… random_statements.py EXTENSION SEED COUNT HERE THERE

HERE and THERE are experiments. Each statement joins up to three of the tables, each told its
experiment in one of many ways or, if MLFLOW_EXPERIMENT_NAME is set, not at all; it runs twice, as
one prepared statement with other values the second time. Any Python whose sqlite3 loads extensions
will do (Debian's: SQLite 3.40.1), and one that has apsw (the newest SQLite). The last line is JSON:
how many statements were asked, how many gave rows, were refused as they may be, and differed.
"""

import collections
import json
import os
import random
import re
import sys

PRESET = os.environ.get("MLFLOW_EXPERIMENT_NAME")
MIXED = "say experiment = "  # the error that a table which is told nothing may give beside others
COLUMNS = {
    "traces": ("trace_id", "name", "status", "session_id", "user_id", "execution_time_ms",
               "timestamp_ms", "experiment"),
    "spans": ("trace_id", "span_id", "name", "status", "span_type", "timestamp_ms", "experiment"),
    "assessments": ("trace_id", "name", "source_type", "valid", "timestamp_ms", "experiment"),
    "busy": ("trace_id", "name", "status", "timestamp_ms", "spans"),  # a view with a window
}
TABLES = ("traces", "spans", "assessments")


def connect(extension):
    """A function that runs a statement with values and gives its rows."""
    try:
        import apsw
        connection = apsw.Connection(":memory:")
    except ImportError:
        import sqlite3
        connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.enable_load_extension(True)
    connection.load_extension(extension)
    return lambda sql, values=(): connection.execute(sql, values).fetchall()


def prepare(run, here, there):
    """Makes the copy, and views of both; a name in brackets, as in the statements, to a name."""
    names = {"server": {}, "copy": {}}
    for kind in TABLES:
        columns = ", ".join(COLUMNS[kind])
        run(f"CREATE TEMP TABLE copy_{kind} AS SELECT {columns} FROM mlflow_{kind} "
            f"WHERE experiment IN ('{here}', '{there}')")
        for at in ("server", "copy"):
            names[at][kind] = f"{'mlflow' if at == 'server' else 'copy'}_{kind}"
        for place, name in (("here", here), ("there", there)):
            run(f"CREATE VIRTUAL TABLE temp.argument_{kind}_{place} USING "
                f"mlflow_{kind}(experiment = '{name}')")
            names["server"][f"{kind}+{place}"] = f"argument_{kind}_{place}"
            for at in ("server", "copy"):
                view = f"{at}_view_{kind}_{place}"
                run(f"CREATE TEMP VIEW {view} AS SELECT {columns} FROM {names[at][kind]} "
                    f"WHERE experiment = '{name}'")
                names[at][f"{kind}:{place}"] = view
            names["copy"][f"{kind}+{place}"] = f"copy_view_{kind}_{place}"
        names["server"][f"{kind}?"] = f"mlflow_{kind}"
        run(f"CREATE TEMP VIEW own_{kind} AS SELECT * FROM copy_{kind} "
            f"WHERE experiment = '{PRESET}'")
    for place, name in (("here", here), ("there", there)):
        for at in ("server", "copy"):
            view = f"{at}_busy_{place}"
            run(f"CREATE TEMP VIEW {view} AS SELECT DISTINCT t.trace_id, t.name, t.status, "
                f"t.timestamp_ms, count(s.span_id) OVER (PARTITION BY t.trace_id) AS spans FROM "
                f"{names[at]['traces']} AS t LEFT JOIN {names[at]['spans']} AS s ON s.trace_id = "
                f"t.trace_id AND s.experiment = '{name}' WHERE t.experiment = '{name}'")
            names[at][f"busy:{place}"] = view
    return names


class Statements:
    def __init__(self, dice, run, here, there):
        self.dice = dice
        self.places = {"here": here, "there": there}
        self.seen = {column: [row[0] for row in run(
            f"SELECT DISTINCT {column} FROM copy_traces WHERE {column} IS NOT NULL ORDER BY 1")]
            for column in ("trace_id", "name", "session_id", "timestamp_ms")}
        self.seen["trace_id"].append("tr-none")

    def make(self):
        """A statement, and two lists of values for it."""
        self.aliases, self.values = 0, []
        self.told, self.untold = set(), False
        self.ordered = False
        dice = self.dice
        kind = dice.random()
        if kind < 0.12:
            operator = dice.choice(("UNION", "UNION ALL", "EXCEPT", "INTERSECT"))
            sql = f"{self.select(single=True)} {operator} {self.select(single=True)}"
        elif kind < 0.2:
            sql = f"SELECT count(*), count(DISTINCT a) FROM ({self.select(single=True)})"
        else:
            sql = self.select()
        return sql, [[dice.choice(values) for values in self.values] for _ in range(2)]

    @property
    def mixed(self):
        return self.untold and bool(self.told - {PRESET})

    def value(self, values):
        """One of the values: as it is, or bound when the statement runs."""
        if self.dice.random() < 0.4:
            self.values.append(values)
            return f"?{len(self.values)}"
        value = self.dice.choice(values)
        return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"

    def alias(self):
        self.aliases += 1
        return f"t{self.aliases}"

    def source(self, outer=False, depth=0):
        """(text for FROM, alias, kind, conditions that tell the experiment)."""
        dice, alias = self.dice, self.alias()
        kind = dice.choice(TABLES)
        place = dice.choice(("here", "here", "there"))
        name, form = self.places[place], dice.random()
        if PRESET and form < 0.3:
            self.untold = True
            return f"[{kind}?] AS {alias}", alias, kind, []
        self.told.add(name)
        if form < 0.4:
            return f"[{kind}+{place}] AS {alias}", alias, kind, []
        if form < 0.5:
            return f"[{kind}:{place}] AS {alias}", alias, kind, []
        if form < 0.55:
            return f"[busy:{place}] AS {alias}", alias, "busy", []
        if form < 0.7 or outer:
            terms = [f"i.experiment = '{name}'"]
            if dice.random() < 0.5:
                terms.append(self.predicate("i", kind, depth + 1))
            text = (f"SELECT {', '.join(COLUMNS[kind])} FROM [{kind}] AS i WHERE "
                    + " AND ".join(terms))
            if kind == "traces" and dice.random() < 0.4:
                text += (f" ORDER BY timestamp_ms {dice.choice(('DESC', 'ASC'))}, trace_id "
                         f"LIMIT {dice.randrange(1, 30)}")
            return f"({text}) AS {alias}", alias, kind, []
        told = dice.choice((
            "{0}.experiment = {1}", "{0}.experiment = {1}", "{0}.experiment IS {1}",
            "{0}.experiment IN ({1}, 'gone')", "{0}.experiment IN ({1}, {2})",
            "+{0}.experiment = {1}", "{0}.experiment = {3}"))
        if "{2}" in told or told[0] == "+":
            self.told.update(self.places.values())
        if "gone" in told:
            self.told.add("gone")  # a list may name any
        bound = self.value([name]) if "{3}" in told else ""
        quoted = [f"'{each}'" for each in (name, *self.places.values())]
        return f"[{kind}] AS {alias}", alias, kind, [
            told.format(alias, quoted[0], quoted[1 + (place == "here")], bound)]

    def inner(self, depth, *terms):
        """FROM … WHERE … of a sub-select; `terms` with {} for its alias."""
        text, alias, kind, told = self.source(depth=depth)
        terms = [term.format(alias) for term in terms] + told
        if self.dice.random() < 0.4:
            terms.append(self.predicate(alias, kind, depth + 1))
        return f"FROM {text} WHERE {' AND '.join(terms) or 1}", alias

    def predicate(self, alias, kind, depth=0):
        dice = self.dice
        if depth < 2 and dice.random() < 0.3:
            return self.nested(alias, depth)
        plain = [
            lambda: f"{alias}.trace_id = {self.value(self.seen['trace_id'])}",
            lambda: f"{alias}.trace_id IN ({self.value(self.seen['trace_id'])}, "
                    f"{self.value(self.seen['trace_id'])})",
            lambda: f"{alias}.timestamp_ms {dice.choice(('<', '<=', '>', '>=', '='))} "
                    f"{self.value(self.seen['timestamp_ms'])}",
            lambda: f"{alias}.timestamp_ms % 3 <> 1",
            lambda: f"{alias}.name {dice.choice(('=', '<>', 'IS NOT'))} "
                    f"{self.value(self.seen['name'] + ['answer', 'safety'])}",
            lambda: f"{alias}.name LIKE '%{dice.choice('aeros')}%'"]
        if "status" in COLUMNS[kind]:
            plain.append(lambda: f"{alias}.status {dice.choice(('=', '<>', 'IS'))} "
                                 f"{self.value(['OK', 'ERROR', 'IN_PROGRESS'])}")
            plain.append(lambda: f"{alias}.status IN ('OK', {self.value(['ERROR', 'UNSET'])})")
        if kind == "traces":
            plain.append(lambda: f"{alias}.session_id = {self.value(self.seen['session_id'])}")
            plain.append(lambda: f"{alias}.session_id IS {dice.choice(('', 'NOT '))}NULL")
            plain.append(lambda: f"{alias}.execution_time_ms > {self.value([0, 500, 5000])}")
        return dice.choice(plain)()

    def nested(self, alias, depth):
        dice = self.dice
        kind, no = dice.randrange(5), dice.choice(("", "NOT "))
        linked = f"{{}}.trace_id = {alias}.trace_id"
        if kind == 0:
            body, own = self.inner(depth)
            return f"{alias}.trace_id {no}IN (SELECT {own}.trace_id {body})"
        if kind == 1:
            return f"{no}EXISTS (SELECT 1 {self.inner(depth, linked)[0]})"
        if kind == 2:
            return (f"(SELECT count(*) {self.inner(depth, linked)[0]}) "
                    f"{dice.choice(('>', '<', '='))} {self.value([0, 1, 3])}")
        body, own = self.inner(depth)
        if kind == 3:
            return (f"{alias}.timestamp_ms {dice.choice(('<', '>=', '='))} "
                    f"(SELECT {dice.choice(('min', 'max'))}({own}.timestamp_ms) {body})")
        return (f"{alias}.trace_id = (SELECT {own}.trace_id {body} ORDER BY {own}.timestamp_ms "
                f"{dice.choice(('', 'DESC'))}, {own}.trace_id LIMIT 1)")

    def joined(self):
        """The text after FROM, and the (alias, kind) of each source."""
        dice = self.dice
        count = dice.choice((1, 2, 2, 2, 3))
        joins = [dice.choice(("JOIN", "JOIN", "LEFT JOIN", "CROSS JOIN", "RIGHT JOIN", "FULL JOIN"))
                 for _ in range(count - 1)]
        outer = any(join[0] in "RF" for join in joins)
        text, alias, kind, where = self.source(outer)
        sources = [(alias, kind)]
        for join in joins:
            more, alias, kind, told = self.source(outer)
            other, other_kind = dice.choice(sources)
            shared = [column for column in ("session_id", "status", "name")
                      if column in COLUMNS[kind] and column in COLUMNS[other_kind]]
            link = "trace_id" if dice.random() < 0.8 else dice.choice(shared)
            terms = [f"{alias}.{link} = {other}.{link}"] + told
            if link != "trace_id":
                terms.append(f"{alias}.timestamp_ms % 4 = 0 AND {other}.timestamp_ms % 4 = 0")
            if dice.random() < 0.3:
                terms.append(self.predicate(alias, kind, 0 if join == "JOIN" else 2))
            if dice.random() < 0.3:
                terms.append(self.predicate(other, other_kind, 2))
            text += f" {join} {more} ON {' AND '.join(terms)}"
            sources.append((alias, kind))
        for alias, kind in sources:
            if dice.random() < 0.4:
                where.append(self.predicate(alias, kind))
        return text + (" WHERE " + " AND ".join(where) if where else ""), sources

    def select(self, single=False):
        dice, common = self.dice, ""
        if dice.random() < 0.2:
            body, sources = self.joined()
            x = sources[0][0]
            how = dice.choice(("", "MATERIALIZED ", "NOT MATERIALIZED "))
            common = (f"WITH c AS {how}(SELECT {x}.trace_id, {x}.name, {x}.timestamp_ms "
                      f"FROM {body}) ")
            text, y, kind, told = self.source()
            join = dice.choice(("JOIN", "LEFT JOIN"))
            body = f"c {join} {text} ON {' AND '.join([f'{y}.trace_id = c.trace_id'] + told)}"
            sources = [("c", "c"), (y, kind)]
        else:
            body, sources = self.joined()
        x, y = sources[0][0], sources[-1][0]
        if single:
            # In a compound a WITH stands in a sub-select.
            a = f"{x}.trace_id || ifnull({y}.name, '')"
            return f"SELECT * FROM ({common}SELECT {a} AS a FROM {body})"
        return common + self.shown(body, x, y)

    def shown(self, body, x, y):
        """What is selected: something of the last table in any case, for SQLite leaves a LEFT JOIN
        out that nobody reads, and what the table was told with it."""
        dice = self.dice
        kind = dice.randrange(6)
        if kind == 0:
            return f"SELECT {x}.trace_id, {y}.trace_id, {y}.name FROM {body}"
        if kind == 1:
            return f"SELECT {x}.name, count(*), min({y}.timestamp_ms) FROM {body} GROUP BY 1"
        if kind == 2:
            return (f"SELECT {x}.trace_id, {y}.name, rank() OVER (PARTITION BY {x}.name ORDER BY "
                    f"{x}.timestamp_ms), sum({y}.timestamp_ms) OVER (PARTITION BY {y}.name) "
                    f"FROM {body}")
        if kind == 3:
            return f"SELECT DISTINCT {x}.name, {y}.timestamp_ms FROM {body}"
        if kind == 4:
            self.ordered = True
            return (f"SELECT {x}.trace_id, {y}.name FROM {body} ORDER BY {x}.timestamp_ms DESC, "
                    f"{x}.trace_id, {y}.name LIMIT {dice.randrange(1, 40)} "
                    f"OFFSET {dice.choice((0, 0, 5))}")
        return (f"SELECT count(*), count(DISTINCT {x}.trace_id), count({y}.trace_id), "
                f"sum(length({y}.name)) FROM {body}")


def main():
    extension, seed, count, here, there = sys.argv[1:]
    run = connect(extension)
    names = prepare(run, here, there)
    statements = Statements(random.Random(seed), run, here, there)
    counts = collections.Counter()

    def ask(sql, at, values, mixed):
        def name(match):
            kind = match[1].rstrip("?")
            if at == "copy" and match[1] != kind:
                return f"{'copy' if mixed else 'own'}_{kind}"
            return names[at][match[1]]

        try:
            rows = run(re.sub(r"\[([^\]]+)\]", name, sql), values)
        except Exception as error:  # pylint: disable=broad-exception-caught
            return str(error)
        return rows if statements.ordered else sorted(rows, key=repr)

    for _ in range(int(count)):
        sql, bindings = statements.make()
        for values in bindings:
            expected = ask(sql, "copy", values, statements.mixed)
            found = ask(sql, "server", values, statements.mixed)
            counts["asked"] += 1
            if found == expected:
                counts["rows"] += bool(found)
            elif statements.mixed and MIXED in found:
                counts["refused"] += 1
            else:
                counts["different"] += 1
                print(json.dumps({"sql": sql, "values": values, "expected": repr(expected)[:300],
                                  "found": repr(found)[:300]}), flush=True)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
