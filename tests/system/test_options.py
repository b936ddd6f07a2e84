"""What is asked of tasks and maps: where it is shown, and what of it reaches the function."""

import unittest

from harness import PoolCase, api


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


if __name__ == "__main__":
    unittest.main()
