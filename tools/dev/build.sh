# build [target...]: a release build of everything, or of these targets
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_build() {
  ensure build
  as_owner build "$@"
  build_preset release "$@"
}
