"""latency_bucket, latency_class, time_bucket, wilson_low, wilson_high, sparkline, bar and mask_message:
in Debian's shell and in the newest SQLite; and what all functions of this family have in common."""

import datetime
import os
import time
import zoneinfo

import support
from support import answer, check, connect, shell

db = connect()

RESULTS = [
    # latency_bucket: aggregates
    ("latency_bucket(1)", '{"fast":1,"medium":0,"slow":0}'),
    ("latency_bucket(NULL)", '{"fast":0,"medium":0,"slow":0}'),
    ("latency_bucket(999.999)", '{"fast":1,"medium":0,"slow":0}'),
    ("latency_bucket(1000)", '{"fast":0,"medium":1,"slow":0}'),
    ("latency_bucket(5000)", '{"fast":0,"medium":0,"slow":1}'),
    ("latency_bucket(-1)", '{"fast":1,"medium":0,"slow":0}'),
    ("latency_bucket(9e999)", '{"fast":0,"medium":0,"slow":1}'),
    ("latency_bucket(-9e999)", '{"fast":1,"medium":0,"slow":0}'),
    ("latency_bucket(7, '[5]')", '{"<5":0,">=5":1}'),
    ("latency_bucket(7, '[5,7.50]')", '{"<5":0,"5-7.50":1,">=7.50":0}'),
    ("latency_bucket(NULL, '[5]')", '{"<5":0,">=5":0}'),
    ('latency_bucket(7, \'{"a":5,"b":null}\')', '{"a":0,"b":1}'),
    ("latency_bucket(7, json_array(5, 6))", '{"<5":0,"5-6":0,">=6":1}'),
    ("json_extract(latency_bucket(7), '$.fast')", "1"),
    ("json_object('h', latency_bucket(7))", '{"h":{"fast":1,"medium":0,"slow":0}}'),
    # latency_class
    ("latency_class(0)", "fast"),
    ("latency_class(1000)", "medium"),
    ("latency_class(5000.0)", "slow"),
    ("latency_class(NULL) IS NULL", "1"),
    ("latency_class(9e999)", "slow"),
    ("latency_class(100, '[100, 500]')", "100-500"),
    ("latency_class(99, '[100, 500]')", "<100"),
    ("latency_class(500, '[100, 500]')", ">=500"),
    ('latency_class(1, \'{"gr\\u00fcn":2,"rot":null}\')', "grün"),
    ("latency_class(NULL, '[1]') IS NULL", "1"),
    # time_bucket: 1709214250123 is 2024-02-29 13:44:10.123 UTC, a Thursday
    ("time_bucket('15 minutes', 1709214250123)", "1709213400000"),
    ("time_bucket('1 hour', 1709214250123)", "1709211600000"),
    ("time_bucket('1 day', 1709214250123)", "1709164800000"),
    ("time_bucket('1 week', 1709214250123)", "1708905600000"),
    ("time_bucket('1 month', 1709214250123)", "1706745600000"),
    ("time_bucket('1 day', 1709214250123, 'UTC')", "1709164800000"),
    ("time_bucket('1 day', 1709214250123, '+02:00')", "1709157600000"),
    ("time_bucket('1 day', 1709214250123, '-13:30')", "1709213400000"),
    ("time_bucket('day', 1709214250123.9)", "1709164800000"),
    ("time_bucket('1 millisecond', -0.5)", "-1"),
    ("time_bucket('1 day', -1)", "-86400000"),
    ("time_bucket('1 day', NULL) IS NULL", "1"),
    ("typeof(time_bucket('1 day', 0.0))", "integer"),
    # Wilson
    ("round(wilson_low(8, 10), 6) || ' ' || round(wilson_high(8, 10), 6)", "0.490162 0.943318"),
    ("round(wilson_low(8, 10, 1), 6) || ' ' || round(wilson_high(8, 10, 1), 6)", "0.649078 0.896377"),
    ("wilson_low(0, 5) || ' ' || wilson_high(5, 5)", "0.0 1.0"),
    ("wilson_low(0, 0) IS NULL AND wilson_high(0, 0) IS NULL", "1"),
    ("wilson_low(NULL, 5) IS NULL AND wilson_low(1, NULL) IS NULL", "1"),
    ("wilson_high(1, 2, NULL) IS NULL", "1"),
    ("wilson_low(1, 4, 0)", "0.25"),
    # Messages
    ("mask_message('order 7 of ''ann''')", "order <n> of '…'"),
    ("mask_message(NULL) IS NULL", "1"),
    ("mask_message('') = '' AND typeof(mask_message('')) = 'text'", "1"),
    ("mask_message(4.5) || mask_message(x'6131')", "<n>a<n>"),
    # Pictures
    ("sparkline(7)", "▄"),
    ("sparkline(NULL) = ' '", "1"),
    ("bar(5, 10, 8)", "████"),
    ("bar(1, 16, 4)", "▎"),
    ("length(bar(10, 10))", "20"),
    ("bar(0, 10) || bar(-5, 10) || bar(1, 0) || '.'", "."),
    ("bar(NULL, 10) IS NULL AND bar(1, NULL) IS NULL", "1"),
    ("length(bar(99, 10, 1000))", "1000"),
]

