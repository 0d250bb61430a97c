# test [argument of ctest...]: builds everything and runs every test
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_test() {
  ensure build
  as_owner test "$@"
  build_preset release
  say "running the tests"
  exec ctest --test-dir "$root/build/release" --output-on-failure --no-tests=error --parallel "$(nproc)" "$@"
}
