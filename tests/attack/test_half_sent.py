"""Messages, uploads and bodies that begin and do not end: they count, for each client and for all together."""

import socket
import struct
import time
import unittest
import uuid

from half_grpc import HalfConnection, push_all, while_pushing
from harness import Daemon, PoolProxy, api, eventually
from poold.v1 import payload_pb2, pool_service_pb2, session_pb2, task_pb2

MIB = 1 << 20
CONNECTIONS = 50
BUDGET = 256 * MIB
# What the daemon may grow by while everything is half-sent: its budget is far above it.
MOST_GROWTH = 200 * MIB


def resident(pid):
    """Without what lies in files."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("RssAnon:"))


class LocalSession:
    """A session through the payload socket, spoken by hand."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(daemon.socket + ".payloads")
        self.socket.sendall(struct.pack("<II16sQ", 5, 0, bytes(16), 0))
        assert struct.unpack("<IIQ", self.socket.recv(16))[0] == 1, "the daemon takes the session"

    def send_half(self, size):
        """All of a message but its last byte, or as much as is taken."""
        self.socket.setblocking(False)
        self.rest = memoryview(struct.pack("<I", size) + bytes(size - 1))

    def push(self):
        try:
            sent = self.socket.send(self.rest[:MIB]) if self.rest else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self.rest, sent = self.rest[:0], 0
        self.rest = self.rest[sent:]
        return sent > 0

    def send(self, request):
        data = request.SerializeToString()
        self.socket.sendall(struct.pack("<I", len(data)) + data)

    def read(self):
        head = struct.unpack("<I", self._exactly(4))[0]
        data = self._exactly(head & 0x7fffffff)
        assert not head >> 31, f"the session ended: {data!r}"
        return session_pb2.SessionResponse.FromString(data)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            some = self.socket.recv(size - len(data))
            assert some, "the daemon closed the session"
            data += some
        return data

    def close(self):
        self.socket.close()


class HalfSentTest(unittest.TestCase):

    def setUp(self):
        self.daemon = self.enterContext(Daemon(config=f"memory_budget_bytes = {BUDGET}\n"))
        self.pool = PoolProxy(self.daemon.stub, "default")
        self.assertEqual(self.pool.call("square", 3), 9)
        self.before = resident(self.daemon.pid)
        self.message = self.daemon.server_info().limits.max_message_bytes
        self.assertLessEqual(self.message, BUDGET // 16)

    def part(self, name):
        return next(part for part in self.daemon.server_info().memory.parts if part.name == name)

    def assert_bounded(self):
        growth = resident(self.daemon.pid) - self.before
        self.assertLess(growth, MOST_GROWTH, f"{growth >> 20} MiB")
        self.assertEqual(self.pool.call("square", 4), 16, "who is connected is served")

    def assert_newcomer_is_served(self):
        newcomer = PoolProxy(self.daemon.another_client(), "default")
        self.assertEqual(newcomer.call("square", 5), 25, "who comes now is served")

    def assert_memory_comes_back(self):
        eventually(lambda: resident(self.daemon.pid) - self.before < 64 * MIB, "the memory goes back to the system")

    def test_messages_of_local_sessions(self):
        sessions = [LocalSession(self.daemon) for _ in range(CONNECTIONS)]
        for session in sessions:
            self.addCleanup(session.close)
            session.send_half(self.message)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            if not any([session.push() for session in sessions]):
                time.sleep(0.01)
        self.assert_bounded()
        half_read = self.part("half-read messages")
        self.assertLessEqual(half_read.used_bytes, half_read.max_bytes)
        # Who sends a whole message gets the memory of those who stopped half-way.
        honest = LocalSession(self.daemon)
        self.addCleanup(honest.close)
        honest.socket.settimeout(20)
        honest.send(session_pb2.SessionRequest(hello=session_pb2.SessionHello(client_id=uuid.uuid4().bytes)))
        id = uuid.uuid4()
        size = self.message // 2
        honest.send(session_pb2.SessionRequest(submit=[session_pb2.TaskGroup(
            pool="default", function="square", id_high=id.int >> 64, first_id_low=1, args_bytes=[size], args=bytes(size),
            encoding=payload_pb2.ENCODING_RAW)]))
        while honest.read().taken_requests < 2:
            pass
        self.assert_bounded()
        for session in sessions:
            session.close()
        eventually(lambda: self.part("half-read messages").used_bytes == 0, "what was half-read is given back")
        self.assert_memory_comes_back()

    def test_uploads(self):
        each = MIB - 4096
        fragment = pool_service_pb2.UploadRequest(fragment=bytes(each)).SerializeToString()
        connections = [HalfConnection(self.daemon.socket) for _ in range(CONNECTIONS)]
        for connection in connections:
            self.addCleanup(connection.close)
            for _ in range(18):
                # All of a fragment but its last byte.
                connection.begin("Upload", len(fragment) + 1, fragment)
        while_pushing(self.assert_bounded, connections)
        self.assert_newcomer_is_served()
        uploads = self.part("uploads")
        self.assertLessEqual(uploads.used_bytes, uploads.max_bytes)
        for connection in connections:
            connection.close()
        eventually(lambda: self.part("uploads").used_bytes == 0, "what was uploaded is given back")
        self.assert_memory_comes_back()

    def test_bodies_of_calls(self):
        connections = [HalfConnection(self.daemon.socket) for _ in range(CONNECTIONS)]
        for connection in connections:
            self.addCleanup(connection.close)
            for method in ("Submit", "Map", "Session", "Upload"):
                connection.begin(method, self.message - 1)
        while_pushing(self.assert_bounded, connections)
        self.assert_newcomer_is_served()
        half_read = self.part("half-read messages")
        self.assertLessEqual(half_read.used_bytes, half_read.max_bytes)
        for connection in connections:
            connection.close()
        self.assert_bounded()
        self.assert_newcomer_is_served()
        eventually(lambda: self.part("half-read messages").used_bytes == 0, "what was half-read is given back")
        self.assert_memory_comes_back()


if __name__ == "__main__":
    unittest.main()
