#!/usr/bin/env bash
# Installs what the build needs, builds Larder and starts it in the foreground.
#
#   scripts/run.sh [larder flags]      for example: scripts/run.sh -m 256 -p 11311 -vv
#
# Runs on Debian 12, as root or with sudo, as often as wanted. Ctrl-C stops the server.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/packages.sh
source scripts/lib/build.sh

install_packages "${build_packages[@]}"
build_preset run >&2

# Root must name a user to run as. Of two -u the last one counts, so the caller's wins.
identity=()
[[ $EUID -eq 0 ]] && identity=(-u nobody)
exec build/run/larder "${identity[@]}" "$@"
