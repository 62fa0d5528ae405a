#!/bin/bash
# run-demo.sh: the gateway at work. Starts a backend and `cc-gen run examples/petstore`, sends a request with a
# good token, one without, one whose token lacks the scope, shows what comes back, stops everything.
. "$(dirname "$0")/run-lib.sh"

gen=build/bin/cc-gen
project=examples/petstore
dir=$(mktemp -d /tmp/cc-demo.XXXXXX)
export XDG_STATE_HOME="$dir/state" # keys of this demo alone
backend='' gateway=''

# Ends what was started, also when the demo is interrupted.
finish() {
    status=$?
    trap - EXIT INT TERM HUP
    [ -z "$gateway" ] || { kill -TERM "$gateway" 2>/dev/null; wait "$gateway"; }
    [ -z "$backend" ] || { kill -TERM "$backend" 2>/dev/null; wait "$backend"; }
    rm -rf "$dir"
    exit $status
} 2>/dev/null
trap finish EXIT
trap 'exit 130' INT TERM HUP

fail() {
    echo "demo: $1" >&2
    [ ! -s "$dir/gateway.log" ] || sed 's/^/  | /' "$dir/gateway.log" >&2
    exit 1
}

# A port that is free now: first choice, then others.
free_port() {
    for port in "$1" $(shuf -i 20000-29999 -n 20); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

PATH=$PATH:/usr/sbin:/usr/local/sbin
port=$(free_port 8080)
if [ "$port" != 8080 ]; then
    echo "port 8080 is taken: this demo uses a copy of the project with port $port"
    cp -r $project "$dir/petstore"
    project=$dir/petstore
    sed -i "s/127\.0\.0\.1:8080/127.0.0.1:$port/" "$project/backend.cfg" "$project/api.yaml" \
        "$project/Definitions/swagger.yaml"
fi
echo '== the backend: a second HAProxy that plays a pet store'
haproxy -db -f "$project/backend.cfg" >"$dir/backend.log" 2>&1 &
backend=$!
sleep 0.3
kill -0 "$backend" 2>/dev/null || { cat "$dir/backend.log" >&2; fail 'the backend does not start'; }

http=$(free_port 9090)
https=$(free_port 9095)
echo "== the gateway: cc-gen run $project"
"$gen" run --set router.listenerPort="$http" --set router.securedListenerPort="$https" "$project" \
    >"$dir/url" 2>"$dir/gateway.log" &
gateway=$!
for _ in $(seq 200); do
    [ ! -s "$dir/url" ] || break
    kill -0 "$gateway" 2>/dev/null || fail 'the gateway has ended'
    sleep 0.1
done
[ -s "$dir/url" ] || fail 'the gateway is not ready after 20 s'
url=$(cat "$dir/url")
sed 's/^/  | /' "$dir/gateway.log"

# request NAME EXPECTED-STATUS PATH [HEADER]: sends it, shows it and its answer, compares.
request() {
    printf '\n== %s\n$ curl -i %s%s\n' "$1" "${4:+-H '${4%% *} Bearer TOKEN' }" "$url$3"
    curl -s -i --max-time 5 ${4:+-H "$4"} "$url$3" >"$dir/answer" || bad "$1: no answer"
    tr -d '\r' <"$dir/answer" | sed 's/^/  /'
    echo
    got=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$dir/answer")
    if [ "$got" = "$2" ]; then
        ok
    else
        bad "$1: status $got, expected $2"
    fi
}

good=$("$gen" token --scope read:pets)
poor=$("$gen" token --scope something:else)
path=$(sed -n "s/^  curl .*'http[^/]*\/\/[^/]*\(\/.*\)'\$/\1/p" "$dir/gateway.log")
request 'a token with the scope' 200 "$path" "Authorization: Bearer $good"
request 'no token' 401 "$path"
request 'a token without the scope' 403 "$path" "Authorization: Bearer $poor"

echo
echo '== stopping'
kill -TERM "$gateway"
wait "$gateway" || bad "cc-gen run ended with status $?"
gateway=''
# Both programs of the gateway are gone: nothing listens any more.
(exec 3<>"/dev/tcp/127.0.0.1/$http") 2>/dev/null && bad "something still listens on port $http"
ok
tally demo
