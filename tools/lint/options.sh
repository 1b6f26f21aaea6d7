#!/bin/sh
# Every key of ferryd's option table has its paragraph in ferry.conf(5), and no other has.
set -u
found=0
keys=$(sed -n 's/.*\.name = "\([a-z-]*\)".*/\1/p' node/config.c | sort)
told=$(sed -n 's/^\.BR \([a-z\\-]*\) " = .*/\1/p' tools/man/ferry.conf.5 | tr -d '\\' | sort)
for key in $keys; do
    printf '%s\n' "$told" | grep -qx -- "$key" || { echo "options: tools/man/ferry.conf.5 does not tell of $key"; found=1; }
done
for key in $told; do
    printf '%s\n' "$keys" | grep -qx -- "$key" || { echo "options: tools/man/ferry.conf.5 tells of $key, which no ferryd knows"; found=1; }
done
exit $found
