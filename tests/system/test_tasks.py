"""Submit, Get, Wait, Release: one call after the other, as any client would."""

import time
import unittest
import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc

from harness import FAILED, QUEUED, RUNNING, SHARDS, SUCCEEDED, PoolCase, api, eventually, seconds, value_of
from poold.v1 import payload_pb2, pool_service_pb2, task_pb2
from session_stream import Session, group, id_of, runs

ALL = pool_service_pb2.WAIT_MODE_ALL_COMPLETED
FIRST = pool_service_pb2.WAIT_MODE_FIRST_COMPLETED
FIRST_EXCEPTION = pool_service_pb2.WAIT_MODE_FIRST_EXCEPTION


class SubmitTest(PoolCase):

    def test_the_shortest_useful_conversation_of_the_contract(self):
        pool = self.pool(modules=["examples"])
        submitted = self.stub.Submit(api.SubmitRequest(pool=pool.name, tasks=[
            {"function": "square", "args": {"encoding": payload_pb2.ENCODING_MSGPACK, "data": b"\x91\x07"}}]))
        id = submitted.results[0].id
        self.assertEqual(len(id), 16)
        answer = self.stub.Get(api.GetRequest(id=id, wait_timeout=seconds(10)))
        self.assertTrue(answer.done)
        self.assertEqual(answer.task.state, SUCCEEDED)
        self.assertEqual(answer.task.outcome.result.data, b"\x31")
        self.assertEqual(self.stub.Release(api.ReleaseRequest(ids=[id])).released, 1)

    def test_submit_can_wait_for_the_outcomes_itself(self):
        pool = self.pool(modules=["examples"])
        answer = self.stub.Submit(api.SubmitRequest(
            pool=pool.name, tasks=[pool.task("square", i) for i in range(5)], wait_timeout=seconds(30)))
        self.assertEqual([value_of(task.outcome.result) for task in answer.tasks], [0, 1, 4, 9, 16])

    def test_many_tasks_travel_in_one_call_and_each_has_its_own_result(self):
        pool = self.pool(modules=["examples"])
        ids = pool.submit_all([pool.task("square", i) for i in range(5000)])
        self.assertEqual(len(set(ids)), 5000)
        self.stub.Wait(api.WaitRequest(ids=ids, mode=ALL, wait_timeout=seconds(60)))
        for i in (0, 1, 777, 4999):
            self.assertEqual(value_of(pool.outcome(ids[i]).result), i * i)

    def test_one_refused_task_does_not_disturb_its_neighbours(self):
        pool = self.pool(modules=["examples"])
        results = self.stub.Submit(api.SubmitRequest(pool=pool.name, tasks=[
            pool.task("square", 3), pool.task("no_such_function", 3), pool.task("square", 4)])).results
        self.assertFalse(results[0].HasField("error"))
        self.assert_task_refused(grpc.StatusCode.NOT_FOUND, "FUNCTION_NOT_FOUND", results[1], "no_such_function")
        self.assertEqual([value_of(pool.outcome(results[i].id).result) for i in (0, 2)], [9, 16])

    def test_a_task_that_throws_is_data_with_type_message_and_the_place_of_the_throw(self):
        pool = self.pool()
        outcome = pool.run("throw", "the text of it")
        self.assertEqual(outcome.state, FAILED)
        self.assertIn("error", outcome.failure.type)
        self.assertEqual(outcome.failure.message, "the text of it")
        self.assertIn("hrow", outcome.failure.backtrace)
        self.assertEqual(pool.call("echo", b"and the worker lives on"), b"and the worker lives on")

    def test_an_outcome_tells_when_and_at_which_attempt_it_came_about(self):
        before = time.time()
        outcome = self.pool().run("sleep", 5)
        self.assertEqual(outcome.attempt, 1)
        times = [t.ToMicroseconds() / 1e6 for t in (outcome.submitted_at, outcome.started_at, outcome.ended_at)]
        self.assertEqual(times, sorted(times))
        self.assertGreaterEqual(times[0], before - 1)
        self.assertLessEqual(times[-1], time.time() + 1)

    def test_integral_floats_are_taken_where_an_integer_is_meant(self):
        self.assertEqual(self.pool(modules=["examples"]).call("square", 7.0), 49)

    def test_text_survives_in_every_script(self):
        text = "héllo 你好 \U0001f600"
        pool = self.pool(workers=1)
        self.assertEqual(pool.run("print", text).stdout_tail.decode().rstrip("\n"), text)

    def test_raw_bytes_pass_without_an_encoding_of_ours(self):
        pool = self.pool(workers=1)
        blob = bytes(range(256)) * 10
        task = task_pb2.TaskSpec(function="echo", args=payload_pb2.Payload(encoding=payload_pb2.ENCODING_RAW, data=blob))
        outcome = pool.outcome(pool.try_submit(task).id)
        self.assertEqual((outcome.state, outcome.result.data), (SUCCEEDED, blob), outcome)
        self.assertEqual(outcome.result.encoding, payload_pb2.ENCODING_RAW)

    def test_higher_priority_runs_first(self):
        pool = self.pool(workers=1)
        blocker = pool.submit("sleep", 30_000)
        pool.wait_until_running(blocker)
        ids = [pool.submit("append", self.path("order"), name, priority=priority)
               for name, priority in (("low", -5), ("middle", 0), ("high", 50))]
        pool.cancel(blocker, running=True)
        for id in ids:
            pool.outcome(id)
        self.assertEqual(self.lines("order"), ["high", "middle", "low"])


