"""The batching stream of the SDKs, spoken by hand."""

import queue
import struct
import uuid

import msgpack

from harness import PATIENCE, decoded, unpacked
from poold.v1 import payload_pb2, pool_service_pb2_grpc, session_pb2, task_pb2


class Session:
    """One stream. `read_until` takes responses until the condition is true."""

    def __init__(self, daemon, client_id=None, hello=True):
        self.requests = queue.Queue()
        self.channel = daemon.channel()
        self.responses = pool_service_pb2_grpc.PoolServiceStub(self.channel).Session(
            iter(self.requests.get, None), timeout=2 * PATIENCE)
        self.client_id = client_id or uuid.uuid4().bytes
        self.outcomes, self.output, self.items, self.ends, self.refused, self.taken = {}, {}, {}, {}, {}, 0
        self.progress = {}
        if hello:
            self.send(hello=session_pb2.SessionHello(client_id=self.client_id, client_name="test"))
            self.server = next(self.responses).server

    def send(self, **fields):
        self.requests.put(session_pb2.SessionRequest(**fields))

    def close(self):
        self.requests.put(None)

    def read_until(self, condition):
        while not condition():
            self.take(next(self.responses))

    def take(self, response):
        for output in response.outputs:
            assert output.id not in self.outcomes, "output after its outcome"
            self.output[output.id] = self.output.get(output.id, b"") + output.data
        for progress in response.progress:
            assert progress.id not in self.outcomes, "progress after its outcome"
            self.progress.setdefault(progress.id, []).append(progress)
        for group in response.succeeded:
            start = 0
            for low, size in zip(group.id_low, group.result_bytes):
                result = decoded(group.encoding, group.results[start:start + size])
                self.outcomes[id_of(group.id_high, low)] = result
                start += size
        for other in response.others:
            for high, low, count in zip(other.ids.high, other.ids.low, other.ids.count):
                self.outcomes.update({id_of(high, low + i): other.outcome for i in range(count)})
        for group in response.maps:
            for block in group.outcomes:
                for index, value in unpacked(block):
                    self.items.setdefault(group.id, {})[index] = value
            if group.HasField("end"):
                self.ends[group.id] = group.end
        for refusal in response.refused:
            self.refused[refusal.id] = refusal.error
        self.taken = max(self.taken, response.taken_requests)


def group(pool, function, high, low, argument_lists, **options):
    packed = [msgpack.packb(list(args)) for args in argument_lists]
    return session_pb2.TaskGroup(pool=pool, function=function, id_high=high, first_id_low=low, args=b"".join(packed),
                                 args_bytes=[len(one) for one in packed], encoding=payload_pb2.ENCODING_MSGPACK,
                                 options=task_pb2.TaskOptions(**options))


def id_of(high, low):
    return struct.pack(">QQ", high, low)


def runs(*ids):
    pairs = [struct.unpack(">QQ", id) for id in ids]
    return session_pb2.IdRuns(high=[high for high, _ in pairs], low=[low for _, low in pairs], count=[1] * len(pairs))
