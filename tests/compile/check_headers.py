#!/usr/bin/env python3
"""Holds down what users of the SDK compile.

Usage: check_headers.py INCLUDE_FOLDER EXAMPLE MOST_LINES COMPILER ARGUMENTS...
No header of the SDK but poold/client/proto.h may include one of protobuf's or of gRPC's, whatever lies in between, and
the example may have at most MOST_LINES lines when it is preprocessed. Prints what is wrong; exit status 1 if something is.
"""
import pathlib
import re
import subprocess
import sys

FOREIGN = re.compile(r"\.pb\.h$|(^|/)(google/protobuf|google/rpc|grpc|grpcpp)/")
ALLOWED = {"poold/client/proto.h"}


def run(command, text):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def foreign_headers(compiler, header):
    rule = run(compiler + ["-x", "c++", "-M", "-"], f'#include "{header}"\n')
    return [name for name in rule.replace("\\\n", " ").split()[1:] if FOREIGN.search(name)]


def main():
    folder, example, most, *compiler = sys.argv[1:]
    root = pathlib.Path(folder)
    headers = {path.relative_to(root).as_posix() for path in root.rglob("*.h")} - ALLOWED
    wrong = []
    for header in sorted(headers):
        wrong += [f"{header} includes {name}" for name in foreign_headers(compiler, header)[:1]]
    lines = run(compiler + ["-E", example], "").count("\n")
    if lines > int(most):
        wrong.append(f"{example} has {lines} lines when it is preprocessed: at most {most} are wanted")
    print("\n".join(wrong) if wrong else f"{len(headers)} headers; {lines} lines")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
