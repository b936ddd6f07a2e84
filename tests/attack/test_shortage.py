"""Shortages of the machine and kills from outside: a pool that ran goes on with what it has, keeps its queue, and is
whole again when it is over; one that never ran waits."""

import os
import resource
import signal
import unittest

import grpc

from harness import SUCCEEDED, PoolCase, PoolProxy, alive, api, eventually
from poold.v1 import pool_pb2

RUNNING, STARTING = pool_pb2.POOL_STATE_RUNNING, pool_pb2.POOL_STATE_STARTING
# Four tries that fail made a pool FAILED for ever.
TRIES = 4


class ShortageTest(PoolCase):

    def children(self):
        """Pids of the daemon's children."""
        with open(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children") as file:
            first = file.read()
        found = set(map(int, first.split()))
        for thread in os.listdir(f"/proc/{self.daemon.pid}/task"):
            try:
                with open(f"/proc/{self.daemon.pid}/task/{thread}/children") as file:
                    found |= set(map(int, file.read().split()))
            except OSError:
                continue
        return {pid for pid in found if alive(pid)}

    def zygotes(self, pool):
        """Pids of the daemon's children that are no workers."""
        return self.children() - {worker.pid for worker in pool.workers()} - self.others

    def setUp(self):
        super().setUp()
        self.others = self.children()

    def short_of(self, limit):
        """No more than there are now, of descriptors or processes, for the running daemon. Returns what ends it."""
        before = resource.prlimit(self.daemon.pid, limit)
        resource.prlimit(self.daemon.pid, limit, (4, before[1]))
        restore = lambda: resource.prlimit(self.daemon.pid, limit, before)
        self.addCleanup(restore)
        return restore

    def check_that_it_recovers(self, pool, workers, tasks):
        self.assertEqual(pool.view().state, RUNNING)
        self.go_on()
        for task in tasks:
            outcome = pool.outcome(task)
            self.assertEqual(outcome.state, SUCCEEDED, outcome)
            self.assertEqual(outcome.attempt, 1)
        eventually(lambda: len(pool.ready_workers()) == workers, "all workers are there again")
        eventually(lambda: pool.view().start_failure == "", "nothing is said to be missing")

    def test_a_pool_outlives_a_shortage_of_descriptors_with_its_queue(self):
        pool = self.pool(workers=2)
        running = self.begin(pool)
        queued = [pool.submit("echo", b"x", priority=-1) for _ in range(20)]
        busy = {worker.pid for worker in pool.workers() if worker.running == running}
        started = pool.stats().workers_started
        over = self.short_of(resource.RLIMIT_NOFILE)
        for pid in {worker.pid for worker in pool.workers()} - busy:
            os.kill(pid, signal.SIGKILL)
        second = pool.submit("begin_and_wait", self.path("second"), self.path("go on"))
        third = pool.submit("echo", b"y")
        eventually(lambda: pool.stats().workers_started >= started + TRIES, "it is tried again and again")
        eventually(lambda: "shortage" in pool.view().start_failure, "its view says why")
        self.assertEqual(pool.view().state, RUNNING)
        self.assertIn("shortage", self.stub.Explain(api.ExplainRequest(id=third)).waits_for)
        eventually(lambda: "pool_start_failed" in self.daemon.log(), "the log says why")
        self.assertTrue(all(alive(pid) for pid in busy), "the worker that lives goes on")
        over()
        self.check_that_it_recovers(pool, 2, [running, second, third] + queued)
        self.assertIn("pool_starts_again", self.daemon.log())

    def test_a_zygote_that_is_killed_while_it_loads_is_started_again(self):
        hold = self.path("hold")
        pool = self.pool(workers=1, preload=["hold"], environment={"HOLD": hold})
        task = self.begin(pool)
        queued = pool.submit("echo", b"x")
        open(hold, "w").close()
        killed = set()
        for _ in range(TRIES + 1):
            [pid] = eventually(lambda: self.zygotes(pool) - killed, "there is a zygote")
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        eventually(lambda: "somebody else" in pool.view().start_failure, "its view says why")
        self.assertEqual(pool.view().state, RUNNING)
        os.unlink(hold)
        self.check_that_it_recovers(pool, 1, [task, queued])

    def test_a_pool_that_never_ran_waits_until_nobody_kills_its_zygotes(self):
        hold = self.path("hold")
        open(hold, "w").close()
        spec = self.spec(workers=1, preload=["hold"], environment={"HOLD": hold})
        opened = self.daemon.stub._stub.OpenPool.future(api.OpenPoolRequest(spec=spec), timeout=60)
        pool = PoolProxy(self.stub, spec.name)
        self.addCleanup(self._terminate, pool)

        def view():
            try:
                return pool.view()
            except grpc.RpcError:
                return None

        eventually(view, "the pool is there")
        killed = set()
        for _ in range(TRIES):
            [pid] = eventually(lambda: self.zygotes(pool) - killed, "there is a zygote")
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        eventually(lambda: "somebody else" in pool.view().start_failure, "its view says why")
        self.assertEqual(pool.view().state, STARTING)
        os.unlink(hold)
        self.assertEqual(opened.result().pool.state, RUNNING)
        self.assertEqual(pool.call("echo", b"x"), b"x")


if __name__ == "__main__":
    unittest.main()
