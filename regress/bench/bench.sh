#!/bin/bash
# bench.sh: what the gateway costs; `make bench`. Prints figures and asserts none: machines differ.
#
# Three configurations are measured by turns, in several short rounds, so that what else happens on
# the machine hits all of them; the figures are medians of the rounds.
#     a  HAProxy alone: a frontend, a backend, a log line a request
#     b  the generated configuration with null_agent, which answers at once and decides nothing
#     c  the gateway: cc-spoa verifies the RS256 token and decides
# CPU time is the kernel's (/proc/PID/task/*/schedstat), divided by the requests of the round. With
# two or more CPUs the load and the backend run on the first, HAProxy and agent on the second.
#
# BENCH_ROUNDS (5), BENCH_SECONDS (3) and BENCH_CONNECTIONS (32) change the effort. BENCH_PART=limits or
# BENCH_PART=shared measures only what throttling costs, or only limits that are shared (regress/bench/shared.sh).
set -u
cd "$(dirname "$0")/../.." || exit 1

rounds=${BENCH_ROUNDS:-5}
seconds=${BENCH_SECONDS:-3}
connections=${BENCH_CONNECTIONS:-32}
gen=build/bin/cc-gen
spoa=build/bin/cc-spoa
tools=build/release/tools
benches=build/release/bench
PATH=$PATH:/usr/sbin:/usr/local/sbin
dir=$(mktemp -d /tmp/cc-bench.XXXXXX)
export XDG_STATE_HOME="$dir/state"
pids=()
declare -A haproxy_pid agent_pid url

