"""Calls that are cancelled as they come, by the hundred thousand: the connection is cut, and others notice little."""

import unittest

import grpc

from bystanders import GrpcClient, LocalClient, assert_little_harm, resident_bytes
from harness import PATIENCE, PoolCase, api, eventually, pool_service_pb2_grpc, seconds
from raw_http2 import RawConnection, reset_streams

MEGABYTE = 1 << 20


def attack(stop, address):
    """Connection after connection."""
    streams = reset_streams(1, 500)
    while not stop.is_set():
        connection = RawConnection(address)
        while not stop.is_set() and connection.send(streams) and not connection.is_cut():
            streams = reset_streams(1, 500)
        connection.close()


class RapidResetTest(PoolCase):

    def cut_connections(self):
        return self.daemon.log().count("event=connection_cut")

    def test_the_connection_is_cut_and_costs_little_memory(self):
        self.daemon.server_info()
        before = resident_bytes(self.daemon.pid)
        friend = GrpcClient(self.daemon)
        connection = RawConnection(self.daemon.socket)
        self.addCleanup(connection.close)
        sent = 0
        while sent < 200_000 and connection.send(reset_streams(1 + 2 * sent, 500)) and not connection.is_cut():
            sent += 500
        self.assertLess(sent, 200_000, "it was not cut")
        eventually(connection.is_cut, "it is told why")
        self.assertIn(b"cancelled", connection.received)
        self.assertIn("cancelled before they began", self.daemon.log())
        friend.trip()
        self.assertLess(resident_bytes(self.daemon.pid) - before, 100 * MEGABYTE)

    def test_others_notice_little_while_it_is_tried_again_and_again(self):
        pool = self.pool(modules=["examples"], workers=1)
        before = resident_bytes(self.daemon.pid)
        remote, local = GrpcClient(self.daemon), LocalClient(self.daemon, pool.name)
        self.addCleanup(local.close)
        cut = self.cut_connections()
        assert_little_harm(5, {"gRPC": remote, "payload socket": local}, attack, self.daemon.socket)
        self.assertGreater(self.cut_connections(), cut)
        self.assertLess(resident_bytes(self.daemon.pid) - before, 100 * MEGABYTE)


class HonestClientTest(PoolCase):

    def test_who_cancels_many_waits_is_no_attacker(self):
        pool = self.pool()
        task = pool.submit("sleep", 3_600_000)
        stub = pool_service_pb2_grpc.PoolServiceStub(self.daemon.channel())
        request = api.GetRequest(id=task, wait_timeout=seconds(PATIENCE))
        for _ in range(3):
            waits = [stub.Get.future(request, timeout=PATIENCE) for _ in range(2000)]
            for wait in waits:
                wait.cancel()
            for wait in waits:
                self.assertRaises(grpc.FutureCancelledError, wait.result)
            stub.GetServerInfo(api.GetServerInfoRequest(), timeout=PATIENCE)
        self.assertNotIn("event=connection_cut", self.daemon.log())


if __name__ == "__main__":
    unittest.main()