ERRORS = [
    ("latency_bucket('5')", "latency_bucket: input is not numeric"),
    ("latency_bucket(x'35')", "latency_bucket: input is not numeric"),
    ("latency_bucket(5, NULL)", "latency_bucket: edges: a JSON array or object is expected"),
    ("latency_bucket(5, 100)", "latency_bucket: edges: a JSON array or object is expected"),
    ("latency_bucket(5, '[')", "latency_bucket: edges: a number is expected at byte 1"),
    ("latency_class('5')", "latency_class: input is not numeric"),
    ("latency_class(5, NULL)", "latency_class: edges: a JSON array or object is expected"),
    (
        "latency_class(5, '[2,1]')",
        "latency_class: edges: a bound that is not above the one before at byte 3",
    ),
    ("time_bucket('1 day', 'now')", "time_bucket: the time is not numeric"),
    (
        "time_bucket('1 day', 9e18)",
        "time_bucket: the time is not within the years 0 to 9999 in milliseconds",
    ),
    (
        "time_bucket('1 day', -62167219200001)",
        "time_bucket: the time is not within the years 0 to 9999 in milliseconds",
    ),
    (
        "time_bucket('1 day', 0, 'Europe/Berlin')",
        "time_bucket: the zone is not 'UTC', 'localtime' or an offset such as '+02:00'",
    ),
    (
        "time_bucket('1 day', 0, NULL)",
        "time_bucket: the zone is not 'UTC', 'localtime' or an offset such as '+02:00'",
    ),
    ("wilson_low('1', 2)", "wilson_low: input is not numeric"),
    ("wilson_high(1, 9e999)", "wilson_high: input is not numeric"),
    ("wilson_low(3, 2)", "wilson_low: successes are not between 0 and the number of trials"),
    ("wilson_low(-1, 2)", "wilson_low: successes are not between 0 and the number of trials"),
    ("wilson_low(1, 2, -1)", "wilson_low: z is negative"),
    ("sparkline('1')", "sparkline: input is not numeric"),
    ("sparkline(9e999)", "sparkline: input is infinite"),
    ("bar('1', 2)", "bar: input is not numeric"),
    ("bar(1, 9e999)", "bar: input is infinite"),
    ("bar(1, 2, 0)", "bar: the width is not an integer between 1 and 1000"),
    ("bar(1, 2, 1001)", "bar: the width is not an integer between 1 and 1000"),
    ("bar(1, 2, 2.5)", "bar: the width is not an integer between 1 and 1000"),
    ("bar(1, 2, NULL)", "bar: the width is not an integer between 1 and 1000"),
]
WIDTH = "time_bucket: the width is not a whole number of milliseconds, seconds, minutes, hours, days, weeks, months, quarters or years, as in '15 minutes'"
ERRORS += [
    (f"time_bucket({width}, 0)", WIDTH)
    for width in ("NULL", "'1 fortnight'", "60000", "'0 days'", "''")
]