class GetTest(PoolCase):

    def test_get_without_waiting_answers_at_once_that_it_is_not_done(self):
        pool = self.pool(workers=1)
        id = pool.submit("sleep", 30_000)
        answer = self.stub.Get(api.GetRequest(id=id))
        self.assertFalse(answer.done)
        self.assertIn(answer.task.state, (QUEUED, RUNNING))
        self.assertFalse(answer.task.HasField("outcome"))

    def test_a_wait_that_ends_first_is_no_error_and_loses_nothing(self):
        pool = self.pool(workers=1)
        id = pool.submit("sleep", 300)
        self.assertFalse(pool.get(id, wait=0.02).done)
        self.assertFalse(pool.get(id, wait=0.02).done)
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)

    def test_a_deadline_of_the_client_does_not_consume_the_result(self):
        pool = self.pool(workers=1)
        id = pool.submit("sleep", 300)
        with self.assertRaises(grpc.RpcError) as caught:
            self.stub.Get(api.GetRequest(id=id, wait_timeout=seconds(30)), timeout=0.05)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)

    def test_a_result_may_be_got_as_often_as_one_likes(self):
        pool = self.pool(workers=1, modules=["examples"])
        id = pool.submit("square", 12)
        self.assertEqual([value_of(pool.outcome(id).result) for _ in range(3)], [144] * 3)

    def test_any_connection_may_get_a_result_and_many_may_wait_for_it(self):
        pool = self.pool(workers=1)
        id = pool.submit("sleep", 200)
        others = [self.daemon.another_client() for _ in range(3)]
        calls = [other._stub.Get.future(api.GetRequest(id=id, wait_timeout=seconds(30)), timeout=60) for other in others]
        self.assertEqual([call.result().task.state for call in calls], [SUCCEEDED] * 3)

    def test_the_task_goes_on_when_the_client_that_submitted_it_is_gone(self):
        pool = self.pool(workers=1)
        channel = self.daemon.channel()
        leaving = type(pool)(type(self.stub)(channel), pool.name)
        id = leaving.submit("append", self.path("done"), "yes")
        channel.close()
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)
        self.assertEqual(self.lines("done"), ["yes"])


