# What every subcommand shares: messages, the privileges to build with, presets. Sourced by `dev`; $root is the checkout.

# ccache finds what a file includes in the list that the compiler writes anyway, and does not preprocess it first: that would be
# work for nothing in a build that finds nothing in the cache, as the first one of a clone.
export CCACHE_DEPEND=${CCACHE_DEPEND:-true}

say() { printf 'dev: %s\n' "$*" >&2; }
fail() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# After setup nothing needs root. Called through sudo by the owner of the checkout, dev goes on as that owner, so that the
# build directory does not end up with files its owner can't remove. Takes the words to start dev with again.
as_owner() {
  [ "$(id -u)" = 0 ] && [ -n "${SUDO_USER:-}" ] && [ "${SUDO_UID:-0}" != 0 ] || return 0
  [ "$(stat -c %u "$root")" = "$SUDO_UID" ] || return 0
  exec sudo -H -u "$SUDO_USER" -- env "PATH=$PATH" "CONCORD_JOBS=${CONCORD_JOBS:-}" "$root/dev" "$@"
}

# Compilers at once: one a processor, as far as 1.5 GiB of free memory each allow.
jobs() {
  if [ -n "${CONCORD_JOBS:-}" ]; then
    echo "$CONCORD_JOBS"
    return
  fi
  local processors memory_jobs
  processors=$(nproc)
  memory_jobs=$(awk '/^MemAvailable:/ { print int($2 / (1536 * 1024)) }' /proc/meminfo)
  [ "$memory_jobs" -ge 1 ] || memory_jobs=1
  echo $((processors < memory_jobs ? processors : memory_jobs))
}

# configure <preset>: once; later changes of CMake's files are seen by the build itself.
configure() {
  [ -f "$root/build/$1/build.ninja" ] && return
  say "configuring build/$1"
  (cd "$root" && cmake --preset "$1" >&2)
}

# build_preset <preset> [target...]
build_preset() {
  local preset=$1
  shift
  configure "$preset"
  say "building ${*:-everything} in build/$preset"
  cmake --build "$root/build/$preset" --parallel "$(jobs)" ${1:+--target "$@"} >&2
}
