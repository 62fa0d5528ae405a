#!/bin/sh
# run-deps.sh PACKAGE...: installs the Debian packages that are missing. Silent when none is.
set -eu

missing=
for package; do
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) || status=
    case $status in
    *' installed') ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps: not root and no sudo; as root: apt-get install$missing" >&2
        exit 1
    fi
    sudo=sudo
fi
echo "deps: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # words on purpose
if ! { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
       $sudo env DEBIAN_FRONTEND=noninteractive \
           apt-get -q -y install --no-install-recommends $missing; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "deps: the packages could not be installed:$missing" >&2
    exit 1
fi
