"""What a worker may use: memory, and what the kernel limits. Who takes more pays for it alone."""

import os
import resource
import signal
import time
import unittest

import grpc

from harness import CRASHED, FAILED, PATIENCE, SUCCEEDED, PoolCase, api, eventually, seconds
from poold.v1 import pool_pb2, task_pb2

MIB = 1 << 20


class MemoryLimitTest(PoolCase):

    def glutton(self, pool, **options):
        """A task that takes more than it may, and would keep it."""
        return pool.submit("grow_and_wait", 256 * MIB, self.path(f"grown-{next(self._names)}"), self.path("never"),
                           **options)

    def test_a_task_above_the_memory_limit_is_killed_and_says_so(self):
        pool = self.pool(workers=1, memory_limit_bytes=128 * MIB)
        outcome = pool.outcome(self.glutton(pool))
        self.assertEqual((outcome.state, outcome.death.killed_by, outcome.death.signal),
                         (CRASHED, task_pb2.KILLED_BY_MEMORY_LIMIT, signal.SIGKILL))
        self.assertGreater(outcome.death.peak_rss_bytes, 128 * MIB)
        self.assertEqual(pool.call("echo", b"the pool lives on"), b"the pool lives on")

    def test_its_neighbours_and_those_behind_it_are_not_harmed(self):
        pool = self.pool(workers=2, memory_limit_bytes=128 * MIB)
        neighbour = self.begin(pool)
        glutton = self.glutton(pool)
        behind = pool.submit_all([pool.task("append", self.path("runs"), str(i)) for i in range(20)])
        self.assertEqual(pool.outcome(glutton).state, CRASHED)
        self.assertEqual({pool.outcome(id).state for id in behind}, {SUCCEEDED})
        self.assertCountEqual(self.lines("runs"), [str(i) for i in range(20)])
        self.go_on()
        self.assertEqual(pool.outcome(neighbour).state, SUCCEEDED)
        self.assertEqual((pool.stats().crashed, pool.stats().workers_lost), (1, 1))

    def test_in_a_map_only_the_item_that_took_too_much_is_lost(self):
        pool = self.pool(workers=1, memory_limit_bytes=128 * MIB)
        self.go_on()
        items = [(1000, self.path("small"), self.path("go on")) for _ in range(16)]
        items[5] = (256 * MIB, self.path("big"), self.path("never"))
        results = pool.results(pool.map("grow_and_wait", items, chunk_size=16))
        self.assertEqual([i for i in range(16) if results[i] is not None], [5])
        self.assertEqual((results[5].state, results[5].death.killed_by), (CRASHED, task_pb2.KILLED_BY_MEMORY_LIMIT))
        self.assertEqual(len(self.lines("small")), 15)

    def test_a_task_within_the_limit_is_left_alone(self):
        pool = self.pool(workers=1, memory_limit_bytes=1024 * MIB)
        id = pool.submit("grow_and_wait", 64 * MIB, self.path("begun"), self.path("go on"))
        eventually(lambda: pool.workers()[0].rss_bytes > 64 * MIB, "it was looked at")
        self.go_on()
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)


    def test_it_may_be_tried_again_as_after_any_crash(self):
        pool = self.pool(workers=1, memory_limit_bytes=128 * MIB)
        outcome = pool.outcome(self.glutton(pool, max_attempts=2, retry_delay=seconds(0.001)))
        self.assertEqual((outcome.state, outcome.attempt, outcome.death.killed_by),
                         (CRASHED, 2, task_pb2.KILLED_BY_MEMORY_LIMIT))

    def test_each_way_to_make_workers_has_it(self):
        for method in (pool_pb2.START_METHOD_SPAWN, pool_pb2.START_METHOD_FRESH):
            with self.subTest(method=method):
                pool = self.pool(workers=1, memory_limit_bytes=128 * MIB, start_method=method)
                self.assertEqual(pool.outcome(self.glutton(pool)).death.killed_by, task_pb2.KILLED_BY_MEMORY_LIMIT)
                self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_workers_that_are_too_large_from_the_start_are_made_after_ever_longer_pauses(self):
        started = time.monotonic()
        pool = self.pool(workers=1, memory_limit_bytes=1)
        eventually(lambda: pool.stats().workers_lost >= 10, "they are killed")
        self.assertGreater(time.monotonic() - started, 3)  # ten looks, four a second, are less
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_RUNNING)


