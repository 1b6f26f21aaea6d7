#!/bin/bash
# make demo: a site, a distribution point and two branches of four nodes as real daemons on loopback addresses, unprivileged.
# Run by root it drops to the account `nobody` first: the nodes' unprivileged dpkg roots are refused to root.
#   demo.sh [plain|dp-down|lying-dp|lying-peer|no-wan|kill|nginx-dp]      SEED=n for kill
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
out=$top/${B:-build}/demo
binaries=$top/${B:-build}
scenario=${1:-plain}
[ "$scenario" = plain ] || out=$out-$scenario
work=$(mktemp -d /tmp/ferry-demo.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/bin"
cp "$binaries/ferry" "$binaries/ferryd" "$top"/tools/lab/*.py "$top"/tests/fixtures/*.sh "$work/bin/"
chmod -R a+rX "$work"
drop=
if [ "$(id -u)" = 0 ]; then
    chown -R nobody: "$work"
    drop="setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs"
fi
code=0
cd "$work"
# shellcheck disable=SC2086
env -i PATH="/usr/sbin:/usr/bin:/sbin:/bin" HOME="$work" LANG=C.UTF-8 TERM="${TERM:-dumb}" ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" LANE="${LANE:-0}" \
    $drop python3 "$work/bin/demo.py" --work "$work" --scenario "$scenario" ${SEED:+--seed "$SEED"} || code=$?
cp "$work"/report.json "$out/" 2>/dev/null || true
rm -rf "$out/logs" && mkdir -p "$out/logs" && cp "$work"/log/* "$out/logs/" 2>/dev/null || true
[ "$scenario" = plain ] || { mkdir -p "$top/${B:-build}/demo" && cp "$out/report.json" "$top/${B:-build}/demo/report.json" 2>/dev/null; } || true
exit $code
