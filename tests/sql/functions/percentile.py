"""percentile, percentile_cont, percentile_disc and median: against numpy, against SQLite's own functions
of these names case by case, and in windows against a recomputation."""

import apsw
import numpy

import support
from support import answer, check, connect, shell

ours = connect()
theirs = apsw.Connection(":memory:")
random = numpy.random.default_rng(20240229)


def fill(values):
    for db in (ours, theirs):
        db.execute("DROP TABLE IF EXISTS t")
        db.execute("CREATE TABLE t(i INTEGER PRIMARY KEY, x)")
        with db:
            db.executemany("INSERT INTO t(x) VALUES (?)", ((value,) for value in values))


def shaped(count):
    """Values of the kinds that make selection go wrong."""
    yield "normal", random.normal(size=count)
    yield "lognormal", random.lognormal(7, 3, size=count)
    yield "integers", random.integers(-50, 50, size=count)
    yield "sorted", numpy.arange(count) * 0.1
    yield "reversed", -numpy.arange(count)
    yield "equal", numpy.full(count, 3.25)
    yield "wide", random.normal(size=count) * 10.0 ** random.integers(-300, 300, size=count)


def against_numpy():
    fractions = [0, 0.001, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1, *random.random(4)]
    for count in (1, 2, 3, 10, 31, 32, 33, 100, 1000, 10000, 1000000):
        for name, values in shaped(count):
            if count == 1000000 and name not in ("normal", "integers"):
                continue
            fill(values.tolist())
            for f in fractions:
                f = float(f)
                row = ours.execute(
                    "SELECT percentile(x, ?1 * 100), percentile_cont(x, ?1), percentile_disc(x, ?1),"
                    " median(x) FROM t",
                    (f,),
                ).fetchone()
                linear = numpy.quantile(values, f, method="linear")
                scale = abs(linear) + float(numpy.abs(values).max()) * 1e-12
                close = all(abs(result - linear) <= 1e-9 * scale for result in row[:2])
                check(f"linear {name} {count} {f}", close, True)
                lower = float(numpy.quantile(values, f, method="lower"))
                check(f"lower {name} {count} {f}", row[2], lower)
                middle = numpy.median(values)
                check(f"median {name} {count}", abs(row[3] - middle) <= 1e-9 * scale, True)
            # The page's recipe for the smallest value with at least this share of rows at or below it.
            for f in (0.1, 0.5, 0.95) if count <= 10000 else ():
                recipe = ours.execute(
                    "SELECT min(x) FROM (SELECT x, cume_dist() OVER (ORDER BY x) AS share FROM t)"
                    " WHERE share >= ?",
                    (f,),
                ).fetchone()[0]
                inverted = float(numpy.quantile(values, f, method="inverted_cdf"))
                check(f"inverted_cdf {name} {count} {f}", recipe, inverted)


CASES = """
percentile(x, 0) | percentile(x, 100) | percentile(x, 50) | percentile(x, 12.5) | percentile(x, 1e-9)
percentile(x, '50') | percentile(x, ' 50 ') | percentile(x, 50.0) | percentile(x, 99.9999)
percentile(x, -0.001) | percentile(x, 100.001) | percentile(x, NULL) | percentile(x, 'p50')
percentile(x, '') | percentile(x, x'3530') | percentile(x, 9e999) | percentile(x, -9e999)
percentile(x, i) | percentile(x, 50 + i * 0.0001) | percentile(x, 50 + i * 0.05)
percentile(x, 50 + i * 0.1) | percentile(x, iif(i = 3, NULL, 50)) | percentile(x, iif(i = 3, 101, 50))
percentile_cont(x, 0) | percentile_cont(x, 1) | percentile_cont(x, 0.35) | percentile_cont(x, 50)
percentile_cont(x, 1.0000001) | percentile_cont(x, -1e-9) | percentile_cont(x, '0.25')
percentile_cont(x, 0.5 + i * 0.0001) | percentile_cont(x, 0.5 + i * 0.01) | percentile_cont(x, NULL)
percentile_disc(x, 0) | percentile_disc(x, 1) | percentile_disc(x, 0.35) | percentile_disc(x, 0.999)
percentile_disc(x, 2) | percentile_disc(x, 'a') | percentile_disc(x, 0.5)
median(x) | median(DISTINCT x) | median(x + 0.5) | median(NULL) | median(i)
percentile(NULL, 50) | percentile(NULL, 500) | percentile(NULL, NULL)
percentile('1', 50) | percentile(x || '', 50) | percentile_cont('abc', 0.5) | percentile_disc(x'31', 0.5)
median('1') | median(zeroblob(1)) | median(iif(i = 3, 'text', x)) | median(iif(i = 3, NULL, x))
percentile(9e999, 50) | percentile(-9e999, 50) | median(iif(i = 3, 9e999, x)) | percentile_disc(9e999, 1)
percentile_cont(-9e999, 1) | percentile('a', 500) | percentile(9e999, -1)
median() | median(x, 50) | percentile(x) | percentile(x, 50, 1) | percentile() | percentile_cont(x)
percentile_disc(x) | percentile(*) | typeof(median(i)) | typeof(percentile_disc(i, 0.5))
typeof(median(NULL)) | percentile(x, 50) FILTER (WHERE i > 3) | median(x) FILTER (WHERE i > 99)
percentile(9223372036854775807, 50) | percentile_disc(9007199254740993, 0.5)
median(x), percentile(x, 10), percentile_disc(x, 0.9), percentile_cont(x, 0.3)
"""


