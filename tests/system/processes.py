"""What /proc tells of processes: which of a daemon's are there, whether one lives, what state it is in."""

import os


def processes_with(mark):
    """The live processes (zombies do not count) that carry `mark` in their environment: pid -> command."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                if mark.encode() not in file.read():
                    continue
            with open(f"/proc/{entry}/stat") as file:
                stat = file.read()
        except OSError:
            continue
        name, state = stat[stat.index("(") + 1:stat.rindex(")")], stat[stat.rindex(")") + 2]
        if state not in "ZX":
            found[int(entry)] = name
    return found


def state_of(pid):
    """What the kernel tells of a process that should not be there."""
    told = [f"process {pid}:"]
    for name in ("status", "wchan", "syscall", "stack", "schedstat", "cgroup"):
        try:
            with open(f"/proc/{pid}/{name}") as file:
                told.append(f"{name}: {file.read().strip()}")
        except OSError as error:
            told.append(f"{name}: {error.strerror}")
    return "\n  ".join(told)


def alive(pid):
    """Whether this process lives. A zombie does not, nor one that has given its memory back and only waits until others
    are reaped (as the init of a PID namespace does)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            stat = file.read()
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return stat[stat.rindex(")") + 2] not in "ZX" and file.read() != b""
    except OSError:
        return False


def cpus():
    return len(os.sched_getaffinity(0))
