#!/bin/bash
# The shared client library: what it shows, the three ways to build on it, and several of its users in one process.
#
#   run.sh PREFIX SCRATCH_FOLDER NEXT_LIBRARY HOST
#
# A daemon answers at POOLD_ADDRESS. NEXT_LIBRARY is the library as another version, HOST the program of host.cc.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix=$1
scratch=$2
next=$3
host=$4
mkdir -p "$scratch"
lib=$(dirname "$(find "$prefix" -name libpoold-client.so)")
library=$lib/libpoold-client.so.1

fail() {
  echo "$*" >&2
  exit 1
}
compile() { g++ -std=c++20 -O0 "$@"; }

# It shows its public classes under its version, and nothing else.
shown=$(nm -DC --defined-only "$library" | cut -d' ' -f3- | grep -v '^POOLD_CLIENT_1')
if grep -v '@@POOLD_CLIENT_1$' <<< "$shown"; then fail "the symbols above have no version"; fi
if grep -vE '^((vtable|typeinfo|typeinfo name) for )?poold::client::' <<< "$shown"; then
  fail "the symbols above should be hidden"
fi
if grep -E '^poold::client::(internal::)?(Session|Stub|Leader|Outbox|HandleState|ToProto|FromProto)|grpc::|google::' <<< "$shown"; then
  fail "the symbols above should be hidden"
fi
if readelf -d "$library" | grep -E 'NEEDED.*(grpc|upb)'; then fail "it needs gRPC"; fi

# pkg-config, and no help at all but where the prefix is.
export PKG_CONFIG_PATH=$lib/pkgconfig
compile $(pkg-config --cflags poold-client) "$here/../client/demo.cc" -o "$scratch/by_pkg_config" \
  $(pkg-config --libs poold-client) "-Wl,-rpath,$lib"
[ "$(pkg-config --modversion poold-client)" = "$("$prefix/bin/poold" --version | grep -oE '[0-9.]+' | head -1)" ]
compile "-I$prefix/include" "$here/../client/demo.cc" -o "$scratch/by_hand" "-L$lib" -lpoold-client "-Wl,-rpath,$lib"
"$scratch/by_pkg_config"
"$scratch/by_hand"
if readelf -d "$scratch/by_hand" | grep 'NEEDED.*protobuf'; then fail "a program needs protobuf"; fi
# Those that include poold/client/proto.h.
compile $(pkg-config --cflags poold-client-proto) "$here/../client/messages.cc" -o "$scratch/messages_by_pkg_config" \
  $(pkg-config --libs poold-client-proto) "-Wl,-rpath,$lib"
compile "-I$prefix/include" "$here/../client/messages.cc" -o "$scratch/messages_by_hand" "-L$lib" -lpoold-client-proto \
  -lpoold-client -lprotobuf "-Wl,-rpath,$lib"
"$scratch/messages_by_pkg_config"
"$scratch/messages_by_hand"

# Plugins in one process, also with two versions of the library.
compile -fPIC "-I$prefix/include" -c "$here/plugin.cc" -o "$scratch/plugin.o"
link() { compile -shared "$1" -o "$2" "${@:3}" -Wl,-z,defs; }
by_first=("-L$lib" -lpoold-client "-Wl,-rpath,$lib")
by_next=("$next" -labsl_status -labsl_statusor -labsl_strings -labsl_cord -labsl_raw_logging_internal
         "-Wl,-rpath,$(dirname "$next")")
messages=("-L$lib" -lpoold-client-proto)
link "$scratch/plugin.o" "$scratch/one.so" "${messages[@]}" "${by_first[@]}" -lprotobuf
link "$scratch/plugin.o" "$scratch/two.so" "${messages[@]}" "${by_first[@]}" -lprotobuf
link "$scratch/plugin.o" "$scratch/other.so" "${messages[@]}" "${by_next[@]}" -lprotobuf
for plugin in one two other; do
  if nm -DC --defined-only "$scratch/$plugin.so" | grep ' T poold::v1::'; then fail "a plugin shows its messages"; fi
done
"$host" "$scratch/one.so" "$scratch/two.so"
"$host" "$scratch/one.so" "$scratch/two.so" "$scratch/other.so"

# Task modules in one worker, in the same way. (The daemon looks for them in this folder.)
for name in ask_one ask_two ask_other; do
  compile -fPIC "-I$prefix/include" "-DFUNCTION=\"$name\"" -c "$here/asking_module.cc" -o "$scratch/$name.o"
done
link "$scratch/ask_one.o" "$scratch/ask_one.so" "${by_first[@]}"
link "$scratch/ask_two.o" "$scratch/ask_two.so" "${by_first[@]}"
link "$scratch/ask_other.o" "$scratch/ask_other.so" "${by_next[@]}"
poolctl=$prefix/bin/poolctl
"$poolctl" open asking --workers 1 --module ask_one --module ask_two --module ask_other > /dev/null
for name in ask_one ask_two ask_other ask_one; do
  answer=$("$poolctl" submit --pool asking "$name" "\"$POOLD_ADDRESS\"" 21)
  [ "$answer" = 42 ] || fail "a task of the module $name got $answer"
done
"$poolctl" terminate asking > /dev/null