def results():
    for call, expected in RESULTS:
        rows = answer(db, f"SELECT {call}")
        check(call, rows if isinstance(rows, str) else str(rows[0][0]), expected)
        check(f"shell: {call}", shell(f"SELECT {call};"), expected)
    for call, error in ERRORS:
        check(call, answer(db, f"SELECT {call}"), error)
        check(f"shell: {call}", shell(f"SELECT {call};"), f"Runtime error near line 2: {error}")


def aggregates():
    db.execute("CREATE TABLE t(i INTEGER PRIMARY KEY, ms)")
    values = [None if i % 10 == 3 else i * 37 % 8000 for i in range(500)]
    db.executemany("INSERT INTO t(ms) VALUES (?)", ((value,) for value in values))
    counts = [
        sum(low <= value < high for value in values if value is not None)
        for low, high in ((0, 1000), (1000, 5000), (5000, 9e9))
    ]
    histogram = '{"fast":%d,"medium":%d,"slow":%d}' % tuple(counts)
    check("histogram", answer(db, "SELECT latency_bucket(ms) FROM t"), [(histogram,)])
    check(
        "json_each",
        answer(db, "SELECT key, value FROM json_each((SELECT latency_bucket(ms) FROM t))"),
        list(zip(("fast", "medium", "slow"), counts)),
    )
    check(
        "by class",
        answer(
            db,
            "SELECT count(*) FROM t WHERE ms IS NOT NULL GROUP BY latency_class(ms) ORDER BY latency_class(ms)",
        ),
        [(count,) for count in counts],
    )
    check(
        "no rows",
        answer(
            db, "SELECT latency_bucket(ms), latency_bucket(ms, '[1]'), sparkline(ms) FROM t WHERE 0"
        ),
        [('{"fast":0,"medium":0,"slow":0}', None, None)],
    )
    check(
        "edges that change",
        answer(db, "SELECT latency_bucket(ms, '[' || i || ']') FROM t"),
        "latency_bucket: edges: they are not the same in all rows",
    )
    check(
        "sparkline",
        answer(
            db,
            "SELECT sparkline(v) FROM (SELECT column1 AS v FROM (VALUES (1), (NULL), (5), (9), (3)))",
        ),
        [("▁ ▅█▃",)],
    )
    check(
        "sparkline, 10000 values",
        answer(
            db,
            "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 10000) SELECT length(sparkline(i)) FROM g",
        ),
        [(10000,)],
    )
    check(
        "sparkline, 10001 values",
        answer(
            db,
            "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 10001) SELECT sparkline(i) FROM g",
        ),
        "sparkline: more than 10000 values; group them first",
    )
    check(
        "classes of a column",
        answer(
            db,
            "SELECT group_concat(latency_class(5, e), ' ') FROM (SELECT column1 AS e FROM (VALUES ('[1]'), ('[9]'), ('[1]')))",
        ),
        [(">=1 <9 >=1",)],
    )


def windows():
    for frame in (
        "ORDER BY i",
        "ORDER BY i ROWS 5 PRECEDING",
        "ORDER BY i ROWS BETWEEN 3 FOLLOWING AND 6 FOLLOWING",
        "ORDER BY i RANGE BETWEEN 10 PRECEDING AND 10 FOLLOWING",
        "PARTITION BY i % 7 ORDER BY i ROWS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW",
    ):
        for edges in ("", ", '[500,4000]'"):
            rows = db.execute(
                f"SELECT latency_bucket(ms{edges}) OVER f, json_group_array(ms) OVER f FROM t WINDOW f AS ({frame})"
            ).fetchall()
            for histogram, values in rows[::7]:
                anew = db.execute(
                    f"SELECT latency_bucket(value{edges}) FROM json_each(?)", (values,)
                ).fetchone()[0]
                check(f"window {frame} {edges}", histogram, anew)


