#!/bin/bash
# Real Debian roots get the real pending security updates; afterwards apt-get -s dist-upgrade finds none of them. Needs root and the archive.
exec tools/lab/demo-debian.sh
