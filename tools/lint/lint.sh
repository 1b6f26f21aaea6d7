#!/bin/sh
# The house rules a machine can check: who includes whom, lengths, names, links. Prints one line per finding; silent and 0 when all is well.
set -u
cd "$(dirname "$0")/../.." || exit 1
found=0
for check in layers lengths links options; do
    tools/lint/$check.sh || found=1
done
[ $found = 0 ] && echo "lint: layers, lengths, links and options are as they should be"
exit $found
