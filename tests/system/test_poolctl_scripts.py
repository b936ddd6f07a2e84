"""What scripts rely on: exit statuses, every write checked, a daemon that goes away, and texts that stay texts."""

import os
import signal
import subprocess
import unittest

from harness import PATIENCE, Daemon, api, eventually
from poolctl_case import POOLCTL, PoolctlCase


class StatusTest(PoolctlCase):

    def test_wait_says_how_they_ended_with_the_status_of_the_worst(self):
        good, bad, dead = self.handle("noop"), self.handle("throw", "x"), self.handle("exit", "3")
        self.assertEqual(self.says("wait", good), f"{good}\tSUCCEEDED\n")
        self.assertEqual(self.says("wait", dead, status=2), f"{dead}\tCRASHED\n")
        self.assertEqual(self.says("wait", good, bad, dead, status=1),
                         f"{good}\tSUCCEEDED\n{bad}\tFAILED\n{dead}\tCRASHED\n")
        self.assertEqual(self.json("wait", good, bad, status=1),
                         {"done": [good, bad], "not_done": [], "states": ["SUCCEEDED", "FAILED"]})

    def test_wait_tells_of_maps_too(self):
        good = self.says("map", "--no-wait", "square", "1", "2").strip()
        bad = self.says("map", "--no-wait", "throw", "a", "b").strip()
        self.assertEqual(self.says("wait", good), f"{good}\tSUCCEEDED\n")
        self.assertEqual(self.says("wait", good, bad, status=1), f"{good}\tSUCCEEDED\n{bad}\tFAILED\n")

    def test_wait_for_the_first_counts_only_what_has_ended(self):
        slow, quick = self.begin(self.opened).hex(), self.handle("noop")
        self.assertEqual(self.says("wait", "--first", slow, quick), f"{quick}\tSUCCEEDED\n{slow}\twaiting\n")
        self.assertEqual(self.says("wait", slow, "--timeout", "10ms", status=5), f"{slow}\twaiting\n")
        self.go_on()

    def test_a_handle_that_was_released_meanwhile_has_ended(self):
        id = "33" * 16
        self.ctl("submit", "noop", "--id", id)
        waiting = self.begin(self.opened).hex()
        process = self.start("wait", waiting)
        self.go_on()
        self.assertEqual(self.ends(process, 0)[0], f"{waiting}\tSUCCEEDED\n")

    def test_cancel_fails_where_it_could_not(self):
        running = [self.begin(self.opened).hex() for _ in range(2)]
        waiting, ended = self.handle("noop"), self.handle("noop")
        self.assertEqual(self.says("cancel", waiting), f"{waiting}\tcancelled\n")
        self.assertEqual(self.says("cancel", running[0], ended, status=6), f"{running[0]}\truns\n{ended}\tcancelled\n")
        self.assertEqual(self.says("cancel", "--running", *running), "".join(f"{id}\tcancelled\n" for id in running))
        done = self.handle("noop")
        self.ctl("wait", done)
        self.assertEqual(self.says("cancel", "--running", done, status=6), f"{done}\thad ended\n")
        self.assertEqual(self.json("cancel", done, status=6)["cancelled"], [False])

    def test_strings_are_texts_whatever_they_look_like(self):
        self.assertEqual(self.says("submit", "--strings", "echo_text", "007"), '"007"\n')
        self.assertEqual(self.says("submit", "--strings", "echo_value", "[1,2]"), '"[1,2]"\n')
        self.assertEqual(self.says("submit", "--strings", "echo_value", '{"$bytes":"aGk="}'), '"{\\"$bytes\\":\\"aGk=\\"}"\n')
        self.assertEqual(self.says("submit", "--strings", "--", "echo_value", "-1"), '"-1"\n')
        self.complains(64, "submit", "--strings", "--raw", "x", "echo")

    def test_functions_tell_their_arguments_and_help(self):
        table = self.says("functions", self.name).splitlines()
        self.assertEqual(table[0].split(), ["FUNCTION", "ARGUMENTS", "RESULT", "HELP"])
        square = next(line for line in table if line.startswith("square "))
        self.assertRegex(square, r"^square +int64 +int64 +square\(number\): the number times itself$")
        listed = {each["name"]: each for each in self.json("functions")["functions"]}
        self.assertEqual(listed["add"]["arguments"], ["int64", "int64"])
        self.assertEqual((listed["noop"]["arguments"], listed["noop"]["result"]), ([], "nothing"))
        self.assertEqual(listed["word_count"]["result"], "map from string to int64")

    def test_errors_name_commands_and_no_calls(self):
        for words, command in ((("submit", "no-such-thing-at-all"), "poolctl functions"),
                               (("workers", "no-such-pool"), "poolctl pools"), (("get", "22" * 16), "poolctl tasks"),
                               (("get", "--items", self.handle("noop")), "no items")):
            text = self.complains(70, *words)
            self.assertIn(command, text)
            self.assertNotRegex(text, r"\b(GetPool|ListPools|OpenPool|GetItems|use Get)\b")


