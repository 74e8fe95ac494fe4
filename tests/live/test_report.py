"""The report: its figures, its texts, and how a real browser shows it."""

import contextlib
import functools
import html.parser
import http.server
import json
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import unicodedata
import unittest

import support

import scenario
import seed
import seeded

HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'&amp; ]]> ${x}'
CONTROLS = "\x1b]0;owned\x07\x1b[31m\u009b2J\nSuccess rate 100%"
DAY_MS = scenario.DAY_MS
VOID = {"meta", "br", "img", "link", "input", "hr"}
# What a page shows of a report in a frame of a given width, as JSON in its own title.
PROBE = """<!DOCTYPE html><iframe id="f" src="report.html" style="width:%dpx;height:900px;border:0">
</iframe><script>
f.onload = () => {
  const d = f.contentDocument, w = f.contentWindow;
  const lightness = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => v / 255).map(
    v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) {
    const c = w.getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c) && c !== 'transparent') return c; } return 'rgb(255, 255, 255)'; };
  let contrast = 99, worst = '';
  for (const e of d.querySelectorAll('body *')) {
    if (e.matches('title, desc')) continue;
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const s = w.getComputedStyle(e);
    const a = lightness(e.closest('svg') ? s.fill : s.color), b = lightness(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < contrast) { contrast = ratio; worst = e.tagName + ' ' + e.textContent; }
  }
  const outside = [...d.querySelectorAll('section, dl div, table, svg, h1, p')].filter(
    e => e.getBoundingClientRect().right > d.documentElement.clientWidth + 0.5
         || e.scrollWidth > e.clientWidth + 1 && e.tagName === 'SECTION').map(
    e => `${e.tagName} ${e.textContent.slice(0, 60)}`);
  const focusable = [...d.querySelectorAll('a[href]')];
  document.title = JSON.stringify({
    width: d.documentElement.clientWidth, scrolls: d.documentElement.scrollWidth, outside, contrast,
    worst, scripts: d.scripts.length, headings: d.querySelectorAll('h1').length,
    first: focusable[0].textContent,
    positive: d.querySelectorAll('[tabindex]:not([tabindex="-1"])').length,
    unnamed: focusable.filter(e => !e.textContent.trim()).length,
    charts: d.querySelectorAll('svg.chart > title + desc').length,
    overlapping: [...d.querySelectorAll('svg.chart')].filter(svg => {
      const labels = [...svg.querySelectorAll('text.x[y="190"]')]
        .map(e => e.getBoundingClientRect()).sort((a, b) => a.left - b.left);
      return labels.some((label, i) => i && label.left < labels[i - 1].right); }).length,
    bare: [...d.querySelectorAll('td')].filter(e => !e.textContent && e.dataset.title
      && w.getComputedStyle(e, '::before').content !== 'none'
      && w.getComputedStyle(e).display !== 'none').length,
    unscoped: d.querySelectorAll('th:not([scope])').length,
    dark: w.matchMedia('(prefers-color-scheme: dark)').matches});
};
</script>"""


