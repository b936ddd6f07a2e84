#!/bin/sh
# The Debian packages that poold needs, in one place.
#
#   deploy/packages.sh [build|test|bench]            prints them
#   deploy/packages.sh --install [build|test|bench]  installs those that are missing, with sudo when not root
set -eu

build='
build-essential cmake ninja-build pkg-config
libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
libabsl-dev
libuv1-dev libmsgpack-cxx-dev libtomlplusplus-dev libcli11-dev libspdlog-dev nlohmann-json3-dev
libsystemd-dev libcap-dev libdw-dev'

test='
libgtest-dev libgmock-dev libbenchmark-dev
clang clang-format clang-tidy valgrind
python3 python3-grpcio python3-protobuf python3-msgpack
nodejs npm'

# What poold-bench compares with, where it is there.
bench='
python3
gearman-job-server libgearman-dev beanstalkd redis-server'

install=no
if [ "${1-}" = --install ]; then
  install=yes
  shift
fi
case "${1-build}" in
  build) wanted=$build ;;
  test) wanted="$build $test" ;;
  bench) wanted="$build $bench" ;;
  *)
    echo "usage: deploy/packages.sh [--install] [build|test|bench]" >&2
    exit 64
    ;;
esac

if [ $install = no ]; then
  printf '%s\n' $wanted
  exit
fi

is_there() {
  # Another node than Debian's is as good.
  case $1 in
    nodejs) command -v node > /dev/null && return ;;
    npm) command -v npm > /dev/null && return ;;
  esac
  dpkg-query -W -f '${Status}' "$1" 2> /dev/null | grep -q 'ok installed'
}

missing=
for package in $wanted; do
  is_there "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get > /dev/null; then
  echo "packages.sh: no apt-get here; install what these Debian packages hold:$missing" >&2
  exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo > /dev/null; then
    echo "packages.sh: not root and no sudo; ask for these packages:$missing" >&2
    exit 1
  fi
  as_root=sudo
fi
echo "Installing:$missing"
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
