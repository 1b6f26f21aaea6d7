# Completion for ferry(1): the commands come from `ferry --help`, so that one table stays the truth. Commands have up to three words.
_ferry() {
    local current=${COMP_WORDS[COMP_CWORD]} said="" command="" i commands
    # "rule deployment add NAME DEPLOYMENT   about" -> "rule deployment add"
    commands=$(ferry --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^    \([a-z][a-z -]*\).*/\1/p' | sed 's/  .*//; s/ *$//')
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == [a-z]* ]] || break
        said="${said:+$said }${COMP_WORDS[i]}"
        printf '%s\n' "$commands" | grep -qx -- "$said" && command=$said
    done
    if [[ $current == --* && -n $command ]]; then
        # shellcheck disable=SC2086
        mapfile -t COMPREPLY < <(compgen -W "$(ferry $command --help 2>/dev/null | grep -oE '^ +--[a-z0-9-]+' | tr -d ' ')" -- "$current")
    elif [[ $current != --* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(printf '%s\n' "$commands" | sed -n "s/^${said:+$said }\([a-z-]*\).*/\1/p" | sort -u)" -- "$current")
    fi
}
complete -F _ferry ferry
