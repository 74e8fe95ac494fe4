"""agreement and krippendorff_alpha against scikit-learn and the definition, differences against the
formulas: in Debian's shell and in the newest SQLite."""

import itertools
import json
import math
import random
import warnings

import numpy as np
import support
from sklearn import metrics
from support import answer, check, connect, shell

Z = 1.959963984540054
db = connect()
random.seed(7)
warnings.filterwarnings("ignore", "A single label was found")


def ask(function, rows, extra=""):
    """The same of both versions, as Python reads it; for the shell the rows become text."""
    if not rows:
        sql = f"SELECT {function}(1, 1{extra}) WHERE 0"
    else:
        values = ",".join("(" + ",".join(literal(v) for v in row) + ")" for row in rows)
        sql = f"WITH t(a, b) AS (VALUES {values}) SELECT {function}(a, b{extra}) FROM t"
    [[found]] = db.execute(sql).fetchall()
    shown = shell(sql + ";")
    if isinstance(found, str):
        check(f"{sql[:200]}: both versions", json.loads(shown), json.loads(found))
        return json.loads(found)
    check(f"{sql[:200]}: both versions", bool(shown), found is not None)
    return found


def literal(value):
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def close(what, found, wanted, tolerance=1e-12):
    if wanted is not None and math.isnan(wanted):
        wanted = None
    same = found is None and wanted is None or (
        found is not None and wanted is not None and abs(found - wanted) <= tolerance)
    check(what, found if not same else "close", wanted if not same else "close")


# agreement: the figures of scikit-learn

def standard_error(a, b, labels, weights):
    """Kappa's, by the delta method with gradients that are taken numerically."""
    shares = metrics.confusion_matrix(a, b, labels=labels) / len(a)

    def kappa(p):
        return 1 - (p * weights).sum() / (np.outer(p.sum(1), p.sum(0)) * weights).sum()

    gradient = np.zeros_like(shares)
    for cell in itertools.product(range(len(labels)), repeat=2):
        step = np.zeros_like(shares)
        step[cell] = 1e-6
        gradient[cell] = (kappa(shares + step) - kappa(shares - step)) / 2e-6
    mean = (shares * gradient).sum()
    return math.sqrt((shares * (gradient - mean) ** 2).sum() / len(a))


def compare(what, rows, weights=None):
    pairs = [(a, b) for a, b in rows if a is not None and b is not None]
    extra = f", '{weights}'" if weights else ""
    found = ask("agreement", rows, extra)
    check(f"{what}: n", found["n"], len(pairs))
    check(f"{what}: note", found["note"], None)
    if not pairs:
        check(what, found, {"n": 0, "agreement": None, "kappa": None, "kappa_low": None,
                            "kappa_high": None, "note": None, "labels": [], "confusion": []})
        return found
    a, b = zip(*pairs)
    close(f"{what}: agreement", found["agreement"], metrics.accuracy_score(b, a))
    labels = sorted(set(a) | set(b))
    # A scale has all its steps for scikit-learn, too, whichever of them occur.
    scale = list(range(min(labels), max(labels) + 1)) if weights else labels
    known = len(labels) > 1
    wanted = metrics.cohen_kappa_score(a, b, labels=scale, weights=weights) if known else None
    close(f"{what}: kappa", found["kappa"], wanted)
    confusion = metrics.confusion_matrix(a, b, labels=labels)
    check(f"{what}: confusion", [(c["a"], c["b"], c["n"]) for c in found["confusion"]],
          [(labels[i], labels[j], confusion[i, j]) for i in range(len(labels))
           for j in range(len(labels)) if confusion[i, j]])
    precision, recall, _, support_of_b = metrics.precision_recall_fscore_support(
        b, a, labels=labels, zero_division=np.nan)
    for i, label in enumerate(found["labels"]):
        check(f"{what}: label", (label["label"], label["b"]), (labels[i], support_of_b[i]))
        close(f"{what}: precision of {labels[i]}", label["precision"], precision[i])
        close(f"{what}: recall of {labels[i]}", label["recall"], recall[i])
    if known:
        away = np.subtract.outer(scale, scale) if weights else 1 - np.eye(len(scale))
        away = away ** 2 if weights == "quadratic" else abs(away)
        error = standard_error(a, b, scale, away)
        close(f"{what}: low", found["kappa_low"], max(wanted - Z * error, -1), 1e-8)
        close(f"{what}: high", found["kappa_high"], min(wanted + Z * error, 1), 1e-8)
    return found


def rated(count, labels, share):
    """Pairs of which about a share agree, and a few NULLs."""
    rows = []
    for _ in range(count):
        a = random.choice(labels)
        b = a if random.random() < share else random.choice(labels)
        rows.append((a if random.random() > 0.05 else None, b if random.random() > 0.05 else None))
    return rows