def local_days():
    """Days and hours of a zone with summer time, against Python's calendar."""
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    for start in ("2024-03-30", "2024-10-26", "2024-06-30"):
        begin = int(datetime.datetime.fromisoformat(start + "T00:00+00:00").timestamp())
        for second in range(begin, begin + 3 * 86400, 1237):
            there = datetime.datetime.fromtimestamp(second, zone)
            day = there.replace(hour=0, minute=0, second=0, fold=0)
            month = day.replace(day=1)
            week = there.date() - datetime.timedelta(days=there.weekday())
            week = datetime.datetime(week.year, week.month, week.day, tzinfo=zone)
            hour = second - second % 3600
            got = db.execute(
                "SELECT time_bucket('1 day', ?1, 'localtime'), time_bucket('month', ?1, 'localtime'),"
                " time_bucket('1 week', ?1, 'localtime'), time_bucket('1 hour', ?1, 'localtime')",
                (second * 1000,),
            ).fetchone()
            check(
                f"local {there}",
                got,
                tuple(
                    int(t) * 1000
                    for t in (day.timestamp(), month.timestamp(), week.timestamp(), hour)
                ),
            )
    # SQLite's own idea of the same.
    sql = (
        "SELECT count(*) FROM (WITH RECURSIVE g(s) AS (SELECT 1700000000 UNION ALL SELECT s + 86399 FROM g"
        " WHERE s < 1740000000) SELECT s FROM g) WHERE datetime(time_bucket('1 day', s * 1000, 'localtime') / 1000,"
        " 'unixepoch', 'localtime') <> datetime(s, 'unixepoch', 'localtime', 'start of day')"
    )
    check("start of day", answer(db, sql), [(0,)])


def flags():
    """All may be used by a file that is not trusted, and all but time_bucket with a zone in an index."""
    names = (
        "bar",
        "latency_bucket",
        "latency_class",
        "median",
        "percentile",
        "percentile_cont",
        "percentile_disc",
        "sparkline",
        "strata",
        "strata_merge",
        "time_bucket",
        "wilson_high",
        "wilson_low",
    )
    own = f"({', '.join(repr(name) for name in names)})"
    rows = db.execute(
        f"SELECT DISTINCT name, type, narg, flags & 0x200000 <> 0, flags & 0x800 <> 0 FROM pragma_function_list WHERE name IN {own} AND builtin = 0 ORDER BY 1, 3"
    ).fetchall()
    expected = []
    for name in names:
        counts = {
            "median": (1,),
            "sparkline": (1,),
            "strata_merge": (1,),
            "latency_bucket": (1, 2),
            "latency_class": (1, 2),
            "strata": (3, 4),
            "bar": (2, 3),
            "time_bucket": (2, 3),
            "wilson_low": (2, 3),
            "wilson_high": (2, 3),
        }.get(name, (2,))
        kind = (
            "w"
            if name
            in ("latency_bucket", "median", "percentile", "percentile_cont", "percentile_disc")
            else "a"
            if name in ("sparkline", "strata", "strata_merge")
            else "s"
        )
        for count in counts:
            expected.append((name, kind, count, 1, int((name, count) != ("time_bucket", 3))))
    check("functions and flags", rows, expected)
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute(
        "CREATE VIEW v AS SELECT latency_bucket(ms), percentile(ms, 50), sparkline(i), hex(strata(i, 1, 1)),"
        " min(bar(ms, 10)), min(wilson_low(1, 2)), min(time_bucket('day', ms, 'UTC')), min(latency_class(ms)) FROM t WHERE i < 9"
    )
    check("view", isinstance(answer(db, "SELECT * FROM v"), list), True)
    db.execute("CREATE INDEX by_class ON t(latency_class(ms))")
    db.execute("CREATE INDEX by_day ON t(time_bucket('1 day', ms))")
    check(
        "index",
        answer(db, "SELECT count(*) FROM t WHERE latency_class(ms) = 'fast'"),
        answer(db, "SELECT count(*) FROM t WHERE ms < 1000"),
    )
    check(
        "no index on a zone",
        answer(db, "CREATE INDEX by_zone ON t(time_bucket('1 day', ms, 'localtime'))"),
        "non-deterministic functions prohibited in index expressions",
    )


results()
aggregates()
windows()
local_days()
flags()
support.finish()
