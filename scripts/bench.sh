#!/usr/bin/env bash
# Compares Larder with memcached, side by side on this machine, and prints a table of ratios.
#
#   scripts/bench.sh [--quick] [--rounds N] [workload ...]      --help lists the workloads
#
#   MEMCACHED=path   the memcached to compare with (the packaged one)
#   LARDER=path      a server built elsewhere (default: builds Release)
#   LOADGEN=path     its load generator (default: builds Release)
#   THREADS=1  MEMORY_MB=512  ROUNDS=5      -t and -m of both servers, rounds of each workload
#
# Installs what it needs, as root or with sudo. All of it takes about five minutes; a machine that
# does nothing else meanwhile makes the figures steadier. How to read them: tests/bench/README.md.
set -euo pipefail

typed=$0
[[ $# -gt 0 ]] && typed+=" $*"
for name in ROUNDS MEMORY_MB THREADS LOADGEN LARDER MEMCACHED; do
  [[ -n ${!name:-} ]] && typed="$name=${!name} $typed"
done
export BENCH_COMMAND=$typed

# Paths that were given are meant from where the caller stands.
for name in LOADGEN LARDER MEMCACHED; do
  [[ ${!name:-} == */* ]] && export "$name=$(realpath -- "${!name}")"
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/packages.sh
source scripts/lib/build.sh

install_packages python3
if [[ -z ${MEMCACHED:-} ]]; then
  install_packages memcached
fi
if [[ -z ${LARDER:-} || -z ${LOADGEN:-} ]]; then
  install_packages "${build_packages[@]}" "${test_packages[@]}"
  configure_preset release
  cmake --build --preset release --target larder loadgen -j "$job_count" >&2
  export LARDER=${LARDER:-build/release/larder}
  export LOADGEN=${LOADGEN:-build/release/tests/bench/loadgen}
fi

# Python takes this process's place, so that a signal reaches the one that stops the servers.
exec /usr/bin/python3 tests/bench/compare.py "$@"
