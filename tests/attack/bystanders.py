"""What others feel of an attack: clients that make short trips, and a process that only burns as much time.

Attackers and bystanders are processes of their own. On few CPUs each takes time from the others whatever the daemon
does: so trips are measured beside a process that burns time, then beside the attacker.
"""

import multiprocessing
import os
import resource
import socket
import statistics
import struct
import time

import harness
from harness import arguments, api, session_pb2

PROCESSES = multiprocessing.get_context("spawn")
# A trip shorter than this feels immediate: ratios below it are noise.
SHORTEST = 0.001


class Trips:
    """How long each of many trips took, in seconds."""

    def __init__(self, times):
        self.times = sorted(times)

    @property
    def median(self):
        return self.times[len(self.times) // 2]

    @property
    def p99(self):
        return self.times[len(self.times) * 99 // 100]


ROUNDS = 5
TRIPS = 300


def assert_little_harm(factor, clients, attack, *args):
    """While `attack(stop, *args)` runs in a process beside, trips take less than `factor` times as long as without it,
    in the median and at p99. Measured in turns, so that whatever else the machine does strikes both; the middle of
    the rounds counts."""
    quiet = {name: [] for name in clients}
    attacked = {name: [] for name in clients}
    for _ in range(ROUNDS):
        for beside, trips in ((Beside(burn), quiet), (Beside(attack, *args), attacked)):
            with beside:
                for name, client in clients.items():
                    trips[name].append(client.trips(TRIPS))
    for name in clients:
        for figure in ("median", "p99"):
            before, during = (statistics.median(getattr(round, figure) for round in rounds[name])
                              for rounds in (quiet, attacked))
            print(f"{name}: {figure} {before * 1e6:.0f} us, attacked {during * 1e6:.0f} us")
            assert during < factor * max(before, SHORTEST), f"{name}: {figure} {before:.6f} s, attacked {during:.6f} s"


def timed(trip, count):
    times = []
    for _ in range(count):
        begin = time.monotonic()
        trip()
        times.append(time.monotonic() - begin)
    return Trips(times)


class GrpcClient:
    """A connection of its own through gRPC."""

    def __init__(self, daemon):
        self.stub = daemon.another_client()
        self.trip()

    def trip(self):
        self.stub.GetServerInfo(api.GetServerInfoRequest())

    def trips(self, count):
        return timed(self.trip, count)


class LocalClient:
    """A session through the payload socket: poold/v1/payload_socket.md."""

    def __init__(self, daemon, pool):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(harness.PATIENCE)
        self.socket.connect(daemon.socket + ".payloads")
        self.socket.sendall(struct.pack("<II16sQ", 5, 0, bytes(16), 0))
        status = struct.unpack("<IIQ", self._read(16))[0]
        assert status == 1, f"the session was not taken: {status}"
        self.pool = pool
        self.next = 1
        request = session_pb2.SessionRequest()
        request.hello.client_id = os.urandom(16)
        self._send(request)
        self.trip()

    def _read(self, size):
        data = b""
        while len(data) < size:
            got = self.socket.recv(size - len(data))
            assert got, "the daemon closed the session"
            data += got
        return data

    def _send(self, request):
        data = request.SerializeToString()
        self.socket.sendall(struct.pack("<I", len(data)) + data)

    def trip(self):
        """One task, to its outcome."""
        request = session_pb2.SessionRequest()
        args = arguments(7)
        group = request.submit.add(pool=self.pool, function="square", id_high=77, first_id_low=self.next,
                                   args=args.data, encoding=args.encoding)
        group.args_bytes.append(len(args.data))
        self.next += 1
        self._send(request)
        while not self._came():
            pass

    def _came(self):
        response = session_pb2.SessionResponse()
        response.ParseFromString(self._read(struct.unpack("<I", self._read(4))[0] & 0x7fffffff))
        assert not response.others and not response.refused, response
        return len(response.succeeded) > 0

    def trips(self, count):
        return timed(self.trip, count)

    def close(self):
        self.socket.close()


def burn(stop):
    """What an attacker does that harms nobody in particular."""
    while not stop.is_set():
        pass


def run_beside(begun, target, stop, *args):
    begun.set()
    target(stop, *args)


class Beside:
    """A process that runs `target(stop, *args)` beside what is measured."""

    def __init__(self, target, *args):
        self.stop = PROCESSES.Event()
        self.begun = PROCESSES.Event()
        self.process = PROCESSES.Process(target=run_beside, args=(self.begun, target, self.stop, *args), daemon=True)

    def __enter__(self):
        self.process.start()
        assert self.begun.wait(harness.PATIENCE), "the process beside has not begun"
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.process.join(harness.PATIENCE)
        assert self.process.exitcode == 0, f"the process beside ended with {self.process.exitcode}"


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def raise_descriptor_limit():
    """As many as this process may have."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
