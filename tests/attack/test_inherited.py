"""A daemon that was started by somebody who left it signals, descriptors, limits and a umask in disorder is as any other."""

import os
import resource
import signal
import stat
import subprocess
import unittest

from harness import BIN, CRASHED, SUCCEEDED, Daemon, PoolProxy, api, eventually
from poold.v1 import pool_pb2, task_pb2


def disorder():
    """Of the process that becomes poold."""
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    signal.setitimer(signal.ITIMER_REAL, 2, 0.1)
    os.umask(0o777)
    for limit, soft in ((resource.RLIMIT_NOFILE, 48), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(limit, (soft, resource.getrlimit(limit)[1]))
    for descriptor in (0, 1, 2):
        os.close(descriptor)


class DisorderedDaemon(Daemon):

    def launch(self, *flags):
        self.log_path = "/dev/null"
        command = [os.path.join(BIN, "poold"), "--config", self.config_path, *self.flags, *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=self.env, preexec_fn=disorder)
        return self.process


class InheritedTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(DisorderedDaemon())
        spec = pool_pb2.PoolSpec(name="p", modules=["testing"], workers=2)
        cls.daemon.stub.OpenPool(api.OpenPoolRequest(spec=spec))
        cls.pool = PoolProxy(cls.daemon.stub, "p")

    def test_a_death_certificate_has_its_signal(self):
        outcome = self.pool.run("crash", int(signal.SIGSEGV))
        self.assertEqual((outcome.state, outcome.death.signal), (CRASHED, signal.SIGSEGV), outcome)
        self.assertEqual(outcome.death.killed_by, task_pb2.KILLED_BY_ITSELF)

    def test_workers_that_somebody_kills_fence_no_function(self):
        for _ in range(6):
            id = self.pool.submit("sleep", 60_000)

            def killed():
                # One that had not begun it yet does not count: it runs elsewhere.
                for worker in self.pool.workers():
                    if worker.running == id:
                        os.kill(worker.pid, signal.SIGKILL)
                return self.pool.get(id, wait=0.1).done

            eventually(killed, "it has ended")
            outcome = self.pool.outcome(id)
            self.assertEqual(outcome.death.killed_by, task_pb2.KILLED_BY_OUTSIDER, outcome)
        states = {state.name: state for state in self.pool.view().function_states}
        self.assertEqual(states["sleep"].deaths_in_a_row, 0)

    def test_standard_descriptors_are_open_and_nothing_of_ours(self):
        for pid in (self.daemon.pid, self.pool.call("ident")["pid"]):
            for descriptor in (0, 1, 2):
                target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                self.assertNotIn("sock", target)
                self.assertNotIn("anon_inode", target)
        self.assertEqual(os.readlink(f"/proc/{self.daemon.pid}/fd/2"), "/dev/null")

    def test_limits_are_those_that_the_hard_limits_allow(self):
        for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
            soft, hard = resource.prlimit(self.daemon.pid, limit)
            self.assertEqual(soft, hard)

    def test_no_signal_is_ignored_or_blocked_in_a_worker(self):
        with open(f"/proc/{self.pool.call('ident')['pid']}/status") as file:
            status = dict(line.split(":", 1) for line in file)
        self.assertEqual(int(status["SigBlk"], 16), 0)
        own = 3 << 31  # the C library's: nobody else may set them
        self.assertEqual(int(status["SigIgn"], 16) & ~own, 0)

    def test_the_owner_may_use_what_the_daemon_and_its_tasks_make(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.daemon.socket).st_mode) & stat.S_IRUSR, stat.S_IRUSR)
        path = os.path.join(self.daemon.folder, "made by a task")
        self.assertEqual(self.pool.run("append", path, "line").state, SUCCEEDED)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o700, 0o600)

    def test_a_large_result_goes_to_disk(self):
        self.assertEqual(len(self.pool.call("blob", 900_000)), 900_000)

    def test_a_command_works_too(self):
        done = subprocess.run([os.path.join(BIN, "poolctl"), "--address", f"unix:{self.daemon.socket}", "pools"],
                              preexec_fn=lambda: (signal.signal(signal.SIGCHLD, signal.SIG_IGN), os.umask(0o777), os.close(0)),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"p", done.stdout)

    def test_it_ends_when_it_is_asked_to(self):
        with DisorderedDaemon() as other:
            other.signal(signal.SIGTERM)
            self.assertEqual(other.wait(), 0)


if __name__ == "__main__":
    unittest.main()
