# Completion for bash. Commands and options come from the program's own help.
_anymodel()
{
    local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} words
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$("$program" help 2>/dev/null | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p')
    elif [[ $current == -* ]]; then
        words=$("$program" help "${COMP_WORDS[1]}" 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')
    else
        compopt -o default
        COMPREPLY=()
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _anymodel anymodel
