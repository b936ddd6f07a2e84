"""poolctl on a pool that works: watch, tasks, explain, replay, resize, reload, top, exec."""

import os
import re
import signal
import termios
import unittest

from harness import PATIENCE, eventually
from poolctl_case import PoolctlCase


class WatchTest(PoolctlCase):

    def test_watch_tells_the_states_and_ends_with_the_tasks(self):
        id = self.handle("begin_and_wait", self.path("begun"), self.path("go on"))
        eventually(lambda: os.path.exists(self.path("begun")), "it has begun")
        process = self.start("watch", id)
        self.assertIn(f"{id}  RUNNING begin_and_wait", process.stdout.readline().decode())
        open(self.path("go on"), "w").close()
        printed, _ = self.ends(process, 0)
        self.assertIn(f"{id}  SUCCEEDED begin_and_wait", printed)

    def test_watch_shows_what_a_task_prints_and_how_far_it_is(self):
        process = self.start("watch")
        process.stdout.readline()
        id = self.handle("print", "hello")
        line = ""
        while "| hello" not in line:
            line = process.stdout.readline().decode()
            self.assertNotEqual(line, "", "watch ended")
        self.assertIn(f"{id}  | hello", line)
        id = self.handle("progress", "4", "50")
        while not re.search(rf"{id}  \d+ %", line):
            line = process.stdout.readline().decode()
            self.assertNotEqual(line, "", "watch ended")

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
        self.ctl("wait", good, bad, status=1)
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


    def test_a_task_that_reports_is_listed_with_its_progress(self):
        id = self.handle("report_and_wait", "0.25", "a quarter", self.path("go on"))
        eventually(lambda: "a quarter" in self.says("tasks", self.name), "it has reported")
        self.assertRegex(self.says("tasks", self.name, "--state", "running"), rf"(?m)^{id} +RUNNING .* 25 % a quarter$")
        self.assertEqual(self.json("tasks", self.name)["entries"][0]["task"]["progress"]["text"], "a quarter")
        self.assertIn("progress: 25 % a quarter", self.says("explain", id))
        self.go_on()
        self.ctl("wait", id)


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
        self.ctl("wait", id, status=1)
        self.assertIn("no such luck", self.complains(1, "replay", id))

    def test_arguments_that_are_no_longer_kept_are_said_to_be_so(self):
        id = self.handle("identity", "7")
        self.ctl("wait", id)
        self.assertIn("ARGUMENTS_NOT_KEPT", self.complains(70, "replay", id))

    def test_a_module_that_is_not_here_is_named_with_the_folder(self):
        id = self.handle("throw", "x")
        self.ctl("wait", id, status=1)
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
        self.complains(64, "resize", self.name, "0")

    def test_reload_tells_the_new_generation(self):
        self.assertEqual(self.says("reload", self.name), f"{self.name}: generation 2\n")
        self.assertEqual({w["generation"] for w in self.json("workers", self.name)["workers"]}, {2})

    def test_close_may_cancel_what_waits(self):
        for _ in range(2):
            self.begin(self.opened)
        waiting = self.handle("square", "7")
        self.assertEqual(self.says("close", self.name, "--cancel-queued"), f"{self.name}: closing, 1 queued cancelled\n")
        self.ctl("get", waiting, status=4)
        self.go_on()
        self.ctl("join", self.name)

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


class TopTest(PoolctlCase):

    def test_without_a_terminal_it_is_one_snapshot(self):
        task = self.begin(self.opened).hex()
        text = self.says("top", "--interval", "10ms")
        self.go_on()
        self.assertRegex(text, rf"(?m)^{self.name[:22]}\S* +running +1 +2 ")
        self.assertRegex(text, rf"(?m)^{task} +{self.name[:22]}\S* +begin_and_wait ")
        self.assertNotIn("\x1b", text)
        self.assertIn("pools", self.json("top", "--interval", "10ms"))

    def test_it_shows_how_far_the_slowest_tasks_are_and_what_their_workers_take(self):
        name = self.pool(modules=["mischief"], workers=1, memory_limit_bytes=1 << 30).name
        id = self.says("--pool", name, "submit", "--no-wait", "report_and_wait", "0.5", "half way",
                       self.path("go on")).strip()
        eventually(lambda: "half way" in self.says("tasks", name), "it has reported")
        eventually(lambda: self.json("workers", name)["workers"][0].get("rss_bytes"), "its worker was looked at")
        text = self.says("top", "--once", "--interval", "10ms")
        self.go_on()
        self.assertRegex(text, rf"(?m)^{id} +{name[:22]}\S* +report_and_wait +\d+ +.* 50 % half way$")
        self.assertRegex(text, rf"(?m)^ *\d+ +{name[:22]}\S* +\d+ +busy .* MiB +\d+ +report_and_wait$")

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


class ProgressTest(PoolctlCase):
    """The bar of map and submit."""

    def items(self):
        """Arguments of map: four items, of which the last one waits for `go on`."""
        open(self.path("at once"), "w").close()
        items = [f'["", "{self.path("at once")}"]'] * 3 + [f'["", "{self.path("go on")}"]']
        return "map", "print_and_wait_for", "--no-output", "--chunk-size", "1", "--star", *items

    def test_on_a_terminal_map_draws_a_bar_that_fills(self):
        terminal = self.terminal("--pool", self.name, *self.items())
        terminal.read_until(rb"print_and_wait_for +75% +\[#+\.+\] +3/4")
        self.go_on()
        terminal.read_until(rb"100% +\[#+\] +4/4")
        self.assertEqual(terminal.process.wait(PATIENCE), 0)

    def test_on_a_terminal_submit_draws_how_far_the_task_says_it_is(self):
        terminal = self.terminal("--pool", self.name, "submit", "report_and_wait", "0.5", "half way", self.path("go on"))
        terminal.read_until(rb"report_and_wait +50% +\[#+\.+\].*half way")
        self.go_on()
        self.assertEqual(terminal.process.wait(PATIENCE), 0)

    def test_on_a_terminal_it_can_be_had_without(self):
        terminal = self.terminal("--pool", self.name, "map", "--no-progress", "square", "2", "3")
        terminal.read_until(rb"4\r\n9\r\n")
        self.assertEqual(terminal.process.wait(PATIENCE), 0)
        self.assertNotIn(b"%", terminal.seen)

    def test_elsewhere_there_are_plain_lines_when_asked(self):
        self.go_on()
        done = self.ctl(*self.items(), "--progress")
        self.assertRegex(done.stderr.decode(), r"(?m)^print_and_wait_for +100% .*4/4")
        self.assertNotRegex(done.stderr, rb"[\r\x1b]")
        self.assertEqual(done.stdout, b"null\n" * 4)
        done = self.ctl("submit", "--progress", "progress", "3", "30")
        self.assertRegex(done.stderr.decode(), r"(?m)^progress +100% .*step 3 of 3$")
        self.assertNotRegex(done.stderr, rb"[\r\x1b]")

    def test_elsewhere_there_is_nothing_unless_asked(self):
        self.go_on()
        self.assertEqual(self.ctl(*self.items()).stderr, b"")
        self.assertEqual(self.ctl("submit", "progress", "3", "30").stderr, b"")


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
