"""Pools with an owner: what becomes of them when its client is gone."""

import unittest
import uuid

import grpc

from harness import CANCELLED, RUNNING, SUCCEEDED, PoolCase, PoolProxy, alive, api, arguments, eventually, seconds
from poold.v1 import pool_pb2
from session_stream import Session

KEEP, CLOSE, TERMINATE = pool_pb2.OWNER_LOST_KEEP, pool_pb2.OWNER_LOST_CLOSE, pool_pb2.OWNER_LOST_TERMINATE


class OwnerTest(PoolCase):

    daemon_config = "\n[limits]\nowner_grace_seconds = 2\n"

    def client(self, client_id=None):
        """A client that is there."""
        session = Session(self.daemon, client_id=client_id)
        self.addCleanup(session.channel.close)
        return session

    @staticmethod
    def vanish(client):
        client.channel.close()

    def owned(self, client, then, name=None, **spec):
        """A pool of this client."""
        spec = self.spec(name, workers=1, on_owner_lost=then, **spec)
        self.stub.OpenPool(api.OpenPoolRequest(spec=spec, owner=client.client_id))
        pool = PoolProxy(self.stub, spec.name)
        self.addCleanup(self._terminate, pool)
        return pool

    def wait_until_the_grace_is_over(self):
        """For whoever vanished before this was called."""
        client = self.client()
        pool = self.owned(client, TERMINATE)
        self.vanish(client)
        eventually(lambda: pool.view().state == pool_pb2.POOL_STATE_TERMINATED, "the grace is over")

    def test_the_grace_is_published(self):
        self.assertEqual(self.daemon.server_info().limits.owner_grace.ToMilliseconds(), 2000)

    def test_a_pool_that_closes_with_its_owner_finishes_what_it_has(self):
        client = self.client()
        pool = self.owned(client, CLOSE)
        worker = pool.ready_workers()[0].pid
        running = self.begin(pool)
        queued = pool.submit_all([pool.task("append", self.path("runs"), str(i)) for i in range(5)])
        self.vanish(client)
        eventually(lambda: pool.view().state == pool_pb2.POOL_STATE_CLOSING, "the pool closes")
        self.assert_task_refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_NOT_RUNNING",
                                 pool.try_submit(pool.task("echo", b"x")))
        self.assertEqual(pool.state(running), RUNNING)
        self.go_on()
        self.assertEqual({pool.outcome(id).state for id in [running, *queued]}, {SUCCEEDED})
        self.assertEqual(self.lines("runs"), [str(i) for i in range(5)])
        eventually(lambda: pool.view().state == pool_pb2.POOL_STATE_CLOSED, "it is closed")
        self.assertFalse(alive(worker))

    def test_a_pool_that_is_terminated_with_its_owner_cancels_what_it_has_and_says_why(self):
        client = self.client()
        pool = self.owned(client, TERMINATE)
        worker = pool.ready_workers()[0].pid
        ids = [self.begin(pool), pool.submit("echo", b"x"), pool.map("echo", [(b"x",)] * 5)]
        self.vanish(client)
        for id in ids[:2]:
            outcome = pool.outcome(id)
            self.assertEqual((outcome.state, outcome.failure.type), (CANCELLED, "poold.Cancelled"))
            self.assertIn("owner is gone", outcome.failure.message)
        self.assertTrue(pool.get(ids[2]).map.done)
        eventually(lambda: pool.view().state == pool_pb2.POOL_STATE_TERMINATED, "it is terminated")
        self.assertFalse(alive(worker))

    def test_what_runs_is_asked_first_for_the_stop_grace_of_the_pool(self):
        client = self.client()
        pool = self.owned(client, TERMINATE, stop_grace=seconds(50))
        id = pool.submit("hear_term", self.path("begun"), self.path("heard"), True)
        eventually(lambda: self.lines("begun"), "it has begun")
        self.vanish(client)
        self.assertEqual(pool.outcome(id).state, CANCELLED)
        self.assertTrue(pool.join())
        self.assertEqual(self.lines("heard"), ["SIGTERM"])

    def test_a_pool_that_is_kept_stays_when_its_owner_is_gone(self):
        client = self.client()
        pool = self.owned(client, KEEP)
        self.vanish(client)
        self.wait_until_the_grace_is_over()
        self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_a_client_that_comes_back_within_the_grace_keeps_its_pool(self):
        client = self.client()
        pool = self.owned(client, TERMINATE)
        id = self.begin(pool)
        self.vanish(client)
        back = self.client(client.client_id)
        self.wait_until_the_grace_is_over()
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_RUNNING)
        self.assertEqual(pool.state(id), RUNNING)
        # And it is its owner still.
        self.vanish(back)
        self.assertEqual(pool.outcome(id).state, CANCELLED)

    def test_a_client_with_two_streams_is_there_as_long_as_one_of_them_is(self):
        client = self.client()
        other = self.client(client.client_id)
        pool = self.owned(client, TERMINATE)
        self.vanish(client)
        self.wait_until_the_grace_is_over()
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.vanish(other)
        eventually(lambda: pool.view().state == pool_pb2.POOL_STATE_TERMINATED, "nobody is there")

    def test_of_two_owners_the_last_one_counts(self):
        ann, bob = self.client(), self.client()
        pool = self.owned(ann, TERMINATE)
        self.owned(bob, TERMINATE, name=pool.name)
        self.vanish(ann)
        self.wait_until_the_grace_is_over()
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.vanish(bob)
        eventually(lambda: pool.view().state == pool_pb2.POOL_STATE_TERMINATED, "nobody is there")

    def test_other_clients_that_come_and_go_do_not_count(self):
        client = self.client()
        pool = self.owned(client, TERMINATE)
        self.vanish(self.client())
        self.wait_until_the_grace_is_over()
        self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_the_grace_may_pass_before_the_workers_are_ready(self):
        client = self.client()
        spec = self.spec(workers=1, on_owner_lost=TERMINATE, initializer="print_and_wait_for",
                         initializer_args=arguments("", self.path("never")))
        opening = self.daemon.another_client()._stub.OpenPool.future(
            api.OpenPoolRequest(spec=spec, owner=client.client_id), timeout=60)
        eventually(lambda: spec.name in [pool.spec.name for pool in self.stub.ListPools(api.ListPoolsRequest()).pools],
                   "the pool is being opened")
        self.vanish(client)
        self.assertEqual(opening.exception().code(), grpc.StatusCode.FAILED_PRECONDITION)
        pool = PoolProxy(self.stub, spec.name)
        eventually(lambda: pool.view().state == pool_pb2.POOL_STATE_TERMINATED, "it is terminated")

    def test_a_pool_that_ends_with_its_owner_needs_one_that_is_there(self):
        for then in (CLOSE, TERMINATE):
            for owner, words in ((b"", "client_id of an open session"), (b"short", "16 bytes"),
                                 (uuid.uuid4().bytes, "no session with this client_id is open")):
                with self.subTest(then=then, owner=owner):
                    details = self.assert_refused(
                        grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD",
                        lambda: self.stub.OpenPool(
                            api.OpenPoolRequest(spec=self.spec(on_owner_lost=then), owner=owner)), words)
                    self.assertEqual(details["BadRequest"].field_violations[0].field, "owner")


if __name__ == "__main__":
    unittest.main()
