# test [--preset NAME] [--long] [arg...]: builds everything and runs every test (release, debug, asan or tsan); the rest is for ctest
#
# --long is for a machine that has hours: more rounds of kills, more states of crashes, faults for longer, and at the end every fuzz
# target for a while. How much can be set by CONCORD_CRASH_ROUNDS, CONCORD_SEEDS, CONCORD_LOSSES, CONCORD_LINEARIZABILITY_SECONDS.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_test() {
  local preset=release long=no given=("$@")
  while [ "${1:-}" = --preset ] || [ "${1:-}" = --long ]; do
    if [ "$1" = --long ]; then
      long=yes
      shift
      continue
    fi
    preset=${2:-}
    case $preset in
      release | debug | asan | tsan) ;;
      *) fail "--preset is one of release, debug, asan, tsan" ;;
    esac
    shift 2
  done
  ensure build test
  if [ "$preset" = tsan ]; then ensure clang; fi
  as_owner test "${given[@]}"
  build_preset "$preset"
  say "running the tests of build/$preset"
  local tests=(ctest --test-dir "$root/build/$preset" --output-on-failure --no-tests=error --parallel "$(nproc)" "$@")
  [ $long = yes ] || exec "${tests[@]}"
  export CONCORD_CRASH_ROUNDS=${CONCORD_CRASH_ROUNDS:-250} CONCORD_SEEDS=${CONCORD_SEEDS:-1000}
  export CONCORD_LOSSES=${CONCORD_LOSSES:-40} CONCORD_LINEARIZABILITY_SECONDS=${CONCORD_LINEARIZABILITY_SECONDS:-600}
  "${tests[@]}"
  exec "$root/dev" fuzz --seconds 60
}
