#!/bin/bash
# Three months of patching under a clock the test moves, real daemons, unprivileged: tools/lab/months.py tells the story and prints the calendar.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/ferry-months.XXXXXX)
out=$top/${B:-build}/three-months
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$out"
cp "$top/${B:-build}/ferry" "$top/${B:-build}/ferryd" "$top"/tools/lab/*.py "$top"/tests/fixtures/*.sh "$work/bin/"
chmod -R a+rX "$work"
drop=
if [ "$(id -u)" = 0 ]; then
    chown -R nobody: "$work"
    drop="setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs"
fi
code=0
cd "$work"
# shellcheck disable=SC2086
env -i PATH="/usr/sbin:/usr/bin:/sbin:/bin" HOME="$work" LANG=C.UTF-8 LANE="${LANE:-0}" ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" \
    $drop python3 "$work/bin/months.py" --work "$work" || code=$?
rm -rf "$out/logs" && mkdir -p "$out/logs" && cp "$work"/log/* "$out/logs/" 2>/dev/null || true
exit $code
