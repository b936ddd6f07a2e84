#!/usr/bin/env python3
"""Holds that reasons of errors are named by the constants of proto/contract/reason.h, and that its list has them all.

Usage: check_reasons.py SOURCE_ROOT. Prints each place where one is a text; exit status 1 if there is one.
"""
import pathlib
import re
import sys

CONSTANT = re.compile(r'inline constexpr Reason (k\w+)\{\s*"(\w+)"')


def main():
    root = pathlib.Path(sys.argv[1])
    table = (root / "proto/contract/reason.h").read_text()
    constants = dict(CONSTANT.findall(table))
    listed = re.findall(r"&(k\w+)", table[table.index(" kAll[]"):])
    wrong = [f"proto/contract/reason.h: {name} is not in kAll" for name in constants if name not in listed]
    text = re.compile('"(%s)"' % "|".join(constants.values()))
    for top in ("server", "client", "worker"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if not line.lstrip().startswith("//") and text.search(line):
                    wrong.append(f"{path.relative_to(root)}:{number}: {line.strip()}: use the constant of reason.h")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
