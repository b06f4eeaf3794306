#!/usr/bin/env bash
# Installs what the tests need, builds and runs every test, and ends with ctest's summary.
#
#   scripts/test.sh [phase ...]        phases: asan tsan fuzz release (default: all, in this order)
#
# asan and fuzz are built by clang, with its warnings and its check of the lock annotations; tsan and
# release by g++. Each is built once, and runs what it is worth: see testPresets.
#
# Runs on Debian 12, as root or with sudo, as often as wanted. A phase that fails does not stop the
# later ones; the script then ends by naming it, and its exit status is 1.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
source scripts/lib/packages.sh
source scripts/lib/build.sh

# test_preset <preset> [command that runs ctest]
# As many tests at a time as there are cores: some wait for the next second of the server's clock and
# count on being served within it. Those that load all cores are marked RUN_SERIAL.
test_preset() {
  local preset=$1
  shift
  "$@" ctest --preset "$preset" -j "$job_count" --no-label-summary
}

phase_asan() {
  build_preset asan && test_preset asan
}

phase_tsan() {
  configure_preset tsan &&
    without_address_randomisation cmake --build --preset tsan -j "$job_count" &&
    test_preset tsan without_address_randomisation
}

phase_fuzz() {
  build_preset fuzz && test_preset fuzz
}

phase_release() {
  build_preset release && test_preset release
}

main() {
  local phases=(asan tsan fuzz release) phase failed=()
  [[ $# -gt 0 ]] && phases=("$@")
  install_packages "${build_packages[@]}" "${test_packages[@]}" "${client_packages[@]}" || exit
  for phase in "${phases[@]}"; do
    if ! declare -F "phase_$phase" >/dev/null; then
      echo "test.sh: there is no phase '$phase'" >&2
      exit 2
    fi
  done
  for phase in "${phases[@]}"; do
    echo "== $phase, ${SECONDS} s after the start"
    "phase_$phase" || failed+=("$phase")
  done
  if [[ ${#failed[@]} -gt 0 ]]; then
    echo "test.sh: FAILED: ${failed[*]}" >&2
    exit 1
  fi
}

main "$@"
