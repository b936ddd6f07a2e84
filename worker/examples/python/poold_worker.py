"""A worker of poold in Python, and the guide for one in any other language.

    @task
    def add(a, b): return a + b

    main()

It needs the protobuf package only; functions that take or return MessagePack also need msgpack. What goes over the
channel is described in worker.proto, from which protoc makes worker_pb2. This worker is started afresh (a pool with
START_METHOD_SPAWN names it as its program) and has no claim page: it gets one task, or one chunk of a map, at a time.
"""
import inspect
import io
import os
import socket
import struct
import sys
import threading
import time
import traceback

import worker_pb2 as pb
from google.protobuf.message import Message

try:
    import msgpack
except ImportError:
    msgpack = None

HEADER = struct.Struct("<IHHQ")  # message bytes, kind, zero, blob bytes
REPORT_EVERY = 0.05
MOST_TEXT = 64 << 10  # bytes of a failure's message, or traceback
WORKER = os.getpid()

functions = {}  # name -> (function, type of its protobuf argument), in the order of registration


def task(function=None, *, message=None):
    """Registers a function. Its arguments are what the caller encoded: a MessagePack array's elements, one `message`,
    or one bytes object. It returns bytes, a protobuf message, or anything that MessagePack knows."""
    if function is None:
        return lambda function: task(function, message=message)
    functions[function.__name__] = (function, message)
    return function


def in_child():
    """Whether this is a process that a task forked. It never speaks for its parent, nor reads what is its parent's."""
    return os.getpid() != WORKER


def leave_if_child(code):
    """A child that comes back from its task's function ends there: without exit handlers, and without a word."""
    if in_child():
        os._exit(code)


def readable(text, most=MOST_TEXT):
    """As protobuf wants it: UTF-8 without lone surrogates, and not too much of it."""
    data = str.encode(text, "utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    if len(data) <= most:
        return data.decode()
    note = f"... ({len(data)} bytes in all)"
    return data[:most - len(note)].decode(errors="ignore") + note


class Channel:
    """The socket to the daemon. Any thread may send."""

    def __init__(self):
        self.socket = socket.socket(fileno=int(os.environ.pop("POOLD_CHANNEL_FD")))
        self.socket.set_inheritable(False)  # what a task starts must not hold it
        self.lock = threading.Lock()

    def send(self, kind, message, blob=b""):
        data = message.SerializeToString()
        with self.lock:
            self.socket.sendall(HEADER.pack(len(data), kind, 0, len(blob)) + data + blob)

    def receive(self):
        """Kind, message and blob of the next frame. When the daemon is gone, so are we."""
        message_bytes, kind, _, blob_bytes = HEADER.unpack(self._read(HEADER.size))
        return kind, self._read(message_bytes), self._read(blob_bytes)

    def _read(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.socket.recv(min(size - len(data), 1 << 20))
            if not part:
                os._exit(0)
            data += part
        return bytes(data)


class Running:
    """What the functions of this module speak of: the task that runs now."""
    channel = None
    ticket = None  # None: no task runs
    item = 0
    attempt = 1
    options = {}  # that were asked of it and are carried to its function
    report = None  # the latest, not sent
    sent_at = None


def attempt():
    """The number of this run of the task, from 1."""
    return Running.attempt


def option(name):
    """What was asked of the task, by the name in poold.v1.TaskOptions ("traceparent"); "" if that was not given."""
    return Running.options.get(name, "")


def report_progress(fraction, text=""):
    """How far the task is, 0 to 1 (less: not known). The first report is sent, then 20 a second, and the latest."""
    if Running.ticket is None or in_child():
        return
    Running.report = pb.Progress(ticket=Running.ticket, item=Running.item, fraction=fraction, text=readable(text[:200]))
    if Running.sent_at is None or time.monotonic() - Running.sent_at >= REPORT_EVERY:
        send_report()


def send_report():
    if Running.report is not None:
        Running.channel.send(pb.FRAME_KIND_PROGRESS, Running.report)
        Running.report, Running.sent_at = None, time.monotonic()


class Output(io.RawIOBase):
    """What a task prints, in its name; between tasks it goes where it went before."""

    def __init__(self, stream):
        self.stream = stream  # 1 stdout, 2 stderr

    def writable(self):
        return True

    def write(self, data):
        if Running.ticket is None or in_child():
            return os.write(self.stream, data)
        Running.channel.send(pb.FRAME_KIND_OUTPUT, pb.Output(ticket=Running.ticket, stream=self.stream), bytes(data))
        return len(data)


def take_output():
    """From here on what is printed goes through Output."""
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(Output(1)), line_buffering=True)
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(Output(2)), line_buffering=True, errors="backslashreplace")


