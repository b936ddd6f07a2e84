"""What an older client sent still works, and so does what a newer one may send.

versions/VERSION.json has the messages of one conversation, byte for byte as that version of the contract wrote them. A
new minor version adds such a file and keeps those of the versions that it works with:

    POOLD_RECORD_VERSION=0.2 ctest --preset dev -R system.versions
"""

import json
import os
import pathlib
import queue
import unittest

import msgpack

from harness import PATIENCE, Daemon, api, arguments, seconds, value_of
from poold.v1 import map_pb2, payload_pb2, pool_pb2, session_pb2, task_pb2
from session_stream import group, id_of

FOLDER = pathlib.Path(__file__).resolve().with_name("versions")
TASK, BAD, MAP = id_of(1, 1), id_of(1, 2), id_of(1, 3)

CONVERSATION = {
    "OpenPool": api.OpenPoolRequest(spec=pool_pb2.PoolSpec(name="old", workers=1, modules=["examples"])),
    "Submit": api.SubmitRequest(pool="old", tasks=[
        task_pb2.TaskSpec(function="square", args=arguments(7), id=TASK, options=task_pb2.TaskOptions(priority=3)),
        task_pb2.TaskSpec(function="no_such_function", args=arguments(7), id=BAD)]),
    "Get": api.GetRequest(id=TASK, wait_timeout=seconds(30)),
    "Map": api.MapRequest(pool="old", function="square", id=MAP, items=map_pb2.MapItems(
        items=[msgpack.packb([i]) for i in range(3)], encoding=payload_pb2.ENCODING_MSGPACK)),
    "Wait": api.WaitRequest(ids=[TASK, MAP], mode=api.WAIT_MODE_ALL_COMPLETED, wait_timeout=seconds(30)),
    "GetItems": api.GetItemsRequest(id=MAP),
    "Release": api.ReleaseRequest(ids=[TASK, MAP]),
    "GetServerInfo": api.GetServerInfoRequest(),
    "ListPools": api.ListPoolsRequest(),
    "Session hello": session_pb2.SessionRequest(
        hello=session_pb2.SessionHello(client_id=b"the old client..", client_name="old")),
    "Session tasks": session_pb2.SessionRequest(submit=[group("old", "square", 2, 1, [[5], [6]])]),
    "Close": api.CloseRequest(pool="old"),
}

# A field of every message that this version does not know, with a value of each wire type.
UNKNOWN = bytes.fromhex("80fa0107" "81fa010100000000000000" "82fa0103616263" "85fa0101000000")


def record(version):
    FOLDER.mkdir(exist_ok=True)
    messages = {name: message.SerializeToString(deterministic=True).hex() for name, message in CONVERSATION.items()}
    (FOLDER / f"{version}.json").write_text(json.dumps(messages, indent=1) + "\n")


class VersionsTest(unittest.TestCase):

    def ask(self, name, data, answer):
        """Sends bytes as they are; the answer as this version reads it."""
        call = self.channel.unary_unary(f"/poold.v1.PoolService/{name}", request_serializer=bytes,
                                        response_deserializer=answer.FromString)
        return call(data, timeout=PATIENCE)

    def converse(self, messages):
        """The whole conversation with these messages and a new daemon, and what has to come of it."""
        with Daemon() as daemon:
            self.channel = daemon.channel()
            self.converse_on_channel(messages)

    def converse_on_channel(self, messages):
        self.assertEqual(self.ask("OpenPool", messages["OpenPool"], api.OpenPoolResponse).pool.spec.name, "old")
        results = self.ask("Submit", messages["Submit"], api.SubmitResponse).results
        self.assertEqual([result.HasField("error") for result in results], [False, True])
        self.assertEqual(value_of(self.ask("Get", messages["Get"], api.GetResponse).task.outcome.result), 49)
        self.assertEqual(self.ask("Map", messages["Map"], api.MapResponse).id, MAP)
        self.assertEqual(sorted(self.ask("Wait", messages["Wait"], api.WaitResponse).done), [TASK, MAP])
        self.assertEqual(self.items(messages["GetItems"]), 3)
        self.assertEqual(self.ask("Release", messages["Release"], api.ReleaseResponse).released, 2)
        self.assertTrue(self.ask("GetServerInfo", messages["GetServerInfo"], api.GetServerInfoResponse).server.version)
        self.assertIn("old", [pool.spec.name for pool in
                              self.ask("ListPools", messages["ListPools"], api.ListPoolsResponse).pools])
        self.assertEqual(self.session(messages), {25, 36})
        self.ask("Close", messages["Close"], api.CloseResponse)
        self.ask("Terminate", api.TerminateRequest(pool="old", forget=True).SerializeToString(), api.TerminateResponse)

    def items(self, data):
        call = self.channel.unary_stream("/poold.v1.PoolService/GetItems", request_serializer=bytes,
                                         response_deserializer=api.GetItemsResponse.FromString)
        answers = list(call(data, timeout=PATIENCE))
        return sum(len(block.result_bytes) for answer in answers for block in answer.outcomes)

    def session(self, messages):
        """The results of the tasks that the session submits."""
        requests = queue.Queue()
        call = self.channel.stream_stream("/poold.v1.PoolService/Session", request_serializer=bytes,
                                          response_deserializer=session_pb2.SessionResponse.FromString)
        responses = call(iter(requests.get, None), timeout=PATIENCE)
        requests.put(messages["Session hello"])
        self.assertTrue(next(responses).HasField("server"))
        requests.put(messages["Session tasks"])
        results = set()
        while len(results) < 2:
            for succeeded in next(responses).succeeded:
                start = 0
                for size in succeeded.result_bytes:
                    results.add(msgpack.unpackb(succeeded.results[start:start + size]))
                    start += size
        requests.put(None)
        return results

    def test_what_each_older_version_sent_still_works(self):
        files = sorted(FOLDER.glob("*.json"))
        self.assertTrue(files, "there is no version to compare with")
        for path in files:
            with self.subTest(version=path.stem):
                self.converse({name: bytes.fromhex(data) for name, data in json.loads(path.read_text()).items()})

    def test_fields_that_only_a_newer_version_knows_are_passed_over(self):
        self.converse({name: message.SerializeToString() + UNKNOWN for name, message in CONVERSATION.items()})


if __name__ == "__main__":
    if version := os.environ.get("POOLD_RECORD_VERSION"):
        record(version)
    unittest.main()
