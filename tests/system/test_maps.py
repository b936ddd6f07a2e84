"""Map and GetItems: one function over many items."""

import itertools
import unittest
import uuid

import grpc

from harness import FAILED, SUCCEEDED, PoolCase, PoolProxy, Stub, eventually


class MapTest(PoolCase):

    def test_a_map_gives_its_results_in_the_order_of_its_items(self):
        pool = self.pool(modules=["examples"])
        id = pool.map("square", [(i,) for i in range(10_000)])
        self.assertEqual(list(pool.items(id)), [(i, i * i) for i in range(10_000)])
        self.assertTrue(pool.end.done)
        self.assertEqual((pool.end.items, pool.end.done_items, pool.end.unsuccessful_items), (10_000, 10_000, 0))

    def test_every_chunk_size_gives_the_same_results(self):
        pool = self.pool(modules=["examples"])
        for chunk in (1, 2, 7, 100, 101, 1_000_000):
            with self.subTest(chunk_size=chunk):
                self.assertEqual(pool.results(pool.map("square", [(i,) for i in range(101)], chunk_size=chunk)),
                                 [i * i for i in range(101)])

    def test_as_completed_brings_each_item_once_and_the_quick_ones_first(self):
        pool = self.pool(workers=2)
        # Also on a busy machine that is more than twenty short ones take.
        id = pool.map("sleep", [(5000,)] + [(1,)] * 20, chunk_size=1)
        order = [index for index, _ in pool.items(id, as_completed=True)]
        self.assertCountEqual(order, range(21))
        self.assertEqual(order[-1], 0)

    def test_in_order_the_quick_ones_wait_for_the_slow_first(self):
        pool = self.pool(workers=2)
        id = pool.map("sleep", [(200,)] + [(1,)] * 10, chunk_size=1)
        self.assertEqual([index for index, _ in pool.items(id)], list(range(11)))

    def test_results_come_while_the_map_still_runs(self):
        pool = self.pool(workers=2)
        id = pool.map("sleep", [(1,), (30_000,)], chunk_size=1)
        self.assertEqual(next(pool.items(id))[0], 0)
        self.assertFalse(pool.get(id, wait=0).done)
        pool.cancel(id, running=True)

    def test_one_bad_item_loses_nothing_else(self):
        pool = self.pool(modules=["examples"])
        items = [(i,) for i in range(100)]
        items[17] = ("not a number",)
        results = pool.results(pool.map("square", items, chunk_size=25))
        self.assertEqual(results[17].state, FAILED)
        self.assertIn("square", results[17].failure.message)
        self.assertEqual(results[:17] + results[18:], [i * i for i in range(100) if i != 17])
        self.assertEqual(pool.end.unsuccessful_items, 1)

    def test_fail_fast_ends_the_map_at_the_first_bad_item(self):
        pool = self.pool(workers=1)
        items = [(self.path("ran"), "good")] * 3 + [("/no/such/folder/file", "bad")] + [(self.path("ran"), "late")] * 2000
        found = dict(pool.items(pool.map("append", items, chunk_size=1, fail_fast=True)))
        self.assertEqual(found[3].state, FAILED)
        # Items without an outcome were cancelled with the map.
        self.assertTrue(pool.end.done)
        self.assertLess(pool.end.done_items, 2004)
        self.assertNotIn(2003, found)
        self.assertEqual(len(self.lines("ran")), len(found) - 1)

    def test_a_map_of_nothing_is_done_at_once(self):
        pool = self.pool()
        id = pool.map("echo", [])
        self.assertEqual(pool.results(id), [])
        answer = pool.get(id, wait=0)
        self.assertTrue(answer.done)
        self.assertEqual((answer.map.items, answer.map.complete), (0, True))

    def test_get_tells_the_progress_of_a_map(self):
        pool = self.pool(workers=1)
        id = pool.map("sleep", [(1,)] * 5 + [(30_000,)], chunk_size=1)
        eventually(lambda: pool.get(id, wait=0).map.done_items == 5, "five items are done")
        progress = pool.get(id, wait=0)
        self.assertFalse(progress.done)
        self.assertEqual((progress.map.items, progress.map.complete, progress.map.function), (6, True, "sleep"))
        pool.cancel(id, running=True)
        self.assertTrue(pool.get(id).done)

    def test_a_map_can_be_sent_in_several_calls(self):
        pool = self.pool(modules=["examples"])
        id = uuid.uuid4().bytes
        for start in range(0, 1000, 100):
            pool.map("square", [(i,) for i in range(start, start + 100)], id=id, first_index=start, more=start < 900)
        self.assertEqual(pool.results(id), [i * i for i in range(1000)])

    def test_items_that_were_sent_already_are_passed_over(self):
        pool = self.pool()
        id = uuid.uuid4().bytes
        send = lambda numbers, **rest: pool.map("append", [(self.path("runs"), str(i)) for i in numbers], id=id, **rest)
        send(range(0, 10), more=True)
        send(range(0, 10), more=True)
        send(range(5, 15), first_index=5, more=True)
        send(range(15, 20), first_index=15)
        self.assertEqual(len(pool.results(id)), 20)
        self.assertCountEqual(self.lines("runs"), [str(i) for i in range(20)])

    def test_results_of_a_map_come_before_the_last_item_was_sent(self):
        pool = self.pool(modules=["examples"])
        id = pool.map("square", [(3,), (4,)], more=True)
        items = pool.items(id)
        self.assertEqual([next(items), next(items)], [(0, 9), (1, 16)])
        self.assertFalse(pool.get(id, wait=0).done)
        pool.map("square", [(5,)], id=id, first_index=2)
        self.assertEqual(list(items), [(2, 25)])

    def test_a_gap_in_the_items_is_refused_and_names_the_field(self):
        pool = self.pool(modules=["examples"])
        id = pool.map("square", [(1,)], more=True)
        details = self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "ITEMS_MISSING",
                                      lambda: pool.map("square", [(1,)], id=id, first_index=7))
        self.assertIn("first_index", details["BadRequest"].field_violations[0].field)
        pool.map("square", [(2,)], id=id, first_index=1)
        self.assertEqual(pool.results(id), [1, 4])

    def test_another_client_can_read_the_items_from_where_the_first_one_stopped(self):
        pool = self.pool(modules=["examples"])
        id = pool.map("square", [(i,) for i in range(1000)])
        list(itertools.islice(pool.items(id), 10))
        rest = list(pool.items(id, first_index=400, stub=self.daemon.another_client()))
        self.assertEqual(rest, [(i, i * i) for i in range(400, 1000)])

    def test_a_client_that_vanishes_in_the_middle_of_a_map_disturbs_nothing(self):
        pool = self.pool(workers=2)
        channel = self.daemon.channel()
        vanishing = PoolProxy(Stub(channel), pool.name)
        id = vanishing.map("sleep", [(2,)] * 300, chunk_size=3)
        items = vanishing.items(id)
        next(items)
        channel.close()
        with self.assertRaises((grpc.RpcError, ValueError, StopIteration)):
            while True:
                next(items)
        self.assertEqual(pool.call("echo", b"others go on"), b"others go on")
        self.assertEqual(len(pool.results(id)), 300)

    def test_a_client_that_vanishes_before_its_map_is_complete_leaves_a_map_that_can_be_cancelled(self):
        pool = self.pool(workers=1)
        channel = self.daemon.channel()
        id = PoolProxy(Stub(channel), pool.name).map("echo", [(b"x",)], more=True)
        channel.close()
        eventually(lambda: pool.get(id, wait=0).map.done_items == 1, "the item is done")
        self.assertEqual(pool.cancel(id), [True])
        self.assertTrue(pool.get(id).done)

    def test_large_results_of_items_do_not_break_plain_clients(self):
        pool = self.pool()
        sizes = [10, 3_000_000, 20, 3_000_000, 1_000_000, 30]
        results = pool.results(pool.map("blob", [(size,) for size in sizes], chunk_size=2))
        for index, (size, result) in enumerate(zip(sizes, results)):
            if isinstance(result, bytes):
                self.assertEqual(len(result), size)
            else:  # did not fit inline
                self.assertEqual(result.state, SUCCEEDED)
                self.assertGreaterEqual(result.result.size_bytes, size)

    def test_a_released_map_is_gone(self):
        pool = self.pool(modules=["examples"])
        id = pool.map("square", [(1,)])
        pool.results(id)
        self.assertEqual(pool.release(id), 1)
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "HANDLE_RELEASED", lambda: pool.get(id))

    def test_another_clients_task_does_not_wait_for_a_whole_map(self):
        pool = self.pool(workers=2)
        map_id = pool.map("sleep", [(5,)] * 400)
        other = PoolProxy(self.daemon.another_client(name="someone else"), pool.name)
        self.assertEqual(other.call("echo", b"not after the map"), b"not after the map")
        self.assertFalse(pool.get(map_id, wait=0).done)
        self.assertEqual(len(pool.results(map_id)), 400)

    def test_chunk_size_zero_is_refused_and_names_the_field(self):
        pool = self.pool()
        details = self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD",
                                      lambda: pool.map("echo", [(b"x",)], chunk_size=0), "chunk_size")
        self.assertIn("chunk_size", details["BadRequest"].field_violations[0].field)
        self.assertEqual(pool.results(pool.map("echo", [(b"x",)], chunk_size=1)), [b"x"])


if __name__ == "__main__":
    unittest.main()
