# Debian packages, by what needs them. "a|b": any of them will do; the first one that the system offers is installed
# (Debian 12 names Boost 1.81 apart from its default 1.74 and has a Rust new enough only as rustc-web; Debian 13 does not).
packages_build=(
  g++ cmake ninja-build ccache pkg-config python3 git ca-certificates curl
  "libboost1.81-dev|libboost-dev" "libboost-json1.81-dev|libboost-json-dev" "libboost-url1.81-dev|libboost-url-dev"
  "libboost-system1.81-dev|libboost-system-dev"
  libssl-dev libabsl-dev libre2-dev libdeflate-dev libzstd-dev liblz4-dev libtomlplusplus-dev libcli11-dev
  libspdlog-dev libfmt-dev libgtest-dev libgmock-dev
)
packages_rust=("rustc-web|rustc" "cargo-web|cargo")
packages_node=(nodejs npm) # only where there is no npm of another origin
packages_go=(golang-go)    # only where there is no Go of another origin; any from 1.19 on
packages_test=(chromium python3-venv openssl man-db groff-base iproute2 dpkg-dev debootstrap prometheus strace valgrind)
packages_package=(dpkg-dev)
packages_bench=(libbenchmark-dev librocksdb-dev liblmdb-dev liburcu-dev libtbb-dev redis-tools heaptrack libjemalloc2 "libmimalloc2.0|libmimalloc3" python3-matplotlib)
# etcd is built from its Go module, with any Go from 1.24 on.
packages_server_bench=(wrk redis-tools)
packages_clang=(clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev)
packages_format=(clang-format-19)
packages_docs=(doxygen python3-venv)
