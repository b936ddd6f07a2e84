"""Tries after the first, and when there are no more of them."""

import signal
import unittest

from harness import CANCELLED, CRASHED, FAILED, SUCCEEDED, TIMED_OUT, PoolCase, api, eventually, seconds, value_of


class RetryTest(PoolCase):

    def quickly(self, **options):
        return dict(retry_delay=seconds(0.001), **options)

    def test_by_default_nothing_is_tried_again(self):
        pool = self.pool(workers=1)
        for function, argument, state in (("flaky", 2, FAILED), ("flaky_crash", 2, CRASHED)):
            outcome = pool.run(function, argument)
            self.assertEqual((outcome.state, outcome.attempt, outcome.poison), (state, 1, False))
        self.assertEqual(pool.stats().retried, 0)

    def test_with_more_attempts_crashes_alone_are_tried_again(self):
        pool = self.pool(workers=1)
        self.assertEqual(pool.call("flaky_crash", 3, **self.quickly(max_attempts=3)), 3)
        self.assertEqual(pool.run("flaky", 2, **self.quickly(max_attempts=3)).state, FAILED)
        self.assertEqual(pool.stats().retried, 2)

    def test_what_is_tried_again_can_be_said(self):
        pool = self.pool(workers=1)
        self.assertEqual(pool.call("flaky", 4, **self.quickly(max_attempts=5, retry_on=[FAILED])), 4)
        outcome = pool.run("flaky_crash", 2, **self.quickly(max_attempts=5, retry_on=[FAILED]))
        self.assertEqual((outcome.state, outcome.attempt), (CRASHED, 1))
        outcome = pool.run("sleep", 60_000, run_timeout=seconds(0.02),
                           **self.quickly(max_attempts=2, retry_on=[TIMED_OUT]))
        self.assertEqual((outcome.state, outcome.attempt), (TIMED_OUT, 2))

    def test_the_function_is_told_the_number_of_the_attempt(self):
        pool = self.pool(workers=1)
        self.assertEqual(pool.call("attempt"), 1)
        outcome = pool.run("flaky", 3, **self.quickly(max_attempts=3, retry_on=[FAILED]))
        self.assertEqual((value_of(outcome.result), outcome.attempt), (3, 3))

    def test_a_task_that_keeps_failing_ends_with_its_last_attempt(self):
        outcome = self.pool(workers=1).run("flaky", 99, **self.quickly(max_attempts=5, retry_on=[FAILED]))
        self.assertEqual((outcome.state, outcome.attempt, outcome.poison), (FAILED, 5, False))
        self.assertEqual(outcome.failure.message, "flaky: attempt 5")

    def test_explain_tells_each_attempt_with_its_worker_and_its_end(self):
        pool = self.pool(workers=1)
        id = pool.submit("flaky_crash", 3, **self.quickly(max_attempts=3))
        pool.outcome(id)
        attempts = self.stub.Explain(api.ExplainRequest(id=id)).attempts
        self.assertEqual([(a.number, a.state) for a in attempts], [(1, CRASHED), (2, CRASHED), (3, SUCCEEDED)])
        self.assertEqual(len({a.worker_pid for a in attempts} | {a.worker_id for a in attempts}), 6)
        for attempt in attempts[:2]:
            self.assertIn(f"signal {int(signal.SIGKILL)}", attempt.reason)
        self.assertEqual(attempts[2].reason, "")

    def test_one_attempt_waits_for_its_back_off_and_others_go_before_it(self):
        pool = self.pool(workers=1)
        id = pool.submit("flaky", 2, max_attempts=2, retry_on=[FAILED], retry_delay=seconds(60),
                         max_retry_delay=seconds(60))
        eventually(lambda: "tried again in" in self.stub.Explain(api.ExplainRequest(id=id)).waits_for, "it waits")
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.assertEqual(pool.cancel(id), [True])
        self.assertEqual(pool.outcome(id).state, CANCELLED)

    def test_in_a_map_each_item_has_attempts_of_its_own(self):
        pool = self.pool(workers=2)
        id = pool.map("flaky", [(i % 4,) for i in range(20)], chunk_size=5,
                      **self.quickly(max_attempts=3, retry_on=[FAILED]))
        self.assertEqual(pool.results(id), [max(1, i % 4) for i in range(20)])


class PoisonTest(PoolCase):

    def test_a_task_that_killed_three_workers_is_set_aside_and_the_pool_lives_on(self):
        pool = self.pool(workers=2)
        outcome = pool.run("exit", 3, max_attempts=100, retry_delay=seconds(0.001))
        self.assertEqual((outcome.state, outcome.attempt, outcome.poison), (CRASHED, 3, True))
        self.assertEqual(outcome.death.exit_code, 3)
        self.assertEqual(pool.stats().workers_lost, 3)
        self.assertEqual(pool.call("echo", b"x"), b"x")
        eventually(lambda: len(pool.ready_workers()) == 2, "the workers are replaced")

    def test_in_a_map_the_poisonous_item_alone_is_set_aside(self):
        pool = self.pool(workers=2)
        id = pool.map("append_or_crash", [(i, self.path("runs"), 7) for i in range(20)], chunk_size=10, max_attempts=100,
                      retry_delay=seconds(0.001))
        results = pool.results(id)
        self.assertEqual([i for i in range(20) if results[i] is not None], [7])
        self.assertEqual((results[7].state, results[7].attempt, results[7].poison), (CRASHED, 3, True))
        self.assertCountEqual(self.lines("runs"), [str(i) for i in range(20) if i != 7])

    def test_failures_are_no_poison(self):
        outcome = self.pool(workers=1).run("flaky", 6, max_attempts=6, retry_on=[FAILED], retry_delay=seconds(0.001))
        self.assertEqual((outcome.state, outcome.attempt, outcome.poison), (SUCCEEDED, 6, False))


if __name__ == "__main__":
    unittest.main()