finish() {
    status=$?
    trap - EXIT INT TERM HUP
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
    wait
    rm -rf "$dir"
    exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

fail() {
    echo "bench: $1" >&2
    exit 1
}

if [ "$(nproc)" -ge 2 ]; then
    on_load='taskset -c 0'
    on_gateway='taskset -c 1'
    cpus='load and backend on CPU 0, HAProxy and agent on CPU 1'
else
    on_load='' on_gateway=''
    cpus='one CPU for everything: compare the CPU times, not the rates'
fi

# begin COMMAND...: starts it in the background, its pid in $!.
begin() {
    "$@" >>"$dir/log" 2>&1 </dev/null &
    pids+=($!)
}

# wait_for WHAT COMMAND...: until the command succeeds, at most 60 s: an agent that has lost its Redis several times waits longer
# from time to time until it tries again.
wait_for() {
    local what=$1
    shift
    for _ in $(seq 600); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    tail -20 "$dir/log" >&2
    fail "$what does not get ready"
}

# Picks five ports that nothing listens on.
ports=()
for port in $(shuf -i 20000-29999 -n 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || ports+=("$port")
    [ ${#ports[@]} -lt 4 ] || break
done

start_backend() {
    cat >"$dir/backend.cfg" <<END
global
    nbthread 1
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
frontend backend
    bind 127.0.0.1:${ports[0]}
    http-request return status 200 content-type application/json string '{"pets":[]}'
END
    begin $on_load haproxy -db -f "$dir/backend.cfg"
    wait_for backend curl -sf "http://127.0.0.1:${ports[0]}/"
}

start_plain() {
    cat >"$dir/plain.cfg" <<END
global
    nbthread 1
    log stdout format raw local0 info
defaults
    mode http
    log global
    option httplog
    http-reuse safe
    timeout client 60s
    timeout server 60s
    timeout connect 5s
frontend plain
    bind 127.0.0.1:${ports[1]}
    default_backend servers
backend servers
    server s1 127.0.0.1:${ports[0]}
END
    $on_gateway haproxy -db -f "$dir/plain.cfg" >/dev/null 2>>"$dir/log" </dev/null &
    pids+=($!)
    haproxy_pid[a]=$!
    url[a]=http://127.0.0.1:${ports[1]}/v2/pets
    wait_for 'HAProxy alone' curl -sf "${url[a]}"
}

# The example project with the backend of this bench.
make_project() {
    cp -r examples/petstore "$dir/petstore"
    sed -i "s/127\.0\.0\.1:8080/127.0.0.1:${ports[0]}/" "$dir/petstore/api.yaml" \
        "$dir/petstore/Definitions/swagger.yaml"
    cat >"$dir/dev.yaml" <<END
enforcer:
  security:
    tokenService:
      - name: bench
        issuer: https://bench.example
        certificateFilePath: $dir/public.pem
router:
  listenerHost: 127.0.0.1
  securedListenerPort: 0
agent:
  workers: 1
END
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$dir/key.pem" 2>/dev/null
    chmod 600 "$dir/key.pem"
    openssl pkey -in "$dir/key.pem" -pubout -out "$dir/public.pem"
    "$gen" token --key "$dir/key.pem" --issuer https://bench.example --scope read:pets \
        --expires 36000 >"$dir/token" || fail 'no token'
    printf 'global\n    nbthread 1\n' >"$dir/threads.cfg"
}

# start_gateway NAME PORT: builds it, starts its agent and its HAProxy.
start_gateway() {
    local out=$dir/$1
    "$gen" build -c "$dir/dev.yaml" -o "$out" --set agent.socket="$dir/$1.sock" \
        --set router.listenerPort="$2" "$dir/petstore" >>"$dir/log" 2>&1 ||
        { cat "$dir/log" >&2; fail 'cc-gen build'; }
    if [ "$1" = b ]; then
        begin $on_gateway "$benches/null_agent" "$dir/b.sock" \
            "$(grep -o '^backend cc_b_[0-9a-f]*' "$out/haproxy/cc.cfg" | head -1 | cut -d' ' -f2)"
    else
        begin $on_gateway "$spoa" -c "$dir/dev.yaml" -s "$out/gateway.json" \
            --set agent.socket="$dir/$1.sock"
    fi
    agent_pid[$1]=$!
    wait_for "agent of $1" test -S "$dir/$1.sock"
    $on_gateway haproxy -db -f "$dir/threads.cfg" -f "$out/haproxy/standalone.cfg" \
        -f "$out/haproxy/cc.cfg" >/dev/null 2>>"$dir/log" </dev/null &
    pids+=($!)
    haproxy_pid[$1]=$!
    url[$1]=http://127.0.0.1:$2/petstore/1.0.0/pets
    wait_for "gateway $1" curl -sf -H 'Host: localhost' \
        -H "Authorization: Bearer $(cat "$dir/token")" "${url[$1]}"
}

# Nanoseconds of CPU that a process has used; 0 for none.
cpu_ns() {
    [ -n "$1" ] || { echo 0; return; }
    cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

rss_kib() {
    [ -n "$1" ] || { echo 0; return; }
    awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

# round NAME SECONDS: one line "rate p50 p99 haproxy_us agent_us" on stdout.
round() {
    local haproxy=${haproxy_pid[$1]} agent=${agent_pid[$1]:-}
    local h0 h1 a0 a1
    h0=$(cpu_ns "$haproxy") a0=$(cpu_ns "$agent")
    $on_load wrk -t1 -c"$connections" -d"$2s" --latency \
        -H 'Host: localhost' -H "Authorization: Bearer $(cat "$dir/token")" "${url[$1]}" \
        >"$dir/wrk" || fail wrk
    h1=$(cpu_ns "$haproxy") a1=$(cpu_ns "$agent")
    ! grep -q 'Non-2xx' "$dir/wrk" || { cat "$dir/wrk" >&2; fail "configuration $1 refused requests"; }
    awk -v haproxy=$((h1 - h0)) -v agent=$((a1 - a0)) '
        function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t * 1000000 }
        $1 == "50%" { p50 = us($2) }
        $1 == "99%" { p99 = us($2) }
        / requests in / { n = $1 }
        /^Requests\/sec/ { rate = $2 }
        END { printf "%.0f %.0f %.0f %.2f %.2f\n", rate, p50, p99, haproxy / n / 1000, agent / n / 1000 }
    ' "$dir/wrk"
}

# Median of column $2 of file $1.
median() {
    awk -v c="$2" '{ print $c }' "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

measure() {
    for c in a b c; do round $c 1 >/dev/null; done
    for _ in $(seq "$rounds"); do
        for c in a b c; do round $c "$seconds" >>"$dir/rounds.$c"; done
    done
    printf '%-28s %9s %8s %8s %11s %10s %12s %10s\n' configuration req/s 'p50 us' 'p99 us' \
        'HAProxy us' 'agent us' 'HAProxy KiB' 'agent KiB'
    local names=([0]='a HAProxy alone' [1]='b with null_agent' [2]='c gateway, RS256 token')
    local i=0
    for c in a b c; do
        printf '%-28s %9s %8s %8s %11s %10s %12s %10s\n' "${names[$i]}" \
            "$(median "$dir/rounds.$c" 1)" "$(median "$dir/rounds.$c" 2)" \
            "$(median "$dir/rounds.$c" 3)" "$(median "$dir/rounds.$c" 4)" \
            "$(median "$dir/rounds.$c" 5)" "$(rss_kib "${haproxy_pid[$c]}")" \
            "$(rss_kib "${agent_pid[$c]:-}")"
        i=$((i + 1))
    done
    # Ratios of the rounds that ran side by side, then their median: steadier than a ratio of medians.
    paste "$dir/rounds.a" "$dir/rounds.b" "$dir/rounds.c" |
        awk '{ print ($14 + $15) / ($9 + $10), ($14 + $15) / $4, $11 / $6 }' >"$dir/ratios"
    printf 'CPU a request, c to b: %.3f    c to a: %.2f    rate, c to b: %.3f\n' \
        "$(median "$dir/ratios" 1)" "$(median "$dir/ratios" 2)" "$(median "$dir/ratios" 3)"
}

. regress/bench/scale.sh
. regress/bench/checks.sh
. regress/bench/limits.sh
. regress/bench/shared.sh

echo "$(haproxy -v | head -1)"
echo "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(nproc) CPUs; $cpus"
echo "$rounds rounds of $seconds s for each configuration, $connections connections, HAProxy and agent with one thread"
echo
start_backend
start_plain
make_project
case ${BENCH_PART:-all} in
shared | limits)
    "measure_$BENCH_PART"
    exit
    ;;
esac
start_gateway b "${ports[2]}"
start_gateway c "${ports[3]}"
measure
printf '\n== the agent alone, token in its cache\n'
$on_load "$tools/spop_load" -t "$seconds" -p /petstore/1.0.0/pets -T "$dir/token" "$dir/c.sock" ||
    fail spop_load
printf '\n== the agent alone, all checks on\n'
measure_checks
printf '\n== what throttling costs the agent\n'
measure_limits
printf '\n== limits that gateways share through Redis\n'
measure_shared
printf '\n== the decision engine alone: with a warm cache, and a new token each time\n'
$on_gateway "$benches/bench_engine" || fail bench_engine
printf '\n== route look-ups\n'
$on_gateway "$benches/bench_routes" || fail bench_routes
echo
"$benches/bench_counter" || fail bench_counter
printf '\n== loading snapshots\n'
$on_gateway "$benches/bench_snapshot" || fail bench_snapshot
printf '\n== 1,000 and 10,000 projects of 10 resources\n'
measure_all_scales
