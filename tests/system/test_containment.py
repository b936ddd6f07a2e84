"""A worker's whole process tree dies with it, by each means that this machine gives."""

import os
import signal
import unittest

from harness import CANCELLED, SUCCEEDED, TIMED_OUT, Daemon, PoolProxy, alive, api, eventually, seconds
from poold.v1 import pool_pb2, server_info_pb2


class ContainmentStories:
    """The promises, whatever the means. Mixed into one test case for each means."""

    means = ""
    promises_grandchildren_after_kill_9 = True

    def setUp(self):
        self.daemon = Daemon(containment=self.means, config="\n[pools]\n", start=False)
        self.addCleanup(self.daemon.__exit__, None, None, None)
        self.daemon.launch()
        try:
            self.daemon.wait_until_ready()
        except AssertionError as error:
            self.assertNotIn(self.daemon.process.returncode, (None, 70), error)
            self.daemon.process.stdout.close()
            self.daemon.process = None
            self.skipTest(f"this machine does not give {self.means}: {error}")

    def open(self, name="pool", workers=2, **spec):
        self.daemon.stub.OpenPool(api.OpenPoolRequest(
            spec=pool_pb2.PoolSpec(name=name, workers=workers, modules=["testing"], **spec)))
        return PoolProxy(self.daemon.stub, name)

    def sleepers(self):
        """What daemonize leaves behind."""
        return {pid for pid, name in self.daemon.processes().items() if name == "sleep"}

    def with_grandchildren(self, pool, count=2):
        """Leaves daemonized grandchildren behind and returns their pids."""
        before = self.sleepers()
        for number in range(count):
            self.assertEqual(pool.run("daemonize", 600_000, f"grandchild-{number}").state, SUCCEEDED)

        def left():
            pids = self.sleepers() - before
            return pids if len(pids) >= count else None

        return eventually(left, "the grandchildren are there")

    def assert_gone(self, pids, patience=10):
        eventually(lambda: not any(alive(pid) for pid in pids), f"{sorted(pids)} are gone", patience)

    def test_the_means_in_use_is_reported_and_logged(self):
        wanted = getattr(server_info_pb2, f"CONTAINMENT_{self.means.upper()}")
        self.assertEqual(self.daemon.server_info().containment, wanted)
        self.assertIn(f"event=containment means={self.means}", self.daemon.log().replace('"', ""))

    def test_terminate_answers_when_the_daemonized_grandchildren_are_gone(self):
        pool = self.open()
        grandchildren = self.with_grandchildren(pool)
        id = pool.submit("sleep", 600_000)
        pool.terminate()
        self.assertEqual([pid for pid in grandchildren if alive(pid)], [])
        self.assertEqual(pool.outcome(id).state, CANCELLED)
        self.assertEqual(set(self.daemon.processes()), {self.daemon.pid})

    def test_terminate_with_a_grace_takes_those_along_that_ignore_sigterm(self):
        pool = self.open(workers=1)
        pool.call("ignore_term", 0)  # what its worker starts from now on inherits that
        grandchildren = self.with_grandchildren(pool)
        self.daemon.stub.Terminate(api.TerminateRequest(pool=pool.name, grace=seconds(0.2)))
        self.assertEqual([pid for pid in grandchildren if alive(pid)], [])
        self.assertEqual(set(self.daemon.processes()), {self.daemon.pid})

    def test_a_worker_that_is_recycled_takes_its_grandchildren_along(self):
        pool = self.open(workers=1, max_tasks_per_worker=2)
        grandchildren = self.with_grandchildren(pool, count=1)
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.assert_gone(grandchildren)

    def test_a_closed_and_joined_pool_leaves_no_grandchildren(self):
        pool = self.open()
        grandchildren = self.with_grandchildren(pool)
        pool.close()
        self.assertTrue(pool.join())
        self.assertEqual([pid for pid in grandchildren if alive(pid)], [])

    def test_the_death_of_a_worker_takes_its_grandchildren_along(self):
        pool = self.open()
        grandchildren = self.with_grandchildren(pool)
        # Whichever worker they belong to dies here.
        for worker in pool.ready_workers():
            os.kill(worker.pid, signal.SIGKILL)
        self.assert_gone(grandchildren)
        self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_other_pools_keep_their_processes(self):
        other = self.open("other")
        workers = [worker.pid for worker in other.ready_workers()]
        pool = self.open()
        self.with_grandchildren(pool)
        pool.terminate()
        self.assertEqual([pid for pid in workers if not alive(pid)], [])
        self.assertEqual(other.call("echo", b"x"), b"x")

    def test_a_task_that_is_stopped_by_its_time_limit_leaves_nothing(self):
        pool = self.open(stop_grace=seconds(0.05))
        before = set(self.daemon.processes())
        outcome = pool.run("ignore_term", 600_000, run_timeout=seconds(0.2))
        self.assertEqual(outcome.death.signal, signal.SIGKILL)
        self.assertFalse(alive(outcome.death.pid))
        eventually(lambda: len(self.daemon.processes()) == len(before), "the worker is replaced and nothing else is there")

    def test_when_a_time_limit_is_told_the_whole_tree_is_gone_also_what_ignores_sigterm(self):
        pool = self.open(workers=1, stop_grace=seconds(0.1))
        pool.call("ignore_term", 0)  # what its worker starts from now on inherits that
        grandchildren = self.with_grandchildren(pool)
        outcome = pool.run("ignore_term", 600_000, run_timeout=seconds(0.5))
        self.assertEqual((outcome.state, outcome.death.signal), (TIMED_OUT, signal.SIGKILL))
        self.assertEqual([pid for pid in grandchildren if alive(pid)], [])
        self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_when_a_cancel_is_told_the_whole_tree_is_gone_also_what_ignores_sigterm(self):
        pool = self.open(workers=1, stop_grace=seconds(0.1))
        pool.call("ignore_term", 0)
        grandchildren = self.with_grandchildren(pool)
        id = pool.submit("progress", 600_000, 1)
        eventually(lambda: pool.get(id, wait=0).task.HasField("progress"), "the task has begun")
        pool.cancel(id, running=True)
        self.assertEqual(pool.outcome(id).state, CANCELLED)
        self.assertEqual([pid for pid in grandchildren if alive(pid)], [])

    def test_kill_9_of_the_daemon_leaves_no_live_process_a_second_later(self):
        pool = self.open()
        spawned = self.open("spawned", start_method=pool_pb2.START_METHOD_SPAWN)
        grandchildren = self.with_grandchildren(pool) | self.with_grandchildren(spawned)
        for busy in (pool, spawned):
            ids = [busy.submit("ignore_term", 600_000), busy.submit("spin", 600_000)]
            busy.wait_until_running(*ids)
        everything = set(self.daemon.processes())
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()
        if self.promises_grandchildren_after_kill_9:
            self.assert_gone(everything, patience=1 if "CI" not in os.environ else 3)
        else:
            self.assert_gone(everything - grandchildren, patience=1 if "CI" not in os.environ else 3)
            for pid in grandchildren:
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)

    def test_sigterm_leaves_nothing(self):
        pool = self.open()
        grandchildren = self.with_grandchildren(pool)
        self.assertEqual(self.daemon.stop(), 0)
        self.assert_gone(grandchildren, patience=1)


