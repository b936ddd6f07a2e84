"""Cancel, Close, Join, Terminate: how handles and pools end."""

import os
import unittest

import grpc

from harness import CANCELLED, RUNNING, SUCCEEDED, PoolCase, alive, api, eventually, seconds
from poold.v1 import pool_pb2, task_pb2


class CancelTest(PoolCase):

    def blocked_pool(self, **spec):
        """A pool whose only worker is busy."""
        pool = self.pool(workers=1, **spec)
        pool.blocker = self.begin(pool)
        return pool

    def test_what_waits_can_be_cancelled_and_never_runs(self):
        pool = self.blocked_pool()
        id = pool.submit("append", self.path("ran"), "x")
        self.assertEqual(pool.cancel(id), [True])
        outcome = pool.outcome(id)
        self.assertEqual((outcome.state, outcome.failure.type, outcome.attempt), (CANCELLED, "poold.Cancelled", 0))
        pool.cancel(pool.blocker, running=True)
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.assertEqual(self.lines("ran"), [])

    def test_what_runs_is_left_alone_unless_one_asks(self):
        pool = self.pool(workers=1)
        id = self.begin(pool)
        self.assertEqual(pool.cancel(id), [False])
        self.go_on()
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)

    def test_what_runs_is_stopped_when_asked_and_the_pool_goes_on(self):
        pool = self.blocked_pool()
        self.assertEqual(pool.cancel(pool.blocker, running=True), [True])
        self.assertEqual(pool.outcome(pool.blocker).state, CANCELLED)
        self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_a_task_that_ignores_sigterm_is_stopped_after_the_grace(self):
        pool = self.pool(workers=1, stop_grace={"nanos": 100_000_000})
        id = pool.submit("ignore_term", 60_000)
        pool.wait_until_running(id)
        pool.cancel(id, running=True)
        self.assertEqual(pool.outcome(id).state, CANCELLED)

    def test_the_outcome_of_what_was_stopped_tells_who_ended_its_worker(self):
        pool = self.blocked_pool()
        pool.cancel(pool.blocker, running=True)
        outcome = pool.outcome(pool.blocker)
        self.assertEqual((outcome.state, outcome.death.killed_by), (CANCELLED, task_pb2.KILLED_BY_CANCEL))
        attempts = self.stub.Explain(api.ExplainRequest(id=pool.blocker)).attempts
        self.assertEqual([(attempt.number, attempt.state) for attempt in attempts], [(1, CANCELLED)])

    def test_what_has_ended_stays_as_it_is(self):
        pool = self.pool(workers=1)
        id = pool.submit("echo", b"x")
        pool.outcome(id)
        self.assertEqual(pool.cancel(id, running=True), [False])
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)

    def test_cancelling_twice_is_fine(self):
        pool = self.blocked_pool()
        id = pool.submit("echo", b"x")
        self.assertEqual([pool.cancel(id), pool.cancel(id)], [[True], [True]])

    def test_work_that_was_sent_ahead_can_still_be_cancelled(self):
        pool = self.pool(workers=1)
        for i in range(200):  # The daemon learns that appending is quick.
            pool.run("append", self.path("warm"), str(i))
        blocker = self.begin(pool)
        ids = pool.submit_all([pool.task("append", self.path("ran"), str(i)) for i in range(100)])
        cancelled = pool.cancel(*ids)
        self.go_on()
        pool.outcome(blocker)
        states = [pool.outcome(id).state for id in ids]
        self.assertEqual([state == CANCELLED for state in states], cancelled)
        self.assertEqual(len(self.lines("ran")), states.count(SUCCEEDED))
        self.assertEqual(cancelled, [True] * 100)

    def test_cancelling_a_map_cancels_the_items_that_wait(self):
        pool = self.blocked_pool()
        id = pool.map("append", [(self.path("ran"), str(i)) for i in range(50)])
        self.assertEqual(pool.cancel(id), [True])
        self.assertEqual(pool.results(id), [])  # items without an outcome were cancelled with the map
        self.assertEqual((pool.end.done, pool.end.items, pool.end.done_items), (True, 50, 0))
        pool.cancel(pool.blocker, running=True)
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.assertEqual(self.lines("ran"), [])

    def test_waiting_callers_learn_at_once_that_a_task_was_cancelled(self):
        pool = self.blocked_pool()
        id = pool.submit("echo", b"x")
        waiting = self.daemon.another_client()._stub.Get.future(
            api.GetRequest(id=id, wait_timeout={"seconds": 30}), timeout=60)
        pool.cancel(id)
        self.assertEqual(waiting.result().task.state, CANCELLED)