class WaitTest(PoolCase):

    def wait(self, ids, mode, timeout=60):
        return self.stub.Wait(api.WaitRequest(ids=ids, mode=mode, wait_timeout=seconds(timeout)), timeout=120)

    def test_all_completed(self):
        pool = self.pool()
        ids = [pool.submit("sleep", ms) for ms in (1, 50, 20)]
        answer = self.wait(ids, ALL)
        self.assertEqual((list(answer.done), list(answer.not_done)), (ids, []))

    def test_no_mode_means_all_completed(self):
        pool = self.pool()
        ids = [pool.submit("sleep", ms) for ms in (1, 50)]
        self.assertEqual(list(self.wait(ids, 0).done), ids)

    def test_first_completed(self):
        pool = self.pool()
        slow, fast = pool.submit("sleep", 30_000), pool.submit("sleep", 1)
        answer = self.wait([slow, fast], FIRST)
        self.assertEqual((list(answer.done), list(answer.not_done)), ([fast], [slow]))

    def test_first_exception_comes_back_at_the_first_task_that_did_not_succeed(self):
        pool = self.pool()
        good, slow = pool.submit("echo", b"x"), pool.submit("sleep", 30_000)
        bad = pool.submit("throw", "no")
        answer = self.wait([slow, good, bad], FIRST_EXCEPTION)
        self.assertIn(bad, answer.done)
        self.assertEqual(list(answer.not_done), [slow])

    def test_first_exception_waits_for_all_when_all_succeed(self):
        pool = self.pool()
        ids = [pool.submit("sleep", ms) for ms in (1, 40)]
        self.assertEqual(list(self.wait(ids, FIRST_EXCEPTION).done), ids)

    def test_a_wait_that_ends_first_says_what_is_not_done(self):
        pool = self.pool(workers=1)
        slow = pool.submit("sleep", 30_000)
        answer = self.wait([slow], ALL, timeout=0.02)
        self.assertEqual((list(answer.done), list(answer.not_done)), ([], [slow]))

    def test_handles_of_different_pools_may_be_mixed_and_duplicates_collapse(self):
        one, two = self.pool(workers=1), self.pool(workers=1)
        ids = [one.submit("echo", b"1"), two.submit("echo", b"2")]
        self.assertEqual(list(self.wait(ids + ids, ALL).done), ids)

    def test_a_map_can_be_waited_for_beside_tasks(self):
        pool = self.pool(modules=["examples"])
        ids = [pool.map("square", [(i,) for i in range(10)]), pool.submit("square", 1)]
        self.assertEqual(list(self.wait(ids, ALL).done), ids)

    def test_an_unknown_handle_fails_the_call(self):
        pool = self.pool(workers=1)
        known = pool.submit("echo", b"x")
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "HANDLE_NOT_FOUND",
                            lambda: self.wait([known, uuid.uuid4().bytes], ALL))


class IdentityTest(PoolCase):
    """Ids that the client chose make a submission safe to repeat."""

    def test_submitting_twice_with_the_same_id_is_one_task(self):
        pool = self.pool()
        id = uuid.uuid4().bytes
        for _ in range(3):
            self.assertEqual(pool.submit("append", self.path("runs"), "once", id=id), id)
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)
        self.assertEqual(pool.submit("append", self.path("runs"), "once", id=id), id)
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)
        self.assertEqual(self.lines("runs"), ["once"])

    def test_the_same_id_with_another_body_is_refused(self):
        pool = self.pool()
        id = pool.submit("echo", b"one", id=uuid.uuid4().bytes)
        for other in (pool.task("echo", b"two", id=id), pool.task("sleep", 1, id=id),
                      pool.task("echo", b"one", id=id, priority=3)):
            self.assert_task_refused(grpc.StatusCode.ALREADY_EXISTS, "HANDLE_EXISTS", pool.try_submit(other))
        self.assertEqual(value_of(pool.outcome(id).result), b"one")

    def test_the_same_id_twice_in_one_call_is_one_task(self):
        pool = self.pool()
        id = uuid.uuid4().bytes
        self.assertEqual(pool.submit_all([pool.task("append", self.path("runs"), "x", id=id)] * 2), [id, id])
        pool.outcome(id)
        self.assertEqual(self.lines("runs"), ["x"])

    def test_an_id_of_the_wrong_length_is_refused(self):
        pool = self.pool()
        details = self.assert_task_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD",
                                           pool.try_submit(pool.task("echo", b"x", id=b"short")), "16")
        self.assertIn("id", details["BadRequest"].field_violations[0].field)

    def test_a_released_task_is_not_run_again(self):
        pool = self.pool()
        id = pool.submit("append", self.path("runs"), "x", id=uuid.uuid4().bytes)
        pool.outcome(id)
        self.assertEqual(pool.release(id), 1)
        self.assert_task_refused(grpc.StatusCode.ALREADY_EXISTS, "HANDLE_RELEASED",
                                 pool.try_submit(pool.task("append", self.path("runs"), "x", id=id)))
        self.assertEqual(self.lines("runs"), ["x"])


