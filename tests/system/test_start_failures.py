"""Workers that cannot start: every caller gets the worker's own words, after a few tries and not for ever."""

import os
import unittest

import grpc

from harness import PoolCase, PoolProxy, api, arguments, eventually
from poold.v1 import pool_pb2


class StartFailureTest(PoolCase):

    def refused(self, code, reason, *words, **spec):
        spec = self.spec(**spec)
        details = self.assert_refused(code, reason, lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=spec)), *words)
        return spec.name, details

    def failed(self, *words, **spec):
        return self.refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_FAILED", *words, **spec)[0]

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
        self.failed("garbage", modules=["garbage"])

    def test_a_shared_object_that_is_no_task_module_is_told(self):
        self.failed("not_a_module", modules=["not_a_module"])

    def test_a_module_with_the_wrong_abi_version_is_told_with_both_versions(self):
        self.failed("wrong_abi", modules=["wrong_abi"])

    def test_a_module_that_registers_a_name_twice_is_told_with_the_name(self):
        self.failed("registers_twice", "same_name", modules=["registers_twice"])

    def test_two_modules_that_register_the_same_name_are_told_with_the_name(self):
        self.failed("square", modules=["examples", "also_square"])

    def test_a_module_that_is_named_twice_is_told_with_the_name(self):
        self.failed("testing", "twice", modules=["testing", "testing"])

    def test_the_words_of_a_failing_initializer_reach_the_caller(self):
        name = self.failed("the initializer says no", initializer="throw",
                           initializer_args=arguments("the initializer says no"))
        pool = self.stub.GetPool(api.GetPoolRequest(name=name)).pool
        self.assertEqual(pool.state, pool_pb2.POOL_STATE_FAILED)
        self.assertIn("the initializer says no", pool.failure)
        eventually(lambda: PoolProxy(self.stub, name).workers() == [], "no worker is left")

    def test_a_failing_initializer_is_tried_a_few_times_and_not_for_ever(self):
        # It writes its line and then fails: one line for each try.
        self.failed("append_and_fail", initializer="append_and_fail",
                    initializer_args=arguments(self.path("tries"), "try"))
        tries = len(self.lines("tries"))
        self.assertTrue(2 <= tries <= 20, tries)

    def test_an_initializer_that_crashes_is_told_with_its_signal(self):
        self.failed("signal 11", initializer="crash", initializer_args=arguments(11))

    def test_an_initializer_that_is_not_registered_is_named(self):
        self.failed("no_such_initializer", initializer="no_such_initializer")

    def test_an_initializer_with_wrong_arguments_is_told_what_it_wants(self):
        self.failed("append", initializer="append", initializer_args=arguments(1, 2, 3))

    def test_everyone_who_waits_for_the_pool_gets_the_same_words(self):
        spec = self.spec(initializer="throw", initializer_args=arguments("no luck today"))
        calls = [self.daemon.another_client()._stub.OpenPool.future(api.OpenPoolRequest(spec=spec), timeout=60)
                 for _ in range(4)]
        for call in calls:
            self.assertEqual(call.exception().code(), grpc.StatusCode.FAILED_PRECONDITION)
            self.assertIn("no luck today", call.exception().details())

    def test_submitting_to_a_failed_pool_tells_the_workers_words(self):
        name = self.failed("no luck", initializer="throw", initializer_args=arguments("no luck"))
        result = self.stub.Submit(api.SubmitRequest(pool=name, tasks=[{"function": "echo"}])).results[0]
        self.assert_task_refused(grpc.StatusCode.FAILED_PRECONDITION, "POOL_FAILED", result, "no luck")

    def test_the_name_of_a_failed_pool_may_be_opened_anew(self):
        name = self.failed("no luck", initializer="throw", initializer_args=arguments("no luck"))
        self.assertEqual(self.pool(name, workers=1).call("echo", b"x"), b"x")

    def test_a_pool_whose_replacements_cannot_start_ends_its_handles(self):
        # The first worker starts; the folder that its initializer needs is gone for the replacement.
        os.mkdir(self.path("folder"))
        pool = self.pool(workers=1, initializer="append", initializer_args=arguments(self.path("folder/log"), "x"))
        os.remove(self.path("folder/log"))
        os.rmdir(self.path("folder"))
        ids = pool.submit_all([pool.task("exit", 1), pool.task("echo", b"x"), pool.task("echo", b"y")])
        outcomes = [pool.outcome(id) for id in ids]
        self.assertNotIn(0, [outcome.state for outcome in outcomes])
        eventually(lambda: pool.view().state == pool_pb2.POOL_STATE_FAILED, "the pool has failed")
        self.assertIn("append", pool.view().failure)
        self.assertIn(self.path("folder/log"), outcomes[-1].failure.message)


if __name__ == "__main__":
    unittest.main()
