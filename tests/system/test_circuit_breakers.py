"""A function under which workers keep dying is held by its circuit breaker: its tasks wait, everything else goes on."""

import re
import unittest

from harness import CANCELLED, CRASHED, QUEUED, SUCCEEDED, PoolCase, api, eventually, seconds
from poold.v1 import pool_pb2, task_pb2


class CircuitBreakerTest(PoolCase):

    def mend(self):
        """From now on crash_unless does not crash."""
        open(self.path("mended"), "w").close()

    def bad(self, pool, **options):
        return pool.submit("crash_unless", self.path("mended"), **options)

    def guarded_pool(self, **spec):
        """A pool whose crash_unless has just killed five workers in a row."""
        pool = self.pool(workers=2, **spec)
        for _ in range(5):
            self.assertEqual(pool.outcome(self.bad(pool)).state, CRASHED)
        return pool

    @staticmethod
    def function(pool, name="crash_unless"):
        return next(function for function in pool.view().function_states if function.name == name)

    def open_for(self, pool):
        return self.function(pool).breaker_open_for.ToNanoseconds()

    def test_a_function_that_keeps_killing_workers_is_held_and_the_others_go_on(self):
        pool = self.guarded_pool()
        self.assertEqual(self.function(pool).deaths_in_a_row, 5)
        self.assertGreater(self.open_for(pool), 0)
        waiting = [self.bad(pool) for _ in range(10)]
        for i in range(50):
            self.assertEqual(pool.call("identity", i), i)
        self.assertEqual(pool.results(pool.map("identity", [(i,) for i in range(100)])), list(range(100)))
        # One at a time tries, after ever longer pauses: nearly all of them still wait.
        self.assertGreaterEqual([pool.state(id) for id in waiting].count(QUEUED), 7)
        self.assertEqual((self.function(pool, "identity").deaths_in_a_row,
                          self.function(pool, "identity").breaker_open_for.ToNanoseconds()), (0, 0))

    def test_explain_tells_of_the_open_breaker(self):
        pool = self.guarded_pool()
        id = [self.bad(pool) for _ in range(6)][-1]
        words = r"the circuit breaker of its function 'crash_unless' is open.*\d workers in a row died under it"
        eventually(lambda: re.search(words, self.stub.Explain(api.ExplainRequest(id=id)).waits_for), "it says so")

    def test_the_breaker_falls_when_the_function_works_again_and_all_that_waits_runs(self):
        pool = self.guarded_pool()
        ids = [self.bad(pool, max_attempts=3) for _ in range(10)]
        map_id = pool.map("crash_unless", [(self.path("mended"),)] * 30, max_attempts=3)
        self.mend()
        self.assertEqual([pool.outcome(id).state for id in ids], [SUCCEEDED] * 10)
        self.assertEqual(pool.results(map_id), [None] * 30)
        self.assertEqual((self.function(pool).deaths_in_a_row, self.open_for(pool)), (0, 0))

    def test_one_is_tried_again_and_again_after_a_while(self):
        pool = self.guarded_pool()
        ids = [self.bad(pool) for _ in range(8)]
        eventually(lambda: self.function(pool).deaths_in_a_row >= 6, "one was tried")
        states = [pool.state(id) for id in ids]
        self.assertEqual(states[0], CRASHED)
        self.assertGreaterEqual(states.count(QUEUED), 4)
        self.assertGreater(self.open_for(pool), 0)

    def test_what_waits_at_the_breaker_can_be_cancelled_and_runs_out_of_its_time(self):
        pool = self.guarded_pool()
        trial = self.bad(pool)
        unwanted, late = self.bad(pool), self.bad(pool, queue_timeout=seconds(0.05))
        self.assertEqual(pool.cancel(unwanted), [True])
        self.assertEqual(pool.outcome(unwanted).state, CANCELLED)
        self.assertEqual(pool.outcome(late).state, task_pb2.TASK_STATE_EXPIRED)
        self.mend()
        pool.outcome(trial)

    def test_a_pool_that_closes_finishes_what_waits_at_the_breaker(self):
        pool = self.guarded_pool()
        ids = [self.bad(pool, max_attempts=3) for _ in range(3)]
        pool.close()
        self.mend()
        self.assertTrue(pool.join())
        self.assertEqual({pool.outcome(id).state for id in ids}, {SUCCEEDED})

    def test_closing_may_cancel_what_waits_at_the_breaker(self):
        pool = self.guarded_pool()
        ids = [self.bad(pool) for _ in range(5)]
        map_id = pool.map("crash_unless", [(self.path("mended"),)] * 30)
        answer = self.stub.Close(api.CloseRequest(pool=pool.name, cancel_queued=True))
        self.assertGreaterEqual(answer.cancelled_tasks, 5)  # all of the six but one that may be tried just now
        self.assertTrue(pool.join())
        self.assertGreaterEqual([pool.outcome(id).state for id in ids].count(CANCELLED), 4)
        self.assertTrue(pool.get(map_id).map.done)

    def test_terminate_ends_what_waits_at_the_breaker(self):
        pool = self.guarded_pool()
        ids = [self.bad(pool) for _ in range(5)]
        pool.terminate()
        self.assertLessEqual({pool.outcome(id).state for id in ids}, {CANCELLED, CRASHED})

    def test_tasks_that_want_a_worker_of_their_own_wait_at_the_breaker_too(self):
        pool = self.guarded_pool()
        ids = [self.bad(pool, fresh=True, max_attempts=3) for _ in range(5)]
        self.assertEqual(pool.call("identity", 7, fresh=True), 7)
        self.mend()
        self.assertEqual({pool.outcome(id).state for id in ids}, {SUCCEEDED})

    def test_a_pool_of_fresh_processes_has_breakers_too(self):
        pool = self.guarded_pool(start_method=pool_pb2.START_METHOD_FRESH)
        self.assertGreater(self.open_for(pool), 0)
        ids = [self.bad(pool, max_attempts=3) for _ in range(5)]
        self.assertEqual(pool.call("identity", 7), 7)
        self.mend()
        self.assertEqual({pool.outcome(id).state for id in ids}, {SUCCEEDED})

    def test_a_map_whose_every_item_kills_is_slowed_down_and_can_be_cancelled(self):
        pool = self.pool(workers=2)
        id = pool.map("crash_unless", [(self.path("mended"),)] * 1000)
        eventually(lambda: self.function(pool).deaths_in_a_row >= 5, "the breaker is open")
        for i in range(20):
            self.assertEqual(pool.call("identity", i), i)
        self.assertLess(pool.stats().workers_started, 20)
        self.assertEqual(pool.cancel(id, running=True), [True])
        self.assertTrue(pool.get(id).map.done)

    def test_a_call_that_comes_back_in_between_keeps_the_breaker_away(self):
        pool = self.pool(workers=2)
        for _ in range(3):
            for _ in range(4):
                self.assertEqual(pool.run("crash", 9).state, CRASHED)
            pool.call("crash", 0)
        self.assertEqual(self.function(pool, "crash").breaker_open_for.ToNanoseconds(), 0)

    def test_deaths_that_were_asked_for_do_not_count(self):
        pool = self.pool(workers=2, stop_grace=seconds(0.01))
        for _ in range(6):
            self.assertEqual(pool.run("ignore_term", 60_000, run_timeout=seconds(0.02)).state,
                             task_pb2.TASK_STATE_TIMED_OUT)
        states = {function.name: function for function in pool.view().function_states}
        self.assertEqual(states["ignore_term"].deaths_in_a_row if "ignore_term" in states else 0, 0)

    def test_each_function_has_its_calls_and_its_average_time(self):
        pool = self.pool(workers=1)
        for _ in range(3):
            pool.call("sleep", 20)
        self.assertEqual(self.function(pool, "sleep").calls, 3)
        self.assertGreaterEqual(self.function(pool, "sleep").average_time.ToMilliseconds(), 20)


if __name__ == "__main__":
    unittest.main()
