"""What forks in and around workers: children of tasks, clones of a prepared process, and modules that are written over."""

import os
import shutil
import tempfile
import unittest

import grpc

from harness import FAILED, MODULES, SUCCEEDED, TEST_MODULES, PoolCase, api, value_of
from poold.v1 import pool_pb2

FORK, SPAWN, FRESH = (pool_pb2.START_METHOD_FORK, pool_pb2.START_METHOD_SPAWN, pool_pb2.START_METHOD_FRESH)


class ChildrenTest(PoolCase):

    def test_of_two_that_come_back_with_a_large_result_the_parent_is_heard(self):
        for method in (FORK, SPAWN, FRESH):
            with self.subTest(method=method):
                pool = self.pool(modules=["forks"], start_method=method)
                ids = pool.submit_all([pool.task("both_return_bytes", how, 100_000) for how in ("fork", "clone") * 30])
                outcomes = [pool.outcome(id) for id in ids]
                self.assertEqual({outcome.state for outcome in outcomes}, {SUCCEEDED})
                # Large ones lie in memory that parent and child share.
                self.assertEqual({value_of(outcome.result)[:1] for outcome in outcomes}, {b"p"})
                if method != FRESH:
                    self.assertEqual(pool.stats().workers_lost, 0)

    def test_how_a_child_ends_says_whether_it_returned_or_threw(self):
        pool = self.pool(workers=1, modules=["forks"])
        for how in ("fork", "clone"):
            self.assertEqual(pool.call("both_return", how, 2), "0pp")
            self.assertEqual(pool.call("child_throws", how), "1")


class ClonesTest(PoolCase):

    def test_no_two_of_120_fresh_workers_draw_the_same_number(self):
        pool = self.pool(modules=["fork_handlers"], preload=["warm"], start_method=FRESH)
        ids = pool.submit_all([pool.task("draw") for _ in range(120)])
        self.assertEqual(len({value_of(pool.outcome(id).result) for id in ids}), 120)

    def test_a_module_with_a_thread_is_refused_where_it_is_cloned_and_works_where_it_is_spawned(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.pool(modules=["threaded"])
        for word in ("threaded.so", "leaves 1 thread running", "START_METHOD_SPAWN"):
            self.assertIn(word, caught.exception.details())
        self.assertEqual(self.pool(modules=["threaded"], start_method=SPAWN).call("twice", 21), 42)


class WrittenOverTest(PoolCase):
    """As cp does it: the same file, with another content."""

    @classmethod
    def setUpClass(cls):
        cls.modules = tempfile.mkdtemp(prefix="poold-test-modules-")
        cls.addClassCleanup(shutil.rmtree, cls.modules, ignore_errors=True)
        cls.daemon_flags = tuple(word for folder in (MODULES, TEST_MODULES, cls.modules)
                                 for word in ("--module-folder", folder))
        super().setUpClass()

    def write_over(self, version):
        with open(os.path.join(TEST_MODULES, f"written_over_{version}.so"), "rb") as file:
            content = file.read()
        with open(os.path.join(self.modules, "written_over.so"), "wb") as file:
            file.write(content)

    def test_its_callers_go_on_and_the_next_reload_takes_the_new_one(self):
        self.write_over(1)
        pool = self.pool(workers=2, modules=["written_over"])
        self.write_over(2)
        self.assertEqual([pool.call(name) for name in ("version", "table_sum") for _ in range(20)], [1] * 40)
        failed = pool.run("fail")
        self.assertEqual((failed.state, failed.failure.message), (FAILED, "version 1"))
        self.assertEqual(pool.stats().workers_lost, 0)
        self.stub.Reload(api.ReloadRequest(pool=pool.name))
        self.assertEqual([pool.call(name) for name in ("version", "table_sum") for _ in range(20)], [2] * 40)


if __name__ == "__main__":
    unittest.main()
