"""One of the two pools of Python's standard library, as its users use it.

Arguments: pool or executor, and the number of workers. Reads a job a line (JSON) and answers each with its samples.
"""
import collections
import concurrent.futures
import ctypes
import json
import multiprocessing
import signal
import sys
import time


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def noop(value=None):
    return None


def square(number):
    return number * number


def echo(payload):
    return payload


def spin(micros):
    end = time.perf_counter() + micros / 1e6
    while time.perf_counter() < end:
        pass


def samples(**metrics):
    return [{"metric": name, "value": value} for name, value in metrics.items()]


class Pool:
    """multiprocessing.Pool."""

    def __init__(self, workers):
        self.pool = multiprocessing.Pool(workers, die_with_parent)

    def submit(self, function, *args):
        return self.pool.apply_async(function, args)

    def result(self, handle):
        return handle.get()

    def apply(self, function):
        return self.pool.apply(function)

    def map(self, function, items, chunk):
        return self.pool.map(function, items, chunksize=chunk or None)

    def end(self):
        self.pool.terminate()


class Executor:
    """concurrent.futures.ProcessPoolExecutor."""

    def __init__(self, workers):
        self.workers = workers
        self.pool = concurrent.futures.ProcessPoolExecutor(workers, initializer=die_with_parent)

    def submit(self, function, *args):
        return self.pool.submit(function, *args)

    def result(self, handle):
        return handle.result()

    def apply(self, function):
        return self.pool.submit(function).result()

    # Its default is 1, which nobody would take; so what the other pool takes.
    def map(self, function, items, chunk):
        return list(self.pool.map(function, items, chunksize=chunk or -(-len(items) // (4 * self.workers))))

    def end(self):
        self.pool.shutdown()


def run_map(pool, job):
    numbers = [index % 10_000 for index in range(job["count"])]
    begin = time.perf_counter()
    results = pool.map(square, numbers, job["chunk"])
    took = time.perf_counter() - begin
    assert results == [number * number for number in numbers]
    return samples(items_per_s=job["count"] / took)


def run_window(pool, job):
    handles = collections.deque()
    done = 0
    begin = time.perf_counter()
    for index in range(job["count"]):
        if len(handles) >= job["outstanding"]:
            pool.result(handles.popleft())
            done += 1
        handles.append(pool.submit(noop))
    for handle in handles:
        pool.result(handle)
        done += 1
    took = time.perf_counter() - begin
    assert done == job["count"], done
    return samples(tasks_per_s=done / took)


def run_burst(pool, job):
    return run_window(pool, dict(job, outstanding=job["count"]))


def run_trips(pool, job):
    micros = []
    for _ in range(job["count"]):
        begin = time.perf_counter()
        pool.apply(noop)
        micros.append((time.perf_counter() - begin) * 1e6)
    micros.sort()
    last = len(micros) - 1
    return samples(p50_us=micros[int(last * 0.5 + 0.5)], p99_us=micros[int(last * 0.99 + 0.5)])


def run_echo(pool, job):
    payload = b"p" * job["bytes"]
    handles = collections.deque()
    count = job["count"]
    begin = time.perf_counter()
    for index in range(count):
        if len(handles) >= job["outstanding"]:
            assert len(pool.result(handles.popleft())) == job["bytes"]
        handles.append(pool.submit(echo, payload))
    for handle in handles:
        assert len(pool.result(handle)) == job["bytes"]
    return samples(mb_per_s=count * job["bytes"] / 1e6 / (time.perf_counter() - begin))


def run_spin_map(pool, job):
    begin = time.perf_counter()
    results = pool.map(spin, job["sizes"], job["chunk"])
    took = time.perf_counter() - begin
    assert len(results) == len(job["sizes"])
    return samples(items_per_s=len(results) / took)


def run_fresh(pool, job):
    state = b"x" * job["bytes"]
    with multiprocessing.Pool(job["workers"], die_with_parent, maxtasksperchild=1) as fresh:
        begin = time.perf_counter()
        done = len(fresh.map(noop, range(job["count"]), chunksize=1))
        took = time.perf_counter() - begin
    assert done == job["count"] and state
    return samples(tasks_per_s=done / took)


# A new pool, its first result, its end.
def run_first(pool, job):
    begin = time.perf_counter()
    new = type(pool)(job["workers"])
    new.apply(noop)
    took = time.perf_counter() - begin
    new.end()
    return samples(first_result_ms=took * 1e3)


def main():
    kind, workers = sys.argv[1], int(sys.argv[2])
    # Nothing but the parent shall come to an end with the parent's standard input.
    jobs, answers = sys.stdin, sys.stdout
    pool = {"pool": Pool, "executor": Executor}[kind](workers)
    list(pool.map(noop, range(workers * 4), 1))
    for line in iter(jobs.readline, ""):
        job = json.loads(line)
        job["workers"] = workers
        print(json.dumps(globals()["run_" + job["shape"]](pool, job)), file=answers, flush=True)
    pool.end()


if __name__ == "__main__":
    main()
