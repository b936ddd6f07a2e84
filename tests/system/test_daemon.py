"""The daemon as its operator sees it: configuration, sockets, signals, exit codes, logs."""

import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import shutil
import time
import unittest

import grpc

from harness import BIN, CANCELLED, MODULES, SUCCEEDED, Daemon, PoolProxy, Stub, api, eventually, reason_of, seconds
from poold.v1 import pool_pb2

POOLD = os.path.join(BIN, "poold")
USAGE, IN_USE, CONFIGURATION = 64, 69, 78
TESTING = '\n[pools.default]\nworkers = 1\nmodules = ["testing"]\n'


def default_pool(daemon, stub=None):
    return PoolProxy(stub or daemon.stub, "default")


class FolderCase(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="poold-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, text, name="poold.toml"):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def run_poold(self, *args, env=None):
        """Runs poold to its end."""
        return subprocess.run([POOLD, *args], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                              env={**os.environ, **(env or {})})


class ConfigurationTest(FolderCase):

    def assert_bad(self, text, *words, code=CONFIGURATION):
        path = self.write(text)
        for flag in ("--check-config", "--print-config", None):
            result = self.run_poold("--config", path, *([flag] if flag else []))
            self.assertEqual(result.returncode, code, result.stderr)
            for word in words:
                self.assertIn(word, result.stderr)
        return result.stderr

    def test_an_unknown_key_is_told_with_file_line_and_the_nearest_known_key(self):
        self.assert_bad('log_level = "info"\n\nmodule_folder = ["/x"]\n', "poold.toml:3", "module_folder", "module_folders")
        self.assert_bad("[limits]\nmax_pols = 3\n", "poold.toml:2", "max_pols", "max_pools")
        self.assert_bad("[pools.default]\n\nworker = 3\n", "poold.toml:3", "worker", "workers")

    def test_an_unknown_table_is_told_with_the_nearest_known_one(self):
        self.assert_bad("[limit]\nmax_pools = 3\n", "poold.toml:1", "limit", "limits")

    def test_a_value_of_the_wrong_type_or_out_of_range_is_told_with_its_line(self):
        self.assert_bad("[limits]\nmax_pools = 'many'\n", "poold.toml:2", "max_pools")
        self.assert_bad("[pools.default]\nworkers = 0\n", "poold.toml:2", "workers")
        self.assert_bad('containment = "prison"\n', "poold.toml:1", "containment", "cgroup")

    def test_what_is_no_toml_is_told_with_its_line(self):
        self.assert_bad("log_level = \n", "poold.toml:1")

    def test_a_configuration_that_is_not_there_is_told(self):
        result = self.run_poold("--config", self.path("none.toml"))
        self.assertEqual(result.returncode, CONFIGURATION)
        self.assertIn("none.toml", result.stderr)

    def test_wrong_flags_are_a_usage_error(self):
        result = self.run_poold("--no-such-flag")
        self.assertEqual(result.returncode, USAGE)
        self.assertIn("--no-such-flag", result.stderr)

    def test_a_module_of_the_configuration_that_is_not_there_is_an_error_of_the_configuration(self):
        path = self.write(f'listen = ["unix:{self.path("s")}"]\nmodule_folders = ["{MODULES}"]\n'
                          '[pools.default]\nmodules = ["no_such_module"]\n')
        result = self.run_poold("--config", path)
        self.assertEqual(result.returncode, CONFIGURATION, result.stderr)
        self.assertIn("no_such_module", result.stderr)

    def test_a_good_configuration_is_checked_without_starting_anything(self):
        path = self.write(f'listen = ["unix:{self.path("s")}"]\n')
        result = self.run_poold("--config", path, "--check-config")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertFalse(os.path.exists(self.path("s")))

    def test_the_printed_configuration_is_a_configuration_with_the_same_effect(self):
        path = self.write(f'listen = ["unix:{self.path("s")}"]\ndrain_limit_seconds = 2.5\n'
                          '[limits]\nmax_pools = 7\n'
                          '[pools.default]\nworkers = 3\nenvironment = { A = "b\\"c" }\n'
                          '[pools.other]\nstart_method = "spawn"\ninitializer = "f"\ninitializer_args = [1, "two", 3.5]\n')
        first = self.run_poold("--config", path, "--print-config")
        self.assertEqual(first.returncode, 0, first.stderr)
        second = self.run_poold("--config", self.write(first.stdout, "again.toml"), "--print-config")
        self.assertEqual(second.stdout, first.stdout)
        self.assertIn("max_pools = 7", first.stdout)
        self.assertIn("drain_limit_seconds = 2.5", first.stdout)

    def test_flags_override_the_file(self):
        path = self.write("[limits]\nmax_pools = 7\n")
        result = self.run_poold("--config", path, "--set", "limits.max_pools = 9", "--workers", "5", "--print-config")
        self.assertIn("max_pools = 9", result.stdout)
        self.assertIn("default_workers = 5", result.stdout)

    def test_help_and_version_are_no_errors(self):
        self.assertRegex(self.run_poold("--version").stdout, r"^poold \d+\.\d+\.\d+")
        self.assertIn("--config", self.run_poold("--help").stdout)


class ListenTest(FolderCase):

    def test_the_socket_is_for_its_owner_alone_in_a_folder_for_its_owner_alone(self):
        with Daemon(config=TESTING, start=False) as daemon:
            daemon.socket = os.path.join(daemon.folder, "made", "poold.sock")
            daemon.flags = ["--listen", f"unix:{daemon.socket}"]
            daemon.start()
            self.assertEqual(stat.S_IMODE(os.stat(daemon.socket).st_mode), 0o600)
            self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(daemon.socket)).st_mode), 0o700)

    @staticmethod
    def free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def test_loopback_tcp_works_beside_the_socket(self):
        port = self.free_port()
        with Daemon(config=TESTING, start=False) as daemon:
            daemon.flags = ["--listen", f"unix:{daemon.socket}", "--listen", f"127.0.0.1:{port}"]
            daemon.start()
            other = daemon.another_client(f"127.0.0.1:{port}")
            self.assertEqual(default_pool(daemon, other).call("echo", b"x"), b"x")
            self.assertEqual(default_pool(daemon).call("echo", b"x"), b"x")

    def test_addresses_that_are_not_loopback_are_refused_with_the_reason(self):
        for address in ("0.0.0.0:7070", "[::]:7070", "192.168.1.1:7070", "example.org:7070"):
            with self.subTest(address=address):
                result = self.run_poold("--listen", address)
                self.assertEqual(result.returncode, CONFIGURATION, result.stderr)
                self.assertIn("loopback", result.stderr)

    def test_a_socket_of_a_live_daemon_is_not_taken(self):
        with Daemon(config=TESTING) as daemon:
            result = self.run_poold("--config", daemon.config_path)
            self.assertEqual(result.returncode, IN_USE, result.stderr)
            self.assertIn(daemon.socket, result.stderr)
            self.assertEqual(default_pool(daemon).call("echo", b"still there"), b"still there")

    def test_a_tcp_port_in_use_is_not_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            result = self.run_poold("--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(result.returncode, IN_USE, result.stderr)

    def test_a_stale_socket_is_replaced(self):
        with Daemon(config=TESTING, start=False) as daemon:
            stale = socket.socket(socket.AF_UNIX)
            stale.bind(daemon.socket)
            stale.close()
            daemon.start()
            self.assertEqual(default_pool(daemon).call("echo", b"x"), b"x")

    def test_a_file_that_is_no_socket_is_not_replaced(self):
        path = self.write("precious", "poold.sock")
        result = self.run_poold("--listen", f"unix:{path}")
        self.assertEqual(result.returncode, IN_USE, result.stderr)
        with open(path) as file:
            self.assertEqual(file.read(), "precious")

    def test_a_socket_path_that_is_too_long_is_told(self):
        result = self.run_poold("--listen", "unix:/" + "x" * 150)
        self.assertIn(result.returncode, (CONFIGURATION, IN_USE), result.stderr)
        self.assertIn("xxx", result.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_another_user_is_refused_even_where_the_files_would_let_it_in(self):
        knock = ("import socket, sys\n"
                 "peer = socket.socket(socket.AF_UNIX)\n"
                 "peer.settimeout(60)\n"
                 "try:\n"
                 "    peer.connect(sys.argv[1])\n"
                 "except PermissionError:\n"
                 "    sys.exit('unreachable')\n"
                 "peer.send(b'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n' + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))\n"
                 "try:\n"
                 "    print('served' if peer.recv(1) else 'refused')\n"
                 "except ConnectionResetError:\n"
                 "    print('refused')\n")
        with Daemon() as daemon:
            os.chmod(daemon.folder, 0o755)
            os.chmod(daemon.socket, 0o666)

            def said_to(**user):
                return subprocess.run([sys.executable, "-c", knock, daemon.socket], capture_output=True, text=True,
                                      timeout=60, cwd="/", **user)

            self.assertEqual(said_to().stdout, "served\n")
            nobody = said_to(user=65534, group=65534, extra_groups=[])
            if "unreachable" in nobody.stderr:
                self.skipTest("the folder of temporary files is closed to others")
            eventually(lambda: "serves that user and root, not the user 65534" in daemon.log(), "the log says so")

    def test_a_daemon_that_ran_out_of_descriptors_accepts_again_when_some_come_free(self):
        with Daemon(config=TESTING) as daemon:
            self.assertEqual(default_pool(daemon).call("echo", b"before"), b"before")
            channels = [daemon.channel() for _ in range(30)]
            for channel in channels:
                Stub(channel).GetServerInfo(api.GetServerInfoRequest())
            used = len(os.listdir(f"/proc/{daemon.pid}/fd"))
            hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)[1]
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (used + 10, hard))
            peers = []

            def exhausted():
                peers.append(socket.socket(socket.AF_UNIX))
                peers[-1].connect(daemon.socket)
                return "accept_paused" in daemon.log()

            eventually(exhausted, "the daemon cannot accept")
            # Who is connected goes on meanwhile.
            self.assertEqual(default_pool(daemon).call("echo", b"meanwhile"), b"meanwhile")
            # A quarter of the descriptors is kept for what exists: more than those of the peers must come free.
            for one in peers + channels:
                one.close()

            def served():
                try:
                    return default_pool(daemon, daemon.another_client()).call("echo", b"after") == b"after"
                except grpc.RpcError as error:
                    self.assertEqual(reason_of(error), "TOO_MANY_CONNECTIONS")
                    return False

            eventually(served, "newcomers are served again")

    def test_the_socket_is_gone_after_the_daemon(self):
        with Daemon(config=TESTING) as daemon:
            self.assertEqual(daemon.stop(), 0)
            self.assertFalse(os.path.exists(daemon.socket))


