#!/bin/bash
# shared.sh: what it costs that gateways share their limits (sourced by bench.sh, or run by itself).
#
# Three agents with the same rules, two limits for each request, by turns in many short rounds of so many requests: each counts alone, tells
# Redis behind its decisions (async), or asks it before them (strict). The load plays HAProxy; it and Redis have the
# first CPU, the agent the second.

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    BENCH_PART=shared exec "$(dirname "$0")/bench.sh"
fi

shared_modes='local async strict'
declare -A shared_requests=([local]=40000 [async]=40000 [strict]=4000)

shared_redis() {
    begin $on_load redis-server --port 0 --unixsocket "$dir/redis.sock" --save '' --dir "$dir"
    redis_pid=$!
    disown "$redis_pid" # it is killed, which is not worth a line
    wait_for Redis redis-cli -s "$dir/redis.sock" ping
}

# shared_is_up MODE
shared_is_up() {
    wait_for "agent that counts $1, at Redis" sh -c \
        "echo 'show counters' | socat -t 5 - UNIX-CONNECT:$dir/$1.admin | grep 'share_up=1 '"
}

shared_start() {
    local mode
    mkdir "$dir/policies"
    cat >"$dir/policies/all.yaml" <<END
subscriptionPolicies: [{name: Unauthenticated, unlimited: true}]
customPolicies:
  - {name: all, keyTemplate: "\$apiContext", requestCount: 1000000000, timeUnit: day}
  - {name: each user, keyTemplate: "\$userId:\$apiContext", requestCount: 1000000000, timeUnit: day}
END
    shared_redis
    for mode in $shared_modes; do
        "$gen" build -c "$dir/dev.yaml" -o "$dir/$mode" --set policies="$dir/policies" \
            --set agent.socket="$dir/$mode.sock" "$dir/petstore" >>"$dir/log" 2>&1 ||
            { cat "$dir/log" >&2; fail 'cc-gen build'; }
        begin $on_gateway "$spoa" -c "$dir/dev.yaml" -s "$dir/$mode/gateway.json" \
            --set agent.socket="$dir/$mode.sock" --set agent.adminSocket="$dir/$mode.admin" \
            --set agent.redis.address="$dir/redis.sock" --set enforcer.throttling.shared.mode="$mode"
        wait_for "agent that counts $mode" test -S "$dir/$mode.sock"
        [ "$mode" = local ] || shared_is_up "$mode"
    done
}

# shared_round MODE OPTIONS...: "rate p99 cpu" of one round.
shared_round() {
    local mode=$1
    shift
    $on_load "$tools/spop_load" -p /petstore/1.0.0/pets -T "$dir/token" "$@" "$dir/$mode.sock" >"$dir/load" ||
        { cat "$dir/load" >&2; fail "spop_load, $mode"; }
    awk '/^requests\/s/ { rate = $2 } /^latency/ { p99 = $6 } /^agent CPU/ { cpu = $3 }
        END { print rate, p99, cpu }' "$dir/load"
}

# shared_table TEXT OPTIONS...: for one kind of load.
shared_table() {
    local text=$1 mode
    shift
    rm -f "$dir"/shared.*
    for _ in $(seq $((rounds * 5))); do
        for mode in $shared_modes; do
            shared_round "$mode" -n "${shared_requests[$mode]}" "$@" >>"$dir/shared.$mode"
        done
    done
    echo "$text"
    printf '    %-8s %9s %8s %9s\n' limits req/s 'p99 us' 'CPU us'
    for mode in $shared_modes; do
        printf '    %-8s %9s %8s %9s\n' "$mode" "$(median "$dir/shared.$mode" 1)" \
            "$(median "$dir/shared.$mode" 2)" "$(median "$dir/shared.$mode" 3)"
    done
    # as above: medians of the ratios of rounds side by side
    paste "$dir/shared.local" "$dir/shared.async" "$dir/shared.strict" |
        awk '{ print $4 / $1, $5 / $2, $6 / $3, $7 / $1, $8 / $2, $9 / $3 }' >"$dir/shared.ratios"
    printf '    %s to local: rate %.3f, p99 %.2f, CPU %.3f\n' \
        async "$(median "$dir/shared.ratios" 1)" "$(median "$dir/shared.ratios" 2)" \
        "$(median "$dir/shared.ratios" 3)" strict "$(median "$dir/shared.ratios" 4)" \
        "$(median "$dir/shared.ratios" 5)" "$(median "$dir/shared.ratios" 6)"
}

# What may become of Redis, and how it is put right again.
shared_faults='killed stopped read-only full flushed'
shared_spoil() {
    case $1 in
        killed) kill -KILL "$redis_pid" ;;
        stopped) kill -STOP "$redis_pid" ;;
        read-only) redis-cli -s "$dir/redis.sock" replicaof 127.0.0.1 1 ;;
        full) redis-cli -s "$dir/redis.sock" config set maxmemory 1 ;;
        flushed) redis-cli -s "$dir/redis.sock" flushall ;;
    esac >>"$dir/log" 2>&1
}

shared_mend() {
    local pid left=()

    case $1 in
        killed)
            # its number may soon be somebody else's
            for pid in "${pids[@]}"; do [ "$pid" = "$redis_pid" ] || left+=("$pid"); done
            pids=("${left[@]}")
            shared_redis
            ;;
        stopped) kill -CONT "$redis_pid" ;;
        read-only) redis-cli -s "$dir/redis.sock" replicaof no one ;;
        full) redis-cli -s "$dir/redis.sock" config set maxmemory 0 ;;
    esac >>"$dir/log" 2>&1
    wait_for 'Redis again' redis-cli -s "$dir/redis.sock" ping
    shared_is_up async
}

# What requests of async limits notice of it: a second with Redis as it should be, and one in whose midst
# that happens to it, by turns.
shared_fault_table() {
    local fault
    echo 'async, one request after the other: a second in which Redis is ..., and the second before it'
    printf '    %-10s %9s %9s %10s %8s\n' Redis 'p99 us' 'before' 'p99 ratio' 'rate'
    for fault in $shared_faults; do
        rm -f "$dir/shared.fault"
        for _ in $(seq "$rounds"); do
            shared_round async -t 1 -c 1 -d 1 >"$dir/shared.before"
            { sleep 0.2; shared_spoil "$fault"; } &
            shared_round async -t 1 -c 1 -d 1 >"$dir/shared.after"
            wait $!
            shared_mend "$fault"
            paste "$dir/shared.before" "$dir/shared.after" |
                awk '{ print $5, $2, $5 / $2, $4 / $1 }' >>"$dir/shared.fault"
        done
        printf '    %-10s %9s %9s %10.2f %8.2f\n' "$fault" "$(median "$dir/shared.fault" 1)" \
            "$(median "$dir/shared.fault" 2)" "$(median "$dir/shared.fault" 3)" "$(median "$dir/shared.fault" 4)"
    done
}

measure_shared() {
    shared_start
    shared_table 'as fast as the agent answers: 4 connections, 20 requests in flight on each' -c 4 -d 20
    shared_table 'one request after the other, on one connection' -c 1 -d 1
    shared_fault_table
}
