"""What is asked of tasks and maps: where it is shown, and what of it reaches the function."""

import unittest

import grpc

from harness import PoolCase, api, eventually, pool_pb2


class OptionsTest(PoolCase):

    def listed(self, pool):
        return [entry.map if entry.HasField("map") else entry.task
                for entry in self.stub.ListTasks(api.ListTasksRequest(pool=pool.name)).entries]

    def test_a_task_shows_what_was_asked_of_it(self):
        pool = self.pool()
        asked = pool.submit("noop", max_attempts=3, priority=2)
        plain = pool.submit("noop")
        self.assertEqual(pool.get(asked).task.options.max_attempts, 3)
        self.assertEqual(pool.get(asked).task.options.priority, 2)
        self.assertFalse(pool.get(plain).task.HasField("options"), "it is nothing but the defaults")
        self.assertEqual([task.options.max_attempts for task in self.listed(pool)], [3, 0])

    def test_a_map_shows_what_was_asked_of_it(self):
        pool = self.pool()
        id = pool.map("identity", [(1,)], max_attempts=4)
        self.assertEqual(pool.get(id).map.options.max_attempts, 4)
        self.assertEqual(self.listed(pool)[0].options.max_attempts, 4)


class TraceparentTest(PoolCase):

    daemon_config = "allow_exec = true\n"
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    def test_a_function_knows_its_trace_and_others_know_none(self):
        pool = self.pool(workers=1)
        ids = pool.submit_all([pool.task("option_of", "traceparent", traceparent=trace) for trace in
                               (self.trace, "", self.trace.replace("b7", "c8"), self.trace)])
        results = [pool.outcome(id).result.data[2:].decode() for id in ids]
        self.assertEqual([result[-9:] for result in results], ["a902b7-01", "", "a902c8-01", "a902b7-01"])

    def test_every_item_of_a_map_has_it(self):
        pool = self.pool()
        id = pool.map("option_of", [("traceparent",)] * 5, traceparent=self.trace)
        self.assertEqual(pool.results(id), [self.trace] * 5)
        self.assertEqual(pool.get(id).map.options.traceparent, self.trace)

    def test_a_program_of_exec_has_it_in_its_environment(self):
        pool = self.pool(allow_exec=True)
        printed = pool.call("exec", ["sh", "-c", "echo $TRACEPARENT"], traceparent=self.trace)["stdout"]
        self.assertEqual(printed.decode(), self.trace + "\n")
        said = pool.call("exec", ["sh", "-c", "echo $TRACEPARENT"], None, {"TRACEPARENT": "mine"}, traceparent=self.trace)
        self.assertEqual(said["stdout"], b"mine\n", "what the caller says counts")

    def test_a_worker_in_python_has_it(self):
        pool = self.pool(modules=(), program="python-worker", start_method=pool_pb2.START_METHOD_SPAWN)
        self.assertEqual(pool.call("option_of", "traceparent", traceparent=self.trace), self.trace)
        self.assertEqual(pool.call("option_of", "traceparent"), "")

    def test_it_is_shown_with_the_task_and_with_the_worker_that_died(self):
        pool = self.pool()
        id = pool.submit("crash", 11, traceparent=self.trace)
        self.assertEqual(pool.get(id).task.options.traceparent, self.trace)
        self.assertEqual(self.stub.Explain(api.ExplainRequest(id=id)).options.traceparent, self.trace)
        eventually(lambda: f"event=worker_ran" in self.daemon.log() and f" traceparent={self.trace}" in self.daemon.log(),
                   "the log names it")

    def test_what_is_none_is_refused(self):
        pool = self.pool()
        for wrong in ("x", self.trace.upper(), self.trace + "0", self.trace[:-1], "ff" + self.trace[2:],
                      self.trace.replace("-", "_"), "00-" + "0" * 32 + self.trace[35:],
                      self.trace[:36] + "0" * 16 + "-01", self.trace[:-1] + "\0"):
            self.assert_task_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD",
                                     pool.try_submit(pool.task("noop", traceparent=wrong)), "options.traceparent")


if __name__ == "__main__":
    unittest.main()
