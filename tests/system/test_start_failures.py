"""Workers that cannot start: every caller gets the worker's own words, after a few tries and not for ever."""

import os
import tempfile
import unittest

import grpc

from harness import CRASHED, PATIENCE, SUCCEEDED, PoolCase, PoolProxy, api, arguments, eventually, reason_of, seconds
from poold.v1 import pool_pb2


# Pools that cannot start. Each takes its time, since it is tried again with growing pauses: they are opened all at once.
SPECS = {
    "garbage": dict(modules=["garbage"]),
    "not a module": dict(modules=["not_a_module"]),
    "wrong ABI": dict(modules=["wrong_abi"]),
    "registers twice": dict(modules=["registers_twice"]),
    "same name in two": dict(modules=["examples", "also_square"]),
    "named twice": dict(modules=["testing", "testing"]),
    "initializer throws": dict(initializer="throw", initializer_args=arguments("the initializer says no")),
    "initializer crashes": dict(initializer="crash", initializer_args=arguments(11)),
    "initializer unknown": dict(initializer="no_such_initializer"),
    "hangs in its preload": dict(preload=["hold"], environment={"HOLD": "/"}, start_timeout=seconds(2)),
    "hangs in its initializer": dict(initializer="wait_for_ever", start_timeout=seconds(2)),
    "initializer's arguments": dict(initializer="append", initializer_args=arguments(1, 2, 3)),
}


