# setup: installs what is missing to build and test (Debian 12 or later)
# shellcheck source=tools/dev/packages.sh
source "$parts/packages.sh"

# The first Rust that the locked dependencies of engine/ build with.
least_rust=1.85

run_setup() {
  [ $# -eq 0 ] || fail "setup takes no arguments"
  ensure build test
  say "ready: everything needed to build and test is installed"
}

# ensure <group>...: build, test, bench, clang, format, docs. Installs the packages of these groups that are missing. Asking dpkg
# costs some hundredths of a second, so it is asked on every call and nothing can go stale.
ensure() {
  local wanted=() group list
  for group in "$@"; do
    declare -n list="packages_$group"
    wanted+=("${list[@]}")
    if [ "$group" = build ] && ! has_rust; then wanted+=("${packages_rust[@]}"); fi
    if [ "$group" = build ] && ! has_node; then wanted+=("${packages_node[@]}"); fi
    if [ "$group" = build ] && ! has_go; then wanted+=("${packages_go[@]}"); fi
  done
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "this is no Debian: provide these yourself: ${wanted[*]}"
    return
  fi
  local missing=() installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
  local entry
  for entry in "${wanted[@]}"; do
    grep -qxE "${entry//+/\\+}" <<<"$installed" || missing+=("$entry")
  done
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

has_node() { command -v node >/dev/null && command -v npm >/dev/null; }

has_go() { command -v go >/dev/null || [ -x /usr/local/go/bin/go ]; }

has_rust() {
  local cargo version
  cargo=$(command -v cargo || ls "${HOME:-/root}/.cargo/bin/cargo" 2>/dev/null) || return 1
  version=$("$cargo" --version 2>/dev/null | awk '{ print $2 }') || return 1
  [ -n "$version" ] && [ "$(printf '%s\n' "$least_rust" "$version" | sort -V | head -n 1)" = "$least_rust" ]
}

# --no-remove: a package that would push out one of the user's stops the setup instead.
install_packages() {
  local become=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo here; as root, run: $root/dev setup"
    become=(sudo)
  fi
  local apt=("${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  say "missing: $*"
  say "apt-get update"
  "${apt[@]}" update </dev/null >&2 || say "apt-get update failed; going on with the lists that are here"
  local names=() entry
  for entry in "$@"; do names+=("$(first_offered "$entry")"); done
  say "apt-get install ${names[*]}"
  "${apt[@]}" install -y --no-install-recommends --no-remove -o Dpkg::Use-Pty=0 "${names[@]}" </dev/null >&2 ||
    fail "apt-get could not install them"
  case " ${names[*]} " in *" prometheus "*) stop_service "${become[*]}" prometheus ;; esac
}

# The tests start a Prometheus of their own; that the package's service runs on a developer's machine is nobody's wish.
stop_service() {
  [ -d /run/systemd/system ] || return 0
  # shellcheck disable=SC2086 # no word, or "sudo"
  $1 systemctl --quiet disable --now "$2.service" || say "the service $2 runs; to end it: systemctl disable --now $2"
}

# The first name of "a|b" that the archive has, else the first.
first_offered() {
  local name
  for name in ${1//|/ }; do
    if apt-cache show --no-all-versions "$name" >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  echo "${1%%|*}"
}
