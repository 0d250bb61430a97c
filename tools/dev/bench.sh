# bench [argument of the benchmark...]: measures Concord beside RocksDB and LMDB, and prints the ratios
#
# Writes build/bench/embedded.json. `./dev bench --benchmark_filter=put` measures less.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_bench() {
  ensure build bench
  as_owner bench "$@"
  build_preset bench embedded_bench
  local out=$root/build/bench/embedded.json
  say "measuring; the machine should have nothing else to do"
  (cd "$root/build/bench" && ./bin/embedded_bench --benchmark_out="$out" --benchmark_out_format=json \
    --benchmark_counters_tabular=false "$@")
  python3 -B "$root/bench/report.py" "$out"
}
