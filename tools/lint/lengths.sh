#!/bin/sh
# Functions of at most 80 lines (a pure table is exempt), files of at most 500, headers of at most 80 unless they hold the documents, lines of at most 160.
set -u
find base policy dht node tools tests \( -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.hpp' -o -name '*.sh' -o -name '*.py' \) | sort | xargs awk '
function base(f) { sub(/.*\//, "", f); return f }
function close_file() { if (last > 500) { print "lengths: " file ": " last " lines, at most 500"; bad = 1 } }
FNR == 1 { if (file) close_file(); file = FILENAME; start = 0
           if (FILENAME ~ /\.c(pp)?$/ && FILENAME !~ /^tests\//) { name = base(FILENAME); if (name in seen) { print "lengths: " FILENAME ": base name also in " seen[name]; bad = 1 } seen[name] = FILENAME } }
{ last = FNR }
length($0) > 160 && FILENAME !~ /\.(sh|py)$/ { print "lengths: " FILENAME ":" FNR ": line of " length($0) ", at most 160"; bad = 1 }
/^\{$/ { start = FNR }
/^\}/ && start { if (FNR - start - 1 > 80) { print "lengths: " FILENAME ":" start ": function of " (FNR - start - 1) " lines, at most 80"; bad = 1 } start = 0 }
END { close_file(); exit bad }'
