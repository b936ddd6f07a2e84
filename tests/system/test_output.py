"""What a task prints: attributed to it, delivered before its outcome, its tail kept."""

import unittest

from harness import CRASHED, SUCCEEDED, PoolCase, Watcher, eventually
from poold.v1 import task_pb2

STDERR = task_pb2.OUTPUT_STREAM_STDERR


class OutputTest(PoolCase):

    def test_what_a_task_printed_is_in_its_outcome(self):
        pool = self.pool(workers=1)
        self.assertEqual(pool.run("print", "hello").stdout_tail, b"hello\n")

    def test_prefetched_neighbours_keep_their_output_apart(self):
        pool = self.pool(workers=2)
        for _ in range(2):  # The second time the daemon knows that they are quick and sends them ahead.
            ids = pool.submit_all([pool.task("print", f"line of {i}") for i in range(500)])
            for i, id in enumerate(ids):
                self.assertEqual(pool.outcome(id).stdout_tail.decode(), f"line of {i}\n")

    def test_a_silent_neighbour_has_no_output(self):
        pool = self.pool(workers=1)
        ids = pool.submit_all([pool.task("print", "x") if i % 2 else pool.task("echo", b"x") for i in range(200)])
        for i, id in enumerate(ids):
            self.assertEqual(pool.outcome(id).stdout_tail, b"x\n" if i % 2 else b"")

    def test_output_is_delivered_before_the_outcome(self):
        pool = self.pool(workers=2)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        ids = pool.submit_all([pool.task("print", f"line of {i}", stream_output=True) for i in range(200)])
        for id in ids:
            pool.outcome(id)
        pool.close()
        pool.join()
        watcher.wait_for_end()
        ended, seen = set(), {}
        for event in watcher.events:
            if event.HasField("output"):
                self.assertNotIn(event.output.id, ended, "output after the outcome")
                seen[event.output.id] = seen.get(event.output.id, b"") + event.output.data
            elif event.HasField("task") and event.task.state == SUCCEEDED:
                ended.add(event.task.id)
        self.assertEqual(seen, {id: f"line of {i}\n".encode() for i, id in enumerate(ids)})
        self.assertEqual(ended, set(ids))

    def test_output_is_seen_while_the_task_still_runs(self):
        pool = self.pool(workers=1)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        id = pool.submit("print_and_wait_for", "now", self.path("go on"), stream_output=True)
        eventually(lambda: watcher.output(id) == b"now\n", "the line is seen")
        self.assertFalse(pool.get(id, wait=0).done)
        open(self.path("go on"), "w").close()
        self.assertEqual(pool.outcome(id).stdout_tail, b"now\n")
        watcher.cancel()

    def test_a_watcher_of_one_handle_sees_only_that_and_its_stream_ends_with_it(self):
        pool = self.pool(workers=1)
        pool.submit("print_and_wait_for", "", self.path("begin"))
        noise = pool.submit("print", "noise", stream_output=True)
        id = pool.submit("print", "mine", stream_output=True)
        watcher = Watcher(self.daemon.another_client(), ids=[id])
        open(self.path("begin"), "w").close()
        watcher.wait_for_end()
        self.assertEqual(watcher.output(), b"mine\n")
        states = [event.task.state for event in watcher.events if event.HasField("task")]
        self.assertEqual((states[0], states[-1]), (task_pb2.TASK_STATE_QUEUED, SUCCEEDED))
        self.assertEqual(pool.outcome(noise).stdout_tail, b"noise\n")

    def test_a_watch_of_an_ended_handle_tells_its_state_and_ends(self):
        pool = self.pool(workers=1)
        id = pool.submit("echo", b"x")
        pool.outcome(id)
        watcher = Watcher(self.daemon.another_client(), ids=[id])
        watcher.wait_for_end()
        self.assertEqual([event.task.state for event in watcher.events], [SUCCEEDED])

    def test_only_the_tail_of_much_output_is_kept_and_it_is_the_end(self):
        pool = self.pool(workers=1)
        limit = self.daemon.server_info().limits.output_tail_bytes
        text = "".join(f"{i:07d}\n" for i in range(60_000))  # 480 kB, far more than a pipe holds
        outcome = pool.run("print", text)
        self.assertEqual(outcome.state, SUCCEEDED)
        self.assertLessEqual(len(outcome.stdout_tail), limit)
        self.assertGreater(len(outcome.stdout_tail), limit // 2)
        self.assertTrue((text + "\n").encode().endswith(outcome.stdout_tail))

    def test_a_flood_of_output_reaches_a_watcher_whole_or_the_gap_is_told(self):
        pool = self.pool(workers=1)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        text = "".join(f"{i:07d}\n" for i in range(100_000))
        id = pool.submit("print", text, stream_output=True)
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)
        pool.close()
        pool.join()
        watcher.wait_for_end()
        dropped = sum(event.dropped_output_bytes for event in watcher.events)
        self.assertEqual(len(watcher.output(id)) + dropped, len(text) + 1)

    def test_what_a_task_wrote_before_it_crashed_is_kept(self):
        pool = self.pool(workers=1)
        outcome = pool.run("print_and_crash", "last words")
        self.assertEqual(outcome.state, CRASHED)
        self.assertEqual(outcome.stdout_tail, b"last words\n")

    def test_both_streams_are_told_apart(self):
        pool = self.pool(workers=1)
        outcome = pool.run("print_error", "oh no")
        self.assertEqual((outcome.stdout_tail, outcome.stderr_tail), (b"", b"oh no\n"))

    def test_a_watcher_of_a_pool_sees_a_worker_die_and_come_back(self):
        pool = self.pool(workers=1)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        pid = pool.run("exit", 1).death.pid
        eventually(lambda: any(worker.pid not in (0, pid) for event in list(watcher.events) if event.HasField("pool")
                               for worker in event.pool.workers), "the new worker is told")
        watcher.cancel()

    def test_output_of_map_items_is_attributed_to_the_map(self):
        pool = self.pool(workers=2)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        id = pool.map("print", [(f"item {i}",) for i in range(50)], stream_output=True)
        pool.results(id)
        pool.close()
        pool.join()
        watcher.wait_for_end()
        self.assertCountEqual(watcher.output(id).decode().splitlines(), [f"item {i}" for i in range(50)])


if __name__ == "__main__":
    unittest.main()
