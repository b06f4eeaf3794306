#!/usr/bin/env bash
# Compares Larder with memcached, side by side on this machine, and prints a table of ratios.
#
#   scripts/bench.sh [--peer BINARY] [--threads 1,2,4] [workload ...]   CPU time for each request
#   scripts/bench.sh capacity [--peer BINARY] [case ...]           items for each MiB of memory
#   scripts/bench.sh hits [--peer BINARY] [--only workload]        misses in read-through replay
#   scripts/bench.sh stalls [--peer BINARY] [disturbance ...]      latencies beside other work
#   scripts/bench.sh instructions [--check | --update] [workload ...]
#                                                    Larder alone: instructions for each request
#   scripts/bench.sh engine [--large]                the engine alone: two threads, groups, memory
#   scripts/bench.sh many-clients [--peer BINARY] [--clients N]    15,000 with a request a second
#
# --help of each lists the rest; --quick shows in seconds that it works (but for `instructions`).
#
#   MEMCACHED=path   the memcached to compare with (the packaged one); --peer says the same
#   LARDER=path      a server built elsewhere (default: builds Release)
#   LOADGEN=path FILL=path REPLAY=path SIMULATE=path BENCH_CACHE=path
#                    the programs that load it (the same)
#   THREADS=1  MEMORY_MB=512  ROUNDS=5      -t and -m of both servers, rounds of each workload;
#                                           `capacity` and `hits` have --memory-mb of their own
#
# Installs what it needs, as root or with sudo. The first takes about five minutes, and a machine
# that does nothing else meanwhile makes its figures steadier; `capacity` takes two minutes,
# `hits` fifteen, `stalls` half an hour, `engine` two minutes, `instructions` half a minute and on a
# busy machine as well. How to read them: tests/bench/README.md.
set -euo pipefail

typed=$0
[[ $# -gt 0 ]] && typed+=" $*"
for name in ROUNDS MEMORY_MB THREADS BENCH_CACHE SIMULATE REPLAY FILL LOADGEN LARDER MEMCACHED; do
  [[ -n ${!name:-} ]] && typed="$name=${!name} $typed"
done
export BENCH_COMMAND=$typed

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/packages.sh
source "$root/scripts/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
source "$root/scripts/lib/build.sh"

script=compare
programs=(larder loadgen)
peer=memcached
case ${1:-} in
  capacity) script=capacity programs=(larder fill) ;;
  hits) script=hits programs=(larder replay simulate) ;;
  stalls) script=stalls ;;
  instructions) script=instructions programs=(larder) peer= ;;
  engine) script=engine programs=(bench_cache) peer= ;;
  many-clients) script=many_clients programs=(larder) ;;
esac
[[ $script != compare ]] && shift

# Those that no variable names are built.
missing=()
for program in "${programs[@]}"; do
  variable=${program^^}
  [[ -n ${!variable:-} ]] || missing+=("$program")
done

install_packages python3
[[ $script == instructions ]] && install_packages valgrind
if [[ -n $peer && -z ${MEMCACHED:-} && " $* " != *" --peer"* ]]; then
  install_packages "$peer"
fi
if [[ ${#missing[@]} -gt 0 ]]; then
  install_packages "${build_packages[@]}" "${test_packages[@]}"
  (
    cd "$root"
    configure_preset release
    cmake --build --preset release --target "${missing[@]}" -j "$job_count" >&2
  )
fi
for program in "${missing[@]}"; do
  folder=$root/build/release/tests/bench
  [[ $program == larder ]] && folder=$root/build/release
  export "${program^^}=$folder/$program"
done

# Python takes this process's place, so that a signal reaches the one that stops the servers.
exec /usr/bin/python3 "$root/tests/bench/$script.py" "$@"
