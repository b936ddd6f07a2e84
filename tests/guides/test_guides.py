"""Every block of README and of the guides is run as it stands there, and what its comments promise is compared.

A block that this file does not know fails. So does a block here that the guide has no more.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from harness import PATIENCE, STUBS, Daemon
from markdown import blocks, comment

SOURCE = os.environ["POOLD_SOURCE_DIR"]
BUILD = os.environ["POOLD_BUILD_DIR"]
PREFIX = os.environ["POOLD_PREFIX"]
SCRATCH = os.environ["POOLD_SCRATCH"]
MODULES, PROGRAMS = os.path.join(SCRATCH, "modules"), os.path.join(SCRATCH, "programs")
BUILDING = 300

# Not run here. Each with the reason, and with what runs it.
ELSEWHERE = {
    "./tests/run.sh": "it runs this very test, among all others",
    "cmake --preset dev": "builds all of poold: tests/run.sh has this command",
    "cmake --build --preset dev": "as above",
    "ctest --preset dev": "as above",
    "build/release/bin/poold-bench": "takes minutes: bench.form runs each kind once; here its kinds are looked up",
    "tests/bench/run.sh": "takes an hour, and writes the report",
    "build/dev/bin/queue_bench": "needs gigabytes; it is a target of tests/core",
    "ctest --preset dev -V -R cost.instructions": "is the test cost.instructions",
    "perf record": "needs rights that a test has not",
}


def guides():
    """All Markdown files of the project."""
    listed = subprocess.run(["git", "-C", SOURCE, "ls-files", "*.md"], capture_output=True, text=True)
    if listed.returncode == 0:
        return sorted(listed.stdout.split())
    found = []
    for folder, folders, files in os.walk(SOURCE):
        folders[:] = [each for each in folders if each not in ("build", "node_modules", ".git")]
        found += [os.path.relpath(os.path.join(folder, file), SOURCE) for file in files if file.endswith(".md")]
    return sorted(found)


def read(path):
    with open(os.path.join(SOURCE, path)) as file:
        return file.read()


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


class Guides(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        for folder in (MODULES, PROGRAMS):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
        cls.daemon = Daemon(config="allow_exec = true\n")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__(None, None, None)

    def setUp(self):
        # What one block makes is there for the next of its guide.
        self.folder = tempfile.mkdtemp(prefix="poold-guide-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.env = dict(os.environ, PATH=f"{PREFIX}/bin:/usr/local/bin:/usr/bin:/bin", TERM="dumb",
                        POOLD_ADDRESS=f"unix:{self.daemon.socket}", clone=SOURCE)
        self.env.pop("PYTHONPATH", None)
        self.kept = {}

    def run_as(self, *words, env=None, patience=PATIENCE, cwd=None):
        """Its standard output. It must succeed, and complain of nothing."""
        done = subprocess.run(words, cwd=cwd or self.folder, env=env or self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=patience)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def walk(self, guide, *recipes):
        """Each block of a guide in its order, with the recipe for it: a language and what to do."""
        found = blocks(read(guide))
        self.assertEqual([block.language for block in found], [language for language, _ in recipes],
                         f"{guide} has blocks that this test does not know, or has lost some")
        for block, (_, recipe) in zip(found, recipes):
            with self.subTest(f"{guide}:{block.line}"):
                recipe(block)

    # Recipes.

    def elsewhere(self, block):
        for line in block.lines():
            if line.strip().startswith("#"):
                continue
            known = [command for command in ELSEWHERE if line.startswith(command)]
            self.assertTrue(known, f"nobody runs: {line}")

    def drawing(self, block):
        """Names of our files and folders in it are there."""
        self.assertNotIn("$ ", block.text)

    def shell(self, *promises, then=""):
        """Runs it in one shell, line by line. The output of each line that begins with a promise is its comment: its
        lines, joined by a comma; behind a colon may stand more."""
        def recipe(block):
            out = tempfile.mkdtemp(dir=self.folder)
            lines = [line for line in block.lines() if line.strip()]
            script = "set -eu\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n" + "".join(f"{{\n{line}\n}} > {out}/{i}\n" for i, line in enumerate(lines)) + then
            self.run_as("bash", "-c", script, cwd=self.kept.get("folder"))
            for promise in promises:
                at = next(i for i, line in enumerate(lines) if line.startswith(promise))
                with open(f"{out}/{at}") as file:
                    printed = ", ".join(file.read().splitlines())
                self.assertEqual(printed, comment(lines[at], "#").split(": ")[0], lines[at])
        return recipe

    def keep(self, name):
        """A part of what a later recipe builds."""
        return lambda block: self.kept.__setitem__(name, block.text)

    def cmake_project(self, *files):
        """Configures and builds it as a project with the files that were kept."""
        def recipe(block):
            project = os.path.join(self.folder, "project")
            shutil.rmtree(project, ignore_errors=True)
            write(f"{project}/CMakeLists.txt", block.text)
            for file in files:
                write(f"{project}/{file}", self.kept[file])
            self.run_as("cmake", "-S", project, "-B", f"{project}/build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={PREFIX}",
                        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror", "-DCMAKE_CXX_COMPILER=g++", patience=BUILDING)
            self.run_as("cmake", "--build", f"{project}/build", patience=BUILDING)
            self.kept["built"] = f"{project}/build"
        return recipe

    def promised(self, text, mark):
        """What the lines that print say that they print."""
        said = [comment(line, mark) for line in text.splitlines() if re.search(r"\bprint\(|\bprintf\(", line)]
        return [each for each in said if each is not None]

    def prints_as_promised(self, printed, text):
        said = [each.split(": there as long")[0] for each in self.promised(text, "//")]
        self.assertTrue(said, "it promises nothing")
        self.assertEqual(printed.splitlines(), said)

    def cpp_program(self, block):
        """Builds it with the project of README.md, and runs it."""
        project = blocks(read("README.md"))
        self.kept["demo.cc"] = block.text
        self.cmake_project("demo.cc")(next(each for each in project if "poold::client" in each.text and
                                           each.language == "cmake"))
        self.prints_as_promised(self.run_as(f"{self.kept['built']}/demo"), block.text)

    def python(self, *before):
        """Runs it, behind what was kept, with the stubs in its folder."""
        def recipe(block):
            program = write(f"{self.folder}/program.py", "".join(before) + block.text)
            printed = self.run_as(sys.executable, program)
            said = self.promised(block.text, "#")
            self.assertTrue(said, "it promises nothing")
            self.assertEqual(printed.splitlines()[-len(said):], said)
        return recipe

    # The guides.

    def test_readme(self):
        def install_module(block):
            self.cmake_project("mine.cc")(block)
            shutil.copy(f"{self.kept['built']}/mine.so", MODULES)
            self.assertEqual(self.run_as("bash", "-c", "poolctl open mine --workers 1 --module mine > /dev/null; "
                                         "poolctl --pool mine submit cube 3"), "27\n")

        def with_a_project(block):
            self.cmake_project("demo.cc")(block)
            self.prints_as_promised(self.run_as(f"{self.kept['built']}/demo"), self.kept["demo.cc"])

        self.walk("README.md",
                  ("sh", self.quickstart),
                  ("", self.first_lines),
                  ("sh", self.elsewhere),
                  ("cpp", self.keep("demo.cc")),
                  ("cmake", with_a_project),
                  ("cpp", self.keep("mine.cc")),
                  ("cmake", install_module),
                  ("cpp", self.cpp_program),
                  ("sh", self.shell()),
                  ("python", self.python()),
                  ("sh", self.on_the_command_line))

    def quickstart(self, block):
        """As it stands, but for a build that is there already."""
        self.assertEqual(block.text, "./deploy/quickstart.sh\n")
        done = subprocess.run(["./deploy/quickstart.sh", f"{BUILD}/bin"], cwd=SOURCE, env=self.env, capture_output=True,
                              text=True, timeout=PATIENCE * 3, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.kept["quickstart"] = done.stdout

    def first_lines(self, block):
        """What the quickstart prints first of its tasks, as far as that is promised: three start at once, the fourth
        when one has ended, and two workers may be told of in either order."""
        shown = block.text.splitlines()
        printed = self.kept["quickstart"].split("apply_async")[1].splitlines()[1:]
        lines = [line for line in printed if line.startswith(("msg: ", "end", "Sub-process"))][:len(shown)]
        self.assertCountEqual(lines, shown)
        self.assertCountEqual(lines[:3], shown[:3])
        self.assertLess(lines.index("end"), lines.index("msg: hello 3") + 2)
        self.assertEqual(lines[-1], shown[-1])

    def on_the_command_line(self, block):
        """With a daemon at the default address, which is one of root's or in the folder of this test."""
        own = dict(self.env, XDG_RUNTIME_DIR=self.folder, TMPDIR=self.folder)
        if os.geteuid() == 0:
            own["POOLD_ADDRESS"] = f"unix:{self.folder}/poold.sock"
            os.makedirs(f"{self.folder}/bin")
            write(f"{self.folder}/bin/poold", f'#!/bin/sh\nexec {PREFIX}/bin/poold --listen "$POOLD_ADDRESS" "$@"\n', 0o755)
            own["PATH"] = f"{self.folder}/bin:{own['PATH']}"
        else:
            del own["POOLD_ADDRESS"]
        before, self.env = self.env, own
        try:
            self.shell("poolctl submit square 7", "poolctl map square 1 2 3", then="kill %1\nwait %1\n")(block)
        finally:
            self.env = before

    def test_exec(self):
        call = blocks(read("README.md"))[9].text.split("print(")[0]
        self.make_stubs()
        self.walk("worker/exec.md",
                  ("sh", self.shell("poolctl --pool shells submit exec -- uname", "printf 'one",
                                    "poolctl --pool shells submit exec --directory")),
                  ("python", self.python(call)),
                  ("cpp", self.cpp_program))

    def make_stubs(self):
        self.shell()(blocks(read("README.md"))[8])

    def test_python_worker(self):
        def program(block):
            self.kept["folder"] = PROGRAMS
            write(f"{PROGRAMS}/my-worker", block.text)

        self.walk("worker/examples/python/README.md",
                  ("python", program),
                  ("sh", self.shell("poolctl --pool py submit square 7")))
        table = self.run_as("poolctl", "--pool", "py", "functions")
        self.assertRegex(table, r"(?m)^square +x: int +int +square\(x\): x times itself$")
        self.assertRegex(table, r"(?m)^twice +google.protobuf.Duration +- +-$")
        self.assertRegex(table, r"(?m)^digest +data +- +-$")
        digest = self.run_as("poolctl", "--pool", "py", "submit", "digest", "--raw", "abc")
        self.assertIn("$bytes", digest)

    def test_contributing(self):
        build, profile = blocks(read("CONTRIBUTING.md"))
        for line in build.lines():
            self.assertIn(line.split("  ")[0].strip(), re.sub(r"configure (\w+)", r"cmake --preset \1", read("tests/run.sh")))
        self.walk("CONTRIBUTING.md", ("sh", self.elsewhere), ("sh", self.profile))

    def profile(self, block):
        self.elsewhere(block)
        bench = f"{BUILD}/bin/poold-bench"
        if not os.path.exists(bench):
            self.skipTest("poold-bench is not built")
        known = self.run_as(bench, "--help")
        for line in block.lines():
            if not line.startswith("build/release/bin/poold-bench"):
                continue
            for word in line.split("#")[0].split()[1:]:
                self.assertIn(word, known + "poold-unix stream-echo", line)

    def test_architecture(self):
        self.walk("ARCHITECTURE.md", ("", self.drawing), ("", self.drawing))

    def test_every_guide_with_blocks_is_known(self):
        known = {"README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "worker/exec.md", "worker/examples/python/README.md"}
        self.assertEqual({guide for guide in guides() if blocks(read(guide))}, known)


if __name__ == "__main__":
    unittest.main()
