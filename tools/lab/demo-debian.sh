#!/bin/bash
# make demo-debian: two branches of two nodes whose roots are real Debian, made by debootstrap from the archive without its security suite;
# the real security catalog of this machine's release is imported and its pending updates are really installed. Needs root and a reachable archive.
# Exit 77 where root or the archive is truly missing.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
out=$top/${B:-build}/demo-debian
[ "$(id -u)" = 0 ] || { echo "demo-debian: needs root: debootstrap and dpkg work in real roots"; exit 77; }
. /etc/os-release
main=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 2>/dev/null | awk -v c="$VERSION_CODENAME" '$2 == c {print $1; exit}')
security=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 2>/dev/null | awk -v c="$VERSION_CODENAME-security" '$2 == c {print $1; exit}')
[ -n "$main" ] && [ -n "$security" ] || { echo "demo-debian: apt's sources name no archive of $VERSION_CODENAME with its security suite"; exit 77; }
curl -fsS -m 20 -o /dev/null "${security%/}/dists/$VERSION_CODENAME-security/InRelease" || { echo "demo-debian: the archive does not answer"; exit 77; }

# Common packages whose sources have had security updates; with the base system's own well over twenty sources are pending.
include=jq,unzip,zip,rsync,expat,libpng16-16,libssh2-1,libevent-2.1-7,openssl,libbrotli1,ca-certificates,libjbig2dec0,libgpgme11,libnfs13,antiword,p7zip,libntfs-3g89,libarchive13,libmodbus5,librabbitmq4,libsasl2-2
base=$top/build/debian-$VERSION_CODENAME
if [ ! -f "$base.whole" ]; then
    echo "making the base root by debootstrap (once): $base"
    rm -rf "$base"
    mkdir -p "$top/build"
    debootstrap --variant=minbase --include="$include" "$VERSION_CODENAME" "$base" "$main" >"$base.log" 2>&1 || { tail -5 "$base.log"; exit 1; }
    rm -f "$base"/var/cache/apt/archives/*.deb
    touch "$base.whole"
fi
work=$(mktemp -d /tmp/ferry-debian.XXXXXX)
mkdir -p "$out" "$work/bin"
trap 'rm -rf "$work"' EXIT
cp "$top/${B:-build}/ferry" "$top/${B:-build}/ferryd" "$top"/tools/lab/*.py "$work/bin/"
code=0
(cd "$work" && env -i PATH="/usr/sbin:/usr/bin:/sbin:/bin" HOME="$work" LANG=C.UTF-8 TERM="${TERM:-dumb}" ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" \
    python3 "$work/bin/debian.py" --work "$work" --base "$base" --uri "${security%/}" --suite "$VERSION_CODENAME-security" --main "${main%/}") || code=$?
cp "$work/report.json" "$out/" 2>/dev/null || true
rm -rf "$out/logs" && mkdir -p "$out/logs" && cp "$work"/log/* "$out/logs/" 2>/dev/null || true
exit $code
