#!/usr/bin/env bash
# Runs the stress and property programs of the engine for a long time, each for ten minutes unless
# told otherwise, under both sanitizers, and then the property program in a release build, where
# resident memory can be watched.
#
#   scripts/soak.sh [-t seconds] [-n number] [program ...]    programs: cache presence memory
#   scripts/soak.sh server [seconds]      the whole server under mixed load, half an hour by default
#
# The last runs one Larder, built for release, and says whether answers, memory, latencies and
# statistics stayed what they should be: tests/bench/soak_server.py.
#
# The memory property draws its scenarios from numbers; the first comes from the clock, or is the
# one that -n gives, as a failure names it. A failure does not stop the rest; the exit status is 1.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
source scripts/lib/packages.sh
source scripts/lib/build.sh

readonly threads=8 limit_mib=24 allowance_mib=4
seconds=600
first_scenario=$(date +%s)
failed=()

usage() {
  sed -n '6p;7p' "${BASH_SOURCE[0]}" | sed 's/^# *//' >&2
  exit 2
}

# soak <preset> <program>
soak() {
  local preset=$1 folder=build/$1/tests/slab command allowance=0
  [[ $preset == release ]] && allowance=$allowance_mib
  case $2 in
    cache) command=("$folder/stress/larder_cache_stress" "$seconds" "$threads" "$limit_mib") ;;
    presence) command=("$folder/stress/larder_presence_stress" "$seconds") ;;
    memory)
      command=("$folder/property/larder_memory_property" "$seconds" "$first_scenario" "$allowance")
      ;;
  esac
  echo "== $preset: ${command[*]}"
  local runner=()
  [[ $preset == tsan ]] && runner=(without_address_randomisation)
  "${runner[@]}" "${command[@]}" || failed+=("$preset $2")
}

build_programs() {
  local preset=$1 program targets=()
  shift
  for program in "$@"; do
    case $program in
      memory) targets+=(larder_memory_property) ;;
      *) targets+=("larder_${program}_stress") ;;
    esac
  done
  configure_preset "$preset" &&
    without_address_randomisation cmake --build --preset "$preset" -j "$job_count" \
      --target "${targets[@]}"
}

soak_server() {
  local folder=build/release
  install_packages python3 "${build_packages[@]}" "${test_packages[@]}" &&
    configure_preset release &&
    cmake --build --preset release -j "$job_count" --target larder loadgen || exit
  LARDER=${LARDER:-$folder/larder} LOADGEN=${LOADGEN:-$folder/tests/bench/loadgen} \
    exec /usr/bin/python3 tests/bench/soak_server.py --seconds "${1:-1800}"
}

main() {
  local programs preset program
  if [[ ${1:-} == server ]]; then
    [[ ${2:-1800} =~ ^[0-9]+$ ]] || usage
    soak_server "${2:-1800}"
  fi
  while getopts t:n: option; do
    case $option in
      t) seconds=$OPTARG ;;
      n) first_scenario=$OPTARG ;;
      *) usage ;;
    esac
  done
  shift $((OPTIND - 1))
  programs=("$@")
  [[ ${#programs[@]} -gt 0 ]] || programs=(cache presence memory)
  for program in "${programs[@]}"; do
    [[ $program =~ ^(cache|presence|memory)$ ]] || usage
  done
  install_packages "${build_packages[@]}" "${test_packages[@]}" || exit
  for preset in asan tsan release; do
    build_programs "$preset" "${programs[@]}" || exit
    for program in "${programs[@]}"; do
      [[ $preset == release && $program != memory ]] || soak "$preset" "$program"
    done
  done
  if [[ ${#failed[@]} -gt 0 ]]; then
    printf 'soak.sh: FAILED: %s\n' "${failed[@]}" >&2
    exit 1
  fi
  echo "soak.sh: nothing found"
}

main "$@"
