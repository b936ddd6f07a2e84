"""Bad input gets a precise error that names the thing, and nothing else is disturbed."""

import unittest
import uuid

import grpc

from harness import FAILED, PoolCase, PoolProxy, api, reason_of, seconds
from poold.v1 import payload_pb2, pool_pb2, task_pb2

NOT_FOUND = grpc.StatusCode.NOT_FOUND
INVALID = grpc.StatusCode.INVALID_ARGUMENT


class BadInputTest(PoolCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.daemon.stub.OpenPool(api.OpenPoolRequest(
            spec=pool_pb2.PoolSpec(name="good", workers=2, modules=["examples", "testing"])))
        cls.good = PoolProxy(cls.daemon.stub, "good")

    def tearDown(self):
        self.assertEqual(self.good.call("square", 3), 9, "something else was disturbed")

    def field_of(self, details):
        return details["BadRequest"].field_violations[0].field

    # Names.

    def test_an_unknown_pool_is_named(self):
        for call in (lambda: self.stub.GetPool(api.GetPoolRequest(name="no-pool")),
                     lambda: self.stub.Close(api.CloseRequest(pool="no-pool")),
                     lambda: self.stub.Terminate(api.TerminateRequest(pool="no-pool")),
                     lambda: self.stub.Join(api.JoinRequest(pool="no-pool")),
                     lambda: self.stub.GetStats(api.GetStatsRequest(pool="no-pool")),
                     lambda: self.stub.Map(api.MapRequest(pool="no-pool", function="square")),
                     lambda: self.stub.Watch(api.WatchRequest(pool="no-pool"))):
            self.assert_refused(NOT_FOUND, "POOL_NOT_FOUND", call, "no-pool")
        result = PoolProxy(self.stub, "no-pool").try_submit(PoolProxy.task("square", 1))
        self.assert_task_refused(NOT_FOUND, "POOL_NOT_FOUND", result, "no-pool")

    def test_an_unknown_function_is_named(self):
        self.assert_task_refused(NOT_FOUND, "FUNCTION_NOT_FOUND", self.good.try_submit(self.good.task("sqare", 1)),
                                 "sqare", "good")
        self.assert_refused(NOT_FOUND, "FUNCTION_NOT_FOUND", lambda: self.good.map("sqare", [(1,)]), "sqare")

    def test_an_unknown_handle_is_named(self):
        id = uuid.uuid4().bytes
        for call in (lambda: self.good.get(id), lambda: self.good.cancel(id),
                     lambda: self.stub.GetItems(api.GetItemsRequest(id=id)),
                     lambda: self.stub.Download(api.DownloadRequest(id=id)),
                     lambda: self.stub.Watch(api.WatchRequest(ids=[id]))):
            self.assert_refused(NOT_FOUND, "HANDLE_NOT_FOUND", call, id.hex())

    def test_a_handle_of_the_wrong_length_is_told(self):
        for id in (b"", b"short", bytes(17)):
            details = self.assert_refused(INVALID, "INVALID_FIELD", lambda: self.good.get(id), "16")
            self.assertIn("id", self.field_of(details))

    # Arguments: outcomes of the task, since only the worker knows what the function takes.

    def assert_argument_error(self, outcome, *words):
        self.assertEqual((outcome.state, outcome.failure.type), (FAILED, "poold.ArgumentError"), outcome)
        for word in words:
            self.assertIn(word, outcome.failure.message)

    def test_the_wrong_number_of_arguments_names_the_function_and_both_numbers(self):
        self.assert_argument_error(self.good.run("square"), "square", "1", "0")
        self.assert_argument_error(self.good.run("square", 1, 2, 3), "square", "1", "3")

    def test_the_wrong_type_names_function_position_wanted_and_given(self):
        self.assert_argument_error(self.good.run("square", "seven"), "square", "1", "int", "str")
        self.assert_argument_error(self.good.run("append", "/tmp/x", 5), "append", "2", "str", "int")

    def test_integers_are_range_checked_and_fractions_refused(self):
        for value in (2**63, 2**64 - 1, 7.5, None, [7]):
            with self.subTest(value=value):
                self.assert_argument_error(self.good.run("square", value), "square")

    def raw(self, data, encoding=payload_pb2.ENCODING_MSGPACK, function="square", type_name=""):
        task = task_pb2.TaskSpec(function=function,
                                 args=payload_pb2.Payload(encoding=encoding, data=data, type_name=type_name))
        return self.good.try_submit(task)

    def test_malformed_messagepack_is_told(self):
        for data in (b"\x91", b"\xc1", b"\x92\x07", b"\xdd\xff\xff\xff\xff", b"\x91\x07garbage", b"\x07", b""):
            with self.subTest(data=data):
                self.assert_argument_error(self.good.outcome(self.raw(data).id), "square")

    def test_deeply_nested_messagepack_kills_nobody(self):
        outcome = self.good.outcome(self.raw(b"\x91" * 1_000_000 + b"\x07").id)
        self.assert_argument_error(outcome, "square")

    def test_malformed_protobuf_is_told(self):
        outcome = self.good.outcome(self.raw(b"\xff\xff\xff", payload_pb2.ENCODING_PROTOBUF).id)
        self.assert_argument_error(outcome, "square")

    def test_arguments_without_a_name_of_their_encoding_are_refused(self):
        details = self.assert_task_refused(INVALID, "INVALID_FIELD",
                                           self.raw(b"\x91\x07", payload_pb2.ENCODING_UNSPECIFIED), "encoding")
        self.assertIn("args", self.field_of(details))

    def test_an_encoding_that_does_not_exist_is_refused(self):
        self.assert_task_refused(INVALID, "INVALID_FIELD", self.raw(b"x", 77), "encoding")

    # Specs and options.

    def open_refused(self, field, *words, **spec):
        details = self.assert_refused(
            INVALID, "INVALID_FIELD", lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=self.spec(**spec))), *words)
        self.assertIn(field, self.field_of(details))

    def test_zero_workers_are_refused(self):
        self.open_refused("workers", "workers", workers=0)

    def test_more_workers_than_the_published_limit_are_refused(self):
        self.open_refused("workers", workers=self.daemon.server_info().limits.max_workers_per_pool + 1)

    def test_zero_tasks_per_worker_are_refused(self):
        self.open_refused("max_tasks_per_worker", max_tasks_per_worker=0)

    def test_names_that_are_no_names_are_refused(self):
        for name in ("a/b", "a b", "x" * 65, "ü", "../x"):
            with self.subTest(name=name):
                self.open_refused("name", name=name)
        self.assert_refused(INVALID, "INVALID_FIELD",
                            lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=pool_pb2.PoolSpec(modules=["testing"]))))

    def test_other_values_out_of_their_range_are_refused_and_name_the_field(self):
        self.open_refused("nice", nice=20)
        self.open_refused("stop_grace", stop_grace={"seconds": -1})
        self.open_refused("working_directory", working_directory="not/absolute")
        self.open_refused("start_method", start_method=9)

    def test_options_out_of_their_range_are_refused_and_name_the_field(self):
        for field, value in (("run_timeout", seconds(-1)), ("priority", 101), ("max_attempts", 0),
                             ("retry_on", [task_pb2.TASK_STATE_SUCCEEDED]), ("start_delay", seconds(-1))):
            with self.subTest(field=field):
                details = self.assert_task_refused(
                    INVALID, "INVALID_FIELD", self.good.try_submit(self.good.task("square", 1, **{field: value})))
                self.assertIn(field, self.field_of(details))

    def test_an_empty_request_is_refused_and_kills_nobody(self):
        for name, request in (("OpenPool", api.OpenPoolRequest()), ("Get", api.GetRequest()), ("Map", api.MapRequest()),
                              ("Watch", api.WatchRequest()), ("Join", api.JoinRequest()), ("Close", api.CloseRequest())):
            with self.subTest(call=name):
                with self.assertRaises(grpc.RpcError) as caught:
                    answer = getattr(self.stub, name)(request)
                    if hasattr(answer, "__next__"):
                        next(answer)
                self.assertIn(caught.exception.code(), (INVALID, NOT_FOUND))
                reason_of(caught.exception)

    def test_bytes_that_are_no_request_fail_the_call_and_nothing_else(self):
        call = self.daemon.channel().unary_unary("/poold.v1.PoolService/Submit")
        with self.assertRaises(grpc.RpcError) as caught:
            call(b"\xff\xff\xff\xff", timeout=30)
        self.assertIn(caught.exception.code(), (INVALID, grpc.StatusCode.INTERNAL))

    def test_a_method_that_does_not_exist_is_unimplemented(self):
        call = self.daemon.channel().unary_unary("/poold.v1.PoolService/Divide")
        with self.assertRaises(grpc.RpcError) as caught:
            call(b"", timeout=30)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_no_traceback_travels_in_trailers(self):
        outcome = self.good.run("throw", "x")
        self.assertEqual(outcome.state, FAILED)
        with self.assertRaises(grpc.RpcError) as caught:
            self.good.get(uuid.uuid4().bytes)
        self.assertLess(sum(len(key) + len(value) for key, value in caught.exception.trailing_metadata()), 2000)

    def test_too_many_things_in_one_call_are_refused_with_the_limit(self):
        limit = self.daemon.server_info().limits.max_items_per_call
        ids = [bytes(16)] * (limit + 1)
        self.assert_refused(INVALID, "TOO_MANY", lambda: self.stub.Wait(api.WaitRequest(ids=ids)), str(limit))


class PayloadLimitTest(PoolCase):

    daemon_config = '\n[limits]\nmax_payload_bytes = 102400\n'

    def test_arguments_above_the_limit_are_refused_and_the_limit_is_named(self):
        pool = self.pool()
        result = pool.try_submit(pool.task("echo", bytes(200_000)))
        self.assert_task_refused(INVALID, "TOO_LARGE", result, str(102400))
        self.assertEqual(pool.call("echo", bytes(50_000)), bytes(50_000))

    def test_a_result_above_the_limit_is_a_failed_outcome_that_says_so(self):
        pool = self.pool()
        outcome = pool.run("blob", 200_000)
        self.assertEqual((outcome.state, outcome.failure.type), (FAILED, "poold.ResultError"))
        self.assertIn(str(102400), outcome.failure.message)
        self.assertEqual(len(pool.call("blob", 50_000)), 50_000)


if __name__ == "__main__":
    unittest.main()
