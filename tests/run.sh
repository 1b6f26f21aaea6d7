#!/bin/bash
# Runs the tests, each in its own process with a deadline, and ends with "N passed, N failed, N skipped".
#   tests/run.sh            everything: lint, unit, e2e, scenarios
#   tests/run.sh NAME       a group (lint, unit, sim, attacks, e2e, scenarios) or one test (test_json, dp-down, …)
# A test says 77 when what it needs is truly not there. Output of each goes to $B/tests/NAME.log; failures print its end.
# JOBS of them (three) run at once, each in a lane of its own: LANE tells a test which addresses are its. Most of the time whole fleets wait for
# their lines; unit tests work, so that a lane less is open to them.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
JOBS=${JOBS:-3}
want=${1:-}
logs=$B/tests
mkdir -p "$logs"
passed=0 failed=0 skipped=0
declare -A lane_of
free=($(seq 0 $((JOBS - 1))))

chosen() { [ -z "$want" ] || [ "$want" = "$1" ] || [ "$want" = "$2" ] || [ "test_$want" = "$2" ]; }

# In the background: runs the command, leaves one line of verdict in NAME.verdict, and what went wrong behind it.
run() { # group name deadline command…
    local group=$1 name=$2 deadline=$3 begin=$SECONDS code word
    shift 3
    timeout -k 10 "$deadline" "$@" >"$logs/$name.log" 2>&1
    code=$?
    case $code in
    0)  word=ok ;;
    77) word="skipped: $(tail -1 "$logs/$name.log")" ;;
    *)  word="FAILED ($([ $code = 124 ] && echo "over $deadline s" || echo "exit $code"))" ;;
    esac
    printf '%-10s %-28s %4d s  %s\n' "$group" "$name" $((SECONDS - begin)) "$word" >"$logs/$name.verdict"
    case $code in 0 | 77) ;; *) tail -${TAIL:-40} "$logs/$name.log" | sed 's/^/    /' >>"$logs/$name.verdict" ;; esac
    return $code
}

# Waits for one of those that run.
reap() {
    local pid code name
    wait -n -p pid
    code=$?
    name=${lane_of[$pid]#* }
    free+=("${lane_of[$pid]%% *}")
    unset "lane_of[$pid]"
    case $code in 0) passed=$((passed + 1)) ;; 77) skipped=$((skipped + 1)) ;; *) failed=$((failed + 1)) ;; esac
    cat "$logs/$name.verdict"
}

one() { # group name deadline command…
    chosen "$1" "$2" || return 0
    [ ${#free[@]} -gt 0 ] || reap
    local lane=${free[0]}
    free=("${free[@]:1}")
    LANE=$lane run "$@" &
    lane_of[$!]="$lane $2"
}

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1} B
one lint lint 120 tools/lint/lint.sh
# The long ones first: what is short fills the gaps.
for test in tests/e2e/test_*.sh; do
    [ -f "$test" ] && one e2e "$(basename "$test" .sh)" 600 bash "$test"
done
for scenario in plain dp-down lying-dp lying-peer no-wan kill nginx-dp; do
    one scenarios "$scenario" 300 tools/lab/demo.sh "$scenario"
done
# Test_attacks is a unit test as well; the group is it and what is taken out of the verifier to see whether it notices.
one attacks mutations 400 tests/mutations.sh
if [ -z "$want" ] && [ "$JOBS" -gt 2 ]; then
    [ ${#free[@]} -gt 0 ] || reap
    free=("${free[@]:1}")
fi
for test in "$B"/unit/test_*; do
    [ -x "$test" ] && case "$test" in *.*) ;; *) one unit "$(basename "$test")" 180 "$test" ;; esac
done
while [ ${#lane_of[@]} -gt 0 ]; do reap; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$want" != attacks ] || tail -1 "$logs/mutations.log"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
