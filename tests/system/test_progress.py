"""How far a task says that it is: seen by whoever looks, while it runs."""

import os
import signal
import unittest
import uuid

from harness import RUNNING, SUCCEEDED, PoolCase, Watcher, api, eventually
from session_stream import Session, group, id_of


class ProgressTest(PoolCase):

    def watcher(self, **of):
        watcher = Watcher(self.daemon.another_client(), **of)
        self.addCleanup(watcher.cancel)
        return watcher

    def reported(self, watcher, id=None):
        """What it was told, in order."""
        return [event.progress for event in list(watcher.events)
                if event.HasField("progress") and id in (None, event.progress.id)]

    def report(self, pool, fraction, text, **options):
        """Submits a task that reports this and waits; returns its id when it has reported. It ends after `go_on`."""
        id = pool.submit("report_and_wait", fraction, text, self.path("go on"), **options)
        eventually(lambda: pool.get(id, wait=0).task.HasField("progress"), "it has reported")
        return id

    def test_the_latest_report_is_seen_by_everybody_who_looks(self):
        pool = self.pool(workers=1)
        id = self.report(pool, 0.25, "a quarter")
        entry = self.stub.ListTasks(api.ListTasksRequest(pool=pool.name, states=[RUNNING])).entries[0]
        explained = self.stub.Explain(api.ExplainRequest(id=id)).entry
        for task in (pool.get(id, wait=0).task, entry.task, explained.task):
            self.assertEqual((task.id, task.state), (id, RUNNING))
            self.assertEqual((task.progress.fraction, task.progress.text), (0.25, "a quarter"))
        self.go_on()
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)

    def test_a_watcher_sees_it_while_the_task_runs(self):
        pool = self.pool(workers=1)
        watcher = self.watcher(pool=pool.name)
        id = pool.submit("report_and_wait", 0.5, "half", self.path("go on"))
        eventually(lambda: self.reported(watcher, id), "the report is seen")
        self.assertEqual(pool.state(id), RUNNING)
        self.assertEqual([(p.fraction, p.text, p.index) for p in self.reported(watcher)], [(0.5, "half", 0)])
        self.go_on()

    def test_a_watcher_of_one_task_sees_only_that(self):
        pool = self.pool(workers=2)
        self.report(pool, 0.1, "another")
        watcher = self.watcher(ids=[pool.submit("progress", 3, 30)])
        watcher.wait_for_end()
        self.assertEqual({p.text for p in self.reported(watcher)} & {"another"}, set())
        self.go_on()

    def test_reports_only_grow_and_the_last_one_is_never_missing(self):
        pool = self.pool(workers=1)
        watcher = self.watcher(pool=pool.name)
        id = pool.submit("progress", 1000, 0)
        pool.outcome(id)
        pool.close()
        watcher.wait_for_end()
        fractions = [p.fraction for p in self.reported(watcher, id)]
        self.assertEqual(fractions, sorted(fractions))
        self.assertEqual(self.reported(watcher, id)[-1].text, "step 1000 of 1000")
        kinds = [event.WhichOneof("event") for event in watcher.events
                 if event.progress.id == id or event.task.id == id]
        self.assertEqual(kinds[-1], "task", "a report came after the end")

    def test_a_fraction_that_makes_no_sense_is_made_one_that_does(self):
        pool = self.pool(workers=3)
        for said, told in ((-3.0, -1), (7.0, 1), (float("nan"), -1)):
            with self.subTest(said=said):
                id = self.report(pool, said, "x")
                self.assertEqual(pool.get(id, wait=0).task.progress.fraction, told)
        self.go_on()

    def test_a_long_text_is_cut_and_not_between_the_bytes_of_a_character(self):
        pool = self.pool(workers=1)
        id = self.report(pool, 0.5, "ü" * 5000)
        text = pool.get(id, wait=0).task.progress.text
        self.assertTrue(0 < len(text) < 5000 and set(text) == {"ü"}, text)
        self.go_on()

    def test_the_progress_of_a_map_item_has_its_index(self):
        pool = self.pool(workers=1)
        watcher = self.watcher(pool=pool.name)
        id = pool.map("report_and_wait", [(0.5, f"item {i}", self.path(f"go on {i}")) for i in range(3)], chunk_size=3)
        for i in range(3):
            eventually(lambda: [p for p in self.reported(watcher, id) if (p.index, p.text) == (i, f"item {i}")],
                       f"item {i} has reported")
            open(self.path(f"go on {i}"), "w").close()
        self.assertEqual(pool.results(id), [None] * 3)

    def test_it_comes_on_the_session_stream_before_the_outcome_where_the_output_is_streamed(self):
        pool = self.pool(workers=1)
        session = Session(self.daemon)
        self.addCleanup(session.close)
        high = uuid.uuid4().int >> 64
        session.send(submit=[group(pool.name, "report_and_wait", high, 1, [(0.5, "half", self.path("go on"))],
                                   stream_output=True)])
        id = id_of(high, 1)
        session.read_until(lambda: id in session.progress)
        self.assertEqual([(p.fraction, p.text) for p in session.progress[id]], [(0.5, "half")])
        self.go_on()
        session.read_until(lambda: id in session.outcomes)
        # Without it, none comes.
        session.send(submit=[group(pool.name, "report_and_wait", high, 2, [(0.5, "half", self.path("go on"))])])
        session.read_until(lambda: id_of(high, 2) in session.outcomes)
        self.assertNotIn(id_of(high, 2), session.progress)

    def test_a_second_attempt_reports_anew(self):
        pool = self.pool(workers=1)
        watcher = self.watcher(pool=pool.name)
        id = pool.submit("report_and_wait", 0.9, "nearly", self.path("go on"), max_attempts=2,
                         retry_delay={"nanos": 1_000_000})
        eventually(lambda: self.reported(watcher, id), "it has reported")
        os.kill(pool.ready_workers()[0].pid, signal.SIGKILL)
        eventually(lambda: len(self.reported(watcher, id)) == 2, "it has reported again")
        self.go_on()
        self.assertEqual(pool.outcome(id).attempt, 2)


if __name__ == "__main__":
    unittest.main()
