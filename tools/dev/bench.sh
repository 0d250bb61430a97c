# bench [--all, --report ...]: measures Concord beside etcd, Redis, RocksDB and LMDB, and prints the ratios
#
# `./dev bench --setup` installs and builds all that is measured; every call does what of it is missing.
# `./dev bench --all` measures the parts embedded, data, server, cluster, growth, latency, memory and audit one after the other, in less than 20
# minutes on 2 processors; a part that fails does not keep the others from it. Each writes build/bench/PART.json; build/bench/all.json
# says how long each took. `./dev bench --report` then makes the tables and pictures of docs/performance.md of these files.
#
# The parts by themselves:
# `./dev bench` measures Concord beside RocksDB, LMDB and Redis inside a program, each row once: build/bench/embedded.json. `--filter data`
# measures the rows of the data model only, `--filter REGEX` what matches (build/bench/filtered.json); both leave Redis out.
# `--embedded` and `--data` are its two halves, each row three times.
# `--server [argument...]` measures `concord start` beside etcd and Redis by their clients; arguments: --seconds N, --rounds N, --row NAME,
# --markdown, --show (bench/server/run.py).
# `--cluster [argument...]` measures three nodes beside three members of etcd, leaders killed, paused and ended among it; arguments: the
# same, and --failovers N (bench/cluster/run.py).
# `--growth`, `--latency`, `--memory [argument...]`: how costs grow, how long requests take that arrive by the clock, and who holds the
# memory (bench/growth/run.py, bench/latency/run.py, bench/memory/run.py). `--audit`: what the audit log costs (bench/audit/run.py).
# `--churn [--minutes N]` looks for ten minutes whether a node grows whose keys stay as many (bench/memory/churn.py).
# `./dev bench table [argument...]` compares the store's key table with others (docs/decisions/0003-key-table.md),
# `./dev bench compression [argument...]` measures what packing values costs (docs/decisions/0005-compression.md).
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

# With these all parts together take less than 20 minutes; by itself a part takes its time.
declare -A part_arguments=(
  [embedded]="" [data]="" [server]="--seconds 2 --rounds 3" [cluster]="--seconds 1 --rounds 3 --failovers 12"
  [growth]="--seconds 2 --rounds 3" [latency]="--seconds 3 --rounds 2" [memory]="--rounds 3" [audit]="--seconds 1 --rounds 5"
)
parts_of_all=(embedded data server cluster growth latency memory audit)

run_bench() {
  ensure build bench server_bench
  as_owner bench "$@"
  case ${1:-} in
    --setup)
      build_preset bench concord embedded_bench growth_bench items_bench churn_bench audit_bench
      build_etcd || say "etcd could not be built, and will be left out; it needs Go and its module proxy"
      ;;
    --all) bench_all "${@:2}" ;;
    --report) "$(drawing_python)" -B "$root/bench/report/report.py" "$root/build/bench" "$root/docs" ;;
    --embedded | --data) bench_embedded "${1#--}" "${1#--}" "${@:2}" ;;
    --server | --cluster) bench_processes "${1#--}" "bench/${1#--}/run.py" concord "${@:2}" ;;
    --growth) bench_processes growth bench/growth/run.py "concord growth_bench" "${@:2}" ;;
    --latency) bench_processes latency bench/latency/run.py concord "${@:2}" ;;
    --memory) bench_processes memory bench/memory/run.py items_bench "${@:2}" ;;
    --audit) bench_processes audit bench/audit/run.py audit_bench "${@:2}" ;;
    --churn) bench_processes churn bench/memory/churn.py churn_bench "${@:2}" ;;
    table)
      build_preset bench store_table_bench
      "$root/build/bench/bin/store_table_bench" "${@:2}"
      ;;
    compression)
      build_preset bench compression_bench
      "$root/build/bench/bin/compression_bench" "${@:2}"
      ;;
    --filter)
      local filter=${2:?a regular expression over the names, or: data}
      [ "$filter" != data ] || filter='put_ttl|touch|delete|put_many|put_1KB|put_10KB|text|where|count|expiry'
      bench_embedded filtered filtered --benchmark_filter="$filter" "${@:3}"
      ;;
    *) bench_embedded embedded all "$@" ;;
  esac
}

# bench_embedded NAME_OF_RESULTS PART [argument of the benchmark...]
bench_embedded() {
  build_preset bench embedded_bench
  say "measuring; the machine should have nothing else to do"
  (cd "$root/build/bench" && python3 -B "$root/bench/embedded/run.py" "$root/build/bench/$1.json" --tools "$root/build/bench" --part "$2" "${@:3}")
}

# bench_processes NAME_OF_RESULTS SCRIPT "TARGET..." [argument of the script...]
bench_processes() {
  local targets
  read -ra targets <<<"$3"
  build_preset bench "${targets[@]}"
  case $1 in
    server | cluster) build_etcd || say "etcd could not be built, left out; it needs Go and its module proxy" ;;
  esac
  say "measuring; the machine should have nothing else to do"
  (cd "$root/build/bench" && python3 -B "$root/$2" "$root/build/bench/$1.json" --tools "$root/build/bench" "${@:4}")
}

# Each part is a process of its own: what ends one leaves the others.
bench_all() {
  [ $# -eq 0 ] || fail "--all takes no arguments; each part by itself does"
  "$root/dev" bench --setup
  local part begin failed=() lines=() code arguments
  for part in "${parts_of_all[@]}"; do
    read -ra arguments <<<"${part_arguments[$part]}"
    say "part $part"
    begin=$SECONDS
    code=0
    "$root/dev" bench "--$part" "${arguments[@]}" || code=$?
    [ "$code" -eq 0 ] || failed+=("$part")
    lines+=("\"$part\": {\"seconds\": $((SECONDS - begin)), \"exit_code\": $code}")
    printf '{"date": "%s", "parts": {%s}}\n' "$(date -u +%F)" "$(IFS=,; echo "${lines[*]}")" >"$root/build/bench/all.json"
  done
  say "$(cat "$root/build/bench/all.json")"
  [ ${#failed[@]} -eq 0 ] || fail "these parts failed: ${failed[*]}"
  say "./dev bench --report writes it into docs/performance.md"
}

# A Python that has Matplotlib: Debian's package is for Debian's own, which may not be the first on the PATH.
drawing_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import matplotlib' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  fail "no Python here has Matplotlib (Debian: python3-matplotlib)"
}

# etcd and its load generator, of the versions that bench/server/etcd_load/go.mod names, into build/bench/etcd.
build_etcd() {
  local go
  go=$(command -v go || ls /usr/local/go/bin/go 2>/dev/null) || return 1
  say "building etcd in build/bench/etcd"
  mkdir -p "$root/build/bench/etcd"
  (cd "$root/bench/server/etcd_load" && "$go" build -o "$root/build/bench/etcd/" . go.etcd.io/etcd/server/v3 >&2)
}
