"""Arguments and results of any size, through clients with gRPC's default of 4 MiB a message."""

import unittest
import uuid

import grpc
import msgpack

from harness import SUCCEEDED, PoolCase, api, seconds
from poold.v1 import payload_pb2, task_pb2

MIB = 1 << 20


class PayloadTest(PoolCase):

    def upload(self, data, fragment=MIB, stub=None):
        pieces = (api.UploadRequest(fragment=data[i:i + fragment]) for i in range(0, len(data), fragment))
        return (stub or self.stub).Upload(pieces)

    def download(self, id, **rest):
        return b"".join(answer.fragment for answer in self.stub.Download(api.DownloadRequest(id=id, **rest)))

    def uploaded(self, data, encoding=payload_pb2.ENCODING_RAW, function="echo", id=b""):
        return task_pb2.TaskSpec(function=function, id=id, args=payload_pb2.Payload(
            encoding=encoding, upload_id=self.upload(data).upload_id))

    def test_twenty_megabytes_go_there_and_back(self):
        pool = self.pool(workers=1)
        data = uuid.uuid4().bytes * (20 * MIB // 16)
        outcome = pool.outcome(pool.try_submit(self.uploaded(data)).id)
        self.assertEqual((outcome.state, outcome.result.data, outcome.result.size_bytes), (SUCCEEDED, b"", len(data)))
        id = pool.try_submit(self.uploaded(data)).id
        pool.outcome(id)
        self.assertTrue(self.download(id) == data, "the bytes that came back are not the ones that were sent")

    def test_uploaded_messagepack_arguments_are_arguments_like_others(self):
        pool = self.pool(workers=1)
        data = msgpack.packb([bytes(5 * MIB)])
        id = pool.try_submit(self.uploaded(data, payload_pb2.ENCODING_MSGPACK)).id
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)
        self.assertTrue(self.download(id) == bytes(5 * MIB))

    def test_a_result_that_does_not_fit_a_message_tells_its_size_and_can_be_downloaded(self):
        pool = self.pool(workers=1)
        id = pool.submit("blob", 6_000_000)
        outcome = pool.outcome(id)
        self.assertEqual((outcome.state, outcome.result.data), (SUCCEEDED, b""))
        self.assertGreaterEqual(outcome.result.size_bytes, 6_000_000)
        self.assertEqual(len(self.download(id)), 6_000_000)

    def test_a_download_can_be_resumed_in_the_middle(self):
        pool = self.pool(workers=1)
        id = pool.submit("blob", 3_000_000)
        pool.outcome(id)
        whole = self.download(id)
        self.assertTrue(self.download(id, offset_bytes=2_500_001) == whole[2_500_001:])
        self.assertEqual(self.download(id, offset_bytes=len(whole)), b"")

    def test_a_large_item_of_a_map_can_be_downloaded(self):
        pool = self.pool(workers=1)
        id = pool.map("blob", [(10,), (5_000_000,)])
        pool.get(id)
        self.assertEqual(len(self.download(id, index=1)), 5_000_000)

    def test_many_large_outcomes_in_one_answer_stay_below_four_mebibytes(self):
        pool = self.pool(workers=2)
        answer = self.stub.Submit(api.SubmitRequest(
            pool=pool.name, tasks=[pool.task("blob", 900_000) for _ in range(12)], wait_timeout=seconds(50)))
        self.assertEqual([task.state for task in answer.tasks], [SUCCEEDED] * 12)
        for result in answer.results:
            self.assertEqual(len(self.download(result.id)), 900_000)

    def test_arguments_near_four_mebibytes_pass_in_one_message(self):
        pool = self.pool(workers=1)
        data = bytes(4 * MIB - 1000)
        id = pool.submit("echo", data)
        outcome = pool.outcome(id)
        self.assertEqual(outcome.state, SUCCEEDED)
        self.assertEqual(outcome.result.size_bytes, len(data))

    def test_an_upload_serves_one_submission(self):
        pool = self.pool(workers=1)
        spec = self.uploaded(b"hello")
        self.assertEqual(pool.outcome(pool.try_submit(spec).id).result.data, b"hello")
        self.assert_task_refused(grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND", pool.try_submit(spec))

    def test_an_unknown_upload_is_refused(self):
        pool = self.pool(workers=1)
        spec = task_pb2.TaskSpec(function="echo", args=payload_pb2.Payload(
            encoding=payload_pb2.ENCODING_RAW, upload_id=uuid.uuid4().bytes))
        self.assert_task_refused(grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND", pool.try_submit(spec))

    def test_an_empty_upload_is_empty_arguments(self):
        pool = self.pool(workers=1)
        answer = self.stub.Upload(iter([]))
        self.assertEqual(answer.size_bytes, 0)
        spec = task_pb2.TaskSpec(function="echo", args=payload_pb2.Payload(
            encoding=payload_pb2.ENCODING_RAW, upload_id=answer.upload_id))
        self.assertEqual(pool.outcome(pool.try_submit(spec).id).result.data, b"")

    def test_a_fragment_above_its_limit_is_refused(self):
        self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "TOO_LARGE",
                            lambda: self.upload(bytes(2 * MIB), fragment=2 * MIB))

    def test_a_client_that_vanishes_in_the_middle_of_an_upload_disturbs_nothing(self):
        channel = self.daemon.channel()

        def pieces():
            yield api.UploadRequest(fragment=bytes(MIB))
            channel.close()
            yield api.UploadRequest(fragment=bytes(MIB))

        with self.assertRaises((grpc.RpcError, ValueError)):
            self.upload_pieces(channel, pieces())
        self.assertEqual(self.pool(workers=1).call("echo", b"x"), b"x")

    @staticmethod
    def upload_pieces(channel, pieces):
        from poold.v1 import pool_service_pb2_grpc
        return pool_service_pb2_grpc.PoolServiceStub(channel).Upload(pieces, timeout=30)

    def test_a_download_of_what_has_no_result_is_refused(self):
        pool = self.pool(workers=1)
        id = pool.submit("throw", "x")
        pool.outcome(id)
        with self.assertRaises(grpc.RpcError) as caught:
            self.download(id)
        self.assertIn(caught.exception.code(), (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND))


class UploadLimitTest(PoolCase):

    daemon_config = '\n[limits]\nmax_payload_bytes = 3145728\n'

    def test_an_upload_above_the_payload_limit_is_refused_while_it_comes(self):
        pieces = (api.UploadRequest(fragment=bytes(MIB)) for _ in range(1000))
        self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "TOO_LARGE", lambda: self.stub.Upload(pieces),
                            str(3 * MIB))
        self.assertEqual(self.pool(workers=1).call("echo", b"x"), b"x")