class StartFailureTest(PoolCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.class_folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="poold-test-files-"))
        cls.tries = os.path.join(cls.class_folder, "tries")
        specs = dict(SPECS)
        specs["tries"] = dict(initializer="append_and_fail", initializer_args=arguments(cls.tries, "try"))
        cls.opening = {}
        for number, (key, spec) in enumerate(specs.items()):
            spec = pool_pb2.PoolSpec(**{"name": f"pool-{number}", "workers": 1, "modules": ["testing", "mischief"], **spec})
            call = cls.daemon.stub._stub.OpenPool.future(api.OpenPoolRequest(spec=spec), timeout=PATIENCE)
            cls.opening[key] = spec.name, call

    def failed(self, key, *words):
        """This pool has failed, and the caller was told in these words. Returns its name."""
        name, call = self.opening[key]
        error = call.exception()
        self.assertIsNotNone(error, "it was opened")
        self.assertEqual((error.code(), reason_of(error)), (grpc.StatusCode.FAILED_PRECONDITION, "POOL_FAILED"))
        for word in (name, *words):
            self.assertIn(word, error.details())
        return name

    def refused(self, code, reason, *words, **spec):
        self.assert_refused(code, reason, lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=self.spec(**spec))), *words)

    def tearDown(self):
        # Nothing else is disturbed.
        self.assertEqual(self.pool(workers=1).call("echo", b"x"), b"x")

    def test_a_module_that_is_not_there_is_named_with_the_folders_that_were_searched(self):
        self.refused(grpc.StatusCode.NOT_FOUND, "MODULE_NOT_FOUND", "no_such_module", modules=["no_such_module"])

    def test_a_path_is_refused_where_a_module_name_is_meant(self):
        for name in ("/etc/passwd", "../testing", "a/b", ""):
            with self.subTest(name=name):
                self.refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", modules=[name])

    def test_a_program_that_is_not_there_is_named(self):
        self.refused(grpc.StatusCode.NOT_FOUND, "PROGRAM_NOT_FOUND", "no-such-program", program="no-such-program")

    def test_a_file_that_is_no_module_is_told_with_the_loaders_own_words(self):
        self.failed("garbage", "garbage")

    def test_a_shared_object_that_is_no_task_module_is_told(self):
        self.failed("not a module", "not_a_module")

    def test_what_hangs_while_it_starts_is_ended_and_told_with_what_it_was_doing(self):
        self.failed("hangs in its preload", "2 s", "start_timeout", "running the preload 'hold'")
        self.failed("hangs in its initializer", "2 s", "start_timeout", "running the initializer 'wait_for_ever'")

    def test_a_module_with_the_wrong_abi_version_is_told_with_its_version(self):
        self.failed("wrong ABI", "wrong_abi", "999")

    def test_a_module_that_registers_a_name_twice_is_told_with_the_name(self):
        self.failed("registers twice", "registers_twice", "same_name")

    def test_two_modules_that_register_the_same_name_are_told_with_the_name(self):
        self.failed("same name in two", "square", "examples", "also_square")

    def test_a_module_that_is_named_twice_is_told_with_the_name(self):
        self.failed("named twice", "testing", "twice")

    def test_the_words_of_a_failing_initializer_reach_the_caller(self):
        name = self.failed("initializer throws", "the initializer says no")
        pool = PoolProxy(self.stub, name)
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_FAILED)
        self.assertIn("the initializer says no", pool.view().failure)
        eventually(lambda: not pool.workers(), "no worker is left")

    def test_a_failing_initializer_is_tried_a_few_times_and_not_for_ever(self):
        # It writes its line and then fails: one line for each try.
        self.failed("tries", "append_and_fail")
        with open(self.tries) as file:
            self.assertIn(len(file.readlines()), range(2, 20))

    def test_an_initializer_that_crashes_is_told_with_its_signal(self):
        self.failed("initializer crashes", "signal 11")

    def test_an_initializer_that_is_not_registered_is_named(self):
        self.failed("initializer unknown", "no_such_initializer")

    def test_an_initializer_with_wrong_arguments_is_told_what_it_wants(self):
        self.failed("initializer's arguments", "append", "3")

    def test_everyone_who_waits_for_the_pool_gets_the_same_words(self):
        spec = self.spec(initializer="throw", initializer_args=arguments("no luck today"))
        calls = [self.daemon.another_client()._stub.OpenPool.future(api.OpenPoolRequest(spec=spec), timeout=60)
                 for _ in range(4)]
        for call in calls:
            self.assertEqual(call.exception().code(), grpc.StatusCode.FAILED_PRECONDITION)
            self.assertIn("no luck today", call.exception().details())

    def test_a_pool_that_cannot_start_leaves_no_process(self):
        before = set(self.daemon.processes())
        spec = self.spec(workers=4, initializer="append", initializer_args=arguments("/proc/not/there", "x"))
        with self.assertRaises(grpc.RpcError):
            self.stub.OpenPool(api.OpenPoolRequest(spec=spec))
        eventually(lambda: not set(self.daemon.processes()) - before, "nothing of it is left")

    def test_submitting_to_a_failed_pool_tells_the_workers_words(self):
        name = self.failed("initializer throws")
        result = self.stub.Submit(api.SubmitRequest(pool=name, tasks=[{"function": "echo"}])).results[0]
        self.assert_task_refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_FAILED", result, "the initializer says no")

    def test_the_name_of_a_failed_pool_may_be_opened_anew(self):
        name = self.failed("named twice")
        self.assertEqual(self.pool(name, workers=1).call("echo", b"x"), b"x")

    def test_a_pool_whose_replacements_cannot_start_waits_until_they_can(self):
        # The first worker starts; the folder that its initializer needs is gone for the replacement.
        os.mkdir(self.path("folder"))
        pool = self.pool(workers=1, initializer="append", initializer_args=arguments(self.path("folder/log"), "x"))
        os.remove(self.path("folder/log"))
        os.rmdir(self.path("folder"))
        ids = pool.submit_all([pool.task("exit", 1), pool.task("echo", b"x"), pool.task("echo", b"y")])
        eventually(lambda: "append" in pool.view().start_failure, "the pool tells why a worker is missing")
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_RUNNING)
        os.mkdir(self.path("folder"))
        self.assertEqual([pool.outcome(id).state for id in ids], [CRASHED, SUCCEEDED, SUCCEEDED])


if __name__ == "__main__":
    unittest.main()
