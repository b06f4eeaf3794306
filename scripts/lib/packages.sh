# Sourced by the scripts beside it: puts Debian packages on the machine, once.
#
#   install_packages g++ cmake ..   installs those that are missing; silent when none is
#
# Works as root or with sudo. Services that come with a package (the memcached that tests compare
# with) are kept from starting, now and at the next boot: they would take Larder's port.

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    echo "${0##*/}: needs root or sudo to run: $*" >&2
    return 1
  fi
}

package_is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Prints those of its arguments that are not installed, one a line.
missing_packages() {
  local package
  for package in "$@"; do
    package_is_installed "$package" || printf '%s\n' "$package"
  done
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# The lists of available packages may be absent (a fresh image) or stale; only then are they fetched.
apt_install_with_fresh_lists_if_needed() {
  apt_install "$@" && return
  # A source that has nothing to do with this may be out of reach; the install will tell.
  as_root apt-get update -q || true
  apt_install "$@"
}

# Runs a command while a policy file forbids package scripts to start services; in a subshell, so
# that the file goes however this ends. A machine that has such a policy already keeps its own.
with_services_held() (
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy" || exit
  fi
  "$@"
)

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -eq 0 ]] && return
  if ! command -v apt-get >/dev/null; then
    echo "${0##*/}: no apt-get here; please install: ${missing[*]}" >&2
    return 1
  fi
  echo "== installing ${missing[*]}"
  with_services_held apt_install_with_fresh_lists_if_needed "${missing[@]}" || return
  if [[ " ${missing[*]} " == *" memcached "* ]] && command -v systemctl >/dev/null; then
    as_root systemctl disable --quiet memcached.service || true
  fi
}

# What a build without tests needs, and what the rest needs on top. (libmemcached's pkg-config file
# names libcrypto, though its package does not depend on it.)
build_packages=(
  g++ cmake ninja-build pkg-config
  libevent-dev libfmt-dev libseccomp-dev libtoml11-dev libxxhash-dev
)
test_packages=(
  catch2 libbenchmark-dev libmemcached-dev libssl-dev libmemcached-tools memcached
  clang libclang-rt-14-dev llvm python3 util-linux # llvm: names in what clang's sanitizers report
  valgrind
)
# The clients of tests/clients, each with what its language needs to run.
client_packages=(
  python3-pymemcache python3-pylibmc python3-binary-memcached python3-memcache
  php-cli php-memcached php-memcache
  ruby ruby-dalli
  libcache-memcached-perl libcache-memcached-fast-perl
  golang-go golang-github-bradfitz-gomemcache-dev
  default-jre-headless ecj libspymemcached-java
  nutcracker
  libanyevent-perl libterm-readkey-perl libyaml-perl # for damemtop, which is in memcached
)
check_packages=(clang-format clang-tidy git python3)
