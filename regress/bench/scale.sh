# scale.sh: part of bench.sh. Many API projects of 10 resources each: what a build of them takes,
# and what HAProxy and the agent do with the result. Wall time and, beside it, processor time, for
# other load on the machine shows in the first alone.

# took WHAT COMMAND...: a line about a command that must succeed.
took() {
    local what=$1 figures
    shift
    figures=$("$benches/bench_run" "$@" 2>"$dir/took") || { tail -20 "$dir/took" >&2; fail "$what"; }
    # shellcheck disable=SC2086 # three numbers
    printf '  %-44s %7d ms %7d ms CPU %8d KiB\n' "$what" $figures
}

# build_scale NAME [OPTION...]
build_scale() {
    local what=$1
    shift
    took "$what" "$gen" build -c "$dir/dev.yaml" -o "$dir/scale/out" \
        --set agent.socket="$dir/scale.sock" "$@" "$dir"/scale/projects/*
}

# load_scale N: the agent reads the snapshot: how long until it listens, and its memory.
load_scale() {
    local begun
    begun=$(date +%s%N)
    begin $on_gateway "$spoa" -c "$dir/dev.yaml" -s "$dir/scale/out/gateway.json" \
        --set agent.socket="$dir/scale.sock"
    agent_pid[s]=$!
    until [ -S "$dir/scale.sock" ]; do
        kill -0 "${agent_pid[s]}" 2>/dev/null || fail "agent with $1 APIs"
        sleep 0.01
    done
    printf '  %-44s %7d ms %20s %8d KiB\n' 'agent: until it serves, and at rest' \
        $((($(date +%s%N) - begun) / 1000000)) '' "$(rss_kib "${agent_pid[s]}")"
    $on_load "$tools/spop_load" -t 2 -p /service500/1.0.0/orders -T "$dir/scale.token" \
        "$dir/scale.sock" >>"$dir/log" || fail "spop_load with $1 APIs"
    printf '  %-44s %31s %8d KiB\n' 'agent: after load' '' "$(rss_kib "${agent_pid[s]}")"
    kill "${agent_pid[s]}"
    wait "${agent_pid[s]}"
}

# measure_scale N shared|distinct
measure_scale() {
    local n=$1 kind=$2 cfg=$dir/scale/out/haproxy/cc.cfg
    printf '%d projects, endpoints %s\n' "$n" "$kind"
    mkdir "$dir/scale"
    "$tools/scale_make" "$dir/scale/projects" "$n" "$kind" || fail scale_make
    build_scale 'build, everything read'
    sleep 3 # younger files are looked at once more
    build_scale 'build again, files too young to be believed'
    build_scale 'build again, nothing changed'
    sed -i 's/summary: What get does here/summary: Changed/' \
        "$dir/scale/projects/p00500/Definitions/swagger.yaml"
    sed -i 's/orders:write$/orders:read/' "$dir/scale/projects/p00500/Definitions/swagger.yaml"
    build_scale 'build again, one project changed'
    took 'haproxy -c' haproxy -c -f "$dir/scale/out/haproxy/standalone.cfg" -f "$cfg"
    printf '  %-44s %20d bytes\n' 'cc.cfg' "$(stat -Lc %s "$cfg")" \
        'gateway.json' "$(stat -Lc %s "$dir/scale/out/gateway.json")" \
        'cache' "$(stat -c %s "$dir/scale/out/.cc-gen.cache")"
    load_scale "$n"
    rm -rf "$dir/scale"
}

measure_all_scales() {
    "$gen" token --key "$dir/key.pem" --issuer https://bench.example --scope orders:read \
        --expires 36000 >"$dir/scale.token" || fail 'no token'
    measure_scale 1000 shared
    measure_scale 10000 shared
    measure_scale 10000 distinct
}
