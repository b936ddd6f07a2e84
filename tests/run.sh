#!/bin/bash
# Everything that is expected of a change: builds, runs all tests, then what is ours again under the sanitizers, and
# clang's look at style and locks. Installs the Debian packages that are missing. Meant for a clean clone; reuses build/.
#
#   tests/run.sh           everything
#   tests/run.sh STEP...   some of: tests asan tsan tidy
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec < /dev/null

jobs=$(nproc)
step() { printf '\n== %s (%s)\n' "$1" "$(date -u +%H:%M:%S)"; }

# Configures a preset; says something only when it fails.
configure() {
  local said
  said=$(cmake --preset "$@" 2>&1) || { echo "$said" >&2; return 1; }
}

# The folders of tests $2... under preset $1. The runs of the same tests in another way (on several shards, through gRPC)
# are left to the step "tests".
sanitize() {
  local preset=$1
  shift
  local parts=("$@") targets=()
  for part in "${parts[@]}"; do
    [ -e "tests/$part/CMakeLists.txt" ] && targets+=("tests/$part/all")
  done
  configure "$preset" "-DPOOLD_TEST_PARTS=$(IFS=';'; echo "${parts[*]}")"
  cmake --build --preset "$preset" -j "$jobs" --target "${targets[@]}"
  ctest --preset "$preset" -j 3 --no-tests=error --exclude-regex '^(Grpc|Sharded)[.]'
}

run_tests() {
  step "Build and test (build/dev)"
  configure dev
  cmake --build --preset dev -j "$jobs"
  ctest --preset dev -j 3 --no-tests=error
}

run_asan() {
  step "AddressSanitizer, UndefinedBehaviorSanitizer (build/asan)"
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 sanitize asan programs proto base core core/outcome core/pool core/subscribe engine sim config process api session transport worker client
}

run_tsan() {
  step "ThreadSanitizer (build/tsan)"
  # Debian's Abseil is not instrumented: where its mutexes guard what tests share (process), each is a false alarm.
  TSAN_OPTIONS=halt_on_error=1 sanitize tsan proto base core core/outcome core/pool core/subscribe engine
}

run_tidy() {
  step "clang-tidy and clang's thread safety analysis (build/tidy)"
  configure tidy
  cmake --build --preset tidy -j "$jobs" --target poold_generated
  # Without the examples: clang 14 cannot read the ranges of GCC 12.
  local said
  said=$(run-clang-tidy -p build/tidy -quiet -j "$jobs" '^(?!.*/examples/).*/(Unity|server|client|worker)/.*[.](cxx|cc)$' 2>&1) ||
    { echo "$said" | grep -v "^clang-tidy\|warnings generated\|warnings treated" >&2; return 1; }
}

./deploy/packages.sh --install test
[ $# -gt 0 ] || set -- tests asan tsan tidy
for each in "$@"; do
  "run_$each"
done
step "All passed"
