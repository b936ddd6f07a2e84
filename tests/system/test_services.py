"""What surrounds the contract: server info, health, reflection, and how errors decode."""

import signal
import unittest

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from harness import Daemon, PoolCase, PoolProxy, api, details_of, eventually

HEALTH = "/grpc.health.v1.Health/Check"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
SERVICE_UNKNOWN = b"\x08\x03"
HEALTH_WATCH = "/grpc.health.v1.Health/Watch"
REFLECTION = [f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha")]


def field(number, data):
    """A length-delimited protobuf field, by hand."""
    return bytes([number << 3 | 2, len(data)]) + data


def fields_of(message):
    """The length-delimited fields of a protobuf message, by hand: (number, data), in order."""

    def varint(at):
        value, shift = 0, 0
        while True:
            byte = message[at]
            at, value, shift = at + 1, value | (byte & 0x7f) << shift, shift + 7
            if byte < 0x80:
                return value, at

    found, at = [], 0
    while at < len(message):
        tag, at = varint(at)
        value, at = varint(at)
        if tag & 7 == 2:
            found.append((tag >> 3, message[at:at + value]))
            at += value
    return found


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

    def test_a_watcher_is_told_each_change_once_and_an_unknown_service_is_not_an_error(self):
        with Daemon() as daemon:
            watch = daemon.channel().unary_stream(HEALTH_WATCH)(b"", timeout=60)
            seen = [next(watch)]
            while seen[-1] != SERVING:
                seen.append(next(watch))
            self.assertIn(seen, ([SERVING], [NOT_SERVING, SERVING]))
            unknown = daemon.channel().unary_stream(HEALTH_WATCH)(field(1, b"no.such.Service"), timeout=60)
            self.assertEqual(next(unknown), SERVICE_UNKNOWN)
            pool = PoolProxy(daemon.stub, "slow")
            daemon.stub.OpenPool(api.OpenPoolRequest(spec=self.spec("slow", workers=1)))
            self.begin(pool)
            daemon.signal(signal.SIGTERM)
            self.assertEqual(next(watch), NOT_SERVING)
            self.go_on()
            self.assertEqual(daemon.wait(), 0)

    def test_an_unknown_service_is_not_found(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.check(b"no.such.Service")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)


class ReflectionTest(PoolCase):

    def ask(self, *requests, method=REFLECTION[0]):
        """The answers to these questions, all on one stream."""
        answers = list(self.daemon.channel().stream_stream(method)(iter(requests), timeout=30))
        self.assertEqual(len(answers), len(requests))
        return answers

    def files(self, answer):
        """The files of one answer, as descriptors."""
        response = dict(fields_of(answer))[4]
        return [descriptor_pb2.FileDescriptorProto.FromString(file) for number, file in fields_of(response) if number == 1]

    def test_the_services_are_listed_in_both_versions(self):
        for method in REFLECTION:
            with self.subTest(method):
                response = dict(fields_of(self.ask(field(7, b"*"), method=method)[0]))[6]
                names = [dict(fields_of(service))[1] for _, service in fields_of(response)]
                self.assertIn(b"poold.v1.PoolService", names)

    def test_files_are_found_by_name_and_by_symbol_on_one_stream(self):
        by_symbol, by_name, by_method, unknown = self.ask(
            field(4, b"poold.v1.PoolService"), field(3, b"poold/v1/task.proto"), field(4, b"poold.v1.PoolService.Explain"),
            field(4, b"no.such.Thing"))
        self.assertEqual(self.files(by_symbol)[0].name, "poold/v1/pool_service.proto")
        self.assertEqual(self.files(by_name)[0].name, "poold/v1/task.proto")
        self.assertEqual(self.files(by_method)[0].name, "poold/v1/pool_service.proto")
        self.assertIn(b"no.such.Thing", dict(fields_of(unknown))[7])

    def test_who_knows_nothing_but_reflection_can_call_the_service(self):
        pool = descriptor_pool.DescriptorPool()
        files = {file.name: file for file in self.files(self.ask(field(4, b"poold.v1.PoolService"))[0])}

        def add(name):
            file = files.pop(name, None)
            if file is not None:
                for dependency in file.dependency:
                    add(dependency)
                pool.Add(file)

        add("poold/v1/pool_service.proto")
        self.assertEqual(files, {}, "nothing but what the service needs, each once")
        method = pool.FindServiceByName("poold.v1.PoolService").methods_by_name["GetServerInfo"]
        factory = message_factory.MessageFactory(pool)
        request, response = factory.GetPrototype(method.input_type), factory.GetPrototype(method.output_type)
        call = self.daemon.channel().unary_unary("/poold.v1.PoolService/GetServerInfo", request.SerializeToString,
                                                 response.FromString)
        self.assertEqual(call(request(), timeout=30).server.instance_id, self.daemon.server_info().instance_id)


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
