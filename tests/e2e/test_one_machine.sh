#!/bin/bash
# One ferryd with all three roles on one machine, as its administrator would use it: apt and command updates, an update added to a deployed group,
# a disabled deployment, an unreadable dpkg database, a full disk, kill -9 while it works. Run by root it drops to `nobody` and brings a small disk.
set -u
if [ -z "${FERRY_E2E:-}" ]; then
    cd "$(dirname "$0")/../.." || exit 1
    work=$(mktemp -d /tmp/ferry-one.XXXXXX)
    trap 'mountpoint -q "$work/disk" && umount -l "$work/disk"; rm -rf "$work"' EXIT
    mkdir -p "$work/bin" "$work/disk"
    cp "${B:-build}/ferry" "${B:-build}/ferryd" tests/fixtures/*.sh tests/e2e/test_one_machine.sh "$work/bin/"
    drop=
    if [ "$(id -u)" = 0 ]; then
        mount -t tmpfs -o size=48m,mode=777 ferry-test "$work/disk" || exit 1
        chown -R nobody: "$work/bin" && chown nobody: "$work"
        drop="setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs"
    fi
    # shellcheck disable=SC2086
    env FERRY_E2E="$work" HOME="$work" $drop bash "$work/bin/test_one_machine.sh"
    exit $?
fi

cd "$FERRY_E2E" || exit 1
export PATH=$FERRY_E2E/bin:/usr/sbin:/usr/bin:/sbin:/bin FERRY_SOCKET=$FERRY_E2E/ctl
daemon= archive= failed=0
end() { for pid in $daemon $archive; do kill "$pid" 2>/dev/null; done; wait 2>/dev/null; }
trap end EXIT
say() { echo "--- $*"; }
wrong() { echo "FAILED: $*"; failed=1; }
must() { "$@" >out 2>&1 || { echo "FAILED: $*: exit $?: $(cat out)"; exit 1; }; }
# get JSON-EXPRESSION command…: python's view `j` of what the command prints with --json
get() { local what=$1; shift; "$@" --json 2>/dev/null | python3 -c "import json,sys; j=json.load(sys.stdin); print($what)" 2>/dev/null; }
# until SECONDS what command…: asks again until it says yes
until_true() {
    local end=$(($(date +%s) + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$(date +%s)" -lt $end ] || { wrong "waited for: $what"; ferry updates; ferry alert list; tail -5 log; return 1; }
        sleep 0.3
    done
    echo "ok: $what"
}
start() { ferryd --config conf >>log 2>&1 & daemon=$!; until_true 15 "the daemon answers" answers; }
answers() { ferry site show >/dev/null 2>&1; }
state_of() { get "[u['state'] for u in j['items'] if u['name']=='$1'][0]" ferry updates; }
reason_of() { get "[u['text'] for u in j['items'] if u['name']=='$1'][0]" ferry updates; }
is() { [ "$(state_of "$1")" = "$2" ]; }
compliant() { [ "$(get "[d['compliant'] for d in j['deployments'] if d['name']=='$1'][0]" ferry status)" = 1 ]; }

say "a vendor, a site, and the same machine as its own distribution point and client"
must make-archive.sh archive 1
must make-root.sh root archive
(cd archive && exec python3 -m http.server --bind 127.0.13.3 8491 >/dev/null 2>&1) & archive=$!
must ferry site init --name hq --state site --url https://127.0.13.1:8440
common="control-socket = $FERRY_SOCKET
state-dir = $PWD/disk/state
site-state = $PWD/site
site-listen = 127.0.13.1:8440
site-url = https://127.0.13.1:8440"
printf '%s\nrole = site\n' "$common" >conf
start
token=$(ferry node token)
kill "$daemon" && wait "$daemon"
printf '%s\nrole = site, distribution-point, client\nsite = https://127.0.13.1:8440\nenrol-token = %s\nhostname = box\nroot = %s\nunprivileged-root = yes\nlisten = 127.0.13.1:6881\nbind-address = 127.0.13.1\npoll = 1s\ndp-name = dp-1\ndp-listen = 127.0.13.2:8480\ndp-state = %s\n' \
    "$common" "$token" "$PWD/root" "$PWD/dp" >conf
start
until_true 20 "the node is enrolled" ferry node show box --quiet
must ferry dp add dp-1 --url https://127.0.13.2:8480 --node box
must ferry boundary add here --cidr 127.0.13.0/24 --dp dp-1
must ferry catalog add apt demo --uri http://127.0.13.3:8491 --suite demo --component main --keyring archive/demo.gpg
must ferry catalog sync
required() { [ "$(get "j['total']" ferry update list --filter 'required >= 1')" = "$1" ]; }
until_true 30 "the scan is known at the site" required 3

say "an apt update"
must ferry group create october
must ferry group add october --filter 'name = ferry-app'
must ferry content download october
must ferry content distribute october --to dp-1
must ferry collection create boxes --rule 'hostname = box'
must ferry deployment create october --group october --collection boxes --required --available now --deadline now --randomize 0
until_true 60 "ferry-app is installed" is ferry-app installed
until_true 15 "the site says compliant" compliant october
dpkg-query --admindir=root/var/lib/dpkg -W -f '${Package} ${Version}\n' ferry-app ferry-lib | grep -q 'ferry-lib 2.0' || wrong "the dependency did not come with it"

say "a command update, added to the group that is deployed"
printf '#!/bin/sh\nset -e\nmkdir -p "$1/etc"\nprintf "patch tuesday\\n" >"$1/etc/banner"\n' >set-banner.sh
sha=$(printf 'patch tuesday\n' | sha256sum | cut -d' ' -f1)
must ferry update add banner --title "A banner" --file set-banner.sh --program set-banner.sh --arg '{root}' --detect-file /etc/banner --detect-sha256 "$sha"
must ferry group add october banner
until_true 60 "the banner is installed" is banner installed
grep -q "patch tuesday" root/etc/banner || wrong "no banner in the root"

say "a program that fails, and one that runs too long"
printf '#!/bin/sh\nexit 7\n' >fails.sh
printf '#!/bin/sh\nsleep 60\n' >sleeps.sh
must ferry update add fails --file fails.sh --program fails.sh --detect-file /etc/never --detect-sha256 "$sha"
must ferry update add sleeps --file sleeps.sh --program sleeps.sh --detect-file /etc/never --detect-sha256 "$sha" --max-run 2s
must ferry group create bad
must ferry group add bad fails sleeps
must ferry content download bad
must ferry content distribute bad --to dp-1
must ferry deployment create bad --group bad --collection boxes --required --available now --deadline now --randomize 0
until_true 40 "the failing program is reported failed" is fails failed
until_true 60 "the endless program is stopped and reported failed" is sleeps failed
[ "$(get "[u['code'] for u in j['items'] if u['name']=='fails'][0]" ferry updates)" = 7 ] || wrong "the exit code is not told: $(ferry updates)"
ferry why box fails | grep -q 7 || wrong "why does not tell the code: $(ferry why box fails)"
must ferry deployment delete bad

say "a disabled deployment stops; enabled it goes on"
printf '#!/bin/sh\n: >"$1/etc/second"\n' >second.sh
empty=$(sha256sum </dev/null | cut -d' ' -f1)
must ferry update add second --file second.sh --program second.sh --arg '{root}' --detect-file /etc/second --detect-sha256 "$empty"
must ferry group create second
must ferry group add second second
must ferry content download second
must ferry content distribute second --to dp-1
must ferry deployment create second --group second --collection boxes --required --available now --deadline +4s --randomize 0
must ferry deployment disable second
sleep 7
[ -e root/etc/second ] && wrong "a disabled deployment installed"
must ferry deployment enable second
until_true 30 "enabled again, it installs" is second installed

say "an unreadable dpkg database"
cp root/var/lib/dpkg/status saved
printf 'Package: broken\nthis is no field\n' >root/var/lib/dpkg/status
must ferry scan
unknown() { [ "$(get "j['unknown']" ferry update show ferry-app)" = 1 ]; }
until_true 20 "its updates are unknown, not 'not required'" unknown
cp saved root/var/lib/dpkg/status
must ferry scan
known() { [ "$(get "j['installed']" ferry update show ferry-app)" = 1 ]; }
until_true 20 "with the database back they are known again" known

if mountpoint -q disk; then
    say "a full disk"
    head -c 16m /dev/urandom >big.bin
    head -c 36m /dev/zero >disk/filler
    printf '#!/bin/sh\n: >"$1/etc/third"\n' >third.sh
    must ferry update add third --file third.sh --file big.bin --program third.sh --arg '{root}' --detect-file /etc/third --detect-sha256 "$empty"
    must ferry group create third
    must ferry group add third third
    must ferry content download third
    must ferry content distribute third --to dp-1
    must ferry deployment create third --group third --collection boxes --required --available now --deadline now --randomize 0
    full() { reason_of third | grep -qiE 'no room'; }
    until_true 40 "the node says that the disk is full" full
    told() { ferry why box third | grep -q 'no room'; }
    until_true 10 "the site knows why" told
    [ -e root/etc/third ] && wrong "installed without its content"
    kill -0 "$daemon" || wrong "the daemon died of a full disk"
    rm disk/filler
    until_true 90 "with room again it installs" is third installed
fi

say "kill -9 while it works; nothing is lost, nothing doubled"
for i in 1 2 3; do
    printf '#!/bin/sh\nsleep 1\n: >"$1/etc/k%s"\n' $i >k$i.sh
    must ferry update add k$i --file k$i.sh --program k$i.sh --arg '{root}' --detect-file /etc/k$i --detect-sha256 "$empty"
    must ferry group add second k$i
    sleep 0.$((RANDOM % 9))
    kill -KILL "$daemon"; wait "$daemon" 2>/dev/null
    start
done
for i in 1 2 3; do until_true 60 "k$i is installed" is k$i installed; done
complete() { [ "$(get "j['messages']['missing']" ferry node show box)" = 0 ] && [ "$(get "j['serial']" ferry node show box)" = "$(get "j['messages']['last']" ferry status --here)" ]; }
until_true 15 "every message is at the site, once" complete

say "SIGTERM"
begin=$(date +%s)
kill -TERM "$daemon"; wait "$daemon"; code=$?
[ $code = 0 ] && [ $(($(date +%s) - begin)) -le 5 ] || wrong "SIGTERM: exit $code after $(($(date +%s) - begin)) s"
daemon=
exit $failed
