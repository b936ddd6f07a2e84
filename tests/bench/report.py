#!/usr/bin/env python3
"""Makes a report of poold-bench's figures: README.md with goals and tables, and a plot of each kind.

Usage: report.py FIGURES FOLDER [MACHINE]     FIGURES: what `poold-bench --json` printed; MACHINE: where and how, in a sentence
"""
import json
import pathlib
import sys

import cores
import goals
import svg
from svg import short as number

HEAD = """# How fast poold is, and where it loses

Made by [`tests/bench/run.sh`](../run.sh) from [figures.jsonl](figures.jsonl): floors, poold and peers in alternating
rounds on one machine. Single figures of shared machines mean little; the goals are ratios of medians. To repeat it:
`tests/bench/run.sh`, or one kind: `poold-bench KIND`.
{machine}

Subjects: **poold-unix**, **poold-tcp**: through the C++ SDK; **poold-grpc**: on the same host, but told to use gRPC for
everything; **poold-sleeps**: as poold-unix, with `spin_us = 0` in place of the default, 50. **poold-unary**: one unary call for each task.
**stream-echo**: a bare gRPC stream that echoes packed batches, the floor of all that goes over gRPC. **socketpair**: two
bare processes that are dealt the same work. **relay**: a bare process that hands each request on to a bare worker, and
its answer back: the wakes of a lone task, and nothing else. **bare-forks**: fork, exit, wait and nothing else. **python-pool**,
**python-executor**: `multiprocessing.Pool` and `ProcessPoolExecutor`, in the process that uses them. **gearmand** with
libgearman, over TCP; **beanstalkd** over its Unix socket and **beanstalkd-tcp**, results through a second tube; **redis**
over TCP, two lists (`LPUSH`, `BRPOP`).
"""
# What a plot shows, by kind: the metric, and how it reads.
PLOTS = {
    "map": ("items_per_s", "Items a second of one map"),
    "submit": ("tasks_per_s", "Single tasks a second"),
    "latency": ("p50_us", "Microseconds of one task at a time, p50 (shorter is better)"),
    "payload": ("mb_per_s", "Megabytes a second, there and back"),
    "cpu": ("items_per_s", "Items a second of computing maps"),
    "skew": ("makespan_s", "Seconds until all is done (shorter is better)"),
    "chunks": ("items_per_s", "Items a second, by how the map is cut"),
    "fresh": ("tasks_per_s", "Tasks a second, a process for each"),
    "queue": ("us_per_task", "Microseconds of a task, by the length of the queue (shorter is better)"),
    "start": ("first_result_ms", "Milliseconds until a new pool has its first result (shorter is better)"),
    "clients": ("tasks_per_s", "Tasks a second, by connections"),
    "scale": ("lone_daemon_us", "Microseconds of the daemon's CPU for a lone task, by what is beside it (shorter is better)"),
}


def goal_rows(figures):
    """(goal, figure or None)"""
    for goal in goals.GOALS:
        try:
            yield goal, goal.measure(figures)
        except (goals.Missing, ZeroDivisionError):
            yield goal, None


def verdict(goal, figure):
    if figure is None:
        return "not measured"
    met = figure >= goal.bound if goal.at_least else figure <= goal.bound
    return "yes" if met else "**no**"


def goal_table(figures):
    rows = ["| kind | goal | wanted | measured | met |", "|---|---|---|---|---|"]
    for goal, figure in goal_rows(figures):
        sign = "≥" if goal.at_least else "≤"
        shown = "–" if figure is None else number(figure)
        rows.append(f"| {goal.bench} | {goal.words} | {sign} {number(goal.bound)} | {shown} | {verdict(goal, figure)} |")
    return rows


def kind_table(lines):
    rows = ["| case | metric | subject | median | least | most |", "|---|---|---|---|---|---|"]
    for line in sorted(lines, key=lambda line: (order_of(lines, line["case"]), line["metric"])):
        figures = " | ".join(number(line[name]) for name in ("median", "min", "max"))
        rows.append(f"| {line['case']} | {line['metric']} | {line['subject']} | {figures} |")
    return rows


def order_of(lines, case):
    return next(index for index, line in enumerate(lines) if line["case"] == case)


def plot(bench, lines):
    """An SVG, or None where there is nothing to draw."""
    metric, title = PLOTS.get(bench, (None, None))
    groups = {}
    for line in lines:
        if line["metric"] == metric:
            groups.setdefault(line["case"], []).append((line["subject"], line["median"], line["min"], line["max"]))
    return svg.bars(f"{title}; logarithmic", list(groups.items())) if groups else None


def losses(figures):
    """Where a goal is missed, in words."""
    lost = [f"- {goal.bench}: {goal.words}: {number(figure)}, wanted {number(goal.bound)}"
            for goal, figure in goal_rows(figures) if verdict(goal, figure) == "**no**"]
    return lost or ["Nowhere, of what was measured."]


def write(lines, folder, machine):
    folder.mkdir(parents=True, exist_ok=True)
    figures = goals.Figures(lines)
    page = [HEAD.format(machine=f"\nMachine: {machine}.\n" if machine else ""), "## Goals", "", *goal_table(figures), "",
            "## Where poold loses", "", *losses(figures), "",
            "Where the time goes there, and what was tried: [limits](../limits.md).", ""]
    for bench in dict.fromkeys(line["bench"] for line in lines):
        of_kind = [line for line in lines if line["bench"] == bench]
        page += [f"## {bench}", ""]
        drawn = plot(bench, of_kind)
        if drawn:
            (folder / f"{bench}.svg").write_text(drawn)
            page += [f"![{PLOTS[bench][1]}]({bench}.svg)", ""]
        page += ["<details><summary>All figures</summary>", "", *kind_table(of_kind), "", "</details>", ""]
    page += cores.section(figures)
    (folder / "README.md").write_text("\n".join(page).rstrip("\n") + "\n")


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    text = pathlib.Path(sys.argv[1]).read_text()
    folder = pathlib.Path(sys.argv[2])
    write([json.loads(line) for line in text.splitlines()], folder, sys.argv[3] if len(sys.argv) == 4 else "")
    (folder / "figures.jsonl").write_text(text)


if __name__ == "__main__":
    main()
