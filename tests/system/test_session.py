"""The batching stream of the SDKs, driven by hand."""

import unittest
import uuid

import grpc
import msgpack

from harness import CANCELLED, PoolCase, reason_of
from poold.v1 import payload_pb2, session_pb2
from session_stream import Session, group, id_of, runs


class SessionTest(PoolCase):

    def setUp(self):
        super().setUp()
        self.high = uuid.uuid4().int >> 64

    def session(self, **rest):
        session = Session(self.daemon, **rest)
        self.addCleanup(session.close)
        return session

    def test_the_hello_is_answered_with_what_the_server_is(self):
        self.assertEqual(self.session().server.instance_id, self.daemon.server_info().instance_id)

    def test_thousands_of_tasks_go_and_come_in_batches(self):
        pool = self.pool(modules=["examples"])
        session = self.session()
        session.send(submit=[group(pool.name, "square", self.high, 1, [(i,) for i in range(5000)])])
        session.read_until(lambda: len(session.outcomes) == 5000)
        self.assertEqual(session.outcomes, {id_of(self.high, 1 + i): i * i for i in range(5000)})

    def test_output_failures_and_crashes_come_on_the_stream(self):
        pool = self.pool()
        session = self.session()
        session.send(submit=[group(pool.name, "print", self.high, 1, [("hello",)], stream_output=True),
                             group(pool.name, "throw", self.high, 2, [("no",)]),
                             group(pool.name, "exit", self.high, 3, [(4,)])])
        session.read_until(lambda: len(session.outcomes) == 3)
        self.assertEqual(session.output, {id_of(self.high, 1): b"hello\n"})
        self.assertEqual(session.outcomes[id_of(self.high, 2)].failure.message, "no")
        self.assertEqual(session.outcomes[id_of(self.high, 3)].death.exit_code, 4)

    def test_a_refused_task_is_told_and_its_neighbours_are_not_disturbed(self):
        pool = self.pool(modules=["examples"])
        session = self.session()
        session.send(submit=[group(pool.name, "no_such_function", self.high, 1, [(1,)]),
                             group(pool.name, "square", self.high, 2, [(5,)])])
        session.read_until(lambda: session.outcomes and session.refused)
        self.assertEqual(reason_of(session.refused[id_of(self.high, 1)]), "FUNCTION_NOT_FOUND")
        self.assertEqual(session.outcomes, {id_of(self.high, 2): 25})

    def test_a_client_that_lost_its_stream_misses_nothing(self):
        pool = self.pool()
        first = self.session()
        first.send(submit=[group(pool.name, "append", self.high, 1, [(self.path("runs"), str(i)) for i in range(20)])])
        first.read_until(lambda: first.taken >= 2 or first.outcomes)
        first.channel.close()
        second = self.session(client_id=first.client_id)
        # It sends again what it did not see acknowledged, and subscribes to the rest.
        second.send(submit=[group(pool.name, "append", self.high, 1, [(self.path("runs"), str(i)) for i in range(20)])])
        second.read_until(lambda: len(second.outcomes) == 20)
        self.assertCountEqual(self.lines("runs"), [str(i) for i in range(20)])

    def test_subscribing_to_what_has_ended_brings_its_outcome_at_once(self):
        pool = self.pool(modules=["examples"])
        id = pool.submit("square", 9)
        pool.outcome(id)
        session = self.session()
        session.send(subscribe=runs(id))
        session.read_until(lambda: session.outcomes)
        self.assertEqual(session.outcomes, {id: 81})

    def test_subscribing_to_the_unknown_is_refused(self):
        session = self.session()
        id = uuid.uuid4().bytes
        session.send(subscribe=runs(id))
        session.read_until(lambda: session.refused)
        self.assertEqual(reason_of(session.refused[id]), "HANDLE_NOT_FOUND")

    def test_cancel_and_release_travel_on_the_stream_too(self):
        pool = self.pool(workers=1)
        blocker = pool.submit("sleep", 30_000)
        pool.wait_until_running(blocker)
        session = self.session()
        session.send(submit=[group(pool.name, "echo", self.high, 1, [(b"x",)])])
        session.send(cancel=runs(id_of(self.high, 1)))
        session.read_until(lambda: session.outcomes)
        self.assertEqual(session.outcomes[id_of(self.high, 1)].state, CANCELLED)
        session.send(release=runs(id_of(self.high, 1)))
        session.send(subscribe=runs(id_of(self.high, 1)))
        session.read_until(lambda: session.refused)
        self.assertEqual(reason_of(session.refused[id_of(self.high, 1)]), "HANDLE_RELEASED")

    def test_a_map_streams_its_items_and_ends(self):
        pool = self.pool(modules=["examples"])
        session = self.session()
        id = uuid.uuid4().bytes
        items = [msgpack.packb([i]) for i in range(3000)]
        for start in range(0, 3000, 1000):
            part = items[start:start + 1000]
            session.send(map=[session_pb2.MapGroup(
                pool=pool.name, function="square", id=id, first_index=start, items=b"".join(part),
                item_bytes=[len(one) for one in part], encoding=payload_pb2.ENCODING_MSGPACK, complete=start == 2000)])
        session.read_until(lambda: id in session.ends)
        self.assertEqual(session.items[id], {i: i * i for i in range(3000)})
        self.assertEqual((session.ends[id].items, session.ends[id].unsuccessful_items), (3000, 0))

    def test_a_stream_without_a_hello_is_ended(self):
        session = self.session(hello=False)
        session.send(submit=[group("p", "f", self.high, 1, [()])])
        with self.assertRaises(grpc.RpcError) as caught:
            next(session.responses)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)

    def test_a_malformed_stream_is_ended_and_others_go_on(self):
        pool = self.pool(modules=["examples"])
        good = self.session()
        bad = self.session()
        bad.send(subscribe=session_pb2.IdRuns(high=[1, 2], low=[1], count=[1]))
        with self.assertRaises(grpc.RpcError) as caught:
            next(bad.responses)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        good.send(submit=[group(pool.name, "square", self.high, 1, [(3,)])])
        good.read_until(lambda: good.outcomes)
        self.assertEqual(good.outcomes, {id_of(self.high, 1): 9})

    def test_requests_are_acknowledged(self):
        session = self.session()
        pool = self.pool(modules=["examples"])
        for i in range(10):
            session.send(submit=[group(pool.name, "square", self.high, 1 + i, [(i,)])])
        session.read_until(lambda: session.taken >= 11)

    def test_another_clients_single_task_does_not_wait_for_a_hundred_thousand(self):
        pool = self.pool(workers=1)
        session = self.session()
        for part in range(10):
            session.send(submit=[group(pool.name, "spin", self.high, 1 + part * 1000, [(1,)] * 1000)])
        session.read_until(lambda: len(session.outcomes) >= 10)
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.assertGreater(pool.stats().queued, 5000)


if __name__ == "__main__":
    unittest.main()