class ReleaseTest(PoolCase):

    def test_a_released_handle_is_gone_for_every_holder(self):
        pool = self.pool()
        id = pool.submit("echo", b"x")
        pool.outcome(id)
        self.assertEqual(pool.release(id), 1)
        other = self.daemon.another_client()
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "HANDLE_RELEASED", lambda: other.Get(api.GetRequest(id=id)))

    def test_releasing_twice_and_releasing_the_unknown_counts_nothing(self):
        pool = self.pool()
        id = pool.submit("echo", b"x")
        pool.outcome(id)
        self.assertEqual(pool.release(id, uuid.uuid4().bytes), 1)
        self.assertEqual(pool.release(id), 0)

    def test_releasing_does_not_stop_what_runs(self):
        pool = self.pool(workers=1)
        blocker = pool.submit("sleep", 100)
        id = pool.submit("append", self.path("runs"), "x")
        self.assertEqual(pool.release(id), 1)
        pool.outcome(blocker)
        eventually(lambda: self.lines("runs") == ["x"], "the released task runs all the same")

    def test_a_get_that_is_under_way_still_gets_its_answer(self):
        pool = self.pool(workers=1)
        id = pool.submit("sleep", 300)
        waiting = self.daemon.another_client()._stub.Get.future(
            api.GetRequest(id=id, wait_timeout=seconds(30)), timeout=60)
        pool.wait_until_running(id)
        # The call above may still be on its way: that it arrived shows when another one on its connection is answered.
        eventually(lambda: pool.release(id) == 1, "released")
        try:
            self.assertEqual(waiting.result().task.state, SUCCEEDED)
        except grpc.RpcError as error:  # it came after the release
            self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)

    def test_released_outcomes_give_their_room_back(self):
        pool = self.pool(workers=1)
        ids = [pool.submit("blob", 1000) for _ in range(10)]
        for id in ids:
            pool.outcome(id)
        kept = pool.stats()
        self.assertEqual(kept.kept_outcomes, 10)
        self.assertGreaterEqual(kept.kept_outcome_bytes, 10_000)
        pool.release(*ids)
        stats = pool.stats()
        self.assertEqual((stats.kept_outcomes, stats.kept_outcome_bytes), (0, 0))


class OutcomeRoomTest(PoolCase):

    # Of one shard: the room is divided among them.
    daemon_config = f'\n[limits]\nmax_kept_outcome_bytes = {262144 * SHARDS}\n'

    def test_when_the_room_of_a_session_is_full_nothing_starts_and_nothing_finished_is_lost(self):
        pool = self.pool(workers=1)
        session = Session(self.daemon)
        session.send(submit=[group(pool.name, "blob", 1, 1, [(50_000,)] * 40)])

        def stalled():
            stats = pool.stats()
            return stats.running == 0 and stats.succeeded >= 4 and stats.queued > 0

        eventually(stalled, "dispatch stops when the room is full")
        for id in [id_of(1, i + 1) for i in range(40)]:  # Taking them one by one makes room for the rest.
            session.read_until(lambda: id in session.outcomes)
            self.assertTrue(pool.get(id).done)
            session.send(release=runs(id))
        session.close()
        self.assertEqual(pool.stats().succeeded, 40)
        self.assertEqual(pool.stats().dropped_outcomes, 0)

    def test_of_plain_calls_the_oldest_outcomes_go_but_not_those_that_somebody_waits_for(self):
        pool = self.pool(workers=1)
        pool.submit_all([pool.task("blob", 50_000) for _ in range(20)])
        awaited = api.SubmitRequest(pool=pool.name, tasks=[pool.task("blob", 50_000) for _ in range(20)],
                                    wait_timeout=seconds(60))
        answer = self.stub.Submit(awaited)
        self.assertEqual([task.state for task in answer.tasks], [SUCCEEDED] * 20)
        self.assertEqual(pool.stats().succeeded, 40)
        self.assertGreater(pool.stats().dropped_outcomes, 20)


