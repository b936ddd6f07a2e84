"""What goes in comes out, type and bits: a table of values through every pair of client and worker; and the numbers of
the contract at their bounds."""

import os
import struct
import subprocess
import unittest

import grpc
import msgpack
from google.protobuf import duration_pb2
from harness import BIN, FAILED, PATIENCE, PROGRAMS, SUCCEEDED, PoolCase, api, eventually, map_pb2, payload_pb2
from harness import pool_pb2, reason_of, seconds, session_pb2, task_pb2
from session_stream import Session

OURS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")


def double(bits):
    return b"\xcb" + bits.to_bytes(8, "big")


# As they travel. What each client makes of them is compared with these bytes.
VALUES = {
    "nil": b"\xc0",
    "true": b"\xc3",
    "zero": b"\x00",
    "minus one": b"\xff",
    "2^32": b"\xcf\x00\x00\x00\x01\x00\x00\x00\x00",
    "largest integer": b"\xcf" + b"\xff" * 8,
    "smallest integer": b"\xd3\x80" + b"\x00" * 7,
    "7.0": double(0x401C000000000000),
    "-0.0": double(1 << 63),
    "0.1": double(0x3FB999999999999A),
    "smallest float": double(1),
    "largest float": double(0x7FEFFFFFFFFFFFFF),
    "infinity": double(0x7FF0000000000000),
    "nan with a payload": double(0xFFF8000000000123),
    "text": b"\xa3\xe2\x82\xac",
    "text that is not UTF-8": b"\xa2\xff\xfe",
    "bytes": b"\xc4\x02\x00\xff",
    "list": b"\x93\x01" + double(0x4000000000000000) + b"\xa1a",
    "map": b"\x82\xa1a\x01\xa1b" + double(0x4008000000000000),
    "map of numbers": b"\x82\x01\xa3one" + double(0x4000000000000000) + b"\xa3two",
    "extension": b"\xd6\x05abcd",
    "nested": b"\x91" * 300 + b"\x07",
}
# Python has one kind of float: one of 32 bits comes back as one of 64.
FLOAT32 = {"7.0f": b"\xca\x40\xe0\x00\x00", "0.1f": b"\xca\x3d\xcc\xcc\xcd", "-0.0f": b"\xca\x80\x00\x00\x00"}


