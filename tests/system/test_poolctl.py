"""poolctl as scripts and people use it: every command, against a real daemon."""

import json
import os
import signal
import subprocess
import unittest

from harness import PATIENCE, eventually
from poolctl_case import POOLCTL, PoolctlCase

class SubmitTest(PoolctlCase):

    def test_submit_prints_the_result(self):
        self.assertEqual(self.says("submit", "square", "7"), "49\n")
        self.assertEqual(self.says("submit", "square", "-7"), "49\n")
        self.assertEqual(self.says("submit", "is_prime", "13"), "true\n")

    def test_json_is_one_document_with_the_names_of_the_contract(self):
        task = self.json("submit", "square", "7")
        self.assertEqual((task["function"], task["pool"], task["state"]), ("square", self.name, "SUCCEEDED"))
        self.assertEqual((task["outcome"]["state"], task["outcome"]["result"]), ("SUCCEEDED", 49))
        self.assertEqual(len(bytes.fromhex(task["id"])), 16)

    def test_a_function_without_a_result_prints_nothing(self):
        self.assertEqual(self.says("submit", "sleep", "0"), "")

    def test_raw_bytes_go_and_come_as_they_are(self):
        self.assertEqual(self.says("submit", "echo", "--raw", "[1,2]", "-r"), "[1,2]")
        content = bytes(range(256)) * 20_000
        with open(self.path("content"), "wb") as file:
            file.write(content)
        self.assertEqual(self.ctl("submit", "echo", "--raw-file", self.path("content"), "-r").stdout, content)
        self.assertEqual(self.ctl("submit", "echo", "--raw-file", "-", "-r", input=content).stdout, content)
        self.assertEqual(self.says("submit", "echo", "--raw", "hi"), '{"$bytes":"aGk="}\n')

    def test_text_is_unicode_and_numbers_may_be_text(self):
        task = self.json("submit", "throw", "Grüße, 世界 \"so\"", status=1)
        self.assertEqual(task["outcome"]["failure"]["message"], "Grüße, 世界 \"so\"")
        self.assertIn("007", self.complains(1, "submit", "throw", "007"))
        self.assertIn("12345678901234567890123", self.complains(1, "submit", "throw", '"12345678901234567890123"'))

    def test_an_integer_that_does_not_fit_is_refused_and_not_rounded(self):
        self.assertIn("18446744073709551616 does not fit", self.complains(64, "submit", "square", "18446744073709551616"))
        self.assertIn("18446744073709551615", self.complains(1, "submit", "square", "18446744073709551615"))

    def test_what_the_task_prints_comes_before_its_result(self):
        done = self.ctl("submit", "func", "hello 1", "--wait-timeout", "50s")
        self.assertEqual(done.stdout, b"msg: hello 1\nend\n")
        self.assertEqual(self.says("submit", "print", "told"), "told\n")
        self.assertEqual(self.says("submit", "print", "told", "--no-output"), "")

    def test_with_json_stdout_is_for_the_document_alone(self):
        done = self.ctl("--json", "submit", "print", "told")
        self.assertEqual(json.loads(done.stdout)["state"], "SUCCEEDED")
        self.assertIn(b"told\n", done.stderr)

    def test_a_handle_can_be_had_without_waiting(self):
        id = self.says("submit", "--no-wait", "square", "9").strip()
        self.assertEqual(self.says("get", id), "81\n")
        self.assertEqual(self.json("get", id)["outcome"]["result"], 81)
        self.assertEqual(self.json("submit", "--no-wait", "square", "9").keys(), {"id"})

    def test_several_handles_are_told_in_one_answer_a_line_each(self):
        good, nothing, bad = (self.says("submit", "--no-wait", *call).strip()
                              for call in (("square", "9"), ("sleep", "0"), ("throw", "no")))
        done = self.ctl("get", good, nothing, bad, status=1)
        self.assertEqual(done.stdout.decode(), f"{good}\t81\n{nothing}\tnull\n{bad}\tFAILED\n")
        self.assertRegex(done.stderr.decode(), f"poolctl: {bad}: throw FAILED.*no")
        lines = self.says("--json", "get", bad, good, status=1).splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], [bad, good])
        unknown = "0" * 31 + "1"
        self.assertEqual(self.says("get", unknown, good, status=70), f"{good}\t81\n")
        self.complains(64, "get", "--items", good, bad)

    def test_the_same_id_runs_once(self):
        words = ("submit", "append", self.path("runs"), "ran", "--id", "000102030405060708090a0b0c0d0e0f")
        self.ctl(*words)
        self.ctl(*words)
        self.assertEqual(self.lines("runs"), ["ran"])
        self.assertIn("not 32 hex digits", self.complains(64, "submit", "square", "7", "--id", "xyz"))

    def test_a_printed_outcome_is_released_unless_it_is_to_be_kept(self):
        released = self.json("submit", "square", "7")["id"]
        kept = self.json("submit", "square", "7", "--keep")["id"]
        self.assertEqual(self.says("get", kept), "49\n")
        eventually(lambda: subprocess.run([POOLCTL, "get", released], env=self.env, capture_output=True).returncode == 70,
                   "it is released")


