"""A real daemon on a private socket, and the contract's own stubs to speak to it. No code of the SDK.

Daemon    starts poold in a folder of its own, waits until it answers, ends it, and checks that nothing is left of it.
PoolCase  a test case whose tests share one daemon; every test opens pools of its own.
PoolProxy a pool as a test wants to speak of it.

Nothing here sleeps for a time: `eventually` waits for a condition. Every call has a deadline, so that a test that would
hang fails instead.
"""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BIN = os.environ.get("POOLD_BIN_DIR", "")
MODULES = os.environ.get("POOLD_MODULE_DIR", "")
PROGRAMS = os.environ.get("POOLD_PROGRAM_DIR", "")
TEST_MODULES = os.environ.get("POOLD_TEST_MODULE_DIR", "")
STUBS = os.environ.get("POOLD_STUB_DIR", "")

sys.path.insert(0, STUBS)
import google  # noqa: E402  a namespace: Debian's protobuf lies in it, and the stubs of google.rpc

google.__path__.append(os.path.join(STUBS, "google"))

import grpc  # noqa: E402
import msgpack  # noqa: E402
from google.protobuf import duration_pb2  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from poold.v1 import map_pb2, payload_pb2, pool_pb2, pool_service_pb2, pool_service_pb2_grpc  # noqa: E402
from poold.v1 import server_info_pb2, session_pb2, task_pb2  # noqa: E402
from processes import alive, cpus, processes_with, state_of  # noqa: E402, F401  tests take them from here

api = pool_service_pb2

# Of each daemon.
SHARDS = int(os.environ.get("POOLD_TEST_SHARDS", "1"))

# The longest that anything here may take before it counts as hanging, in seconds.
PATIENCE = 60

QUEUED, RUNNING = task_pb2.TASK_STATE_QUEUED, task_pb2.TASK_STATE_RUNNING
SUCCEEDED, FAILED = task_pb2.TASK_STATE_SUCCEEDED, task_pb2.TASK_STATE_FAILED
CRASHED, TIMED_OUT = task_pb2.TASK_STATE_CRASHED, task_pb2.TASK_STATE_TIMED_OUT
EXPIRED, CANCELLED = task_pb2.TASK_STATE_EXPIRED, task_pb2.TASK_STATE_CANCELLED