class ValuesTest(PoolCase):
    daemon_config = 'allowed_environment = ["PYTHONPATH"]\n'
    daemon_flags = tuple(word for folder in (BIN, PROGRAMS, OURS) for word in ("--program-folder", folder))

    def cpp(self):
        return self.pool(modules=["testing"])

    def python(self):
        return self.pool(modules=(), program="echoing-worker", environment={"PYTHONPATH": PROGRAMS},
                         start_method=pool_pb2.START_METHOD_SPAWN)

    def echo(self, pool, value, function="echo_value"):
        """Its outcome, for one argument as it travels."""
        task = task_pb2.TaskSpec(function=function,
                                 args=payload_pb2.Payload(encoding=payload_pb2.ENCODING_MSGPACK, data=b"\x91" + value))
        return pool.outcome(pool.submit_all([task])[0])

    def result(self, outcome):
        self.assertEqual(outcome.state, SUCCEEDED, outcome)
        if outcome.result.encoding == payload_pb2.ENCODING_RAW:
            return msgpack.packb(outcome.result.data)
        return outcome.result.data

    def test_a_worker_in_cpp_hands_back_the_bytes_that_it_got(self):
        pool = self.cpp()
        for name, value in (VALUES | FLOAT32).items():
            with self.subTest(name):
                self.assertEqual(self.result(self.echo(pool, value)), value)

    def test_a_worker_in_python_hands_back_the_bytes_that_it_got(self):
        pool = self.python()
        for name, value in VALUES.items():
            with self.subTest(name):
                self.assertEqual(self.result(self.echo(pool, value)), value)
        for name, value in FLOAT32.items():
            with self.subTest(name):
                wide = b"\xcb" + struct.pack(">d", struct.unpack(">f", value[1:])[0])
                self.assertEqual(self.result(self.echo(pool, value)), wide)

    def test_python_sees_the_types_that_were_sent(self):
        pool = self.python()
        for value, kind in (("7.0", ["float", "7.0"]), ("-0.0", ["float", "-0.0"]), ("bytes", ["bytes", "b'\\x00\\xff'"]),
                            ("largest integer", ["int", "18446744073709551615"])):
            self.assertEqual(msgpack.unpackb(self.result(self.echo(pool, VALUES[value], "kind"))), kind)

    def test_what_python_cannot_hold_or_send_is_refused_by_name(self):
        pool = self.python()
        huge = pool.run("huge")
        self.assertEqual((huge.state, huge.failure.type), (FAILED, "TypeError"))
        self.assertIn("a result that MessagePack has no value for: Integer value out of range", huge.failure.message)
        keyed = self.echo(pool, b"\x81\x91\x01\x02")
        self.assertEqual(keyed.state, FAILED)
        self.assertIn("echo_value: arguments that Python has no value for", keyed.failure.message)

    def test_items_of_a_map_are_values_too(self):
        for pool in (self.cpp(), self.python()):
            items = [b"\x91" + value for value in VALUES.values()]
            sent = map_pb2.MapItems(items=items, encoding=payload_pb2.ENCODING_MSGPACK)
            id = pool.stub.Map(api.MapRequest(pool=pool.name, function="echo_value", items=sent)).id
            got = []
            for message in pool.stub.GetItems(api.GetItemsRequest(id=id)):
                for block in message.outcomes:
                    start = 0
                    for size in block.result_bytes:
                        got.append((block.encoding, block.results[start:start + size]))
                        start += size
            got = [msgpack.packb(data) if encoding == payload_pb2.ENCODING_RAW else data for encoding, data in got]
            self.assertEqual(got, list(VALUES.values()))

    def test_the_sdk_sends_and_takes_every_type(self):
        for pool in (self.cpp(), self.python()):
            done = subprocess.run([os.path.join(BIN, "values_program"), pool.name], capture_output=True, text=True,
                                  env=dict(os.environ, POOLD_ADDRESS=f"unix:{self.daemon.socket}"), timeout=PATIENCE)
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
            self.assertIn("7.0", done.stdout)

    def test_poolctl_takes_and_prints_every_value(self):
        env = dict(os.environ, POOLD_ADDRESS=f"unix:{self.daemon.socket}")
        cpp, python = self.cpp(), self.python()

        def poolctl(*words):
            return subprocess.run([os.path.join(BIN, "poolctl"), "--pool", pool.name, *words], env=env, text=True,
                                  capture_output=True, timeout=PATIENCE)

        cases = [(cpp, *case) for case in (VALUES | FLOAT32).items()] + [(python, *case) for case in VALUES.items()]
        for pool, name, value in cases:
            with self.subTest(name, pool=pool.name):
                # Out of MessagePack, back into it, and out again.
                id = pool.submit_all([task_pb2.TaskSpec(function="echo_value", args=payload_pb2.Payload(
                    encoding=payload_pb2.ENCODING_MSGPACK, data=b"\x91" + value))])[0]
                # As Python's prompt, it prints nothing for nothing.
                printed = poolctl("get", id.hex()).stdout.strip() or "null"
                id = poolctl("submit", "--no-wait", "echo_value", "--", printed).stdout.strip()
                self.assertEqual(self.result(pool.outcome(bytes.fromhex(id))), value, printed)

    def test_poolctl_refuses_json_that_cannot_travel(self):
        env = dict(os.environ, POOLD_ADDRESS=f"unix:{self.daemon.socket}")
        pool = self.cpp()
        for word, why in (("1e400", "larger than any float"), ("[18446744073709551616]", "does not fit into 64 bits"),
                          ("1e-400", "smaller than any float but 0"), ("[" * 600 + "]" * 600, "nested deeper"),
                          ('{"a":1,"a":2}', "there twice")):
            done = subprocess.run([os.path.join(BIN, "poolctl"), "--pool", pool.name, "submit", "echo_value", "--", word],
                                  env=env, text=True, capture_output=True, timeout=PATIENCE)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr)


def lasting(whole, nanos=0):
    return duration_pb2.Duration(seconds=whole, nanos=nanos)


LONGEST = lasting(2**63 - 1, 999_999_999)
# Whose sum with any moment of the daemon's clock is no 64-bit number of nanoseconds.
NEARLY_TOO_LONG = lasting(9223372035, 999_999_999)


