#!/usr/bin/env python3
"""Holds the version to one place: CMakeLists.txt says it, and everything else takes it from there.

Usage: check_version.py SOURCE_ROOT BUILD_ROOT VERSION PROGRAM...    VERSION: of the project, as CMake has read it. Looks for copies
of it in the sources, and at what the programs, the package and the manual pages of a build say. Prints what differs; exit status 1 if
something does.
"""
import pathlib
import re
import subprocess
import sys

# Where the number stands for people, beside CMakeLists.txt: the heading of what is new, and an example in the contract.
SHOWN = {"CMakeLists.txt", "CHANGELOG.md", "proto/poold/v1/server_info.proto"}
SOURCES = {".h", ".cc", ".c", ".py", ".txt", ".cmake", ".in", ".proto", ".toml", ".sh", ".md", ".json"}
FOLDERS = ("server", "client", "worker", "proto", "deploy")


def copies(root, version):
    word = re.compile(rf"(?<![\d.]){re.escape(version)}(?![\d.]*\d)")
    paths = [*root.glob("*"), *(path for folder in FOLDERS for path in (root / folder).rglob("*"))]
    for path in sorted(path for path in paths if path.suffix in SOURCES and path.is_file()):
        if path.relative_to(root).as_posix() not in SHOWN and word.search(path.read_text(errors="replace")):
            yield f"{path.relative_to(root)} has a version of its own"


def differing(root, build, version, programs):
    newest = re.search(r"^## (\S+)", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    if newest is None or newest.group(1) != version:
        yield f"CHANGELOG.md begins with {newest and newest.group(1)}"
    for program in programs:
        said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, check=True, timeout=30).stdout.decode()
        if said.split()[1:2] != [version]:
            yield f"{program} --version says: {said.strip()}"
    package = build / "deploy" / "pooldConfigVersion.cmake"
    if f'set(PACKAGE_VERSION "{version}")' not in package.read_text():
        yield f"{package} has another version"
    for page in sorted((build / "deploy" / "man").glob("*.[1-8]")):
        if f" {version}\"" not in page.read_text().split("\n.SH")[0]:
            yield f"{page} has another version in its head"


def main():
    root, build = (pathlib.Path(path) for path in sys.argv[1:3])
    version, programs = sys.argv[3], sys.argv[4:]
    wrong = [*copies(root, version), *differing(root, build, version, programs)]
    if wrong:
        print(f"The version is {version}, but:", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
