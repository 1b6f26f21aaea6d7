#!/bin/bash
# ferry-tuf against TUF repositories whose keys and signatures are openssl's: every request, every exit status, every file that is trusted.
set -u
cd "$(dirname "$0")/../fixtures" || exit 1
program=$(realpath "../../${B:-build}/ferry-tuf") || exit 1
ldd "$program" | grep -q libc.so || { echo "ferry-tuf is not dynamically linked: its clock could not be faked"; exit 1; }
PYTHONDONTWRITEBYTECODE=1 exec python3 tuf_client.py "$program"
