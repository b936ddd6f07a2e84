#!/usr/bin/env python3
"""Holds the wall clock back: it is shown to people, and nothing waits for it or is decided by it.

Somebody may set it at any time, by an hour or by ten years. Whoever measures or waits uses the monotonic clock. So none
of its names may stand in the sources but in the few files that show it.
Usage: check_clocks.py SOURCE_ROOT. Prints each wrong use with file and line; exit status 1 if there is one.
"""
import pathlib
import re
import sys

# Who shows it, and what for.
SHOWN = {
    "server/base/clock.h",      # base::Clock::WallNow
    "server/base/clock.cc",
    "server/api/convert.h",     # api::WallTime: the core's times as dates
    "client/include/poold/client/duration.h",  # WallTime
    "client/cli/text/state_text.cc",  # ages, dates
    "client/cli/live/top.cc",
}
WALL = re.compile(
    r"system_clock|high_resolution_clock|CLOCK_REALTIME|CLOCK_TAI|WallNow|absl::Now|ToChronoTime|gettimeofday|"
    r"\bftime\b|\btime\((nullptr|NULL|0|&)|\blocaltime|\bgmtime|"
    # Waits of Abseil's mutex are until a moment of the wall clock, also those that are given a length; and these of POSIX.
    # (WaitWithDeadline is of the client's own condition variable, too.)
    r"AwaitWith(Timeout|Deadline)|LockWhenWith|WaitWithTimeout|WaitWithDeadline\(.*absl::|"
    r"pthread_cond_timedwait|pthread_mutex_timedlock|sem_timedwait|mq_timed|timed_mutex")
COMMENT = re.compile(r"//.*$")


def wrong_uses(root):
    for folder in ("server", "client", "worker", "proto"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".h", ".cc", ".c") or path.relative_to(root).as_posix() in SHOWN:
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = WALL.search(COMMENT.sub("", line))
                if found:
                    yield f"{path.relative_to(root)}:{number}: {found.group(0)} is of the wall clock, which may be set"


def main():
    root = pathlib.Path(sys.argv[1])
    missing = [path for path in sorted(SHOWN) if not (root / path).exists()]
    wrong = list(wrong_uses(root)) + [f"{path} is not there: take it off the list" for path in missing]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
