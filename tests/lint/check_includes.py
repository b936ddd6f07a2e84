#!/usr/bin/env python3
"""Holds the directions of includes: who may see whom, as ARCHITECTURE.md draws it.

Usage: check_includes.py SOURCE_ROOT. Prints each wrong include with file and line; exit status 1 if there is one.
"""
import pathlib
import re
import sys

# The floors of server/, from below; each may include itself and what is listed.
SERVER = {
    "base": set(),
    "core": {"base"},
    "engine": {"base", "core"},
    "config": {"base", "core"},
    "observe": {"base", "core"},
    "process": {"base", "core", "engine"},
    "api": {"base", "core", "engine"},
    "session": {"base", "core", "engine", "api"},
    "transport": {"base", "core", "engine", "api", "session"},
    "daemon": {"base", "core", "engine", "config", "observe", "process", "api", "transport"},
}
# The top floor's files lie in server/ itself.
DAEMON_FILES = {"main.cc", "daemon.h", "daemon.cc", "main_loop.h", "main_loop.cc"}
# What of proto/ each may see. (Generated headers count as poold/v1, poold/internal and google/rpc.)
PROTO = {
    "server/base": {"contract", "wire"},
    "server/core": {"contract", "wire"},
    "server/engine": {"contract", "wire"},
    "server/config": {"contract", "codec", "wire"},
    "server/observe": set(),
    "server/process": {"contract", "wire", "poold/internal"},
    "server/api": {"contract", "wire", "poold/v1", "google/rpc"},
    "server/session": {"contract", "wire", "poold/v1", "google/rpc"},
    "server/transport": {"contract", "wire", "poold/v1", "google/rpc"},
    "server/daemon": {"contract", "wire"},
    "client": {"contract", "wire", "codec", "poold/v1", "google/rpc"},
    "worker": {"contract", "wire", "codec", "poold/internal"},
    "proto": {"contract", "wire", "codec", "poold/internal"},
}
# The core is pure: no gRPC, no protobuf, no system header, no thread, no clock.
IMPURE = re.compile(r"^(sys/|linux/|arpa/|net/|google/|grpc|uv\.h|unistd\.h|fcntl\.h|signal\.h|poll\.h|pthread\.h|"
                    r"thread|mutex|condition_variable|chrono|ctime|time\.h|iostream|fstream|filesystem|"
                    r"absl/synchronization|absl/time|wire/(?!absl_text\.h))")
# Rooms of the core: folders of server/core that link alone. Each sees itself, the words that all of them speak in, and
# the rooms that are listed.
ROOMS = {"map": set(), "outcome": set(), "pool": set(), "subscribe": set(), "scheduler": {"outcome"},
         "task": {"outcome", "scheduler"}}
ROOM_WORDS = {"bytes.h", "dropped.h", "errors.h", "life.h", "node.h", "ports.h", "slab.h", "stepped_vector.h", "steps.h", "timers.h", "types.h", "views.h"}
# Plain structs of pools, workers and what they run, which these rooms work on.
ROOM_STRUCTS = {"scheduler": {"handle.h", "handles.h", "map_run.h", "pool.h", "task.h", "worker.h"},
                "pool": {"handle.h", "map_run.h", "pool.h", "worker.h"},
                "task": {"handle.h", "handles.h", "map_run.h", "pool.h", "task.h", "worker.h"}}
# What a call is made of is known neither to gRPC nor to a socket.
CARRIER = re.compile(r"^(grpc|grpcpp|sys/(socket|epoll|eventfd|un)\b|netinet/|arpa/|wire/(fd_socket|message_socket|payload_message))"
                     r"|\.grpc\.pb\.h$")
CARRIED = {"server/core", "server/engine", "server/api", "server/session"}
# Two transports do not see each other; what they share lies above both.
APART = {"server/transport/grpc": "transport/local/", "server/transport/local": "transport/grpc/"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def house_of(path):
    """The part of the house a file belongs to: "server/core", "client", ..."""
    top, *rest = path.parts
    if top != "server":
        return top
    return "server/daemon" if len(rest) == 1 else "server/" + rest[0]


def target_of(include, house):
    """(house or part of proto) that an include names, or None for what is not ours."""
    head = include.split("/")[0]
    if re.match(r"(poold/v1|poold/internal|google/rpc)/.*\.pb\.h$", include):
        return "proto:" + "/".join(include.split("/")[:2])
    if include.startswith("poold/codec/"):
        return "proto:codec"
    if head in ("contract", "wire"):
        return "proto:" + head
    if include.startswith("poold/worker"):
        return "worker"
    if include.startswith(("poold/client", "poold/mocks")):
        return "client"
    if house.startswith("server/"):
        if include in DAEMON_FILES:
            return "server/daemon"
        if head in SERVER:
            return "server/" + head
    return None


def leaves_room(name, include):
    """Whether a file of a room of the core includes what the room does not see."""
    room = name.parts[2] if len(name.parts) > 3 else None
    if room not in ROOMS or name.parts[:2] != ("server", "core") or not include.startswith("core/"):
        return False
    _, *folder, target = include.split("/")
    return folder[0] not in ROOMS[room] | {room} if folder else target not in ROOM_WORDS | ROOM_STRUCTS.get(room, set())


def complaint(house, folder, include):
    if house == "server/core" and IMPURE.match(include):
        return "the core is pure"
    if house in CARRIED and CARRIER.search(include):
        return f"{house} knows no transport"
    if folder in APART and include.startswith(APART[folder]):
        return f"{folder} does not see {APART[folder]}"
    target = target_of(include, house)
    if target is None or target == house:
        return None
    if target.startswith("proto:"):
        part = target.removeprefix("proto:")
        return None if part in PROTO[house] else f"{house} does not see {part}"
    floor = house.removeprefix("server/")
    if target.startswith("server/") and floor in SERVER and target.removeprefix("server/") in SERVER[floor]:
        return None
    return f"{house} does not see {target}"


def main():
    root = pathlib.Path(sys.argv[1])
    wrong = 0
    for top in ("server", "client", "worker", "proto"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            name = path.relative_to(root)
            house = house_of(name)
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                why = match and complaint(house, name.parent.as_posix(), match.group(2))
                if match and leaves_room(name, match.group(2)):
                    why = f"the room {name.parts[2]} does not see {match.group(2)}"
                if why:
                    print(f"{name}:{number}: {line.strip()}: {why}")
                    wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
