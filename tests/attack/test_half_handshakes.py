"""Two thousand connections that say nothing, or half of a greeting: who says something gets in meanwhile."""

import socket
import unittest

from bystanders import GrpcClient, LocalClient, raise_descriptor_limit, timed
from harness import PATIENCE, PoolCase
from raw_http2 import PREFACE

SILENT = 2000


class HalfHandshakeTest(PoolCase):

    def setUp(self):
        super().setUp()
        raise_descriptor_limit()

    def connect_in_vain(self, path, words):
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.settimeout(PATIENCE)
        connection.connect(path)
        try:
            connection.sendall(words)
        except OSError:
            pass  # it had to make room already

    def test_a_newcomer_is_served_at_once(self):
        friend = GrpcClient(self.daemon)
        for words in (b"", PREFACE[:12]):
            for _ in range(SILENT // 2):
                self.connect_in_vain(self.daemon.socket, words)
        self.assertLess(self.first_trip(), 1)
        self.assertLess(friend.trips(20).p99, 1)

    def first_trip(self):
        """Seconds, with the connection."""
        return timed(lambda: GrpcClient(self.daemon), 1).median

    def test_nor_is_one_kept_out_at_the_payload_socket(self):
        pool = self.pool(modules=["examples"], workers=1)
        friend = LocalClient(self.daemon, pool.name)
        self.addCleanup(friend.close)
        for words in (b"", b"half a request"):
            for _ in range(SILENT // 2):
                self.connect_in_vain(self.daemon.socket + ".payloads", words)
        self.assertLess(timed(lambda: LocalClient(self.daemon, pool.name).close(), 1).median, 1)
        self.assertLess(friend.trips(20).p99, 1)


if __name__ == "__main__":
    unittest.main()
