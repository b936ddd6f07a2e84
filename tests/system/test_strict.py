"""Strict pools: the death of a worker breaks them, as it breaks a ProcessPoolExecutor."""

import os
import signal
import unittest

import grpc

from harness import CANCELLED, CRASHED, SUCCEEDED, PoolCase, Watcher, alive, api, eventually, seconds
from poold.v1 import pool_pb2, task_pb2

MIB = 1 << 20


class StrictTest(PoolCase):

    def strict(self, name=None, **spec):
        return self.pool(name, death_policy=pool_pb2.DEATH_POLICY_STRICT, **spec)

    def assert_broken(self, pool, *words):
        """It takes nothing any more, and says why."""
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_FAILED)
        for word in words:
            self.assertIn(word, pool.view().failure)
        self.assert_task_refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_BROKEN",
                                 pool.try_submit(pool.task("echo", b"x")), pool.name, *words)
        self.assert_refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_BROKEN",
                            lambda: pool.map("echo", [(b"x",)]), pool.name)

    def test_one_death_breaks_the_pool_and_cancels_all_that_is_unfinished(self):
        pool = self.strict(workers=2)
        done = pool.submit("echo", b"before")
        pool.outcome(done)
        workers = [worker.pid for worker in pool.ready_workers()]
        running = self.begin(pool)
        guilty, *waiting = pool.submit_all([pool.task("complain_and_abort", "this cannot be", max_attempts=5)] +
                                           [pool.task("append", self.path("ran"), "x")] * 5)
        outcome = pool.outcome(guilty)
        self.assertEqual((outcome.state, outcome.attempt), (CRASHED, 1))
        self.assertEqual((outcome.death.signal, outcome.death.killed_by), (signal.SIGABRT, task_pb2.KILLED_BY_ITSELF))
        self.assertIn(b"this cannot be", outcome.stderr_tail)
        for id in [running, *waiting]:
            outcome = pool.outcome(id)
            self.assertEqual((outcome.state, outcome.failure.type), (CANCELLED, "poold.Cancelled"))
            self.assertIn("its pool is broken: worker", outcome.failure.message)
            self.assertIn("in function 'complain_and_abort'", outcome.failure.message)
        self.assert_broken(pool, f"signal {int(signal.SIGABRT)} in function 'complain_and_abort'")
        self.assertEqual(pool.outcome(done).state, SUCCEEDED)
        self.assertEqual(self.lines("ran"), [])
        self.assertTrue(pool.join())
        self.assertEqual([pid for pid in workers if alive(pid)], [])

    def test_in_a_map_the_guilty_item_is_crashed_and_the_rest_is_cancelled(self):
        pool = self.strict(workers=1)
        id = pool.map("append_or_crash", [(i, self.path("runs"), 5) for i in range(20)], chunk_size=10, max_attempts=3)
        results = dict(pool.items(id))
        self.assertEqual([results[i] for i in range(5)], [None] * 5)
        self.assertEqual(results[5].state, CRASHED)
        self.assertEqual((pool.end.done, pool.end.items, pool.end.done_items), (True, 20, 6))
        self.assertEqual(self.lines("runs"), [str(i) for i in range(5)])
        self.assert_broken(pool, "in function 'append_or_crash'")

    def test_a_worker_that_exits_or_is_killed_while_it_is_idle_breaks_it_too(self):
        pool = self.strict(workers=2)
        self.assertEqual(pool.run("exit", 3).death.exit_code, 3)
        self.assert_broken(pool, "exited with code 3 in function 'exit'")
        pool = self.strict(workers=2)
        os.kill(pool.ready_workers()[0].pid, signal.SIGKILL)
        eventually(lambda: pool.view().state == pool_pb2.POOL_STATE_FAILED, "the pool is broken")
        self.assert_broken(pool, "while it was idle")

    def test_who_waits_for_a_handle_learns_it_at_once(self):
        pool = self.strict(workers=2)
        id = self.begin(pool)
        waiting = self.daemon.another_client()._stub.Get.future(
            api.GetRequest(id=id, wait_timeout=seconds(50)), timeout=60)
        pool.run("exit", 1)
        self.assertEqual(waiting.result().task.state, CANCELLED)

    def test_time_limits_cancels_memory_limits_and_recycling_do_not_break_it(self):
        pool = self.strict(workers=1, stop_grace=seconds(0.05), memory_limit_bytes=128 * MIB, max_tasks_per_worker=3)
        self.assertEqual(pool.run("ignore_term", 60_000, run_timeout=seconds(0.05)).state, task_pb2.TASK_STATE_TIMED_OUT)
        id = self.begin(pool)
        pool.cancel(id, running=True)
        self.assertEqual(pool.outcome(id).state, CANCELLED)
        self.assertEqual(pool.run("grow_and_wait", 256 * MIB, self.path("grown"), self.path("never")).death.killed_by,
                         task_pb2.KILLED_BY_MEMORY_LIMIT)
        for _ in range(10):
            self.assertEqual(pool.call("echo", b"x"), b"x")
        self.assertEqual(pool.run("throw", "a failure is no death").state, task_pb2.TASK_STATE_FAILED)
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_RUNNING)
        self.assertGreaterEqual(pool.stats().recycled, 3)

    def test_resizing_and_reloading_do_not_break_it(self):
        pool = self.strict(workers=3)
        self.stub.Resize(api.ResizeRequest(pool=pool.name, workers=1))
        eventually(lambda: len(pool.workers()) == 1, "there is one worker")
        self.stub.Reload(api.ReloadRequest(pool=pool.name))
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_RUNNING)

    def test_each_way_to_make_workers_has_it(self):
        for method in (pool_pb2.START_METHOD_SPAWN, pool_pb2.START_METHOD_FRESH):
            with self.subTest(method=method):
                pool = self.strict(workers=1, start_method=method)
                for _ in range(3):
                    pool.call("echo", b"x")
                self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_RUNNING)
                self.assertEqual(pool.run("crash", int(signal.SIGSEGV)).state, CRASHED)
                self.assert_broken(pool, "in function 'crash'")

    def test_a_watcher_of_the_pool_sees_it_break_and_its_stream_ends(self):
        pool = self.strict(workers=1)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        pool.run("exit", 1)
        watcher.wait_for_end()
        states = [event.pool.state for event in watcher.events if event.HasField("pool")]
        self.assertEqual(states[-1], pool_pb2.POOL_STATE_FAILED)

    def test_a_broken_pool_may_be_opened_anew(self):
        pool = self.strict(workers=1)
        pool.run("exit", 1)
        self.assert_broken(pool)
        again = self.strict(pool.name, workers=1)
        self.assertTrue(again.opened.created)
        self.assertEqual(again.call("echo", b"x"), b"x")

    def test_other_pools_do_not_notice(self):
        other = self.pool(workers=1)
        self.strict(workers=1).run("exit", 1)
        self.assertEqual(other.call("echo", b"x"), b"x")


if __name__ == "__main__":
    unittest.main()
