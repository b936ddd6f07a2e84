"""Pools that change while they work: more or fewer workers, and new code, without a pause."""

import os
import shutil
import tempfile
import unittest

import grpc

from harness import CRASHED, FAILED, RUNNING, SUCCEEDED, TEST_MODULES, PoolCase, api, eventually


class ResizeTest(PoolCase):

    def resize(self, pool, workers):
        return self.stub.Resize(api.ResizeRequest(pool=pool.name, workers=workers)).pool

    def test_more_workers_start_at_once_and_take_what_waits(self):
        pool = self.pool(workers=1)
        first = self.begin(pool)
        self.assertEqual(self.resize(pool, 3).spec.workers, 3)
        others = [self.begin(pool) for _ in range(2)]
        self.assertEqual([pool.state(id) for id in [first, *others]], [RUNNING] * 3)
        self.go_on()
        self.assertEqual({pool.outcome(id).state for id in [first, *others]}, {SUCCEEDED})

    def test_of_too_many_the_busy_ones_finish_what_they_run(self):
        pool = self.pool(workers=3)
        ids = [self.begin(pool) for _ in range(3)]
        waiting = pool.submit("echo", b"x")
        self.resize(pool, 1)
        self.assertEqual([pool.state(id) for id in ids], [RUNNING] * 3)
        self.go_on()
        self.assertEqual({pool.outcome(id).state for id in [*ids, waiting]}, {SUCCEEDED})
        eventually(lambda: len(pool.workers()) == 1, "there is one left")

    def test_nothing_is_lost_while_it_grows_and_shrinks(self):
        pool = self.pool(workers=2)
        ids = []
        for workers in (4, 1, 3, 1, 2):
            numbers = range(len(ids), len(ids) + 200)
            ids += pool.submit_all([pool.task("append", self.path("runs"), str(number)) for number in numbers])
            self.resize(pool, workers)
        self.assertEqual({pool.outcome(id).state for id in ids}, {SUCCEEDED})
        self.assertCountEqual(self.lines("runs"), [str(number) for number in range(1000)])
        eventually(lambda: len(pool.workers()) == 2, "there are as many as asked last")

    def test_no_workers_and_too_many_are_refused(self):
        pool = self.pool(workers=1)
        for workers in (0, self.daemon.server_info().limits.max_workers_per_pool + 1):
            self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", lambda: self.resize(pool, workers))
        self.assertEqual(len(pool.workers()), 1)


