# bench [argument of the benchmark...]: measures Concord beside RocksDB, LMDB and Redis, and prints the ratios
#
# Writes build/bench/embedded.json. `./dev bench --filter data` measures the rows of the data model only, `--filter REGEX` what
# matches; both leave Redis out.
# `./dev bench --server [argument...]` measures `concord start` beside etcd and Redis by their clients and writes build/bench/server.json;
# arguments: --seconds N, --rounds N, --row NAME, --markdown, --show (bench/server/run.py).
# `./dev bench --cluster [argument...]` measures three nodes beside three members of etcd, leaders killed, paused and ended among it, and
# writes build/bench/cluster.json; arguments: the same, and --failovers N (bench/cluster/run.py).
# `./dev bench table [argument...]` compares the store's key table with others instead (docs/decisions/0003-key-table.md),
# `./dev bench compression [argument...]` measures what packing values costs (docs/decisions/0005-compression.md).
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_bench() {
  if [ "${1:-}" = --server ] || [ "${1:-}" = --cluster ]; then
    ensure build bench server_bench
    as_owner bench "$@"
    bench_processes "${1#--}" "${@:2}"
    return
  fi
  ensure build bench
  as_owner bench "$@"
  if [ "${1:-}" = table ]; then
    build_preset bench store_table_bench
    "$root/build/bench/bin/store_table_bench" "${@:2}"
    return
  fi
  if [ "${1:-}" = compression ]; then
    build_preset bench compression_bench
    "$root/build/bench/bin/compression_bench" "${@:2}"
    return
  fi
  if [ "${1:-}" = --filter ]; then
    local filter=${2:?a regular expression over the names, or: data}
    [ "$filter" != data ] || filter='put_ttl|touch|delete|put_many|put_1KB|put_10KB|text|where|count|expiry'
    set -- --benchmark_filter="$filter" "${@:3}"
  fi
  build_preset bench embedded_bench
  local out=$root/build/bench/embedded.json
  say "measuring; the machine should have nothing else to do"
  (cd "$root/build/bench" && ./bin/embedded_bench --benchmark_out="$out" --benchmark_out_format=json \
    --benchmark_counters_tabular=false "$@")
  [ $# -gt 0 ] || (cd "$root/build/bench" && python3 -B "$root/bench/redis.py" "$out") || say "Redis could not be measured"
  python3 -B "$root/bench/report.py" "$out"
}

# bench_processes server|cluster [argument...]
bench_processes() {
  local out=$root/build/bench/$1.json
  build_preset bench concord
  build_etcd || say "etcd could not be built, left out; it needs Go and its module proxy"
  say "measuring; the machine should have nothing else to do"
  (cd "$root/build/bench" && python3 -B "$root/bench/$1/run.py" "$out" --tools "$root/build/bench" "${@:2}")
}

# etcd and its load generator, of the versions that bench/server/etcd_load/go.mod names, into build/bench/etcd.
build_etcd() {
  local go
  go=$(command -v go || ls /usr/local/go/bin/go 2>/dev/null) || return 1
  say "building etcd in build/bench/etcd"
  mkdir -p "$root/build/bench/etcd"
  (cd "$root/bench/server/etcd_load" && "$go" build -o "$root/build/bench/etcd/" . go.etcd.io/etcd/server/v3 >&2)
}