class SignalTest(FolderCase):

    def test_sigterm_lets_the_work_finish_takes_nothing_new_and_exits_with_0(self):
        with Daemon(config=TESTING) as daemon:
            pool = default_pool(daemon)
            first = pool.submit("await_file", self.path("go on"))
            last = pool.submit("append", self.path("done"), "x")
            pool.wait_until_running(first)
            waiting = daemon.another_client()._stub.Get.future(api.GetRequest(id=last, wait_timeout=seconds(30)), timeout=60)
            daemon.signal(signal.SIGTERM)

            def refused():
                try:
                    result = pool.try_submit(pool.task("echo", b"late"))
                    return result.error if result.HasField("error") else None
                except grpc.RpcError as error:
                    return error

            error = eventually(refused, "new work is refused")
            self.assertIn(reason_of(error), ("SHUTTING_DOWN",))
            self.write("", "go on")
            self.assertEqual(waiting.result().task.state, SUCCEEDED)
            self.assertEqual(daemon.wait(), 0)
            with open(self.path("done")) as file:
                self.assertEqual(file.read(), "x\n")
            daemon.assert_nothing_left()

    def test_a_second_sigterm_terminates(self):
        with Daemon(config=TESTING) as daemon:
            pool = default_pool(daemon)
            id = pool.submit("sleep", 600_000)
            pool.wait_until_running(id)
            waiting = daemon.another_client()._stub.Get.future(api.GetRequest(id=id, wait_timeout=seconds(50)), timeout=60)
            daemon.signal(signal.SIGTERM)
            eventually(lambda: pool.view().state == pool_pb2.POOL_STATE_CLOSING, "it drains")
            daemon.signal(signal.SIGTERM)
            self.assertEqual(waiting.result().task.state, CANCELLED)
            self.assertEqual(daemon.wait(), 0)
            daemon.assert_nothing_left()

    def test_the_drain_limit_ends_the_waiting(self):
        with Daemon(config="drain_limit_seconds = 0.2\n" + TESTING) as daemon:
            pool = default_pool(daemon)
            id = pool.submit("sleep", 600_000)
            pool.wait_until_running(id)
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(30), 0)
            daemon.assert_nothing_left()

    def test_ctrl_c_is_as_good_as_sigterm(self):
        with Daemon(config=TESTING) as daemon:
            daemon.signal(signal.SIGINT)
            self.assertEqual(daemon.wait(), 0)

    def test_ctrl_c_in_its_terminal_does_not_reach_the_workers(self):
        with Daemon(config=TESTING) as daemon:
            worker = eventually(default_pool(daemon).ready_workers, "its pool is ready")[0].pid
            self.assertNotEqual(os.getpgid(worker), os.getpgid(daemon.pid))
            self.assertNotEqual(os.getsid(worker), os.getsid(daemon.pid))

    def test_after_a_restart_handles_are_unknown_and_the_instance_is_another(self):
        with Daemon(config=TESTING) as daemon:
            before = daemon.server_info().instance_id
            id = default_pool(daemon).submit("echo", b"x")
            daemon.stop()
            daemon.start()
            self.assertNotEqual(daemon.server_info().instance_id, before)
            with self.assertRaises(grpc.RpcError) as caught:
                default_pool(daemon).get(id)
            self.assertEqual((caught.exception.code(), reason_of(caught.exception)),
                             (grpc.StatusCode.NOT_FOUND, "HANDLE_NOT_FOUND"))

    def test_after_kill_9_the_daemon_starts_again_at_the_same_socket(self):
        with Daemon(config=TESTING) as daemon:
            daemon.signal(signal.SIGKILL)
            daemon.wait()
            daemon.start()
            self.assertEqual(default_pool(daemon).call("echo", b"x"), b"x")

    def test_a_client_that_goes_away_while_it_waits_disturbs_nothing(self):
        with Daemon(config=TESTING) as daemon:
            pool = default_pool(daemon)
            id = pool.submit("sleep", 300)
            for _ in range(20):
                call = daemon.another_client()._stub.Get.future(api.GetRequest(id=id, wait_timeout=seconds(30)), timeout=60)
                call.cancel()
            self.assertEqual(pool.outcome(id).state, SUCCEEDED)


