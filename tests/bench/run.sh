#!/bin/bash
# Measures poold beside floors and peers, and writes the report. Takes about ten minutes, and a machine that does nothing
# else meanwhile.
#
#   tests/bench/run.sh                installs the peers (Debian's packages), builds a release, measures everything
#   tests/bench/run.sh BUILD KIND...  with the programs of an existing build folder, and some kinds only
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

if [ $# -gt 0 ]; then
  build=$1
  shift
else
  ./deploy/packages.sh --install bench
  cmake --preset release
  cmake --build --preset release
  build=build/release
fi
[ $# -gt 0 ] || set -- all

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$build/bin/poold-bench" --spawn --json "$@" > "$scratch/figures"
cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
python3 "$here/report.py" "$scratch/figures" "$here/report" "$(nproc) × $cpu"
echo "Written: tests/bench/report/README.md"
