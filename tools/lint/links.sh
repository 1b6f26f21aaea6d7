#!/bin/sh
# Every path a README names exists: markdown links, and `words/with.slashes` in code quotes that begin with one of our folders.
set -u
found=0
for readme in $(find . -name '*.md' -not -path './build/*' | sort); do
    dir=$(dirname "$readme")
    for link in $(grep -oE '\]\([^)#]+' "$readme" | sed 's/^](//' | grep -vE '^(https?|mailto):'); do
        [ -e "$dir/$link" ] || { echo "links: $readme: $link is not there"; found=1; }
    done
    for path in $(grep -oE '`[a-z.]+/[a-zA-Z0-9_./-]+`' "$readme" | tr -d '`' | grep -E '^(base|policy|dht|node|tools|tests)/' | grep -v '\*' | grep -vE '^policy/(fleet|tills|metadata|targets|collection)/'); do
        [ -e "$path" ] || [ -e "$dir/$path" ] || { echo "links: $readme: $path is not there"; found=1; }
    done
done
exit $found
