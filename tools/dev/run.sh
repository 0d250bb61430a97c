# run [argument of start...]: builds the program and runs a node in the foreground
#
# The arguments go to `concord start`. Unless they, the environment or a configuration file say otherwise, the node keeps its
# data in build/run/data: it is still there at the next run, and goes with the build directory.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_run() {
  ensure build
  as_owner run "$@"
  build_preset release concord
  if [ -z "${CONCORD_DATA_DIR:-}${CONCORD_NODE_DATA_DIR:-}${CONCORD_CONFIG:-}" ] && ! names_data_dir "$@"; then
    mkdir -p "$root/build/run"
    export CONCORD_DATA_DIR=$root/build/run/data
    say "data directory: $CONCORD_DATA_DIR"
  fi
  say "starting: concord start${*:+ $*} (stop it with Ctrl-C)"
  exec "$root/build/release/bin/concord" start "$@"
}

names_data_dir() {
  local argument
  for argument in "$@"; do
    case $argument in
      --data-dir | --data-dir=* | --node-data-dir | --node-data-dir=* | --config | --config=*) return 0 ;;
    esac
  done
  return 1
}
