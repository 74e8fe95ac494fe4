"""strata, strata_merge and stratified_sample: against the documented construction written anew, against
the statistics that a stratified random sample must obey, and at their edges."""

import struct

import numpy
from scipy import stats

import support
from support import answer, check, connect, shell

SEEDS = 2000
db = connect()
MASK = 2**64 - 1
P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)


def rotate(x, bits):
    return (x << bits | x >> (64 - bits)) & MASK


def xxh64(data, seed):
    """From the xxHash specification."""

    def turn(lane, word):
        return rotate((lane + word * P2) & MASK, 31) * P1 & MASK

    at = 0
    if len(data) >= 32:
        lanes = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        while len(data) - at >= 32:
            words = struct.unpack_from("<4Q", data, at)
            lanes = [turn(lane, word) for lane, word in zip(lanes, words)]
            at += 32
        h = sum(rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            h = ((h ^ turn(0, lane)) * P1 + P4) & MASK
    else:
        h = (seed + P5) & MASK
    h = (h + len(data)) & MASK
    while len(data) - at >= 8:
        h = (rotate(h ^ turn(0, struct.unpack_from("<Q", data, at)[0]), 27) * P1 + P4) & MASK
        at += 8
    if len(data) - at >= 4:
        h = (rotate(h ^ struct.unpack_from("<I", data, at)[0] * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        h = rotate(h ^ byte * P5 & MASK, 11) * P1 & MASK
    h = (h ^ h >> 33) * P2 & MASK
    h = (h ^ h >> 29) * P3 & MASK
    return h ^ h >> 32


def place(key, seed):
    """As analysis/stratify.h documents it."""
    if isinstance(key, float) and key.is_integer() and -(2**63) <= key < 2**63:
        key = int(key)
    kind, data = {
        int: lambda: (b"i", struct.pack("<q", key)),
        float: lambda: (b"r", struct.pack("<d", key)),
        str: lambda: (b"t", key.encode()),
        bytes: lambda: (b"b", key),
    }[type(key)]()
    return xxh64(data, xxh64(kind, seed & MASK))


def expected_sample(rows, size, seed):
    """Per stratum its population and its keys by place, `size` of them."""
    strata = {}
    for key, stratum in rows:
        if key is not None:
            strata.setdefault(stratum, []).append(key)
    return {
        stratum: (len(keys), sorted(set(keys), key=lambda key: place(key, seed))[:size])
        for stratum, keys in strata.items()
    }


def fill(rows):
    db.execute("DROP TABLE IF EXISTS t")
    db.execute("CREATE TABLE t(k, s)")
    with db:
        db.executemany("INSERT INTO t VALUES (?, ?)", rows)


def sample(size, seed=0, allocation="equal", source="t"):
    return db.execute(
        "SELECT stratum, key, population, sampled, weight, position FROM stratified_sample("
        f"(SELECT strata(k, s, ?, ?) FROM {source}), ?) ORDER BY position",
        (size, seed, allocation),
    ).fetchall()


def by_the_book():
    random = numpy.random.default_rng(5)
    for keys, name in (
        ([f"tr-{value:032x}" for value in random.integers(0, 2**60, size=500).tolist()], "ids"),
        (list(range(-250, 250)), "integers"),
        ([value / 4 for value in range(500)], "quarters"),
        (
            [bytes([value % 256, value // 256]) * (value % 23) or b"" for value in range(500)],
            "blobs",
        ),
        (["ü" * (value % 80) + str(value) for value in range(500)], "texts"),
        ([None, 1, "1", b"1", 1.5, 2, 2.0, "2"] * 60, "mixed"),
    ):
        rows = [(key, ("a", "b", None, 3, 3.5)[i % 5]) for i, key in enumerate(keys)]
        fill(rows)
        for size, seed in ((7, 0), (50, 42), (1000, -1), (1, 2**63 - 1)):
            book = expected_sample(rows, size, seed)
            for allocation in ("equal", "proportional", "pattern6"):
                got = {}
                for stratum, key, population, sampled, weight, _ in sample(size, seed, allocation):
                    got.setdefault(stratum, []).append(key)
                    check(f"{name} population", population, book[stratum][0])
                    check(f"{name} weight", weight, population / sampled)
                for stratum, keys_got in got.items():
                    check(
                        f"{name} {size} {allocation}", keys_got, book[stratum][1][: len(keys_got)]
                    )
                total = sum(len(keys_got) for keys_got in got.values())
                if allocation != "pattern6":
                    available = sum(len(kept) for _, kept in book.values())
                    check(f"{name} {size} {allocation} total", total, min(size, available))


def statistics():
    """Over many seeds each row of a stratum is in the sample as often as n_h / N_h says, and the weighted
    mean is the mean."""
    sizes = {"small": 12, "medium": 180, None: 58, "large": 1250}
    population = sum(sizes.values())
    values = numpy.random.default_rng(11).lognormal(5, 1, size=population)
    rows = [(i, stratum) for i, stratum in enumerate(s for s, n in sizes.items() for _ in range(n))]
    fill(rows)
    strata = numpy.array([list(sizes).index(stratum) for _, stratum in rows])
    for allocation in ("equal", "proportional"):
        for size in (60, 200):
            counts = numpy.zeros(population)
            means = numpy.zeros(SEEDS)
            given = {}
            totals = set()
            for seed in range(SEEDS):
                result = sample(size, seed, allocation)
                keys = numpy.array([row[1] for row in result])
                weights = numpy.array([row[4] for row in result])
                counts[keys] += 1
                means[seed] = (values[keys] * weights).sum() / population
                totals.add(len(result))
                given.update({row[0]: row[3] for row in result})
            name = f"{allocation} {size}"
            check(f"{name}: total", totals, {size})
            for index, (stratum, rows_of) in enumerate(sizes.items()):
                share = given[stratum] / rows_of
                if share == 1:
                    check(f"{name} {stratum}: all", set(counts[strata == index]), {float(SEEDS)})
                    continue
                # Drawn without replacement, the counts' sum is fixed: hence (N - 1) / N.
                off = ((counts[strata == index] - SEEDS * share) ** 2).sum()
                statistic = off / (SEEDS * share * (1 - share)) * (rows_of - 1) / rows_of
                p = stats.chi2.sf(statistic, rows_of - 1)
                print(f"inclusion, {name}, {stratum}: n/N {share:.4f}, chi-square p {p:.3f}")
                check(f"{name} {stratum}: p > 0.001", p > 0.001, True)
                check(f"{name} {stratum}: p < 0.999", p < 0.999, True)
            z = (means.mean() - values.mean()) / (means.std(ddof=1) / SEEDS**0.5)
            print(f"weighted mean, {name}: off by {z:+.2f} standard errors")
            check(f"{name}: unbiased", abs(z) < 3.3, True)


def stability():
    """Neither the order of the rows nor the machine matters, and few new rows change few keys."""
    rows = [(f"tr-{i}", i % 4) for i in range(100000)]
    fill(rows)
    first = sample(1000, 7)
    fill(rows[::-1])
    check("reversed", sample(1000, 7), first)
    fill([rows[i] for i in numpy.random.default_rng(3).permutation(len(rows))])
    check("shuffled", sample(1000, 7), first)
    for zeros in ("0.0, -0.0", "-0.0, 0.0"):
        check(zeros, answer(db, "SELECT hex(strata(value, value, 5)) = hex(strata(0.0, 0.0, 5)) "
                                f"FROM json_each('[{zeros}]')"), [(1,)])
    check("same rows, other seed", sample(1000, 8) == first, False)
    changes = []
    fill(rows + [(f"new-{i}", i % 4) for i in range(1000)])
    for seed in range(40):
        more = {row[1] for row in sample(1000, seed)}
        less = {row[1] for row in sample(1000, seed, source="t WHERE k LIKE 'tr-%'")}
        changes.append(len(less - more) / 1000)
    mean = numpy.mean(changes)
    print(f"1 % more rows: {100 * mean:.2f} % of the sample changes (0.99 % is expected)")
    check("1 % more rows", 0.008 < mean < 0.012, True)
    check("1 % more rows, at most", max(changes) < 0.025, True)
    small = {row[1] for row in sample(100, 7)}
    check(
        "a smaller sample is part of a larger one",
        small <= {row[1] for row in sample(1000, 7)},
        True,
    )


def machines():
    """The other SQLite makes the same bytes."""
    sql = (
        "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 5000) "
        "SELECT hex(strata(CASE i % 4 WHEN 0 THEN i WHEN 1 THEN i / 8.0 WHEN 2 THEN 'tr-' || i"
        " ELSE CAST(i AS BLOB) END, nullif(i % 5, 0), 40, -3)) FROM t"
    )
    check("same bytes", shell(sql + ";"), db.execute(sql).fetchone()[0])
    sql = sql.replace("CAST(i AS BLOB)", "char(252, 0x1f639) || i")
    check(
        "UTF-16", shell("PRAGMA encoding = 'UTF-16le';" + sql + ";"), db.execute(sql).fetchone()[0]
    )


def merging():
    fill([(f"k{i % 3000}", i % 6 or None) for i in range(9000)])
    whole = db.execute("SELECT strata(k, s, 50, 3) FROM t").fetchone()
    merge = "SELECT strata_merge(p) FROM (SELECT strata(k, s, 50, 3) AS p FROM t GROUP BY {})"
    for group in ("rowid % 5", "s", "rowid < 10", "k IS NULL"):
        check(f"merged by {group}", db.execute(merge.format(group)).fetchone(), whole)
    twice = "SELECT strata_merge(p) FROM (SELECT strata_merge(p) AS p FROM (SELECT rowid % 7 AS g, strata(k, s, 50, 3) AS p FROM t GROUP BY 1) GROUP BY g % 2)"
    check("merged twice", db.execute(twice).fetchone(), whole)
    check(
        "merged with NULL",
        answer(
            db, "SELECT strata_merge(p) IS ? FROM (SELECT ? AS p UNION ALL SELECT NULL)", whole * 2
        ),
        [(1,)],
    )
    check("of no rows", answer(db, "SELECT strata_merge(1) WHERE 0"), [(None,)])
    for parts, error in (
        (
            "strata(k, s, 50, rowid % 2) AS p FROM t GROUP BY rowid % 2",
            "strata_merge: seed is not the same in all rows: 0, then 1",
        ),
        (
            "strata(k, s, 50 + rowid % 2, 3) AS p FROM t GROUP BY rowid % 2",
            "strata_merge: size is not the same in all rows: 50, then 51",
        ),
        ("k AS p FROM t", "strata_merge: not a state that strata() made: it is not a BLOB"),
        ("x'4d4c4653' AS p", "strata_merge: not a state that strata() made: it is cut off at byte 4"),
    ):
        check(error, answer(db, f"SELECT strata_merge(p) FROM (SELECT {parts})"), error)


def types():
    """Keys and strata keep their types, and are equal as in SELECT DISTINCT."""
    values = [
        1,
        1.0,
        "1",
        b"1",
        1.5,
        "a",
        "A",
        "a ",
        2**53,
        float(2**53),
        2**53 + 1,
        -0.0,
        0,
        "",
        b"",
    ]
    fill([(value, value) for value in values * 3] + [(None, "x"), ("k", None)])
    got = db.execute(
        "SELECT key, typeof(key), stratum IS key, typeof(stratum) = typeof(key), population FROM stratified_sample((SELECT strata(k, s, 100) FROM t)) WHERE stratum IS NOT NULL ORDER BY 1, 2"
    ).fetchall()
    distinct = db.execute(
        "SELECT iif(min(typeof(k)) = 'integer', CAST(k AS INTEGER), k), min(typeof(k)), 1, 1, count(*) FROM t WHERE s IS NOT NULL AND k IS NOT NULL GROUP BY k ORDER BY 1, 2"
    ).fetchall()
    check("types", got, distinct)
    check(
        "NULL stratum",
        answer(
            db,
            "SELECT key, population FROM stratified_sample((SELECT strata(k, s, 100) FROM t)) WHERE stratum IS NULL",
        ),
        [("k", 1)],
    )
    check(
        "a stratum of NULL keys is none",
        answer(
            db,
            "SELECT count(*) FROM stratified_sample((SELECT strata(k, s, 100) FROM t)) WHERE stratum = 'x'",
        ),
        [(0,)],
    )
    check(
        "keys join",
        answer(
            db,
            "SELECT count(*) FROM stratified_sample((SELECT strata(k, s, 100) FROM t)) AS s WHERE EXISTS (SELECT 1 FROM t WHERE t.k = s.key)",
        ),
        [(13,)],
    )


def edges():
    fill([(i, i % 4) for i in range(100)] + [(i, i % 4) for i in range(100)])
    check(
        "twice counts twice",
        answer(
            db,
            "SELECT stratum, population, sampled, weight, count(*), count(DISTINCT key) FROM stratified_sample((SELECT strata(k, s, 400) FROM t)) GROUP BY 1",
        ),
        [(i, 50, 25, 2.0, 25, 25) for i in range(4)],
    )
    check(
        "size 0",
        answer(db, "SELECT count(*) FROM stratified_sample((SELECT strata(k, s, 0) FROM t))"),
        [(0,)],
    )
    check("no rows", answer(db, "SELECT strata(k, s, 5) FROM t WHERE 0"), [(None,)])
    check(
        "sample of no rows",
        answer(
            db, "SELECT count(*) FROM stratified_sample((SELECT strata(k, s, 5) FROM t WHERE 0))"
        ),
        [(0,)],
    )
    check(
        "only NULL keys",
        answer(db, "SELECT count(*) FROM stratified_sample((SELECT strata(NULL, s, 5) FROM t))"),
        [(0,)],
    )
    check(
        "more strata than the size",
        answer(
            db,
            "SELECT stratum, sampled FROM stratified_sample((SELECT strata(k, iif(k < 50, 'many', k), 3) FROM t))",
        ),
        [(50, 1), (51, 1), ("many", 1)],
    )
    check(
        "positions",
        answer(
            db,
            "SELECT group_concat(position, ' ') FROM stratified_sample((SELECT strata(k, s, 6) FROM t))",
        ),
        [("1 2 3 4 5 6",)],
    )
    check(
        "hidden columns",
        answer(
            db,
            "SELECT DISTINCT strata = (SELECT strata(k, s, 6) FROM t), allocation FROM stratified_sample((SELECT strata(k, s, 6) FROM t), 'EQUAL')",
        ),
        [(1, "equal")],
    )
    for call, error in (
        ("strata(k, s, -1)", "strata: size is not an integer between 0 and 1000000"),
        ("strata(k, s, 1000001)", "strata: size is not an integer between 0 and 1000000"),
        ("strata(k, s, NULL)", "strata: size is not an integer between 0 and 1000000"),
        ("strata(k, s, 5.0)", "strata: size is not an integer between 0 and 1000000"),
        ("strata(k, s, '5')", "strata: size is not an integer between 0 and 1000000"),
        ("strata(k, s, 5, 1.5)", "strata: seed is not an integer"),
        ("strata(k, s, 5, NULL)", "strata: seed is not an integer"),
        ("strata(k, s, k)", "strata: size is not the same in all rows: 0, then 1"),
        ("strata(k, s, 5, -k)", "strata: seed is not the same in all rows: 0, then -1"),
        ("strata(k, s)", "wrong number of arguments to function strata()"),
        ("strata(k, s, 5) OVER ()", "strata() may not be used as a window function"),
    ):
        check(call, answer(db, f"SELECT {call} FROM t"), error)
    sample = "stratified_sample((SELECT strata(k, s, 5) FROM t)) AS x"
    for condition in ("x.key = 1 OR x.stratum = 1", "x.population > 1 OR x.position < 3"):
        check(
            condition,
            answer(db, f"SELECT x.key FROM {sample} WHERE {condition}"),
            answer(db, f"SELECT x.key FROM (SELECT * FROM {sample} LIMIT 99) AS x WHERE {condition}"),
        )
    prefix = "stratified_sample: "
    for source, error in (
        (
            "stratified_sample",
            prefix
            + "the state of a sample is missing; stratified_sample((SELECT strata(...) FROM ...))",
        ),
        ("stratified_sample(1)", prefix + "not a state that strata() made: it is not a BLOB"),
        ("stratified_sample('MLFS')", prefix + "not a state that strata() made: it is not a BLOB"),
        (
            "stratified_sample(x'')",
            prefix + "not a state that strata() made: it does not begin with MLFS at byte 0",
        ),
        (
            "stratified_sample(zeroblob(100))",
            prefix + "not a state that strata() made: it does not begin with MLFS at byte 0",
        ),
        (
            "stratified_sample(x'4d4c465302000000')",
            prefix + "a state of version 2; this sqlite-mlflow reads version 1",
        ),
        (
            "stratified_sample((SELECT strata(k, s, 5) FROM t), 'neyman')",
            prefix + "allocation is 'equal', 'proportional' or 'pattern6', not 'neyman'",
        ),
        (
            "stratified_sample((SELECT strata(k, s, 5) FROM t), NULL)",
            prefix + "allocation is 'equal', 'proportional' or 'pattern6', not NULL",
        ),
        (
            "stratified_sample(NULL, 7)",
            prefix + "allocation is 'equal', 'proportional' or 'pattern6', not '7'",
        ),
    ):
        check(source, answer(db, f"SELECT * FROM {source}"), error)
    many = "WITH RECURSIVE g(v) AS (SELECT 0 UNION ALL SELECT v + 1 FROM g WHERE v < 100000) "
    check(
        "too many strata",
        answer(db, many + "SELECT strata(v, v, 1) FROM g"),
        "strata: more than 100000 different strata",
    )


def planning():
    """In joins, views, unions, groups and files that are not trusted."""
    fill([(i, i % 4) for i in range(200)])
    db.execute(
        "CREATE VIEW v AS SELECT key, stratum, weight FROM stratified_sample((SELECT strata(k, s, 20, 1) FROM t))"
    )
    db.execute("PRAGMA trusted_schema = OFF")
    check("view", answer(db, "SELECT count(*), sum(weight) FROM v"), [(20, 200.0)])
    check(
        "join",
        answer(db, "SELECT count(*) FROM v JOIN t ON t.k = v.key WHERE t.s = v.stratum"),
        [(20,)],
    )
    check(
        "a state a group",
        answer(
            db,
            "SELECT g.s, count(*), sum(p.weight) FROM (SELECT s, strata(k, k % 2, 6) AS state FROM t GROUP BY s) AS g, stratified_sample(g.state) AS p GROUP BY 1",
        ),
        [(i, 6, 50.0) for i in range(4)],
    )
    check(
        "source to the right",
        answer(
            db,
            "SELECT count(*) FROM stratified_sample(g.state) AS p, (SELECT strata(k, k % 2, 6) AS state FROM t) AS g",
        ),
        [(6,)],
    )
    check(
        "two states in one OR",
        answer(
            db,
            "SELECT count(*) FROM stratified_sample WHERE strata = (SELECT strata(k, s, 5) FROM t) OR strata = (SELECT strata(k, s, 6) FROM t)",
        ),
        [(11,)],
    )
    check(
        "states in a list",
        answer(
            db,
            "SELECT count(*) FROM stratified_sample WHERE strata IN (SELECT strata(k, s, 5, s) FROM t GROUP BY s)",
        ),
        [(20,)],
    )
    check(
        "allocations in a list",
        answer(
            db,
            "SELECT allocation, count(*) FROM stratified_sample WHERE strata = (SELECT strata(k, s, 7) FROM t) AND allocation IN ('equal', 'pattern6') GROUP BY 1",
        ),
        [("equal", 7), ("pattern6", 4)],
    )
    check(
        "left join",
        answer(
            db,
            "SELECT count(*), count(p.key) FROM (VALUES (NULL), ((SELECT strata(k, s, 5) FROM t))) AS a LEFT JOIN stratified_sample(a.column1) AS p",
        ),
        [(6, 5)],
    )
    check(
        "filters",
        answer(
            db,
            "SELECT count(*) FROM stratified_sample((SELECT strata(k, s, 20) FROM t)) WHERE stratum = 2 AND position > 12",
        ),
        [(3,)],
    )
    check(
        "read only",
        answer(db, "DELETE FROM stratified_sample"),
        "table stratified_sample may not be modified",
    )
    check(
        "no table of its own",
        answer(db, "CREATE VIRTUAL TABLE x USING stratified_sample"),
        "no such module: stratified_sample",
    )


by_the_book()
statistics()
stability()
machines()
merging()
types()
edges()
planning()
support.finish()
