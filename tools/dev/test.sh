# test [--preset NAME] [arg...]: builds everything and runs every test (release, debug, asan or tsan); the rest is for ctest
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_test() {
  local preset=release
  if [ "${1:-}" = --preset ]; then
    preset=${2:-}
    case $preset in
      release | debug | asan | tsan) ;;
      *) fail "--preset is one of release, debug, asan, tsan" ;;
    esac
    set -- "${@:3}"
  fi
  ensure build test
  if [ "$preset" = tsan ]; then ensure clang; fi
  as_owner test --preset "$preset" "$@"
  build_preset "$preset"
  say "running the tests of build/$preset"
  exec ctest --test-dir "$root/build/$preset" --output-on-failure --no-tests=error --parallel "$(nproc)" "$@"
}
