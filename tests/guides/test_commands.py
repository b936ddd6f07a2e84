"""Every command, option and name that README, guides and manual pages speak of is there."""

import functools
import glob
import os
import re
import shlex
import subprocess
import unittest

from markdown import blocks, code_in_lines
from test_guides import PREFIX, SOURCE, guides, read

MAN = os.environ["POOLD_MAN_DIR"]


@functools.cache
def help_of(program, *command):
    path = os.path.join(PREFIX, "libexec/poold" if program == "pool-worker" else "bin", program)
    return subprocess.run([path, *command, "--help"], capture_output=True, check=True, text=True).stdout


COMMANDS = re.findall(r"(?m)^  (\w+) ", help_of("poolctl").split("Subcommands:")[1].split("\n\n")[0])
EVERYWHERE = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", help_of("poolctl").split("Subcommands:")[0]))


def said(text):
    """Calls of our programs in a line of a shell: each as its words, without those of other programs."""
    for call in re.split(r"&&|\|\||[|;&]|\$\(|\)|#", text):
        try:
            words = shlex.split(call)
        except ValueError:  # a quote that another part closes
            words = call.split()
        if words and os.path.basename(words[0]) in ("poolctl", "poold", "pool-worker"):
            yield os.path.basename(words[0]), words[1:]


def command_of(words):
    """The command among the words of a poolctl, and its words. None: it has none."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in ("--address", "--pool", "--wait-timeout", "--daemon-timeout") else 1
    return (words[at], words[at + 1:]) if at < len(words) else (None, [])


def options_of(words):
    return [word.split("=")[0] for word in (words[:words.index("--")] if "--" in words else words)
            if re.match(r"--[a-z]|-[a-z]$", word)]


class CommandsTest(unittest.TestCase):

    def check(self, program, words, where):
        text = help_of(program)
        if program == "poolctl":
            command, rest = command_of(words)
            if command is None or command in ("COMMAND", "[OPTIONS]"):
                return
            self.assertIn(command, COMMANDS, f"{where}: poolctl {' '.join(words)}")
            text += help_of("poolctl", command)
            words = words[:words.index(command)] + rest
        for option in options_of(words):
            self.assertRegex(text, rf"(?<![\w-]){option}(?![\w-])", f"{where}: {program} {' '.join(words)}")

    def test_what_guides_call_is_there(self):
        seen = 0
        for guide in guides():
            text = read(guide)
            lines = [line for block in blocks(text) if block.language == "sh" for line in block.lines()]
            for line in lines + code_in_lines(text):
                for program, words in said(line):
                    seen += 1
                    self.check(program, words, guide)
        self.assertGreater(seen, 30)

    def test_what_the_manual_calls_is_there(self):
        seen = 0
        for path in glob.glob(os.path.join(MAN, "*.[158]")):
            with open(path) as file:
                text = re.sub(r"\\f[BIR]|\\&", "", file.read().replace("\\-", "-").replace("\\e", "\\"))
            examples = "\n".join(re.findall(r"(?s)^\.nf\n(.*?)^\.fi", text, re.M)).splitlines()
            quoted = re.findall(r'(?m)^\.R?B R?"?\(?"?(pool(?:ctl|d) [^"\n]+)', text)
            for line in examples + quoted:
                for program, words in said(line):
                    seen += 1
                    self.check(program, words, path)
        self.assertGreater(seen, 5)

    def test_what_help_calls_is_there(self):
        for command in COMMANDS:
            text = help_of("poolctl", command) + help_of("poolctl")
            for line in re.findall(r"(?:^  |: |\| )(poolctl [^\n]*)", text, re.M):
                for program, words in said(line.split("   ")[0]):
                    self.check(program, words, f"help of {command}")


class TableTest(unittest.TestCase):
    """README's table for those who know Python's pools."""

    def setUp(self):
        table = read("README.md").split("| Python | C++ SDK | poolctl |")[1].split("\n\n")[0]
        self.rows = [row.strip("|").split(" | ") for row in table.splitlines()[2:]]

    def test_its_commands_are_there(self):
        commands = [code for row in self.rows for code in re.findall(r"`([^`]+)`", row[2])]
        self.assertGreater(len(commands), 15)
        for code in commands:
            command, *words = code.split()
            self.assertIn(command, COMMANDS)
            for option in options_of(words):
                self.assertIn(option, help_of("poolctl", command), code)

    def test_its_names_of_the_sdk_are_there(self):
        folder = "client/include/poold/client"
        headers = "\n".join(read(f"{folder}/{name}") for name in os.listdir(os.path.join(SOURCE, folder))
                            if name.endswith(".h"))
        for row in self.rows:
            for code in re.findall(r"`([^`]+)`", row[1]):
                for name in re.findall(r"(?:->|\.)(\w+)|\b([A-Z]\w+)\b|\b([a-z_]+)(?=\()", code):
                    name = "".join(name)
                    if name not in ("R", "h"):
                        self.assertRegex(headers, rf"\b{name}\b", code)


if __name__ == "__main__":
    unittest.main()
