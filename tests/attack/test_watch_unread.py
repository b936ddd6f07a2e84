"""Watches whose reader stopped: what waits for them is bounded, and who reads again is told what was lost and how
things are now.
"""

import unittest

from harness import PATIENCE, PoolCase, QUEUED, RUNNING, SUCCEEDED, api, eventually
from session_stream import Session, group

MEBIBYTE = 1 << 20
HIGH = 0x5741


def forget_peak_of(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def peak_of(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


class WatchUnreadTest(PoolCase):

    def unread(self, pool):
        """A Watch that is never read: gRPC takes a message or two."""
        call = self.daemon.another_client().Watch(api.WatchRequest(pool=pool.name), timeout=2 * PATIENCE)
        self.addCleanup(call.cancel)
        return call

    def run_many(self, pool, count, first=0):
        session = Session(self.daemon)
        for start in range(first, first + count, 1000):
            session.send(submit=[group(pool.name, "square", HIGH, start, [(7,)] * 1000)])
        session.read_until(lambda: len(session.outcomes) == count)
        session.close()

    def test_forty_that_are_not_read_cost_what_one_costs(self):
        pool = self.pool(modules=["examples"], workers=1)
        self.run_many(pool, 1000)
        calls = [self.unread(pool) for _ in range(40)]
        for call in calls:
            next(call)
        forget_peak_of(self.daemon.pid)
        before = peak_of(self.daemon.pid)
        # Three states of each, for each of them: 360 MB at 1 kB each.
        self.run_many(pool, 3000, first=10_000)
        grown = peak_of(self.daemon.pid) - before
        self.assertLess(grown, 160 * MEBIBYTE, f"grew by {grown >> 20} MiB")
        self.assertEqual(pool.call("square", 3), 9)

    def test_who_reads_again_learns_what_was_lost_and_how_things_are(self):
        pool = self.pool(modules=["examples", "mischief"], workers=1)
        late = self.unread(pool)
        next(late)
        blocked = self.begin(pool)
        waiting = pool.submit("square", 2)
        self.make_events(pool, 72_000)
        lost, states = None, {}
        for event in late:
            if event.HasField("resync"):
                lost, states = event.resync.lost_events, {}
            if event.HasField("task"):
                states[event.task.id] = event.task.state
            if lost is not None and waiting in states and blocked in states:
                break
        self.assertGreater(lost, 60_000)
        self.assertEqual((states[blocked], states[waiting]), (RUNNING, QUEUED))
        self.assertFalse(set(states) - {blocked, waiting}, "states of what is no more")
        # And what happens from now on.
        self.go_on()
        for event in late:
            if event.HasField("task") and event.task.id == waiting and event.task.state == SUCCEEDED:
                break

    def test_a_watch_of_handles_tells_all_of_them_whatever_was_lost(self):
        pool = self.pool(modules=["examples", "mischief"], workers=1)
        for _ in range(12):
            next(self.unread(pool))
        blocked = self.begin(pool)
        ids = pool.submit_all([pool.task("square", i) for i in range(2000)])
        call = self.daemon.another_client().Watch(api.WatchRequest(ids=ids), timeout=2 * PATIENCE)
        next(call)
        self.make_events(pool, 8000)
        self.go_on()
        eventually(lambda: pool.state(ids[-1]) == SUCCEEDED, "all ran")
        states = {}
        for event in call:  # ends by itself
            if event.HasField("resync"):
                states = {}
            if event.HasField("task"):
                states[event.task.id] = event.task.state
        self.assertEqual(states, {id: SUCCEEDED for id in ids})
        self.assertEqual(pool.outcome(blocked).state, SUCCEEDED)

    def make_events(self, pool, count):
        """One at least of each task that is cancelled while it waits behind another one."""
        for _ in range(count // 4000):
            ids = pool.submit_all([pool.task("square", 1) for _ in range(4000)])
            pool.cancel(*ids)
            pool.release(*ids)


if __name__ == "__main__":
    unittest.main()
