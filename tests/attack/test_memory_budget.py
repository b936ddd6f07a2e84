"""A daemon that may map 1500 MiB: what fills it is refused, to be tried again, and never ends it."""

import os
import resource
import subprocess
import unittest

import grpc

from harness import BIN, Daemon, PoolProxy, api, arguments, details_of, eventually, reason_of
from poold.v1 import payload_pb2, pool_pb2, task_pb2

MIB = 1 << 20
ADDRESS_SPACE = 1500 * MIB


class SmallDaemon(Daemon):
    """As under `prlimit --as`."""

    def launch(self, *flags):
        self.log_path = os.path.join(self.folder, "stderr")
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))  # noqa: E731
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([os.path.join(BIN, "poold"), "--config", self.config_path, *self.flags, *flags],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=self.env,
                                            preexec_fn=limit)
        return self.process


def resident(pid):
    """Without what lies in files."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("RssAnon:"))


class MemoryBudgetTest(unittest.TestCase):

    def setUp(self):
        self.daemon = self.enterContext(SmallDaemon())
        self.stub = self.daemon.stub
        # Nothing begins: what is submitted waits.
        self.stub.OpenPool(api.OpenPoolRequest(spec=pool_pb2.PoolSpec(name="held", workers=1, modules=["testing"])))
        self.held = PoolProxy(self.stub, "held")
        self.held.submit("sleep", 600_000)
        self.default = PoolProxy(self.stub, "default")
        self.assertEqual(self.default.call("square", 3), 9)
        self.before = resident(self.daemon.pid)
        self.budget = self.daemon.server_info().memory.budget_bytes
        self.assertLess(self.budget, ADDRESS_SPACE // 2)
        self.assertGreater(self.budget, 256 * MIB)

    def fill(self, request):
        """Submits it until something is refused; returns the ids that were taken, and the refusal."""
        taken = []
        while True:
            for result in self.stub.Submit(request).results:
                if result.HasField("error"):
                    return taken, result.error
                taken.append(result.id)
            self.assertLess(len(taken), 5_000_000, "there is no bound")

    def assert_full(self, error, quota):
        self.assertEqual((error.code, reason_of(error)), (grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], "QUEUE_FULL"))
        details = details_of(error)
        self.assertGreater(details["RetryInfo"].retry_delay.ToNanoseconds(), 0)
        self.assertEqual(details["QuotaFailure"].violations[0].subject, quota)

    def assert_alive_and_small_again(self, ids):
        for part in self.daemon.server_info().memory.parts:
            self.assertLessEqual(part.used_bytes, part.max_bytes + MIB, part)
        self.held.terminate()
        for at in range(0, len(ids), 50_000):
            self.stub.Release(api.ReleaseRequest(ids=ids[at:at + 50_000]))
        self.assertEqual(self.default.call("square", 4), 16)
        eventually(lambda: resident(self.daemon.pid) - self.before < 64 * MIB, "the memory goes back to the system")

    def test_arguments_fill_their_part_and_no_more(self):
        args = payload_pb2.Payload(encoding=payload_pb2.ENCODING_RAW, data=bytes(32 << 10))
        request = api.SubmitRequest(pool="held", tasks=[task_pb2.TaskSpec(function="sleep", args=args)] * 60)
        taken, error = self.fill(request)
        self.assert_full(error, "max_argument_bytes")
        self.assertGreater(len(taken) * (32 << 10), self.budget // 5)
        self.assertLess(resident(self.daemon.pid), self.budget, "what is refused takes nothing")
        self.assert_alive_and_small_again(taken)

    def test_tasks_without_arguments_fill_theirs(self):
        request = api.SubmitRequest(pool="held", tasks=[task_pb2.TaskSpec(function="sleep", args=arguments(1))] * 20_000)
        taken, error = self.fill(request)
        self.assert_full(error, "max_task_bytes")
        self.assertGreater(len(taken), 100_000)
        eventually(lambda: (resident(self.daemon.pid) - self.before) / len(taken) < 300, "a task that waits takes little")
        self.assert_alive_and_small_again(taken)

    def test_maps_fill_it_too(self):
        taken = []
        with self.assertRaises(grpc.RpcError) as refused:
            while True:
                taken.append(self.held.map("sleep", [(1, "x" * 1000)] * 2000))
                self.assertLess(len(taken), 10_000, "there is no bound")
        self.assertEqual(reason_of(refused.exception), "QUEUE_FULL")
        self.assertIn("RetryInfo", details_of(refused.exception))
        self.assert_alive_and_small_again(taken)


if __name__ == "__main__":
    unittest.main()
