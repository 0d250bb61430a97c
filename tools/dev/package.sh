# package: Debian packages (library, development, program, server) and a tarball, in build/packages/
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_package() {
  [ $# -eq 0 ] || fail "package takes no arguments"
  ensure build package
  as_owner package
  build_preset release concord concord_library concord_described
  say "packing"
  rm -rf "$root/build/packages"
  (cd "$root/build/release" && cpack -B "$root/build/packages" >&2)
  rm -rf "$root/build/packages/_CPack_Packages"
  ls -1 "$root"/build/packages/*
}
