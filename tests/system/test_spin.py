"""A daemon whose threads look again before they sleep behaves as any other."""

import os
import unittest

import test_output
import test_seed
import test_worker_death
from harness import PoolCase, eventually

SPIN = ("--spin-us", "200")


class SpinningSeedTest(test_seed.SeedTest):
    daemon_flags = SPIN


class SpinningWorkerDeathTest(test_worker_death.WorkerDeathTest):
    daemon_flags = SPIN


class SpinningOutputTest(test_output.OutputTest):
    daemon_flags = SPIN


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class SpinTest(PoolCase):
    daemon_flags = SPIN

    def test_one_task_after_the_other_comes_back(self):
        pool = self.pool(workers=2)
        for number in range(300):
            self.assertEqual(pool.run("identity", number % 100).result.data, bytes([number % 100]))

    def test_it_sleeps_when_nothing_comes(self):
        pool = self.pool(workers=1)
        pool.run("noop")

        def rests():
            before = cpu_seconds(self.daemon.process.pid)
            pool.run("sleep", 500)
            return cpu_seconds(self.daemon.process.pid) - before < 0.1

        eventually(rests, "half a second of waiting takes less than a tenth of CPU time")


if __name__ == "__main__":
    unittest.main()
