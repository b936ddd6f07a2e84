"""A worker program in another language: Python, by the frames of worker.proto alone."""

import hashlib
import os
import unittest

from harness import BIN, CANCELLED, CRASHED, FAILED, PROGRAMS, SUCCEEDED, TIMED_OUT, PoolCase, Watcher, api
from harness import payload_pb2, pool_pb2, seconds, task_pb2, value_of

OURS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")


class PythonWorkerTest(PoolCase):

    daemon_config = 'allowed_environment = ["PYTHONPATH"]\n'

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

    def test_progress_reaches_a_watcher(self):
        pool = self.pool(workers=1)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        id = pool.submit("count_down", 3, 0.06)
        pool.outcome(id)
        pool.close()
        watcher.wait_for_end()
        seen = [event.progress for event in watcher.events if event.HasField("progress")]
        self.assertEqual({progress.id for progress in seen}, {id})
        self.assertEqual(seen[-1].text, "step 3 of 3")
        self.assertEqual(seen[-1].fraction, 1)

    def test_the_progress_of_a_map_item_has_its_index(self):
        pool = self.pool(workers=1)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        id = pool.map("count_down", [(1, 0.1)] * 3, chunk_size=3, max_attempts=2)
        pool.results(id)
        pool.close()
        watcher.wait_for_end()
        seen = [event.progress.index for event in watcher.events if event.HasField("progress")]
        self.assertEqual(seen, sorted(seen))
        self.assertEqual(seen[-1], 2)

    def test_a_strict_pool_of_it_breaks(self):
        pool = self.pool(workers=1, death_policy=pool_pb2.DEATH_POLICY_STRICT)
        self.assertEqual(pool.run("kill_at", 1, 1).state, CRASHED)
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_FAILED)
        self.assertIn("in function 'kill_at'", pool.view().failure)

    def test_a_crash_costs_a_single_task_its_worker_only(self):
        pool = self.pool(workers=1)
        ids = pool.submit_all([pool.task("kill_at", number, 2) for number in range(5)])
        states = [pool.outcome(id).state for id in ids]
        self.assertEqual(states, [CRASHED if number == 2 else SUCCEEDED for number in range(5)])

    def test_a_task_that_killed_three_workers_is_poison_and_the_pool_lives_on(self):
        pool = self.pool(workers=1)
        outcome = pool.run("kill_at", 1, 1, max_attempts=100, retry_delay=seconds(0.001))
        self.assertEqual((outcome.state, outcome.attempt, outcome.poison), (CRASHED, 3, True))
        self.assertEqual(pool.call("add", 1, 2), 3)

    def test_time_limits_and_cancel_stop_it(self):
        pool = self.pool(workers=1, stop_grace=seconds(0.05))
        outcome = pool.run("count_down", 1, 3600, run_timeout=seconds(0.2))
        self.assertEqual((outcome.state, outcome.death.killed_by), (TIMED_OUT, task_pb2.KILLED_BY_TIME_LIMIT))
        id = pool.submit("count_down", 1, 3600)
        pool.wait_until_running(id)
        self.assertEqual(pool.cancel(id, running=True), [True])
        self.assertEqual(pool.outcome(id).state, CANCELLED)
        self.assertEqual(pool.call("add", 1, 2), 3)

    def test_the_attempt_reaches_the_function(self):
        self.assertEqual(self.pool(workers=1).call("attempt"), 1)

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


class OwnProgramCase(PoolCase):
    """Pools with a worker program of these tests."""

    program = "counting-worker"
    daemon_config = 'allowed_environment = ["PYTHONPATH"]\n'
    daemon_flags = tuple(word for folder in (BIN, PROGRAMS, OURS) for word in ("--program-folder", folder))

    def pool(self, name=None, **rest):
        return super().pool(name, modules=(), program=self.program, environment={"PYTHONPATH": PROGRAMS},
                            start_method=pool_pb2.START_METHOD_SPAWN, **rest)


class WhatPythonRaisesTest(OwnProgramCase):

    def test_sys_exit_in_a_task_is_a_failure_and_the_worker_lives_on(self):
        pool = self.pool(workers=1)
        outcome = pool.run("leave")
        self.assertEqual((outcome.state, outcome.failure.type, outcome.failure.message),
                         (FAILED, "SystemExit", "nothing more to do"))
        self.assertEqual(pool.call("count", 1, self.path("begun"), 2), 1)
        self.assertEqual(pool.stats().workers_lost, 0)

    def test_a_result_that_cannot_be_sent_fails_its_task_alone(self):
        pool = self.pool(workers=1)
        outcome = pool.run("no_answer")
        self.assertEqual((outcome.state, outcome.failure.type), (FAILED, "TypeError"))
        self.assertEqual(pool.call("count", 1, self.path("begun"), 2), 1)
        self.assertEqual(pool.stats().workers_lost, 0)


