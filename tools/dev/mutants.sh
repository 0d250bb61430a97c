# mutants [name...]: puts known defects back, one after the other, and looks whether the test that is to see each one fails
#
# One build (build/mutants) has all of them and a process is at most one; tests/mutants/mutants.txt is the list. Fails if one survives.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_mutants() {
  ensure build test
  as_owner mutants "$@"
  local programs
  mapfile -t programs < <(mutant_programs)
  build_preset mutants "${programs[@]}"
  python3 -B "$root/tests/mutants/try_mutants.py" "$root/build/mutants/bin" "$@"
}

# What the tests of the list are built by.
mutant_programs() {
  sed -n '/^#/d; s/^[^|]*|[^|]*|[^|]*| *\([^ ]*\).*/\1/p' "$root/tests/mutants/mutants.txt" | sed 's/^sim$/concord_simulator/' | sort -u
}
