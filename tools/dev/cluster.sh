# cluster [N]: builds the program and runs N nodes (3) on this machine that are one cluster
#
# Their data is kept in build/cluster/: a second run goes on with it, and `rm -r build/cluster` begins anew. The ports are those a
# node takes by itself and the next ones: 4000, 4001, ... for the API, 9100, 9101, ... between members. CONCORD_CLUSTER_API_PORT and
# CONCORD_CLUSTER_PEER_PORT name other first ones, CONCORD_CLUSTER_DIR another directory, CONCORD_PROGRAM a program that is built
# already. Ctrl-C ends all nodes. When a node ends by itself that is told, and the others go on.
# shellcheck source=tools/dev/setup.sh
source "$parts/setup.sh"

run_cluster() {
  local count=${1:-3}
  [ $# -le 1 ] || fail "usage: ./dev cluster [N]"
  [[ $count =~ ^[1-9]$ ]] || fail "the number of nodes is 1 to 9, not \"$count\""
  local program=${CONCORD_PROGRAM:-}
  if [ -z "$program" ]; then
    ensure build
    as_owner cluster "$count"
    build_preset release concord
    program=$root/build/release/bin/concord
  fi
  local home=${CONCORD_CLUSTER_DIR:-$root/build/cluster}
  local api_port=${CONCORD_CLUSTER_API_PORT:-4000} peer_port=${CONCORD_CLUSTER_PEER_PORT:-9100}
  local initial="" endpoints="" i
  for ((i = 0; i < count; ++i)); do
    initial+=${initial:+,}n$((i + 1))=127.0.0.1:$((peer_port + i))
    endpoints+=${endpoints:+,}http://127.0.0.1:$((api_port + i))
  done
  mkdir -p "$home"
  refuse_other_size "$home" "$count"
  start_nodes "$home" "$count" "$program" "$initial" "$api_port" "$peer_port"
  wait_for_nodes
  say "$count nodes are one cluster; their data and logs are in ${home#"$root/"}"
  echo "export CONCORD_ENDPOINT=$endpoints"
  echo "$program cluster status"
  echo "curl -s http://127.0.0.1:$api_port/api/v1/cluster/members"
  say "Ctrl-C ends them all; the next ./dev cluster $count goes on with their data"
  wait_for_end
}

# The members are written down when a cluster forms: with other ones it would never be complete.
refuse_other_size() {
  local known=$1/size
  if [ -f "$known" ] && [ "$(cat "$known")" != "$2" ]; then
    fail "$1 holds a cluster of $(cat "$known") nodes: start ./dev cluster $(cat "$known"), or remove the directory"
  fi
  echo "$2" >"$known"
}

# start_nodes <home> <count> <program> <initial> <first api port> <first peer port>
# The cookie is no secret here: the ports are on the loopback only.
start_nodes() {
  local i name
  pids=() names=() logs=()
  trap end_nodes EXIT
  trap 'exit 0' INT TERM HUP
  for ((i = 0; i < $2; ++i)); do
    name=n$((i + 1))
    logs[i]=$1/$name.log
    : >"${logs[i]}.ready"
    "$3" start --node-name "$name" --node-data-dir "$1/$name" --api-port $(($5 + i)) --cluster-name dev \
      --cluster-cookie dev --cluster-peer-port $(($6 + i)) --cluster-initial "$4" \
      >"${logs[i]}.ready" 2>>"${logs[i]}" </dev/null &
    pids[i]=$!
    names[i]=$name
  done
}

wait_for_nodes() {
  local i
  for i in "${!pids[@]}"; do
    until [ -s "${logs[i]}.ready" ]; do
      if ! kill -0 "${pids[i]}" 2>/dev/null; then
        tail -n 5 "${logs[i]}" >&2
        fail "${names[i]} did not start"
      fi
      sleep 0.1
    done
  done
}

wait_for_end() {
  local left=${#pids[@]} i code ended
  while [ "$left" -gt 0 ]; do
    code=0
    wait -n -p ended "${pids[@]}" || code=$?
    for i in "${!pids[@]}"; do
      if [ "${pids[i]}" = "$ended" ]; then
        say "${names[i]} has ended with exit code $code; ${logs[i]} says why"
        unset "pids[$i]"
        left=$((left - 1))
      fi
    done
  done
}

end_nodes() {
  local pid
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
}