def eventually(condition, what, patience=PATIENCE):
    """Waits until `condition()` is true and returns its value."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"still not true after {patience} s: {what}")
        threading.Event().wait(0.005)


def seconds(value):
    """A Duration."""
    duration = duration_pb2.Duration()
    duration.FromNanoseconds(int(value * 1_000_000_000))
    return duration


def arguments(*values):
    """The arguments of one call: a MessagePack array."""
    return payload_pb2.Payload(encoding=payload_pb2.ENCODING_MSGPACK, data=msgpack.packb(list(values)))


def value_of(payload):
    """The value of a result: of MessagePack, or the raw bytes themselves."""
    return decoded(payload.encoding, payload.data)


def decoded(encoding, data):
    if encoding == payload_pb2.ENCODING_RAW:
        return data
    assert encoding == payload_pb2.ENCODING_MSGPACK, f"unexpected encoding {encoding}"
    return msgpack.unpackb(data, strict_map_key=False)


def details_of(error):
    """The google.rpc details of a failed call, or of a google.rpc.Status, by the name of their type."""
    if isinstance(error, status_pb2.Status):
        status = error
    else:
        status = status_pb2.Status()
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                status.ParseFromString(value)
    known = {
        message.DESCRIPTOR.full_name: message
        for message in (error_details_pb2.ErrorInfo, error_details_pb2.RetryInfo, error_details_pb2.QuotaFailure,
                        error_details_pb2.BadRequest)
    }
    found = {}
    for detail in status.details:
        name = detail.type_url.rsplit("/", 1)[1]
        message = known[name]()
        assert detail.Unpack(message)
        found[name.rsplit(".", 1)[1]] = message
    return found


def reason_of(error):
    """The stable reason of a refusal: ErrorInfo.reason."""
    details = details_of(error)
    assert "ErrorInfo" in details, f"no ErrorInfo in {error}"
    assert details["ErrorInfo"].domain == "poold", details["ErrorInfo"]
    return details["ErrorInfo"].reason


class Stub:
    """The generated stub, with a deadline on every call that has none. Clients that name themselves (metadata
    "poold-client") take turns with others."""

    def __init__(self, channel, name=""):
        self._stub = pool_service_pb2_grpc.PoolServiceStub(channel)
        self._metadata = [("poold-client", name)] if name else None

    def __getattr__(self, name):
        call = getattr(self._stub, name)

        def with_deadline(request, timeout=PATIENCE, **rest):
            return call(request, timeout=timeout, metadata=self._metadata, **rest)

        return with_deadline


class Daemon:
    """poold in a folder of its own. Use as a context manager: leaving it stops the daemon and checks what is left."""

    def __init__(self, *flags, config="", containment="", env=None, start=True):
        self.folder = tempfile.mkdtemp(prefix="poold-test-")
        self.socket = os.path.join(self.folder, "poold.sock")
        self.config_path = os.path.join(self.folder, "poold.toml")
        # Everything that the daemon starts inherits this folder as its TMPDIR: that is how it is found again.
        self.mark = "TMPDIR=" + self.folder
        self.flags = list(flags)
        if SHARDS > 1:
            self.flags += ["--shards", str(SHARDS)]
        self.env = dict(os.environ)
        self.env.pop("NOTIFY_SOCKET", None)
        self.env["TMPDIR"] = self.folder
        self.env.update(env or {})
        self.process = None
        self._channels = []
        self._stub = None
        with open(self.config_path, "w") as file:
            file.write(self.config_text(containment) + config)
        if start:
            self.start()

    def config_text(self, containment=""):
        """The configuration that every test starts from; more tables may follow."""
        folders = ", ".join(f'"{folder}"' for folder in (MODULES, TEST_MODULES) if folder)
        text = f'listen = ["unix:{self.socket}"]\nmodule_folders = [{folders}]\n'
        text += f'program_folders = ["{BIN}", "{PROGRAMS}"]\n'
        if containment:
            text += f'containment = "{containment}"\n'
        return text

    def start(self):
        """Starts it and waits until it answers. Raises if it ends first."""
        self.launch()
        self.wait_until_ready()
        return self

    def launch(self, *flags):
        """Starts it and returns at once."""
        self.log_path = os.path.join(self.folder, "stderr")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([os.path.join(BIN, "poold"), "--config", self.config_path, *self.flags, *flags],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=self.env)
        return self.process

    def wait_until_ready(self):
        self._stub = None

        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"poold ended with {self.process.returncode}:\n{self.log()}")
            if not os.path.exists(self.socket):
                return False
            try:
                self.server_info()
                return True
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                self._stub = None
                return False

        eventually(answers, "poold answers GetServerInfo")

    def server_info(self):
        return self.stub.GetServerInfo(api.GetServerInfoRequest()).server

    def log(self):
        with open(self.log_path, "rb") as file:
            return file.read().decode(errors="replace")

    def channel(self, address=None):
        """A connection of its own, with gRPC's default limits (4 MiB a message)."""
        channel = grpc.insecure_channel(address or f"unix:{self.socket}",
                                        options=[("grpc.use_local_subchannel_pool", 1)])
        self._channels.append(channel)
        return channel

    def another_client(self, address=None, name=""):
        return Stub(self.channel(address), name)

    @property
    def stub(self):
        if self._stub is None:
            self._stub = self.another_client()
        return self._stub

    @property
    def pid(self):
        return self.process.pid

    def processes(self):
        """Everything alive that came from this daemon, itself included."""
        return processes_with(self.mark)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        """Waits for its end and returns its exit code (negative: a signal)."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"poold did not end within {patience} s:\n{self.log()[-4000:]}") from None

    def stop(self):
        """SIGTERM, and a second one to terminate what runs; returns the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                return self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGTERM)
        return self.wait()

    def assert_nothing_left(self, patience=PATIENCE):
        left = {}

        def gone():
            left.clear()
            left.update(self.processes())
            return not left

        try:
            eventually(gone, "no process is left", patience)
        except AssertionError:
            states = "\n".join(state_of(pid) for pid in left)
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"processes outlived poold: {left}\n{states}\n{self.log()[-4000:]}") from None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for channel in self._channels:
            channel.close()
        try:
            if self.process is not None:
                code = self.stop()
                self.process.stdout.close()
                self.assert_nothing_left()
                if kind is None:
                    assert code in (0, -signal.SIGKILL), f"poold ended with {code}:\n{self.log()[-4000:]}"
        finally:
            if kind is not None and self.process is not None:
                print(self.log()[-6000:], file=sys.stderr)
            shutil.rmtree(self.folder, ignore_errors=True)


