#!/bin/bash
# Wrong input, as a person or a broken vendor gives it: a clear error, a non-zero exit, nothing lost, nothing half written.
set -u
B=${B:-build}
work=$(mktemp -d /tmp/ferry-bad.XXXXXX)
pids=
end() { for pid in $pids; do kill "$pid" 2>/dev/null; done; wait 2>/dev/null; rm -rf "$work"; }
trap end EXIT
failed=0
export FERRY_SOCKET=$work/ctl

# expect CODE PATTERN command…: its exit status and what its error says
expect() {
    local code=$1 pattern=$2 out got
    shift 2
    out=$("$@" 2>&1)
    got=$?
    if [ $got != "$code" ] || ! grep -qiE -- "$pattern" <<<"$out"; then
        echo "FAILED: $*: exit $got (wanted $code), said: $out (wanted /$pattern/)"
        failed=1
    else
        echo "ok: $* → $got: $(tr "\n" "|" <<<"$out" | cut -c1-400)"
    fi
}
ferry() { "$B/ferry" "$@"; }

mkdir -p "$work/archive"
tests/fixtures/make-archive.sh "$work/archive" 1 >"$work/archive.log" 2>&1 || { cat "$work/archive.log"; exit 1; }
(cd "$work/archive" && exec python3 -m http.server --bind 127.0.12.3 8491 >/dev/null 2>&1) & archive=$!; pids="$pids $archive"

expect 75 "no ferryd" ferry status --socket "$work/nowhere"
expect 2 "config|key" "$B/ferryd" --config <(echo "rolle = site")
expect 0 "offline" ferry site init --name hq --state "$work/site" --url https://127.0.12.1:8440
before=$(cat "$work"/site/policy/metadata/*.json | sha256sum)
expect 3 "already|exists" ferry site init --name other --state "$work/site" --url https://127.0.12.1:8440
[ "$before" = "$(cat "$work"/site/policy/metadata/*.json | sha256sum)" ] || { echo "FAILED: the second init changed the first site"; failed=1; }

printf 'role = site\nsite-state = %s\nsite-listen = 127.0.12.1:8440\nsite-url = https://127.0.12.1:8440\ncontrol-socket = %s\nstate-dir = %s\n' "$work/site" "$work/ctl" "$work/state" >"$work/conf"
printf 'role = site\nsite-state = %s\ncolour = red\n' "$work/site" >"$work/wrong"
expect 2 "wrong:3.*colour" "$B/ferryd" --config "$work/wrong"
"$B/ferryd" --config "$work/conf" >"$work/log" 2>&1 & site=$!; pids="$pids $site"
for _ in $(seq 50); do ferry site show >/dev/null 2>&1 && curl -sf -o /dev/null http://127.0.12.3:8491/ && break; sleep 0.1; done

good=$work/archive/demo.gpg
expect 0 "demo" ferry catalog add apt demo --uri http://127.0.12.3:8491 --suite demo --component main --keyring "$good"
expect 3 "already|exists" ferry catalog add apt demo --uri http://127.0.12.3:8491 --suite demo --component main --keyring "$good"
cp -a "$work/archive/dists" "$work/dists"
find "$work/archive/dists/demo" -name 'Packages*' -o -path '*by-hash/SHA256/*' -type f | while read -r file; do
    printf 'x' | dd of="$file" bs=1 seek=40 conv=notrunc status=none
done
expect 7 "hash|sha-?256" ferry catalog sync
[ "$(ferry update list --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["total"])')" = 0 ] || { echo "FAILED: updates of an altered index"; failed=1; }
rm -rf "$work/archive/dists" && mv "$work/dists" "$work/archive/dists"
expect 0 "updates" ferry catalog sync
count=$(ferry update list --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["total"])')
[ "$count" -ge 3 ] || { echo "FAILED: $count updates after the sync"; failed=1; }
same() { local now; now=$(ferry update list --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["total"])'); [ "$now" = "$count" ] || { echo "FAILED: the catalog changed: $now updates, $count before"; failed=1; }; }

release=$work/archive/dists/demo/InRelease
cp "$release" "$work/InRelease"
sed -i 's/^Label: .*/Label: Evil/' "$release"
expect 7 "signature|gpgv" ferry catalog sync
same
head -c 200 "$work/InRelease" >"$release"
expect 7 "" ferry catalog sync
same
cp "$work/InRelease" "$release"
kill "$archive" && wait "$archive" 2>/dev/null
expect 75 "old one stays" ferry catalog sync
same

expect 2 "column" ferry update list --filter 'classification = security and required >='
expect 2 "column" ferry update list --filter 'clasification = security'
expect 4 "no such|not|did you mean" ferry group show octobr
expect 0 "" ferry group create october
expect 4 "october" ferry group show octobr
expect 3 "already|exists" ferry group create october
expect 2 "name" ferry group create 'Oct/../ober'
expect 4 "" ferry deployment create d --group nothing --collection all --required --deadline +2h
expect 2 "" ferry deployment create d --group october --collection all --required --deadline yesterdayish
expect 2 "did you mean" ferry grup list
expect 2 "did you mean --filter" ferry update list --fliter x
expect 4 "" ferry node show nobody

# every noun of the vocabulary: what was refused, what would be accepted, the nearest name
expect 2 "did you mean .classification" ferry search save urgently 'clasification = security'
expect 4 'did you mean "urgent"' ferry search run urgend
expect 2 "critical are accepted" ferry update set ferry-tool --custom-severity huge
expect 0 "tills" ferry collection create tills --rule 'hostname ~ "till-*"'
expect 2 "column 1.*accepted are" ferry window add tills w --when someday --duration 4h
expect 2 "5m to 24h" ferry window add tills w --when 'daily 02:00' --duration 2d
expect 4 'did you mean "tills"' ferry window next till
expect 2 "did you mean --restart-countdown" ferry settings set tills --restart-cuontdown 30m
expect 2 "from 0s to 5d" ferry settings set tills --grace 6d
expect 0 "grace 1h" ferry settings set tills --grace 1h
expect 2 'did you mean "grace"' ferry settings clear tills grase
expect 2 "one of --count" ferry orchestration set tills
expect 2 "all, restart or none" ferry template save t --notify loudly
expect 4 "no such deployment" ferry template save t --from octobre
expect 2 "did you mean --soft-deadline" ferry deployment create d --group october --collection tills --required --soft-dedline
expect 2 "not a moment; accepted are" ferry deployment create d --group october --collection tills --required --deadline someday
expect 2 "has no --deadline" ferry deployment create d --group october --collection tills --optional --deadline +2h
expect 0 "dry run" ferry deployment create d --group october --collection tills --required --deadline 'friday 22:00' --dry-run
expect 4 "" ferry deployment halt d --reason x
expect 2 "zone is named like" ferry site set --timezone Mars/Olympus
expect 2 "accepted are now, never" ferry site set --supersedence soon
expect 0 "north" ferry boundary add north --cidr 10.1.0.0/16
expect 4 'did you mean "north"' ferry boundary link north nort

start=$(date +%s)
kill -TERM $site
wait $site
code=$?
[ $code = 0 ] && [ $(($(date +%s) - start)) -le 5 ] || { echo "FAILED: SIGTERM: exit $code after $(($(date +%s) - start)) s"; failed=1; }
exit $failed
