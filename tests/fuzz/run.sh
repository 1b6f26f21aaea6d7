#!/bin/bash
# Runs each fuzzer for the given seconds, two at a time, from its seeds. A finding ends with its file and a non-zero status.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=$1
shift
failed=0
run() {
    local name=$(basename "$1") seeds=tests/fuzz/seeds/${1##*/fuzz_} words=tests/fuzz/dict/${1##*/fuzz_}
    mkdir -p "build/fuzz/corpus/$name"
    [ -d "$seeds" ] || seeds=
    [ -f "$words" ] && words=-dict=$words || words=
    # shellcheck disable=SC2086
    if "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 $words -artifact_prefix="build/fuzz/$name-" \
        "build/fuzz/corpus/$name" $seeds >"build/fuzz/$name.log" 2>&1; then
        echo "$name: clean, $(grep -oE 'stat::number_of_executed_units: *[0-9]+|Done [0-9]+ runs' "build/fuzz/$name.log" | tail -1)"
    else
        echo "$name: FOUND SOMETHING, see build/fuzz/$name.log"; tail -20 "build/fuzz/$name.log"; return 1
    fi
}
jobs=()
for fuzzer in "$@"; do
    run "$fuzzer" & jobs+=($!)
    if [ ${#jobs[@]} = 2 ]; then
        for job in "${jobs[@]}"; do wait "$job" || failed=1; done
        jobs=()
    fi
done
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
exit $failed
