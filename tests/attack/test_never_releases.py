"""Clients that never release an outcome: they fill their own part of the room, and nobody else feels it."""

import itertools
import os
import signal
import statistics
import threading
import time
import unittest

import grpc
from harness import PATIENCE, SHARDS, Daemon, PoolCase, api, eventually
from poold.v1 import session_pb2
from session_stream import Session, group, id_of, runs

ROOM = 1 << 20
RESULT_BYTES = 10_000
CONFIG = f"\n[limits]\nmax_kept_outcome_bytes = {ROOM * SHARDS}\n"
DRAIN_SECONDS = 30
# An id that was released is not used again.
HIGH_IDS = itertools.count(1 << 32)


def blobs(pool, high, count):
    return [group(pool.name, "blob", high, 1, [(RESULT_BYTES,)] * count)]


class Reader(threading.Thread):
    """Takes what comes to a session, and releases nothing."""

    def __init__(self, session):
        super().__init__(daemon=True)
        self.session = session
        self.ended = 0
        self.start()

    def run(self):
        try:
            for response in self.session.responses:
                self.session.take(response)
                self.ended = len(self.session.outcomes)
        except grpc.RpcError:
            pass


class NeverReleasesTest(PoolCase):

    daemon_config = CONFIG

    def hoard(self, pool, high=1, count=500):
        """A session that has filled its part: what came so far stays."""
        session = Session(self.daemon)
        reader = Reader(session)
        session.send(submit=blobs(pool, high, count))
        eventually(lambda: self.held_up(), "the hoarder is held up")
        return session, reader

    def held_up(self):
        return self.stub.GetStats(api.GetStatsRequest()).held_up_clients

    def spans(self, pool, count=200):
        """How long tasks of another client take, one at a time, each released."""
        session = Session(self.daemon)
        high = next(HIGH_IDS)
        spans = []
        for i in range(count):
            begin = time.monotonic()
            session.send(submit=[group(pool.name, "echo", high, i + 1, [("x",)])])
            session.read_until(lambda: id_of(high, i + 1) in session.outcomes)
            spans.append(time.monotonic() - begin)
            session.send(release=runs(id_of(high, i + 1)))
        session.close()
        return statistics.median(spans)

    def test_who_never_releases_fills_its_part_and_stops_nobody_else(self):
        pool = self.pool(workers=2, modules=["testing"])
        alone = self.spans(pool)
        session, reader = self.hoard(pool)
        eventually(lambda: reader.ended * RESULT_BYTES > ROOM / 2, "what it has room for comes")
        self.assertLess(reader.ended, 500)
        self.assertLess(self.spans(pool), 5 * alone + 0.005)
        self.assertLess(pool.stats().kept_outcome_bytes, 2 * ROOM)
        waits = self.stub.Explain(api.ExplainRequest(id=id_of(1, 500))).waits_for
        self.assertIn("no room for outcomes", waits)
        [held_up] = self.held_up()
        self.assertEqual((held_up.client, held_up.uid, held_up.pid), ("test", os.getuid(), os.getpid()))
        self.assertGreater(held_up.connection, 0)
        self.assertEqual(self.daemon.log().count("event=client_held_up"), 1)
        # When it releases it goes on.
        released = 0
        while reader.ended < 500:
            have = sorted(session.outcomes)
            session.send(release=runs(*have[released:]))
            released = len(have)
            eventually(lambda: reader.ended > released or reader.ended == 500, "the hoarder goes on")
        self.assertEqual(self.daemon.log().count("event=client_held_up"), 1, "it is told once, however often it was")
        session.close()

    def test_plain_calls_that_never_release_run_on_and_the_oldest_outcomes_go(self):
        pool = self.pool(workers=2, modules=["testing"])
        ids = []
        for _ in range(10):
            ids += pool.submit_all([pool.task("blob", RESULT_BYTES) for _ in range(50)])
            eventually(lambda: pool.stats().succeeded == len(ids), "nothing waits")
        stats = pool.stats()
        self.assertLessEqual(stats.kept_outcome_bytes, ROOM)
        self.assertEqual(stats.kept_outcomes + stats.dropped_outcomes, 500)
        self.assertGreater(stats.kept_outcomes, 50)
        self.assertEqual(len(pool.outcome(ids[-1]).result.data) >= RESULT_BYTES, True)
        with self.assertRaises(grpc.RpcError) as refused:
            self.stub.Get(api.GetRequest(id=ids[0]))
        self.assertEqual(refused.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_sessions_that_submit_and_leave_stop_nobody(self):
        pool = self.pool(workers=2, modules=["testing"])
        alone = self.spans(pool, 50)
        for i in range(50):
            session = Session(self.daemon)
            session.send(submit=blobs(pool, 100 + i, 20))
            session.read_until(lambda: session.taken >= 2)
            session.close()
            session.channel.close()
        eventually(lambda: pool.stats().succeeded >= 1000, "what was left runs")
        self.assertLess(self.spans(pool, 50), 5 * alone + 0.005)
        self.assertLessEqual(pool.stats().kept_outcome_bytes, ROOM)
        self.assertFalse(self.held_up())


class DrainTest(unittest.TestCase):

    def test_a_drain_ends_with_a_full_room_with_hoarders_and_with_what_was_left(self):
        config = CONFIG + "\n[pools.default]\nworkers = 2\nmodules = [\"testing\"]\n"
        with Daemon(config=f"drain_limit_seconds = {DRAIN_SECONDS}\n" + config) as daemon:
            class Pool:
                name = "default"
            left = [Session(daemon) for _ in range(50)]
            for i, session in enumerate(left):
                session.send(submit=blobs(Pool, 100 + i, 20))
                session.read_until(lambda: session.taken >= 2)
                session.close()
                session.channel.close()
            hoarder = Session(daemon)
            Reader(hoarder)
            hoarder.send(submit=blobs(Pool, 1, 500))
            eventually(lambda: daemon.stub.GetStats(api.GetStatsRequest()).held_up_clients, "the hoarder is held up")
            begin = time.monotonic()
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(DRAIN_SECONDS + PATIENCE), 0)
            self.assertLess(time.monotonic() - begin, DRAIN_SECONDS)
            self.assertNotIn("event=terminating", daemon.log())
            self.assertIn('all_pools_gone=true', daemon.log())


if __name__ == "__main__":
    unittest.main()
