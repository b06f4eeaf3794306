#!/usr/bin/env bash
# Larder configures and builds without its tests, and `cmake --install` puts the binary, the man
# page and the licence in place.
#
#   install_test.sh <scratch directory>
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$1

launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake -S "$root" -B "$scratch/build" -G Ninja \
  -DCMAKE_BUILD_TYPE=None -DLARDER_BUILD_TESTS=OFF "${launcher[@]}" >/dev/null
cmake --build "$scratch/build"
rm -rf "$scratch/prefix"
cmake --install "$scratch/build" --prefix "$scratch/prefix" >/dev/null

binary=$scratch/prefix/bin/larder
man_page=$(find "$scratch/prefix" -name 'larder.1*')
licence=$(find "$scratch/prefix" -iname '*licen[cs]e*' -o -name copyright)
"$binary" -V | grep -E '^larder [0-9]+\.[0-9]+\.[0-9]+'
[[ -n $man_page ]] || { echo "no man page was installed" >&2; exit 1; }
cmp "$root/LICENSE" "$licence"

# Nothing of the tests may have been built, and the man page must name the flags that -h does.
if find "$scratch/build" -name '*_test*' -type f | grep .; then
  echo "a build without tests built tests" >&2
  exit 1
fi
grep -q 'memory-limit\|memory\\-limit' "$man_page"
