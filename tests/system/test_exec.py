"""The built-in function exec, and tasks that start programs: also such that are clients of pools themselves."""

import os
import signal
import unittest

import harness
from harness import (CANCELLED, FAILED, SUCCEEDED, TIMED_OUT, PoolCase, Watcher, alive, eventually, seconds,
                     value_of)


class ExecTest(PoolCase):

    daemon_config = "allow_exec = true\n"

    def shells(self, **rest):
        return self.pool(allow_exec=True, **rest)

    def pid_in(self, name):
        eventually(lambda: self.lines(name), "the program runs")
        return int(self.lines(name)[0])

    def test_any_program_is_a_task(self):
        ended = self.shells().call("exec", ["tr", "a-z", "A-Z"], b"hello", None, "/tmp")
        self.assertEqual(ended, {"exit_status": 0, "signal": 0, "stdout": b"HELLO", "stderr": b""})

    def test_a_map_of_exec_is_a_networked_xargs(self):
        pool = self.shells()
        results = pool.results(pool.map("exec", [(["expr", str(i), "+", "1"],) for i in range(20)]))
        self.assertEqual([result["stdout"] for result in results], [b"%d\n" % (i + 1) for i in range(20)])

    def test_what_it_prints_is_seen_while_it_runs(self):
        pool = self.shells(workers=1)
        watcher = Watcher(self.daemon.another_client(), pool=pool.name)
        wait = f"echo now; while ! test -e '{self.path('go on')}'; do sleep 0.01; done; echo end"
        id = pool.submit("exec", ["sh", "-c", wait], stream_output=True)
        eventually(lambda: watcher.output(id) == b"now\n", "the line is seen")
        self.go_on()
        outcome = pool.outcome(id)
        self.assertEqual(value_of(outcome.result)["stdout"], b"now\nend\n")
        watcher.cancel()

    def test_a_program_that_cannot_be_started_is_a_failure(self):
        outcome = self.shells().run("exec", ["no-such-program"])
        self.assertEqual((outcome.state, outcome.failure.type), (FAILED, "poold.ExecError"))
        self.assertIn("cannot start 'no-such-program': No such file or directory", outcome.failure.message)

    def test_cancel_kills_the_program_and_what_it_started(self):
        pool = self.shells(workers=1, stop_grace=seconds(0))
        script = f"setsid sleep 1000 & echo $! > {self.path('child')}; echo $$ > {self.path('program')}; wait"
        id = pool.submit("exec", ["sh", "-c", script])
        pids = [self.pid_in(name) for name in ("program", "child")]
        self.assertEqual(pool.cancel(id, running=True), [True])
        self.assertEqual(pool.outcome(id).state, CANCELLED)
        for pid in pids:
            eventually(lambda: not alive(pid), "the program is gone")

    def test_a_time_limit_kills_the_program(self):
        pool = self.shells(workers=1, stop_grace=seconds(0))
        outcome = pool.run("exec", ["sh", "-c", f"echo $$ > {self.path('program')}; sleep 1000"],
                           run_timeout=seconds(0.5))
        self.assertEqual(outcome.state, TIMED_OUT)
        pid = self.pid_in("program")
        eventually(lambda: not alive(pid), "the program is gone")

    def test_a_pool_that_does_not_allow_it_has_no_such_function(self):
        pool = self.pool()
        refused = pool.try_submit(pool.task("exec", ["true"]))
        self.assertTrue(refused.HasField("error"), refused)
        self.assertIn("exec", refused.error.message)

    def test_a_task_may_be_a_client_that_opens_pools_of_its_own(self):
        outer = self.shells(workers=1)
        script = ("from harness import *\n"
                  f"stub = Stub(grpc.insecure_channel('unix:{self.daemon.socket}'))\n"
                  "spec = pool_pb2.PoolSpec(name='inner', modules=['examples'], workers=1)\n"
                  "stub.OpenPool(api.OpenPoolRequest(spec=spec))\n"
                  "pool = PoolProxy(stub, 'inner')\n"
                  "print(pool.results(pool.map('square', [(i,) for i in range(4)])))\n"
                  "pool.close()\n"
                  "print(pool.join())\n")
        environment = {"POOLD_STUB_DIR": harness.STUBS, "PYTHONPATH": os.path.dirname(harness.__file__),
                       "PYTHONDONTWRITEBYTECODE": "1"}
        ended = outer.call("exec", ["/usr/bin/python3", "-c", script], None, environment)
        self.assertEqual((ended["stdout"], ended["exit_status"]), (b"[0, 1, 4, 9]\nTrue\n", 0), ended["stderr"])

    def test_a_task_is_told_its_daemon_and_that_nobody_is_left_to_run_what_it_waits_for(self):
        outer = self.shells(workers=1)
        script = ("import os\n"
                  "from harness import *\n"
                  "stub = pool_service_pb2_grpc.PoolServiceStub(grpc.insecure_channel(os.environ['POOLD_ADDRESS']))\n"
                  "me = [('poold-worker', os.environ['POOLD_WORKER'])]\n"
                  f"pool = PoolProxy(stub, {outer.name!r})\n"
                  "child = pool.submit('exec', ['true'])\n"
                  "try:\n"
                  "    stub.Get(api.GetRequest(id=child, wait_timeout=seconds(60)), metadata=me)\n"
                  "except grpc.RpcError as error:\n"
                  "    print(error.code().name, reason_of(error))\n"
                  "print(child.hex())\n")
        environment = {"POOLD_STUB_DIR": harness.STUBS, "PYTHONPATH": os.path.dirname(harness.__file__),
                       "PYTHONDONTWRITEBYTECODE": "1"}
        ended = outer.call("exec", ["/usr/bin/python3", "-c", script], None, environment)
        said = ended["stdout"].decode().split()
        self.assertEqual(said[:2], ["FAILED_PRECONDITION", "WOULD_DEADLOCK"], ended["stderr"])
        self.assertEqual(outer.outcome(bytes.fromhex(said[2])).state, SUCCEEDED)

    def test_the_sdk_in_a_task_is_told_too(self):
        outer = self.shells(workers=1, modules=["examples"])
        ended = outer.call("exec", [os.path.join(harness.BIN, "poolctl"), "submit", "exec", "--pool", outer.name, "--", "true"])
        self.assertNotEqual(ended["exit_status"], 0, ended)
        self.assertIn(b"would wait for ever", ended["stderr"])
        poolctl = os.path.join(harness.BIN, "poolctl")
        ended = outer.call("exec", ["sh", "-c", f"seq 3 | {poolctl} map square --pool {outer.name}"])
        self.assertNotEqual(ended["exit_status"], 0, ended)
        self.assertIn(b"would wait for ever", ended["stderr"])
        wide = self.shells(workers=2)
        ended = wide.call("exec", [os.path.join(harness.BIN, "poolctl"), "submit", "-r", "exec", "--pool", wide.name, "--", "echo", "hello"])
        self.assertEqual((ended["stdout"], ended["exit_status"]), (b"hello\n", 0), ended)

    def test_a_task_may_start_processes(self):
        ended = self.shells().call("exec", ["sh", "-c", "(echo child) & wait; kill -TERM $$"])
        self.assertEqual((ended["stdout"], ended["signal"]), (b"child\n", signal.SIGTERM))


if __name__ == "__main__":
    unittest.main()
