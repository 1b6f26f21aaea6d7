#!/bin/bash
# Who is not of this site gets nothing: no policy, no content from site, distribution point, nginx or neighbour, no place in a swarm; cannot say
# anything, and nobody is taken for somebody else. Real daemons and real clients: curl, a stock libtorrent session, a stock nginx. Every refusal
# stands beside the same request by somebody who may.
set -u
if [ -z "${FERRY_E2E:-}" ]; then
    cd "$(dirname "$0")/../.." || exit 1
    work=$(mktemp -d /tmp/ferry-strangers.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/bin"
    cp "${B:-build}/ferry" "${B:-build}/ferryd" "${B:-build}/e2e/stranger" tests/e2e/test_strangers.sh "$work/bin/"
    drop=
    if [ "$(id -u)" = 0 ]; then
        chown -R nobody: "$work"
        drop="setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs"
    fi
    # shellcheck disable=SC2086
    env FERRY_E2E="$work" HOME="$work" $drop bash "$work/bin/test_strangers.sh"
    exit $?
fi

cd "$FERRY_E2E" || exit 1
net=127.0.$((16 + 10 * ${LANE:-0}))
site_url=https://$net.1:8440 dp_url=https://$net.2:8480 nginx_url=https://$net.3:8481
export PATH=$FERRY_E2E/bin:/usr/sbin:/usr/bin:/sbin:/bin FERRY_SOCKET=$FERRY_E2E/site.ctl
declare -A pids
failed=0 refusals=0
end() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done; wait 2>/dev/null; }
trap end EXIT
say() { echo "--- $*"; }
wrong() { echo "FAILED: $*"; failed=1; }
must() { "$@" >out 2>&1 || { echo "FAILED: $*: exit $?: $(cat out)"; tail -n 3 ./*.log; exit 1; }; }
until_true() {
    local end=$(($(date +%s) + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$(date +%s)" -lt $end ] || { wrong "waited for: $what"; ferry alert list; tail -n 4 ./*.log; return 1; }
        sleep 0.2
    done
    echo "ok: $what"
}
# daemon NAME option=value…: its configuration, then it runs
daemon() {
    local name=$1
    shift
    printf '%s\n' "control-socket = $PWD/$name.ctl" "state-dir = $PWD/$name" "$@" >"$name.conf"
    again "$name"
}
again() { ferryd --config "$1.conf" >>"$1.log" 2>&1 & pids[$1]=$!; }
stop() { kill "${pids[$1]}"; wait "${pids[$1]}" 2>/dev/null; unset "pids[$1]"; }
node() { # NAME ADDRESS TOKEN option=value…
    local name=$1 address=$2 token=$3
    shift 3
    mkdir -p "$name-root/var/lib/dpkg" "$name-root/etc" && : >"$name-root/var/lib/dpkg/status"
    daemon "$name" "role = client" "site = $site_url" "enrol-token = $token" "hostname = $name" "root = $PWD/$name-root" "unprivileged-root = yes" "poll = 1s" \
        "listen = $address:6881" "bind-address = $address" "$@"
}
enrolled() { ferry node show "$1" --quiet 2>/dev/null; }
installed() { FERRY_SOCKET=$PWD/$1.ctl ferry updates --json 2>/dev/null | python3 -c "import json,sys; sys.exit(not any(u['name']=='$2' and u['state']=='installed' for u in json.load(sys.stdin)['items']))" 2>/dev/null; }
value() { sqlite3 -readonly "$1/store.db" "SELECT value FROM value WHERE name = '$2'"; }
# Somebody's papers as files: NAME.key, NAME.pem
papers() { cp "$1/node.key" "$1.key" && value "$1" certificate >"$1.pem"; }
# The HTTP status of a request as WHO ("nobody": without a certificate), 000 when the connection does not come about
status() {
    local who=$1
    shift
    # shellcheck disable=SC2046
    curl -sk -o body -w '%{http_code}' --max-time 8 --path-as-is $([ "$who" = nobody ] || echo --key "$who.key" --cert "$who.pem") "$@" || true
}
# gets WHO CODE what curl-arguments…
gets() {
    local who=$1 code=$2 what=$3 got
    shift 3
    got=$(status "$who" "$@")
    if [ "$got" != "$code" ]; then wrong "$who, $what: $got, $code was expected: $(head -c 300 body)"; else echo "ok: $who: $what: $got"; fi
    [ "$code" = 200 ] || refusals=$((refusals + 1))
}
# WHO torrent [key certificate]: what a stock session downloads from till-1. It calls from till-2's address, which may come: its papers decide.
takes() {
    local who=$1 saw
    shift
    mkdir -p "taken-$who"
    saw=$(stranger "$net.5:6999" "$PWD/taken-$who" "$net.4" 6881 "$@")
    echo "$who: $saw" >&2
    python3 -c "import json,sys; j=json.loads(sys.argv[1]); print('whole' if j['whole'] else 'nothing' if not j['downloaded'] and not j['peers'] and not (sys.argv[2] and j['metadata']) else 'something')" "$saw" "$([ "${1#magnet:}" = "$1" ] || echo magnet)"
}
taken() { # WHO EXPECTED torrent…
    local who=$1 expected=$2 got
    shift 2
    got=$(takes "$who" "$@")
    if [ "$got" = "$expected" ]; then echo "ok: $who takes $got from a neighbour"; else wrong "$who takes $got from a neighbour, $expected was expected"; fi
    [ "$expected" = whole ] || refusals=$((refusals + 1))
}

say "a site, a distribution point, two tills; one update of four mebibytes"
must ferry site init --name hq --state site.state --url $site_url
daemon site "role = site" "site-state = $PWD/site.state" "site-listen = $net.1:8440" "site-url = $site_url"
until_true 15 "the site answers" ferry site show --quiet
used=$(ferry node token)
daemon dp-1 "role = distribution-point" "site = $site_url" "enrol-token = $used" "hostname = dp-1" "dp-name = dp-1" "dp-listen = $net.2:8480" "dp-state = $PWD/dp" \
    "address = $net.2" "bind-address = $net.2" "listen = $net.2:6881" "poll = 1s"
until_true 15 "the distribution point is enrolled" enrolled dp-1
must ferry dp add dp-1 --url "$dp_url" --node dp-1
must ferry boundary add here --cidr "$net.0/24" --dp dp-1
node till-1 "$net.4" "$(ferry node token)" "peer = $net.5:6881"
node till-2 "$net.5" "$(ferry node token)" "peer = $net.4:6881"
until_true 15 "till-1 is enrolled" enrolled till-1
until_true 15 "till-2 is enrolled" enrolled till-2
head -c 4194304 /dev/urandom >big.bin
printf '#!/bin/sh\n: >"$1/etc/$2"\n' >make.sh
empty=$(sha256sum </dev/null | cut -d' ' -f1)
must ferry update add big --file big.bin --file make.sh --program make.sh --arg '{root}' --arg big --detect-file /etc/big --detect-sha256 "$empty"
must ferry deploy big big --collection all --to dp-1 --deadline now --randomize 0
until_true 60 "till-1 has it" installed till-1 big
until_true 60 "till-2 has it" installed till-2 big
content=$(sha256sum big.bin | cut -d' ' -f1)
for who in till-1 till-2 dp-1; do papers $who; done

say "papers that are not this site's"
openssl req -x509 -newkey ed25519 -noenc -days 30 -subj "/O=Ferry/CN=$(value site.state none 2>/dev/null || echo x)" -keyout foreign-ca.key -out foreign-ca.pem 2>/dev/null
subject=$(openssl x509 -in till-1.pem -noout -subject -nameopt multiline | sed -n 's/.*commonName *= //p' | head -n 1)
issue() { # NAME CA: a certificate in the name of till-1, over a key of its own
    openssl req -new -newkey ed25519 -noenc -subj "/O=Ferry/CN=$subject" -keyout "$1.key" -out "$1.csr" 2>/dev/null &&
        openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 30 -extfile <(echo 'subjectAltName = DNS:*') -out "$1.pem" 2>/dev/null
}
issue foreign foreign-ca || wrong "openssl makes no foreign certificate"
issue leaf-signed till-2 || wrong "openssl makes no certificate under a node's"    # till-2 plays the CA

say "the site"
some=$(cd site.state/policy/targets/policy && find . -name '*.json' | head -n 1)
for who in nobody foreign leaf-signed; do
    gets $who 403 "policy" "$site_url/policy/metadata/timestamp.json"
    gets $who 403 "a policy's body" "$site_url/policy/targets/policy/${some#./}"
    gets $who 403 "content of the site" "$site_url/content/$content"
    gets $who 403 "status for somebody" -X POST --data-binary @make.sh "$site_url/api/v1/status"
    gets $who 403 "a turn for somebody" -X POST --data-binary @make.sh "$site_url/api/v1/turn"
    gets $who 403 "the administrator's interface" "$site_url/api/v1/nodes"
done
gets till-1 200 "policy" "$site_url/policy/metadata/timestamp.json"
gets till-1 200 "a policy's body" "$site_url/policy/targets/policy/${some#./}"
gets till-1 403 "content, as a distribution point would" "$site_url/content/$content"
gets dp-1 200 "content, as the distribution point it is" "$site_url/content/$content"
gets till-1 404 "the administrator's interface" "$site_url/api/v1/nodes"
gets till-1 404 "the CA's key" "$site_url/policy/../keys/ca.key"
gets till-1 422 "nonsense instead of sealed status" -X POST --data-binary @make.sh "$site_url/api/v1/status"
[ "$(curl -s -o body -w '%{http_code}' --max-time 8 "http://$net.1:8440/policy/metadata/timestamp.json")" = 200 ] && wrong "the site answers without TLS"

say "distribution points: ferryd's, and a stock nginx with the printed configuration"
openssl req -x509 -newkey ed25519 -noenc -days 30 -subj /CN=ferry-dp -keyout nginx.key -out nginx.pem 2>/dev/null
ferry site ca >ca.pem
{
    echo "daemon off; master_process off; pid $PWD/nginx.pid; error_log $PWD/nginx.log; events {} http { access_log off;"
    for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $PWD/nginx-$kind;"; done
    ferry dp nginx-config --root "$PWD/dp" --listen "$net.3:8481" --certificate "$PWD/nginx.pem" --key "$PWD/nginx.key" --ca "$PWD/ca.pem"
    echo "}"
} >nginx.conf
nginx -e "$PWD/nginx.log" -c "$PWD/nginx.conf" & pids[nginx]=$!
listens() { [ "$(status till-1 "$nginx_url/content/$content")" = 200 ]; }
until_true 10 "nginx serves a node" listens
for who in nobody foreign leaf-signed; do
    gets $who 403 "content of ferryd" "$dp_url/content/$content"
    gets $who 400 "content of nginx" "$nginx_url/content/$content"
done
for who in till-1 till-2; do
    gets $who 200 "content of ferryd" "$dp_url/content/$content"
    cmp -s body big.bin || wrong "what $who got is not the content"
    gets $who 200 "content of nginx" "$nginx_url/content/$content"
done

say "the swarm"
torrent=$PWD/dp/content/$content.torrent
stop till-2
taken nobody nothing "$torrent"
taken foreign nothing "$torrent" foreign.key foreign.pem
taken leaf-signed nothing "$torrent" leaf-signed.key leaf-signed.pem
taken somebody-with-a-magnet nothing "magnet:$torrent"
taken till-2 whole "$torrent" till-2.key till-2.pem
cmp -s "taken-till-2/$content" big.bin || wrong "what till-2's session took is not the content"
again till-2

say "somebody else in the site's and in the distribution point's place"
cat >impostor.py <<'P'
import http.server, ssl, sys
host, port, directory, log = sys.argv[1], int(sys.argv[2]), sys.argv[3], open(sys.argv[4], "a")
class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *a, **k): super().__init__(*a, directory=directory, **k)
    def log_message(self, *a): print("asked:", self.path, file=log, flush=True)
server = http.server.ThreadingHTTPServer((host, port), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("foreign-ca.pem", "foreign-ca.key")
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
P
stop site
python3 impostor.py "$net.1" 8440 site.state impostor.log 2>/dev/null & pids[impostor]=$!
noticed() { grep -q '"poll.failed".*\(pin\|key\)' till-1.log; }
until_true 30 "till-1 says that this is not its site's key" noticed
grep -q asked impostor.log && wrong "till-1 asked an impostor for policy: $(cat impostor.log)"
refusals=$((refusals + 1))
installed till-1 big || wrong "till-1 forgot its policy"
stop impostor
again site
until_true 15 "the site is back" ferry site show --quiet
head -c 3000000 /dev/urandom >second.bin
must ferry update add second --file second.bin --file make.sh --program make.sh --arg '{root}' --arg second --detect-file /etc/second --detect-sha256 "$empty"
must ferry group create second
must ferry group add second second
must ferry content download second
must ferry content distribute second --to dp-1
pulled() { [ -e "dp/content/$(sha256sum second.bin | cut -d' ' -f1)" ]; }
until_true 30 "the distribution point has the second update" pulled
stop dp-1
python3 impostor.py "$net.2" 8480 dp impostor-dp.log 2>/dev/null & pids[impostor]=$!
must ferry deployment create second --group second --collection all --required --available now --deadline now --randomize 0
sleep 6
installed till-1 second && wrong "till-1 took content from an impostor"
grep -q asked impostor-dp.log && wrong "till-1 asked an impostor for content: $(cat impostor-dp.log)"
refusals=$((refusals + 1))
stop impostor
again dp-1
until_true 60 "from the real one it comes" installed till-1 second

say "tokens: once, not for ever, or by an administrator"
node till-3 "$net.6" "$used"
refused_with() { grep -q "\"enrol.failed\".*$2" "$1.log"; }
until_true 15 "a used token is refused" refused_with till-3 "has been used"
stop till-3
short=$(ferry node token --expires 1s)
sleep 2
rm -rf till-3 till-3.log && node till-3 "$net.6" "$short"
until_true 15 "an expired token is refused" refused_with till-3 "has expired"
stop till-3
rm -rf till-3 till-3.log && node till-3 "$net.6" "$(ferry node token --approval)"
waits() { ferry node pending | grep -q till-3; }
until_true 15 "a machine waits for approval" waits
enrolled till-3 && wrong "till-3 is a node although nobody approved it"
gets nobody 403 "policy, while till-3 waits" "$site_url/policy/metadata/timestamp.json"
must ferry node approve till-3
stop till-3 && again till-3                     # it would ask by itself, half a minute later
until_true 40 "approved, it is a node" enrolled till-3
refusals=$((refusals + 2))

say "retired: its certificate holds for days, and opens nothing"
must ferry node retire till-2
told() { [ "$(status till-2 "$dp_url/content/$content")" = 403 ]; }
gets till-2 403 "policy" "$site_url/policy/metadata/timestamp.json"
until_true 15 "the distribution point has heard" told
gets till-2 403 "content of ferryd" "$dp_url/content/$content"
gets till-1 200 "policy" "$site_url/policy/metadata/timestamp.json"

echo "strangers: $refusals refusals, each beside what is allowed"
exit $failed
