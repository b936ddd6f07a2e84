"""Somebody sets the wall clock while the daemon runs: forward by an hour, and back. It is shown, and nothing waits for
it.
"""

import os
import signal
import threading
import time
import unittest

from harness import Daemon, PoolProxy, SUCCEEDED, api, eventually, seconds

PROGRAMS = os.environ["POOLD_TEST_PROGRAM_DIR"]
HOUR = 3600


class SetClock(Daemon):

    def __init__(self, *flags, **rest):
        super().__init__(*flags, start=False, **rest)
        self.clock = os.path.join(self.folder, "clock")
        self.env["POOLD_TEST_CLOCK_FILE"] = self.clock
        self.env["LD_PRELOAD"] = os.path.join(PROGRAMS, "shifted_clock.so")
        self.shift(0)
        self.start()

    def shift(self, by):
        with open(self.clock + ".new", "w") as file:
            file.write(str(by))
        os.rename(self.clock + ".new", self.clock)


class WallClockTest(unittest.TestCase):

    def pool(self, daemon, name):
        daemon.stub.OpenPool(api.OpenPoolRequest(
            spec={"name": name, "workers": 1, "modules": ["examples", "mischief"]}))
        return PoolProxy(daemon.stub, name)

    def submitted_at(self, pool):
        return pool.run("square", 3).submitted_at.ToNanoseconds() / 1e9

    def test_it_is_shown(self):
        with SetClock() as daemon:
            pool = self.pool(daemon, "p")
            self.assertLess(abs(self.submitted_at(pool) - time.time()), HOUR / 2)
            daemon.shift(HOUR)
            self.assertGreater(self.submitted_at(pool) - time.time(), HOUR / 2)

    def test_a_wait_over_two_shards_is_answered_when_the_first_has_ended(self):
        for shift in (HOUR, -HOUR):
            with self.subTest(shift), SetClock("--shards", "2") as daemon:
                pools = [self.pool(daemon, name) for name in "abcd"]
                paths = [os.path.join(daemon.folder, name) for name in ("begun", "go on")]
                blocked = [pool.submit("begin_and_wait", paths[0] + pool.name, paths[1]) for pool in pools]
                eventually(lambda: all(os.path.exists(paths[0] + pool.name) for pool in pools), "they run")
                answers = []

                def wait():
                    answers.append(daemon.another_client().Wait(api.WaitRequest(
                        ids=blocked, mode=api.WAIT_MODE_FIRST_COMPLETED, wait_timeout=seconds(50)), timeout=60))

                waiting = threading.Thread(target=wait)
                waiting.start()
                daemon.shift(shift)
                begin = time.monotonic()
                pools[0].cancel(blocked[0], running=True)
                waiting.join()
                self.assertEqual(list(answers[0].done), [blocked[0]])
                # Long before its own timeout.
                self.assertLess(time.monotonic() - begin, 40)
                open(paths[1], "w").close()

    def test_sigterm_ends_the_daemon(self):
        for shift in (HOUR, -HOUR):
            with self.subTest(shift), SetClock() as daemon:
                pool = self.pool(daemon, "p")
                self.assertEqual(pool.call("square", 3), 9)
                watch = daemon.another_client().Watch(api.WatchRequest(pool="p"))
                next(watch)
                daemon.shift(shift)
                self.assertEqual(pool.call("square", 4), 16)
                daemon.signal(signal.SIGTERM)
                self.assertEqual(daemon.wait(), 0)


if __name__ == "__main__":
    unittest.main()