class PoolProxy:
    """An open pool, by its name."""

    def __init__(self, stub, name):
        self.stub = stub
        self.name = name

    # Submitting.

    def submit(self, function, *args, id=b"", **options):
        """Submits one task and returns its id; a refusal is raised as AssertionError."""
        result = self.try_submit(self.task(function, *args, id=id, **options))
        assert not result.HasField("error"), result.error
        return result.id

    def submit_all(self, tasks):
        """Submits TaskSpecs in one call and returns the ids."""
        results = self.stub.Submit(api.SubmitRequest(pool=self.name, tasks=tasks)).results
        assert not any(result.HasField("error") for result in results), [r.error for r in results if r.HasField("error")]
        return [result.id for result in results]

    def try_submit(self, task):
        return self.stub.Submit(api.SubmitRequest(pool=self.name, tasks=[task])).results[0]

    @staticmethod
    def task(function, *args, id=b"", **options):
        return task_pb2.TaskSpec(function=function, args=arguments(*args), options=task_pb2.TaskOptions(**options), id=id)

    # Getting.

    def get(self, id, wait=PATIENCE):
        return self.stub.Get(api.GetRequest(id=id, wait_timeout=seconds(wait)), timeout=wait + PATIENCE)

    def outcome(self, id):
        """The outcome of a task, which must come."""
        answer = self.get(id)
        assert answer.done, f"not done after {PATIENCE} s: {answer}"
        return answer.task.outcome

    def call(self, function, *args, **options):
        """Submits, waits, and returns the value."""
        outcome = self.outcome(self.submit(function, *args, **options))
        assert outcome.state == SUCCEEDED, outcome
        return value_of(outcome.result)

    def run(self, function, *args, **options):
        """Submits, waits, and returns the outcome."""
        return self.outcome(self.submit(function, *args, **options))

    def state(self, id):
        answer = self.get(id, wait=0)
        return answer.task.state

    def wait_until_running(self, *ids):
        for id in ids:
            eventually(lambda: self.state(id) != QUEUED, "the task runs")

    # Maps.

    def map(self, function, argument_lists, *, id=b"", first_index=0, more=False, chunk_size=None, fail_fast=False,
            **options):
        """Submits a map and returns its id."""
        request = api.MapRequest(pool=self.name, function=function, id=id, first_index=first_index, more=more,
                                 fail_fast=fail_fast, options=task_pb2.TaskOptions(**options),
                                 items=map_pb2.MapItems(items=[msgpack.packb(list(args)) for args in argument_lists],
                                                        encoding=payload_pb2.ENCODING_MSGPACK))
        if chunk_size is not None:
            request.chunk_size = chunk_size
        return self.stub.Map(request).id

    def items(self, id, as_completed=False, first_index=0, stub=None):
        """Yields (index, value or Outcome) for every item, then nothing. Keeps the last MapProgress in self.end."""
        self.end = None
        request = api.GetItemsRequest(id=id, as_completed=as_completed, first_index=first_index)
        for answer in (stub or self.stub).GetItems(request, timeout=2 * PATIENCE):
            for block in answer.outcomes:
                yield from unpacked(block)
            if answer.HasField("end"):
                self.end = answer.end

    def results(self, id, **rest):
        """Every item's value or outcome, in the order in which they were sent, as a list of values."""
        return [value for _, value in self.items(id, **rest)]

    # The pool itself.

    def view(self):
        return self.stub.GetPool(api.GetPoolRequest(name=self.name)).pool

    def workers(self):
        return self.view().workers

    def ready_workers(self):
        """The workers that can run something now."""
        ready = (pool_pb2.WORKER_STATE_IDLE, pool_pb2.WORKER_STATE_BUSY)
        return [worker for worker in self.workers() if worker.state in ready and worker.pid]

    def stats(self):
        return self.stub.GetStats(api.GetStatsRequest(pool=self.name)).pools[self.name]

    def close(self):
        self.stub.Close(api.CloseRequest(pool=self.name))

    def join(self, wait=PATIENCE):
        return self.stub.Join(api.JoinRequest(pool=self.name, wait_timeout=seconds(wait)), timeout=wait + PATIENCE).done

    def terminate(self):
        return self.stub.Terminate(api.TerminateRequest(pool=self.name)).cancelled_tasks

    def cancel(self, *ids, running=False):
        return list(self.stub.Cancel(api.CancelRequest(ids=ids, running=running)).cancelled)

    def release(self, *ids):
        return self.stub.Release(api.ReleaseRequest(ids=ids)).released


