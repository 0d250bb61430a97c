# docs [--program FILE]: the documentation as a site in build/docs/, with references made from the program
#
# The program is built first, unless one is given. Python packages (tools/docs/requirements.txt) and Doxygen are installed when they are
# missing; building and testing need neither. Links that lead nowhere, and pages that no menu names, are errors.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_docs() {
  local program=
  if [ "${1:-}" = --program ]; then
    program=$(realpath -- "${2:-}") && [ -x "$program" ] || fail "--program takes the concord to make the references with"
    shift 2
  fi
  [ $# -eq 0 ] || fail "docs takes no arguments but --program FILE"
  ensure docs
  if [ -z "$program" ]; then ensure build; fi
  as_owner docs ${program:+--program "$program"}
  if [ -z "$program" ]; then
    build_preset release concord
    program=$root/build/release/bin/concord
  fi
  docs_environment
  say "gathering the pages in build/docs-source"
  "$root/build/docs-environment/bin/python" -B "$root/tools/docs/gather.py" "$root" "$root/build/docs-source" --program "$program" \
    --doxygen "$(command -v doxygen || true)"
  say "building the site"
  NO_MKDOCS_2_WARNING=1 "$root/build/docs-environment/bin/mkdocs" build --strict --clean --config-file "$root/tools/docs/mkdocs.yml"
  "$root/build/docs-environment/bin/python" -B "$root/tools/docs/look.py" "$root/build/docs"
  say "built: $root/build/docs/index.html"
}

# The packages of requirements.txt, installed once and again when that file has changed.
docs_environment() {
  local environment=$root/build/docs-environment requirements=$root/tools/docs/requirements.txt
  cmp -s "$requirements" "$environment/installed" && return
  say "installing what the site is built with"
  python3 -m venv --clear "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --retries 5 -r "$requirements"
  cp "$requirements" "$environment/installed"
}
