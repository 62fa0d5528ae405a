# limits.sh: what throttling costs the agent; a part of bench.sh. The same requests with one token that
# is in the cache, by agents with throttling off and with all five levels on: deny rules of each kind,
# and limits of the API, the subscription, the application and a custom policy, which are counted and
# never reached. "hot": all requests have the same keys. "spread": the custom policy counts each of
# 20,000 addresses.

# limits_project off|on
limits_project() {
    "$gen" build -c "$dir/limits.yaml" -o "$dir/limits/$1" --set agent.socket="$dir/limits.$1" \
        --set enforcer.throttling.enabled="$([ "$1" = on ] && echo true || echo false)" \
        "$dir/limits/pets" >>"$dir/log" 2>&1 || { cat "$dir/log" >&2; fail 'cc-gen build'; }
}

make_limits() {
    local limit='requestCount: 2000000000, timeUnit: day'

    mkdir -p "$dir/limits/policies"
    cp -r "$dir/petstore" "$dir/limits/pets"
    sed -i 's/^data:/data:\n  apiThrottlingPolicy: Bench/' "$dir/limits/pets/api.yaml"
    {
        for kind in advanced subscription application; do
            printf '%sPolicies: [{name: Bench, %s}, {name: Unauthenticated, %s}]\n' $kind "$limit" "$limit"
        done
        printf 'customPolicies: [{name: Bench, keyTemplate: "$clientIp:$apiContext", %s}]\n' "$limit"
        printf 'denyRules: [{ip: 203.0.113.66}, {ipRange: 198.51.100.0/24}, {user: nobody}, {api: /none},
            {application: "ann:None"}, {subscription: "/none:1:ann-None:PRODUCTION"}]\n'
    } >"$dir/limits/policies/bench.yaml"
    sed -e 's|^        issuer: .*|&\n        validateSubscription: true|' \
        -e "s|^agent:|policies: $dir/limits/policies\nagent:|" "$dir/dev.yaml" >"$dir/limits.yaml"
    "$gen" token --key "$dir/key.pem" --issuer https://bench.example --scope read:pets --expires 36000 \
        --claim 'keytype="PRODUCTION"' \
        --claim 'application={"id":1,"uuid":"u","name":"Shop","tier":"Bench"}' \
        --claim 'subscribedAPIs=[{"name":"Petstore","version":"1.0.0","subscriptionTier":"Bench"}]' \
        >"$dir/limits/token" || fail 'no token'
    limits_project off
    limits_project on
}

# limits_agents WORKERS [WHERE]: one with throttling off, and one with it on.
limits_agents() {
    for kind in off on; do
        # shellcheck disable=SC2086 # a command and its options, or nothing
        begin ${2:-} "$spoa" -c "$dir/limits.yaml" -s "$dir/limits/$kind/gateway.json" \
            --set agent.socket="$dir/limits.$kind" --set agent.workers="$1"
        agent_pid[limits_$kind]=$!
        wait_for "agent with throttling $kind" test -S "$dir/limits.$kind"
    done
}

end_limits_agents() {
    for kind in off on; do
        kill "${agent_pid[limits_$kind]}"
        wait "${agent_pid[limits_$kind]}" 2>/dev/null
        rm -f "$dir/limits.$kind"
    done
}

# limits_line WORKERS hot|spread: both agents by turns, so that what else happens on the machine hits both.
limits_line() {
    local out=$dir/limits/$1.$2 addresses=1

    [ "$2" = hot ] || addresses=20000
    for _ in $(seq "$rounds"); do
        for kind in off on; do
            $on_load "$tools/spop_load" -t 1 -c 8 -a $addresses -p /petstore/1.0.0/pets -T "$dir/limits/token" \
                "$dir/limits.$kind" >"$dir/limits/load" || { cat "$dir/limits/load" >&2; fail spop_load; }
            awk '/^requests\/s/ { rate = $2 } /^agent CPU/ { cpu = $3 } END { printf "%s %s ", cpu, rate }' \
                "$dir/limits/load"
        done
        echo
    done | awk '{ print $0, $3 - $1 }' >"$out"
    printf '%8s %8s %12s %12s %12s %12s\n' "$1" "$2" "$(median "$out" 1)" "$(median "$out" 3)" \
        "$(median "$out" 5)" "$(median "$out" 4)"
}

measure_limits() {
    make_limits
    printf '%8s %8s %12s %12s %12s %12s\n' workers keys 'off, us' 'on, us' 'on adds, us' 'on, req/s'
    for workers in 1 2 4; do
        limits_agents $workers "$([ $workers -gt 1 ] || echo "$on_gateway")"
        limits_line $workers hot
        limits_line $workers spread
        end_limits_agents
    done
    median "$dir/limits/1.hot" 5 | awk '{ printf "%-56s %8.2f us (goal <= 1.00 us): %s\n",
        "five levels of throttling, added to a warm decision", $1, $1 <= 1 ? "met" : "missed" }'
}
