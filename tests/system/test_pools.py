"""Opening pools: everything that a spec can ask for."""

import os
import unittest

import grpc

from harness import SUCCEEDED, CRASHED, PoolCase, api, arguments, cpus, eventually, seconds
from poold.v1 import pool_pb2


class OpenPoolTest(PoolCase):

    daemon_config = '\n[pools.default]\nworkers = 1\nmodules = ["examples"]\n'

    def open(self, spec):
        return self.stub.OpenPool(api.OpenPoolRequest(spec=spec))

    def test_the_default_pool_comes_from_the_configuration(self):
        pools = {pool.spec.name: pool for pool in self.stub.ListPools(api.ListPoolsRequest()).pools}
        self.assertIn("default", pools)
        self.assertEqual(pools["default"].spec.workers, 1)
        results = self.stub.Submit(api.SubmitRequest(
            pool="default", tasks=[{"function": "square", "args": arguments(7)}], wait_timeout=seconds(30)))
        self.assertEqual(results.tasks[0].outcome.result.data, b"\x31")

    def test_a_pool_has_as_many_workers_as_asked_each_a_process_of_its_own(self):
        pool = self.pool(workers=3)
        pids = {worker.pid for worker in pool.ready_workers()}
        self.assertEqual(len(pids), 3)
        self.assertTrue(all(os.path.exists(f"/proc/{pid}") for pid in pids))
        self.assertEqual(pool.opened.pool.state, pool_pb2.POOL_STATE_RUNNING)

    def test_a_pool_without_a_number_of_workers_has_one_for_each_cpu(self):
        pool = self.pool(workers=None)
        self.assertEqual(len(pool.ready_workers()), cpus())

    def test_a_pool_tells_the_functions_of_its_modules(self):
        pool = self.pool(workers=1, modules=["examples", "testing"])
        self.assertLessEqual({"square", "is_prime", "func", "echo", "sleep"}, set(pool.view().functions))

    def test_the_daemon_is_the_parent_of_every_worker_and_no_worker_is_a_thread_of_it(self):
        pool = self.pool(workers=2)
        for worker in pool.ready_workers():
            with open(f"/proc/{worker.pid}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
            self.assertEqual(parent, self.daemon.pid)

    def test_workers_of_a_fork_pool_share_what_the_preload_prepared(self):
        pool = self.pool(workers=2, preload=["prepare"])
        # The preload ran once, in the zygote: its process is the same for all workers, and none of them.
        prepared = {pool.call("prepared_pid") for _ in range(20)}
        self.assertEqual(len(prepared), 1)
        self.assertNotIn(prepared.pop(), {worker.pid for worker in pool.workers()})

    def test_every_worker_of_a_spawn_pool_runs_the_preload_itself(self):
        pool = self.pool(workers=2, preload=["prepare"], start_method=pool_pb2.START_METHOD_SPAWN)
        ids = [pool.submit("sleep", 20) for _ in range(4)] + [pool.submit("prepared_pid") for _ in range(4)]
        pids = {worker.pid for worker in pool.workers()}
        for id in ids:
            self.assertEqual(pool.outcome(id).state, SUCCEEDED)
        self.assertLessEqual({pool.call("prepared_pid") for _ in range(10)}, pids)

    def test_fork_and_spawn_pools_give_the_same_results(self):
        for method in (pool_pb2.START_METHOD_FORK, pool_pb2.START_METHOD_SPAWN):
            with self.subTest(method=method):
                pool = self.pool(workers=2, modules=["examples"], start_method=method)
                self.assertEqual(pool.results(pool.map("square", [(i,) for i in range(100)])),
                                 [i * i for i in range(100)])

    def test_the_initializer_runs_with_its_arguments_in_every_worker(self):
        pool = self.pool(workers=3, initializer="append", initializer_args=arguments(self.path("started"), "hello"))
        self.assertEqual(self.lines("started"), ["hello"] * 3)
        self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_the_initializer_runs_again_in_a_replacement(self):
        pool = self.pool(workers=1, initializer="append", initializer_args=arguments(self.path("started"), "hello"))
        self.assertEqual(pool.run("exit", 3).state, CRASHED)
        self.assertEqual(pool.call("echo", b"x"), b"x")
        self.assertEqual(self.lines("started"), ["hello"] * 2)

    def test_a_worker_is_replaced_after_max_tasks_per_worker(self):
        pool = self.pool(workers=1, max_tasks_per_worker=3)
        pids = [pool.call("ident")["pid"] for _ in range(9)]
        self.assertEqual([pids.count(pid) for pid in dict.fromkeys(pids)], [3, 3, 3])

    def test_max_tasks_per_worker_does_not_lose_work_that_was_sent_ahead(self):
        pool = self.pool(workers=2, max_tasks_per_worker=5)
        ids = pool.submit_all([pool.task("append", self.path("done"), str(i)) for i in range(200)])
        for id in ids:
            self.assertEqual(pool.outcome(id).state, SUCCEEDED)
        self.assertCountEqual(self.lines("done"), [str(i) for i in range(200)])
        self.assertGreaterEqual(pool.stats().workers_started, 40)

    def test_a_chunk_counts_as_one_task_for_max_tasks_per_worker(self):
        pool = self.pool(workers=1, max_tasks_per_worker=2)
        id = pool.map("ident", [()] * 40, chunk_size=10)
        pids = [value["pid"] for value in pool.results(id)]
        # At most two chunks of ten each; fewer where the replacement was ready early and took unbegun items over.
        self.assertEqual(len(pids), 40)
        self.assertLessEqual(max(pids.count(pid) for pid in set(pids)), 20)
        self.assertGreater(max(pids.count(pid) for pid in set(pids)), 2)

    def test_closing_before_all_tasks_ran_does_not_hang_with_max_tasks_per_worker(self):
        pool = self.pool(workers=2, max_tasks_per_worker=1)
        ids = pool.submit_all([pool.task("echo", b"x") for _ in range(50)])
        pool.close()
        self.assertTrue(pool.join())
        self.assertEqual({pool.outcome(id).state for id in ids}, {SUCCEEDED})

    def test_environment_directory_and_nice_reach_the_workers(self):
        pool = self.pool(workers=1, environment={"GREETING": "hello"}, working_directory=self.folder, nice=7)
        self.assertEqual(pool.call("env")["GREETING"], "hello")
        pid = pool.ready_workers()[0].pid
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), self.folder)
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, pid) - os.getpriority(os.PRIO_PROCESS, self.daemon.pid), 7)

    def test_numeric_libraries_divide_the_cpus_among_the_workers(self):
        threads = str(max(1, cpus() // 2))
        env = self.pool(workers=2).call("env")
        self.assertEqual([env[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")],
                         [threads] * 3)
        env = self.pool(workers=2, environment={"OMP_NUM_THREADS": "7"}).call("env")
        self.assertEqual((env["OMP_NUM_THREADS"], env.get("OPENBLAS_NUM_THREADS")), ("7", None))

    def test_opening_a_pool_again_with_the_same_spec_finds_it(self):
        pool = self.pool(workers=1)
        self.assertTrue(pool.opened.created)
        pids = {worker.pid for worker in pool.workers()}
        again = self.stub.OpenPool(api.OpenPoolRequest(spec=self.spec(pool.name, workers=1)))
        self.assertFalse(again.created)
        self.assertEqual({worker.pid for worker in again.pool.workers}, pids)

    def test_opening_a_pool_again_with_another_spec_is_refused(self):
        pool = self.pool(workers=1)
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "POOL_EXISTS",
                            lambda: self.open(self.spec(pool.name, workers=2)), pool.name)
        self.assertEqual(pool.call("echo", b"x"), b"x")

    def test_the_name_of_a_closed_pool_may_be_opened_anew(self):
        pool = self.pool(workers=1)
        pool.close()
        self.assertTrue(pool.join())
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_CLOSED)
        again = self.pool(pool.name, workers=2)
        self.assertTrue(again.opened.created)
        self.assertEqual(again.call("echo", b"x"), b"x")

    def test_the_name_of_a_terminated_pool_may_be_opened_anew(self):
        pool = self.pool(workers=1)
        pool.terminate()
        self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_TERMINATED)
        self.assertEqual(self.pool(pool.name, workers=1).call("echo", b"x"), b"x")

    def test_a_worker_says_what_it_does(self):
        pool = self.pool(workers=1)
        self.assertEqual(pool.workers()[0].state, pool_pb2.WORKER_STATE_IDLE)
        id = pool.submit("sleep", 30_000)
        eventually(lambda: pool.workers()[0].state == pool_pb2.WORKER_STATE_BUSY, "the worker is busy")
        self.assertEqual(pool.workers()[0].function, "sleep")
        self.assertEqual(pool.cancel(id, running=True), [True])

    def test_stats_count_what_ended_by_how(self):
        pool = self.pool(workers=1)
        for _ in range(3):
            pool.call("echo", b"x")
        pool.run("throw", "no")
        pool.run("exit", 1)
        stats = pool.stats()
        self.assertEqual((stats.submitted, stats.succeeded, stats.failed, stats.crashed), (5, 3, 1, 1))
        self.assertEqual((stats.queued, stats.running), (0, 0))
        self.assertEqual(stats.workers_lost, 1)


class PreloadTest(PoolCase):

    def test_a_preload_that_leaves_a_thread_running_is_refused_by_name(self):
        self.assert_refused(
            grpc.StatusCode.FAILED_PRECONDITION, "POOL_FAILED",
            lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=self.spec(preload=["leave_thread"]))), "leave_thread")

    def test_a_preload_that_is_not_registered_is_named(self):
        self.assert_refused(
            grpc.StatusCode.FAILED_PRECONDITION, "POOL_FAILED",
            lambda: self.stub.OpenPool(api.OpenPoolRequest(spec=self.spec(preload=["no_such_preload"]))),
            "no_such_preload")


if __name__ == "__main__":
    unittest.main()
