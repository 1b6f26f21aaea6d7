#!/bin/bash
# ferryd as nobody, ferryd-installer as root, a root only root can change: an update goes from the site to installed; then withdrawn root
# privileges, a halted deployment, the installer and ferryd killed in the middle. Needs root.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ "$(id -u)" = 0 ] || { echo "needs root: two users are what is tested"; exit 77; }
B=${B:-build} top=$PWD
net=127.0.$((20 + ${LANE:-0}))
work=$(mktemp -d /tmp/ferry-least.XXXXXX)
daemon= archive= installer=
end() {
    for pid in $daemon $archive $installer; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    rm -rf "$work"
}
trap end EXIT
mkdir -p "$work/bin" "$work/mine" "$work/run" && chmod 755 "$work" "$work/bin" && chown nobody: "$work/mine" && chmod 700 "$work/mine"
cp "$B/ferry" "$B/ferryd" "$B/ferryd-installer" tests/fixtures/*.sh "$work/bin/"
chmod 755 "$work"/bin/*
cd "$work" || exit 1
export PATH=$work/bin:/usr/sbin:/usr/bin:/sbin:/bin FERRY_SOCKET=$work/mine/ctl HOME=$work/mine
failed=0
say() { echo "--- $*"; }
wrong() { echo "FAILED: $*"; failed=1; }
must() { "$@" >"$work/out" 2>&1 || { echo "FAILED: $*: exit $?: $(cat "$work/out")"; exit 1; }; }
get() { local what=$1; shift; "$@" --json 2>/dev/null | python3 -c "import json,sys; j=json.load(sys.stdin); print($what)" 2>/dev/null; }
until_true() {
    local end=$(($(date +%s) + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$(date +%s)" -lt $end ] || { wrong "waited for: $what"; ferry updates; tail -n 5 "$work/log"; tail -n 5 "$work/installer.log"; return 1; }
        sleep 0.3
    done
    echo "ok: $what"
}
as_nobody="setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
# shellcheck disable=SC2086
nobody() { $as_nobody "$@"; }
# shellcheck disable=SC2086
start() { $as_nobody ferryd --config "$work/conf" >>"$work/log" 2>&1 & daemon=$!; until_true 15 "the daemon answers" answers; }
answers() { ferry site show >/dev/null 2>&1; }
# The socket is root's and the node's group's, as the unit makes it. systemd's own activation where it is at hand.
install_start() {
    rm -f "$work/run/installer.sock"
    if command -v systemd-socket-activate >/dev/null; then
        systemd-socket-activate --accept --seqpacket -l "$work/run/installer.sock" -E FERRY_CLOCK_FILE -E PATH \
            "$work/bin/ferryd-installer" --config "$work/conf" --state "$work/installer" >>"$work/installer.log" 2>&1 & installer=$!
    else
        ferryd-installer --config "$work/conf" --state "$work/installer" --listen "$work/run/installer.sock" >>"$work/installer.log" 2>&1 & installer=$!
    fi
    until_true 5 "the installer listens" [ -S "$work/run/installer.sock" ]
    chown root:nogroup "$work/run/installer.sock" && chmod 660 "$work/run/installer.sock"
}
state_of() { get "[u['state'] for u in j['items'] if u['name']=='$1'][0]" ferry updates; }
is() { [ "$(state_of "$1")" = "$2" ]; }
version() { dpkg-query --admindir=root/var/lib/dpkg -W -f '${Version}' "$1"; }

if command -v systemd-analyze >/dev/null; then
    say "the unit"
    sed "s|@sbindir@/ferryd|$work/bin/ferryd|" "$top/tools/packaging/ferryd.service.in" >ferryd.service
    systemd-analyze security --offline=true --threshold=15 "$work/ferryd.service" >out 2>&1 || wrong "more exposed than 1.5: $(tail -1 out)"
    tail -1 out
fi

say "a vendor, a site, a root that belongs to root, and a ferryd that is nobody"
must make-archive.sh archive 1
must make-root.sh root archive ferry-lib ferry-app ferry-data
mkdir -p root/bin
(cd archive && exec python3 -m http.server --bind $net.3 8491 >/dev/null 2>&1) & archive=$!
must nobody ferry site init --name hq --state mine/site --url https://$net.1:8440
common="control-socket = $FERRY_SOCKET
state-dir = $work/mine/state
site-state = $work/mine/site
site-listen = $net.1:8440
site-url = https://$net.1:8440"
printf '%s\nrole = site\n' "$common" >conf
start
token=$(ferry node token)
kill "$daemon" && wait "$daemon"
printf '%s\nrole = site, distribution-point, client\nsite = https://%s.1:8440\nenrol-token = %s\nhostname = box\nroot = %s\nlisten = %s.1:6881\nbind-address = %s.1\npoll = 1s\ndp-name = dp-1\ndp-listen = %s.2:8480\ndp-state = %s\ninstaller = %s\nrestart-command = touch %s\n' \
    "$common" $net "$token" "$work/root" $net $net $net "$work/mine/dp" "$work/run/installer.sock" "$work/restarted" >conf
install_start
start
until_true 20 "the node is enrolled" ferry node show box --quiet 2>/dev/null
grep -E '^Uid:|^Cap(Inh|Prm|Eff|Bnd|Amb):|^NoNewPrivs:' "/proc/$daemon/status"
[ "$(awk '/^Cap/ { if ($2 != "0000000000000000") print }' "/proc/$daemon/status")" = "" ] || wrong "ferryd has capabilities"
[ "$(awk '/^Uid:/ { print $3 }' "/proc/$daemon/status")" = "$(id -u nobody)" ] || wrong "ferryd is not nobody"
nobody test -w root/var/lib/dpkg/status && wrong "nobody can change the root"
must ferry dp add dp-1 --url https://$net.2:8480 --node box
must ferry boundary add here --cidr $net.0/24 --dp dp-1
must ferry catalog add apt demo --uri http://$net.3:8491 --suite demo --component main --keyring archive/demo.gpg
must ferry catalog sync
required() { [ "$(get "j['total']" ferry update list --filter 'required >= 1')" = "$1" ]; }
until_true 30 "the scan is known at the site" required 2
pinned() { [ -s installer/store.db ] && grep -q '"refresh"' installer.log; }
until_true 15 "the installer has looked at the policy by itself" pinned

say "an update goes from the site to installed"
must ferry group create october
must ferry group add october --filter 'name = ferry-app'
must ferry content download october
must ferry content distribute october --to dp-1
must ferry collection create boxes --rule 'hostname = box'
must ferry deployment create october --group october --collection boxes --required --available now --deadline now --randomize 0
until_true 60 "ferry-app is installed" is ferry-app installed
[ "$(version ferry-app) $(version ferry-lib)" = "2.0 2.0" ] || wrong "dpkg says $(version ferry-app) $(version ferry-lib)"
[ -z "$(ls installer/content installer/jobs 2>/dev/null | grep -v :)" ] || wrong "the installer left $(ls installer/content installer/jobs)"
[ "$(stat -c '%a %U' installer installer/store.db)" = "$(printf '700 root\n600 root')" ] || wrong "the installer's state: $(stat -c '%a %U %n' installer installer/store.db)"

say "content that ferryd altered"
until_true 20 "ferry-data is known" required 1
must ferry group create data
must ferry group add data --filter 'name = ferry-data'
must ferry content download data
must ferry content distribute data --to dp-1
must ferry deployment create data --group data --collection boxes --required --available now --deadline +6s --randomize 0
deb=$(sha256sum archive/pool/main/f/ferry-data/*.deb | cut -d' ' -f1)
here() { [ -f "mine/state/content/$deb" ]; }
until_true 30 "the content is in ferryd's cache" here
kill -STOP "$daemon"
chmod u+w "mine/state/content/$deb"
cp -p "mine/state/content/$deb" good.deb
printf 'xxxx' | dd of="mine/state/content/$deb" bs=1 seek=9000 conv=notrunc status=none
nobody python3 - mine/state/store.db "mine/state/content/$deb" "$deb" <<'END'
import os, sqlite3, sys
s, db = os.stat(sys.argv[2]), sqlite3.connect(sys.argv[1])
db.execute("UPDATE content SET mtime = ?, ctime = ?, inode = ? WHERE name = ?", (s.st_mtime_ns, s.st_ctime_ns, s.st_ino, bytes.fromhex(sys.argv[3])))
db.commit()
END
kill -CONT "$daemon"
refused() { grep -q 'is not content' installer.log; }
until_true 60 "the installer refuses it" refused
[ "$(version ferry-data)" = 1.0 ] || wrong "altered content was installed"

if command -v systemd-socket-activate >/dev/null; then
    say "a configuration that others can write is not believed"
    chmod 666 conf
    must ferry group add october ferry-data
    disbelieved() { grep -q 'installer.refused.*can be written by others' log; }
    until_true 60 "the installer does not believe it, and the node says so" disbelieved
    chmod 644 conf
    must ferry group remove october ferry-data
fi

say "kill -9 of both in the middle of a command; who ran it"
printf '#!/bin/sh\nset -e\nsleep 2\nid -u >"$1/etc/who"\numask >"$1/etc/umask"\nprintf "patch tuesday\\n" >"$1/etc/banner"\n' >set-banner.sh
sha=$(printf 'patch tuesday\n' | sha256sum | cut -d' ' -f1)
must ferry update add banner --file set-banner.sh --program set-banner.sh --arg '{root}' --detect-file /etc/banner --detect-sha256 "$sha"
must ferry group add october banner
running() { [ "$(get "[u['state'] for u in j['items'] if u['name']=='banner'][0]" ferry updates)" = installing ] && pgrep -P "$installer" >/dev/null; }
until_true 60 "the banner is being installed" running
kill -KILL "$daemon" $(pgrep -P "$installer"); wait "$daemon" 2>/dev/null
[ -e root/etc/banner ] && wrong "killed too late to tell anything"
start
until_true 60 "asked again, it is installed" is banner installed
[ "$(cat root/etc/who) $(cat root/etc/umask)" = "0 0022" ] || wrong "run by $(cat root/etc/who), umask $(cat root/etc/umask)"
[ -z "$(find root -user nobody)" ] || wrong "nobody owns $(find root -user nobody)"

[ $failed = 0 ] && echo "least privilege: all as it should be"
exit $failed
