"""Messages of many empty parts: each two bytes on the wire, an object of some hundred once it is parsed.

What a message may cost is bounded before it is parsed: it is refused by name, the daemon's memory stays as it was, and
nobody else notices. Through gRPC, through the payload socket, in a session and in plain calls.
"""

import socket
import struct
import unittest
import uuid

import grpc

from harness import PoolCase, api, details_of, reason_of, status_pb2
from poold.v1 import session_pb2
from session_stream import Session

MEBIBYTE = 1 << 20
MOST = 65_536

GROUPS = {"submit": b"\x12\x00", "map": b"\x1a\x00", "consumed": b"\x3a\x00"}


def forget_peak_of(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def peak_of(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


class RawSession:
    """A session through the payload socket whose requests are bytes."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(daemon.socket + ".payloads")
        self.socket.sendall(struct.pack("<II16sQ", 5, 0, bytes(16), 0))
        assert struct.unpack("<IIQ", self._take(16))[0] == 1, "the session was not taken"

    def _take(self, size):
        taken = b""
        while len(taken) < size:
            some = self.socket.recv(size - len(taken))
            assert some, "the connection was cut"
            taken += some
        return taken

    def send(self, message):
        self.socket.sendall(struct.pack("<I", len(message)) + message)

    def status(self):
        """Why the session ended."""
        while True:
            head = struct.unpack("<I", self._take(4))[0]
            message = self._take(head & 0x7FFFFFFF)
            if head >> 31:
                return status_pb2.Status.FromString(message)


class EmptyGroupsTest(PoolCase):

    def setUp(self):
        super().setUp()
        self.good = self.pool(modules=["examples"])
        self.assertEqual(self.good.call("square", 3), 9)
        forget_peak_of(self.daemon.pid)
        self.before = peak_of(self.daemon.pid)

    def tearDown(self):
        self.assertEqual(self.good.call("square", 4), 16, "something else was disturbed")

    def assert_cheap(self, bytes_on_the_wire, times=8):
        grown = peak_of(self.daemon.pid) - self.before
        self.assertLess(grown, times * bytes_on_the_wire + 64 * MEBIBYTE, f"grew by {grown >> 20} MiB")

    def session(self):
        session = RawSession(self.daemon)
        self.addCleanup(session.socket.close)
        return session

    def hello(self):
        return session_pb2.SessionRequest(
            hello=session_pb2.SessionHello(client_id=uuid.uuid4().bytes)).SerializeToString()

    def raw_call(self, method, request):
        call = self.daemon.channel().unary_unary(f"/poold.v1.PoolService/{method}")
        return call(request, timeout=60)

    def test_a_local_session_of_empty_groups_is_refused_by_name(self):
        for name, entry in GROUPS.items():
            with self.subTest(name):
                session = self.session()
                session.send(self.hello() + entry * (4 * MEBIBYTE // len(entry)))
                status = session.status()
                self.assertEqual(reason_of(status), "TOO_MANY", status)
                self.assertEqual(details_of(status)["BadRequest"].field_violations[0].field, name)
        self.assert_cheap(4 * MEBIBYTE)

    def test_a_grpc_session_of_empty_groups_is_refused_by_name(self):
        call = self.daemon.channel().stream_stream("/poold.v1.PoolService/Session")
        for name, entry in GROUPS.items():
            with self.subTest(name), self.assertRaises(grpc.RpcError) as caught:
                list(call(iter([self.hello() + entry * (15 * MEBIBYTE // len(entry))]), timeout=60))
            self.assertEqual(reason_of(caught.exception), "TOO_MANY", caught.exception)
            self.assertIn(name, caught.exception.details())
        self.assert_cheap(15 * MEBIBYTE)

    def test_a_plain_call_of_empty_parts_is_refused_by_name(self):
        for method, entry, word in (("Submit", b"\x12\x00", "tasks"),         # tasks
                                    ("Submit", b"\xfa\x01\x00", "Submit"),    # fields that nobody knows
                                    ("Wait", b"\x0a\x00", "ids"),             # ids
                                    ("Cancel", b"\x0a\x00", "ids"),
                                    ("Release", b"\x0a\x00", "ids"),
                                    ("OpenPool", b"\xfa\x01\x00", "OpenPool")):
            with self.subTest(method), self.assertRaises(grpc.RpcError) as caught:
                self.raw_call(method, entry * (4 * MEBIBYTE // len(entry)))
            self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT, caught.exception)
            self.assertEqual(reason_of(caught.exception), "TOO_MANY", caught.exception)
            self.assertIn(word, caught.exception.details())
        self.assert_cheap(4 * MEBIBYTE)

    def test_sessions_do_not_keep_what_their_largest_message_took(self):
        # Within the bounds, so it is taken: group after group that says nothing.
        sessions = [self.session() for _ in range(50)]
        for session in sessions:
            session.send(self.hello() + GROUPS["submit"] * MOST)
            session.send(b"")
        self.assert_cheap(len(sessions) * 2 * MOST, times=16)

    def test_as_many_tasks_as_a_call_may_have_are_taken(self):
        limits = self.daemon.server_info().limits
        self.assertEqual(limits.max_items_per_call, MOST)
        self.assertEqual(limits.max_message_parts, 8 * MOST)
        task = self.good.task("square", 7)
        results = self.stub.Submit(api.SubmitRequest(pool=self.good.name, tasks=[task] * MOST)).results
        self.assertFalse(any(result.HasField("error") for result in results))
        self.good.cancel(*(result.id for result in results))
        session = Session(self.daemon)
        session.send(cancel=session_pb2.IdRuns(high=[1] * MOST, low=[1] * MOST, count=[1] * MOST))
        session.read_until(lambda: session.taken >= 2)
        session.close()


if __name__ == "__main__":
    unittest.main()
