#!/usr/bin/env bash
# The package helper installs what is missing and nothing else, fetches lists only when it must,
# keeps services from starting, and takes away what it put there. All commands that would change
# the machine are replaced by functions that write down how they were called.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/packages.sh"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failures=0

# What the fakes know: the installed packages, and how often an install fails before it succeeds.
installed=" g++ cmake "
failing_installs=0

dpkg-query() { [[ $installed == *" $4 "* ]] && echo installed; }
command() { [[ $2 == systemctl ]] && return 1 || builtin command "$@"; }
as_root() {
  echo "$*" >>"$log"
  if [[ $* == *"apt-get install"* && $failing_installs -gt 0 ]]; then
    failing_installs=$((failing_installs - 1))
    return 1
  fi
}

expect_log() {
  local name=$1 pattern=$2
  if ! grep -qE -- "$pattern" "$log"; then
    echo "FAILED: $name: no call like '$pattern' in:"
    cat "$log"
    failures=$((failures + 1))
  fi
}

expect_log_without() {
  local name=$1 pattern=$2
  if grep -qE -- "$pattern" "$log"; then
    echo "FAILED: $name: a call like '$pattern' in:"
    cat "$log"
    failures=$((failures + 1))
  fi
}

install_packages g++ cmake
expect_log_without "nothing is missing" .

install_packages g++ memcached >/dev/null
expect_log "the missing one is installed" 'apt-get install .*--no-install-recommends memcached$'
expect_log_without "the lists are not fetched without need" 'apt-get update'

: >"$log"
failing_installs=1
install_packages memcached >/dev/null || failures=$((failures + 1))
expect_log "stale lists are fetched" 'apt-get update'

: >"$log"
failing_installs=2
if install_packages memcached >/dev/null; then
  echo "FAILED: an install that fails twice is reported as done"
  failures=$((failures + 1))
fi

if [[ ! -e /usr/sbin/policy-rc.d ]]; then
  expect_log "services are held" 'exit 101'
  expect_log "and let go, though the install failed" 'rm -f /usr/sbin/policy-rc.d'
fi

exit $((failures > 0))
