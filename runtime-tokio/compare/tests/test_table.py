"""Table, demands, charts and page, from made-up samples."""

import json
import tempfile
import unittest
from pathlib import Path

from sidebyside import bars, page, plan, table
from sidebyside.results import Results, Unreadable
from sidebyside.rows import Over, Row, rows


def row(serf, rumor, better="less", key="x.y"):
    """A row with these figures."""
    return Row(key, "Section", "label", "s", better, {"serf": serf, "rumor": rumor})


def record(kind, program, params, samples):
    """What a step gave."""
    machine = {"busy": 0.5, "others": 0.1, "steal": 0.0}
    about = {
        "kind": kind,
        "program": program,
        "params": params,
        "first": "serf",
        "together": False,
        "took": 1,
        "machine": machine,
    }
    return about | {"samples": samples}


def results(records, complete=True):
    """Such results."""
    machine = {"cpu": "<cpu>", "cores": 2, "memory": 1 << 30, "kernel": "6", "arch": "x86_64"}
    versions = {"serf": "1", "rumor": "2"}
    about = {
        "versions": versions,
        "machine": machine,
        "command": "run",
        "began": "today",
        "took": 60,
        "complete": complete,
        "quick": False,
    }
    return Results(about, records)


def burst(program, *times):
    """A formation of 200."""
    runs = [{"from_first": at, "incomplete": 0 if at else 3, "missing": 0, "restarts": 1, "spawning": 0.5} for at in times]
    return record("burst", program, {"n": 200, "runs": len(times), "patience": 180}, {"runs": runs})


class Figures(unittest.TestCase):
    """How a figure looks."""

    def test_digits(self):
        shown = [table.number(v) for v in (None, 3, 12345, 0.00123, 0.1234, 1.234, 12.34, 123.4, 12345.6, 2.0, Over(60))]
        self.assertEqual(shown, ["-", "3", "12,345", "0.0012", "0.123", "1.23", "12.3", "123", "12,346", "2", "> 60"])

    def test_ratio_and_verdict(self):
        for serf, rumor, better, ratio, verdict in [
            (4, 1, "less", "0.25", "good"),
            (1, 4, "less", "4.00", "bad"),
            (1, 4, "more", "4.00", "good"),
            (100, 102, "less", "1.02", ""),
            (Over(90), 3, "less", "< 0.03", "good"),
            (3, Over(90), "less", "", "bad"),
            (0, 1, "less", "", "bad"),
            (0, 0, "less", "", ""),
            (1, 4, "", "", ""),
            (None, 4, "less", "", ""),
            (Over(9), Over(9), "less", "", ""),
        ]:
            with self.subTest(serf=serf, rumor=rumor):
                self.assertEqual(
                    (table.ratio(row(serf, rumor, better)), table.verdict(row(serf, rumor, better))), (ratio, verdict)
                )

    def test_columns_are_aligned(self):
        lines = table.text([row(4, 1), row(12345, Over(60))]).splitlines()
        self.assertEqual(lines[1], "Section")
        self.assertEqual(
            len({line.rindex("1" if k == 0 else "60") + (1 if k == 0 else 2) for k, line in enumerate(lines[2:])}), 1
        )
        self.assertNotIn("\033", "".join(lines))
        self.assertIn("\033[32m", table.text([row(4, 1)], colour=True))


class Demands(unittest.TestCase):
    """Whether a demand held."""

    def held(self, records):
        """By demand, what was measured."""
        return {bar.demand: bar.held for bar in bars.bars(rows(results(records))) if bar.held is not None}

    def test_a_formation_that_serf_did_not_make(self):
        held = self.held([burst("serf", None, None, 91.0), burst("rumor", 5.0, 6.0, 70.0)])
        self.assertEqual(list(held.values()), [True, True])

    def test_one_that_we_did_not_make(self):
        self.assertEqual(list(self.held([burst("serf", 91.0), burst("rumor", None)]).values()), [False, False])
        self.assertEqual(list(self.held([burst("serf", 30.0), burst("rumor", 15.0)]).values()), [True, False])

    def test_load(self):
        params = {"n": 20, "rate": 500, "seconds": 10, "drain": 60}
        samples = {
            "sent": 5000,
            "accepted": 2600,
            "errors": {"busy: events": 2400},
            "delivered": [2600] * 19,
            "delivered_at_end": [2000] * 19,
            "twice": 0,
            "latency": {"n": 0, "at": []},
            "cpu": 1,
            "lo": {"bytes": 1, "packets": 1, "datagrams": 1},
            "sending": 10,
            "drained_after": None,
        }
        self.assertEqual(set(self.held([record("load", "rumor", params, samples)]).values()), {True})
        for broken in (
            {"delivered": [2600] * 18 + [2599]},
            {"errors": {"other": 2400}},
            {"accepted": 2499, "delivered": [2499] * 19},
        ):
            values = list(self.held([record("load", "rumor", params, samples | broken)]).values())
            self.assertEqual(sorted(values), [False, True, True])


class Output(unittest.TestCase):
    """Page and file."""

    def test_page_of_censored_and_failed_steps(self):
        failed = {
            "kind": "kill",
            "program": "serf",
            "params": {"n": 50},
            "first": "serf",
            "together": True,
            "took": 1,
            "failed": "<no>",
        }
        failed |= {"machine": {"busy": 0.5, "others": None, "steal": 0}}
        given = results([burst("serf", None), burst("rumor", 5.0), failed], complete=False)
        text = page.page(given, rows(given))
        for words in ("&gt; 180", "&lt; 0.03", "&lt;no&gt;", "&lt;cpu&gt;", "before all its steps", "<svg", "</html>"):
            self.assertIn(words, text)
        self.assertNotIn("<cpu>", text)

    def test_results_are_read_as_written(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.json"
            given = results([burst("serf", 91.0)])
            given.write(path)
            again = Results.read(path)
            self.assertEqual((again.about, again.records), (given.about, given.records))
            for text in ("", "{}", "[]", json.dumps({"schema": 0})):
                path.write_text(text)
                with self.assertRaises(Unreadable):
                    Results.read(path)

    def test_every_step_has_a_measurement(self):
        from sidebyside import cli, measure

        for arguments in ([], ["--quick"], ["--apart", "--runs", "2"]):
            planned = plan.steps(cli.options(arguments))
            self.assertEqual({step.kind for step in planned}, set(plan.KINDS))
            self.assertTrue(all(measure.of(step.kind).measure for step in planned))
            self.assertEqual(any(step.together for step in planned), "--apart" not in arguments)


if __name__ == "__main__":
    unittest.main()
