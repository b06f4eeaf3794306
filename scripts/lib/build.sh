# Sourced by the scripts beside it: configures and builds one preset of CMakePresets.json.
#
#   build_preset release [more CMake arguments]

job_count=$(nproc)

# ccache, where there is one, needs to be told that precompiled headers are safe to look into.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}

configure_preset() {
  local preset=$1
  shift
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  cmake --preset "$preset" "${launcher[@]}" "$@" >/dev/null
}

build_preset() {
  local preset=$1
  configure_preset "$@" && cmake --build --preset "$preset" -j "$job_count"
}

# ThreadSanitizer cannot place its shadow where the kernel randomises addresses too far; it needs
# the randomisation off, on machines that allow that.
without_address_randomisation() {
  if setarch --addr-no-randomize true 2>/dev/null; then
    setarch --addr-no-randomize "$@"
  else
    "$@"
  fi
}
