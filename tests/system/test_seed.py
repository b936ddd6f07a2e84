"""The programs of the seed: what a task prints reaches the client, live and in the seed's order."""

import unittest

from harness import SUCCEEDED, PoolCase, Watcher, eventually


class SeedTest(PoolCase):

    def start(self, pool):
        """Watches a pool as the seed's terminal does."""
        return Watcher(self.daemon.another_client(), pool=pool.name)

    def test_apply_async_prints_as_the_seed_shows_to_the_line(self):
        pool = self.pool(workers=3, modules=["examples"])
        terminal = self.start(pool)
        ids = [pool.submit("func", f"hello {i}", stream_output=True) for i in range(4)]
        # The first three start at once, and are seen to while they still run.
        eventually(lambda: terminal.output().count(b"msg:") == 3, "three tasks print as they start")
        self.assertEqual(terminal.output().count(b"end"), 0)
        pool.close()
        self.assertTrue(pool.join())
        terminal.wait_for_end()
        lines = terminal.output().decode().splitlines()
        self.assertCountEqual(lines[:3], ["msg: hello 0", "msg: hello 1", "msg: hello 2"])
        self.assertIn("end", lines[3:5])
        self.assertIn("msg: hello 3", lines[3:7])
        self.assertEqual(lines.count("end"), 4)
        self.assertEqual((len(lines), lines[-1]), (8, "end"))
        for number, id in enumerate(ids):
            outcome = pool.outcome(id)
            self.assertEqual(outcome.state, SUCCEEDED)
            self.assertEqual(outcome.stdout_tail.decode(), f"msg: hello {number}\nend\n")

    def test_apply_prints_one_task_after_the_other(self):
        pool = self.pool(workers=3, modules=["examples"])
        terminal = self.start(pool)
        for number in range(2):
            pool.run("func", f"hello {number}", stream_output=True)
        pool.close()
        self.assertTrue(pool.join())
        terminal.wait_for_end()
        self.assertEqual(terminal.output().decode().splitlines(), ["msg: hello 0", "end", "msg: hello 1", "end"])

    def test_the_results_that_were_collected_can_be_got_after_close_and_join(self):
        pool = self.pool(workers=3, modules=["examples"])
        results = [pool.submit("square", i) for i in range(4)]
        pool.close()
        self.assertTrue(pool.join())
        self.assertEqual([pool.outcome(id).result.data for id in results], [b"\x00", b"\x01", b"\x04", b"\x09"])


if __name__ == "__main__":
    unittest.main()