compare("none", [])
compare("NULLs alone", [(None, "x"), ("x", None), (None, None)])
compare("a NULL beside what is no number", [(None, "x"), ("x", None), (1, 2)], "linear")
compare("one", [("yes", "yes")])
compare("one that disagrees", [("yes", "no")])
compare("all equal", [("yes", "yes")] * 9)
compare("a says one, b another", [("x", "y")] * 9)
compare("never the same", [("x", "y"), ("y", "x")] * 5)
compare("always the same", [("x", "x"), ("y", "y")] * 5)
compare("quotes and control characters", [("a\"b\\c\n", "é'"), ("é'", "é'"), ("", "\t")])
compare("two labels", rated(1200, ["no", "yes"], 0.7))
compare("five labels", rated(1500, ["a", "b", "c", "d", "e"], 0.5))
compare("a says yes too often", [("yes", b) if random.random() < 0.4 else (a, b)
                                 for a, b in rated(600, ["no", "perhaps", "yes"], 0.8)])
compare("chance alone", rated(1000, ["no", "yes"], 0))
for name in ("linear", "quadratic"):
    compare(f"{name}: a scale", rated(1500, [1, 2, 3, 4, 5], 0.5), name)
    compare(f"{name}: with gaps", rated(800, [1, 2, 9], 0.6), name)
    compare(f"{name}: one rater is kinder", [
        (min(5, a + random.randrange(3)) if a else a, b)
        for a, b in rated(600, [1, 2, 3, 4, 5], 0.7)], name)
    compare(f"{name}: all equal", [(3, 3)] * 4, name)
    compare(f"{name}: none", [], name)

mixed = ask("agreement", [(1, 1.0), (1, "1"), (2.5, 2.5)])
check("1 is 1.0 and not '1'", [label["label"] for label in mixed["labels"]], [1, 2.5, "1"])
many = ask("agreement", [(i, i) for i in range(1001)])
check("too many labels", many, {"n": 1001, "agreement": 1.0, "kappa": None, "kappa_low": None,
                                "kappa_high": None, "note": "more than 1000 labels", "labels": [],
                                "confusion": []})
check("a text stands in it as in every other JSON of ours", answer(
    db, "SELECT instr(agreement(v, v), ?) > 0 FROM (SELECT 'a' || char(10, 1) || '\"\\' || "
        "CAST(x'ff' AS TEXT) AS v)", ('"a\\n\\u0001\\"\\\\\ufffd"',)), [(1,)])
check("it is JSON", answer(db, "SELECT json_object('x', agreement(1, 1)) ->> '$.x.n'"), [(1,)])


# krippendorff_alpha: the definition, pair by pair

def alpha(rows, metric):
    units = {}
    for unit, value in rows:
        if unit is not None and value is not None:
            units.setdefault(unit, []).append(value)
    units = {unit: values for unit, values in units.items() if len(values) > 1}
    values = [value for of_unit in units.values() for value in of_unit]

    def apart(of):
        return sum((x != y) if metric == "nominal" else (x - y) ** 2
                   for x, y in itertools.permutations(of, 2))

    expected = apart(values)
    observed = sum(apart(of_unit) / (len(of_unit) - 1) for of_unit in units.values())
    return 1 - (len(values) - 1) * observed / expected if expected else None


def compare_alpha(what, rows, metric):
    extra = "" if metric == "nominal" else f", '{metric}'"
    close(f"alpha of {what}", ask("krippendorff_alpha", rows, extra), alpha(rows, metric))


def three(units, scale, share):
    """What each of three annotators said, if anything."""
    rows = []
    for unit in range(units):
        right = random.choice(scale)
        for _ in range(3):
            said = right if random.random() < share else random.choice(scale)
            rows.append((f"tr-{unit}", said if random.random() < 0.8 else None))
    random.shuffle(rows)
    return rows


for what, rows in [("none", []), ("NULLs alone", [(None, 1), ("u", None), (None, "x")]), ("one", [("u", 1)]),
                   ("no unit twice", [("u", 1), ("v", 2)]), ("two", [("u", 1), ("u", 2)]),
                   ("all equal", [("u", 3), ("u", 3), ("v", 3), ("v", 3)]),
                   ("three annotators", three(120, [1, 2, 3, 4, 5], 0.6)),
                   ("three by chance", three(100, [1, 2], 0))]:
    compare_alpha(what, rows, "nominal")
    compare_alpha(what, rows, "interval")
compare_alpha("text", three(80, ["no", "perhaps", "yes"], 0.7), "nominal")
close("alpha of numbers far from 0", ask("krippendorff_alpha", [
    (u, v + 10**9) for u, v in three(50, [1, 2, 3], 1) if v], ", 'interval'"), 1, 0)