class ReloadTest(PoolCase):

    @classmethod
    def setUpClass(cls):
        cls.modules = tempfile.mkdtemp(prefix="poold-test-modules-")
        cls.addClassCleanup(shutil.rmtree, cls.modules, ignore_errors=True)
        cls.daemon_flags = ("--module-folder", cls.modules, "--module-folder", TEST_MODULES)
        super().setUpClass()

    def install(self, file, as_name):
        """Puts this file into the place of the module, as an installation does."""
        shutil.copy(os.path.join(TEST_MODULES, file), self.modules + "/new")
        os.rename(self.modules + "/new", f"{self.modules}/{as_name}.so")

    def reload(self, pool, stub=None):
        return (stub or self.stub).Reload(api.ReloadRequest(pool=pool.name)).pool

    def versioned(self, **spec):
        """A pool with the module `thing`, which is also_square now, and mischief after `install`."""
        self.install("also_square.so", "thing")
        return self.pool(modules=["thing"], **spec)

    def test_new_code_takes_over(self):
        pool = self.versioned(workers=2)
        self.assertEqual(pool.call("square", 7), 49)
        self.install("mischief.so", "thing")
        view = self.reload(pool)
        self.assertEqual((view.generation, {worker.generation for worker in view.workers if worker.pid}), (2, {2}))
        self.assertNotIn("square", view.functions)
        self.assertIsNone(pool.call("print_error", "new"))
        self.assertEqual(pool.stats().reloads, 1)

    def test_what_runs_finishes_in_the_old_code_and_the_pool_does_not_pause(self):
        self.install("mischief.so", "thing")
        pool = self.pool(modules=["thing"], workers=2)
        running = self.begin(pool)
        reloading = self.daemon.another_client()._stub.Reload.future(api.ReloadRequest(pool=pool.name), timeout=60)
        eventually(lambda: [w for w in pool.ready_workers() if w.generation == 2], "new workers are there")
        self.assertIsNone(pool.call("print_error", "the pool goes on"))
        self.assertFalse(reloading.done())
        self.assertTrue(pool.view().reloading)
        self.go_on()
        self.assertEqual(reloading.result().pool.generation, 2)
        self.assertEqual(pool.outcome(running).state, SUCCEEDED)
        self.assertEqual([a.generation for a in self.stub.Explain(api.ExplainRequest(id=running)).attempts], [1])

    def assert_its_function_is_gone(self, pool, id):
        answer = pool.get(id, wait=20)
        self.assertTrue(answer.done, answer)
        outcome = answer.task.outcome
        self.assertEqual((outcome.state, outcome.failure.type), (FAILED, "poold.UnknownFunction"))
        self.assertIn(f"'{answer.task.function}'", outcome.failure.message)

    def test_what_waits_for_a_function_that_the_new_code_lacks_fails_and_says_so(self):
        self.install("mischief.so", "thing")
        pool = self.pool(modules=["thing"], workers=1)
        running = self.begin(pool)
        waiting = [pool.submit("print_and_wait_for", "x", self.path("go on")) for _ in range(5)]
        self.install("also_square.so", "thing")
        reloading = self.daemon.another_client()._stub.Reload.future(api.ReloadRequest(pool=pool.name), timeout=60)
        eventually(lambda: [w for w in pool.ready_workers() if w.generation == 2], "the new code is there")
        self.go_on()
        self.assertEqual(reloading.result().pool.generation, 2)
        self.assertEqual(pool.outcome(running).state, SUCCEEDED)
        for id in waiting:
            self.assert_its_function_is_gone(pool, id)

    def test_what_waits_at_a_fence_for_a_function_that_the_new_code_lacks_fails_too(self):
        self.install("mischief.so", "thing")
        pool = self.pool(modules=["thing"], workers=2)
        for _ in range(5):
            self.assertEqual(pool.run("crash_unless", self.path("never")).state, CRASHED)
        waiting = [pool.submit("crash_unless", self.path("never")) for _ in range(5)]
        map_id = pool.map("crash_unless", [(self.path("never"),)] * 5)
        self.install("also_square.so", "thing")
        self.reload(pool)
        self.assertEqual(pool.call("square", 7), 49)
        for id in waiting:
            self.assert_its_function_is_gone(pool, id)
        self.assertTrue(pool.get(map_id, wait=20).map.done)

    def test_the_fence_does_not_outlive_the_code_that_was_mended(self):
        pool = self.versioned(workers=2)
        self.assertEqual(pool.call("square", 7), 49)
        self.install("mischief.so", "thing")
        self.reload(pool)
        for _ in range(5):
            self.assertEqual(pool.run("crash_unless", self.path("mended")).state, CRASHED)
        ids = [pool.submit("crash_unless", self.path("mended"), max_attempts=3) for _ in range(5)]
        open(self.path("mended"), "w").close()
        self.reload(pool)
        self.assertEqual({pool.outcome(id).state for id in ids}, {SUCCEEDED})

    def test_code_that_does_not_load_is_rolled_back_in_its_own_words(self):
        pool = self.versioned(workers=2)
        pids = {worker.pid for worker in pool.ready_workers()}
        self.install("garbage.so", "thing")
        self.assert_refused(grpc.StatusCode.FAILED_PRECONDITION, "RELOAD_FAILED", lambda: self.reload(pool), "thing.so")
        self.assertEqual(pool.call("square", 7), 49)
        view = pool.view()
        self.assertEqual((view.generation, {worker.pid for worker in view.workers}), (1, pids))
        self.assertIn("thing.so", view.reload_failure)
        self.assertEqual((pool.stats().reloads, pool.stats().rollbacks), (0, 1))
        self.install("also_square.so", "thing")
        self.assertEqual(self.reload(pool).reload_failure, "")

    def test_nothing_is_lost_while_it_reloads(self):
        self.install("mischief.so", "thing")
        pool = self.pool(modules=["thing"], workers=2)
        ids = []
        for _ in range(3):
            numbers = range(len(ids), len(ids) + 300)
            ids += pool.submit_all([pool.task("append_or_crash", n, self.path("runs"), -1) for n in numbers])
            self.reload(pool)
        self.assertEqual({pool.outcome(id).state for id in ids}, {SUCCEEDED})
        self.assertCountEqual(self.lines("runs"), [str(i) for i in range(900)])

    def test_a_second_reload_waits_for_the_first(self):
        pool = self.versioned(workers=1)
        calls = [self.daemon.another_client()._stub.Reload.future(api.ReloadRequest(pool=pool.name), timeout=60)
                 for _ in range(2)]
        self.assertEqual(sorted(call.result().pool.generation for call in calls), [2, 3])


if __name__ == "__main__":
    unittest.main()
