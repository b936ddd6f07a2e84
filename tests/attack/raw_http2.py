"""HTTP/2 frames written by hand: what a hostile client of gRPC sends, which no library would."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, CONTINUATION = 0, 1, 3, 4, 7, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def field(name, value):
    """A field of HPACK, as it is, not to be indexed. Both are shorter than 127 bytes."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def call_fields(method):
    """The header of a gRPC call: ":method: POST" and ":scheme: http" of the static table, the rest as it is."""
    return (b"\x83\x86" + field(b":path", b"/poold.v1.PoolService/" + method) + field(b":authority", b"localhost") +
            field(b"content-type", b"application/grpc") + field(b"te", b"trailers"))


GET_SERVER_INFO = call_fields(b"GetServerInfo")
CANCEL = struct.pack(">I", 8)


class RawConnection:
    """A connection to a daemon at a Unix socket (a path) or over TCP (host, port)."""

    def __init__(self, address, acknowledges=True):
        self.socket = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(address)
        self.received = b""
        self.send(PREFACE + frame(SETTINGS, 0, 0) + (frame(SETTINGS, ACK, 0) if acknowledges else b""))

    def fileno(self):
        return self.socket.fileno()

    def send(self, data):
        """False: the daemon has cut the connection."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def is_cut(self):
        """Whether the daemon has closed it; what it said is in `received`."""
        self.socket.setblocking(False)
        try:
            while True:
                got = self.socket.recv(65536)
                self.received += got
                if not got:
                    return True
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(30)

    def close(self):
        self.socket.close()


def reset_streams(first, count):
    """Calls that are cancelled as they come."""
    return b"".join(
        frame(HEADERS, END_HEADERS, stream, GET_SERVER_INFO) + frame(RST_STREAM, 0, stream, CANCEL)
        for stream in range(first, first + 2 * count, 2))
