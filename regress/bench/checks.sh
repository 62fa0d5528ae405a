# checks.sh: what a decision costs the agent with all checks on, and how soon a revocation counts; a
# part of bench.sh. Signature, times, revocation, subscription, scopes, key type, and the limits of
# the API, the subscription and the application, which are counted and never reached.

make_checks() {
    mkdir -p "$dir/checks/policies"
    mkdir -m 700 "$dir/checks/state"
    cp -r "$dir/petstore" "$dir/checks/pets"
    sed -i 's/^data:/data:\n  apiThrottlingPolicy: Bench/' "$dir/checks/pets/api.yaml"
    for kind in advanced subscription application; do
        limit='requestCount: 2000000000, timeUnit: day'
        printf '%sPolicies: [{name: Bench, %s}, {name: Unauthenticated, %s}]\n' $kind "$limit" "$limit"
    done >"$dir/checks/policies/bench.yaml"
    echo '# nobody' >"$dir/checks/revoked"
    sed -e 's|^        issuer: .*|&\n        validateSubscription: true|' \
        -e "s|^  security:|&\n    revocation: {path: $dir/checks/revoked}|" \
        -e "s|^agent:|policies: $dir/checks/policies\nagent:\n  adminSocket: $dir/checks/admin.sock\n  stateDirectory: $dir/checks/state|" \
        "$dir/dev.yaml" >"$dir/checks.yaml"
    for name in warm command file; do
        "$gen" token --key "$dir/key.pem" --issuer https://bench.example --scope read:pets --expires 36000 \
            --claim "jti=\"id-$name\"" --claim 'keytype="PRODUCTION"' \
            --claim 'application={"id":1,"uuid":"u","name":"Shop","tier":"Bench"}' \
            --claim 'subscribedAPIs=[{"name":"Petstore","version":"1.0.0","subscriptionTier":"Bench"}]' \
            >"$dir/checks/$name" || fail 'no token'
    done
    "$gen" build -c "$dir/checks.yaml" -o "$dir/checks/out" --set agent.socket="$dir/d.sock" \
        "$dir/checks/pets" >>"$dir/log" 2>&1 || { cat "$dir/log" >&2; fail 'cc-gen build'; }
    begin $on_gateway "$spoa" -c "$dir/checks.yaml" -s "$dir/checks/out/gateway.json" --set agent.socket="$dir/d.sock"
    wait_for 'agent of d' test -S "$dir/d.sock"
}

measure_checks() {
    local load="$on_load $tools/spop_load -t $seconds -p /petstore/1.0.0/pets"

    make_checks
    for _ in $(seq "$rounds"); do
        $load -T "$dir/checks/warm" "$dir/d.sock" >"$dir/checks/load" || { cat "$dir/checks/load" >&2; fail spop_load; }
        awk '/^agent CPU/ { print $3 }' "$dir/checks/load" >>"$dir/checks/cpu"
    done
    cat "$dir/checks/load"
    median "$dir/checks/cpu" 1 | awk '{ printf "%-56s %8.2f us (goal <= 5.00 us): %s\n",
        "warm decision of the agent with SPOP, all checks", $1, $1 <= 5 ? "met" : "missed" }'
    cat >"$dir/checks/steps" <<END
run 5000
expect command allow
expect file allow
phase revoked by command
run 1000
do echo "revoke token id-command until 4102444800" | socat -t 5 - UNIX-CONNECT:$dir/checks/admin.sock | grep -qx revoked
until command deny 100
last command allow 2000
phase revoked by the file
run 1000
do echo "id-file 4102444800" >>$dir/checks/revoked
until file deny 100
last file allow 2000
expect warm allow
END
    $on_load "$tools/spop_watch" -r 10000 -p /petstore/1.0.0/pets "$dir/d.sock" "warm=$dir/checks/warm" \
        "command=$dir/checks/command" "file=$dir/checks/file" <"$dir/checks/steps" >"$dir/checks/watch" ||
        { cat "$dir/checks/watch" >&2; fail spop_watch; }
    awk '/the last allow came after/ { sub(/: [a-z]*: the last allow came after/, ", until the last is let in:"); sub(/ ms$/, "")
        ms = $NF; sub(/ [^ ]*$/, ""); printf "%-56s %8.1f ms (goal <= 100.0 ms): %s\n", $0, ms, ms <= 100 ? "met" : "missed" }' \
        "$dir/checks/watch"
}