class CgroupTest(ContainmentStories, unittest.TestCase):
    means = "cgroup"

    def test_no_cgroup_is_left_behind(self):
        def cgroup_of(pid):
            with open(f"/proc/{pid}/cgroup") as file:
                return next(line.split(":", 2)[2].strip() for line in file if line.startswith("0::"))

        pool = self.open()
        worker = cgroup_of(pool.ready_workers()[0].pid)
        mount = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
        self.assertTrue(os.path.isdir(mount + worker))
        self.daemon.stop()
        self.assertFalse(os.path.exists(mount + worker))
        self.assertFalse(os.path.exists(mount + os.path.dirname(worker)))


class PidNamespaceTest(ContainmentStories, unittest.TestCase):
    means = "pid_namespace"


class SubreaperTest(ContainmentStories, unittest.TestCase):
    means = "subreaper"
    promises_grandchildren_after_kill_9 = False


class AutomaticTest(unittest.TestCase):

    def test_the_best_means_is_chosen_and_the_reason_is_given_when_there_is_a_better_one(self):
        with Daemon() as daemon:
            info = daemon.server_info()
            self.assertNotEqual(info.containment, server_info_pb2.CONTAINMENT_UNSPECIFIED)
            if info.containment != server_info_pb2.CONTAINMENT_CGROUP:
                self.assertNotEqual(info.containment_note, "")


if __name__ == "__main__":
    unittest.main()
