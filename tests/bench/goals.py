"""What poold wants to reach, each as a ratio of medians of one run.

GOALS: the kind, what is wanted in words, and how it is found: a function of Figures that returns the figure, and the
bound. A goal whose figures were not measured is not shown as met.
"""
import collections

Goal = collections.namedtuple("Goal", "bench words measure bound at_least")
OURS = "poold-unix"


class Missing(Exception):
    """A figure that was not measured."""


class Figures:
    def __init__(self, lines):
        self.lines = lines

    def median(self, bench, subject, case, metric):
        for line in self.lines:
            if (line["bench"], line["subject"], line["case"], line["metric"]) == (bench, subject, case, metric):
                return line["median"]
        raise Missing(f"{bench}: {subject}, {case}, {metric}")

    def best(self, bench, subject, metric, case=lambda name: True, of=max):
        found = [line["median"] for line in self.lines
                 if (line["bench"], line["subject"], line["metric"]) == (bench, subject, metric) and case(line["case"])]
        if not found:
            raise Missing(f"{bench}: {subject}, {metric}")
        return of(found)


def at_least(bench, words, bound, measure):
    return Goal(bench, words, measure, bound, True)


def at_most(bench, words, bound, measure):
    return Goal(bench, words, measure, bound, False)


def ratio(bench, case, metric, other, ours=OURS):
    """Ours by theirs."""
    return lambda f: f.median(bench, ours, case, metric) / f.median(bench, other, case, metric)


def of_best_over_tcp(bench, case, metric, best):
    """Of poold over TCP by the best peer over TCP."""
    return lambda f: (f.median(bench, "poold-tcp", case, metric) /
                      best(f.median(bench, peer, case, metric) for peer in ("redis", "beanstalkd-tcp")))


MAP, BURST, WINDOW, TRIPS = "automatic chunks", "all, then collected", "64 outstanding", "one at a time"
GOALS = [
    at_least("map", "of the bare stream echo of packed batches", 0.5, ratio("map", MAP, "items_per_s", "stream-echo")),
    at_least("map", "times Pool.map with its best chunk size", 1,
             lambda f: f.median("map", OURS, MAP, "items_per_s") / f.best("map", "python-pool", "items_per_s")),
    at_least("map", "times Pool.map as it is (stretch)", 2, ratio("map", MAP, "items_per_s", "python-pool")),
    at_least("submit", "tasks a second, submitted one by one, then collected", 1e6,
             lambda f: f.median("submit", OURS, BURST, "tasks_per_s")),
    at_least("submit", "times Pool.apply_async", 30, ratio("submit", BURST, "tasks_per_s", "python-pool")),
    at_least("submit", "times ProcessPoolExecutor.submit", 60, ratio("submit", BURST, "tasks_per_s", "python-executor")),
    at_least("submit", "times pipelined gearmand", 40, ratio("submit", BURST, "tasks_per_s", "gearmand")),
    at_least("submit", "of the own map", 0.25, lambda f: f.median("submit", OURS, BURST, "tasks_per_s") /
             f.median("map", OURS, MAP, "items_per_s")),
    at_least("submit", "tasks a second with 64 outstanding", 200_000,
             lambda f: f.median("submit", OURS, WINDOW, "tasks_per_s")),
    at_least("submit", "times one unary call for each task, 64 outstanding", 5,
             ratio("submit", WINDOW, "tasks_per_s", "poold-unary")),
    at_most("latency", "p50 by (bare stream echo + bare socketpair)", 1.25,
            lambda f: f.median("latency", OURS, TRIPS, "p50_us") /
            (f.median("latency", "stream-echo", TRIPS, "p50_us") + f.median("latency", "socketpair", TRIPS, "p50_us"))),
    at_most("latency", "p50 by that of the local Pool.apply", 0.8, ratio("latency", TRIPS, "p50_us", "python-pool")),
    at_most("latency", "p50 by that of gearmand", 0.5, ratio("latency", TRIPS, "p50_us", "gearmand")),
    at_most("latency", "p50 by that of ProcessPoolExecutor", 0.5, ratio("latency", TRIPS, "p50_us", "python-executor")),
    at_most("latency", "with spin_us, p50 by that of the local Pool.apply", 0.5,
            ratio("latency", TRIPS, "p50_us", "python-pool")),
    at_most("latency", "over TCP, p50 by that of the best peer there", 1,
            of_best_over_tcp("latency", TRIPS, "p50_us", min)),
    at_most("latency", "p99 by p50", 2.5, lambda f: f.median("latency", OURS, TRIPS, "p99_us") /
            f.median("latency", OURS, TRIPS, "p50_us")),
]

for size in ("1 KiB", "64 KiB", "1 MiB", "64 MiB"):
    GOALS += [
        at_least("payload", f"{size}: of the bare stream echo, best fragments", 0.7,
                 ratio("payload", size, "mb_per_s", "stream-echo")),
        at_least("payload", f"{size}: times Pool", 2, ratio("payload", size, "mb_per_s", "python-pool")),
        at_least("payload", f"{size}: times ProcessPoolExecutor", 2, ratio("payload", size, "mb_per_s", "python-executor")),
        at_least("payload", f"{size}: times beanstalkd", 1, ratio("payload", size, "mb_per_s", "beanstalkd")),
        at_least("payload", f"{size} over TCP: times the best peer there", 1,
                 of_best_over_tcp("payload", size, "mb_per_s", max)),
    ]

