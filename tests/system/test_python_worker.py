"""A worker program in another language: Python, by the frames of worker.proto alone."""

import hashlib
import os
import unittest

from harness import CRASHED, FAILED, SUCCEEDED, PoolCase, Watcher, api, payload_pb2, pool_pb2, task_pb2, value_of


class PythonWorkerTest(PoolCase):

    def pool(self, name=None, **rest):
        return super().pool(name, modules=(), program="python-worker",
                            start_method=pool_pb2.START_METHOD_SPAWN, **rest)

    def test_functions_of_another_language_are_called_by_name(self):
        pool = self.pool()
        self.assertEqual(pool.call("add", 1, 2, 3.5), 6.5)
        self.assertEqual(pool.call("add"), 0)

    def test_bytes_go_in_and_out_without_messagepack(self):
        blocked = self.path("msgpack.py")
        with open(blocked, "w") as file:
            file.write("raise ImportError('not installed')")
        pool = self.pool(environment={"PYTHONPATH": os.path.dirname(blocked)})
        task = task_pb2.TaskSpec(function="sha256",
                                 args=payload_pb2.Payload(encoding=payload_pb2.ENCODING_RAW, data=b"data"))
        outcome = pool.outcome(pool.submit_all([task])[0])
        self.assertEqual(outcome.state, SUCCEEDED, outcome)
        self.assertEqual(value_of(outcome.result), hashlib.sha256(b"data").digest())
        refused = pool.run("add", 1)
        self.assertEqual(refused.state, FAILED)
        self.assertIn("ENCODING_MSGPACK", refused.failure.message)

    def test_a_map_travels_in_chunks(self):
        pool = self.pool()
        id = pool.map("add", [(i, 1) for i in range(1000)], chunk_size=100)
        self.assertEqual(pool.results(id), [i + 1 for i in range(1000)])

    def test_one_bad_item_of_a_chunk_fails_alone(self):
        pool = self.pool(workers=1)
        results = pool.results(pool.map("divide", [(1, 1), (1, 0), (1, 2)], chunk_size=3))
        self.assertEqual((results[0], results[2]), (1, 0.5))
        self.assertEqual(results[1].state, FAILED)

    def test_an_exception_is_a_failure_with_its_traceback(self):
        failure = self.pool().run("divide", 1, 0).failure
        self.assertEqual((failure.type, failure.message), ("ZeroDivisionError", "division by zero"))
        self.assertIn("in divide\n    return a / b", failure.backtrace)

    def test_what_a_task_prints_is_its_own(self):
        pool = self.pool(workers=1)
        ids = pool.submit_all([pool.task("say", "one"), pool.task("say", "two", "lines")])
        self.assertEqual([pool.outcome(id).stdout_tail for id in ids], [b"one\n", b"two\nlines\n"])

    def test_output_is_seen_by_a_watcher(self):
        pool = self.pool(workers=1)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        id = pool.submit("say", "one", "two", stream_output=True)
        pool.outcome(id)
        pool.close()
        watcher.wait_for_end()
        self.assertEqual(watcher.output(id), b"one\ntwo\n")

    def test_a_crash_costs_a_single_task_its_worker_only(self):
        pool = self.pool(workers=1)
        ids = pool.submit_all([pool.task("kill_at", number, 2) for number in range(5)])
        states = [pool.outcome(id).state for id in ids]
        self.assertEqual(states, [CRASHED if number == 2 else SUCCEEDED for number in range(5)])

    def test_a_pool_that_would_clone_it_is_told_why_it_cannot(self):
        spec = self.spec(modules=(), program="python-worker", start_method=pool_pb2.START_METHOD_FORK)
        with self.assertRaises(Exception) as caught:
            self.stub.OpenPool(api.OpenPoolRequest(spec=spec))
        self.assertIn("open the pool with START_METHOD_SPAWN", str(caught.exception))

    def test_an_initializer_that_raises_is_told_in_its_own_words(self):
        with self.assertRaises(Exception) as caught:
            self.pool(initializer="divide",
                      initializer_args=payload_pb2.Payload(encoding=payload_pb2.ENCODING_MSGPACK, data=b"\x92\x01\x00"))
        self.assertIn("initializer 'divide': division by zero", str(caught.exception))

    def test_it_keeps_no_descriptor_but_its_channel(self):
        pool = self.pool(workers=1)
        pool.call("add", 1)
        folder = f"/proc/{pool.workers()[0].pid}/fd"
        targets = [os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder)]
        self.assertEqual(sum(target.startswith("socket:") for target in targets), 1, targets)
        self.assertFalse([target for target in targets if "memfd" in target], targets)


if __name__ == "__main__":
    unittest.main()
