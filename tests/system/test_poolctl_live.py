"""poolctl on a pool that works: watch, tasks, explain, replay, resize, reload, top, exec."""

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
import unittest

from harness import PATIENCE, eventually
from poolctl_case import POOLCTL, PoolctlCase


class WatchTest(PoolctlCase):

    def test_watch_tells_the_states_and_ends_with_the_tasks(self):
        id = self.handle("begin_and_wait", self.path("begun"), self.path("go on"))
        eventually(lambda: os.path.exists(self.path("begun")), "it has begun")
        process = self.start("watch", id)
        self.assertIn(f"{id}  RUNNING begin_and_wait", process.stdout.readline().decode())
        open(self.path("go on"), "w").close()
        printed, _ = self.ends(process, 0)
        self.assertIn(f"{id}  SUCCEEDED begin_and_wait", printed)

    def test_watch_shows_what_a_task_prints(self):
        process = self.start("watch")
        process.stdout.readline()
        id = self.handle("print", "hello")
        line = ""
        while "| hello" not in line:
            line = process.stdout.readline().decode()
            self.assertNotEqual(line, "", "watch ended")
        self.assertIn(f"{id}  | hello", line)

    def test_watch_tells_of_a_pool_until_ctrl_c(self):
        process = self.start("watch")
        self.assertIn(f"pool {self.name} running, 2 workers", process.stdout.readline().decode())
        id = self.json("submit", "throw", "no luck", status=1)["id"]
        line = ""
        while "FAILED" not in line:
            line = process.stdout.readline().decode()
            self.assertNotEqual(line, "", "watch ended")
        self.assertIn(f"{id}  throw FAILED: ", line)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)

    def test_an_unknown_handle_is_refused(self):
        self.assertIn("HANDLE_NOT_FOUND", self.complains(70, "watch", "22" * 16))


class TasksTest(PoolctlCase):

    def test_tasks_are_listed_by_pool_state_and_function(self):
        good = self.handle("square", "7")
        bad = self.handle("throw", "x")
        self.ctl("wait", good, bad)
        many = self.says("map", "--no-wait", "square", "1", "2").strip()
        self.ctl("wait", many)
        table = self.says("tasks", self.name).splitlines()
        self.assertEqual(table[0].split(), ["ID", "STATE", "POOL", "FUNCTION", "CLIENT", "AGE", "PROGRESS"])
        self.assertEqual([line.split()[:2] for line in table[1:]],
                         [[good, "SUCCEEDED"], [bad, "FAILED"], [many, "SUCCEEDED"]])
        self.assertIn("poolctl", table[1])
        self.assertIn("2/2 items", table[3])
        self.assertEqual(self.ids("--state", "failed"), [bad])
        self.assertEqual(self.ids("--function", "square"), [good, many])
        self.assertEqual(self.ids("--state", "failed", "--state", "succeeded", "--function", "throw"), [bad])
        self.assertEqual(self.ids("--client", "nobody"), [])

    def ids(self, *words):
        entries = self.json("tasks", self.name, *words)["entries"]
        return [(entry.get("task") or entry["map"])["id"] for entry in entries]

    def test_long_lists_are_paged_through(self):
        self.opened.submit_all([self.opened.task("noop") for _ in range(1500)])
        self.assertEqual(len(self.ids("--limit", "0")), 1500)
        self.assertEqual(len(self.ids("--limit", "1200")), 1200)
        done = self.ctl("tasks", self.name, "--limit", "10")
        self.assertEqual(len(done.stdout.splitlines()), 11)
        self.assertIn(b"there are more", done.stderr)


