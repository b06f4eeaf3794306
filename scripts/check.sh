#!/usr/bin/env bash
# Checks format, shape, the include law, and, with clang-tidy, the sources that changed.
#
#   scripts/check.sh [--all] [base]
#
# clang-tidy looks at what differs from `base`: by default where the branch left its upstream, or
# the commit before this one. --all makes it look at every source file.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
source scripts/lib/packages.sh
source scripts/lib/build.sh

# More files than this (a first commit, a rename of everything) and only the first are looked at.
readonly tidy_files_max=60

# Every file of the project, committed or not, but what is built or ignored.
project_files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@" | sort -u
  else
    find . -type f -not -path './build/*' | sed 's|^\./||' | sort
  fi | while IFS= read -r file; do
    [[ -f $file ]] && printf '%s\n' "$file"
  done
}

source_files() {
  project_files | grep -E '^(protocol|slab|server|tests)/.*\.(h|cc)$'
}

# Prints the commit to compare with; nothing if there is none, and then all files count as changed.
comparison_base() {
  local upstream base
  for upstream in '@{upstream}' origin/main origin/HEAD; do
    base=$(git merge-base HEAD "$upstream" 2>/dev/null) || continue
    if [[ $base != "$(git rev-parse HEAD)" ]]; then
      echo "$base"
      return
    fi
  done
  git rev-parse --verify --quiet HEAD~1
}

changed_files() {
  local base=$1
  if [[ -z $base ]]; then
    source_files
    return
  fi
  { git diff --name-only "$base" --; git ls-files --others --exclude-standard; } | sort -u
}

# clang-tidy wants translation units: a changed header is seen through the source of its name.
translation_units() {
  local file
  while IFS= read -r file; do
    case $file in
      *.cc) ;;
      *.h) file=${file%.h}.cc ;;
      *) continue ;;
    esac
    [[ -f $file ]] && grep -qF "/$file\"" build/tidy/compile_commands.json && echo "$file"
  done | sort -u
}

check_format() {
  source_files | xargs -r clang-format --dry-run -Werror
}

check_tidy() {
  configure_preset tidy || return
  local units
  mapfile -t units < <(changed_files "$1" | translation_units)
  if [[ ${#units[@]} -gt $tidy_files_max ]]; then
    echo "clang-tidy: ${#units[@]} files changed, looking at the first $tidy_files_max"
    units=("${units[@]:0:$tidy_files_max}")
  fi
  [[ ${#units[@]} -eq 0 ]] && return
  printf '%s\n' "${units[@]}" |
    xargs -n 4 -P "$job_count" clang-tidy -p build/tidy --quiet 2>&1 |
    grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?generated|^$|^Suppressed |^Use -header-filter'
  return "${PIPESTATUS[1]}"
}

main() {
  local base= all=no step failed=()
  [[ ${1:-} == --all ]] && all=yes && shift
  install_packages "${build_packages[@]}" "${test_packages[@]}" "${check_packages[@]}" || exit
  [[ $all == no ]] && base=${1:-$(comparison_base)}
  scripts/include_law.py || failed+=("include law")
  scripts/shape.py || failed+=(shape)
  check_format || failed+=(clang-format)
  check_tidy "$base" || failed+=(clang-tidy)
  if [[ ${#failed[@]} -gt 0 ]]; then
    printf 'check.sh: FAILED: %s\n' "${failed[*]}" >&2
    exit 1
  fi
  echo "check.sh: format, shape, include law and clang-tidy are clean"
}

main "$@"