class ResourceLimitTest(PoolCase):

    daemon_config = "allow_exec = true\n"

    def limited(self, workers=1, **limits):
        """A pool with these limits: open_files=3."""
        kinds = [pool_pb2.ResourceLimit(kind=getattr(pool_pb2, f"RESOURCE_KIND_{kind.upper()}"), value=value)
                 for kind, value in limits.items()]
        return self.pool(workers=workers, resource_limits=kinds, allow_exec=True)

    def assert_killed_by_the_kernel(self, outcome, number):
        self.assertEqual((outcome.state, outcome.death.signal, outcome.death.killed_by),
                         (CRASHED, number, task_pb2.KILLED_BY_KERNEL), outcome)

    def test_every_limit_reaches_the_workers_however_they_are_made(self):
        limits = {"ADDRESS_SPACE_BYTES": 1 << 40, "CPU_SECONDS": 3600, "FILE_SIZE_BYTES": 1 << 30, "OPEN_FILES": 200,
                  "PROCESSES": 5000, "CORE_BYTES": 0, "STACK_BYTES": 4 * MIB}
        names = ("as", "cpu", "fsize", "nofile", "nproc", "core", "stack")
        for method in (pool_pb2.START_METHOD_FORK, pool_pb2.START_METHOD_SPAWN, pool_pb2.START_METHOD_FRESH):
            with self.subTest(method=method):
                pool = self.pool(workers=1, start_method=method, resource_limits=[
                    pool_pb2.ResourceLimit(kind=getattr(pool_pb2, f"RESOURCE_KIND_{kind}"), value=value)
                    for kind, value in limits.items()])
                found = pool.call("ident")["limits"]
                self.assertEqual([found[name] for name in names], list(limits.values()))

    def test_no_worker_of_many_escapes_its_limits(self):
        limits = [pool_pb2.ResourceLimit(kind=pool_pb2.RESOURCE_KIND_OPEN_FILES, value=200),
                  pool_pb2.ResourceLimit(kind=pool_pb2.RESOURCE_KIND_STACK_BYTES, value=4 * MIB)]
        for method in (pool_pb2.START_METHOD_FORK, pool_pb2.START_METHOD_SPAWN):
            with self.subTest(method=method):
                pool = self.pool(workers=24, start_method=method, resource_limits=limits)
                pids = [worker.pid for worker in pool.ready_workers()]
                self.assertEqual({resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in pids}, {(200, 200)})
                self.assertEqual({resource.prlimit(pid, resource.RLIMIT_STACK) for pid in pids}, {(4 * MIB, 4 * MIB)})

    def test_what_a_task_starts_is_limited_too(self):
        pool = self.limited(open_files=200, core_bytes=0)
        outcome = pool.run("exec", ["sh", "-c", "ulimit -n; ulimit -c"])
        self.assertEqual(outcome.stdout_tail, b"200\n0\n", outcome)

    def test_a_worker_cannot_open_more_files(self):
        pool = self.limited(open_files=3)
        outcome = pool.run("append", self.path("one more"), "x")
        self.assertEqual(outcome.state, FAILED)
        self.assertIn("Too many open files", outcome.failure.message)
        self.assertEqual(pool.call("echo", b"the worker lives on"), b"the worker lives on")

    def test_a_worker_that_used_its_processor_time_is_ended_by_the_kernel(self):
        pool = self.limited(cpu_seconds=1)
        outcome = pool.run("spin", 1000 * PATIENCE)
        self.assert_killed_by_the_kernel(outcome, signal.SIGXCPU)
        self.assertGreater(outcome.death.cpu_time.ToMilliseconds(), 500)  # the kernel counts by ticks, not exactly
        self.assertEqual(pool.call("echo", b"another worker"), b"another worker")

    def test_a_worker_that_writes_too_large_a_file_is_ended_by_the_kernel(self):
        pool = self.limited(file_size_bytes=1000)
        # The kernel cuts the write that crosses the limit, and ends the process at the next one.
        self.assertEqual(pool.run("append", self.path("file"), "x" * 2000).state, FAILED)
        self.assert_killed_by_the_kernel(pool.run("append", self.path("file"), "one more"), signal.SIGXFSZ)
        self.assertEqual(os.path.getsize(self.path("file")), 1000)
        self.assertEqual(pool.call("echo", b"another worker"), b"another worker")

    def test_an_allocation_beyond_the_address_space_fails_in_the_task(self):
        pool = self.limited(address_space_bytes=512 * MIB)
        outcome = pool.run("alloc", 600 * MIB)
        self.assertEqual((outcome.state, outcome.failure.type), (FAILED, "std::bad_alloc"), outcome)
        self.assertEqual(pool.call("alloc", 10 * MIB), 10 * MIB)

    def test_an_address_space_too_small_to_start_is_told_as_what_it_is(self):
        too_small = pool_pb2.ResourceLimit(kind=pool_pb2.RESOURCE_KIND_ADDRESS_SPACE_BYTES, value=8 * MIB)
        self.assert_refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_FAILED",
                            lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=self.spec(resource_limits=[too_small]))),
                            "address_space_bytes", "raise it")

    def test_a_limit_that_cannot_be_set_fails_the_pool_in_words(self):
        too_many = pool_pb2.ResourceLimit(kind=pool_pb2.RESOURCE_KIND_OPEN_FILES, value=40_000_000_000)
        self.assert_refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_FAILED",
                            lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=self.spec(resource_limits=[too_many]))),
                            "cannot be limited to 40000000000 open files", "the daemon's own limit is")

    def test_a_limit_of_no_known_kind_is_refused_and_names_the_field(self):
        nothing = pool_pb2.ResourceLimit(value=1)
        details = self.assert_refused(
            grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD",
            lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=self.spec(resource_limits=[nothing]))))
        self.assertIn("resource_limits", details["BadRequest"].field_violations[0].field)


if __name__ == "__main__":
    unittest.main()
