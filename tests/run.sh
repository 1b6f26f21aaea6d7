#!/bin/bash
# Runs the tests, each in its own process with a deadline, and ends with "N passed, N failed, N skipped".
#   tests/run.sh            everything: lint, unit, e2e, scenarios
#   tests/run.sh NAME       a group (lint, unit, sim, e2e, scenarios) or one test (test_json, dp-down, …)
# A test says 77 when what it needs is truly not there. Output of each goes to $B/tests/NAME.log; failures print its end.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
want=${1:-}
logs=$B/tests
mkdir -p "$logs"
passed=0 failed=0 skipped=0

chosen() { [ -z "$want" ] || [ "$want" = "$1" ] || [ "$want" = "$2" ] || [ "test_$want" = "$2" ]; }

one() { # group name deadline command…
    local group=$1 name=$2 deadline=$3 begin code
    shift 3
    chosen "$group" "$name" || return 0
    begin=$(date +%s)
    timeout -k 10 "$deadline" "$@" >"$logs/$name.log" 2>&1
    code=$?
    case $code in
    0)  passed=$((passed + 1)); word=ok ;;
    77) skipped=$((skipped + 1)); word="skipped: $(tail -1 "$logs/$name.log")" ;;
    *)  failed=$((failed + 1)); word="FAILED ($([ $code = 124 ] && echo "over $deadline s" || echo "exit $code"))" ;;
    esac
    printf '%-10s %-28s %4d s  %s\n' "$group" "$name" $(($(date +%s) - begin)) "$word"
    case $code in 0 | 77) ;; *) tail -${TAIL:-40} "$logs/$name.log" | sed 's/^/    /' ;; esac
}

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1} B
one lint lint 120 tools/lint/lint.sh
for test in "$B"/unit/test_*; do
    [ -x "$test" ] && case "$test" in *.*) ;; *) one unit "$(basename "$test")" 180 "$test" ;; esac
done
for test in tests/e2e/test_*.sh; do
    [ -f "$test" ] && one e2e "$(basename "$test" .sh)" 600 bash "$test"
done
for scenario in plain dp-down lying-dp lying-peer no-wan kill nginx-dp; do
    one scenarios "$scenario" 300 tools/lab/demo.sh "$scenario"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
