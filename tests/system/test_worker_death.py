"""A worker dies: it costs exactly the task that ran there, and the outcome says why."""

import os
import signal
import unittest

from harness import CRASHED, SUCCEEDED, Daemon, PoolCase, alive, api, eventually, seconds
from poold.v1 import pool_pb2, task_pb2


class WorkerDeathTest(PoolCase):

    def test_each_way_to_die_is_in_the_certificate(self):
        pool = self.pool(workers=2)
        ways = [("crash", signal.SIGSEGV, signal.SIGSEGV, 0), ("crash", signal.SIGABRT, signal.SIGABRT, 0),
                ("crash", signal.SIGKILL, signal.SIGKILL, 0), ("crash", signal.SIGBUS, signal.SIGBUS, 0),
                ("exit", 3, 0, 3), ("exit", 0, 0, 0)]
        for function, argument, number, code in ways:
            with self.subTest(function=function, argument=argument):
                outcome = pool.run(function, int(argument))
                self.assertEqual(outcome.state, CRASHED)
                self.assertEqual((outcome.death.signal, outcome.death.exit_code), (int(number), code))
                self.assertGreater(outcome.death.pid, 0)
                self.assertEqual(outcome.death.generation, 1)
                self.assertGreater(outcome.death.peak_rss_bytes, 100_000)
                self.assertGreater(outcome.death.wall_time.ToNanoseconds(), 0)
                self.assertEqual(outcome.attempt, 1)
        self.assertEqual(pool.call("echo", b"the pool lives on"), b"the pool lives on")

    def test_a_fault_of_its_own_and_an_outsider_are_told_apart(self):
        pool = self.pool(workers=1)
        self.assertEqual(pool.run("crash", int(signal.SIGSEGV)).death.killed_by, task_pb2.KILLED_BY_ITSELF)
        self.assertEqual(pool.run("exit", 1).death.killed_by, task_pb2.KILLED_BY_ITSELF)
        id = self.begin(pool)
        os.kill(pool.ready_workers()[0].pid, signal.SIGKILL)
        outcome = pool.outcome(id)
        self.assertEqual((outcome.state, outcome.death.killed_by, outcome.death.signal),
                         (CRASHED, task_pb2.KILLED_BY_OUTSIDER, signal.SIGKILL))

    def test_the_last_words_on_stderr_are_in_the_outcome(self):
        outcome = self.pool(workers=1).run("complain_and_abort", "this cannot be")
        self.assertEqual((outcome.state, outcome.death.signal), (CRASHED, signal.SIGABRT))
        self.assertIn(b"this cannot be\n", outcome.stderr_tail)

    def test_the_certificate_names_the_function_in_which_it_happened(self):
        pool = self.pool(workers=1)
        faults = [("segv", signal.SIGSEGV, "write_to_nowhere"), ("fpe", signal.SIGFPE, "divide_by"),
                  ("overflow", signal.SIGSEGV, "recurse"), ("heap", signal.SIGABRT, "free_twice"),
                  ("abort", signal.SIGABRT, "give_up"), ("thread", signal.SIGABRT, "give_up"),
                  ("null call", signal.SIGSEGV, "testing.so")]
        for kind, number, function in faults:
            with self.subTest(fault=kind):
                death = pool.run("fault", kind).death
                self.assertEqual((death.signal, death.killed_by), (number, task_pb2.KILLED_BY_ITSELF))
                self.assertIn(function, death.backtrace)
                # So that its circuit breaker, which is told of elsewhere, does not hold up the next one.
                self.assertEqual(pool.run("fault", "no such fault").state, task_pb2.TASK_STATE_FAILED)

    def test_an_item_of_a_map_has_its_certificate_too(self):
        pool = self.pool(workers=1)
        results = pool.results(pool.map("fault", [("none",), ("segv",), ("none",)], chunk_size=3))
        self.assertEqual(results[1].death.signal, signal.SIGSEGV)
        self.assertIn("write_to_nowhere", results[1].death.backtrace)
        self.assertEqual([results[i].state for i in (0, 2)], [task_pb2.TASK_STATE_FAILED] * 2)

    def test_a_death_from_outside_has_no_backtrace(self):
        self.assertEqual(self.pool(workers=1).run("crash", int(signal.SIGKILL)).death.backtrace, "")

    def test_the_certificate_names_the_worker_and_its_generation(self):
        pool = self.pool(workers=1)
        worker = pool.ready_workers()[0]
        self.assertEqual(pool.call("ident")["worker_id"], worker.id)
        death = pool.run("exit", 1).death
        self.assertEqual((death.worker_id, death.pid, death.generation), (worker.id, worker.pid, 1))
        self.stub.Reload(api.ReloadRequest(pool=pool.name))
        worker = pool.ready_workers()[0]
        death = pool.run("exit", 1).death
        self.assertEqual((death.worker_id, death.pid, death.generation), (worker.id, worker.pid, 2))

    def test_the_certificate_tells_what_the_worker_had_used(self):
        pool = self.pool(workers=1)
        self.go_on()
        pool.call("grow_and_wait", 64 << 20, self.path("grown"), self.path("go on"))
        pool.call("spin", 300)
        death = pool.run("exit", 1).death
        self.assertGreater(death.peak_rss_bytes, 64 << 20)
        self.assertGreaterEqual(death.wall_time.ToMilliseconds(), 300)
        self.assertGreater(death.cpu_time.ToMilliseconds(), 10)
        self.assertLessEqual(death.cpu_time.ToMilliseconds(), death.wall_time.ToMilliseconds() + 100)

    def test_the_worker_is_replaced_by_another_process(self):
        pool = self.pool(workers=2)
        before = {worker.pid for worker in pool.ready_workers()}
        dead = pool.run("exit", 1).death.pid
        self.assertIn(dead, before)
        eventually(lambda: len(pool.ready_workers()) == 2, "the worker is replaced")
        after = {worker.pid for worker in pool.ready_workers()}
        self.assertEqual(len(after & before), 1)
        self.assertEqual(pool.stats().workers_lost, 1)

    def test_an_idle_worker_that_is_killed_costs_nothing_and_is_replaced(self):
        pool = self.pool(workers=1)
        pid = pool.ready_workers()[0].pid
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: [w.pid for w in pool.ready_workers() if w.pid != pid], "the worker is replaced")
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.assertEqual(pool.stats().crashed, 0)

    def learn_that_append_is_quick(self, pool):
        """So that the daemon sends these tasks ahead."""
        for id in pool.submit_all([pool.task("append", self.path("warm"), str(i)) for i in range(300)]):
            self.assertEqual(pool.outcome(id).state, SUCCEEDED)

    def crash_task_20_of_64(self, crash, **spec):
        pool = self.pool(workers=1, **spec)
        self.learn_that_append_is_quick(pool)
        tasks = [pool.task("append", self.path("runs"), str(i)) for i in range(64)]
        tasks[20] = crash(pool)
        ids = pool.submit_all(tasks)
        outcomes = [pool.outcome(id) for id in ids]
        self.assertEqual(outcomes[20].state, CRASHED)
        self.assertEqual([i for i in range(64) if outcomes[i].state != SUCCEEDED], [20])
        self.assertEqual({outcome.attempt for outcome in outcomes}, {1})
        # Every one ran, and none of them twice.
        self.assertCountEqual(self.lines("runs"), [str(i) for i in range(64) if i != 20])

    def test_task_20_of_64_is_killed_and_the_other_63_are_each_executed_once(self):
        self.crash_task_20_of_64(lambda pool: pool.task("crash", int(signal.SIGKILL)))

    def test_task_20_of_64_faults_and_the_other_63_are_each_executed_once(self):
        self.crash_task_20_of_64(lambda pool: pool.task("crash", int(signal.SIGSEGV)))

    def test_task_20_of_64_exits_and_the_other_63_are_each_executed_once(self):
        self.crash_task_20_of_64(lambda pool: pool.task("exit", 0))

    def test_the_same_in_a_spawn_pool(self):
        self.crash_task_20_of_64(lambda pool: pool.task("exit", 9), start_method=pool_pb2.START_METHOD_SPAWN)

    def test_in_a_map_the_item_that_killed_its_worker_is_known_and_all_others_are_kept(self):
        for chunk in (None, 1, 64, 16):
            with self.subTest(chunk_size=chunk):
                pool = self.pool(workers=2)
                items = [(i, self.path(f"runs-{chunk}"), 40) for i in range(64)]
                id = pool.map("append_or_crash", items, chunk_size=chunk)
                results = pool.results(id)
                self.assertEqual([i for i in range(64) if results[i] is not None], [40], results[40])
                self.assertEqual(results[40].state, CRASHED)
                self.assertEqual(results[40].death.signal, signal.SIGKILL)
                self.assertCountEqual(self.lines(f"runs-{chunk}"), [str(i) for i in range(64) if i != 40])
                self.assertEqual(pool.end.unsuccessful_items, 1)

    def test_several_bad_items_of_one_chunk_each_die_alone(self):
        pool = self.pool(workers=1)
        items = [(signal.SIGKILL if i % 10 == 3 else 0,) for i in range(50)]
        results = pool.results(pool.map("crash", items, chunk_size=50))
        self.assertEqual([i for i in range(50) if getattr(results[i], "state", 0) == CRASHED], [3, 13, 23, 33, 43])

    def test_a_task_may_be_tried_again_after_a_crash_when_asked(self):
        pool = self.pool(workers=1)
        outcome = pool.run("exit", 1, max_attempts=3, retry_delay=seconds(0.001))
        self.assertEqual((outcome.state, outcome.attempt, outcome.poison), (CRASHED, 3, True))
        self.assertEqual(pool.stats().retried, 2)

    def test_every_worker_may_die_at_once_and_the_pool_goes_on(self):
        pool = self.pool(workers=4)
        ids = [self.begin(pool) for _ in range(4)]
        for worker in pool.ready_workers():
            os.kill(worker.pid, signal.SIGKILL)
        self.assertEqual({pool.outcome(id).state for id in ids}, {CRASHED})
        self.assertEqual(pool.call("echo", b"x"), b"x")
        eventually(lambda: len(pool.ready_workers()) == 4, "all workers are replaced")

    def test_the_zygote_may_die_and_the_pool_goes_on(self):
        with Daemon() as daemon:
            pool = type(self.pool())(daemon.stub, "solo")
            daemon.stub.OpenPool(api.OpenPoolRequest(spec=self.spec("solo", workers=1)))
            workers = {worker.pid for worker in pool.ready_workers()}
            zygotes = [pid for pid in daemon.processes() if pid != daemon.pid and pid not in workers]
            self.assertGreaterEqual(len(zygotes), 1)
            for pid in zygotes:
                os.kill(pid, signal.SIGKILL)
            eventually(lambda: not any(alive(pid) for pid in zygotes), "the zygote is gone")
            pool.run("exit", 1)
            self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_a_stopped_worker_holds_up_only_its_own_task(self):
        pool = self.pool(workers=2)
        id = self.begin(pool)
        busy = [w.pid for w in pool.workers() if w.state == pool_pb2.WORKER_STATE_BUSY]
        os.kill(busy[0], signal.SIGSTOP)
        try:
            for i in range(50):
                self.assertEqual(pool.call("echo", b"x"), b"x")
        finally:
            os.kill(busy[0], signal.SIGCONT)
        self.go_on()
        self.assertEqual(pool.outcome(id).state, SUCCEEDED)


