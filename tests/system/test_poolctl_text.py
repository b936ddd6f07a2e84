"""Nobody's text speaks to the terminal of whoever runs poolctl: on a real pty, in tables, errors, JSON and live output."""

import json
import re
import termios
import unittest

from harness import PATIENCE, eventually
from poolctl_case import PoolctlCase

# Clears the screen, sets the title, writes to the clipboard, goes up, as one character of Unicode, turns the writing.
EVIL = "\x1b[2J\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b[9A\u009b2J\u202e"
SHOWN = r"\x1b[2J\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b[9A\u009b2J\u202e"
# What a pty itself makes of the ends of lines.
ACTS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\r(?!\n)")


class OnTerminalTest(PoolctlCase):

    def shows(self, *words, status=0):
        """All that a terminal gets; nothing in it may act."""
        terminal = self.terminal("--pool", self.name, *words)
        text = terminal.read_all()
        self.assertEqual(terminal.process.wait(PATIENCE), status, text)
        self.assertEqual(ACTS.findall(text), [], text)
        return text

    def test_an_error_of_a_task(self):
        text = self.shows("submit", "--no-progress", "throw", f"first\npoolctl: forged\n{EVIL}", status=1)
        self.assertIn(SHOWN, text)
        self.assertNotRegex(text, r"(?m)^poolctl: forged")

    def test_what_a_task_prints_and_returns(self):
        self.assertIn(SHOWN + "\r\n", self.shows("submit", "--no-progress", "print", EVIL))
        self.assertIn(SHOWN + "\r\n", self.shows("submit", "--no-progress", "print_err", EVIL))
        self.assertIn(SHOWN, self.shows("map", "--no-progress", "print", EVIL))
        text = self.shows("submit", "--no-progress", "echo_text", EVIL)
        self.assertEqual(json.loads(text), EVIL)

    def test_a_table_of_tasks(self):
        forged = "x\n" + "0" * 32 + "  SUCCEEDED"
        id = self.handle("report_and_wait", "0.5", f"{EVIL}{forged}", self.path("go on"))
        eventually(lambda: "owned" in self.says("tasks", self.name), "it has reported")
        text = self.shows("tasks", self.name)
        self.assertIn(SHOWN, text)
        self.assertEqual(len(text.splitlines()), 2)
        self.assertIn(SHOWN, self.shows("explain", id))
        self.assertIn(SHOWN, self.shows("top", "--once", "--interval", "10ms"))
        self.go_on()

    def test_the_live_screen_gets_only_what_is_drawn(self):
        id = self.handle("report_and_wait", "0.5", EVIL, self.path("go on"))
        eventually(lambda: "owned" in self.says("tasks", self.name), "it has reported")
        terminal = self.terminal("top", "--interval", "50ms")
        termios.tcsetwinsize(terminal.master, (60, 250))
        terminal.read_until(id.encode() + rb".*owned.*\n")
        terminal.press(b"q")
        text = terminal.read_all()
        self.go_on()
        drawn = re.sub("\x1b\\[(\\?1049[hl]|\\?25[hl]|H|K|J)", "", text)
        self.assertEqual(ACTS.findall(drawn), [], drawn)

    def test_a_progress_bar_draws_itself_alone(self):
        terminal = self.terminal("--pool", self.name, "submit", "report_and_wait", "0.5", EVIL, self.path("go on"))
        terminal.read_until(rb"50%.*owned")
        self.go_on()
        text = terminal.read_all()
        self.assertEqual(ACTS.findall(text.replace("\r\x1b[K", "")), [], text)

    def test_a_watch(self):
        id = self.handle("print_and_wait_for", f"one\n{EVIL}\n", self.path("go on"))
        terminal = self.terminal("--pool", self.name, "watch", id)
        terminal.read_until(rb"RUNNING")
        self.go_on()
        text = terminal.read_all()
        self.assertEqual(ACTS.findall(text), [], text)
        for line in text.splitlines():
            self.assertRegex(line, rf"^\d\d:\d\d:\d\d\.\d\d\d  {id}  ")

    def test_as_it_is_when_that_is_asked_for(self):
        terminal = self.terminal("--pool", self.name, "submit", "--no-progress", "-r", "print", "\x1b[1mbold\x1b[0m")
        self.assertEqual(terminal.read_all(), "\x1b[1mbold\x1b[0m\r\n")
        terminal = self.terminal("--pool", self.name, "submit", "--no-progress", "-r", "echo_text", "\x1b[1mbold")
        self.assertEqual(terminal.read_all(), "\x1b[1mbold")


class InPipesTest(PoolctlCase):

    def test_bytes_are_as_they_are(self):
        self.assertEqual(self.says("submit", "print", EVIL), EVIL + "\n")
        self.assertEqual(self.says("submit", "-r", "echo_text", EVIL), EVIL)
        content = bytes(range(256))
        self.assertEqual(self.ctl("submit", "-r", "echo", "--raw-file", "-", input=content).stdout, content)

    def test_json_is_the_same_value_and_one_line(self):
        printed = self.says("--json", "submit", "throw", EVIL + "\n", status=1)
        self.assertEqual(json.loads(printed)["outcome"]["failure"]["message"], EVIL + "\n")
        self.assertEqual(ACTS.findall(printed), [])
        self.assertEqual(printed.count("\n"), 1)

    def test_an_error_forges_no_line(self):
        text = self.complains(1, "submit", "throw", f"no\npoolctl: forged\n{EVIL}")
        self.assertEqual([line for line in text.splitlines() if line.startswith("poolctl: ")], [text.splitlines()[0]])
        self.assertEqual(ACTS.findall(text), [])
        text = self.complains(70, "submit", "\x1b[2J\npoolctl: forged")
        self.assertEqual(ACTS.findall(text), [])
        self.assertEqual(text.count("\npoolctl: "), 0)


if __name__ == "__main__":
    unittest.main()