class ServiceManagerTest(FolderCase):
    """What systemd is told."""

    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(self.path("notify"))
        self.manager.settimeout(30)
        self.addCleanup(self.manager.close)

    def wait_for(self, line):
        while True:
            message = self.manager.recv(4096).decode()
            if line in message.splitlines():
                return message

    def test_ready_comes_when_the_pools_can_be_used_and_stopping_before_the_end(self):
        with Daemon(config=TESTING, env={"NOTIFY_SOCKET": self.path("notify")}, start=False) as daemon:
            daemon.launch()
            self.wait_for("READY=1")
            self.assertEqual(default_pool(daemon).call("echo", b"at once"), b"at once")
            daemon.signal(signal.SIGTERM)
            self.wait_for("STOPPING=1")
            self.assertEqual(daemon.wait(), 0)

    def test_the_watchdog_is_fed(self):
        with Daemon(config=TESTING, env={"NOTIFY_SOCKET": self.path("notify"), "WATCHDOG_USEC": "300000"}):
            self.wait_for("READY=1")
            for _ in range(3):
                self.wait_for("WATCHDOG=1")

    def test_workers_do_not_inherit_the_service_managers_socket(self):
        with Daemon(config=TESTING, env={"NOTIFY_SOCKET": self.path("notify"), "WATCHDOG_USEC": "10000000"}) as daemon:
            env = default_pool(daemon).call("env")
            self.assertNotIn("NOTIFY_SOCKET", env)
            self.assertNotIn("WATCHDOG_USEC", env)