for micros, mapped, single in ((10, 0.85, 0.75), (100, 0.95, 0.92), (1000, 0.95, 0.95)):
    def of_bare(shape, metric, micros=micros):
        return lambda f: (f.median("cpu", OURS, f"{micros} us, {shape}", metric) /
                          f.median("cpu", "socketpair", f"{micros} us, map", "items_per_s"))

    GOALS += [
        at_least("cpu", f"{micros} us in a map: of two bare processes", mapped, of_bare("map", "items_per_s")),
        at_least("cpu", f"{micros} us submitted singly: of two bare processes", single, of_bare("tasks", "tasks_per_s")),
    ]

GOALS.append(at_most("skew", "short ones beside a long one, by their time on a worker alone", 1.1,
                     ratio("skew", "one long, others short", "others_s", "socketpair")))
for order in ("random", "sorted", "adversarial"):
    GOALS.append(at_most("skew", f"{order}: makespan by that of the best fixed chunk size", 1.1, lambda f, order=order: (
        f.median("skew", OURS, f"{order}, automatic", "makespan_s") /
        f.best("skew", OURS, "makespan_s", lambda case: case.startswith(f"{order}, chunks"), min))))


def longest(f, what, metric):
    """Of the longest queue that was measured."""
    cases = [line["case"] for line in f.lines if line["bench"] == "queue" and line["case"].endswith(what)]
    if not cases:
        raise Missing("queue")
    return f.median("queue", OURS, max(cases), metric)


def spread(f):
    """How far the CPU time of a task is from the middle, over all lengths."""
    def is_tasks(case):
        return case.endswith("tasks")

    least = f.best("queue", OURS, "cpu_us_per_task", is_tasks, min)
    most = f.best("queue", OURS, "cpu_us_per_task", is_tasks, max)
    return (most - least) / (most + least)


IDLE = "5000 idle connections"
GOALS += [
    at_most("queue", "bytes of daemon memory for a task that waits, beyond its payload", 200,
            lambda f: longest(f, " tasks", "bytes_per_task")),
    at_most("queue", "bytes for an item that waits", 16, lambda f: longest(f, " items", "bytes_per_item")),
    at_most("queue", "the CPU time of a task by the length of the queue: more or less by", 0.2, spread),
    at_most("queue", "seconds to terminate the longest queue", 2, lambda f: longest(f, " tasks", "terminate_s")),
    at_most("start", "ms for a clone of 200 MB of state", 1, lambda f: f.median("start", OURS, "64 clones", "ms_per_clone")),
    at_most("start", "memory of 64 clones by that of the state", 1.2,
            lambda f: f.median("start", OURS, "64 clones", "memory_per_state")),
    at_most("start", "ms to the first result of a new pool", 30,
            lambda f: f.median("start", OURS, "first result of a new pool", "first_result_ms")),
    at_most("start", "ms until the daemon takes connections", 50,
            lambda f: f.median("start", OURS, "the daemon", "startup_ms")),
    *(at_least("clients", f"throughput of {count} connections by that of one", 0.8, lambda f, count=count: (
        f.median("clients", OURS, f"{count} connections", "tasks_per_s") /
        f.median("clients", OURS, "1 connection", "tasks_per_s"))) for count in (10, 100, 1000)),
    at_most("clients", "KB of daemon memory for an idle connection", 60,
            lambda f: f.median("clients", OURS, IDLE, "bytes_per_connection") / 1000),
    at_most("clients", "percent of a core for 5000 idle connections", 0.5,
            lambda f: f.median("clients", OURS, IDLE, "cpu_percent")),
    at_most("clients", "more threads for 100 000 handles that are waited on", 0,
            lambda f: f.median("clients", OURS, "100000 handles waited on", "threads_more")),
    at_most("cost", "percent of a core when idle", 0.1, lambda f: f.median("cost", OURS, "idle", "cpu_percent")),
]

# Flat: what a task costs does not depend on what exists beside it.
for row, first, others in (("workers", 2, (64, 256, 1000)), ("idle pools", 0, (100, 500)), ("idle clients", 1, (100, 1000))):
    for other in others:
        case, words = f"{row}: {other}", f"{row}: {other} beside {first},"
        GOALS += [
            at_most("scale", f"{words} CPU time of the daemon for a lone task", 1.25,
                    lambda f, case=case: f.median("scale", OURS, case, "lone_daemon_us_by_first")),
            at_most("scale", f"{words} p50 of a lone task", 1.25,
                    lambda f, case=case: f.median("scale", OURS, case, "lone_p50_us_by_first")),
            at_least("scale", f"{words} tasks a second", 0.8,
                     lambda f, case=case: f.median("scale", OURS, case, "tasks_per_s_by_first")),
        ]
