# Completion for ferry(1): the commands come from `ferry --help`, so that one table stays the truth.
_ferry() {
    local current=${COMP_WORDS[COMP_CWORD]} commands nouns
    commands=$(ferry --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^    \([a-z][a-z]*\) *\([a-z-]*\).*/\1 \2/p')
    nouns=$(printf '%s\n' "$commands" | cut -d' ' -f1 | sort -u)
    if [[ $current == --* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(ferry "${COMP_WORDS[1]}" "${COMP_WORDS[2]}" --help 2>/dev/null | grep -oE '^ +--[a-z0-9-]+' | tr -d ' ')" -- "$current")
    elif [ "$COMP_CWORD" = 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$nouns" -- "$current")
    elif [ "$COMP_CWORD" = 2 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(printf '%s\n' "$commands" | sed -n "s/^${COMP_WORDS[1]} //p")" -- "$current")
    fi
}
complete -F _ferry ferry
