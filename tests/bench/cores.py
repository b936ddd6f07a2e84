"""What more cores would cost, told from what was counted of each task: a section of the report.

Two threads of a shard carry the tasks of clients on its host, and one mutex lies around the core. The one that has the most to do for each
task is the bound, however many cores there are.
"""
import goals
from svg import short

CORES = 64
# The daemon's two threads have cores of their own.
WORKERS = CORES - 2
CASES = {"one at a time": "task", "64 outstanding": "task", f"64 outstanding, {WORKERS} workers": "task",
         "all, then collected": "task", f"all, then collected, {WORKERS} workers": "task", "one map": "item",
         f"one map, {WORKERS} workers": "item"}

HEAD = f"""A shard has two threads that carry the tasks of clients on its host, and one mutex around its core. What each task costs them is in the
table (medians of `poold-bench cost`, with `spin_us = 0`, so that all of it is work): how often the mutex is taken, how often a process slept and had to be woken,
how many system calls read or write, and the microseconds of the local thread and the process thread. The slower of the two
is the bound of the shard, on any number of cores; so on {CORES} cores, {WORKERS} of them with a worker, tasks that
are shorter than in the last column leave workers without work.
"""

FOOT = f"""How to read it: what is submitted many at a time stays cheap with {WORKERS} workers, because it travels together.
A client that keeps only 64 tasks under way over {WORKERS} workers gives each worker one task at a time: then almost every
task wakes its worker and is a write of its own. Lone tasks of one client are bound by their wakes long before any thread
is; those of many clients meet in the daemon and form batches. Times of {WORKERS} workers were taken where they share the
cores of the machine above, which makes them worse than they are; the counts depend on it less.

These are the bounds of one shard. A pool lies in one; with the option `shards` the pools of a daemon are divided among
several, each with a core, a mutex and two threads of its own.
"""

SHARDS_HEAD = """Four pools of one worker, each with a client process of its own that keeps 64 tasks under way, on a daemon of one, two
and four shards (medians of `poold-bench shards`). What the busiest thread of the daemon spends on each task bounds the
rate of all pools together where there are cores enough. Here there are few: the rate tells only what shards cost.
"""
SHARDS = (1, 2, 4)


def shards_section(figures):
    """Lines; none where nothing was measured."""
    rows = []
    for shards in SHARDS:
        case = f"4 pools, shards: {shards}"
        try:
            rate, all_threads, busiest = (figures.median("shards", goals.OURS, case, metric) for metric in (
                "tasks_per_s", "daemon_us_per_task", "busiest_thread_us_per_task"))
        except goals.Missing:
            continue
        rows.append(f"| {shards} | {short(rate)} | {short(all_threads)} | {short(busiest)} | {short(1e6 / busiest)} |")
    if not rows:
        return []
    head = "| shards | tasks a second, here | daemon, us a task | its busiest thread, us a task | bound, a second |"
    return ["", *SHARDS_HEAD.split("\n"), head, "|---" * 5 + "|", *rows, ""]


def column(figures, case, unit, *names):
    """The sum of some figures of one case."""
    return sum(figures.median("cost", goals.OURS, case, f"{name}_per_{unit}") for name in names)


def optional(measure, *arguments):
    try:
        return short(measure(*arguments))
    except goals.Missing:
        return "–"


def row(figures, case, unit):
    def cost(*names):
        return column(figures, case, unit, *names)

    local, process = cost("daemon_client_thread_us"), cost("daemon_process_thread_us")
    slower = max(local, process)
    wakes = " / ".join(short(cost(f"{who}_wakes")) for who in ("client", "daemon", "workers"))
    calls = " / ".join(optional(cost, f"{who}_reads", f"{who}_writes") for who in ("client", "daemon", "workers"))
    bound = f"{short(1e6 / slower)}" if slower > 0 else "–"
    least = max(0.0, WORKERS * slower - cost("workers_us"))
    return (f"| {case} | {short(cost('core_entries'))} | {wakes} | {calls} | {short(local)} | {short(process)} | {bound} | "
            f"{short(least)} us |")


def section(figures):
    """Lines; none where nothing was counted."""
    rows = []
    for case, unit in CASES.items():
        try:
            rows.append(row(figures, case, unit))
        except goals.Missing:
            continue
    if not rows:
        return []
    head = ("| of each task, or item of a map | mutex taken | wakes: client / daemon / workers | reads and writes: the same "
            f"| local thread, us | process thread, us | bound, a second | shortest that keeps {WORKERS} workers busy |")
    return ["## More cores", "", *HEAD.split("\n"), head, "|---" * 8 + "|", *rows, "", *FOOT.split("\n"),
            *shards_section(figures)]
