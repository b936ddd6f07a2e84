#!/usr/bin/env python3
"""Says which files clang-format (see .clang-format) would lay out in another way.

Usage: check_format.py SOURCE_ROOT CLANG_FORMAT. Exit status 1 if there is one; `git ls-files '*.h' '*.cc' | xargs clang-format -i`
mends them.
"""
import pathlib
import subprocess
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    files = sorted(str(path) for top in ("server", "client", "worker", "proto", "tests") for path in (root / top).rglob("*")
                   if path.suffix in (".h", ".cc") and path.is_file())
    return subprocess.run([sys.argv[2], "--dry-run", "-Werror", *files]).returncode


if __name__ == "__main__":
    sys.exit(main())
