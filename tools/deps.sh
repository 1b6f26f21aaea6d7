#!/bin/sh
# Installs the Debian packages Ferry is built from and tested with, those that are missing, and says so.
set -eu
packages="build-essential pkg-config clang libclang-rt-14-dev libuv1-dev libsqlite3-dev libsodium-dev libssl-dev
libtorrent-rasterbar-dev libboost-dev libcurl4-openssl-dev libmicrohttpd-dev libgnutls28-dev libjansson-dev libzstd-dev liblzma-dev zlib1g-dev
libglib2.0-dev tzdata libcmocka-dev gpg gpg-agent gpgv dpkg-dev apt-utils xz-utils faketime nginx-light curl python3 sqlite3 debootstrap mandoc util-linux"

missing=
for package in $packages; do
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Installing what is missing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
install() { DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y --no-install-recommends $missing >"$log" 2>&1; }
install || { $sudo apt-get update >"$log" 2>&1 && install; } || { tail -20 "$log" >&2; echo "deps: apt-get could not install them" >&2; exit 1; }
# A package of these may start its service; Ferry never needs the system's nginx.
case " $missing " in *" nginx-light "*) $sudo systemctl disable --now nginx >/dev/null 2>&1 || true ;; esac
