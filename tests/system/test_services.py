"""What surrounds the contract: server info, health, reflection, and how errors decode."""

import signal
import unittest

import grpc

from harness import Daemon, PoolCase, PoolProxy, api, details_of, eventually

HEALTH = "/grpc.health.v1.Health/Check"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def field(number, data):
    """A length-delimited protobuf field, by hand."""
    return bytes([number << 3 | 2, len(data)]) + data


class ServerInfoTest(PoolCase):

    def test_the_instance_the_versions_and_the_process_are_told(self):
        info = self.daemon.server_info()
        self.assertEqual((info.api_version, info.pid), ("poold.v1", self.daemon.pid))
        self.assertRegex(info.version, r"^\d+\.\d+\.\d+$")
        self.assertGreaterEqual(len(info.instance_id), 8)
        self.assertEqual(self.daemon.server_info().instance_id, info.instance_id)
        self.assertGreater(info.started_at.seconds, 0)

    def test_every_bound_that_a_client_can_meet_is_published(self):
        limits = self.daemon.server_info().limits
        for descriptor in limits.DESCRIPTOR.fields:
            with self.subTest(limit=descriptor.name):
                value = getattr(limits, descriptor.name)
                self.assertGreater(value.ToNanoseconds() if hasattr(value, "ToNanoseconds") else value, 0)
        self.assertLess(limits.max_inline_result_bytes, 4 << 20)

    def test_the_daemon_counts_itself(self):
        stats = self.stub.GetStats(api.GetStatsRequest())
        self.assertGreater(stats.rss_bytes, 1 << 20)
        self.assertGreater(stats.cpu_time.ToNanoseconds(), 0)


class HealthTest(PoolCase):

    def check(self, service=b""):
        return self.daemon.channel().unary_unary(HEALTH)(field(1, service) if service else b"", timeout=30)

    def test_the_server_and_the_service_are_serving(self):
        eventually(lambda: self.check() == SERVING, "it serves, once the pools of the configuration are there")
        self.assertEqual(self.check(b"poold.v1.PoolService"), SERVING)

    def test_a_daemon_that_drains_is_not_serving(self):
        with Daemon() as daemon:
            check = daemon.channel().unary_unary(HEALTH)
            eventually(lambda: check(b"", timeout=30) == SERVING, "it serves")
            pool = PoolProxy(daemon.stub, "slow")
            daemon.stub.OpenPool(api.OpenPoolRequest(spec=self.spec("slow", workers=1)))
            self.begin(pool)
            daemon.signal(signal.SIGTERM)
            eventually(lambda: check(b"", timeout=30) == NOT_SERVING, "it says that it drains")
            self.go_on()
            self.assertEqual(daemon.wait(), 0)

    def test_an_unknown_service_is_not_found(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.check(b"no.such.Service")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)


class ReflectionTest(PoolCase):

    def ask(self, request):
        call = self.daemon.channel().stream_stream(REFLECTION)
        return next(call(iter([request]), timeout=30))

    def test_the_services_are_listed(self):
        answer = self.ask(field(7, b"*"))
        self.assertIn(b"poold.v1.PoolService", answer)

    def test_the_contract_can_be_fetched(self):
        answer = self.ask(field(4, b"poold.v1.PoolService"))
        self.assertIn(b"poold/v1/pool_service.proto", answer)
        self.assertIn(b"GetServerInfo", answer)


class ErrorDetailTest(PoolCase):

    def test_a_refused_call_carries_reason_domain_and_subject(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.stub.GetPool(api.GetPoolRequest(name="nowhere"))
        details = details_of(caught.exception)
        self.assertEqual((details["ErrorInfo"].domain, details["ErrorInfo"].reason), ("poold", "POOL_NOT_FOUND"))
        self.assertIn("nowhere", caught.exception.details())

    def test_an_invalid_argument_names_its_field(self):
        details = self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD",
                                      lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=self.spec(workers=0))))
        self.assertEqual(details["BadRequest"].field_violations[0].field, "spec.workers")
        self.assertNotEqual(details["BadRequest"].field_violations[0].description, "")


class FewPoolsTest(PoolCase):

    daemon_config = "\n[limits]\nmax_pools = 2\n[pools]\n"

    def test_a_pool_above_the_limit_is_refused_and_room_comes_back(self):
        first, _ = self.pool(workers=1), self.pool(workers=1)
        details = self.assert_refused(
            grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY",
            lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=self.spec(workers=1))))
        self.assertIn("QuotaFailure", details)
        self.assertIn("RetryInfo", details)
        first.terminate()
        self.assertEqual(self.pool(workers=1).call("echo", b"x"), b"x")


if __name__ == "__main__":
    unittest.main()
