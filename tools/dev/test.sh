# test [--long or --preset NAME] [arg...]: builds everything and runs every test (release, debug, asan or tsan); the rest is for ctest
#
# `--preset NAME --rooms "store log"` builds and runs only the tests beside the code of these rooms of src/.
# --long is for a machine that has hours: more rounds of kills, more states of crashes, faults for longer; then under both presets of
# sanitizers the tests beside the code and those of clusters of processes; at the end every fuzz target and simulated clusters for a
# while. How much can be set by CONCORD_CRASH_ROUNDS, CONCORD_SEEDS, CONCORD_LOSSES, CONCORD_LINEARIZABILITY_SECONDS.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_test() {
  local preset=release words=() rooms=()
  case ${1:-} in
    --long)
      preset=long
      words=(--long)
      shift
      ;;
    --preset)
      preset=${2:-}
      case $preset in
        release | debug | asan | tsan) ;;
        *) fail "--preset is one of release, debug, asan, tsan" ;;
      esac
      words=(--preset "$preset")
      shift 2
      if [ "${1:-}" = --rooms ]; then
        read -ra rooms <<<"${2:-}"
        check_rooms "${rooms[@]}"
        words+=(--rooms "$2")
        shift 2
      fi
      ;;
  esac
  ensure build test
  if [ "$preset" = tsan ] || [ "$preset" = long ]; then ensure clang; fi
  as_owner test "${words[@]}" "$@"
  if [ "$preset" = long ]; then
    run_long_tests "$@"
  elif [ ${#rooms[@]} -gt 0 ]; then
    build_preset "$preset" "${rooms[@]/%/_test}"
    run_tests_of "$preset" --tests-regex "^($(IFS='|' && echo "${rooms[*]}"))\." "$@"
  else
    build_preset "$preset"
    run_tests_of "$preset" "$@"
  fi
}

run_long_tests() {
  local preset targets
  build_preset release
  CONCORD_CRASH_ROUNDS=${CONCORD_CRASH_ROUNDS:-250} CONCORD_SEEDS=${CONCORD_SEEDS:-1000} CONCORD_LOSSES=${CONCORD_LOSSES:-40} \
    CONCORD_LINEARIZABILITY_SECONDS=${CONCORD_LINEARIZABILITY_SECONDS:-600} run_tests_of release "$@"
  for preset in asan tsan; do
    mapfile -t targets < <(sanitized_targets)
    build_preset "$preset" "${targets[@]}"
    run_tests_of "$preset" --tests-regex "^($(rooms_with_tests | paste -sd '|')|process\.cluster)" "$@"
  done
  "$root/dev" fuzz --seconds 60
  "$root/dev" sim --minutes 30
}

# run_tests_of <preset> [argument of ctest...]
run_tests_of() {
  say "running the tests of build/$1"
  ctest --test-dir "$root/build/$1" --output-on-failure --no-tests=error --parallel "$(nproc)" "${@:2}"
}

check_rooms() {
  local room known
  known=$(rooms_with_tests)
  [ $# -gt 0 ] || fail "--rooms takes names of rooms; there are: ${known//$'\n'/ }"
  for room in "$@"; do
    grep -qxF -- "$room" <<<"$known" || fail "no room \"$room\" has tests; there are: ${known//$'\n'/ }"
  done
}

rooms_with_tests() {
  grep -lE '^ *TESTS ' "$root"/src/*/CMakeLists.txt | sed -E 's|.*/([a-z]+)/CMakeLists.txt$|\1|'
}

sanitized_targets() {
  rooms_with_tests | sed 's/$/_test/'
  echo concord
}
