#!/bin/sh
# Who may include whom. A room may use itself and the rooms named here; third parties live only where they are named.
set -u
rooms='
base|
policy/document|base
policy/trust|base policy/document
policy/catalog|base policy/document
policy/decide|base policy/document
policy/authoring|base policy/document policy/trust policy/catalog policy/decide
dht|base
node/base|base policy
node/io|base node/base policy/document/json.h
node/store|base node/base
node/client|base policy dht node/base node/io node/store node/config.h
node/install|base policy node/base node/io node/store node/config.h node/client/install.h node/client/root.h
node/dp|base policy dht node/base node/io node/store node/config.h
node/site|base policy dht node/base node/io node/config.h
node|base policy dht node
tools|base policy dht node/base node/io node/site/create.h node/site/site_keys.h node/client/enrol_self.h
tools/lab|base policy dht node/base
'
parties='
uv.h|node tools
curl/|node/io tools
microhttpd.h|node/io
gnutls/|node/io
sqlite3.h|policy/authoring node/store
libtorrent/|dht
boost/|dht
sodium.h|base policy/trust policy/authoring dht node/base node/site node/client node/dp tools
openssl/|base policy/trust dht
zstd.h|node/base
lzma.h|policy/catalog
zlib.h|policy/catalog
glib.h|policy/document
'
found=0
allowed() { # what, list: what equals or lies below one of the list
    for a in $2; do case "$1" in "$a" | "$a"/* | "$a"*) return 0 ;; esac; done
    return 1
}
for file in $(find base policy dht node tools -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.hpp' | sort); do
    room=$(dirname "$file")
    line=$(printf '%s\n' "$rooms" | grep "^$room|") || { echo "layers: $file: no room $room in tools/lint/layers.sh"; found=1; continue; }
    may="${line#*|}"
    for include in $(sed -n 's/^ *# *include *"\(.*\)".*/\1/p' "$file"); do
        case "$include" in */*) ;; *) continue ;; esac
        target=$(dirname "$include")
        [ "$target" = "$room" ] && continue
        ok=1
        for a in $may; do
            case "$a" in
            *.h) [ "$include" = "$a" ] && ok=0 ;;
            *) case "$target" in "$a" | "$a"/*) ok=0 ;; esac ;;
            esac
        done
        [ $ok = 0 ] || { echo "layers: $file includes $include: $room may use: $may"; found=1; }
    done
    for include in $(sed -n 's/^ *# *include *<\(.*\)>.*/\1/p' "$file"); do
        for party in $(printf '%s\n' "$parties" | cut -d'|' -f1); do
            case "$include" in "$party"*)
                where=$(printf '%s\n' "$parties" | grep "^$party|" | cut -d'|' -f2)
                allowed "$room" "$where" || { echo "layers: $file includes <$include>: only in $where"; found=1; } ;;
            esac
        done
    done
done
# The three roles do not know each other.
grep -n '#include "node/\(dp\|site\)/' node/client/*.[ch] 2>/dev/null && found=1
grep -n '#include "node/\(client\|site\)/' node/dp/*.[ch] 2>/dev/null && found=1
grep -n '#include "node/\(client\|dp\)/' node/site/*.[ch] 2>/dev/null && found=1
# Of the tools, the TUF test client alone speaks HTTP by itself.
grep -l '#include <curl/' tools/*.[ch] | grep -v '^tools/ferry-tuf.c$' && { echo "layers: only tools/ferry-tuf.c may use curl"; found=1; }
# Thinking code has no clock, no sockets, no log.
grep -nE '\b(time|clock_gettime|gettimeofday|socket|printf|fprintf|log_say)\(' policy/document/*.c policy/decide/*.c policy/trust/*.c policy/catalog/*.c \
    dht/rendezvous.c 2>/dev/null | grep -vE 'snprintf|vsnprintf|^[^:]*:[0-9]*: *(/\*|\*|//)' && { echo "layers: thinking code reads a clock or talks"; found=1; }
exit $found