def unpacked(block):
    """Yields (index, value or Outcome) of an ItemOutcomes."""
    others = {item.index: item.outcome for item in block.others}
    start = 0
    for offset, size in enumerate(block.result_bytes):
        index = block.first_index + offset
        if index in others:
            yield index, others[index]
        else:
            yield index, decoded(block.encoding, block.results[start:start + size])
        start += size


class Watcher:
    """Collects what Watch tells, on a thread, until it ends."""

    def __init__(self, stub, ids=(), pool="", output=True):
        self.events = []
        self.error = None
        self._call = stub.Watch(api.WatchRequest(ids=ids, pool=pool, output=output), timeout=2 * PATIENCE)
        self._first = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        # The states as they are: from now on nothing is missed.
        if not self._first.wait(PATIENCE):
            raise AssertionError("Watch told nothing")

    def _run(self):
        try:
            for event in self._call:
                self.events.append(event)
                self._first.set()
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.CANCELLED:
                self.error = error
        finally:
            self._first.set()

    def wait_for_end(self):
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise AssertionError(f"Watch did not end; last events: {self.events[-3:]}")
        if self.error is not None:
            raise self.error

    def cancel(self):
        self._call.cancel()

    def output(self, id=None, stream=task_pb2.OUTPUT_STREAM_STDOUT):
        """What one task, or all of them, wrote."""
        return b"".join(event.output.data for event in list(self.events)
                        if event.HasField("output") and event.output.stream == stream and id in (None, event.output.id))


class PoolCase(unittest.TestCase):
    """Tests that share a daemon. Pools that a test opened are terminated when it ends."""

    daemon_flags = ()
    daemon_config = ""
    containment = ""
    maxDiff = 4000
    _names = itertools.count(1)

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(*cls.daemon_flags, config=cls.daemon_config, containment=cls.containment))

    def setUp(self):
        self.stub = self.daemon.stub
        self.folder = tempfile.mkdtemp(prefix="poold-test-files-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        """A path in a folder of this test's own."""
        return os.path.join(self.folder, name)

    def lines(self, name):
        """The lines of a file of this test, none if it is not there."""
        try:
            with open(self.path(name)) as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def spec(self, name=None, workers=2, modules=("testing", "mischief"), **rest):
        name = name or re.sub(r"[^A-Za-z0-9]+", "-", self.id().rsplit(".", 1)[1])[-50:].strip("-") + f"-{next(self._names)}"
        spec = pool_pb2.PoolSpec(name=name, modules=modules, **rest)
        if workers is not None:
            spec.workers = workers
        return spec

    def pool(self, name=None, **rest):
        """Opens a pool for this test."""
        spec = self.spec(name, **rest)
        answer = self.stub.OpenPool(api.OpenPoolRequest(spec=spec))
        pool = PoolProxy(self.stub, spec.name)
        pool.opened = answer
        self.addCleanup(self._terminate, pool)
        return pool

    @staticmethod
    def _terminate(pool):
        try:
            pool.terminate()
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION):
                raise

    def begin(self, pool, **options):
        """Submits a task and returns its id when its function runs, beyond taking back. It ends after `go_on`."""
        begun = self.path(f"begun-{next(self._names)}")
        id = pool.submit("begin_and_wait", begun, self.path("go on"), **options)
        eventually(lambda: os.path.exists(begun), "the task has begun")
        return id

    def go_on(self):
        """Lets all tasks end that `begin` started."""
        open(self.path("go on"), "w").close()

    def assert_refused(self, code, reason, call, *words):
        """The call fails with this code and reason, and its message has these words. Returns the details."""
        with self.assertRaises(grpc.RpcError) as caught:
            answer = call()
            if hasattr(answer, "__next__"):
                next(answer)
        self.assertEqual((caught.exception.code(), reason_of(caught.exception)), (code, reason), caught.exception)
        for word in words:
            self.assertIn(word, caught.exception.details())
        return details_of(caught.exception)

    def assert_task_refused(self, code, reason, result, *words):
        """This one task was refused. Returns the details."""
        self.assertTrue(result.HasField("error"), f"it was accepted: {result}")
        self.assertEqual((result.error.code, reason_of(result.error)), (code.value[0], reason), result.error)
        for word in words:
            self.assertIn(word, result.error.message)
        return details_of(result.error)