class OutcomeLifeTest(PoolCase):

    daemon_config = '\n[limits]\noutcome_ttl_seconds = 1\n'

    def test_an_outcome_that_nobody_releases_is_dropped_after_the_published_time(self):
        self.assertEqual(self.daemon.server_info().limits.outcome_ttl.ToMilliseconds(), 1000)
        pool = self.pool()
        id = pool.submit("echo", b"x")

        def dropped():
            try:
                self.stub.Get(api.GetRequest(id=id))
                return False
            except grpc.RpcError as error:
                return error.code() == grpc.StatusCode.NOT_FOUND

        eventually(dropped, "the outcome is gone")
        self.assertEqual(pool.stats().kept_outcomes, 0)


class RememberedIdsTest(PoolCase):

    daemon_config = '\n[limits]\nremembered_ids = 10\n'

    def test_only_the_published_number_of_ids_is_remembered(self):
        pool = self.pool()
        ids = [pool.submit("echo", b"x", id=uuid.uuid4().bytes) for _ in range(30)]
        for id in ids:
            pool.outcome(id)
        pool.release(*ids)
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "HANDLE_NOT_FOUND", lambda: pool.get(ids[0]))
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "HANDLE_RELEASED", lambda: pool.get(ids[-1]))


class QueueLimitTest(PoolCase):

    def test_a_full_queue_refuses_with_the_limit_and_when_to_try_again(self):
        pool = self.pool(workers=1, max_queued_tasks=5)
        blocker = pool.submit("sleep", 30_000)
        pool.wait_until_running(blocker)
        results = self.stub.Submit(api.SubmitRequest(pool=pool.name, tasks=[pool.task("echo", b"x")] * 8)).results
        accepted = [result.id for result in results if not result.HasField("error")]
        self.assertEqual(len(accepted), 5)
        details = self.assert_task_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL", results[-1], pool.name)
        self.assertGreater(details["RetryInfo"].retry_delay.ToNanoseconds(), 0)
        self.assertIn("max_queued_tasks", str(details["QuotaFailure"]))
        pool.cancel(blocker, running=True)
        for id in accepted:
            self.assertEqual(pool.outcome(id).state, SUCCEEDED)
        self.assertEqual(pool.call("echo", b"there is room again"), b"there is room again")

    def test_bytes_in_the_queue_have_a_limit_of_their_own(self):
        pool = self.pool(workers=1, max_queued_bytes=10_000)
        blocker = pool.submit("sleep", 30_000)
        pool.wait_until_running(blocker)
        results = self.stub.Submit(api.SubmitRequest(pool=pool.name, tasks=[pool.task("echo", bytes(4000))] * 4)).results
        details = self.assert_task_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL", results[-1])
        self.assertIn("max_queued_bytes", str(details["QuotaFailure"]))
        self.assertEqual([result.HasField("error") for result in results], [False, False, True, True])

    def test_items_of_maps_count_in_the_queue_too(self):
        pool = self.pool(workers=1, max_queued_tasks=10)
        self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL",
                            lambda: pool.map("echo", [(b"x",)] * 1000))
        self.assertEqual(pool.call("echo", b"x"), b"x")


if __name__ == "__main__":
    unittest.main()
