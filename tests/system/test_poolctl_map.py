"""poolctl map: items in, results out."""

import json
import os
import signal
import subprocess
import unittest

from harness import PATIENCE, eventually
from poolctl_case import POOLCTL, PoolctlCase


class MapTest(PoolctlCase):

    def test_items_come_from_arguments_standard_input_or_a_file(self):
        self.assertEqual(self.says("map", "square", "1", "2", "3"), "1\n4\n9\n")
        self.assertEqual(self.says("map", "square", input=b"4\n5\n6\n"), "16\n25\n36\n")
        self.assertEqual(self.says("map", "square", input=b"4\n5"), "16\n25\n")
        with open(self.path("items"), "w") as file:
            file.write("7\n8\n")
        self.assertEqual(self.says("map", "square", "--file", self.path("items")), "49\n64\n")
        self.assertEqual(self.says("map", "square", input=b""), "")

    def test_many_items_keep_their_order(self):
        count = 20_000
        items = "".join(f"{i}\n" for i in range(count)).encode()
        self.assertEqual(self.says("map", "square", input=items), "".join(f"{i * i}\n" for i in range(count)))

    def test_json_is_one_document_a_line(self):
        lines = [json.loads(line) for line in self.says("--json", "map", "square", "2", "x", "4", status=1).splitlines()]
        self.assertEqual([line["index"] for line in lines], [0, 1, 2])
        self.assertEqual([line["outcome"]["state"] for line in lines], ["SUCCEEDED", "FAILED", "SUCCEEDED"])
        self.assertEqual([line["outcome"].get("result") for line in lines], [4, None, 16])

    def test_one_bad_item_loses_nothing_else_and_keeps_the_lines_in_step(self):
        done = self.ctl("map", "square", "2", "x", "4", status=1)
        self.assertEqual(done.stdout, b"4\n\n16\n")
        self.assertIn(b"item 1 FAILED", done.stderr)

    def test_items_may_be_arrays_of_arguments_or_text(self):
        self.assertEqual(self.says("map", "square", "--arrays", "[3]", "[4]"), "9\n16\n")
        self.assertIn("item 1", self.complains(64, "map", "square", "--arrays", "[3]", "4"))
        done = self.ctl("map", "throw", "--strings", "[1]", status=1)
        self.assertIn(b"[1]", done.stderr)

    def test_as_completed_names_the_items(self):
        lines = self.says("map", "square", "--as-completed", "--chunk-size", "1", "1", "2", "3").splitlines()
        self.assertEqual(sorted(lines), ["0\t1", "1\t4", "2\t9"])

    def test_fail_fast_cancels_the_rest(self):
        done = self.ctl("map", "square", "--fail-fast", "--chunk-size", "1", "x", *["2"] * 5000, status=1)
        self.assertIn(b"item 0 FAILED", done.stderr)
        self.assertRegex(done.stderr, rb"(?m)^poolctl: \d+ items? CANCELLED$")

    def test_the_crash_of_one_item_costs_that_item(self):
        done = self.ctl("map", "crash", "--arrays", "[11]", status=2)
        self.assertIn(b"item 0 CRASHED", done.stderr)

    def test_a_map_can_be_left_and_looked_at(self):
        id = self.says("map", "--no-wait", "square", "2", "3").strip()
        self.assertEqual(self.says("get", id), "square: 2 of 2 items done\n")
        self.assertEqual(self.says("get", "--items", id), "4\n9\n")
        progress = self.json("get", id)
        self.assertEqual((progress["items"], progress["done_items"], progress["done"]), (2, 2, True))

    def test_several_arguments_come_in_columns_arrays_or_parts_of_a_line(self):
        self.assertEqual(self.says("map", "add", "1", "2", ":::", "10", "20"), "11\n22\n")
        self.assertIn("not of one length", self.complains(64, "map", "add", "1", "2", ":::", "10"))
        self.assertEqual(self.says("map", "add", "--star", "--json-lines", input=b"[1,10]\n\n[2,20]\n"), "11\n22\n")
        self.assertEqual(self.says("map", "add", "--delimiter", ",", input=b"1,10\n2,20\n"), "11\n22\n")

    def test_items_may_end_with_a_nul(self):
        self.assertEqual(self.says("map", "word_count", "--null", "--strings", input=b"a\nb\0c\0").count("\n"), 2)

    def test_an_item_that_makes_no_sense_ends_the_input_and_what_came_before_is_done(self):
        done = self.ctl("map", "square", "--json-lines", input=b"2\n3\nfour\n5\n", status=64)
        self.assertEqual(done.stdout, b"4\n9\n")
        self.assertIn(b"item 2: ", done.stderr)


class StreamTest(PoolctlCase):
    """Items go as they come, and results come as they are."""

    def map_of_a_pipe(self, *words):
        return self.start("map", *words, stdin=subprocess.PIPE)

    def test_a_result_comes_while_the_input_is_still_open(self):
        process = self.map_of_a_pipe("square")
        for number in (2, 3, 4):
            process.stdin.write(b"%d\n" % number)
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"%d\n" % number ** 2)
        self.close_input(process)
        self.ends(process, 0)

    def test_no_more_is_read_ahead_than_the_buffer(self):
        # The first item blocks in its worker, so nothing is printed, and nothing more is read.
        process = self.map_of_a_pipe("begin_and_wait", "--star", "--buffer", "10", "--chunk-size", "1", "--no-output")
        go_on = self.path("go on")
        for number in range(50):
            line = json.dumps([self.path(f"begun-{number}"), go_on])
            process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
        eventually(lambda: os.path.exists(self.path("begun-0")), "the first item has begun")
        entries = eventually(lambda: self.json("tasks", self.name)["entries"], "the map is known")
        self.assertLessEqual(entries[0]["map"]["items"], 10)
        open(go_on, "w").close()
        self.close_input(process)
        printed, _ = self.ends(process, 0)
        self.assertEqual(len(printed.splitlines()), 50)

    def test_a_reader_that_has_seen_enough_ends_the_map(self):
        reading, writing = os.pipe()
        process = subprocess.Popen([POOLCTL, "--pool", self.name, "map", "square"], env=self.env, stdin=subprocess.PIPE,
                                   stdout=writing, stderr=subprocess.PIPE)
        self.addCleanup(self._reap, process)
        os.close(writing)
        process.stdin.write(b"2\n")
        process.stdin.flush()
        self.assertEqual(os.read(reading, 100), b"4\n")
        os.close(reading)
        process.stdin.write(b"3\n")
        process.stdin.flush()
        self.assertEqual(process.wait(PATIENCE), 74)
        self.assertEqual(process.stderr.read(), b"")

    def test_ctrl_c_cancels_what_is_left_and_says_so(self):
        process = self.map_of_a_pipe("sleep", "--chunk-size", "1")
        process.stdin.write(b"0\n" + b"60000\n" * 5)
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"null\n")
        self.wait_until_busy()
        process.send_signal(signal.SIGINT)
        _, errors = self.ends(process, 130)
        self.assertIn("interrupted: 1 items done, what was left is cancelled", errors)
        eventually(lambda: all(w["state"] != "BUSY" for w in self.json("workers", self.name)["workers"]), "nothing runs")


if __name__ == "__main__":
    unittest.main()