class ExitStatusTest(PoolctlCase):

    def test_1_a_task_that_fails_is_explained(self):
        text = self.complains(1, "submit", "throw", "no such luck")
        self.assertIn("throw FAILED", text)
        self.assertIn("no such luck", text)
        self.assertIn("wants", self.complains(1, "submit", "square", "seven").replace("wanted", "wants"))

    def test_2_a_crash_names_the_signal_or_the_code(self):
        self.assertIn("SIGSEGV", self.complains(2, "submit", "crash", "11"))
        self.assertIn("exited with code 3", self.complains(2, "submit", "exit", "3"))
        self.assertEqual(self.json("submit", "crash", "6", status=2)["outcome"]["death"]["signal"], 6)

    def test_2_a_worker_that_somebody_kills(self):
        process = self.start("submit", "sleep", "60000")
        os.kill(self.wait_until_busy()[0]["pid"], signal.SIGKILL)
        _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 2)
        self.assertIn(b"SIGKILL", errors)

    def test_3_a_limit_that_passed(self):
        self.assertIn("TIMED_OUT", self.complains(3, "submit", "sleep", "60000", "--run-timeout", "50ms"))

    def test_4_cancelled_by_somebody_else(self):
        process = self.start("submit", "sleep", "60000", "--id", "11" * 16)
        self.wait_until_busy()
        self.assertIn("cancelled", self.says("cancel", "--running", "11" * 16))
        _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 4)
        self.assertIn(b"CANCELLED", errors)

    def test_5_a_wait_that_ends_first_loses_nothing(self):
        text = self.complains(5, "submit", "sleep", "300", "--wait-timeout", "10ms")
        id = text.split()[-1]
        self.ctl("get", id)
        waiting = self.says("submit", "--no-wait", "sleep", "60000").strip()
        self.complains(5, "get", waiting, "--wait-timeout", "10ms")
        self.assertIn(self.json("get", waiting, "--wait-timeout", "0s", status=5)["state"], ("QUEUED", "RUNNING"))
        self.ctl("wait", waiting, "--wait-timeout", "10ms", status=5)

    def test_66_a_file_that_is_not_there(self):
        self.assertIn(self.path("none"), self.complains(66, "submit", "echo", "--raw-file", self.path("none")))
        self.assertIn(self.path("none"), self.complains(66, "map", "square", "--file", self.path("none")))

    def test_64_a_command_line_that_makes_no_sense(self):
        self.assertIn("did you mean submit?", self.complains(64, "sbmit", "square"))
        self.assertIn("FUNCTION", self.complains(64, "submit"))
        self.assertIn("10s", self.complains(64, "submit", "square", "7", "--run-timeout", "10"))
        self.assertIn("--fast", self.complains(64, "submit", "square", "7", "--fast"))
        self.assertIn("is no handle", self.complains(64, "get", "abc"))
        self.assertIn("KEY=VALUE", self.complains(64, "open", "x", "--env", "A"))
        self.complains(64)

    def test_69_no_daemon(self):
        text = self.complains(69, "--address", f"unix:{self.path('nothing.sock')}", "pools")
        self.assertIn(self.path("nothing.sock"), text)
        self.assertIn("--address", text)

    def test_70_refused_with_the_reason_and_the_nearest_name(self):
        text = self.complains(70, "submit", "sqare", "7")
        self.assertIn("FUNCTION_NOT_FOUND", text)
        self.assertIn("square", text)
        self.assertIn("FUNCTION_NOT_FOUND", self.complains(70, "submit", "--no-wait", "sqare", "7"))
        self.assertIn("FUNCTION_NOT_FOUND", self.complains(70, "map", "sqare", "7"))
        self.assertIn("POOL_NOT_FOUND", self.complains(70, "workers", "no-such-pool"))
        self.assertIn("POOL_NOT_FOUND", self.complains(70, "--pool", "no-such-pool", "submit", "square", "7"))
        self.assertIn("HANDLE_NOT_FOUND", self.complains(70, "get", "22" * 16))
        self.assertIn("MODULE_NOT_FOUND", self.complains(70, "open", "x", "--module", "no-such-module"))
        self.assertIn("POOL_STILL_RUNNING", self.complains(70, "join", self.name))