class TimeLimitTest(PoolCase):

    def test_a_task_over_its_run_timeout_is_killed_and_says_so(self):
        pool = self.pool(workers=1, stop_grace={"nanos": 50_000_000})
        outcome = pool.run("ignore_term", 60_000, run_timeout=seconds(0.1))
        self.assertEqual(outcome.state, task_pb2.TASK_STATE_TIMED_OUT)
        self.assertEqual(outcome.death.killed_by, task_pb2.KILLED_BY_TIME_LIMIT)
        self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_a_task_is_asked_first_and_killed_after_the_stop_grace(self):
        pool = self.pool(workers=1, stop_grace=seconds(2))
        begun, heard = self.path("begun"), self.path("heard")
        outcome = pool.run("hear_term", begun, heard, False, run_timeout=seconds(1))
        self.assertEqual((outcome.state, outcome.death.signal, outcome.death.killed_by),
                         (task_pb2.TASK_STATE_TIMED_OUT, signal.SIGKILL, task_pb2.KILLED_BY_TIME_LIMIT))
        self.assertEqual((self.lines("begun"), self.lines("heard")), (["begun"], ["SIGTERM"]))
        took = outcome.ended_at.ToNanoseconds() - outcome.started_at.ToNanoseconds()
        self.assertGreaterEqual(took, 3e9)
        self.assertLess(took, 5e9)

    def test_a_task_that_ends_when_it_is_asked_needs_no_kill(self):
        pool = self.pool(workers=1, stop_grace=seconds(50))
        outcome = pool.run("hear_term", self.path("begun"), self.path("heard"), True, run_timeout=seconds(1))
        self.assertEqual((outcome.state, outcome.death.signal, outcome.death.exit_code, outcome.death.killed_by),
                         (task_pb2.TASK_STATE_TIMED_OUT, 0, 7, task_pb2.KILLED_BY_TIME_LIMIT))

    def test_total_timeout_ends_what_runs_and_what_waits_to_be_tried_again(self):
        pool = self.pool(workers=1, stop_grace=seconds(0.05))
        outcome = pool.run("sleep", 60_000, total_timeout=seconds(0.3))
        self.assertEqual((outcome.state, outcome.death.killed_by),
                         (task_pb2.TASK_STATE_TIMED_OUT, task_pb2.KILLED_BY_TIME_LIMIT))
        outcome = pool.run("flaky", 9, total_timeout=seconds(0.3), max_attempts=9, retry_delay=seconds(60),
                           max_retry_delay=seconds(60), retry_on=[task_pb2.TASK_STATE_FAILED])
        self.assertEqual((outcome.state, outcome.attempt), (task_pb2.TASK_STATE_TIMED_OUT, 1))

    def test_an_item_of_a_map_over_its_run_timeout_is_killed_alone(self):
        pool = self.pool(workers=1, stop_grace=seconds(0.05))
        id = pool.map("sleep", [(60_000 if i == 3 else 1,) for i in range(8)], chunk_size=8, run_timeout=seconds(0.5))
        results = pool.results(id)
        self.assertEqual([i for i in range(8) if results[i] is not None], [3])
        self.assertEqual((results[3].state, results[3].death.killed_by),
                         (task_pb2.TASK_STATE_TIMED_OUT, task_pb2.KILLED_BY_TIME_LIMIT))

    def test_a_task_over_its_queue_timeout_expires_and_never_runs(self):
        pool = self.pool(workers=1)
        blocker = self.begin(pool)
        outcome = pool.run("append", self.path("ran"), "x", queue_timeout=seconds(0.05))
        self.assertEqual((outcome.state, outcome.attempt), (task_pb2.TASK_STATE_EXPIRED, 0))
        pool.cancel(blocker, running=True)
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.assertEqual(self.lines("ran"), [])


if __name__ == "__main__":
    unittest.main()
