#!/bin/bash
# Installs a build, moves the prefix, builds two separate projects against it, and lets them meet in a daemon that is
# started from there.
#
#   run.sh BUILD_FOLDER SCRATCH_FOLDER NEXT_LIBRARY HOST
#
# The last two are those of library/run.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1
scratch=$2
next=$3
host=$4
rm -rf "$scratch"
mkdir -p "$scratch/library"

cmake --install "$build" --prefix "$scratch/first" > "$scratch/install.log"
mv "$scratch/first" "$scratch/moved"
prefix=$scratch/moved
for file in bin/poold bin/poolctl libexec/poold/pool-worker lib/poold/modules/examples.so \
            share/poold/proto/poold/v1/pool_service.proto share/man/man1/poolctl.1 share/man/man8/poold.8 \
            share/man/man5/poold.toml.5 share/bash-completion/completions/poolctl share/zsh/site-functions/_poolctl \
            lib/systemd/system/poold.service; do
  [ -e "$prefix/$file" ] || { echo "$file is not installed" >&2; exit 1; }
done
if find "$prefix" -name 'testing*' | grep .; then
  echo "the module testing is installed: its functions write files, exit and crash" >&2
  exit 1
fi
cmake --install "$build" --prefix "$scratch/bench" --component bench > "$scratch/install-bench.log"
for file in bin/poold-bench lib/poold/testing/testing.so; do
  [ ! -e "$build/bin/poold-bench" ] || [ -e "$scratch/bench/$file" ] || { echo "$file is not in the component bench" >&2; exit 1; }
done
if grep -rIlE -e "$build|$scratch/first" "$prefix/lib/cmake" "$prefix"/lib/*/cmake 2> /dev/null; then
  echo "the package files above know where they were made: they cannot be moved" >&2
  exit 1
fi

for project in client worker; do
  cmake -S "$here/$project" -B "$scratch/$project" -G Ninja "-DCMAKE_PREFIX_PATH=$prefix" > "$scratch/$project.log" 2>&1 &&
    cmake --build "$scratch/$project" >> "$scratch/$project.log" 2>&1 ||
    { cat "$scratch/$project.log" >&2; exit 1; }
done

# A socket's path is short.
folder=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2> /dev/null; rm -rf "$folder"' EXIT
export POOLD_ADDRESS=unix:$folder/poold.sock
"$prefix/bin/poold" --listen "$POOLD_ADDRESS" --module-folder "$prefix/lib/poold/modules" \
  --module-folder "$scratch/worker" --module-folder "$scratch/library" --program-folder "$scratch/worker" 2> "$scratch/poold.log" &
daemon=$!
until grep -q event=ready "$scratch/poold.log"; do
  kill -0 "$daemon" || { cat "$scratch/poold.log" >&2; exit 1; }
  sleep 0.05
done

"$scratch/client/demo"
"$scratch/client/messages"
"$here/library/run.sh" "$prefix" "$scratch/library" "$next" "$host"
[ "$("$prefix/bin/poolctl" submit square 7)" = 49 ] || { echo "poolctl submit square 7 is not 49" >&2; exit 1; }

kill "$daemon"
wait "$daemon" || { echo "poold ended with status $?" >&2; cat "$scratch/poold.log" >&2; exit 1; }
daemon=
