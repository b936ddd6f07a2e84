"""poold-bench as programs use it: every kind, tiny, on daemons of its own; and the report that is made of it.

Looks at the form of what comes, never at how fast it was.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import report  # noqa: E402

BENCH = os.environ["POOLD_BENCH"]
KINDS = ["map", "submit", "latency", "payload", "cpu", "skew", "chunks", "fresh", "queue", "start", "clients", "cost",
         "shards", "scale"]
# Peers take their time to start: they have a test of their own.
OURS = ["poold-unix", "poold-grpc", "poold-tcp", "poold-unary", "stream-echo", "socketpair", "relay", "bare-forks"]
FIELDS = {"bench": str, "subject": str, "case": str, "metric": str, "median": (int, float), "min": (int, float),
          "max": (int, float), "rounds": int}


def figures_of(kinds, subjects, *more):
    """The lines of a tiny run."""
    only = [word for subject in subjects for word in ("--only", subject)]
    run = subprocess.run([BENCH, *kinds, "--spawn", "--json", "--scale", "0.002", *(more or ("--rounds", "1")), *only],
                         stdout=subprocess.PIPE, check=True, timeout=300)
    return [json.loads(line) for line in run.stdout.decode().splitlines()]


class Bench(unittest.TestCase):
    def check(self, line):
        self.assertEqual(list(line), list(FIELDS), line)
        for name, kind in FIELDS.items():
            self.assertIsInstance(line[name], kind, line)
        self.assertLessEqual(line["min"], line["median"], line)
        self.assertLessEqual(line["median"], line["max"], line)
        self.assertEqual(line["rounds"], 1, line)

    def test_every_kind_gives_lines_and_a_report(self):
        lines = figures_of(KINDS, OURS)
        for line in lines:
            self.check(line)
        self.assertEqual(list(dict.fromkeys(line["bench"] for line in lines)), KINDS)
        self.assertEqual({line["subject"] for line in lines}, set(OURS))
        keys = [(line["bench"], line["subject"], line["case"], line["metric"]) for line in lines]
        self.assertEqual(len(keys), len(set(keys)), "two lines of the same figure")
        self.check_report(lines)

    def check_report(self, lines):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            report.write(lines, folder, "a machine")
            page = (folder / "README.md").read_text()
            for kind in KINDS:
                self.assertIn(f"## {kind}\n", page)
            self.assertIn("| 64 outstanding, 62 workers |", page)
            plots = list(folder.glob("*.svg"))
            self.assertGreater(len(plots), 8)
            for plot in plots:
                xml.etree.ElementTree.parse(plot)
                self.assertIn(plot.name, page)

    def test_the_peers_that_are_installed_do_the_same_work(self):
        lines = figures_of(["submit"], ["python-pool", "python-executor", "gearmand", "beanstalkd", "beanstalkd-tcp", "redis"])
        for line in lines:
            self.check(line)
        self.assertLessEqual({"python-pool", "python-executor"}, {line["subject"] for line in lines})

    def test_rounds_are_counted(self):
        lines = figures_of(["latency"], ["socketpair"], "--rounds", "3")
        self.assertEqual({line["rounds"] for line in lines}, {3})

    def test_a_subject_may_stand_before_the_kinds(self):
        run = subprocess.run([BENCH, "--scale", "0.002", "--rounds", "1", "--json", "--only", "socketpair", "latency"],
                             stdout=subprocess.PIPE, check=True, timeout=60)
        self.assertEqual({json.loads(line)["bench"] for line in run.stdout.splitlines()}, {"latency"})

    def test_an_unknown_kind_is_refused(self):
        run = subprocess.run([BENCH, "speed"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.assertEqual(run.returncode, 64)
        self.assertIn(b"speed", run.stderr)


if __name__ == "__main__":
    unittest.main()