class BehaviourTest(FolderCase):

    def test_logs_are_one_line_an_event_of_keys_and_values(self):
        with Daemon(config=TESTING) as daemon:
            default_pool(daemon).run("exit", 3)
            daemon.stop()
            lines = daemon.log().splitlines()
        self.assertGreater(len(lines), 2)
        for line in lines:
            self.assertRegex(line, r'^([a-z_]+=("([^"\\]|\\.)*"|[^\s"]*))( [a-z_]+=("([^"\\]|\\.)*"|[^\s"]*))*$')
        self.assertTrue(any("event=containment means=" in line for line in lines), lines)

    def test_an_idle_daemon_uses_less_than_a_thousandth_of_a_core(self):
        def cpu_nanoseconds(pid):
            total = 0
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[0])
            return total

        with Daemon(config=TESTING) as daemon:
            pool = default_pool(daemon)
            for _ in range(100):
                pool.call("echo", b"x")
            used = []

            def idle():
                # A window of two seconds; the first ones may still hold the end of the work above.
                start, before = time.monotonic_ns(), cpu_nanoseconds(daemon.pid)
                eventually(lambda: time.monotonic_ns() - start >= 2_000_000_000, "the window is over")
                used.append((cpu_nanoseconds(daemon.pid) - before) / (time.monotonic_ns() - start))
                return used[-1] < 0.001

            eventually(idle, f"idle, it uses less than 0.1 % of a core: {used}", patience=20)

    def test_no_descriptor_and_no_process_is_left_by_a_hundred_pools(self):
        def descriptors():
            return len(os.listdir(f"/proc/{daemon.pid}/fd"))

        def use_a_pool(number):
            daemon.stub.OpenPool(api.OpenPoolRequest(spec=pool_pb2.PoolSpec(name=f"p{number}", workers=2, modules=["testing"])))
            pool = PoolProxy(daemon.stub, f"p{number}")
            pool.call("echo", b"x")
            if number % 3 == 0:
                pool.run("exit", 1)
            if number % 2:
                pool.terminate()
            else:
                pool.close()
                pool.join()

        with Daemon(config=TESTING) as daemon:
            for number in range(5):
                use_a_pool(number)
            before, processes = descriptors(), len(daemon.processes())
            for number in range(5, 105):
                use_a_pool(number)
            eventually(lambda: descriptors() <= before + 2, "descriptors are given back", 10)
            eventually(lambda: len(daemon.processes()) == processes, "processes are gone", 10)

    def test_workers_hold_no_descriptor_of_the_daemon_or_of_each_other(self):
        with Daemon(config=TESTING) as daemon:
            daemon.stub.OpenPool(api.OpenPoolRequest(spec=pool_pb2.PoolSpec(name="p", workers=3, modules=["testing"])))
            workers = PoolProxy(daemon.stub, "p").ready_workers()
            held = [{os.readlink(f"/proc/{worker.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{worker.pid}/fd")
                     if fd.isdigit() and os.path.lexists(f"/proc/{worker.pid}/fd/{fd}")} for worker in workers]
            for own in held:
                self.assertLess(len(own), 15, own)
            sockets = [{name for name in own if name.startswith("socket:")} for own in held]
            self.assertEqual(sockets[0] & sockets[1] & sockets[2], set())
            self.assertTrue(all(len(own) == 1 for own in sockets), sockets)


if __name__ == "__main__":
    unittest.main()