class ContractNumbersTest(PoolCase):

    def refused(self, task):
        error = self.pool_.try_submit(task).error
        self.assertEqual((grpc.StatusCode.INVALID_ARGUMENT.value[0], reason_of(error)), (error.code, "INVALID_FIELD"))
        return error.message

    def setUp(self):
        super().setUp()
        self.pool_ = self.pool(modules=["testing"])

    def test_times_of_a_task_are_done_or_refused(self):
        for field in ("queue_timeout", "run_timeout", "total_timeout", "retry_delay", "max_retry_delay"):
            for long in (LONGEST, NEARLY_TOO_LONG, lasting(2**32), lasting(100)):
                self.assertEqual(self.pool_.run("identity", 7, **{field: long}).state, SUCCEEDED, (field, long))
            for wrong in (lasting(-1), lasting(0, -1), lasting(1, -1), lasting(0, 1_000_000_000), lasting(-2**63)):
                task = self.pool_.task("identity", 7, **{field: wrong})
                self.assertIn(f"options.{field}: ", self.refused(task))

    def test_a_delay_that_never_ends_never_ends(self):
        for long in (LONGEST, NEARLY_TOO_LONG):
            id = self.pool_.submit("identity", 7, start_delay=long)
            self.assertFalse(self.pool_.get(id, wait=0.05).done)
            self.pool_.stub.Cancel(api.CancelRequest(ids=[id]))
            items = map_pb2.MapItems(items=[b"\x91\x07"], encoding=payload_pb2.ENCODING_MSGPACK)
            id = self.pool_.stub.Map(api.MapRequest(pool=self.pool_.name, function="identity", items=items,
                                                    options=task_pb2.TaskOptions(start_delay=long))).id
            self.assertFalse(self.pool_.get(id, wait=0.05).done)
            self.pool_.stub.Cancel(api.CancelRequest(ids=[id]))

    def test_a_retry_that_is_far_away_is_far_away(self):
        id = self.pool_.submit("throw", "no", max_attempts=2, retry_on=[FAILED], retry_delay=NEARLY_TOO_LONG,
                               max_retry_delay=NEARLY_TOO_LONG)
        self.assertFalse(self.pool_.get(id, wait=0.2).done)
        self.pool_.stub.Cancel(api.CancelRequest(ids=[id]))

    def test_counts_of_a_task_are_bounded(self):
        self.assertIn("options.max_attempts: 4294967295", self.refused(self.pool_.task("identity", 7, max_attempts=2**32 - 1)))
        self.assertIn("options.max_attempts: 0", self.refused(self.pool_.task("identity", 7, max_attempts=0)))
        for priority in (-2**31, -101, 101, 2**31 - 1):
            self.assertIn(f"options.priority: {priority}", self.refused(self.pool_.task("identity", 7, priority=priority)))

    def test_a_chunk_of_all_items_is_a_chunk(self):
        id = self.pool_.map("identity", [(i,) for i in range(1000)], chunk_size=2**32 - 1)
        self.assertEqual(self.pool_.results(id), list(range(1000)))

    def call(self, method, request):
        with self.assertRaises(grpc.RpcError) as caught:
            getattr(self.pool_.stub, method)(request)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT, caught.exception)
        return caught.exception.details()

    def test_numbers_of_calls_are_bounded(self):
        name = self.pool_.name
        for workers in (0, 2**32 - 1):
            self.assertIn(f"workers: {workers}", self.call("Resize", api.ResizeRequest(pool=name, workers=workers)))
        self.assertIn("page_size", self.call("ListTasks", api.ListTasksRequest(page_size=2**32 - 1)))
        self.assertIn("grace", self.call("Terminate", api.TerminateRequest(pool=name, grace=LONGEST)))
        id = self.pool_.submit("identity", 7)
        self.pool_.outcome(id)
        self.assertIn("wait_timeout", self.call("Get", api.GetRequest(id=id, wait_timeout=lasting(-1))))
        self.assertIn("offset_bytes", self.call_stream("Download", api.DownloadRequest(id=id, offset_bytes=2**64 - 1)))
        self.assertTrue(self.pool_.stub.Get(api.GetRequest(id=id, wait_timeout=LONGEST)).done)
        items = map_pb2.MapItems(items=[b"\x91\x07"], encoding=payload_pb2.ENCODING_MSGPACK)
        self.assertIn("continue from there", self.call("Map", api.MapRequest(
            pool=name, function="identity", items=items, first_index=2**64 - 1)))

    def call_stream(self, method, request):
        with self.assertRaises(grpc.RpcError) as caught:
            list(getattr(self.pool_.stub, method)(request))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        return caught.exception.details()

    def test_numbers_of_a_pool_are_done_or_refused(self):
        def opened(**spec):
            return self.pool_.stub.OpenPool(api.OpenPoolRequest(spec=pool_pb2.PoolSpec(modules=["testing"], **spec)))

        for field, value in (("workers", 2**32 - 1), ("workers", 0), ("nice", 2**32 - 1), ("spares", 2**32 - 1),
                             ("max_queued_tasks", 0), ("memory_limit_bytes", 0), ("max_tasks_per_worker", 0)):
            with self.assertRaises(grpc.RpcError) as caught:
                opened(name="bounded", **{field: value})
            self.assertIn(f"spec.{field}: ", caught.exception.details())
        for field, value in (("stop_grace", lasting(-1)), ("max_worker_age", lasting(0, 1_000_000_000))):
            with self.assertRaises(grpc.RpcError) as caught:
                opened(name="bounded", **{field: value})
            self.assertIn(f"spec.{field}: ", caught.exception.details())
        opened(name="boundless", workers=1, max_tasks_per_worker=2**32 - 1, max_queued_tasks=2**64 - 1,
               max_queued_bytes=2**64 - 1, max_worker_rss_bytes=2**64 - 1, memory_limit_bytes=2**64 - 1,
               max_worker_age=NEARLY_TOO_LONG, stop_grace=NEARLY_TOO_LONG)
        task = task_pb2.TaskSpec(function="identity", args=payload_pb2.Payload(
            encoding=payload_pb2.ENCODING_MSGPACK, data=b"\x91\x07"))
        done = self.pool_.stub.Submit(api.SubmitRequest(pool="boundless", tasks=[task] * 3, wait_timeout=seconds(30)))
        self.assertEqual([one.outcome.state for one in done.tasks], [SUCCEEDED] * 3)
        self.pool_.stub.Terminate(api.TerminateRequest(pool="boundless"))

    def session(self):
        session = Session(self.daemon)
        self.addCleanup(session.close)
        return session

    def last_ids(self, high, count):
        """Tasks whose ids are the last `count` ones of all, or would be more than there are."""
        return session_pb2.TaskGroup(pool=self.pool_.name, function="identity", id_high=high,
                                     first_id_low=2**64 - 1, args_bytes=[2] * count, args=b"\x91\x07" * count,
                                     encoding=payload_pb2.ENCODING_MSGPACK)

    def test_ids_of_a_session_do_not_begin_again(self):
        session = self.session()
        last = (7).to_bytes(8, "big") + b"\xff" * 8
        session.send(submit=[self.last_ids(7, 2)])
        session.read_until(lambda: session.refused)
        self.assertEqual(list(session.refused), [last])
        self.assertIn("go beyond the largest 64-bit number", session.refused[last].message)
        session.send(submit=[self.last_ids(8, 1)])
        last = (8).to_bytes(8, "big") + b"\xff" * 8
        session.read_until(lambda: last in session.outcomes)
        self.assertEqual(session.outcomes[last], 7)
        for field in ("subscribe", "cancel", "release", "cancel_running"):
            wrong = self.session()
            wrong.send(**{field: session_pb2.IdRuns(high=[7], low=[2**64 - 1], count=[2])})
            with self.assertRaises(grpc.RpcError) as caught:
                wrong.read_until(lambda: False)
            self.assertIn(f"{field}: 2 handles from 18446744073709551615 on", caught.exception.details())

    def test_items_that_are_consumed_to_the_end_of_all_numbers(self):
        id = self.pool_.map("identity", [(i,) for i in range(10)], chunk_size=1)
        self.assertEqual(len(self.pool_.results(id)), 10)
        session = self.session()
        session.send(consumed=[session_pb2.ItemsConsumed(id=id, first_index=5, count=2**64 - 1)])
        eventually(lambda: [index for index, _ in self.pool_.items(id)] == [0, 1, 2, 3, 4], "the rest is dropped")


if __name__ == "__main__":
    unittest.main()