class CloseTest(PoolCase):

    def test_a_closed_pool_finishes_its_queue_and_then_has_no_process(self):
        pool = self.pool(workers=2)
        pids = [worker.pid for worker in pool.workers()]
        ids = pool.submit_all([pool.task("sleep", 5) for _ in range(40)])
        pool.close()
        self.assertIn(pool.view().state, (pool_pb2.POOL_STATE_CLOSING, pool_pb2.POOL_STATE_CLOSED))
        self.assertTrue(pool.join())
        self.assertEqual({pool.outcome(id).state for id in ids}, {SUCCEEDED})
        self.assertEqual([pid for pid in pids if alive(pid)], [])
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_CLOSED)

    def close_and_cancel(self, pool):
        return self.stub.Close(api.CloseRequest(pool=pool.name, cancel_queued=True)).cancelled_tasks

    def test_close_may_cancel_what_has_not_begun_and_lets_finish_what_runs(self):
        pool = self.pool(workers=2)
        running = [self.begin(pool) for _ in range(2)]
        queued = pool.submit_all([pool.task("append", self.path("ran"), "x") for _ in range(20)])
        later = pool.submit("append", self.path("ran"), "x", start_delay=seconds(3600))
        self.assertEqual(self.close_and_cancel(pool), 21)
        for id in [*queued, later]:
            outcome = pool.outcome(id)
            self.assertEqual((outcome.state, outcome.failure.type, outcome.attempt), (CANCELLED, "poold.Cancelled", 0))
        self.assertEqual([pool.state(id) for id in running], [RUNNING] * 2)
        self.go_on()
        self.assertEqual({pool.outcome(id).state for id in running}, {SUCCEEDED})
        self.assertTrue(pool.join())
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_CLOSED)
        self.assertEqual(self.lines("ran"), [])

    def test_close_that_cancels_takes_back_what_was_sent_ahead(self):
        pool = self.pool(workers=1)
        for i in range(200):  # The daemon learns that appending is quick.
            pool.run("append", self.path("warm"), str(i))
        running = self.begin(pool)
        ids = pool.submit_all([pool.task("append", self.path("ran"), str(i)) for i in range(100)])
        self.assertEqual(self.close_and_cancel(pool), 100)
        self.go_on()
        self.assertTrue(pool.join())
        self.assertEqual({pool.outcome(id).state for id in ids}, {CANCELLED})
        self.assertEqual(pool.outcome(running).state, SUCCEEDED)
        self.assertEqual(self.lines("ran"), [])

    def test_close_that_cancels_leaves_a_map_the_item_that_runs(self):
        pool = self.pool(workers=1)
        begun, go_on = self.path("begun"), self.path("go on")
        running = pool.map("begin_and_wait", [(begun, go_on)] * 10, chunk_size=5)
        waiting = pool.map("begin_and_wait", [(begun, go_on)] * 10)
        eventually(lambda: os.path.exists(begun), "its first item has begun")
        self.assertEqual(self.close_and_cancel(pool), 1)  # the other one still has something that runs
        self.assertTrue(pool.get(waiting).map.done)
        self.go_on()
        self.assertEqual(pool.results(running), [None])
        self.assertEqual((pool.end.done, pool.end.items, pool.end.done_items), (True, 10, 1))
        self.assertTrue(pool.join())
        self.assertEqual(self.lines("begun"), ["begun"])

    def test_a_pool_that_closes_already_may_be_told_to_cancel_what_waits(self):
        pool = self.pool(workers=1)
        running, queued = self.begin(pool), pool.submit("echo", b"x")
        pool.close()
        self.assertEqual(self.close_and_cancel(pool), 1)
        self.assertEqual(pool.outcome(queued).state, CANCELLED)
        self.go_on()
        self.assertEqual(pool.outcome(running).state, SUCCEEDED)

    def test_who_waits_for_all_of_them_comes_back_when_the_rest_is_cancelled(self):
        pool = self.pool(workers=1)
        running, queued = self.begin(pool), [pool.submit("echo", b"x") for _ in range(5)]
        waiting = self.daemon.another_client()._stub.Wait.future(
            api.WaitRequest(ids=[running, *queued], wait_timeout=seconds(50)), timeout=60)
        self.close_and_cancel(pool)
        self.go_on()
        self.assertEqual((list(waiting.result().done), list(waiting.result().not_done)), ([running, *queued], []))

    def test_a_closed_pool_takes_nothing_new(self):
        pool = self.pool(workers=1)
        id = pool.submit("sleep", 200)
        pool.close()
        self.assert_task_refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_NOT_RUNNING",
                                 pool.try_submit(pool.task("echo", b"x")), pool.name)
        self.assert_refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_NOT_RUNNING",
                            lambda: pool.map("echo", [(b"x",)]), pool.name)
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)

    def test_closing_twice_is_fine(self):
        pool = self.pool(workers=1)
        pool.close()
        pool.close()
        self.assertTrue(pool.join())
        pool.close()

    def test_a_worker_that_dies_while_its_pool_closes_does_not_keep_the_rest_from_finishing(self):
        pool = self.pool(workers=1)
        ids = pool.submit_all([pool.task("sleep", 20), pool.task("exit", 1)] + [pool.task("echo", b"x")] * 5)
        pool.close()
        self.assertTrue(pool.join())
        self.assertEqual([pool.outcome(id).state for id in ids[2:]], [SUCCEEDED] * 5)

    def test_joining_a_pool_that_still_runs_is_refused(self):
        pool = self.pool(workers=1)
        self.assert_refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_STILL_RUNNING", pool.join, pool.name)
        self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_a_join_whose_wait_ends_first_is_no_error(self):
        pool = self.pool(workers=1)
        pool.submit("sleep", 30_000)
        pool.close()
        self.assertFalse(pool.join(wait=0.02))

    def test_joining_a_terminated_pool_answers_at_once(self):
        pool = self.pool(workers=1)
        pool.terminate()
        self.assertTrue(pool.join())

    def test_a_closing_pool_can_still_be_terminated(self):
        pool = self.pool(workers=1)
        id = pool.submit("sleep", 60_000)
        pool.close()
        self.assertEqual(pool.terminate(), 1)
        self.assertEqual(pool.outcome(id).state, CANCELLED)


