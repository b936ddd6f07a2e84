"""Descriptors handed over through the payload socket that are not what they should be, or change afterwards: nothing
that a client does to them faults the daemon or a worker, and they count in full.
"""

import array
import ctypes
import fcntl
import os
import socket
import struct
import unittest
import uuid

from harness import PoolCase, SUCCEEDED, api, value_of
from poold.v1 import payload_pb2, task_pb2
from session_stream import Session, id_of

MEBIBYTE = 1 << 20
PAGE = 4096

OFFER, SHARE = 1, 3
TAKEN, NOT_THIS_WAY, BAD = 1, 2, 3

ADD_SEALS = 1033
SEAL_SHRINK, SEAL_GROW, SEAL_WRITE, SEAL_FUTURE_WRITE = 2, 4, 8, 16
SEALED = SEAL_SHRINK | SEAL_GROW | SEAL_WRITE
MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB = 1, 2, 4

PUNCH_HOLE_AND_KEEP_SIZE = 3

libc = ctypes.CDLL(None, use_errno=True)


def memory(size, seals=SEALED, flags=0, content=b""):
    fd = os.memfd_create("attack", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags)
    os.ftruncate(fd, size)
    if content:
        os.pwrite(fd, content, 0)
    fcntl.fcntl(fd, ADD_SEALS, seals)
    return fd


