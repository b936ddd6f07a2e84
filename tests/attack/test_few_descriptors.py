"""Clients take every descriptor that they can get: workers, payloads and who is there already have theirs."""

import os
import resource
import select
import socket
import unittest

from bystanders import GrpcClient, LocalClient
from harness import PoolCase, eventually
from raw_http2 import RawConnection

FEW = 200


def still_open(connections):
    """How many the daemon has not ended: those that it has not accepted yet among them."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection.fileno(), select.POLLRDHUP)
    return len(connections) - len(poll.poll(0))


class FewDescriptorsTest(PoolCase):

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    @staticmethod
    def silent(path):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        return connection

    def test_connections_leave_some_for_what_exists(self):
        pool = self.pool(modules=["examples", "testing"], workers=2)
        self.assertEqual(pool.call("square", 3), 9)
        remote, local = GrpcClient(self.daemon), LocalClient(self.daemon, pool.name)
        self.addCleanup(local.close)
        resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, (FEW, FEW))
        idle = [RawConnection(self.daemon.socket) for _ in range(2 * FEW)]
        idle += [self.silent(self.daemon.socket + ".payloads") for _ in range(2 * FEW)]
        eventually(lambda: still_open(idle) < FEW, "all have been let in or turned away")
        eventually(lambda: self.open_descriptors() < FEW - 25, "some are left")
        # Dead workers are replaced, and everybody goes on.
        for _ in range(4):
            self.assertEqual(pool.run("exit", 3).death.exit_code, 3)
        self.assertEqual(pool.call("square", 4), 16)
        remote.trip()
        local.trip()
        # A newcomer gets in: a stranger makes room.
        GrpcClient(self.daemon).trip()
        for connection in idle:
            connection.close()
        eventually(lambda: self.open_descriptors() < FEW // 2, "the descriptors come back")


if __name__ == "__main__":
    unittest.main()