class Structure(html.parser.HTMLParser):
    """Checks that elements are closed in order, and gathers texts, links and names."""

    def __init__(self, page):
        super().__init__()
        self.open, self.texts, self.links, self.elements = [], [], [], set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        self.links += [value for name, value in attributes if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.add(tag)

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes something else, line {self.getpos()[0]}")

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


def report(server, experiment, folder, *options, **variables):
    path = pathlib.Path(folder) / "report.html"
    ran = subprocess.run(
        [support.ROOT / "sql" / "report", "--html", path, *options], text=True, timeout=120,
        capture_output=True, check=False,
        env=support.clean_environment(server, MLFLOW_EXPERIMENT_NAME=experiment,
                                      **{"SQLITE_MLFLOW": support.extension()} | variables))
    if ran.returncode or ran.stderr:
        raise RuntimeError(ran.stderr)
    return path.read_text(), ran.stdout


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(folder):
    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def chromium(url, *options, wait_ms=4000):
    """(the DOM once scripts have run, what the console said)."""
    with tempfile.TemporaryDirectory() as profile:
        ran = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={profile}", "--enable-logging=stderr", "--window-size=1400,1000",
             f"--virtual-time-budget={wait_ms}", "--dump-dom", *options, url],
            capture_output=True, text=True, timeout=120, check=True)
    return ran.stdout, re.findall(r"CONSOLE[^\n]*", ran.stderr)


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.experiment = support.create_experiment(cls.server, "report")
        support.seed(cls.server, cls.experiment, 300)  # some of each, whenever it runs
        cls.folder = tempfile.TemporaryDirectory()
        cls.page, cls.text = report(cls.server, cls.experiment, cls.folder.name, "--days", "14")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def sections(self, page):
        return dict(re.findall(r'<section aria-labelledby="([^"]+)"[^>]*>(.*?)</section>', page,
                               re.DOTALL))

    def test_it_prints_on_few_sheets(self):
        printed = pathlib.Path(self.folder.name) / "printed.pdf"
        page = pathlib.Path(self.folder.name) / "printed.html"
        page.write_text(self.page)
        chromium(page.as_uri(), f"--print-to-pdf={printed}")
        sheets = re.findall(rb"/Type /Page\b", printed.read_bytes())
        self.assertIn(len(sheets), range(2, 7))  # the phone's layout takes twelve

    def test_its_figures_are_those_of_the_traces(self):
        now_ms = int(time.time() * 1000)
        total, ok, failed, p50 = json.loads(support.shell(
            "SELECT json_array(count(*), sum(status = 'OK'), sum(status = 'ERROR'), "
            "percentile(execution_time_ms, 50)) FROM mlflow_traces WHERE experiment = "
            f"'{self.experiment}' AND timestamp_ms > {now_ms - 14 * DAY_MS};", self.server))
        shown = dict(re.findall(r"<dt>([^<]+)</dt><dd>(?:<a [^>]*>)?([^<]+)", self.page))
        self.assertAlmostEqual(int(shown["Requests"]), total, delta=1)  # the window moves on
        self.assertAlmostEqual(int(shown["Errors"]), failed, delta=1)
        self.assertAlmostEqual(float(shown["Success rate"].rstrip(" %")),
                               100 * ok / (ok + failed), delta=0.6)
        self.assertAlmostEqual(float(shown["Median latency"].split()[0]),
                               p50 / 1000 if p50 >= 999.5 else p50, delta=0.2)
        bars = [int(n.replace(",", "")) for n in re.findall(r"<title>([\d,]+) requests took",
                                                            self.sections(self.page)["latency"])]
        self.assertAlmostEqual(sum(bars), total, delta=10)  # those in progress have no duration
        self.assertIn(f"{shown['Success rate']}", self.text)
        self.assertLessEqual(max(map(len, self.text.splitlines()[:-1])), 100)

    def costs(self, page):
        """Of each model: the dollars, and the bounds of its share in per cent."""
        text = re.sub(r"<[^>]+>", " ", self.sections(page)["models"])
        return {model: tuple(map(float, figures)) for model, *figures in re.findall(
            r"(\S+)\s+\$([\d.]+)\s+[\d,]+\s+([\d.]+) to ([\d.]+)%", text)}

    def true_costs(self, experiment):
        return {row["model"]: row["cost"] for row in json.loads(support.shell(
            ".mode json\nSELECT model_name AS model, sum(total_cost) AS cost FROM mlflow_spans "
            f"WHERE experiment = '{experiment}' AND total_cost IS NOT NULL GROUP BY 1;",
            self.server))}

    def test_costs_by_model_are_those_of_the_window(self):
        """What has become dear of late is not taken for all: no figure is of the newest alone. The
        traces are always the same, and so is the sample: of others one in a hundred fails here."""
        experiment = support.create_experiment(self.server, "report costs")
        seeded.use(self.server)
        traces = [trace for trace in scenario.make_traces(1400, 1, seeded.UNTIL_MS, "report costs")
                  if trace.start_ms > seeded.UNTIL_MS - 6 * DAY_MS and not trace.run]
        for trace in sorted(traces, key=lambda trace: -trace.start_ms)[:100]:
            for span in trace.spans:
                if "mlflow.llm.model" in span.attributes:
                    span.attributes["mlflow.llm.model"] = "released-today"
        seed.Writer(experiment).write_all(traces)
        self.assertGreater(len(traces), 450)
        with tempfile.TemporaryDirectory() as folder:
            page, _ = report(self.server, experiment, folder, "--until", "2026-03-06 15:00")
        truth, shown = self.true_costs(experiment), self.costs(page)
        total = sum(truth.values())
        self.assertEqual(shown.keys(), truth.keys())
        self.assertAlmostEqual(sum(dollars for dollars, _, _ in shown.values()), total, delta=0.03)
        for model, (_, low, high) in shown.items():
            middle, width = (low + high) / 2, high - low
            self.assertAlmostEqual(middle, 100 * truth[model] / total, delta=width + 0.1, msg=model)

    def test_a_day_is_a_day_in_a_shorter_window(self):
        now_ms = int(time.time() * 1000)
        experiment = support.create_experiment(self.server, "report hour")
        support.insert_traces(self.server, experiment, [
            {"trace_id": f"tr-{now_ms:x}-hour{i}", "timestamp_ms": now_ms - 2 * 3_600_000 - i,
             "execution_time_ms": 5} for i in range(8)])
        with tempfile.TemporaryDirectory() as folder:
            page, _ = report(self.server, experiment, folder, "--since", "1 hour")
        self.assertIn("The last 24 hours", page)
        self.assertNotIn("No request finished in the last 24 hours", page)

    def test_costs_of_a_small_window_are_exact(self):
        experiment = support.create_experiment(self.server, "report small")
        support.seed(self.server, experiment, 100)
        with tempfile.TemporaryDirectory() as folder:
            page, _ = report(self.server, experiment, folder, "--days", "20")
        truth, shown = self.true_costs(experiment), self.costs(page)
        total = sum(truth.values())
        self.assertEqual(shown.keys(), truth.keys())
        for model, (dollars, low, high) in shown.items():
            self.assertAlmostEqual(dollars, truth[model], delta=0.006)
            self.assertEqual(low, high)
            self.assertAlmostEqual(low, 100 * truth[model] / total, delta=0.06)

    def test_a_model_is_charged_for_its_own_calls(self):
        """A tool's cost is no model's; a span without a type is a call; absurd tokens are a number."""
        experiment = support.create_experiment(self.server, "report charges")
        seeded.use(self.server)
        made = [trace for trace in scenario.make_traces(60, 5, int(time.time() * 1000) - 60_000,
                                                        experiment)
                if trace.state == "OK" and not trace.run][-2:]
        for trace, tokens in zip(made, (1000, 2**63 - 1)):
            del trace.spans[1:]
            for kind, model, dollars in (("LLM", "m", 0.5), ("UNKNOWN", "m", 0.5), ("TOOL", "", 3)):
                said = {"mlflow.llm.cost": {"input_cost": 0, "output_cost": dollars,
                                            "total_cost": dollars}}
                if model:
                    said |= {"mlflow.llm.model": model, "mlflow.chat.tokenUsage": {
                        "input_tokens": tokens, "output_tokens": 0, "total_tokens": tokens}}
                trace.spans.append(scenario.Span(kind, kind, 1.0, 2.0, 0, {}, attributes=said))
        seed.Writer(experiment).write(made)
        with tempfile.TemporaryDirectory() as folder:
            _, text = report(self.server, experiment, folder, "--days", "30")
        self.assertRegex(text, r"\n  m +4 calls .*\$2\.00\n")
        self.assertRegex(text, r"\n  \(not a model\) .*\$6\.00\n")

    def test_it_is_one_page_that_asks_for_nothing(self):
        structure = Structure(self.page)
        self.assertEqual(structure.open, [])
        self.assertFalse({"script", "img", "link", "iframe", "object"} & structure.elements)
        self.assertEqual([link for link in structure.links if link != "#main"
                          and not link.startswith(f"{self.server.uri}/#/experiments/")], [])
        self.assertNotRegex(self.page, r"url\(|@import| on[a-z]+=")
        self.assertNotRegex(self.page.split("</style>")[1], r"(?i)\b(nan|inf|null)\b")

    def test_it_says_what_it_fetched(self):
        foot = re.search(r"Fetched in ([\d.]+) s: (\d+) requests", self.page)
        self.assertLess(float(foot[1]), 60)
        self.assertLess(int(foot[2]), 40)

    def test_a_link_opens_its_trace_in_the_ui(self):
        link = next(link for link in Structure(self.page).links if "selectedEvaluationId" in link)
        trace_id = link.rpartition("=")[2]
        name, session = json.loads(support.shell(
            "SELECT json_array(name, session_id) FROM mlflow_traces WHERE trace_id = "
            f"'{trace_id}' AND experiment = '{self.experiment}';", self.server))
        for _ in range(3):  # its pages come late where the machine is busy
            dom, _ = chromium(link, wait_ms=20_000)
            # The list of traces comes first; the view of one has its spans, and before them not
            # always its id.
            before, view, spans = " ".join(Structure(dom).texts).partition("Analyze trace")
            if view:
                break
        self.assertIn("Inputs / Outputs", spans)
        opened = before[-100:] + spans.partition("Inputs / Outputs")[0]
        self.assertIn(name, opened)
        self.assertTrue(trace_id[3:11] in opened or (session or name) in opened, opened)

    def test_a_browser_shows_it_well(self):
        for width, dark in ((1280, False), (375, False), (1280, True), (320, True)):
            with self.subTest(width=width, dark=dark), served(self.folder.name) as base:
                probe = pathlib.Path(self.folder.name) / "probe.html"
                probe.write_text(PROBE % width)
                dom, console = chromium(
                    f"{base}/probe.html", f"--blink-settings=preferredColorScheme={int(not dark)}")
                seen = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", dom)[1]))
                self.assertEqual(console, [])
                self.assertEqual(seen["dark"], dark)
                self.assertEqual((seen["scrolls"], seen["outside"]), (seen["width"], []), seen)
                self.assertEqual((seen["overlapping"], seen["bare"]), (0, 0), seen)
                self.assertGreaterEqual(seen["contrast"], 4.5, seen["worst"])
                self.assertEqual((seen["scripts"], seen["headings"], seen["charts"]), (0, 1, 5))
                self.assertEqual((seen["unscoped"], seen["positive"], seen["unnamed"]), (0, 0, 0),
                                 seen)
                self.assertEqual(seen["first"], "To the report")

    def incident(self, name, failing):
        """A report of six days of which one request in ten failed, and the newest of late."""
        experiment = support.create_experiment(self.server, f"report {name}")
        seeded.use(self.server)
        now_ms = int(time.time() * 1000)
        made = [trace for trace in scenario.make_traces(260, 3, now_ms, experiment)
                if trace.state == "OK" and not trace.run and len(trace.spans) > 3][-88:]
        for i, trace in enumerate(made):
            late = i >= len(made) - 8
            trace.start_ms = now_ms - (8 - i % 8) * 60_000 if late else (
                now_ms - 6 * DAY_MS + i * 5 * DAY_MS // len(made))
            error = ("SchemaError", "reply has no field parcel") if late and failing else (
                "RateLimitError", "429 - too many tokens") if i % 10 == 0 else None
            if error:
                scenario.fail(trace, trace.spans[1], error)
        seed.Writer(experiment).write(made)
        with tempfile.TemporaryDirectory() as folder:
            return report(self.server, experiment, folder)

    def findings(self, page):
        return [re.sub("<[^>]+>", "", item)
                for item in re.findall("<li>(.*?)</li>", self.sections(page)["now"])]

    def test_an_incident_is_said_first(self):
        page, text = self.incident("incident", True)
        found = self.findings(page)
        self.assertRegex(found[0], r"^(8 of 8 requests of the last hour|"
                                   r"\d+ of the last 20 requests) failed \(\d+%; before, (9|10)\.\d%\)\. "
                                   r"So did the last (8|9) in a row\.$")
        self.assertRegex(found[1], "^New error since .*, in 8 requests: SchemaError: reply has no")
        self.assertEqual(len(re.findall('<strong class="alarm">new', page)), 1)
        first = re.search("<tbody><tr>.*?</tr>", self.sections(page)["errors"])[0]
        self.assertIn("SchemaError", first)
        self.assertIn(">new</strong>", first)
        for item in re.findall("<li>.*?</li>", page)[:2]:
            self.assertIn("selectedEvaluationId=", item)
        self.assertIn("<main", page.split('id="now"')[0])
        self.assertLess(page.index('id="now"'), page.index("<dl>"))
        self.assertLess(text.index(found[0][:40]), text.index("Success rate"))
        for section in ("tools", "sessions", "differences", "error-hours", "error-days"):
            self.assertIn(section, self.sections(page))

    def test_without_an_incident_nothing_is_said_to_be_wrong(self):
        page, _ = self.incident("calm", False)
        [found] = self.findings(page)
        self.assertRegex(found, r"^No change stands out: \d+ of 88 requests failed")
        self.assertNotIn('<strong class="alarm">new', page)

    def test_texts_of_the_server_are_only_texts(self):
        experiment = support.create_experiment(self.server, "report " + HOSTILE)
        seeded.use(self.server)
        now_ms = int(time.time() * 1000)
        writer = seed.Writer(experiment)
        traces = [trace for trace in scenario.make_traces(400, 1, now_ms, experiment)
                  if trace.start_ms > now_ms - 6 * DAY_MS and not trace.run]
        traces = sorted(traces, key=lambda trace: trace.state != "ERROR")[:24]
        for trace in traces:
            trace.name = trace.request = CONTROLS + HOSTILE
            for span in trace.spans:
                span.name, span.type = HOSTILE, "\x1b[31m" + HOSTILE
                span.attributes |= {"mlflow.llm.model": HOSTILE}
                span.error = span.error and (CONTROLS, HOSTILE)
            for given in trace.assessments:
                given.name, given.source = CONTROLS + HOSTILE, ("HUMAN", HOSTILE)
                if given.kind == "expectation":  # which nobody overrides, as they do feedback
                    given.name = given.kind + given.name
        writer.write(traces)
        with tempfile.TemporaryDirectory() as folder:
            page, text = report(self.server, experiment, folder)
        structure = Structure(page)
        self.assertFalse({"script", "img"} & structure.elements)
        self.assertEqual(structure.open, [])
        for section in ("errors", "types", "slowest", "scorers"):
            self.assertIn("&lt;script&gt;", self.sections(page)[section], section)
        self.assertGreater(sum(HOSTILE in text for text in structure.texts), 10)
        self.assertIn("What fails", text)
        self.assertNotRegex(text, "(?m)^Success rate")
        self.assertEqual([c for c in text if unicodedata.category(c) == "Cc" and c != "\n"], [])

    def test_work_is_capped_and_the_page_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            page, text = report(self.server, self.experiment, folder, "--days", "14",
                                "--traces", "50")
        for shown in (page, text):
            self.assertIn("Only the newest 50 traces were read", shown)
        self.assertIn("was not read in full", self.sections(page)["changes"])
        self.assertEqual(re.search(r"<dt>Requests</dt><dd><a [^>]*>(\d+)", page)[1], "50")
        self.assertNotIn("Only the newest", self.page)

    def test_the_experiment_that_is_named_is_the_one(self):
        number = support.experiment_id(self.server, self.experiment)
        for options, variables in (
                (("--experiment", self.experiment), {"MLFLOW_EXPERIMENT_ID": "0"}),
                (("--experiment", number), {}), ((), {"MLFLOW_EXPERIMENT_ID": number})):
            with self.subTest(options), tempfile.TemporaryDirectory() as folder:
                _, text = report(self.server, "never made", folder, "--days", "14", *options,
                                 **variables)
                self.assertEqual(text.splitlines()[0], self.experiment)
                self.assertIn("Success rate", text)
        other = support.create_experiment(self.server, "report by number")
        number = support.experiment_id(self.server, other)
        self.assertEqual(support.create_experiment(self.server, number), number)  # its name
        for name, variables, title in ((number, {}, number),
                                       ("", {"MLFLOW_EXPERIMENT_ID": number}, other)):
            with tempfile.TemporaryDirectory() as folder:
                _, text = report(self.server, name, folder, **variables)
                self.assertEqual(text.splitlines()[0], title)

    def test_sessions_are_those_of_the_view(self):
        name = seeded.experiment(self.server, "all")
        database = seeded.Database(self.server, name, days=10, until_ms=seeded.UNTIL_MS)
        every = database.rows("SELECT * FROM sessions ORDER BY last_ms DESC")
        bad = [row for row in every if row["ended_in_error"] or row["ended_with_bad_feedback"]]
        with tempfile.TemporaryDirectory() as folder:
            page, _ = report(self.server, name, folder, "--days", "10", "--until",
                             "2026-03-06 15:00")
        card = self.sections(page)["sessions"]
        self.assertIn(f" {len(bad)} of {len(every)} sessions; the newest.", card)
        shown = [[html.unescape(re.sub("<[^>]+>", "", cell)).strip()
                  for cell in re.findall("<t[dh]\\b.*?</t[dh]>", row, re.DOTALL)]
                 for row in re.findall("<tr>.*?</tr>", card, re.DOTALL)[1:]]
        self.assertEqual([row[:4] for row in shown], [
            [row["session_id"], row["user_id"], str(row["turns"]), str(row["errors"])]
            for row in bad[:10]])
        for row, wanted in zip(shown, bad):
            self.assertEqual("in an error" in row[4], bool(wanted["ended_in_error"]), row)
            self.assertEqual("failed by" in row[4], bool(wanted["ended_with_bad_feedback"]), row)

    def test_a_filter_restricts_all_of_it(self):
        restriction = "tags.environment = 'production' AND trace.name = 'sql_assistant'"
        now_ms = int(time.time() * 1000)
        where = (f"experiment = '{self.experiment}' AND timestamp_ms > {now_ms - 14 * DAY_MS} "
                 "AND trace_id IN (SELECT trace_id FROM mlflow_traces WHERE "
                 f"experiment = '{self.experiment}' AND name = 'sql_assistant' "
                 "AND tags ->> 'environment' = 'production')")
        total, tokens, all_of_them = json.loads(support.shell(
            "SELECT json_array(count(*), sum(total_tokens), (SELECT count(*) FROM mlflow_traces "
            f"WHERE experiment = '{self.experiment}')) FROM mlflow_traces WHERE {where};",
            self.server))
        given = int(support.shell(
            "SELECT count(*) FROM mlflow_assessments WHERE assessment_type = 'feedback' AND "
            f"valid AND {where};", self.server))
        with tempfile.TemporaryDirectory() as folder:
            page, text = report(self.server, self.experiment, folder, "--days", "14",
                                "--filter", restriction)
            with self.assertRaisesRegex(RuntimeError, "no mirror"):
                report(self.server, self.experiment, folder, "--file", "x.db", "--filter", "x")
            with self.assertRaisesRegex(RuntimeError, "mlflow_traces: POST"):
                report(self.server, self.experiment, folder, "--filter", "it's no filter")
        shown = dict(re.findall(r"<dt>([^<]+)</dt><dd>(?:<a [^>]*>)?([^<]+)", page))
        self.assertGreater(total, 5)
        self.assertLess(total, all_of_them)
        self.assertEqual(int(shown["Requests"]), total)
        self.assertEqual(int(shown["Tokens"].replace(",", "")), tokens)
        scorers = re.findall(r'data-title="Given"><span>([\d,]+)<', page)
        self.assertEqual(sum(map(int, scorers)), given)
        self.assertIn(restriction, html.unescape(page.split("<main")[0]))
        self.assertIn(restriction, text)

    def test_windows_without_much_in_them(self):
        now_ms = int(time.time() * 1000)
        cases = {"nothing": [], "only errors": ["ERROR"] * 3,
                 "only in progress": ["IN_PROGRESS"] * 2, "one": ["OK"]}
        for name, states in cases.items():
            experiment = support.create_experiment(self.server, f"report {name}")
            support.insert_traces(self.server, experiment, [
                {"trace_id": f"tr-{now_ms:016x}{len(states):08x}{i:08x}", "status": state,
                 "timestamp_ms": now_ms - 5000 * i,
                 "execution_time_ms": None if state == "IN_PROGRESS" else 0}
                for i, state in enumerate(states)])
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                page, text = report(self.server, experiment, folder)
                self.assertEqual(Structure(page).open, [])
                shown = dict(re.findall(r"<dt>([^<]+)</dt><dd>(?:<a [^>]*>)?([^<]+)", page))
                self.assertEqual(shown["Requests"], str(len(states)))
                self.assertEqual("Success rate" in shown, name in ("only errors", "one"))
                self.assertEqual("No traces in this window" in page, name == "nothing")
                self.assertEqual("No finished traces in this window" in page,
                                 name == "only in progress")
                self.assertEqual("No request of this window has a duration" in page,
                                 name in ("nothing", "only in progress"))
                self.assertNotRegex(page.split("</style>")[1], r"(?i)\b(nan|inf|null|none)\b")

    def test_it_fails_as_a_whole(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(RuntimeError, "there is no experiment|no experiment"):
                report(self.server, "never made", folder)
            self.assertEqual(list(pathlib.Path(folder).iterdir()), [])

    def test_folders_may_have_any_name(self):
        experiment = support.create_experiment(self.server, "report odd folders")
        library = pathlib.Path(support.extension()).with_suffix(".so")
        with tempfile.TemporaryDirectory() as outer:
            folder = pathlib.Path(outer) / "it's \"odd\" \\n\n.print out $(of) `line`"
            folder.mkdir()
            (folder / library.name).symlink_to(library)
            odd = {"TMPDIR": str(folder), "SQLITE_MLFLOW": str(folder / library.stem)}
            page, _ = report(self.server, experiment, folder, **odd)
            self.assertIn("No traces in this window", page)
            subprocess.run(
                [support.ROOT / "sql" / "mirror", "--quiet", folder / "mirror.db"], check=True,
                env=support.clean_environment(self.server, MLFLOW_EXPERIMENT_NAME=experiment, **odd))
            page, _ = report(self.server, experiment, folder, "--file", folder / "mirror.db", **odd)
            self.assertIn("No traces in this window", page)
            self.assertEqual({path.name for path in folder.iterdir()},
                             {library.name, "report.html", "mirror.db"})

    def test_what_was_typed_is_shown_without_its_control_characters(self):
        with (tempfile.TemporaryDirectory() as folder,
              self.assertRaisesRegex(RuntimeError, r"^sql/report: --days is '\?\[31m\?7'; it must be")):
            report(self.server, "any", folder, "--days", "\x1b[31m\n7")