class TerminateTest(PoolCase):

    def test_terminate_ends_every_handle_and_answers_when_the_processes_are_gone(self):
        pool = self.pool(workers=2)
        pids = [worker.pid for worker in pool.workers()]
        running = pool.submit_all([pool.task("sleep", 60_000) for _ in range(2)])
        waiting = pool.submit_all([pool.task("echo", b"x") for _ in range(20)])
        map_id = pool.map("echo", [(b"x",)] * 30)
        pool.wait_until_running(*running)
        pool.terminate()
        self.assertEqual([pid for pid in pids if alive(pid)], [])
        for id in running + waiting:
            outcome = pool.outcome(id)
            self.assertEqual((outcome.state, outcome.failure.type), (CANCELLED, "poold.Cancelled"))
        self.assertEqual(pool.results(map_id), [])
        self.assertEqual((pool.end.done, pool.end.items, pool.end.done_items), (True, 30, 0))
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_TERMINATED)

    def test_a_get_that_waits_comes_back_when_the_pool_is_terminated(self):
        pool = self.pool(workers=1)
        id = pool.submit("sleep", 60_000)
        pool.wait_until_running(id)
        waiting = [self.daemon.another_client()._stub.Get.future(
            api.GetRequest(id=id, wait_timeout={"seconds": 50}), timeout=60) for _ in range(2)]
        pool.terminate()
        self.assertEqual([call.result().task.state for call in waiting], [CANCELLED] * 2)

    def test_terminating_twice_is_fine(self):
        pool = self.pool(workers=1)
        pool.submit("sleep", 60_000)
        pool.terminate()
        self.assertEqual(pool.terminate(), 0)

    def test_tasks_that_ignore_sigterm_are_terminated_all_the_same(self):
        pool = self.pool(workers=2, stop_grace={"nanos": 50_000_000})
        ids = pool.submit_all([pool.task("ignore_term", 60_000) for _ in range(2)])
        pool.wait_until_running(*ids)
        pool.terminate()
        self.assertEqual({pool.outcome(id).state for id in ids}, {CANCELLED})

    def terminate(self, pool, grace):
        return self.stub.Terminate(api.TerminateRequest(pool=pool.name, grace=seconds(grace)))

    def hearer(self, pool, ends):
        """A task that tells of each SIGTERM in the file `heard`, and ends with it or does not."""
        begun = self.path(f"begun-{next(self._names)}")
        id = pool.submit("hear_term", begun, self.path("heard"), ends)
        eventually(lambda: os.path.exists(begun), "the task has begun")
        return id

    def test_terminate_with_a_grace_lets_a_task_end_by_itself(self):
        pool = self.pool(workers=2)
        ids = [self.hearer(pool, ends=True), self.hearer(pool, ends=True)]
        pids = [worker.pid for worker in pool.workers()]
        self.terminate(pool, grace=50)
        self.assertEqual(self.lines("heard"), ["SIGTERM"] * 2)
        self.assertEqual([pid for pid in pids if alive(pid)], [])
        self.assertEqual({pool.outcome(id).state for id in ids}, {CANCELLED})
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_TERMINATED)

    def test_terminate_kills_after_the_grace_what_ignores_it(self):
        pool = self.pool(workers=1)
        id = self.hearer(pool, ends=False)
        pid = pool.workers()[0].pid
        self.terminate(pool, grace=0.3)
        self.assertEqual(self.lines("heard"), ["SIGTERM"])
        self.assertFalse(alive(pid))
        self.assertEqual(pool.outcome(id).state, CANCELLED)

    def test_handles_end_at_once_and_not_after_the_grace(self):
        pool = self.pool(workers=1)
        id = self.hearer(pool, ends=False)
        terminating = self.daemon.another_client()._stub.Terminate.future(
            api.TerminateRequest(pool=pool.name, grace=seconds(3000)), timeout=60)
        self.assertEqual(pool.outcome(id).state, CANCELLED)
        eventually(lambda: self.lines("heard") == ["SIGTERM"], "it was asked")
        self.assertFalse(terminating.done())
        pool.terminate()  # A second one may hasten it.
        self.assertEqual(terminating.result().cancelled_tasks, 1)

    def test_terminate_without_a_grace_does_not_ask(self):
        pool = self.pool(workers=1, stop_grace=seconds(50))
        self.hearer(pool, ends=True)
        pool.terminate()
        self.assertEqual(self.lines("heard"), [])

    def test_a_grace_without_end_is_refused(self):
        pool = self.pool(workers=1)
        self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", lambda: self.terminate(pool, grace=3601))
        self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_what_was_terminated_tells_so(self):
        pool = self.pool(workers=1)
        running, queued = self.begin(pool), pool.submit("echo", b"x")
        pool.terminate()
        for id in (running, queued):
            self.assertIn("its pool was terminated", pool.outcome(id).failure.message)
        attempts = self.stub.Explain(api.ExplainRequest(id=running)).attempts
        self.assertEqual([attempt.state for attempt in attempts], [CANCELLED])

    def test_outcomes_that_there_are_survive_terminate(self):
        pool = self.pool(workers=1)
        id = pool.submit("echo", b"x")
        pool.outcome(id)
        pool.terminate()
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)

    def test_other_pools_do_not_notice(self):
        other = self.pool(workers=1)
        id = other.submit("sleep", 300)
        pool = self.pool(workers=2)
        pool.terminate()
        self.assertEqual(other.outcome(id).state, SUCCEEDED)


if __name__ == "__main__":
    unittest.main()