class InterruptTest(PoolctlCase):

    def test_ctrl_c_leaves_the_task_and_says_how_to_get_it(self):
        process = self.start("submit", "sleep", "1000")
        self.wait_until_busy()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        id = errors.decode().split("poolctl get ")[1].split(";")[0]
        self.assertEqual(self.json("get", id)["state"], "SUCCEEDED")

    def test_ctrl_c_cancels_when_it_is_to(self):
        process = self.start("submit", "sleep", "60000", "--cancel-on-interrupt")
        self.wait_until_busy()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 4)


class HandlesTest(PoolctlCase):

    def test_wait_tells_who_has_ended(self):
        ids = [self.says("submit", "--no-wait", "square", str(i)).strip() for i in range(3)]
        self.assertEqual(self.says("wait", *ids), "".join(f"{id}\tSUCCEEDED\n" for id in ids))
        slow = self.says("submit", "--no-wait", "sleep", "60000").strip()
        self.assertEqual(self.says("wait", "--first-completed", slow, ids[0]), f"{ids[0]}\tSUCCEEDED\n{slow}\twaiting\n")
        self.assertEqual(self.json("wait", *ids), {"done": ids, "not_done": [], "states": ["SUCCEEDED"] * 3})

    def test_wait_ends_at_the_first_that_does_not_succeed(self):
        slow = self.says("submit", "--no-wait", "sleep", "60000").strip()
        bad = self.says("submit", "--no-wait", "throw", "x").strip()
        self.assertIn(f"{bad}\tFAILED", self.says("wait", "--first-exception", slow, bad, status=1))

    def test_cancel_takes_what_waits_and_leaves_what_runs(self):
        running = [self.says("submit", "--no-wait", "sleep", "60000").strip() for _ in range(2)]
        eventually(lambda: len(self.wait_until_busy()) == 2, "both workers are busy")
        waiting = self.says("submit", "--no-wait", "sleep", "60000").strip()
        self.assertEqual(self.json("cancel", running[0], waiting, status=6)["cancelled"], [False, True])
        self.ctl("get", waiting, status=4)
        self.assertEqual(self.json("cancel", "--running", *running)["cancelled"], [True, True])

    def test_release_drops_an_outcome(self):
        id = self.says("submit", "--no-wait", "square", "3").strip()
        self.ctl("wait", id)
        self.assertEqual(self.says("release", id), "1 released\n")
        self.assertIn("HANDLE_RELEASED", self.complains(70, "get", id))
        self.assertEqual(self.json("release", id), {"released": 0})


