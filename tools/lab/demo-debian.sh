#!/bin/bash
# make demo-debian: two branches of two nodes whose roots are real Debian, made by debootstrap from the archive without its security suite;
# the real security catalog of this machine's release is imported and its pending updates are really installed. Needs root and a reachable archive.
# Exit 77 where root or the archive is truly missing. Everything runs in mount and PID namespaces of its own: whatever happens, mounts and processes go with them.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$top/${B:-build}
out=$build/demo-debian
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
room=2000000 # KiB: base root, four nodes' changes, content

missing() { echo "demo-debian: $*"; exit 77; }
refuse() { echo "demo-debian: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || missing "needs root: debootstrap and dpkg work in real roots"
. /etc/os-release
release=${VERSION_CODENAME:-}
[ "${ID:-}" = debian ] && [ -n "$release" ] || missing "this machine is ${PRETTY_NAME:-no Debian}; Debian is needed"
[ -f "$keyring" ] || missing "$keyring is not here (package debian-archive-keyring)"

archive_of() { # suite, the archive when apt's sources name none
    local uri
    uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 2>/dev/null | awk -v s="$1" '$2 == s {print $1; exit}')
    uri=${uri:-$2}
    echo "${uri%/}"
}
main=$(archive_of "$release" http://deb.debian.org/debian)
security=$(archive_of "$release-security" http://deb.debian.org/debian-security)
dated() { curl -fsSL -m 30 "$1/dists/$2/InRelease" 2>/dev/null | awk '/^Date:/ {print; exit}'; }
snapshot=$(dated "$main" "$release")
[ -n "$snapshot" ] || missing "$main does not answer"
[ -n "$(dated "$security" "$release-security")" ] || missing "$security does not answer"

# --- what is begun here ends here ---

work='' pid='' base_part=''
enter=(unshare --mount --pid --fork --kill-child=KILL --mount-proc)
"${enter[@]}" true 2>/dev/null || enter=()
run() {
    local status=0
    "${enter[@]}" "$@" 9>&- &
    pid=$!
    wait "$pid" || status=$?
    pid=''
    return $status
}
end() {
    trap '' INT TERM HUP
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
        # unshare itself ends when everything below its first child is gone.
        if [ ${#enter[@]} -gt 0 ]; then xargs -r kill -KILL <"/proc/$pid/task/$pid/children" || true; else kill -TERM "$pid"; fi
        wait "$pid" || true
    fi
    [ -z "$base_part" ] || rm -rf --one-file-system "$base_part"
    [ -n "$work" ] || return 0
    for process in /proc/[0-9]*; do # without namespaces an installer may outlive its node
        case "$(readlink "$process/cwd") $(readlink "$process/root")" in *"$work"*) kill -KILL "${process#/proc/}" ;; esac
    done 2>/dev/null || true
    rm -rf --one-file-system "$work"
}
stopped() { echo "demo-debian: stopped; what it began is ended and removed" >&2; exit "$1"; }
trap end EXIT
trap 'stopped 130' INT
trap 'stopped 143' TERM HUP

mkdir -p "$top/build" "$out"
exec 9>"$top/build/demo-debian.lock"
flock -n 9 || refuse "another demo-debian runs here"
for place in "$top/build" /tmp; do
    [ "$(df --output=avail -k "$place" | tail -1)" -gt $room ] || refuse "$place has less than $((room / 1000000)) GB free"
done

# --- the base root: once per snapshot of the main archive ---

# Common packages whose sources get security updates; those the archive does not have are left out. With the base system's own well over twenty sources are pending.
wanted="jq unzip zip rsync expat libpng16-16 libpng16-16t64 libssh2-1 libssh2-1t64 libevent-2.1-7 libevent-2.1-7t64 openssl libbrotli1 ca-certificates
libjbig2dec0 libgpgme11 libgpgme11t64 libnfs13 libnfs14 antiword p7zip 7zip libntfs-3g89 libntfs-3g89t64 libarchive13 libarchive13t64 libmodbus5 librabbitmq4
libsasl2-2 memcached libssh-4 libxml2 libtiff6 curl wget vim-tiny"
base=$top/build/debian-$release
if [ "$(cat "$base.made" 2>/dev/null)" != "$snapshot" ]; then
    echo "making the base root by debootstrap from $main (once): $base"
    rm -rf --one-file-system "$base" "$base.made"
    base_part=$base
    include=$(curl -fsSL -m 200 "$main/dists/$release/main/binary-$(dpkg --print-architecture)/Packages.xz" | xz -dc | sed -n 's/^Package: //p' |
        grep -Fx -f <(tr ' ' '\n' <<<"$wanted") | sort -u | paste -sd,)
    [ -n "$include" ] || refuse "$main: its package list cannot be read"
    run timeout 480 debootstrap --variant=minbase --include="$include" --keyring="$keyring" "$release" "$base" "$main" >"$base.log" 2>&1 || { tail -5 "$base.log"; exit 1; }
    rm -f "$base"/var/cache/apt/archives/*.deb
    echo "$snapshot" >"$base.made"
    base_part=''
fi

# --- the demonstration ---

work=$(mktemp -d /tmp/ferry-debian.XXXXXX)
mkdir "$work/bin"
cp "$build/ferry" "$build/ferryd" "$top"/tools/lab/*.py "$work/bin/"
code=0
run env -i -C "$work" PATH="/usr/sbin:/usr/bin:/sbin:/bin" HOME="$work" LANG=C.UTF-8 TERM="${TERM:-dumb}" ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" \
    python3 "$work/bin/debian.py" --work "$work" --base "$base" --uri "$security" --suite "$release-security" --main "$main" --keyring "$keyring" || code=$?
rm -rf "$out/logs" "$out/report.json"
mkdir -p "$out/logs"
cp "$work"/log/* "$out/logs/" 2>/dev/null || true
cp "$work/report.json" "$out/" 2>/dev/null || true
exit $code
