"""A process of its own for every task, at the price of a clone."""

import signal
import unittest

from harness import CRASHED, SUCCEEDED, PoolCase, Watcher, alive, eventually
from poold.v1 import pool_pb2


class FreshTest(PoolCase):

    def fresh(self, **spec):
        return self.pool(start_method=pool_pb2.START_METHOD_FRESH, **spec)

    def test_every_task_has_a_process_of_its_own_which_ends_with_it(self):
        pool = self.fresh(workers=2)
        ids = pool.submit_all([pool.task("ident") for _ in range(50)])
        self.assertEqual({pool.outcome(id).state for id in ids}, {SUCCEEDED})
        pids = [pool.call("ident")["pid"] for _ in range(20)]
        self.assertEqual(len(set(pids)), 20)
        eventually(lambda: not any(alive(pid) for pid in pids), "they are gone")

    def test_what_the_preload_prepared_is_shared_by_all_of_them(self):
        pool = self.fresh(workers=2, preload=["preload_ok"])
        preparers = {pool.call("preloaded_by") for _ in range(10)}
        self.assertEqual(len(preparers), 1)
        self.assertNotIn(preparers.pop(), {worker.pid for worker in pool.workers()})

    def test_what_a_task_leaves_in_its_process_no_other_task_sees(self):
        pool = self.fresh(workers=1)
        self.assertIsNone(pool.call("init_ok", "spoilt"))
        self.assertEqual(pool.call("init_text"), "")
        ordinary = self.pool(workers=1)
        self.assertIsNone(ordinary.call("init_ok", "spoilt"))
        self.assertEqual(ordinary.call("init_text"), "spoilt")

    def test_spares_are_kept_ready(self):
        pool = self.fresh(workers=2, spares=3)
        eventually(lambda: len(pool.ready_workers()) == 5, "they are ready")
        for _ in range(10):
            pool.call("echo", b"x")
        eventually(lambda: len(pool.ready_workers()) == 5, "there are as many again")

    def test_no_more_run_at_a_time_than_the_pool_has_workers(self):
        pool = self.fresh(workers=2)
        ids = [self.begin(pool) for _ in range(2)]
        waiting = pool.submit("echo", b"x")
        idle = pool_pb2.WORKER_STATE_IDLE
        eventually(lambda: [worker for worker in pool.workers() if worker.state == idle], "there are spares")
        self.assertEqual(pool.stats().running, 2)
        self.go_on()
        self.assertEqual({pool.outcome(id).state for id in [*ids, waiting]}, {SUCCEEDED})

    def test_in_a_map_each_item_has_a_process_of_its_own_unless_chunks_are_asked_for(self):
        pool = self.fresh(workers=2)
        pids = [value["pid"] for value in pool.results(pool.map("ident", [()] * 20))]
        self.assertEqual(len(set(pids)), 20)
        pids = [value["pid"] for value in pool.results(pool.map("ident", [()] * 20, chunk_size=5))]
        self.assertLessEqual(len(set(pids)), 10)

    def test_a_crash_costs_the_task_alone(self):
        pool = self.fresh(workers=1)
        ids = pool.submit_all([pool.task("crash", int(signal.SIGSEGV) if i == 5 else 0) for i in range(10)])
        self.assertEqual([pool.outcome(id).state for id in ids], [CRASHED if i == 5 else SUCCEEDED for i in range(10)])

    def test_what_it_prints_and_reports_is_its_own(self):
        pool = self.fresh(workers=2)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        ids = pool.submit_all([pool.task("print", str(i), stream_output=True) for i in range(20)])
        reporter = pool.submit("progress", 2, 1)
        self.assertEqual([pool.outcome(id).stdout_tail for id in ids], [f"{i}\n".encode() for i in range(20)])
        pool.outcome(reporter)
        pool.close()
        watcher.wait_for_end()
        self.assertEqual([watcher.output(id) for id in ids], [f"{i}\n".encode() for i in range(20)])
        self.assertEqual([e.progress.fraction for e in watcher.events if e.progress.id == reporter][-1], 1)

    def test_one_task_of_an_ordinary_pool_may_ask_for_it(self):
        pool = self.pool(workers=1)
        pool.call("ident")
        fresh = pool.call("ident", fresh=True)["pid"]
        self.assertNotIn(fresh, {pool.call("ident")["pid"] for _ in range(5)})
        eventually(lambda: not alive(fresh), "it ended with its task")
        eventually(lambda: len(pool.workers()) == 1, "there are as many workers as before")


if __name__ == "__main__":
    unittest.main()
