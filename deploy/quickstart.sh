#!/bin/bash
# From a fresh clone on Debian 12 to a running pool: installs what is needed, builds a release, starts a daemon on a
# private socket, runs the programs of client/examples, and stops it. Its exit status says whether all of it worked.
#
#   deploy/quickstart.sh           all of it
#   deploy/quickstart.sh FOLDER    with the programs of a build that is there, in this folder; installs and builds nothing
set -euo pipefail
bin=${1:+$(realpath "$1")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

if [ -z "$bin" ]; then
  step "Debian packages"
  ./deploy/packages.sh --install build

  step "Release build (build/release)"
  configured=$(cmake --preset release 2>&1) || { echo "$configured" >&2; exit 1; }
  cmake --build --preset release
  bin=$PWD/build/release/bin
fi

# A daemon of our own, in a folder of our own.
folder=$(mktemp -d "${TMPDIR:-/tmp}/poold-quickstart-XXXXXX")
daemon=
stop() {
  status=$?
  if [ -n "$daemon" ] && kill -0 "$daemon" 2> /dev/null; then
    kill "$daemon" && wait "$daemon" || true
  fi
  if [ $status != 0 ] && [ -e "$folder/poold.log" ]; then
    echo "quickstart: failed; the daemon's log:" >&2
    cat "$folder/poold.log" >&2
  fi
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM

step "A daemon on a private socket"
export POOLD_ADDRESS="unix:$folder/poold.sock"
"$bin/poold" --listen "$POOLD_ADDRESS" 2> "$folder/poold.log" &
daemon=$!
until grep -q 'event=ready' "$folder/poold.log"; do
  kill -0 "$daemon" 2> /dev/null || { echo "quickstart: the daemon ended" >&2; exit 1; }
  sleep 0.1
done
grep -oE 'event=(containment|listening|pool_running|ready).*' "$folder/poold.log"

step "apply_async: four tasks on three workers"
"$bin/examples/seed_apply_async"

step "apply: one after the other"
"$bin/examples/seed_apply"

step "Results collected"
"$bin/examples/seed_results"

step "Primes among a million numbers: one process, then a pool"
"$bin/examples/prime_count"

step "poolctl"
"$bin/poolctl" pools
printf '$ poolctl submit square 7\n'
"$bin/poolctl" submit square 7
printf '$ poolctl map square 1 2 3\n'
"$bin/poolctl" map square 1 2 3

step "Stopping"
kill "$daemon"
wait "$daemon"
daemon=
grep -oE 'event=(draining|pool_closed|stopping).*' "$folder/poold.log"
echo "Done. Next: README.md"
