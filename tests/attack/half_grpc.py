"""HTTP/2 spoken by hand: requests that begin and do not end."""

import socket
import struct
import time

DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
INITIAL_WINDOW = 65_535
FRAME = 16_384


def frame(kind, stream, payload=b"", flags=0):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A header that no table knows."""
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def headers_of(method):
    return b"".join(literal(name, value) for name, value in (
        (":method", "POST"), (":scheme", "http"), (":path", f"/poold.v1.PoolService/{method}"), (":authority", "x"),
        ("content-type", "application/grpc"), ("te", "trailers")))


class HalfConnection:
    """One connection. `begin` announces a message of `size` bytes and sends all of it but the last one."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0))
        self.socket.setblocking(False)
        self.window = INITIAL_WINDOW
        self.stream_start = INITIAL_WINDOW
        self.windows = {}
        self.left = {}
        self.received = b""
        self.unsent = b""
        self.open = True
        self.next_stream = 1

    def begin(self, method, size, prefix=b""):
        stream = self.next_stream
        self.next_stream += 2
        body = b"\x00" + struct.pack(">I", size) + prefix
        self.windows[stream] = self.stream_start
        self.left[stream] = (body, 5 + size - len(body) - 1)
        self.unsent += frame(HEADERS, stream, headers_of(method), flags=4)
        return stream

    def push(self):
        """Sends what it may and reads what comes. True: something went on."""
        before = (self.window, sum(rest for _, rest in self.left.values()), len(self.unsent))
        self._read()
        for stream, (body, rest) in list(self.left.items()):
            while self.open and len(self.unsent) < 4 * FRAME and (body or rest):
                room = min(self.window, self.windows[stream], FRAME)
                if room <= 0:
                    break
                part = body[:room]
                zeros = min(room - len(part), rest)
                body, rest = body[len(part):], rest - zeros
                self.unsent += frame(DATA, stream, part + bytes(zeros))
                self.window -= len(part) + zeros
                self.windows[stream] -= len(part) + zeros
            self.left[stream] = (body, rest)
        self._write()
        return self.open and before != (self.window, sum(rest for _, rest in self.left.values()), len(self.unsent))

    def sent(self, stream):
        return self.left[stream] == (b"", 0) and not self.unsent

    def close(self):
        self.socket.close()

    def _write(self):
        try:
            while self.open and self.unsent:
                self.unsent = self.unsent[self.socket.send(self.unsent[:1 << 18]):]
        except BlockingIOError:
            pass
        except OSError:
            self.open = False

    def _read(self):
        try:
            while self.open:
                some = self.socket.recv(1 << 16)
                self.open = bool(some)
                self.received += some
        except BlockingIOError:
            pass
        except OSError:
            self.open = False
        while len(self.received) >= 9:
            length = struct.unpack(">I", b"\x00" + self.received[:3])[0]
            if len(self.received) < 9 + length:
                return
            kind, flags, stream = struct.unpack(">BBI", self.received[3:9])
            payload, self.received = self.received[9:9 + length], self.received[9 + length:]
            self._take(kind, flags, stream, payload)

    def _take(self, kind, flags, stream, payload):
        if kind == WINDOW_UPDATE:
            more = struct.unpack(">I", payload)[0]
            if stream == 0:
                self.window += more
            elif stream in self.windows:
                self.windows[stream] += more
        elif kind == SETTINGS and not flags & 1:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at:at + 6])
                if name == 4:
                    self.windows = {one: window + value - self.stream_start for one, window in self.windows.items()}
                    self.stream_start = value
            self.unsent += frame(SETTINGS, 0, flags=1)
        elif kind == PING and not flags & 1:
            self.unsent += frame(PING, 0, payload, flags=1)


def push_all(connections, patience=20):
    """Until nothing goes on any more for a while."""
    while_pushing(lambda: None, connections, patience)


def while_pushing(check, connections, patience=20):
    """The same, and calls `check` again and again meanwhile, and at the end."""
    end = time.monotonic() + patience
    quiet_since = checked = time.monotonic()
    while time.monotonic() < end and time.monotonic() - quiet_since < 0.5:
        if any([connection.push() for connection in connections]):
            quiet_since = time.monotonic()
        else:
            time.sleep(0.005)
        if time.monotonic() - checked > 0.1:
            check()
            checked = time.monotonic()
    check()
