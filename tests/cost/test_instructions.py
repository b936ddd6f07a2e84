"""What a task costs in instructions, part by part of its way, beside what the committed table says.

Plays the recorded history of task_cost under callgrind. Instructions do not depend on what else the machine does, so
that 10 % more is a change of ours. 10 % less fails, too: a table that is too high would let the next growth pass.
The table is of one build; with another compiler, build type or library the test is skipped.

    ctest -R cost.instructions                        compares
    POOLD_RECORD_COST=1 ctest -R cost.instructions    writes a new table
"""
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

TABLE = pathlib.Path(__file__).resolve().with_name("instructions.json")
PROFILES = pathlib.Path("profiles").resolve()
SKIPPED = 77
# What is counted is the way of 10 000 tasks and more: a tenth of a mutex is still a lock in every tenth of them.
TOLERANCE = 0.1
LEAST_MUTEXES = 0.05
# Parts of one family (their names differ in nothing but their numbers) do the same among few and among many: workers,
# pools or clients that do nothing are free. The dearest one may cost so much more than the cheapest.
FLATNESS = 0.25
RECORDING = """If that is meant to be so, write a new table and commit it with the reason:
    POOLD_RECORD_COST=1 ctest --preset dev -R cost.instructions"""
# The same memcpy on every machine, and no work of the dynamic linker among ours.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM",
               "LD_BIND_NOW": "1", "PATH": os.environ["PATH"]}


def build():
    return f"{os.environ['TASK_COST_BUILD']}, {' '.join(platform.libc_ver())}"


def play():
    """Runs the history; answers its parts, in order: (name, units). Part n's profile is PROFILES/n."""
    shutil.rmtree(PROFILES, ignore_errors=True)
    PROFILES.mkdir()
    # Containers may forbid the call; callgrind's own memory layout is the same every time, too.
    possible = subprocess.run(["setarch", "-R", "true"], stderr=subprocess.DEVNULL).returncode == 0
    fixed = ["setarch", "-R"] if possible else []
    run = subprocess.run([*fixed, "valgrind", "--tool=callgrind", "--collect-atstart=no",
                          f"--callgrind-out-file={PROFILES}/out", os.environ["TASK_COST"]],
                         env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode != 0:
        sys.exit(f"task_cost failed:\n{run.stderr.decode()}")
    return [(part["part"], part["units"]) for part in map(json.loads, run.stdout.splitlines())]


def slug(part):
    return re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")


def take_profile(number, part):
    """The lines of a part's profile, which is kept under its name.

    Without the calls that had begun before: callgrind_annotate takes their cost for main's own.
    """
    raw = (PROFILES / f"out.{number}").read_text()
    if f"desc: Trigger: Client Request: {part}\n" not in raw:
        sys.exit(f"profile {number} is not of the part \"{part}\"")
    clean = re.sub(r"^calls=0 .*\n.*\n", "", raw, flags=re.MULTILINE)
    (PROFILES / slug(part)).write_text(clean)
    return clean.splitlines()


def count_mutexes(lines):
    """How often absl::Mutex::Lock was called."""
    locks, names, called = 0, {}, ""
    for line in lines:
        if match := re.match(r"c?fn=(\(\d+\))(?: (.*))?", line):
            names.setdefault(match[1], match[2])
            called = names[match[1]] or ""
        elif match := re.match(r"calls=(\d+)", line):
            locks += int(match[1]) if re.search(r"\bMutex::Lock\(\)", called) else 0
    return locks


def measure():
    """{part: {"instructions": of a task or item, "mutexes": ...}}"""
    costs = {}
    for number, (part, units) in enumerate(play(), 1):
        lines = take_profile(number, part)
        instructions = next(int(line.split()[1]) for line in lines if line.startswith("totals:"))
        costs[part] = {"instructions": round(instructions / units, 1), "mutexes": round(count_mutexes(lines) / units, 3)}
    return costs


def show(costs, table):
    print(f"{'of a task, or an item':36} {'instructions':>12} {'by the table':>12} {'mutexes':>8}")
    for part, cost in costs.items():
        known = table.get(part, {}).get("instructions", "-")
        print(f"{part:36} {cost['instructions']:12} {known:>12} {cost['mutexes']:8}")


def complaint(part, cost, known):
    """What is wrong with a part, in words; None where nothing is."""
    for what, least in (("instructions", 0), ("mutexes", LEAST_MUTEXES)):
        before, now = known[what], cost[what]
        if abs(now - before) <= max(TOLERANCE * before, least):
            continue
        change = f"{abs(now / before - 1):.0%} " if before else ""
        if now > before:
            return (f"{part}: {now} {what} in place of {before}, {change}more. Where they are:\n"
                    f"    callgrind_annotate --inclusive=no --auto=no {PROFILES / slug(part)}")
        return f"{part}: {now} {what} in place of {before}, {change}less. Lower the table, too, so that it stays."
    return None


def families(costs):
    """The parts whose names differ in nothing but their numbers: [{part: instructions}]"""
    found = {}
    for part, cost in costs.items():
        found.setdefault(re.sub(r"[0-9]+", "#", part), {})[part] = cost["instructions"]
    return [family for family in found.values() if len(family) > 1]


def slope(family):
    """What is wrong with a family, in words; None where its parts cost about the same."""
    least, most = min(family, key=family.get), max(family, key=family.get)
    if family[most] <= (1 + FLATNESS) * family[least]:
        return None
    return (f"{most}: {family[most]} instructions, {family[most] / family[least] - 1:.0%} more than {least} "
            f"({family[least]}): what does nothing has a cost")


def compare(costs, table):
    complaints = [slope(family) for family in families(costs)]
    complaints += [complaint(part, cost, table[part]) for part, cost in costs.items() if part in table]
    complaints += [f"{part}: in the history, but not in the table" for part in costs if part not in table]
    complaints += [f"{part}: in the table, but not in the history" for part in table if part not in costs]
    complaints = [words for words in complaints if words]
    if complaints:
        sys.exit("\n".join(["", *complaints, "", RECORDING]))


def record(costs):
    TABLE.write_text(json.dumps({"build": build(), "parts": costs}, indent=2) + "\n")
    print(f"written: {TABLE}")


def main():
    recording = os.environ.get("POOLD_RECORD_COST")
    known = json.loads(TABLE.read_text()) if TABLE.exists() else {"build": "", "parts": {}}
    if not recording and known["build"] != build():
        print(f"skipped: the table is of another build\n  table: {known['build']}\n  here:  {build()}")
        sys.exit(SKIPPED)
    costs = measure()
    show(costs, known["parts"])
    record(costs) if recording else compare(costs, known["parts"])


if __name__ == "__main__":
    main()