class ForkingTest(OwnProgramCase):
    """A child that a task forks never speaks for it."""

    program = "forking-worker"

    def test_of_two_that_come_back_the_parent_is_heard(self):
        pool = self.pool(workers=1)
        for how in ("fork", "clone"):
            with self.subTest(how=how):
                results = [pool.outcome(pool.submit("both_return", how, size)) for size in (1, 100_000) * 5]
                self.assertEqual([value_of(outcome.result)[:2] for outcome in results], ["0p"] * 10)
                self.assertEqual(pool.call("child_raises", how), 1)
                self.assertEqual(pool.call("child_exits", how), 1)
        self.assertEqual(pool.stats().workers_lost, 0)

    def test_what_can_hardly_be_told_is_a_failure_of_its_task_alone(self):
        pool = self.pool(workers=1)
        failures = {kind: pool.run("raise_odd", kind) for kind in
                    ("speechless", "fatal", "unnamed", "surrogates", "much", "exit")}
        self.assertEqual({outcome.state for outcome in failures.values()}, {FAILED})
        failures = {kind: outcome.failure for kind, outcome in failures.items()}
        self.assertEqual((failures["speechless"].type, failures["speechless"].message),
                         ("Speechless", "its text cannot be told"))
        self.assertEqual(failures["fatal"].message, "its text cannot be told")
        self.assertEqual(failures["surrogates"].message, "half a character: \ufffd")
        self.assertEqual(failures["much"].message[-28:], "m... (50000000 bytes in all)")
        self.assertLess(len(failures["much"].message), 70_000)
        self.assertEqual(pool.call("both_return", "fork", 0), "0")
        self.assertEqual(pool.stats().workers_lost, 0)

    def test_a_task_that_closes_its_output_takes_it_from_no_other(self):
        pool = self.pool(workers=1)
        self.assertEqual(pool.run("close_output").state, SUCCEEDED)
        self.assertEqual(pool.run("say", "still here").stdout_tail, b"still here\n")
        self.assertEqual(pool.stats().workers_lost, 0)


class MapDeathTest(OwnProgramCase):
    """Such a worker has no claim page: when it dies, nobody can tell which item of its chunk it was."""

    items = 24

    def map_with_a_killer(self, bad, **options):
        """Runs a map whose item `bad` kills its worker; returns the results, and per item the attempts that began."""
        pool = self.pool(workers=2)
        name = f"begun-{next(self._names)}"
        items = [(i, self.path(name), bad) for i in range(self.items)]
        results = pool.results(pool.map("count", items, chunk_size=self.items, retry_delay=seconds(0.001), **options))
        begun = [[] for _ in range(self.items)]
        for line in self.lines(name):
            number, attempt = map(int, line.split())
            begun[number].append(attempt)
        return results, begun

    def assert_only_the_guilty_one_is_lost(self, bad, results):
        self.assertEqual(results[bad].state, CRASHED, results[bad])
        self.assertEqual([result for i, result in enumerate(results) if i != bad],
                         [i for i in range(self.items) if i != bad])

    def test_with_one_attempt_the_guilty_item_alone_is_lost_and_nothing_runs_twice(self):
        for bad in (0, 10, self.items - 1):
            results, begun = self.map_with_a_killer(bad)
            self.assert_only_the_guilty_one_is_lost(bad, results)
            self.assertEqual(begun, [[1]] * self.items)

    def test_with_two_attempts_the_guilty_item_alone_is_lost(self):
        results, begun = self.map_with_a_killer(10, max_attempts=2)
        self.assert_only_the_guilty_one_is_lost(10, results)
        self.assertLessEqual(max(map(len, begun)), 2)

    def test_with_many_attempts_the_guilty_item_alone_is_lost_and_is_poison(self):
        results, begun = self.map_with_a_killer(10, max_attempts=50)
        self.assert_only_the_guilty_one_is_lost(10, results)
        self.assertTrue(results[10].poison)

    def test_when_only_failures_are_tried_again_nothing_runs_twice(self):
        results, begun = self.map_with_a_killer(10, max_attempts=5, retry_on=[FAILED])
        self.assert_only_the_guilty_one_is_lost(10, results)
        self.assertEqual(begun, [[1]] * self.items)


if __name__ == "__main__":
    unittest.main()
