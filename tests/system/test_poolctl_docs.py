"""What poolctl and poold say of themselves: help, manual pages, completion."""

import glob
import os
import re
import shutil
import subprocess
import unittest

from harness import BIN
from poolctl_case import POOLCTL, PoolctlCase

MAN = os.environ["POOLD_MAN_DIR"]
COMPLETION = os.environ["POOLD_COMPLETION_DIR"]


def help_of(*words):
    return subprocess.run([*words, "--help"], capture_output=True, check=True, text=True).stdout


def commands():
    """Those that poolctl's help lists."""
    return re.findall(r"(?m)^  (\w+) ", help_of(POOLCTL).split("Subcommands:")[1].split("\n\n")[0])


def options(text):
    names = [re.split(r"\s{2,}", line)[0] for line in re.findall(r"(?m)^  (-.*)$", text)]
    return set(re.findall(r"--[a-z][a-z-]+", "\n".join(names)))


def page(name):
    """A manual page, without its markup."""
    with open(os.path.join(MAN, name)) as file:
        return re.sub(r"\\f[BIR]", "", file.read().replace("\\-", "-"))


class HelpTest(unittest.TestCase):

    def test_help_lists_every_command_and_every_exit_status(self):
        self.assertEqual(len(commands()), 22)
        text = help_of(POOLCTL)
        for status in ("0", "1", "2", "3", "4", "5", "6", "64", "66", "69", "70", "74", "130"):
            self.assertRegex(text, rf"(?m)^ *{status}  ")
            self.assertRegex(page("poolctl.1"), rf"(?m)^\.B {status}$")
        for command in commands():
            self.assertIn("poolctl --help", help_of(POOLCTL, command))


class ManualTest(unittest.TestCase):

    def test_every_command_and_option_has_its_place_in_the_manual(self):
        text = page("poolctl.1")
        self.assertLessEqual({"--address", "--pool", "--json"}, options(help_of(POOLCTL)))
        for command in commands():
            section = re.search(rf"(?ms)^\.SS {command}$(.*?)^\.S[SH]", text)
            self.assertIsNotNone(section, f"no section {command}")
            for option in options(help_of(POOLCTL, command)) - {"--help"}:
                self.assertRegex(section[1], rf"(?m)^\.B .*{option}\b", f"{command} {option}")
                self.assertRegex(section[1], rf"(?m)^\.B .*{option}\b.*\n[^.]", f"{command} {option} is not explained")

    def test_the_manual_of_the_daemon_has_its_flags_and_keys(self):
        for option in options(help_of(os.path.join(BIN, "poold"))):
            self.assertRegex(page("poold.8"), rf"(?m)^\.B .*{option}\b")
        printed = subprocess.run([os.path.join(BIN, "poold"), "--print-config"], capture_output=True, check=True, text=True)
        for key in re.findall(r"(?m)^(\w+) = ", printed.stdout):
            self.assertRegex(page("poold.toml.5"), rf"(?m)^\.B {key}$")

    @unittest.skipUnless(shutil.which("groff"), "groff is not here")
    def test_the_pages_are_good_roff(self):
        pages = glob.glob(os.path.join(MAN, "*.[158]"))
        self.assertEqual(len(pages), 3)
        for path in pages:
            done = subprocess.run(["groff", "-man", "-ww", "-z", "-Kutf8", "-Tutf8", path], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


class CompletionTest(PoolctlCase):

    def completes(self, *words):
        """What bash offers for the last word."""
        script = """
            source "$1/poolctl.bash"; shift
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            _poolctl; printf '%s\\n' "${COMPREPLY[@]}"
        """
        done = subprocess.run(["bash", "-c", script, "bash", COMPLETION, POOLCTL, *words], env=self.env,
                              capture_output=True, check=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes_commands_and_options(self):
        self.assertEqual(self.completes("expl"), ["explain"])
        self.assertEqual(sorted(self.completes("")), sorted(commands()))
        self.assertEqual(self.completes("map", "--as"), ["--as-completed"])
        self.assertEqual(self.completes("open", "x", "--start-method", "fr"), ["fresh"])

    def test_bash_completes_names_that_the_daemon_knows(self):
        self.assertIn(self.name, self.completes("--pool", ""))
        self.assertEqual(self.completes("terminate", self.name), [self.name])
        self.assertIn("square", self.completes("--pool", self.name, "submit", "squ"))
        id = self.handle("square", "7")
        self.assertIn(id, self.completes("get", id[:4]))

    def test_without_a_daemon_it_is_silent(self):
        self.env["POOLD_ADDRESS"] = f"unix:{self.path('none')}"
        self.assertEqual(self.completes("terminate", ""), [])
        self.env["POOLD_ADDRESS"] = f"unix:{self.daemon.socket}"

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not here")
    def test_the_completion_for_zsh_can_be_read(self):
        subprocess.run(["zsh", "-n", os.path.join(COMPLETION, "_poolctl")], check=True)


if __name__ == "__main__":
    unittest.main()