class PoolsTest(PoolctlCase):

    def test_a_pool_opens_and_ends(self):
        name = self.name + "-b"
        words = ("open", name, "--workers", "1", "--module", "testing", "--module", "examples", "--stop-grace", "100ms",
                 "--env", "COLOUR=blue", "--max-tasks-per-worker", "1000", "--max-queued-tasks", "10000",
                 "--max-queued-bytes", "1mb", "--start-method", "spawn", "--nice", "1", "--working-directory", "/tmp",
                 "--start-timeout", "30s")
        self.assertRegex(self.says(*words), rf"^{name}: open, 1 worker, \d+ functions\n$")
        self.assertIn("was open already", self.says(*words))
        self.assertIn("POOL_EXISTS", self.complains(70, "open", name, "--workers", "2"))
        spec = next(p for p in self.json("pools")["pools"] if p["spec"]["name"] == name)["spec"]
        self.assertEqual((spec["workers"], spec["modules"], spec["stop_grace"]), (1, ["testing", "examples"], 0.1))
        self.assertEqual((spec["environment"], spec["max_queued_bytes"]), ({"COLOUR": "blue"}, 1 << 20))
        self.assertEqual((spec["start_method"], spec["start_timeout"]), ("SPAWN", 30))
        self.assertEqual(self.says("close", name), "")
        self.assertEqual(self.says("join", name), "")
        self.assertIn("POOL_NOT_RUNNING", self.complains(70, "--pool", name, "submit", "square", "7"))

    def test_a_pool_that_failed_can_be_forgotten(self):
        name = self.name + "-failed"
        self.complains(70, "open", name, "--workers", "1", "--module", "testing", "--initializer", "init_fail",
                       "--initializer-arg", '"no"')
        self.assertIn(name, self.says("pools"))
        self.assertEqual(self.says("terminate", "--forget", name),
                         f"{name}: terminated and forgotten, 0 unfinished cancelled\n")
        self.assertNotIn(name, self.says("pools"))

    def test_terminate_ends_what_is_unfinished(self):
        ids = [self.says("submit", "--no-wait", "sleep", "60000").strip() for _ in range(3)]
        self.assertEqual(self.says("terminate", self.name), f"{self.name}: terminated, 3 unfinished cancelled\n")
        self.ctl("get", ids[0], status=4)
        self.assertEqual(self.json("join", self.name), {"done": True})

    def test_join_has_patience(self):
        self.says("submit", "--no-wait", "sleep", "60000")
        self.ctl("close", self.name)
        self.assertIn("terminate", self.complains(5, "join", self.name, "--wait-timeout", "10ms"))

    def test_pools_and_workers_are_tables_of_80_columns(self):
        self.ctl("submit", "square", "7")
        pools = self.says("pools").splitlines()
        self.assertEqual(pools[0].split(), ["NAME", "STATE", "WORKERS", "QUEUED", "RUNNING", "SUCCEEDED", "OTHER", "MODULES"])
        ours = next(line.split() for line in pools if line.startswith(self.name))
        self.assertEqual(ours[1:6], ["running", "2", "0", "0", "1"])
        workers = self.says("workers", self.name).splitlines()
        self.assertEqual(len(workers), 3)
        self.assertLessEqual(max(map(len, workers)), 80)
        self.assertEqual(len(self.json("workers")["workers"]), 2)

    def test_functions_and_counters(self):
        self.assertRegex(self.says("functions", self.name), r"(?m)^square  ")
        self.assertIn("echo", [function["name"] for function in self.json("functions")["functions"]])
        self.ctl("submit", "square", "7")
        self.ctl("submit", "throw", "x", status=1)
        stats = self.json("stats", self.name)["pools"][self.name]
        self.assertEqual((stats["succeeded"], stats["failed"], stats["submitted"]), (1, 1, 2))
        self.assertRegex(self.says("stats", self.name), r"(?m)^succeeded +1$")

    def test_the_daemon_tells_of_itself(self):
        text = self.says("stats", "--server")
        self.assertRegex(text, r"(?m)^payloads in shared memory +\d")
        self.assertRegex(text, r"(?m)^payloads in shared memory +320 MiB$")
        for word in ("containment", "instance", "shards", "resident memory", "kept outcomes"):
            self.assertIn(word, text)
        self.assertIn("limits", self.json("stats", "--server")["server"])
        self.assertEqual(self.json("info")["pid"], self.daemon.pid)
        self.assertIn("poold.v1", self.says("info"))


if __name__ == "__main__":
    unittest.main()
