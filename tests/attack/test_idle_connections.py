"""More connections than there may be: friends go on, newcomers get in, and who is refused is told why."""

import os
import subprocess
import unittest

import grpc

from bystanders import GrpcClient, LocalClient, PROCESSES, raise_descriptor_limit
from harness import BIN, PATIENCE, PoolCase, api, pool_service_pb2_grpc, reason_of, seconds
from raw_http2 import RawConnection

IDLE = 1024


def come_in(address):
    """A new client, in a process of its own."""
    grpc_channel = grpc.insecure_channel(f"unix:{address}")
    pool_service_pb2_grpc.PoolServiceStub(grpc_channel).GetServerInfo(api.GetServerInfoRequest(), timeout=5)


class IdleConnectionsTest(PoolCase):

    def test_a_new_process_gets_in_beside_a_thousand_idle_connections(self):
        raise_descriptor_limit()
        friend = GrpcClient(self.daemon)
        for _ in range(IDLE):
            self.addCleanup(RawConnection(self.daemon.socket).close)
        newcomer = PROCESSES.Process(target=come_in, args=(self.daemon.socket,))
        newcomer.start()
        newcomer.join(PATIENCE)
        self.assertEqual(newcomer.exitcode, 0)
        friend.trip()


class FullHouseTest(PoolCase):
    daemon_flags = ("--max-connections", "4", "--max-connections-per-peer", "3")

    def setUp(self):
        super().setUp()
        self.waits = []
        self.pool = self.pool(workers=1)
        self.task = self.pool.submit("sleep", 3_600_000)

    def tearDown(self):
        for wait in self.waits:
            wait.cancel()

    def wait_on_new_connection(self):
        """A connection that is in use."""
        stub = pool_service_pb2_grpc.PoolServiceStub(self.daemon.channel())
        stub.GetServerInfo(api.GetServerInfoRequest(), timeout=PATIENCE)
        request = api.GetRequest(id=self.task, wait_timeout=seconds(PATIENCE))
        self.waits.append(stub.Get.future(request, timeout=PATIENCE))

    def test_who_is_refused_is_told_why(self):
        for _ in range(2):  # the harness has one, too
            self.wait_on_new_connection()
        with self.assertRaises(grpc.RpcError) as refused:
            self.wait_on_new_connection()
        self.assertEqual(refused.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertEqual(reason_of(refused.exception), "TOO_MANY_CONNECTIONS")
        self.assertIn("max_connections_per_peer", refused.exception.details())
        self.assertFalse(any(wait.done() for wait in self.waits), "a connection in use was cut")
        self.assertIn("too many connections", self.daemon.log())


class OneConnectionTest(PoolCase):
    daemon_flags = ("--max-connections", "1")

    def test_the_command_line_tells_why_it_is_refused(self):
        pool = self.pool(modules=["examples"], workers=1)
        local = LocalClient(self.daemon, pool.name)
        self.addCleanup(local.close)
        watch = self.stub.Watch(api.WatchRequest(pool=pool.name))
        self.addCleanup(watch.cancel)
        next(watch)  # both of its kinds of connection are in use now
        command = [os.path.join(BIN, "poolctl"), "--address", f"unix:{self.daemon.socket}", "pools"]
        poolctl = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        self.assertNotEqual(poolctl.returncode, 0)
        self.assertIn("too many connections: there are at most 1 (max_connections of poold)", poolctl.stderr)


if __name__ == "__main__":
    unittest.main()