def against_sqlite():
    cases = [case for case in " | ".join(CASES.split("\n")).split(" | ") if case.strip()]
    tables = {
        "no rows": [],
        "one row": [7],
        "NULLs": [None, None],
        "few": [3, 1.5, None, -2, 10, 4],
        "equal": [2, 2, 2, 2.0],
        "many": random.normal(size=999).tolist(),
    }
    for name, values in tables.items():
        fill(values)
        for case in cases:
            sql = f"SELECT {case.strip()} FROM t"
            check(f"{name}: {case.strip()}", answer(ours, sql), answer(theirs, sql))
        sql = "SELECT i % 3, median(x), percentile(x, 90) FROM t GROUP BY 1 ORDER BY 1"
        check(f"{name}: groups", answer(ours, sql), answer(theirs, sql))
        sql = "SELECT i FROM t GROUP BY i HAVING median(x) > 0 ORDER BY median(x), i"
        check(f"{name}: having", answer(ours, sql), answer(theirs, sql))


FRAMES = [
    "ORDER BY i",
    "ORDER BY i DESC",
    "ORDER BY g",
    "",
    "PARTITION BY g ORDER BY i",
    "PARTITION BY g",
    "ORDER BY i ROWS 3 PRECEDING",
    "ORDER BY i ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING",
    "ORDER BY i ROWS BETWEEN 700 PRECEDING AND 50 FOLLOWING",
    "ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND 5 FOLLOWING",
    "ORDER BY i ROWS BETWEEN 5 FOLLOWING AND UNBOUNDED FOLLOWING",
    "ORDER BY i ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "ORDER BY i ROWS BETWEEN 3 FOLLOWING AND 6 FOLLOWING",
    "ORDER BY i ROWS BETWEEN 9 PRECEDING AND 4 PRECEDING",
    "ORDER BY i RANGE BETWEEN 10 PRECEDING AND 20 FOLLOWING",
    "ORDER BY g RANGE BETWEEN 1 PRECEDING AND CURRENT ROW",
    "ORDER BY g RANGE BETWEEN 2 FOLLOWING AND 3 FOLLOWING",
    "ORDER BY x RANGE BETWEEN 0.25 PRECEDING AND 0.5 FOLLOWING",
    "ORDER BY g GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "ORDER BY i ROWS BETWEEN 4 PRECEDING AND 4 FOLLOWING EXCLUDE CURRENT ROW",
    "ORDER BY g RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES",
    "ORDER BY g GROUPS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE GROUP",
]


def windows():
    """A frame's values are collected by json_group_array over the same frame, and computed anew."""
    for count in (1, 7, 1500):
        values = [
            None if i % 11 == 5 else float(random.integers(0, 40)) / 4 if i % 2 else random.normal()
            for i in range(count)
        ]
        fill(values)
        for db in (ours, theirs):
            db.execute("DROP TABLE IF EXISTS w")
            db.execute("CREATE TABLE w AS SELECT i, x, i * 7919 % 13 AS g FROM t")
        for frame in FRAMES:
            select = (
                "SELECT percentile(x, 30) OVER f, percentile_cont(x, 0.9) OVER f,"
                " percentile_disc(x, 0.6) OVER f, median(x) OVER f%s"
                f" FROM w WINDOW f AS ({frame}) ORDER BY i"
            )
            rows = ours.execute(select % "").fetchall()
            check(f"window {count} {frame}", rows, theirs.execute(select % "").fetchall())
            frames = ours.execute(
                f"SELECT json_group_array(x) OVER f FROM w WINDOW f AS ({frame}) ORDER BY i"
            ).fetchall()
            step = 1 if count < 100 else 37
            for row, (frame_values,) in list(zip(rows, frames))[::step]:
                anew = ours.execute(
                    "SELECT percentile(value, 30), percentile_cont(value, 0.9),"
                    " percentile_disc(value, 0.6), median(value) FROM json_each(?)",
                    (frame_values,),
                ).fetchone()
                check(f"recomputed {count} {frame}", row, anew)


def windows_fail_alike():
    fill([3, 1, None, 2])
    for call in (
        "percentile(x, i)",
        "percentile(x, 101)",
        "median(iif(i = 3, 'a', x))",
        "median(iif(i = 4, 9e999, x))",
        "percentile_cont(x, 0.5 + i * 0.0001)",
    ):
        sql = f"SELECT {call} OVER (ORDER BY i ROWS 1 PRECEDING) FROM t"
        check(f"window: {call}", answer(ours, sql), answer(theirs, sql))


def far_apart():
    """Where SQLite's formula overflows, the value between two finite ones stays finite."""
    sql = "SELECT median(column1), percentile(column1, 75) / 0.8e308 FROM (VALUES (-1.6e308), (1.6e308))"
    middle, quarter = ours.execute(sql).fetchone()
    check("far apart", (middle, round(quarter, 12)), (0.0, 1.0))


def in_debians_shell():
    table = "CREATE TABLE t(x); INSERT INTO t VALUES (1), (4), (NULL), (2), (10), (3);"
    for sql, expected in (
        ("SELECT percentile(x, 95), median(x), percentile_disc(x, 0.95) FROM t;", "8.8|3.0|4.0"),
        (
            "SELECT group_concat(m, ' ') FROM (SELECT median(x) OVER (ORDER BY rowid ROWS 1 PRECEDING)"
            " AS m FROM t);",
            "1.0 2.5 4.0 2.0 6.0 6.5",
        ),
        (
            "SELECT percentile(x, 101) FROM t;",
            "Runtime error near line 2: the fraction argument to percentile() is not between 0.0 and 100.0",
        ),
        (
            "SELECT median('a') FROM t;",
            "Runtime error near line 2: input to median() is not numeric",
        ),
    ):
        check(f"shell: {sql}", shell(table + sql), expected)


against_numpy()
against_sqlite()
windows()
windows_fail_alike()
far_apart()
in_debians_shell()
support.finish()
