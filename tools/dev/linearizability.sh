# linearizability [--minutes M] [--seed N] [--nodes N]: breaks real clusters while clients write down what they see, and checks that
#
# Rounds of a minute, by turns with three and five nodes or with as many as asked for, for M minutes (default 5); the first has seed N,
# each next one the next. Needs root, for networks of its own. What has failed is kept in build/linearizability/.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_linearizability() {
  local minutes=5 seed=$RANDOM$RANDOM nodes=""
  while [ $# -gt 0 ]; do
    [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "$1 takes a number from 1"
    case $1 in
      --minutes) minutes=$2 ;;
      --seed) seed=$2 ;;
      --nodes) nodes=$2 ;;
      *) fail "there is no argument \"$1\"" ;;
    esac
    shift 2
  done
  [ "$(id -u)" = 0 ] || fail "needs root, to make network namespaces"
  ensure build test
  build_preset release concord linearizability_checker
  local build=$root/build/release end=$((SECONDS + minutes * 60)) round=0 failed=0 of work
  while [ $SECONDS -lt $end ]; do
    of=${nodes:-$((round % 2 == 0 ? 3 : 5))}
    work=$root/build/linearizability/seed-$seed
    if ! python3 -B "$root/tests/linearizability/run.py" "$build/bin/concord" "$build/tests/linearizability/checker" "$work" \
      --nodes "$of" --seconds 60 --seed "$seed"; then
      failed=$((failed + 1))
      say "seed $seed with $of nodes failed; its history and logs are in ${work#"$root/"}"
    fi
    round=$((round + 1))
    seed=$((seed + 1))
  done
  say "$round rounds, $failed failed"
  [ "$failed" = 0 ]
}
