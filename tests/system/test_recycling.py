"""Workers that are replaced for their memory, their age or their tasks: without a pause, and without losing work."""

import os
import unittest

from harness import RUNNING, SUCCEEDED, PoolCase, Watcher, alive, eventually, seconds
from poold.v1 import pool_pb2

MIB = 1 << 20


class RecyclingTest(PoolCase):

    def watched_pool(self, **spec):
        pool = self.pool(**spec)
        pool.watcher = Watcher(self.daemon.another_client(), pool=pool.name, output=False)
        self.addCleanup(pool.watcher.cancel)
        return pool

    def grow(self, pool, mebibytes):
        """Submits a task that takes so much memory for ever; returns its id when it has it. It ends after `go_on`."""
        begun = self.path(f"grown-{next(self._names)}")
        id = pool.submit("grow_and_wait", mebibytes * MIB, begun, self.path("go on"))
        eventually(lambda: os.path.exists(begun), "the task has its memory")
        return id

    def assert_never_without_a_worker(self, pool):
        ready = (pool_pb2.WORKER_STATE_IDLE, pool_pb2.WORKER_STATE_BUSY)
        def views():
            return [event.pool for event in list(pool.watcher.events) if event.HasField("pool")]

        # They are told now and then: the one of the end may be under way.
        eventually(lambda: len(views()) > 1, "the watcher has seen what became of the pool")
        for view in views():
            self.assertTrue([worker for worker in view.workers if worker.state in ready], view.workers)

    def test_a_worker_that_has_grown_finishes_its_task_and_is_replaced(self):
        pool = self.watched_pool(workers=1, max_worker_rss_bytes=128 * MIB)
        grown = pool.ready_workers()[0].pid
        id = self.grow(pool, 256)
        eventually(lambda: pool.stats().recycled == 1, "its size was seen")
        eventually(lambda: len(pool.ready_workers()) == 2, "its replacement is there before it goes")
        self.assertEqual(pool.state(id), RUNNING)
        self.go_on()
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)
        self.assertNotEqual(pool.call("ident")["pid"], grown)
        eventually(lambda: not alive(grown), "the grown one is gone")
        eventually(lambda: len(pool.workers()) == 1, "there are as many workers as before")
        self.assertEqual((pool.stats().recycled, pool.stats().crashed), (1, 0))
        self.assert_never_without_a_worker(pool)

    def test_a_worker_that_stays_small_is_left_alone(self):
        pool = self.pool(workers=1, max_worker_rss_bytes=512 * MIB)
        pid = pool.ready_workers()[0].pid
        self.go_on()
        pool.outcome(self.grow(pool, 64))
        eventually(lambda: pool.workers()[0].rss_bytes > 64 * MIB, "it was looked at")
        self.assertEqual([worker.pid for worker in pool.workers()], [pid])
        self.assertEqual(pool.stats().recycled, 0)

    def test_the_memory_of_a_worker_is_shown(self):
        pool = self.pool(workers=1, max_worker_rss_bytes=1024 * MIB)
        pool.call("echo", b"x")
        before = eventually(lambda: pool.workers()[0].rss_bytes, "it was looked at")
        self.assertGreater(before, 1 * MIB)
        self.grow(pool, 128)
        eventually(lambda: pool.workers()[0].rss_bytes > before + 120 * MIB, "what it took is seen")
        self.go_on()

    def test_workers_are_replaced_one_after_the_other_when_they_are_old(self):
        pool = self.watched_pool(workers=2, max_worker_age=seconds(0.5))
        first = {worker.pid for worker in pool.ready_workers()}

        def all_are_new():
            self.assertEqual(pool.call("echo", b"x"), b"x")  # as if nothing were the matter
            ready = {worker.pid for worker in pool.ready_workers()}
            return len(ready) >= 2 and not ready & first

        eventually(all_are_new, "the old ones are replaced")
        eventually(lambda: not any(alive(pid) for pid in first), "and gone")
        self.assertGreaterEqual(pool.stats().recycled, 2)
        self.assert_never_without_a_worker(pool)

    def test_an_old_worker_finishes_its_task(self):
        pool = self.pool(workers=1, max_worker_age=seconds(0.3))
        old = pool.ready_workers()[0].pid
        id = self.begin(pool)
        eventually(lambda: [worker for worker in pool.ready_workers() if worker.pid != old], "the replacement is there")
        self.assertEqual(pool.state(id), RUNNING)
        self.go_on()
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)
        eventually(lambda: not alive(old), "the old one is gone")

    def test_work_goes_on_while_workers_are_replaced_all_the_time(self):
        pool = self.watched_pool(workers=2, max_worker_age=seconds(0.2), max_tasks_per_worker=50)
        ids = pool.submit_all([pool.task("append", self.path("runs"), str(i)) for i in range(500)])
        map_id = pool.map("sleep", [(2,)] * 500)
        self.assertEqual({pool.outcome(id).state for id in ids}, {SUCCEEDED})
        self.assertEqual(pool.results(map_id), [None] * 500)
        self.assertCountEqual(self.lines("runs"), [str(i) for i in range(500)])
        self.assertGreaterEqual(pool.stats().recycled, 5)

    def test_those_that_ran_as_many_tasks_as_they_may_are_counted(self):
        pool = self.pool(workers=1, max_tasks_per_worker=3)
        for _ in range(9):
            pool.call("echo", b"x")
        eventually(lambda: pool.stats().recycled == 3, "three were replaced")


if __name__ == "__main__":
    unittest.main()
