"""A daemon whose stderr nobody reads any more: it serves, lets new clients in, and ends when it is told to."""

import fcntl
import os
import signal
import subprocess
import unittest

from harness import BIN, Daemon, PoolProxy, api, eventually

SET_PIPE_SIZE = 1031


class StoppedReader(Daemon):
    """Its stderr is a pipe, small, that is read only by `read`."""

    def launch(self, *flags):
        self.log_path = os.path.join(self.folder, "stderr")
        open(self.log_path, "w").close()
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, SET_PIPE_SIZE, 4096)
        self.process = subprocess.Popen([os.path.join(BIN, "poold"), "--config", self.config_path, *self.flags, *flags],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=writer, env=self.env)
        os.close(writer)
        return self.process

    def read(self):
        """Everything until its end."""
        with os.fdopen(self.reader, "rb") as pipe:
            return pipe.read().decode()


class StderrStoppedTest(unittest.TestCase):

    def say_much(self, daemon):
        """Far more than the pipe holds: each pool says when it starts, runs, and is gone."""
        for number in range(30):
            name = f"a-pool-with-a-name-that-fills-the-log-quickly-{number}"
            daemon.stub.OpenPool(api.OpenPoolRequest(spec={"name": name, "workers": 1, "modules": ["examples"]}))
            daemon.stub.Terminate(api.TerminateRequest(pool=name))

    def test_it_serves_and_ends_all_the_same(self):
        with StoppedReader() as daemon:
            self.say_much(daemon)
            newcomer = daemon.another_client()
            newcomer.OpenPool(api.OpenPoolRequest(spec={"name": "p", "workers": 1, "modules": ["examples"]}))
            self.assertEqual(PoolProxy(newcomer, "p").call("square", 7), 49)
            self.assertEqual(newcomer.GetStats(api.GetStatsRequest()).dropped_log_lines, 0)
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(), 0)
            daemon.assert_nothing_left()
            os.close(daemon.reader)

    def test_who_reads_again_finds_everything(self):
        with StoppedReader() as daemon:
            self.say_much(daemon)
            text = []
            os.set_blocking(daemon.reader, False)

            def last_line_came():
                try:
                    text.append(os.read(daemon.reader, 65536).decode())
                except BlockingIOError:
                    pass
                return "event=pool_terminated pool=a-pool-with-a-name-that-fills-the-log-quickly-29 " in "".join(text)

            eventually(last_line_came, "the log goes on")
            for number in range(30):
                self.assertIn(f"event=pool_terminated pool=a-pool-with-a-name-that-fills-the-log-quickly-{number} ",
                              "".join(text))
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(), 0)
            self.assertIn("event=stopping", daemon.read())

    def test_a_text_forges_neither_a_line_nor_a_field(self):
        forged = 'x\ntime=2026-01-01T00:00:00.000Z level=info event=forged worker=12 \x1b]0;title\x07 "y" \u202e\x9b'
        with Daemon() as daemon:
            with self.assertRaises(Exception):
                daemon.stub.OpenPool(api.OpenPoolRequest(spec={
                    "name": "p", "workers": 1, "modules": ["testing"], "initializer": "init_fail",
                    "initializer_args": PoolProxy.task("init_fail", forged).args}))
            eventually(lambda: "event=pool_failed" in daemon.log(), "the log tells it")
            with open(daemon.log_path, "rb") as file:
                log = file.read()
        self.assertNotIn(b" worker=12", log)
        self.assertIn(b"worker\\x3d12", log)
        self.assertNotIn(b"\x1b", log)
        self.assertNotIn("\u202e".encode(), log)
        for line in log.splitlines():
            self.assertTrue(line.startswith(b"time="), line)
            self.assertNotIn(b"event=forged", line)


if __name__ == "__main__":
    unittest.main()
