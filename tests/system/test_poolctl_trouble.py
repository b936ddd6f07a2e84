"""poolctl when something is the matter: limits that were reached, broken pools, open circuit breakers, crashes, patience."""

import signal
import subprocess
import unittest

from harness import eventually
from poolctl_case import PoolctlCase


class TroubleTest(PoolctlCase):

    def open(self, *words):
        """Opens another pool with these flags, which the commands of this test use from now on."""
        self.name += "-b"
        self.ctl("open", self.name, "--workers", "1", "--module", "testing", "--module", "mischief", *words)
        self.addCleanup(self.ctl_terminate, self.name)

    def ctl_terminate(self, name):
        pools = {pool["spec"]["name"]: pool["state"] for pool in self.json("pools")["pools"]}
        if pools[name] in ("RUNNING", "CLOSING"):
            self.ctl("terminate", name)

    def test_a_memory_limit_ends_the_task_and_says_so(self):
        self.open("--memory-limit", "128M")
        text = self.complains(2, "submit", "grow_and_wait", str(256 << 20), self.path("begun"), self.path("never"))
        self.assertRegex(text, r"grow_and_wait CRASHED: its worker \d+ \(pid \d+\) was ended by SIGKILL")
        self.assertIn("because it went above the pool's memory limit", text)
        self.assertRegex(text, r"at most \d+ MiB")

    def test_a_limit_of_the_kernel_is_named_as_such(self):
        self.open("--limit", "file-size=1000", "--limit", "open-files=100")
        self.ctl("submit", "append", self.path("file"), "x" * 2000, status=1)
        text = self.complains(2, "submit", "append", self.path("file"), "x")
        self.assertIn("was ended by SIGXFSZ, by the kernel", text)
        self.assertEqual(self.json("submit", "ident")["outcome"]["result"]["limits"]["nofile"], 100)

    def test_a_limit_that_nobody_knows_is_a_usage_error(self):
        self.assertIn("open-files", self.complains(64, "open", self.name + "-b", "--limit", "open-windows=3"))

    def test_a_broken_pool_says_what_broke_it(self):
        self.open("--strict")
        self.ctl("submit", "exit", "3", status=2)
        text = self.complains(70, "submit", "noop")
        self.assertIn("POOL_BROKEN", text)
        self.assertIn("exited with code 3 in function 'exit'", text)
        done = self.ctl("pools")
        self.assertIn(f"{self.name} failed: ".encode(), done.stderr)
        self.ctl("open", self.name, "--workers", "1", "--module", "testing", "--strict")
        self.ctl("submit", "noop")

    def test_workers_that_are_replaced_are_counted(self):
        self.open("--max-worker-age", "200ms")
        eventually(lambda: self.json("stats", self.name)["pools"][self.name].get("recycled"), "one was replaced")
        self.assertRegex(self.says("stats", self.name), r"(?m)^workers recycled +[1-9]")

    def test_the_memory_of_workers_is_shown_where_it_is_looked_at(self):
        self.open("--max-worker-rss", "1G")
        eventually(lambda: self.json("workers", self.name)["workers"][0].get("rss_bytes"), "it was looked at")
        self.assertRegex(self.says("workers", self.name).splitlines()[1], r"^ *\d+ +\d+ +idle +1 .* \d+(\.\d)? MiB ")

    def test_explain_tells_of_a_fence(self):
        for _ in range(5):
            self.ctl("submit", "crash_unless", self.path("mended"), status=2)
        ids = [self.handle("crash_unless", self.path("mended"), "--attempts", "3") for _ in range(3)]
        eventually(lambda: "waits: the circuit breaker of its function 'crash_unless' is open" in self.says("explain", ids[2]), "it says so")
        open(self.path("mended"), "w").close()
        self.ctl("wait", *ids)
        self.assertIn("SUCCEEDED", self.says("explain", ids[2]))

    def test_a_crash_tells_where_it_was(self):
        text = self.complains(2, "submit", "fault", "segv")
        self.assertRegex(text, r"was ended by SIGSEGV, by itself; it had used .* of CPU in ")
        self.assertRegex(text, r"where it was:\n(.*\n)*.*write_to_nowhere")

    def test_a_task_that_ended_too_many_workers_is_said_to_be_set_aside(self):
        text = self.complains(2, "submit", "exit", "3", "--attempts", "50", "--retry-delay", "1ms")
        self.assertIn("attempts: 3", text)
        self.assertIn("set aside", text)

    def test_wait_ends_with_the_first(self):
        slow, quick = self.begin(self.opened).hex(), self.handle("noop")
        self.assertCountEqual(self.says("wait", "--first", slow, quick).splitlines(),
                              [f"{slow}\twaiting", f"{quick}\tSUCCEEDED"])
        self.assertIn(f"{slow}\twaiting", self.says("wait", slow, "--timeout", "10ms", status=5))
        self.go_on()
        self.assertEqual(self.says("wait", slow, quick), f"{slow}\tSUCCEEDED\n{quick}\tSUCCEEDED\n")

    def test_cancel_stops_what_runs_when_asked(self):
        id = self.begin(self.opened).hex()
        self.assertEqual(self.json("cancel", id, status=6)["cancelled"], [False])
        self.assertEqual(self.json("cancel", "--running", id)["cancelled"], [True])
        self.ctl("get", id, status=4)
        self.assertEqual(self.state(id), "CANCELLED")

    def test_a_daemon_that_is_slow_to_answer_is_not_taken_for_none(self):
        self.daemon.signal(signal.SIGSTOP)
        try:
            process = self.start("submit", "identity", "7")
            with self.assertRaises(subprocess.TimeoutExpired):  # it waits for the daemon
                process.wait(0.5)
        finally:
            self.daemon.signal(signal.SIGCONT)
        self.assertEqual(self.ends(process, 0)[0], "7\n")

    def test_terminate_with_a_grace_asks_first(self):
        id = self.handle("hear_term", self.path("begun"), self.path("heard"), "true")
        eventually(lambda: self.lines("begun"), "it has begun")
        self.assertIn("1 unfinished cancelled", self.says("terminate", self.name, "--grace", "50s"))
        self.assertEqual(self.lines("heard"), ["SIGTERM"])
        self.ctl("get", id, status=4)


if __name__ == "__main__":
    unittest.main()