# differences

def wilson(k, n):
    p = k / n
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return middle - half, middle + half


def differences(rows):
    """The expected object."""
    rows = [(bool(s), v) for s, v in rows if s is not None]
    n, m = sum(s for s, _ in rows), sum(not s for s, _ in rows)
    values = []
    for value in {v for _, v in rows}:
        k, l = (sum(s == selected and v == value for s, v in rows) for selected in (True, False))
        row = {"value": value, "n": k, "rest_n": l}
        if n and m:
            p, q = k / n, l / m
            (p1, p2), (q1, q2) = wilson(k, n), wilson(l, m)
            lift = p / ((k + l) / (n + m))
            row |= {"share": p, "rest_share": q, "lift": lift, "difference": p - q,
                    "low": p - q - math.hypot(p - p1, q2 - q),
                    "high": p - q + math.hypot(p2 - p, q - q1),
                    "npmi": math.log(lift) / -math.log(k / (n + m)) if k else -1}
        row["verdict"] = ("too few" if min(n, m) < 20 or k + l < 5 else "more" if row["low"] > 0
                          else "less" if row["high"] < 0 else "no clear difference")
        values.append(row)
    values.sort(key=lambda row: (row["verdict"] == "too few",
                                 -max(row.get("low", 0), -row.get("high", 0))))
    return {"selected": n, "rest": m, "note": None, "values": values}


def compare_differences(what, rows):
    found, wanted = ask("differences", rows), differences(rows)
    shape = [(row["value"], row["n"], row["rest_n"], row["verdict"]) for row in wanted["values"]]
    check(f"{what}: counts and order",
          [(row["value"], row["n"], row["rest_n"], row["verdict"]) for row in found["values"]],
          shape)
    for name in ("selected", "rest", "note"):
        check(f"{what}: {name}", found[name], wanted[name])
    for one, other in zip(found["values"], wanted["values"]):
        for name in ("share", "rest_share", "lift", "difference", "low", "high", "npmi"):
            close(f"{what}: {name}", one[name], other.get(name))


def biased(count):
    rows = []
    for _ in range(count):
        selected = random.random() < 0.2
        value = random.choices(["a", "b", "c", None, "rare"], [9 if selected else 2, 4, 5, 2, 0.01])
        rows.append((int(selected) if random.random() < 0.95 else None, value[0]))
    return rows


compare_differences("none", [])
compare_differences("one", [(1, "x")])
compare_differences("all selected", [(1, "x")] * 30)
compare_differences("few selected", [(1, "x")] * 19 + [(0, "y")] * 50)
compare_differences("one value", [(1, "x")] * 30 + [(0, "x")] * 40)
compare_differences("apart", [(1, "x")] * 30 + [(0, "y")] * 40)
compare_differences("numbers and NULLs", [(0.5, 7)] * 30 + [(0, None)] * 41 + [(None, 8)])
compare_differences("three thousand", biased(3000))
many = ask("differences", [(i % 2, i) for i in range(1001)])
check("too many values", many, {"selected": 500, "rest": 501, "note": "more than 1000 values",
                                "values": []})

# Errors

for sql, wanted in [
    ("agreement(x'31', 1)", "agreement: input is a BLOB"),
    ("agreement(1, 9e999)", "agreement: input is infinite"),
    ("agreement('1', 1, 'linear')", "agreement: input is not numeric"),
    ("agreement(1, 1, 'cubic')", "agreement: weights is neither 'linear' nor 'quadratic'"),
    ("agreement(1, 1, NULL)", "agreement: weights is neither 'linear' nor 'quadratic'"),
    ("agreement(1, 1, x) FROM (SELECT 'linear' AS x UNION ALL SELECT 'quadratic')",
     "agreement: weights is not the same in all rows"),
    ("krippendorff_alpha(1, x'31')", "krippendorff_alpha: input is a BLOB"),
    ("krippendorff_alpha(1, 'a', 'interval')", "krippendorff_alpha: input is not numeric"),
    ("krippendorff_alpha(1, 1, 'ratio')",
     "krippendorff_alpha: metric is neither 'nominal' nor 'interval'"),
    ("krippendorff_alpha(1, 1, x) FROM (SELECT 'nominal' AS x UNION ALL SELECT 'interval')",
     "krippendorff_alpha: metric is not the same in all rows"),
    ("differences('ERROR', 1)",
     "differences: selected is not a number: 1 or 0 is expected"),
    ("differences(1, x'31')", "differences: input is a BLOB"),
    ("differences(1, -9e999)", "differences: input is infinite"),
]:
    check(sql, answer(db, f"SELECT {sql}").removeprefix("SQLError: "), wanted)
    check(f"{sql}: shell", wanted in shell(f"SELECT {sql};"), True)

support.finish()
