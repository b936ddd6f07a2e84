"""Two thousand random kills while tasks run: nothing hangs, and every handle ends."""

import os
import random
import signal
import threading
import unittest


from harness import CRASHED, SUCCEEDED, Daemon, PoolProxy, api, eventually, seconds
from poold.v1 import pool_pb2, pool_service_pb2

KILLS = int(os.environ.get("POOLD_TEST_KILLS", "2000"))


class StressTest(unittest.TestCase):

    def test_random_kills_cost_only_what_ran_and_every_handle_ends(self):
        seed = int(os.environ.get("POOLD_TEST_SEED", random.randrange(1 << 32)))
        print(f"seed {seed}")
        chance = random.Random(seed)
        with Daemon() as daemon:
            daemon.stub.OpenPool(api.OpenPoolRequest(spec=pool_pb2.PoolSpec(name="stress", workers=4, modules=["testing"])))
            pool = PoolProxy(daemon.stub, "stress")
            enough = threading.Event()
            ids, maps, trouble = [], [], []

            def submit():
                """Keeps the pool busy with short tasks of mixed length, and maps, from a connection of its own."""
                mine = PoolProxy(daemon.another_client(), "stress")
                dice = random.Random(seed + 1)
                try:
                    while not enough.is_set():
                        tasks = [mine.task("spin", 1) if dice.random() < 0.3 else mine.task("echo", b"x")
                                 for _ in range(200)]
                        batch = mine.submit_all(tasks)
                        ids.extend(batch)
                        map_id = mine.map("echo", [(b"x",)] * 300)
                        maps.append(map_id)
                        mine.get(map_id)
                        mine.stub.Wait(api.WaitRequest(ids=batch, mode=pool_service_pb2.WAIT_MODE_ALL_COMPLETED,
                                                       wait_timeout=seconds(60)), timeout=90)
                except Exception as error:  # told by the test below
                    trouble.append(error)
                    enough.set()

            submitter = threading.Thread(target=submit)
            submitter.start()
            killed = set()
            try:
                while pool.stats().workers_lost < KILLS and not trouble:
                    workers = eventually(pool.ready_workers, "some worker is ready")
                    busy = [worker for worker in workers if worker.state == pool_pb2.WORKER_STATE_BUSY] or list(workers)
                    for worker in chance.sample(busy, k=min(len(busy), chance.choice((1, 1, 1, 2, 4)))):
                        try:
                            os.kill(worker.pid, signal.SIGKILL)
                            killed.add(worker.pid)
                        except ProcessLookupError:
                            pass
            finally:
                enough.set()
                submitter.join(120)
            self.assertFalse(submitter.is_alive(), "a submitter hangs")
            self.assertEqual(trouble, [])

            crashed = 0
            for start in range(0, len(ids), 1000):
                part = ids[start:start + 1000]
                answer = daemon.stub.Wait(api.WaitRequest(ids=part, wait_timeout=seconds(60)), timeout=90)
                self.assertEqual(list(answer.not_done), [])
            for id in ids:
                outcome = pool.get(id, wait=0).task.outcome
                self.assertIn(outcome.state, (SUCCEEDED, CRASHED))
                crashed += outcome.state == CRASHED
            for id in maps:
                progress = pool.get(id, wait=0)
                self.assertTrue(progress.done)
                crashed += progress.map.unsuccessful_items
            self.assertLessEqual(crashed, len(killed), "a kill cost more than one task")
            stats = pool.stats()
            self.assertEqual((stats.queued, stats.running), (0, 0))
            self.assertEqual(pool.view().state, pool_pb2.POOL_STATE_RUNNING)
            eventually(lambda: len(pool.ready_workers()) == 4, "all workers are back")
            self.assertEqual(pool.call("echo", b"x"), b"x")
            print(f"{len(killed)} kills, {len(ids)} tasks and {len(maps)} maps, {crashed} crashed")


if __name__ == "__main__":
    unittest.main()