class ExplainTest(PoolctlCase):

    def test_explain_says_why_a_task_waits(self):
        running = [self.begin(self.opened) for _ in range(2)]
        waiting = [self.handle("square", "7") for _ in range(2)]
        text = self.says("explain", waiting[1])
        self.assertIn(f"{waiting[1]}: QUEUED square in pool {self.name}", text)
        self.assertIn("waits: ", text)
        self.assertIn("before it: 1 task", text)
        self.assertIn("RUNNING", self.says("explain", running[0].hex()))
        self.go_on()

    def test_explain_tells_every_attempt(self):
        id = self.handle("flaky", "3", "--attempts", "3", "--retry-on", "failed", "--retry-delay", "1ms")
        self.ctl("wait", id)
        text = self.says("explain", id)
        self.assertIn("up to 3 attempts", text)
        self.assertEqual(re.findall(r"(?m)^ +([123])  (FAILED|SUCCEEDED)", text),
                         [("1", "FAILED"), ("2", "FAILED"), ("3", "SUCCEEDED")])
        self.assertEqual(len(self.json("explain", id)["attempts"]), 3)


class ReplayTest(PoolctlCase):

    def setUp(self):
        super().setUp()
        self.name = self.pool(modules=["testing"]).name

    def test_a_task_that_failed_runs_again_here(self):
        id = self.handle("throw", "no such luck")
        self.ctl("wait", id)
        self.assertIn("no such luck", self.complains(1, "replay", id))

    def test_arguments_that_are_no_longer_kept_are_said_to_be_so(self):
        id = self.handle("identity", "7")
        self.ctl("wait", id)
        self.assertIn("ARGUMENTS_NOT_KEPT", self.complains(70, "replay", id))

    def test_a_module_that_is_not_here_is_named_with_the_folder(self):
        id = self.handle("throw", "x")
        self.ctl("wait", id)
        text = self.complains(66, "replay", id, "--module-dir", self.folder)
        self.assertIn("testing.so", text)
        self.assertIn(self.folder, text)
        self.assertIn("--module-dir", text)


class ChangesTest(PoolctlCase):

    def test_resize_changes_the_number_of_workers(self):
        self.assertEqual(self.says("resize", self.name, "4"), f"{self.name}: 4 workers\n")
        eventually(lambda: len(self.json("workers", self.name)["workers"]) == 4, "there are four")
        self.assertEqual(self.json("resize", self.name, "1")["pool"]["spec"]["workers"], 1)
        eventually(lambda: len(self.json("workers", self.name)["workers"]) == 1, "there is one")
        self.assertIn("INVALID_FIELD", self.complains(70, "resize", self.name, "0"))

    def test_reload_tells_the_new_generation(self):
        self.assertEqual(self.says("reload", self.name), f"{self.name}: generation 2\n")
        self.assertEqual({w["generation"] for w in self.json("workers", self.name)["workers"]}, {2})

    def test_terminate_may_be_gentle(self):
        self.begin(self.opened)
        self.assertIn("1 unfinished cancelled", self.says("terminate", self.name, "--grace", "5s"))

    def test_every_choice_of_a_pool_can_be_said(self):
        name = self.name + "-b"
        self.ctl("open", name, "--workers", "1", "--module", "testing", "--start-method", "fresh", "--spares", "1",
                 "--max-worker-rss", "512M", "--max-worker-age", "1h", "--memory-limit", "1G", "--limit",
                 "open-files=200", "--strict")
        self.addCleanup(self.ctl, "terminate", name)
        spec = next(p for p in self.json("pools")["pools"] if p["spec"]["name"] == name)["spec"]
        self.assertEqual((spec["start_method"], spec["spares"], spec["death_policy"]), ("FRESH", 1, "STRICT"))
        self.assertEqual((spec["max_worker_rss_bytes"], spec["memory_limit_bytes"]), (512 << 20, 1 << 30))
        self.assertEqual(spec["max_worker_age"], 3600)
        self.assertEqual(spec["resource_limits"], [{"kind": "OPEN_FILES", "value": 200}])


