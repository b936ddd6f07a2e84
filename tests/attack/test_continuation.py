"""A header without an end: it is cut long before it is large, and others notice little."""

import unittest

from bystanders import GrpcClient, LocalClient, assert_little_harm, resident_bytes
from harness import PoolCase, eventually
from raw_http2 import CONTINUATION, GET_SERVER_INFO, HEADERS, RawConnection, field, frame

MEGABYTE = 1 << 20
# One field after the other, 16 KiB a frame.
PIECE = frame(CONTINUATION, 0, 1, field(b"x", b"y" * 100) * 156)


def send_header(connection, size):
    """Begins a call whose header has so many bytes, and does not end it. Returns how many were sent until it is cut."""
    connection.send(frame(HEADERS, 0, 1, GET_SERVER_INFO))
    sent = 0
    while sent < size and connection.send(PIECE) and not connection.is_cut():
        sent += len(PIECE)
    return sent


def attack(stop, address):
    """Connection after connection."""
    while not stop.is_set():
        connection = RawConnection(address)
        send_header(connection, 64 * MEGABYTE)
        connection.close()


class ContinuationTest(PoolCase):

    def cut_connections(self):
        return self.daemon.log().count("event=connection_cut")

    def test_the_connection_is_cut(self):
        friend = GrpcClient(self.daemon)
        before = resident_bytes(self.daemon.pid)
        connection = RawConnection(self.daemon.socket)
        self.addCleanup(connection.close)
        self.assertLess(send_header(connection, 64 * MEGABYTE), 64 * MEGABYTE)
        eventually(connection.is_cut, "it is told why")
        self.assertIn(b"header", connection.received)
        self.assertLess(friend.trips(1).median, 1)
        self.assertLess(resident_bytes(self.daemon.pid) - before, 100 * MEGABYTE)

    def test_a_header_in_one_large_frame_is_none_the_better(self):
        connection = RawConnection(self.daemon.socket)
        self.addCleanup(connection.close)
        connection.send(frame(HEADERS, 0, 1, GET_SERVER_INFO + b"\0" * MEGABYTE))
        eventually(connection.is_cut, "it is cut")
        self.assertLess(GrpcClient(self.daemon).trips(1).median, 1)

    def test_others_notice_little_while_it_is_tried_again_and_again(self):
        pool = self.pool(modules=["examples"], workers=1)
        remote, local = GrpcClient(self.daemon), LocalClient(self.daemon, pool.name)
        self.addCleanup(local.close)
        cut = self.cut_connections()
        assert_little_harm(5, {"gRPC": remote, "payload socket": local}, attack, self.daemon.socket)
        self.assertGreater(self.cut_connections(), cut)


if __name__ == "__main__":
    unittest.main()