class WriteTest(PoolctlCase):
    """Into a device that is full."""

    def full(self, *words, status=74):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([POOLCTL, "--pool", self.name, *words], env=self.env, stdin=subprocess.DEVNULL,
                                  stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(done.returncode, status, f"{words}: {done.stderr}")
        self.assertIn(b"standard output", done.stderr)
        return done.stderr.decode()

    def test_every_command_that_prints(self):
        id = self.handle("square", "7")
        self.ctl("wait", id)
        mapped = self.says("map", "--no-wait", "square", "1", "2").strip()
        self.ctl("wait", mapped)
        for words in (("--help",), ("--version",), ("submit", "--help"), ("pools",), ("workers",), ("functions",),
                      ("stats",), ("info",), ("tasks",), ("top", "--once", "--interval", "10ms"), ("get", id),
                      ("get", mapped), ("get", "--items", mapped), ("wait", id), ("explain", id), ("watch", id),
                      ("cancel", id), ("--json", "get", id), ("map", "square", "1", "2"), ("submit", "print", "x"),
                      ("submit", "--no-wait", "noop"), ("resize", self.name, "3"), ("reload", self.name),
                      ("release", id), ("terminate", self.name)):
            with self.subTest(words):
                self.full(*words)

    def test_a_result_that_could_not_be_printed_is_kept(self):
        text = self.full("submit", "square", "7")
        id = text.split("poolctl get ")[1].strip()
        self.assertEqual(self.says("get", id), "49\n")

    def test_a_failure_that_could_not_be_printed_is_told_as_such(self):
        self.full("--json", "submit", "throw", "x")

    def test_the_daemon_checks_its_own_too(self):
        for words in (("--print-config",), ("--help",), ("--version",)):
            with self.subTest(words), open("/dev/full", "wb") as full:
                done = subprocess.run([os.path.join(os.path.dirname(POOLCTL), "poold"), *words], stdout=full,
                                      stderr=subprocess.PIPE, timeout=PATIENCE)
                self.assertNotEqual(done.returncode, 0)


class AwayTest(unittest.TestCase):

    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.__exit__, None, None, None)

    def start(self, *words):
        return subprocess.Popen([POOLCTL, *words], env=dict(os.environ, POOLD_ADDRESS=f"unix:{self.daemon.socket}"),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill(self):
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()

    def test_a_daemon_that_went_away_is_told_at_once_and_waited_for_only_so_long(self):
        process = self.start("--daemon-timeout", "1s", "submit", "func_ms", "x", "60000")
        self.assertEqual(process.stdout.readline(), "msg: x\n")
        self.kill()
        self.assertIn("the daemon went away", process.stderr.readline())
        self.assertEqual(process.wait(PATIENCE), 69)
        self.assertIn("did not come back", process.communicate()[1])

    def test_a_map_does_not_wait_for_ever_either(self):
        process = self.start("--daemon-timeout", "500ms", "map", "func_ms", "--star", '["x", 60000]')
        self.assertEqual(process.stdout.readline(), "msg: x\n")
        self.kill()
        self.assertEqual(process.wait(PATIENCE), 69)
        process.communicate()

    def test_calls_end_with_the_daemon(self):
        task = self.start("submit", "--no-wait", "func_ms", "x", "60000")
        id = task.communicate(timeout=PATIENCE)[0].strip()
        waiting = [self.start(*words, id) for words in (("get",), ("wait",), ("watch",))]
        eventually(lambda: self.daemon.stub.GetStats(api.GetStatsRequest()).sessions == 3, "three are connected")
        self.kill()
        for process in waiting:
            self.assertEqual(process.wait(PATIENCE), 69)
            self.assertIn("poolctl: ", process.communicate()[1])

    def test_one_that_comes_back_in_time_is_told_too(self):
        process = self.start("submit", "func_ms", "x", "60000")
        self.assertEqual(process.stdout.readline(), "msg: x\n")
        self.kill()
        self.assertIn("the daemon went away", process.stderr.readline())
        self.daemon.start()
        self.assertEqual(process.wait(PATIENCE), 4)
        text = process.communicate()[1]
        self.assertIn("the daemon is back", text)
        self.assertIn("LOST", text)


if __name__ == "__main__":
    unittest.main()
