#!/bin/bash
# The site's keys change hands: with the real site, a real node that keeps polling, a second TUF client looking on, and root keys that live in three
# other places. Ends with the runbook of ferry-trust(7): the online host's keys are lost and stolen, and the offline root puts it right.
set -u
if [ -z "${FERRY_E2E:-}" ]; then
    cd "$(dirname "$0")/../.." || exit 1
    work=$(mktemp -d /tmp/ferry-ceremony.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/bin"
    cp "${B:-build}/ferry" "${B:-build}/ferryd" "${B:-build}/ferry-tuf" tests/e2e/test_root_ceremony.sh "$work/bin/"
    drop=
    if [ "$(id -u)" = 0 ]; then
        chown -R nobody: "$work"
        drop="setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs"
    fi
    # shellcheck disable=SC2086
    env FERRY_E2E="$work" HOME="$work" $drop bash "$work/bin/test_root_ceremony.sh"
    exit $?
fi

cd "$FERRY_E2E" || exit 1
net=127.0.$((15 + 10 * ${LANE:-0}))
export PATH=$FERRY_E2E/bin:/usr/sbin:/usr/bin:/sbin:/bin FERRY_SOCKET=$FERRY_E2E/ctl
site= node= mirror= failed=0
end() { for pid in $site $node $mirror; do kill "$pid" 2>/dev/null; done; wait 2>/dev/null; }
trap end EXIT
say() { echo "--- $*"; }
wrong() { echo "FAILED: $*"; failed=1; }
must() { "$@" >out 2>&1 || { echo "FAILED: $*: exit $?: $(cat out)"; tail -3 log nlog; exit 1; }; }
# refuses CODE PATTERN command…
refuses() {
    local code=$1 pattern=$2 got
    shift 2
    "$@" >out 2>&1
    got=$?
    if [ $got != "$code" ] || ! grep -qiE -- "$pattern" out; then wrong "$*: exit $got (wanted $code): $(cat out) (wanted /$pattern/)"; fi
}
until_true() {
    local end=$(($(date +%s) + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$(date +%s)" -lt $end ] || { wrong "waited for: $what"; tail -n 5 log nlog; return 1; }
        sleep 0.2
    done
    echo "ok: $what"
}
answers() { ferry site show >/dev/null 2>&1; }
start_site() { ferryd --config conf >>log 2>&1 & site=$!; until_true 15 "the site answers" answers; }
stop_site() { kill "$site"; wait "$site" 2>/dev/null; }
version() { python3 -c "import json,sys; print(json.load(open(sys.argv[1]))['signed']['version'])" "$1" 2>/dev/null; }
# What the node has stored: its root's version.
node_root() {
    sqlite3 -readonly node/store.db "SELECT bytes FROM blob WHERE kind='role' AND name='root'" >node-root.json 2>/dev/null && version node-root.json
}
node_has_root() { [ "$(node_root)" = "$1" ]; }
refused() { grep -c '"FERRY_EVENT":"poll.failed"' nlog; }
# An observer is no node: he sees the policy on another web server, which has its files.
looks_on() { must ferry-tuf --metadata-url "http://$net.3:8441/metadata" --metadata-dir observer refresh; }
# A holder signs on his own machine: no site, no socket there.
holder() { must env FERRY_SOCKET=/nowhere ferry site root sign --key "holder-$1/root.key" "$2"; }
key_of() { ferry site key list --json ${2:+--state "$2"} | python3 -c "import json,sys; print([k['keyid'] for k in json.load(sys.stdin)['items'] if k['role']=='$1'][${3:-0}])"; }

say "a site; its root keys are carried away; a node that polls every second; an observer"
must ferry site init --name hq --state site --url "https://$net.1:8440"
printf 'role = site\nsite-state = %s/site\nsite-listen = %s.1:8440\nsite-url = https://%s.1:8440\ncontrol-socket = %s\nstate-dir = %s/state\n' \
    "$PWD" "$net" "$net" "$FERRY_SOCKET" "$PWD" >conf
start_site
ferry site key list | grep -q 'root-1.key (still here' || wrong "nobody is told to carry the root keys away: $(ferry site key list)"
for i in 1 2 3; do mkdir holder-$i && mv site/offline/root-$i.key holder-$i/root.key; done
rmdir site/offline
[ "$(ferry site key list | grep -c offline)" = 3 ] || wrong "the root keys are not offline: $(ferry site key list)"
python3 -m http.server 8441 --bind "$net.3" --directory site/policy >/dev/null 2>&1 & mirror=$!
until_true 10 "the other web server answers" curl -sf -o /dev/null "http://$net.3:8441/metadata/1.root.json"
must ferry-tuf --metadata-dir observer init site/policy/metadata/1.root.json
looks_on
mkdir -p root/var/lib/dpkg && : >root/var/lib/dpkg/status
printf 'role = client\nsite = https://%s.1:8440\nenrol-token = %s\nhostname = till\nroot = %s/root\nunprivileged-root = yes\nlisten = %s.2:6881\nbind-address = %s.2\npoll = 1s\nstate-dir = %s/node\ncontrol-socket = %s/nodectl\n' \
    "$net" "$(ferry node token)" "$PWD" "$net" "$net" "$PWD" "$PWD" >nconf
ferryd --config nconf >>nlog 2>&1 & node=$!
until_true 20 "the node has the first root" node_has_root 1

say "a new timestamp key, while everything runs"
before=$(refused) old=$(key_of timestamp)
must ferry site key rotate --role timestamp
refuses 3 "0 of 2" ferry site root accept root-2.todo.json
holder 1 root-2.todo.json
grep -q "timestamp: -${old:0:12}" out || wrong "the holder is not told what he signs: $(cat out)"
refuses 3 "1 of 2" ferry site root accept root-2.todo.json
cp root-2.todo.json tampered.json
sed -i 's/"expires": "20\(..\)-\(..\)-/"expires": "2099-\2-/2' tampered.json
refuses 3 "of 2" ferry site root accept tampered.json
holder 3 root-2.todo.json
must ferry site root accept root-2.todo.json
until_true 10 "the node has the second root" node_has_root 2
looks_on
[ "$(version observer/root.json)" = 2 ] || wrong "the observer has root $(version observer/root.json)"
[ "$(key_of timestamp)" != "$old" ] || wrong "the timestamp key is the old one"
grep -q "$old" site/policy/metadata/2.root.json && wrong "the old timestamp key is still among the root's"
sleep 2
[ "$(refused)" = "$before" ] || wrong "a poll failed during the rotation: $(grep poll.failed nlog | tail -2)"
refuses 7 "follows root 1" ferry site root accept root-2.todo.json

say "a collection's key, at once and without a root"
old=$(key_of delegate-fleet)
must ferry site key rotate --role delegate-fleet
[ "$(key_of delegate-fleet)" != "$old" ] || wrong "the collection's key is the old one"
looks_on
refuses 4 "no collection" ferry site key rotate --role delegate-nobody
refuses 2 "no role" ferry site key rotate --role mirrors
refuses 2 "stays where it is" ferry site key import --role root --key holder-1/root.key

say "one root key is lost: a new holder takes its place"
must env FERRY_SOCKET=/nowhere ferry site key generate --out holder-2/new.key
refuses 3 "already" env FERRY_SOCKET=/nowhere ferry site key generate --out holder-2/new.key
lost=$(key_of root "" 1)
must ferry site key rotate --role root --old "${lost:0:16}" --key holder-2/new.key.pub
mv holder-2/root.key lost.key && mv holder-2/new.key holder-2/root.key
holder 2 root-3.todo.json
holder 1 root-3.todo.json
refuses 3 "1 of 2 holders of the root in force" ferry site root accept root-3.todo.json
holder 3 root-3.todo.json
must ferry site root accept root-3.todo.json
until_true 10 "the node has the third root" node_has_root 3
must ferry site root renew --out renewed.json
refuses 8 "neither" env FERRY_SOCKET=/nowhere ferry site root sign --key lost.key renewed.json
holder 2 renewed.json
holder 3 renewed.json
must ferry site root accept renewed.json
until_true 10 "the node has the fourth root" node_has_root 4

say "the runbook: the online host's keys are stolen, then lost"
cp -a site/keys stolen
thief=$(key_of timestamp)
stop_site
rm site/keys/timestamp.key site/keys/snapshot.key site/keys/targets.key site/keys/delegate-*.key
ferryd --config conf >>log 2>&1 && wrong "a site without keys started"
tail -n 1 log | grep -q 'ferry-trust(7)' || wrong "the site does not say where to look: $(tail -n 1 log)"
[ "$(ferry site key list --state site | grep -c lost)" -ge 4 ] || wrong "the lost keys are not named: $(ferry site key list --state site)"
must ferry site key rotate --role online --state site
holder 1 root-5.todo.json
holder 2 root-5.todo.json
must ferry site root accept root-5.todo.json --state site
start_site
refuses 3 "a ferryd runs this site" ferry site key list --state site
until_true 20 "the node has the fifth root" node_has_root 5
looks_on
[ "$(version observer/root.json)" = 5 ] || wrong "the observer has root $(version observer/root.json)"
for role in timestamp snapshot targets; do
    cmp -s "stolen/$role.key" "site/keys/$role.key" && wrong "$role has the stolen key"
done
grep -q "$thief" site/policy/metadata/timestamp.json && wrong "the stolen key signs"
until_true 20 "a change of policy reaches the node" bash -c "ferry site set --poll 20m >/dev/null; sleep 1.2; sqlite3 -readonly node/store.db \"SELECT bytes FROM blob WHERE kind='target' AND name='policy/fleet/fleet.json'\" | grep -q 1200"
[ $failed = 0 ] && echo "the keys changed hands"
exit $failed