class DescriptorsTest(PoolCase):

    def setUp(self):
        super().setUp()
        self.good = self.pool(modules=["examples", "testing", "mischief"], workers=1)

    def tearDown(self):
        self.assertIsNone(self.daemon.process.poll(), "the daemon died")
        self.assertEqual(self.good.call("square", 4), 16, "something else was disturbed")

    def connect(self):
        peer = socket.socket(socket.AF_UNIX)
        self.addCleanup(peer.close)
        peer.settimeout(60)
        peer.connect(self.daemon.socket + ".payloads")
        return peer

    def ask(self, what, fd, number, id=bytes(16), peer=None):
        """The status and the number of the answer."""
        peer = peer or self.connect()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        peer.sendmsg([struct.pack("<II16sQ", what, 0, id, number)], rights)
        status, _, answer = struct.unpack("<IIQ", peer.recv(16, socket.MSG_WAITALL))
        return status, answer

    def offer(self, fd, size):
        """The status, and the id of the upload."""
        id = uuid.uuid4().bytes
        status, _ = self.ask(OFFER, fd, size, id)
        os.close(fd)
        return status, id

    def submit_upload(self, id):
        payload = payload_pb2.Payload(encoding=payload_pb2.ENCODING_MSGPACK, upload_id=id)
        return self.good.try_submit(task_pb2.TaskSpec(function="square", args=payload))

    def shared_bytes(self):
        return self.stub.GetStats(api.GetStatsRequest()).shared_memory_bytes

    def test_huge_pages_that_may_not_be_there_are_refused(self):
        try:
            sealed = memory(2 * MEBIBYTE, flags=MFD_HUGETLB)
            arena = memory(2 * MEBIBYTE, SEAL_SHRINK | SEAL_GROW, flags=MFD_HUGETLB)
        except OSError as error:
            self.skipTest(f"no huge pages here: {error}")
        status, id = self.offer(sealed, 2 * MEBIBYTE)
        if status == TAKEN:
            self.submit_upload(id)  # which reads it
        self.assertEqual(status, BAD)
        self.assertEqual(self.ask(SHARE, arena, 2 * MEBIBYTE - PAGE)[0], BAD)
        os.close(arena)

    def test_what_is_no_sealed_memory_is_refused(self):
        path = self.path("file")
        with open(path, "wb") as file:
            file.truncate(MEBIBYTE)
        one, other = socket.socketpair()
        self.addCleanup(other.close)
        for name, fd in {
                "not sealed": memory(MEBIBYTE, 0),
                "may shrink": memory(MEBIBYTE, SEAL_GROW | SEAL_WRITE),
                "may be written by who has it mapped": memory(MEBIBYTE, SEAL_SHRINK | SEAL_GROW | SEAL_FUTURE_WRITE),
                "larger than told": memory(2 * MEBIBYTE),
                "smaller than told": memory(PAGE),
                "a file": os.open(path, os.O_RDWR),
                "a file that was opened by its name alone": os.open(path, os.O_PATH),
                "a file of a tmpfs": os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR),
                "a folder": os.open("/", os.O_RDONLY),
                "a device": os.open("/dev/zero", os.O_RDWR),
                "a socket": one.detach(),
        }.items():
            with self.subTest(name):
                self.assertEqual(self.offer(fd, MEBIBYTE)[0], BAD)

    def test_a_sparse_file_counts_with_its_whole_size(self):
        before = self.shared_bytes()
        limit = self.daemon.server_info().limits.max_shared_memory_bytes
        size = 48 * MEBIBYTE
        taken = []
        while True:
            status, id = self.offer(memory(size), size)
            if status != TAKEN:
                break
            taken.append(id)
            self.assertLessEqual(len(taken), limit // size, "more than there is room for")
        self.assertEqual(status, NOT_THIS_WAY)
        self.assertGreater(len(taken), 1)
        self.assertEqual(self.shared_bytes() - before, len(taken) * size)
        # Zeros are read, which is no array of arguments.
        self.submit_upload(taken.pop())
        self.good.release(*taken)

    def test_what_was_handed_over_cannot_be_made_shorter(self):
        size = MEBIBYTE
        content = b"\x91\x07"
        fd = memory(size, content=content)
        kept = os.dup(fd)
        status, id = self.offer(fd, size)
        self.assertEqual(status, TAKEN)
        for change in (lambda: os.ftruncate(kept, 0), lambda: os.ftruncate(kept, 2 * size),
                       lambda: os.pwrite(kept, b"x", 0)):
            with self.assertRaises(OSError):
                change()
        self.assertNotEqual(libc.fallocate(kept, PUNCH_HOLE_AND_KEEP_SIZE, ctypes.c_long(0), ctypes.c_long(size)), 0)
        os.close(kept)
        self.submit_upload(id)

    def test_holes_in_an_arena_are_zeros(self):
        slot = 256 * PAGE
        fd = memory(slot + PAGE, SEAL_SHRINK | SEAL_GROW)
        peer = self.connect()
        status, arena = self.ask(SHARE, fd, slot, peer=peer)
        self.assertEqual(status, TAKEN)
        os.pwrite(fd, b"\x91\x07", 0)
        os.pwrite(fd, struct.pack("<Q", 1 << 2 | 1), slot + 64)  # its first use: filled
        session = Session(self.daemon)
        high, low = 0xA7E4, uuid.uuid4().int & (2**62 - 1)
        self.assertEqual(libc.fallocate(fd, PUNCH_HOLE_AND_KEEP_SIZE, ctypes.c_long(0), ctypes.c_long(slot)), 0)
        group = session_group(self.good.name, high, low, arena, 64 * PAGE)
        session.send(submit=[group])
        session.read_until(lambda: id_of(high, low) in session.outcomes or id_of(high, low) in session.refused)
        # The whole of it, the page that says who has which slot as well.
        self.assertEqual(libc.fallocate(fd, PUNCH_HOLE_AND_KEEP_SIZE, ctypes.c_long(0), ctypes.c_long(slot + PAGE)), 0)
        self.assertEqual(self.good.call("square", 5), 25)
        session.close()
        os.close(fd)


def session_group(pool, high, low, arena, size):
    from poold.v1 import session_pb2
    return session_pb2.TaskGroup(pool=pool, function="square", id_high=high, first_id_low=low, args_bytes=[size],
                                 encoding=payload_pb2.ENCODING_MSGPACK,
                                 in_arena=payload_pb2.ArenaSlot(arena=arena, slot=0, use=1, bytes=size))


if __name__ == "__main__":
    unittest.main()
