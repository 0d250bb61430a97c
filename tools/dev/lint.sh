# lint [--changed | file...]: clang-tidy over src and apps, over what differs from the main branch, or over these files
#
# .clang-tidy says what it looks for. The whole takes two processors about ten minutes. Tests are left out unless they are
# named; for a header the files that include it are looked at.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_lint() {
  ensure build clang
  as_owner lint "$@"
  local names files
  if [ $# -eq 0 ]; then
    names=$(git -C "$root" ls-files --cached --others --exclude-standard 'src/*.cpp' 'apps/*.cpp' | grep -v '_test\.cpp$')
  elif [ "$1" = --changed ]; then
    [ $# -eq 1 ] || fail "--changed takes no files"
    names=$(changed_files | grep -v '_test\.cpp$') || true
  else
    names=$(realpath --relative-to="$root" -- "$@")
  fi
  files=$(sources_of "$names")
  if [ -z "$files" ]; then
    say "there is nothing to look at"
    return
  fi
  configure lint
  say "looking at $(wc -l <<<"$files") files"
  # run-clang-tidy takes patterns.
  local patterns
  mapfile -t patterns < <(sed -E 's/[][\.*^$+?(){}|]/\\&/g' <<<"$files" | sed "s|.*|/&\$|")
  (cd "$root" && run-clang-tidy-19 -quiet -p build/lint -j "$(jobs)" "${patterns[@]}") || fail "clang-tidy found something"
  say "clang-tidy found nothing"
}

# C++ of src and apps that differs from where this branch left the main branch, committed or not.
changed_files() {
  local main=main base
  git -C "$root" rev-parse --quiet --verify origin/main >/dev/null && main=origin/main
  base=$(git -C "$root" merge-base HEAD "$main") || fail "there is no branch $main to compare with"
  {
    git -C "$root" diff --name-only --diff-filter=d "$base"
    git -C "$root" ls-files --others --exclude-standard
  } | grep -E '^(src|apps|include)/.*\.(cpp|hpp)$'
}

# What the compiler sees of these files: a .cpp itself, for a header what includes it, without tests.
sources_of() {
  local name
  while read -r name; do
    case $name in
      *.cpp) echo "$name" ;;
      *.hpp) (cd "$root" && grep -rlF --include='*.cpp' -e "\"${name#src/}\"" -e "<${name#include/}>" src apps | grep -v '_test\.cpp$') || true ;;
      "") ;;
      *) fail "not a C++ file: $name" ;;
    esac
  done <<<"$1" | sort -u
}
