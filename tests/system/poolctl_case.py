"""What the tests of poolctl share: how it is run, and what it must say."""

import json
import os
import pty
import re
import select
import subprocess
import termios
import time

from harness import BIN, PATIENCE, PoolCase, eventually

POOLCTL = os.path.join(BIN, "poolctl")


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

    def read_all(self):
        """Reads until the process has ended; all that was shown."""
        if self.slave is not None:
            os.close(self.slave)
            self.slave = None
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if select.select([self.master], [], [], 0.1)[0]:
                    self.seen += os.read(self.master, 65536)
            except OSError:  # nobody has its other end any more
                return self.seen.decode()
        raise AssertionError(f"it did not end: {self.seen[-2000:]}")

    def press(self, keys):
        os.write(self.master, keys)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        if self.slave is not None:
            os.close(self.slave)


class PoolctlCase(PoolCase):
    """Runs poolctl; each test has a pool of its own, `self.name`, with the modules testing, examples and
    mischief."""

    def setUp(self):
        super().setUp()
        self.env = dict(os.environ, POOLD_ADDRESS=f"unix:{self.daemon.socket}")
        self.opened = self.pool(modules=["testing", "examples", "mischief"])
        self.name = self.opened.name

    def ctl(self, *words, input=None, status=0):
        """Runs it in this test's pool; the exit status must be this one."""
        done = subprocess.run([POOLCTL, "--pool", self.name, *words], input=input, env=self.env, capture_output=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL if input is None else None)
        self.assertEqual(done.returncode, status, f"poolctl {' '.join(words)}\n{done.stdout}\n{done.stderr}")
        return done

    def says(self, *words, **rest):
        """What it prints on stdout."""
        return self.ctl(*words, **rest).stdout.decode()

    def complains(self, status, *words, **rest):
        """What it prints on stderr; nothing may stand on stdout."""
        done = self.ctl(*words, status=status, **rest)
        self.assertEqual(done.stdout, b"")
        text = done.stderr.decode()
        self.assertRegex(text, "(?m)^poolctl: ")
        return text

    def json(self, *words, **rest):
        """The one document that it prints."""
        return json.loads(self.says("--json", *words, **rest))

    def start(self, *words, stdin=subprocess.DEVNULL):
        """Starts it and lets it run."""
        process = subprocess.Popen([POOLCTL, "--pool", self.name, *words], env=self.env, stdin=stdin,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self._reap, process)
        return process

    def terminal(self, *words):
        """Starts it under a terminal of its own."""
        terminal = Terminal([POOLCTL, *words], self.env)
        self.addCleanup(terminal.close)
        return terminal

    @staticmethod
    def _reap(process):
        if process.poll() is None:
            process.kill()
        PoolctlCase.close_input(process)
        process.communicate()

    @staticmethod
    def close_input(process):
        """No more will come."""
        if process.stdin is not None:
            process.stdin.close()
            process.stdin = None

    def wait_until_busy(self):
        return eventually(lambda: [w for w in self.json("workers", self.name)["workers"] if w["state"] == "BUSY"],
                          "a worker is busy")

    def ends(self, process, status):
        """Waits for its end, which must be with this status; what it printed on stdout and stderr."""
        printed, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, status, errors)
        return printed.decode(), errors.decode()

    def handle(self, *words):
        """Submits and does not wait."""
        return self.says("submit", "--no-wait", *words).strip()

    def state(self, id):
        return self.json("explain", id)["entry"]["task"]["state"]