class SpoolTest(PoolCase):
    """Payloads much larger than the daemon may be."""

    daemon_config = '\n[spool]\nmax_bytes = 1_000_000_000\n'
    SIZE = 256 * MIB

    def memory(self):
        """The daemon's, in bytes: now, and at its peak. What it shares with others counts."""
        with open(f"/proc/{self.daemon.pid}/status") as file:
            fields = dict(line.split(":", 1) for line in file)
        return [int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM")]

    def pieces(self):
        for i in range(self.SIZE // MIB):
            yield api.UploadRequest(fragment=bytes([i % 251]) * MIB)

    def test_a_payload_larger_than_the_daemon_passes(self):
        pool = self.pool(workers=1)
        pool.call("echo", b"warm")
        idle, _ = self.memory()
        upload = self.stub.Upload(self.pieces())
        self.assertEqual(upload.size_bytes, self.SIZE)
        spec = task_pb2.TaskSpec(function="echo", args=payload_pb2.Payload(
            encoding=payload_pb2.ENCODING_RAW, upload_id=upload.upload_id))
        id = pool.try_submit(spec).id
        outcome = pool.outcome(id)
        self.assertEqual((outcome.state, outcome.result.size_bytes), (SUCCEEDED, self.SIZE))
        at = 0
        for answer in self.stub.Download(api.DownloadRequest(id=id)):
            fragment = answer.fragment
            self.assertEqual((fragment[:1], fragment[-1:]), (bytes([at // MIB % 251]),
                                                             bytes([(at + len(fragment) - 1) // MIB % 251])))
            at += len(fragment)
        self.assertEqual(at, self.SIZE)
        _, peak = self.memory()
        pool.release(id)
        self.assertLess(peak - idle, 128 * MIB, "the payload was in the daemon's memory")

    def test_a_full_spool_refuses_an_upload_and_has_room_again_when_an_outcome_is_released(self):
        pool = self.pool(workers=1)
        uploads = [self.stub.Upload(self.pieces()) for _ in range(3)]
        with self.assertRaises(grpc.RpcError) as caught:
            self.stub.Upload(self.pieces())
        self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        ids = []
        for upload in uploads:
            # It fails, since it wants no arguments; they are kept with the outcome.
            ids.append(pool.try_submit(task_pb2.TaskSpec(function="noop", args=payload_pb2.Payload(
                encoding=payload_pb2.ENCODING_RAW, upload_id=upload.upload_id))).id)
            pool.outcome(ids[-1])
        pool.release(*ids)
        self.assertEqual(self.stub.Upload(self.pieces()).size_bytes, self.SIZE)


if __name__ == "__main__":
    unittest.main()
