# fuzz [--seconds N] [target...]: feeds each fuzz target N seconds (default 60) with inputs of its own making
#
# Inputs that reach something new are kept in build/fuzz/corpus/<target> and tried first the next time; those that fail, in
# build/fuzz/failures/<target>. What stands in fuzz/dictionaries/<target>.dict is tried as a whole word.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_fuzz() {
  local seconds=60
  if [ "${1:-}" = --seconds ]; then
    seconds=${2:-}
    [[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "--seconds takes a number from 1"
    set -- "$1" "$seconds" "${@:3}"
  else
    set -- --seconds "$seconds" "$@"
  fi
  local known target
  known=$(fuzz_targets)
  for target in "${@:3}"; do
    grep -qxF -- "$target" <<<"$known" || fail "there is no fuzz target \"$target\"; there are: ${known//$'\n'/ }"
  done
  ensure build clang
  as_owner fuzz "$@"
  shift 2
  [ $# -gt 0 ] || mapfile -t known <<<"$known"
  [ $# -gt 0 ] || set -- "${known[@]}"
  build_preset fuzz "${@/#/fuzz_}"
  local failed=()
  for target in "$@"; do
    fuzz_one "$target" "$seconds" || failed+=("$target")
  done
  [ ${#failed[@]} -eq 0 ] || fail "failed: ${failed[*]}"
}

# Each file that defines an input's run is a target; its name is the target's.
fuzz_targets() {
  grep -lE '^void run\(' "$root"/fuzz/*.cpp | sed 's|.*/||; s|\.cpp$||' | sort
}

# fuzz_one <target> <seconds>: a line about it on stdout; false when an input failed.
fuzz_one() {
  local target=$1 seconds=$2 build=$root/build/fuzz
  local program=$build/bin/fuzz_$target corpus=$build/corpus/$target failures=$build/failures/$target
  local report=$build/fuzz_$target.log dictionary=$root/fuzz/dictionaries/$target.dict
  mkdir -p "$corpus" "$failures"
  "$program" --write-seeds="$corpus" || fail "$target: its first inputs could not be written to $corpus"
  local options=(-max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
    -artifact_prefix="$failures/")
  [ ! -f "$dictionary" ] || options+=(-dict="$dictionary")
  local result=passed
  "$program" "${options[@]}" "$corpus" >"$report" 2>&1 || result=FAILED
  local executions speed coverage
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$report" | tail -n 1)
  speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$report" | tail -n 1)
  coverage=$(sed -n 's/^#[0-9].* cov: \([0-9]*\) .*/\1/p' "$report" | tail -n 1)
  printf '%-14s %s: %s executions, %s a second, coverage %s, %s inputs kept\n' "$target" "$result" "${executions:-0}" \
    "${speed:-0}" "${coverage:-0}" "$(find "$corpus" -type f | wc -l)"
  [ $result = FAILED ] || return 0
  local input
  input=$(sed -n 's/.*Test unit written to //p' "$report" | tail -n 1)
  grep -hE 'what\(\):|ERROR:|runtime error:|panicked at' "$report" | head -n 3 | sed 's/^ */  /'
  printf '  input: %s\n  replay: %s %s\n  report: %s\n' "${input:-none was kept}" "$program" "$input" "$report"
  return 1
}
