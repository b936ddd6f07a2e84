#!/usr/bin/env python3
"""Measures how the code is divided: files, lines, comments, the largest scopes, and how far an option spreads.

Usage: measure_house.py [SOURCE_ROOT [OPTION...]]

An OPTION is the name of a field of the contract (default: max_attempts queue_timeout); the files by hand that name it are counted.
Prints one figure a line. Compare two commits: git worktree add OTHER COMMIT, and run it on both.
"""
import collections
import pathlib
import re
import statistics
import sys

PRODUCTION = ("server", "client", "worker", "proto")
DEFINITION = re.compile(r"^[A-Za-z_][\w:<>,&*\s\[\]]*?\b((?:[A-Z]\w*::)+)~?\w+\(", re.MULTILINE)
COMMENT = re.compile(r"^\s*//")
OPTIONS = ("max_attempts", "queue_timeout")
# Where people write an option down: not what a machine writes, and not what tests it.
WRITTEN = {".h", ".cc", ".proto", ".md", ".toml", ".5", ".1", ".txt"}


def code_files(root):
    for top in PRODUCTION:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield path


def share(part, whole):
    return f"{100 * part / max(whole, 1):.0f} %"


def camel(option):
    return "".join(word.capitalize() for word in option.split("_"))


def spread(root, option):
    """The files by hand, tests left out, in which `option` or its name in C++ or on the command line stands."""
    words = re.compile(rf"\b(?:\w*_)?{option}\b|{option.replace('_', '-')}\b|{camel(option)}\b")
    return sorted(path.relative_to(root) for top in (*PRODUCTION, "deploy") for path in (root / top).rglob("*")
                  if path.suffix in WRITTEN and path.is_file() and words.search(path.read_text(errors="replace")))


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    files = {path: path.read_text().splitlines() for path in code_files(root)}
    lengths = [len(lines) for lines in files.values()]
    print(f"production files, lines: {len(files)}, {sum(lengths)}")
    print(f"file median: {statistics.median(lengths):.0f}")
    print(f"files below 50 lines: {share(sum(length < 50 for length in lengths), len(lengths))}")

    headers = [line for path, lines in files.items() if path.suffix == ".h" for line in lines if line.strip()]
    print(f"comment lines in headers: {share(sum(bool(COMMENT.match(line)) for line in headers), len(headers))}")

    folders = collections.Counter(path.parent.relative_to(root) for path in files)
    folder, most = folders.most_common(1)[0]
    print(f"largest folder: {folder}, {most} files")

    scopes, places = collections.Counter(), collections.defaultdict(set)
    for path, lines in files.items():
        for match in DEFINITION.finditer("\n".join(lines)):
            scope = match.group(1).removesuffix("::")
            scopes[scope] += 1
            places[scope].add(path)
    for scope, methods in scopes.most_common(5):
        print(f"scope {scope}: {methods} definitions in {len(places[scope])} files")

    for option in sys.argv[2:] or OPTIONS:
        print(f"files that name {option}: {len(spread(root, option))}")


if __name__ == "__main__":
    main()
