# observe [N]: a cluster as by ./dev cluster, under a small load, with Prometheus and a receiver of traces beside it
#
# It prints where to look: Prometheus with the alerts of deploy/, the metrics of each node, and the file to which spans come as they are
# received. A Grafana of your own shows deploy/grafana-dashboard.json over that Prometheus. Everything is in build/observe/, begins anew with
# each run, and ends with Ctrl-C. Ports: as ./dev cluster, and 9090 for Prometheus (CONCORD_PROMETHEUS_UI_PORT).
# shellcheck source=tools/dev/cluster.sh
source "$parts/cluster.sh"

run_observe() {
  local count=${1:-3}
  [ $# -le 1 ] && [[ $count =~ ^[1-9]$ ]] || fail "usage: ./dev observe [N], 1 to 9 nodes"
  local program=${CONCORD_PROGRAM:-} collector=${CONCORD_TRACE_COLLECTOR:-}
  if [ -z "$program" ]; then
    ensure build test
    as_owner observe "$count"
    build_preset release concord span_collector
    program=$root/build/release/bin/concord
    collector=$root/build/release/tests/tracing/trace_collector
  fi
  command -v prometheus >/dev/null || fail "there is no prometheus here; Debian: prometheus"
  local home=${CONCORD_OBSERVE_DIR:-$root/build/observe}
  local api_port=${CONCORD_CLUSTER_API_PORT:-4000} peer_port=${CONCORD_CLUSTER_PEER_PORT:-9100}
  local ui_port=${CONCORD_PROMETHEUS_UI_PORT:-9090}
  rm -rf "$home"
  mkdir -p "$home"
  watchers=()
  trap end_all EXIT
  start_prometheus "$home" "$count" "$api_port" "$ui_port"
  local pages
  find_prometheus_pages "$home" "$ui_port"
  start_collector "$home" "$collector"
  local initial="" i
  for ((i = 0; i < count; ++i)); do initial+=${initial:+,}n$((i + 1))=127.0.0.1:$((peer_port + i)); done
  export CONCORD_TRACING_ENABLED=true CONCORD_TRACING_EXPORTER=otlp CONCORD_TRACING_ENDPOINT
  CONCORD_TRACING_ENDPOINT=$(head -n 1 "$home/spans.txt")
  export CONCORD_TRACING_SAMPLE_RATIO=0.05 CONCORD_PROMETHEUS_PORT=0
  start_nodes "$home" "$count" "$program" "$initial" "$api_port" "$peer_port"
  trap end_all EXIT # start_nodes has set its own
  wait_for_nodes
  put_load "$program" "http://127.0.0.1:$api_port" >"$home/load.log" 2>&1 &
  watchers+=($!)
  say "$count nodes, a load every few seconds, and who watches them; Ctrl-C ends everything"
  echo "Prometheus    $pages/graph?g0.expr=rate(concord_api_put_count_total%5B1m%5D)&g0.tab=0&g0.range_input=15m"
  echo "alerts        $pages/alerts"
  for ((i = 0; i < count; ++i)); do echo "metrics of n$((i + 1)) http://127.0.0.1:$((api_port + i))/metrics"; done
  echo "spans         tail -f ${home#"$root/"}/spans.txt"
  echo "dashboard     deploy/grafana-dashboard.json, for a Grafana with that Prometheus"
  wait_for_end
}

# start_prometheus <home> <count> <first api port> <port>
start_prometheus() {
  if (exec 3<>"/dev/tcp/127.0.0.1/$4") 2>/dev/null; then
    fail "port $4, for Prometheus, is taken; CONCORD_PROMETHEUS_UI_PORT names another"
  fi
  local targets="" i
  for ((i = 0; i < $2; ++i)); do targets+=${targets:+, }"'127.0.0.1:$(($3 + i))'"; done
  sed -e "s/'localhost:9568'/$targets/" -e 's/15s/2s/' "$root/deploy/prometheus.yml" >"$1/prometheus.yml"
  cp "$root/deploy/prometheus-alerts.yml" "$1/"
  prometheus --config.file="$1/prometheus.yml" --storage.tsdb.path="$1/prometheus" --web.listen-address="127.0.0.1:$4" \
    --log.level=warn >"$1/prometheus.log" 2>&1 </dev/null &
  watchers+=($!)
}

# find_prometheus_pages <home> <port>: sets pages to where they are, once it serves. Debian's has only the older ones, in a place of
# their own.
find_prometheus_pages() {
  pages=http://127.0.0.1:$2
  until curl -sf -m 5 -o /dev/null "$pages/-/ready"; do
    kill -0 "${watchers[-1]}" 2>/dev/null || fail "Prometheus did not start: $(tail -n 1 "$1/prometheus.log")"
    sleep 0.1
  done
  if curl -sf -m 5 -o /dev/null "$pages/classic/graph"; then pages+=/classic; fi
}

# start_collector <home> <program>: says its address first
start_collector() {
  "$2" >"$1/spans.txt" 2>"$1/spans.log" </dev/null &
  watchers+=($!)
  until [ -s "$1/spans.txt" ]; do
    kill -0 "${watchers[-1]}" 2>/dev/null || fail "the receiver of spans did not start; $1/spans.log says why"
    sleep 0.1
  done
}

put_load() {
  while sleep 2; do "$1" --endpoint "$2" bench --duration 500ms --warmup 0 --connections 2 --mix 4:1 || true; done
}

end_all() {
  local pid
  for pid in "${watchers[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  end_nodes
  for pid in "${watchers[@]}"; do wait "$pid" 2>/dev/null || true; done
}
