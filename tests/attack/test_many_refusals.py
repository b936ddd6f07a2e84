"""65 536 tasks for a pool that is not there, while there are many with names like it: refused at once, with one
suggestion, and the tasks of others go on.
"""

import threading
import time
import unittest

from harness import PoolCase, PoolProxy, api, reason_of
from poold.v1 import payload_pb2, session_pb2
from session_stream import Session, group, id_of

MANY = 65_536
HIGH = 0x4E0


def name_of(number):
    return f"a-pool-with-a-long-name-of-which-there-are-many-others-like-{number:03}"


class ManyRefusalsTest(PoolCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.good = PoolProxy(cls.daemon.stub, "good")
        cls.daemon.stub.OpenPool(api.OpenPoolRequest(spec={"name": "good", "workers": 1, "modules": ["examples"]}))
        cls.alone = cls.time_of_refusals(cls.daemon.another_client())
        for number in range(60):
            cls.daemon.stub.OpenPool(
                api.OpenPoolRequest(spec={"name": name_of(number), "workers": 1, "modules": ["examples"]}))

    @staticmethod
    def refuse_many(stub):
        task = PoolProxy.task("square", 1)
        return stub.Submit(api.SubmitRequest(pool=name_of(999), tasks=[task] * MANY)).results

    @classmethod
    def time_of_refusals(cls, stub):
        begin = time.monotonic()
        cls.refuse_many(stub)
        return time.monotonic() - begin

    def test_refusals_do_not_cost_more_where_there_are_many_names(self):
        results = self.refuse_many(self.daemon.another_client())
        self.assertEqual({result.error.code for result in results}, {5})
        self.assertEqual(reason_of(results[0].error), "POOL_NOT_FOUND")
        self.assertIn("did you mean 'a-pool-with", results[0].error.message)
        # 60 names times 65 536 tasks took half a minute.
        self.assertLess(self.time_of_refusals(self.daemon.another_client()), 5 * self.alone + 1)

    def test_the_lone_tasks_of_another_client_go_on(self):
        other = self.daemon.another_client()
        refused = threading.Thread(target=self.refuse_many, args=(self.daemon.another_client(),))
        refused.start()
        done = 0
        while refused.is_alive():
            self.assertEqual(PoolProxy(other, "good").call("square", 3), 9)
            done += 1
        refused.join()
        self.assertGreater(done, 1)

    def test_a_session_gets_one_suggestion_and_the_others_the_plain_truth(self):
        session = Session(self.daemon)
        session.send(submit=[group(name_of(900 + i % 50), "square", HIGH, i, [(i,)]) for i in range(2000)])
        session.read_until(lambda: len(session.refused) == 2000)
        messages = [error.message for error in session.refused.values()]
        self.assertEqual(sum("did you mean" in message for message in messages), 40)  # of one name
        self.assertTrue(all("there is no pool 'a-pool-with" in message for message in messages))
        session.close()

    def test_names_are_checked_whichever_way_they_come(self):
        bad = "no name\nof a pool"
        session = Session(self.daemon)
        maps = session_pb2.MapGroup(pool=bad, function="square", id=id_of(HIGH, 1 << 40), complete=True)
        session.send(submit=[group(bad, "square", HIGH, 1 << 41, [(1,)])], map=[maps])
        session.read_until(lambda: len(session.refused) == 2)
        for error in session.refused.values():
            self.assertEqual(reason_of(error), "INVALID_FIELD", error)
            self.assertIn(".pool", error.message)
        session.close()
        for call in (lambda: self.stub.Submit(api.SubmitRequest(pool=bad)),
                     lambda: self.stub.Map(api.MapRequest(pool=bad, function="square")),
                     lambda: self.stub.GetStats(api.GetStatsRequest(pool=bad)),
                     lambda: self.stub.Watch(api.WatchRequest(pool=bad)),
                     lambda: self.stub.ListTasks(api.ListTasksRequest(pool=bad))):
            self.assert_refused(self.invalid, "INVALID_FIELD", call, "pool")

    @property
    def invalid(self):
        import grpc
        return grpc.StatusCode.INVALID_ARGUMENT


if __name__ == "__main__":
    unittest.main()