class Terminal:
    """poolctl under a terminal of its own, 100 columns wide."""

    def __init__(self, words, env):
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(self.master, (40, 100))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(words, env=dict(env, TERM="xterm"), stdin=slave, stdout=slave, stderr=slave,
                                        preexec_fn=os.setsid)
        self.seen = b""

    def read_until(self, pattern):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.seen):
            if time.monotonic() > end:
                raise AssertionError(f"{pattern} did not come: {self.seen[-2000:]}")
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65536)

    def press(self, keys):
        os.write(self.master, keys)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


class TopTest(PoolctlCase):

    def terminal(self, *words):
        terminal = Terminal([POOLCTL, *words], self.env)
        self.addCleanup(terminal.close)
        return terminal

    def test_without_a_terminal_it_is_one_snapshot(self):
        task = self.begin(self.opened).hex()
        text = self.says("top", "--interval", "10ms")
        self.go_on()
        self.assertRegex(text, rf"(?m)^{self.name[:22]}\S* +running +1 +2 ")
        self.assertRegex(text, rf"(?m)^{task} +{self.name[:22]}\S* +begin_and_wait ")
        self.assertNotIn("\x1b", text)
        self.assertIn("pools", self.json("top", "--interval", "10ms"))

    def test_on_a_terminal_it_is_drawn_anew_until_q_and_the_terminal_is_as_before(self):
        terminal = self.terminal("top", "--interval", "50ms")
        terminal.read_until(rb"(?s)PER SECOND.*PER SECOND")
        self.assertIn(b"\x1b[?1049h", terminal.seen)
        terminal.press(b"q")
        terminal.read_until(rb"\x1b\[\?1049l")
        self.assertEqual(terminal.process.wait(PATIENCE), 0)
        self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)

    def test_a_signal_leaves_the_terminal_as_before_too(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            terminal = self.terminal("top", "--interval", "50ms")
            terminal.read_until(rb"PER SECOND")
            terminal.process.send_signal(number)
            terminal.read_until(rb"\x1b\[\?1049l")
            terminal.process.wait(PATIENCE)
            self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)


class ExecTest(PoolctlCase):

    daemon_config = "allow_exec = true\n"

    def setUp(self):
        super().setUp()
        self.opened = self.pool(modules=[], allow_exec=True)
        self.name = self.opened.name

    def test_submit_exec_prints_what_the_program_prints_and_exits_as_it_does(self):
        done = self.ctl("submit", "exec", "--", "sh", "-c", "echo out; echo err >&2; exit 3", status=3)
        self.assertEqual((done.stdout, done.stderr), (b"out\n", b"err\n"))
        self.ctl("submit", "exec", "--", "sh", "-c", "kill -9 $$", status=137)
        self.assertEqual(self.says("submit", "exec", "--stdin", "-", "--", "tr", "a-z", "A-Z", input=b"loud"), "LOUD")
        self.assertEqual(self.says("submit", "exec", "--directory", "/tmp", "--env", "A=b", "--", "sh", "-c", "pwd; echo $A"),
                         "/tmp\nb\n")

    def test_map_exec_is_xargs(self):
        self.assertEqual(self.says("map", "exec", "--", "echo", "got", input=b"1\na b\n"), "got 1\ngot a b\n")
        self.assertEqual(self.says("map", "exec", "--", "echo", "{}", "is {}", input=b"x\n"), "x is x\n")
        self.assertEqual(self.says("map", "exec", "--null", "--", "echo", input=b"a\nb\0"), "a\nb\n")
        done = self.ctl("map", "exec", "--", "test", "1", "=", input=b"1\n2\n", status=1)
        self.assertIn(b"item 1: the program exited with 1", done.stderr)

    def test_a_program_that_is_not_there_is_a_failed_task(self):
        self.assertIn("no-such-program", self.complains(1, "submit", "exec", "--", "no-such-program"))
        self.assertIn("wants a program", self.complains(64, "submit", "exec"))


if __name__ == "__main__":
    unittest.main()
