# sim [--seed N | --seeds K | --minutes M] [arg...]: runs simulated clusters full of faults, each run following from its seed alone
#
# Without arguments: 200 seeds. `--seed N` tells one run from beginning to end. What it prints when a run goes wrong is the end of
# that run's story; the same seed on the same commit is the same run. `--first`, `--simulated`, `--lines`, `--jobs`: see `--help`.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_sim() {
  ensure build test
  as_owner sim "$@"
  build_preset release concord_simulator
  exec "$root/build/release/bin/concord_sim" "$@"
}
