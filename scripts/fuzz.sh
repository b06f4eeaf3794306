#!/usr/bin/env bash
# Builds the fuzzers (clang, address and undefined sanitizers) and runs them, one after the other
# or several at a time, for an hour each unless told otherwise.
#
#   scripts/fuzz.sh [-t seconds] [-j jobs] [fuzzer ...]      default: all of tests/fuzz/registry.txt
#
# What they have learned stays in build/fuzz-corpus/<fuzzer> and is where the next run goes on.
# A finding is made as small as it gets, printed, and kept in build/fuzz-findings/<fuzzer>. The exit
# status is 1 if there is one, or if the fuzzer that must fail does not.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
source scripts/lib/packages.sh
source scripts/lib/build.sh

registry=tests/fuzz/registry.txt
binaries=build/fuzz/tests/fuzz
corpora=build/fuzz-corpus
findings=build/fuzz-findings
seconds=3600
jobs=1
# How long the smallest form of a finding is looked for, and the canary for its mistake.
shrink_s=60
canary_s=60

usage() {
  sed -n '5s/^# *//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

# Prints the registry's row of a fuzzer.
row_of() {
  grep -E "^$1 " "$registry"
}

names_with_fate() {
  awk -v fate="$1" '!/^#/ && $5 == fate { print $1 }' "$registry"
}

# Runs one fuzzer: run_fuzzer <name> <seconds> [libFuzzer's options] <corpus> ..
run_fuzzer() {
  local name=$1 limit_s=$2 dictionary longest
  shift 2
  read -r _ _ dictionary longest _ < <(row_of "$name")
  "$binaries/${name}_fuzz" -max_total_time="$limit_s" -max_len="$longest" -timeout=30 \
    -dict="tests/fuzz/$dictionary" -print_final_stats=1 "$@"
}

# Keeps of a corpus only what adds coverage.
thin_out() {
  local name=$1 corpus=$2 thinned=$2.thinned
  rm -rf "$thinned" && mkdir -p "$thinned"
  if run_fuzzer "$name" 0 -merge=1 "$thinned" "$corpus" >/dev/null 2>&1; then
    rm -rf "$corpus" && mv "$thinned" "$corpus"
  else
    rm -rf "$thinned"
  fi
}

# Replaces a crash's input by a smaller one that crashes too, where there is one.
shrink_finding() {
  local name=$1 finding=$2
  "$binaries/${name}_fuzz" -minimize_crash=1 -max_total_time="$shrink_s" \
    -exact_artifact_path="$finding.small" "$finding" >/dev/null 2>&1
  [[ -s $finding.small ]] && mv "$finding.small" "$finding"
  rm -f "$finding.small"
}

report_findings() {
  local name=$1 finding
  for finding in "$findings/$name"/*; do
    [[ -e $finding ]] || continue
    [[ $finding == *.log ]] && continue
    shrink_finding "$name" "$finding"
    echo "== FOUND by $name: $finding"
    od -A d -c "$finding" | head -n 20
    "$binaries/${name}_fuzz" "$finding" 2>&1 | grep -E -m 12 'ERROR|SUMMARY|runtime error|^ *#[0-9] '
  done
}

# One fuzzer's whole run. Fails if it finds something.
fuzz() {
  local name=$1 log=$findings/$1/run.log
  rm -rf "${findings:?}/$name"
  mkdir -p "$corpora/$name" "$findings/$name"
  cp -n build/fuzz/seeds/"$name"/* "$corpora/$name/"
  if run_fuzzer "$name" "$seconds" -artifact_prefix="$findings/$name/" "$corpora/$name" \
    >"$log" 2>&1; then
    thin_out "$name" "$corpora/$name"
    echo "$name: nothing found; $(summary "$log"), $(find "$corpora/$name" -type f | wc -l) inputs kept"
  else
    tail -n 5 "$log"
    report_findings "$name"
    return 1
  fi
}

summary() {
  awk '/number_of_executed_units/ { runs = $2 } /average_exec_per_sec/ { rate = $2 }
    END { printf "%s runs, %s a second", runs, rate }' "$1"
}

# The rig is worth nothing if it does not see the mistake that was put there.
check_canary() {
  local canary
  for canary in $(names_with_fate fails); do
    mkdir -p "$findings/$canary"
    if run_fuzzer "$canary" "$canary_s" -artifact_prefix="$findings/$canary/" \
      build/fuzz/seeds/"$canary" >/dev/null 2>&1; then
      echo "fuzz.sh: $canary has not failed: nothing can be found like this" >&2
      return 1
    fi
    rm -rf "${findings:?}/$canary"
  done
}

main() {
  local names=() name running=0 failed=0
  while getopts t:j: option; do
    case $option in
      t) seconds=$OPTARG ;;
      j) jobs=$OPTARG ;;
      *) usage ;;
    esac
  done
  shift $((OPTIND - 1))
  names=("$@")
  [[ ${#names[@]} -gt 0 ]] || mapfile -t names < <(names_with_fate holds)
  for name in "${names[@]}"; do
    row_of "$name" >/dev/null || { echo "fuzz.sh: there is no fuzzer '$name'" >&2; usage; }
  done
  install_packages "${build_packages[@]}" "${test_packages[@]}" || exit
  build_preset fuzz || exit
  python3 -B tests/fuzz/make_seeds.py build/fuzz/seeds >/dev/null || exit
  check_canary || exit 1
  for name in "${names[@]}"; do
    if [[ $running -ge $jobs ]]; then
      wait -n || failed=1
      running=$((running - 1))
    fi
    fuzz "$name" &
    running=$((running + 1))
  done
  while [[ $running -gt 0 ]]; do
    wait -n || failed=1
    running=$((running - 1))
  done
  exit "$failed"
}

main "$@"
