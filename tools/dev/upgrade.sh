# upgrade [REF]: builds an older version and replaces it by this one, node by node, in a cluster under load
#
# REF is a tag or a commit. Without it, it is the newest tag, or, as long as there is none, the commit that stands in
# tests/process/previous_release.txt. The older version is built in build/previous/, once for each commit; its source comes from this
# checkout's history.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_upgrade() {
  [ $# -le 1 ] || fail "usage: ./dev upgrade [REF]"
  ensure build test
  as_owner upgrade "$@"
  local commit
  commit=$(git -C "$root" rev-parse --verify --quiet "$(previous_release "${1:-}")^{commit}") ||
    fail "there is no commit \"$(previous_release "${1:-}")\" in this checkout"
  local source=$root/build/previous/$commit
  build_previous "$commit" "$source"
  build_preset release concord
  say "from ${commit:0:12} to this tree"
  python3 -B "$root/tests/process/rolling_upgrade_test.py" "$source/build/bin/concord" "$root/build/release/bin/concord"
}

previous_release() {
  if [ -n "$1" ]; then
    echo "$1"
  else
    git -C "$root" describe --tags --abbrev=0 2>/dev/null || cat "$root/tests/process/previous_release.txt"
  fi
}

# build_previous <commit> <directory>
build_previous() {
  local built=$2/build/bin/concord
  [ -x "$built" ] && return
  say "building ${1:0:12} in ${2#"$root/"}"
  rm -rf "$2"
  mkdir -p "$2"
  git -C "$root" archive "$1" | tar -x -C "$2"
  (cd "$2" && cmake -G Ninja -B build -DCMAKE_BUILD_TYPE=Release -DCONCORD_TESTS=OFF -DCONCORD_WERROR=OFF >&2)
  cmake --build "$2/build" --parallel "$(jobs)" --target concord >&2
}