def flush_output():
    """Whatever a task made of them."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        take_output()


# What goes in comes out: a text that is not UTF-8 keeps its bytes, as those of os.fsdecode do.
TEXTS = {"unicode_errors": "surrogateescape"}


def decode(name, encoding, message, data):
    if encoding == pb.ENCODING_MSGPACK and msgpack:
        try:
            return msgpack.unpackb(data, strict_map_key=False, **TEXTS)
        except Exception as error:
            raise TypeError(f"{name}: arguments that Python has no value for: {error or type(error).__name__}") from error
    if encoding == pb.ENCODING_PROTOBUF and message:
        return [message.FromString(data)]
    if encoding == pb.ENCODING_RAW or not data:
        return [data] if encoding == pb.ENCODING_RAW else []
    raise TypeError(f"{name}: arguments encoded as {pb.Encoding.Name(encoding)} are not for this function")


def encode(value):
    if isinstance(value, (bytes, bytearray)):
        return pb.ENCODING_RAW, bytes(value)
    if isinstance(value, Message):
        return pb.ENCODING_PROTOBUF, value.SerializeToString()
    if msgpack is None:
        raise TypeError("the result is neither bytes nor a protobuf message, and the msgpack package is not installed")
    try:
        return pb.ENCODING_MSGPACK, msgpack.packb(value, **TEXTS)
    except Exception as error:
        raise TypeError(f"a result that MessagePack has no value for: {error or type(error).__name__}") from error


def words(tell, otherwise):
    """What `tell` returns, or `otherwise`: an exception may raise another one when it is asked for its words."""
    try:
        return readable(tell())
    except BaseException:
        return otherwise


def words(tell, otherwise):
    """What `tell` returns, or `otherwise`: an exception may raise another one when it is asked for its words."""
    try:
        return readable(tell())
    except BaseException:
        return otherwise


def failure(error):
    """Called while it is handled. The type is named as Python does; the backtrace is the traceback."""
    return pb.Failure(type=words(lambda: type(error).__qualname__, "an exception"),
                      message=words(lambda: str(error), "its text cannot be told"),
                      backtrace=words(traceback.format_exc, ""))


def run_item(setup, name, function, message, encoding, args):
    """One call, and its OUTCOMES. What it printed and reported goes before."""
    outcome = pb.Outcomes(ticket=[Running.ticket], item=[Running.item])
    begin, result, result_encoding = time.perf_counter_ns(), b"", pb.ENCODING_UNSPECIFIED
    try:
        value = function(*decode(name, encoding, message, args))
        leave_if_child(0)
        result_encoding, result = encode(value)
        if len(result) > (setup.max_result_bytes or 1 << 30):
            raise OverflowError(f"a result of {len(result)} bytes; the limit is {setup.max_result_bytes}")
    except BaseException as error:  # also sys.exit: it ends the task, not the worker
        leave_if_child(1)
        outcome.failed.add(place=0).failure.CopyFrom(failure(error))
        result = b""
    outcome.result_bytes.append(len(result))
    outcome.encoding.append(result_encoding)
    outcome.elapsed_ns.append(time.perf_counter_ns() - begin)
    flush_output()
    send_report()
    Running.sent_at = None
    Running.channel.send(pb.FRAME_KIND_OUTCOMES, outcome, result)


def at(values, place):
    """Of a list that may be left out, which stands for zeros."""
    return values[place] if values else 0


def run_frame(setup, run, blob):
    """The tasks of a RUN frame. A chunk's items lie one behind the other, and end one by one, in order."""
    begin, first_item = 0, 0
    for place, ticket in enumerate(run.ticket):
        name, (function, message) = list(functions.items())[at(run.function, place)]
        items = at(run.items, place)
        sizes = run.item_bytes[first_item:first_item + items] if items else [at(run.args_bytes, place)]
        first_item += items
        Running.attempt = at(run.attempt, place) or 1
        context = at(run.in_context, place)
        Running.options = run.context[context - 1].options if context else {}
        for Running.item, size in enumerate(sizes):
            Running.ticket = ticket
            run_item(setup, name, function, message, at(run.encoding, place), blob[begin:begin + size])
            begin += size
        Running.ticket = None


def describe(name, function, message):
    """What people are told of a function: its parameters, its result, and the first line of its docstring."""
    arguments, result = [], ""
    try:
        signature = inspect.signature(function)
        arguments = [readable(str(each)) for each in signature.parameters.values()]
        if signature.return_annotation is not signature.empty:
            result = readable(inspect.formatannotation(signature.return_annotation))
    except (TypeError, ValueError):  # it is written in C, and does not tell
        pass
    if message:
        arguments = [message.DESCRIPTOR.full_name]
    return pb.Function(name=name, help=words(lambda: inspect.getdoc(function).split("\n")[0], ""), arguments=arguments,
                       result=result)


def start(setup, role):
    """Everything before READY. The name of what fails is told to whoever opened the pool."""
    phase, name = "protocol", "the worker protocol"
    try:
        if setup.protocol_version != 1:
            raise RuntimeError(f"version {setup.protocol_version}, this program speaks 1")
        if role != "worker":
            raise RuntimeError("workers cannot be cloned from this program: open the pool with START_METHOD_SPAWN")
        for phase, name in [("preload", name) for name in setup.preload]:
            functions[name][0]()
        if setup.initializer:
            phase, name = "initializer", setup.initializer
            function, message = functions[name]
            function(*decode(name, setup.initializer_encoding, message, setup.initializer_args))
        leave_if_child(0)
    except BaseException as error:
        leave_if_child(1)
        failed = pb.StartFailed(phase=phase, failure=failure(error))
        failed.failure.message = f"{phase} '{name}': {failed.failure.message}"
        Running.channel.send(pb.FRAME_KIND_START_FAILED, failed)
        os._exit(1)


def main():
    if "POOLD_CHANNEL_FD" not in os.environ:
        sys.exit("This is a worker program of poold: a pool with START_METHOD_SPAWN names it, the daemon starts it.")
    role = os.environ.pop("POOLD_ROLE")
    for name in ("POOLD_PAGE_FD", "POOLD_STDOUT_FD", "POOLD_STDERR_FD"):  # what we do not use, tasks shall not inherit
        if name in os.environ:
            os.close(int(os.environ.pop(name)))
    Running.channel = channel = Channel()
    take_output()
    _, message, _ = channel.receive()
    setup = pb.Setup.FromString(message)
    start(setup, role)
    channel.send(pb.FRAME_KIND_READY, pb.Ready(
        protocol_version=1,
        functions=[describe(name, function, message) for name, (function, message) in functions.items()]))
    while True:
        kind, message, blob = channel.receive()
        if kind == pb.FRAME_KIND_STOP:
            return
        run_frame(setup, pb.Run.FromString(message), blob)
