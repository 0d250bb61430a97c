# inspect [PIECE...]: sanitizers, fuzzing and clang-tidy in pieces of some minutes; without a name, the piece whose turn it is
#
# All of it takes hours on two processors (`./dev test --long`, `./dev lint`), so continuous integration does one piece a run. Whose turn
# it is follows from the number of commits: pieces change from run to run, and a checkout has the same piece wherever it is. `./dev
# inspect --list` names them.

# By name, a call of ./dev. The rooms whose threads meet are looked at for races, those that read bytes for memory.
pieces=(races memory-below fuzzing lint-below races-above memory-above lint-above)
declare -A piece_calls=(
  [races]="test --preset tsan --rooms|transport node"
  [races-above]="test --preset tsan --rooms|events audit database"
  [memory-below]="test --preset asan --rooms|value compress command acl store events log raft replica"
  [memory-above]="test --preset asan --rooms|transport security audit backup http"
  [fuzzing]="fuzz --seconds|5"
)

run_inspect() {
  if [ "${1:-}" = --list ]; then
    printf '%s\n' "${pieces[@]}"
    return
  fi
  local piece commits
  for piece in "$@"; do
    [[ " ${pieces[*]} " = *" $piece "* ]] || fail "there is no piece \"$piece\"; there are: ${pieces[*]}"
  done
  if [ $# -eq 0 ]; then
    commits=$(git -C "$root" rev-list --count HEAD 2>/dev/null) || commits=0
    set -- "${pieces[commits % ${#pieces[@]}]}"
  fi
  for piece in "$@"; do
    say "inspecting: $piece"
    inspect "$piece"
  done
}

inspect() {
  local call files
  case $1 in
    lint-below | lint-above)
      mapfile -t files < <(linted "$1")
      [ ${#files[@]} -gt 0 ] || fail "there are no files to look at"
      "$root/dev" lint "${files[@]}"
      ;;
    *)
      IFS='|' read -ra call <<<"${piece_calls[$1]}"
      # shellcheck disable=SC2086 # the words of a subcommand
      "$root/dev" ${call[0]} "${call[1]}"
      ;;
  esac
}

# The rooms up to node, in the order of cmake/rooms.txt; what stands above them, with the program.
linted() {
  local below above
  below=$(sed -nE '/^[a-z]+( pure)?:/s/^([a-z]+).*/\1/p' "$root/cmake/rooms.txt" | sed '/^node$/q')
  above=$(git -C "$root" ls-files 'src/*.cpp' 'apps/*.cpp' | grep -v '_test\.cpp$' | grep -vE "^src/($(paste -sd '|' <<<"$below"))/")
  if [ "$1" = lint-above ]; then
    sed "s|^|$root/|" <<<"$above"
  else
    git -C "$root" ls-files 'src/*.cpp' | grep -v '_test\.cpp$' | grep -E "^src/($(paste -sd '|' <<<"$below"))/" | sed "s|^|$root/|"
  fi
}
