# format: puts every C++ file into the project's form
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_format() {
  ensure format
  as_owner format
  git -C "$root" ls-files -z --cached --others --exclude-standard '*.cpp' '*.hpp' '*.h' | (cd "$root" && xargs -0 clang-format-19 -i)
  say "formatted"
}
